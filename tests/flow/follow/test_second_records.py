"""A second record in Xero of a document is named, whatever became of the document in QicWorks, until it is gone."""

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import pytest

from tests.support.cancelling import back_to_draft, by_status, delete
from tests.support.followed import differing, do
from tests.support.following import act, differences, pushed
from tests.support.paying import Payroll
from tests.support.pushing import COSTS, PRICED, SALES, Books, Line
from tests.support.reconciling import compare
from tests.support.second_records import copied, taken_out
from tests.support.tying_out import tie
from tests.support.world import World
from xero.qicworks.follow.differences import Reason
from xero.sync.follow.tie_out import Period, State

ADDRESSED = ("invoices", "bills", "expenses")
Named = dict[tuple[UUID | None, str], str]


def moved(books: Books, kind: str, document: UUID) -> None:
    [to] = books.world.query(
        "SELECT organisation_id FROM xero_sync.connection WHERE id = %s", books.world.connection_id(1)
    )
    books.edit(kind, document, organisation_id=to["organisation_id"])


def nothing(books: Books, kind: str, document: UUID) -> None:
    """It stays in force."""


WAYS: dict[str, Callable[[Books, str, UUID], None]] = {
    "in force": nothing,
    "deleted": delete,
    "cancelled": by_status,
    "draft": back_to_draft,
    "moved": moved,
}


def added(books: Books, kind: str, *lines: Line) -> UUID:
    return books.add(kind, *lines, **({"side": "supplier"} if kind == "credit_notes" else {}))


def seconds(books: Books) -> Named:
    """Document and record of each open difference that names a second record, and the document's kind."""
    found = [one for one in differing(books) if one.reason is Reason.AMBIGUOUS_MATCH]
    return {(one.document_id, one.subject): one.document_kind for one in found}


def test_a_copy_is_named_whatever_became_of_the_document_until_it_is_gone(books: Books) -> None:
    """With our address, under another number; and with the number only."""
    copies: Named = {}
    documents = {(kind, way): added(books, kind) for kind in PRICED for way in WAYS}
    for kind in PRICED:
        books.push(kind)
    for (kind, way), document in documents.items():
        copies[document, str(copied(books, kind, document))] = kind
        if kind in ADDRESSED:
            copies[document, str(copied(books, kind, document, url=True, InvoiceNumber=f"Copy {way}"))] = kind
    for (kind, way), document in documents.items():
        WAYS[way](books, kind, document)
    for kind in PRICED:
        books.push(kind)
    result = tie(books)
    assert seconds(books) == copies
    assert not result.is_green
    assert {one.document.id for one in result.unequal} == set(documents.values())
    compare(books.world)
    assert seconds(books) == copies
    for (_, record), kind in copies.items():
        taken_out(books, kind, UUID(record))
    compare(books.world)
    assert seconds(books) == {}


@pytest.mark.parametrize("kind", PRICED)
def test_the_copy_of_the_only_document_that_was_pushed_is_named(books: Books, kind: str) -> None:
    document = added(books, kind)
    books.push(kind)
    record = copied(books, kind, document)
    delete(books, kind, document)
    books.push(kind)
    result = tie(books)
    assert seconds(books) == {(document, str(record)): kind}
    assert [(one.document.id, one.state) for one in result.documents] == [(document, State.DIFFERS)]


def test_what_stands_in_the_way_of_a_push_hides_no_copy(books: Books) -> None:
    """An account that was archived since, or a contact."""
    copies: Named = {}
    for kind in PRICED:
        document = added(books, kind)
        books.push(kind)
        copies[document, str(copied(books, kind, document))] = kind
    accounts = [books.accounts[account] for account, _ in (SALES, COSTS)]
    books.world.query("UPDATE qicworks.account SET is_active = false WHERE id = ANY(%s)", accounts)
    books.world.query("UPDATE qicworks.contact SET is_active = false WHERE id = %s", books.contacts[0])
    tie(books)
    assert seconds(books) == copies


def test_a_copy_that_is_known_stays_though_the_document_is_edited_since(books: Books) -> None:
    copies: Named = {}
    documents: dict[str, UUID] = {}
    for kind in ("bills", "expenses", "credit_notes"):  # of others Xero takes no number twice
        documents[kind] = added(books, kind, Line("100"))
        books.push(kind)
        copies[documents[kind], str(copied(books, kind, documents[kind]))] = kind
    tie(books)
    assert seconds(books) == copies
    for kind, document in documents.items():
        books.world.query("UPDATE qicworks.document_line SET unit_price = 70 WHERE parent_id = %s", document)
        books.reprice(kind, document)
    tie(books)
    assert seconds(books) == copies, "its edit waits"
    for kind, document in documents.items():
        books.push(kind)
        assert books.row(kind, document)["push_state"] == "pushed"
    tie(books)
    assert seconds(books) == copies
    # A bookkeeper makes another document of it: it is no copy any more.
    for document, record in copies:
        kind = copies[document, record]
        _, collection, _, number, _ = PRICED[kind]
        path = f"organisations/{books.world.sandbox.tenant(books.organisation)}/{collection}/{record}"
        books.world.sandbox.control("PATCH", path, {number: f"Other {kind}"})
    tie(books)
    assert seconds(books) == {}


def test_a_record_of_the_number_is_a_copy_only_if_it_is_alike(books: Books) -> None:
    """Other contact, other total, other type; an own document; a document that QicWorks never pushed."""
    [other] = books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", books.contacts[1])
    document = added(books, "bills", Line("100"))
    twin = books.add("bills", Line("100"), number=books.row("bills", document)["number"], contact=1)
    books.push("bills")
    copied(books, "bills", document, Contact={"ContactID": str(other["xero_id"]), "Name": "Other"}, Total=1)
    copied(books, "bills", document, Total=1)
    copied(books, "bills", document, Type="ACCREC")
    copied(books, "bills", document, Url=f"https://app.qicworks.com/bills/{twin}", InvoiceNumber="Twin")
    never = books.add("bills", Line("100"), state="draft")
    skipped = books.add("bills", Line("100"), state="skipped")
    for one in (never, skipped):
        copied(books, "bills", document, InvoiceNumber=books.row("bills", one)["number"])
    tie(books)
    assert {document for document, _ in seconds(books)} == {twin}
    voided = copied(books, "bills", document)
    do(books, "bills", document, "approve")
    taken_out(books, "bills", voided)
    tie(books)
    assert {document for document, _ in seconds(books)} == {twin}


def test_what_is_being_cancelled_is_no_copy_of_its_twin(books: Books) -> None:
    document = added(books, "bills", Line("100"))
    twin = books.add("bills", Line("100"), number=books.row("bills", document)["number"])
    for one in (document, twin):
        books.push("bills", documents=[str(one)])
        assert books.row("bills", one)["push_state"] == "pushed"
    do(books, "bills", document, "approve")
    delete(books, "bills", document)
    books.push("bills")
    tie(books)
    assert [(one.document_id, one.reason) for one in differing(books)] == [(document, Reason.CANCELLED_IN_QICWORKS)]


# -- leave


@pytest.mark.parametrize("way", ["deleted", "rejected", "in force"])
def test_a_second_leave_application_is_named_until_it_is_rejected(world: World, way: str) -> None:
    world.sandbox.settings(limits=False)
    payroll = Payroll(world)
    document = pushed(payroll, payroll.paid_by_the_hour()[0], date(2026, 12, 7), date(2026, 12, 8))
    first = payroll.row("leave_request", document)["xero_id"]
    made = dict(world.sandbox.record("LeaveApplications", str(first), payroll.organisation))
    made["LeaveApplicationID"] = str(uuid4())
    path = f"organisations/{world.sandbox.tenant(payroll.organisation)}/LeaveApplications"
    second = world.sandbox.control("POST", path, made)["LeaveApplicationID"]
    december = Period.parse("2026-12")
    if way == "deleted":
        world.query("DELETE FROM qicworks.leave_request WHERE id = %s", document)
    elif way == "rejected":
        world.query("UPDATE qicworks.leave_request SET status = 'Rejected' WHERE id = %s", document)
    payroll.push("leave_requests")
    for look in (lambda: tie(payroll, december), lambda: compare(world, payroll.organisation)):
        look()
        assert differences(payroll) == [(document, "ambiguous_match")]
    assert not tie(payroll, december).is_green
    act(payroll, f"/{second}/reject")
    result = tie(payroll, december)
    assert differences(payroll) == []
    assert result.is_green
    if way == "in force":
        assert payroll.row("leave_request", document)["xero_id"] == first
