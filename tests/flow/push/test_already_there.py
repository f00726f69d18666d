"""Documents that somebody typed into Xero by hand: held back, offered, and linked or pushed as a person decides."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from psycopg.errors import InsufficientPrivilege

from tests.support.by_hand import decide, numbered, offer, offers, typed, undoable
from tests.support.calls import Forward, intercepted, response
from tests.support.followed import ACTS, differing, do, set_conflicts, sweep
from tests.support.granted import granted
from tests.support.kept_session import kept_session
from tests.support.pushing import PRICED, Books, File, Line
from xero.documents.registry import KINDS
from xero.qicworks.connect.seals import Seals
from xero.qicworks.follow.differences import Reason
from xero.qicworks.push.adopting import decisions, undoing
from xero.qicworks.push.adopting.twins import Decision

TWICE = ("bills", "expenses", "credit_notes")  # Xero takes a number twice


def added(books: Books, kind: str, *lines: Line, **columns: Any) -> UUID:
    side = {"side": "supplier"} if kind == "credit_notes" else {}
    return books.add(kind, *lines, **{**side, **columns})


def undo(books: Books, kind: str, document: UUID) -> None:
    [one] = undoable(books, kind, document)
    with kept_session(books.world.engine) as session:
        undoing.undo(session, KINDS[kind], one, "Bea", Seals(books.world.app("xero_default")))


def state(books: Books, kind: str, document: UUID) -> tuple[str, UUID | None]:
    row = books.row(kind, document)
    return row["push_state"], row["xero_id"]


def said(books: Books, document: UUID) -> list[str]:
    rows = books.world.query(
        "SELECT message FROM xero_sync.connection_event WHERE document_id = %s ORDER BY id", document
    )
    return [row["message"] for row in rows]


@pytest.mark.parametrize("kind", PRICED)
def test_held_back_linked_and_followed(books: Books, kind: str) -> None:
    document = added(books, kind)
    [record] = typed(books, kind, [document])
    books.push(kind)
    assert books.writes() == []
    row = books.row(kind, document)
    assert (row["push_state"], row["xero_id"]) == ("failed", None)
    assert "not sent: it is already in Xero" in row["push_error"]
    one = offer(books, kind, document)
    [twin] = one.twins
    assert (UUID(twin["xero_id"]), twin["is_certain"], one.certain) == (record, True, record)
    assert twin["shown"]["date"] == str(row["issue_date"])
    assert twin["shown"]["number"] == row["number"]
    books.push(kind)
    assert state(books, kind, document) == ("failed", None), "nobody has decided"
    decide(books, kind, document, Decision.LINK, record)
    books.world.calls()
    books.push(kind)
    assert books.writes() == []
    assert state(books, kind, document) == ("pushed", record)
    assert offers(books, kind) == []
    assert len(numbered(books, kind, row["number"])) == 1
    assert any("Ann decided: link it" in one for one in said(books, document))
    assert "linked to the record that was already in Xero, as Ann decided" in said(books, document)
    sweep(books)
    assert differing(books) == []
    books.edit(kind, document, reference="PO 7")
    books.push(kind)
    assert state(books, kind, document) == ("pushed", record)
    do(books, kind, document, "delete")
    sweep(books, full=True)
    assert [one.reason for one in differing(books, document)] == [Reason.DELETED_IN_XERO]


@pytest.mark.parametrize("kind", TWICE)
def test_left_and_pushed_once(books: Books, kind: str) -> None:
    document = added(books, kind)
    [record] = typed(books, kind, [document])
    books.push(kind)
    decide(books, kind, document, Decision.LEAVE)
    books.push(kind)
    push_state, own = state(books, kind, document)
    assert (push_state, own != record) == ("pushed", True)
    assert len(numbered(books, kind, books.row(kind, document)["number"])) == 2
    books.push(kind, documents=[str(document)])
    assert len(books.writes()) == 1


@pytest.mark.parametrize("kind", ["invoices", "purchase_orders"])
def test_where_xero_takes_a_number_once_there_is_no_other_document(books: Books, kind: str) -> None:
    document = added(books, kind)
    typed(books, kind, [document])
    books.push(kind)
    assert "give it a new number" in books.row(kind, document)["push_correction"]
    with pytest.raises(ValueError, match="new number"):
        decide(books, kind, document, Decision.LEAVE)
    assert state(books, kind, document)[0] == "failed"


@pytest.mark.parametrize("kind", PRICED)
def test_not_pushed_and_undone(books: Books, kind: str) -> None:
    document = added(books, kind)
    [record] = typed(books, kind, [document])
    books.push(kind)
    decide(books, kind, document, Decision.SKIP)
    assert state(books, kind, document) == ("skipped", None)
    books.push(kind)
    undo(books, kind, document)
    assert state(books, kind, document) == ("failed", None)
    assert offer(books, kind, document).certain == record
    books.push(kind, retry_failed=True)
    assert state(books, kind, document) == ("failed", None)
    assert books.writes() == []


@pytest.mark.parametrize("kind", PRICED)
def test_a_link_is_undone(books: Books, kind: str) -> None:
    """And nothing in Xero is touched by it, nor by a later push or cancellation."""
    document = added(books, kind)
    [record] = typed(books, kind, [document])
    books.push(kind)
    decide(books, kind, document, Decision.LINK, record)
    books.push(kind)
    sweep(books)
    undo(books, kind, document)
    assert state(books, kind, document) == ("failed", None)
    assert books.world.query("SELECT FROM xero_sync.pushed_content WHERE document_id = %s", document) == []
    assert offer(books, kind, document).certain == record
    for _ in range(2):
        books.push(kind, retry_failed=True)
        assert state(books, kind, document) == ("failed", None)
        assert offer(books, kind, document).certain == record
    decide(books, kind, document, Decision.LINK, record)
    undo(books, kind, document)  # before a push has carried it out
    assert state(books, kind, document) == ("failed", None)
    books.edit(kind, document, push_state="draft")
    books.push(kind)
    assert books.writes() == []
    assert differing(books) == []
    [there] = numbered(books, kind, books.row(kind, document)["number"])
    assert there["Status"] == "DRAFT"


@pytest.mark.parametrize("kind", PRICED)
def test_what_differs_is_a_difference_and_not_overwritten(books: Books, kind: str) -> None:
    document = added(books, kind)
    lines = [{"Description": "typed otherwise", "Quantity": 1, "UnitAmount": 77, "AccountCode": "200"}]
    [record] = typed(books, kind, [document], LineItems=lines)
    books.push(kind)
    one = offer(books, kind, document)
    assert (one.certain, one.twins[0]["is_certain"]) == (None, False)
    assert "it may already be in Xero" in books.row(kind, document)["push_error"]
    decide(books, kind, document, Decision.LINK, record)
    books.push(kind)
    assert state(books, kind, document) == ("pushed", record)
    assert Reason.EDITED_IN_XERO in {one.reason for one in differing(books, document)}
    sweep(books)
    assert Reason.EDITED_IN_XERO in {one.reason for one in differing(books, document)}
    books.edit(kind, document, reference="changed", issue_date=books.row(kind, document)["issue_date"].replace(day=7))
    books.push(kind)
    assert books.writes() == []
    [there] = numbered(books, kind, books.row(kind, document)["number"])
    assert there["LineItems"][0]["Description"] == "typed otherwise"


def test_a_decision_holds_for_what_was_seen(books: Books) -> None:
    document = added(books, "bills")
    [record] = typed(books, "bills", [document])
    books.push("bills")
    stale = offer(books, "bills", document)
    decide(books, "bills", document, Decision.LINK, record)
    books.bookkeep("edit", invoice=str(record), fields={"Date": "2026-10-09"})
    books.push("bills")
    assert state(books, "bills", document) == ("failed", None)
    assert "what was decided about it no longer holds" in books.row("bills", document)["push_error"]
    assert offer(books, "bills", document).certain is None
    with kept_session(books.world.engine) as session, pytest.raises(LookupError):
        decisions.decide(session, KINDS["bills"], stale, Decision.LINK, record, "Ann")
    decide(books, "bills", document, Decision.LEAVE)
    books.edit("bills", document, due_date="2026-12-01")
    books.push("bills")
    assert state(books, "bills", document) == ("failed", None), "another version was left"
    assert books.writes() == []
    decide(books, "bills", document, Decision.LINK, record)
    books.bookkeep("delete", **{ACTS["bills"]: str(record)})
    books.push("bills")
    assert "no longer in Xero as it was" in books.row("bills", document)["push_error"]
    assert books.writes() == []
    books.push("bills", retry_failed=True)
    assert state(books, "bills", document)[0] == "pushed"
    assert len(numbered(books, "bills", books.row("bills", document)["number"])) == 1


@pytest.mark.parametrize("conflicts", ["ask", "xero", "qicworks"])
@pytest.mark.parametrize("kind", ["invoices", "bills"])
def test_a_lump_sum_of_the_same_total(books: Books, kind: str, conflicts: str) -> None:
    """Certainly the same, with other lines: no side's lines are added to the other's."""
    set_conflicts(books, conflicts)
    document = added(books, kind)
    account, tax = ("200", "OUTPUT") if kind == "invoices" else ("429", "INPUT")
    line = {"Description": "all of it", "Quantity": 1, "UnitAmount": 137.04, "AccountCode": account, "TaxType": tax}
    [record] = typed(books, kind, [document], LineItems=[line])
    books.push(kind)
    before = books.row(kind, document)["total"]
    assert offer(books, kind, document).certain == record
    decide(books, kind, document, Decision.LINK, record)
    books.push(kind)
    assert {one.reason for one in differing(books, document)} == {Reason.EDITED_IN_XERO}
    books.edit(kind, document, due_date="2026-12-01")
    for _ in range(2):
        books.push(kind)
        sweep(books)
    [there] = numbered(books, kind, books.row(kind, document)["number"])
    lines = len(there["LineItems"])
    assert lines == (2 if conflicts == "qicworks" else 1)
    assert len(books.lines(kind, document)) == (1 if conflicts == "xero" else 2)
    assert (str(there["Total"]), str(books.row(kind, document)["total"])) == (str(before), str(before))
    assert bool(differing(books, document)) == (conflicts == "ask")


def test_a_decision_that_was_not_carried_out_is_undone(books: Books) -> None:
    """The document failed for another reason; the record is free for another one then."""
    first, second = (added(books, "bills", number="B-1") for _ in range(2))
    [record] = typed(books, "bills", [first])
    books.push("bills")
    decide(books, "bills", first, Decision.LINK, record)
    books.world.query("UPDATE qicworks.contact SET is_active = false WHERE id = %s", books.contacts[0])
    books.push("bills")
    assert "contact" in books.row("bills", first)["push_error"]
    undo(books, "bills", first)
    assert state(books, "bills", first) == ("failed", None)
    books.world.query("UPDATE qicworks.contact SET is_active = true WHERE id = %s", books.contacts[0])
    decide(books, "bills", second, Decision.LINK, record)
    books.push("bills")
    assert state(books, "bills", second) == ("pushed", record)


@pytest.mark.parametrize("left_out", ["Type", "Contact"])
def test_a_server_that_leaves_out_whose_it_is(books: Books, left_out: str) -> None:
    document = added(books, "bills")
    typed(books, "bills", [document])

    def without(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if request.method != "GET":
            return answer
        found = answer.json()
        for one in found["Invoices"]:
            one.pop(left_out)
        return response(200, "application/json", json.dumps(found))

    with intercepted(without):
        books.push("bills")
    assert books.writes() == []
    assert offer(books, "bills", document).certain is None


@pytest.mark.parametrize("kind", TWICE)
def test_two_records_are_left_one_after_the_other(books: Books, kind: str) -> None:
    document = added(books, kind)
    typed(books, kind, [document])
    books.push(kind)
    decide(books, kind, document, Decision.LEAVE)
    typed(books, kind, [document])
    books.push(kind)
    assert state(books, kind, document) == ("failed", None)
    assert len(offer(books, kind, document).twins) == 1, "only the new one is asked about"
    decide(books, kind, document, Decision.LEAVE)
    books.push(kind)
    assert state(books, kind, document)[0] == "pushed"
    assert len(numbered(books, kind, books.row(kind, document)["number"])) == 3


@pytest.mark.parametrize("kind", PRICED)
def test_undone_after_it_was_taken_back_to_draft(books: Books, kind: str) -> None:
    """The record that a user of Xero typed is not deleted."""
    document = added(books, kind)
    [record] = typed(books, kind, [document])
    books.push(kind)
    decide(books, kind, document, Decision.LINK, record)
    books.push(kind)
    books.edit(kind, document, push_state="draft")
    undo(books, kind, document)
    assert state(books, kind, document) == ("draft", None)
    books.push(kind)
    assert books.writes() == []
    [there] = numbered(books, kind, books.row(kind, document)["number"])
    assert there["Status"] == "DRAFT"
    assert differing(books) == []
    books.edit(kind, document, push_state="ready")
    books.push(kind)
    assert offer(books, kind, document).certain == record


def test_one_record_becomes_one_document(books: Books) -> None:
    """Offered for two of QicWorks', also of two kinds."""
    first, second = (added(books, "bills", number="B-1") for _ in range(2))
    third = added(books, "expenses", number="B-1")
    [record] = typed(books, "bills", [first])
    for kind in ("bills", "expenses"):
        books.push(kind)
    assert {one.id for kind in ("bills", "expenses") for one in offers(books, kind)} == {first, second, third}
    with kept_session(books.world.engine) as session:
        assert decisions.link_certain(session, KINDS["bills"], offers(books, "bills"), "Ann") == []
    decide(books, "bills", first, Decision.LINK, record)
    for kind, other in (("bills", second), ("expenses", third)):
        with pytest.raises(LookupError, match="another document"):
            decide(books, kind, other, Decision.LINK, record)
    for kind in ("bills", "expenses"):
        books.push(kind, retry_failed=True)
    assert state(books, "bills", first) == ("pushed", record)
    assert offers(books, "bills") == offers(books, "expenses") == []
    assert state(books, "bills", second)[0] == state(books, "expenses", third)[0] == "pushed"
    assert len(numbered(books, "bills", "B-1")) == 3


def test_another_type_contact_or_number_is_no_twin_and_neither_is_what_is_gone(books: Books) -> None:
    contact = books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", books.contacts[1])[0]["xero_id"]
    for fields in (
        {"Type": "ACCREC", "LineItems": [{"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}]},
        {"Contact": {"ContactID": str(contact)}},
        {"InvoiceNumber": f"X-{uuid4()}"},
    ):
        document = added(books, "bills")
        typed(books, "bills", [document], **fields)
        books.push("bills")
        assert state(books, "bills", document)[0] == "pushed", fields
    document = added(books, "bills")
    [record] = typed(books, "bills", [document])
    books.bookkeep("delete", invoice=str(record))
    books.push("bills")
    assert state(books, "bills", document)[0] == "pushed"


def test_case_and_blanks_of_a_number_do_not_matter(books: Books) -> None:
    document = added(books, "bills", number=" ab-7 ")
    [record] = typed(books, "bills", [document], InvoiceNumber="AB-7")
    books.push("bills")
    assert offer(books, "bills", document).certain == record


@pytest.mark.parametrize("kind", PRICED)
def test_a_dry_run_names_what_it_would_link(books: Books, kind: str) -> None:
    document, held = added(books, kind), added(books, kind)
    record, _ = typed(books, kind, [document, held])
    about = ("push", kind, "--dry-run", "--connection", books.world.names()[0])
    assert books.world.main(*about).stderr.count("would be refused: not sent: it is already in Xero") == 2
    books.push(kind)
    decide(books, kind, document, Decision.LINK, record)
    done = books.world.main(*about)
    said = f"{books.row(kind, document)['number']} would be linked to the record {record} that is already in Xero"
    assert (done.returncode, said in done.stderr) == (0, True), done.stderr
    one = books.world.main(*about, "--document", str(document))
    assert (one.returncode, one.stderr.count("would be linked")) == (0, 1), one.stderr
    assert books.row(kind, document)["push_state"] == "ready"


def test_in_a_terminal(books: Books) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = books.world.main("adopt", *words)
        return done.returncode, done.stdout + done.stderr

    assert run() == (0, "no document waits for a decision\n")
    bill, order = added(books, "bills"), added(books, "purchase_orders")
    records = {kind: typed(books, kind, [id])[0] for kind, id in (("bills", bill), ("purchase_orders", order))}
    for kind in records:
        books.push(kind)
    code, said_there = run("--json", "--kind", "bills")
    [listed] = json.loads(said_there.rpartition("]")[0] + "]")
    assert (code, listed["id"], listed["certain"]) == (1, str(bill), str(records["bills"]))
    assert str(records["purchase_orders"]) in run()[1].replace("\n", "")
    for words in (["link", str(bill)], ["leave"], ["leave", "nonsense"], ["skip", str(uuid4())], ["undo", str(bill)]):
        assert run(*words)[0] == 1, words
    assert run("link", str(bill), str(uuid4()))[0] == 1
    assert run("leave", str(order))[0] == 1, "Xero takes its number once"
    assert run("skip", str(order))[0] == 0
    assert state(books, "purchase_orders", order) == ("skipped", None)
    assert run("undo", str(order))[0] == 0
    assert run("link-certain")[0] == 0
    for kind in records:
        books.push(kind)
    assert state(books, "bills", bill) == ("pushed", records["bills"])
    assert state(books, "purchase_orders", order) == ("pushed", records["purchase_orders"])
    code, said_there = run("undo", str(bill))
    assert (code, "nothing in Xero was changed" in said_there) == (0, True)
    assert state(books, "bills", bill) == ("failed", None)


def test_under_the_role_that_pushes(books: Books) -> None:
    """It may decide and undo, and nothing else that these functions can do."""
    linked, skipped = added(books, "invoices"), added(books, "invoices")
    [record, _] = typed(books, "invoices", [linked, skipped])
    stays = added(books, "invoices")
    with granted(books.world) as role:
        under = books.copied(role.sync)
        under.push("invoices")
        decide(under, "invoices", linked, Decision.LINK, record)
        decide(under, "invoices", skipped, Decision.SKIP)
        under.push("invoices")
        assert state(books, "invoices", linked) == ("pushed", record)
        assert state(books, "invoices", skipped) == ("skipped", None)
        for document in (linked, skipped):
            undo(under, "invoices", document)
            assert state(books, "invoices", document) == ("failed", None)
        pushed = books.row("invoices", stays)
        assert pushed["push_state"] == "pushed"
        for asked in (
            "SELECT xero_sync.skip_twin('invoice', %s, 1, false) AS done",
            "SELECT xero_sync.undo_adoption('invoice', %s, 1, '', '') AS done",
        ):
            assert role.sql(asked, stays) == [{"done": False}]
        assert books.row("invoices", stays) == pushed
        with pytest.raises(InsufficientPrivilege):
            role.sql("DELETE FROM xero_sync.adoption")
        with pytest.raises(InsufficientPrivilege):
            role.sql("UPDATE xero_sync.adoption SET decision = 'link'")


def test_a_file_of_a_user_of_xero_is_not_written_over(books: Books) -> None:
    document = books.add("bills", files=[File()])
    [record] = typed(books, "bills", [document])
    token = books.world.sandbox.grant(grant_type="client_credentials").json()["access_token"]
    answer = books.world.sandbox.session.put(
        f"{books.world.sandbox.url}/api.xro/2.0/Invoices/{record}/Attachments/{File().name}",
        data=b"theirs",
        headers={
            "Authorization": f"Bearer {token}",
            "xero-tenant-id": books.world.sandbox.tenant(books.organisation),
            "Content-Type": "application/pdf",
        },
    )
    assert answer.status_code == 200, answer.text
    books.push("bills")
    decide(books, "bills", document, Decision.LINK, record)
    books.push("bills")
    assert state(books, "bills", document) == ("pushed", record)
    [file] = books.files("bills", document)
    assert "another file with this name" in file["push_error"]
    assert [one["ContentLength"] for one in books.attached(record)] == [6]
