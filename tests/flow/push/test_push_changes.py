"""What is refused before it costs a call, pushed again, read back; attachments; what a dry run shows."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.by_hand import decide
from tests.support.followed import do
from tests.support.one_world import books_for_all, switched
from tests.support.pushing import PRICED, Books, File, Line, Row, as_in_xero
from xero.api.errors import RetryLater, cleaned
from xero.composition import opener
from xero.documents.declaration import Json, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.push.adopting.twins import Decision
from xero.sync.push import plan
from xero.sync.push.flow import preview
from xero.sync.push.strategies import Preview

PDF = "application/pdf"


@pytest.fixture(scope="module")
def shared(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    with books_for_all(sandbox_url, postgres_url, template) as made:
        yield made


@pytest.fixture
def books(shared: Books) -> Iterator[Books]:
    """Nothing is ready but what the test makes."""
    shared.world.calls()
    yield shared
    shared.world.sandbox.control("DELETE", "faults")
    for table, *_ in PRICED.values():
        shared.world.query(
            f"UPDATE qicworks.{table} SET push_state = 'skipped' WHERE push_state IN ('ready', 'failed')"
        )
    shared.world.query("UPDATE qicworks.attachment SET push_state = 'skipped' WHERE push_state = 'ready'")


def name_of(books: Books, kind: str, document: UUID) -> str:
    return f"{KINDS[kind].word} {books.row(kind, document)['number'] or document}"


def events_of(books: Books, name: str) -> list[Row]:
    return books.world.query("SELECT * FROM xero_sync.connection_event WHERE document = %s ORDER BY id", name)


def record_of(books: Books, kind: str, xero_id: object) -> Row:
    _, collection, key, _, _ = PRICED[kind]
    return next(one for one in books.world.sandbox.truth(collection) if one[key] == str(xero_id))


def assert_same(books: Books, kind: str, document: UUID) -> Row:
    """It stands in Xero as it is in QicWorks, line by line, and once."""
    row = books.row(kind, document)
    assert row["push_state"] == "pushed", row["push_error"]
    assert as_in_xero(kind, record_of(books, kind, row["xero_id"])) == books.as_in_qicworks(kind, row)
    number = PRICED[kind][3]
    assert [one[number] for one in books.in_xero(kind) if one["Status"] == "DRAFT"].count(row["number"]) == 1
    return row


# -- a certain refusal costs no call


def foreign(books: Books, table: str, id: UUID) -> UUID:
    """A row like that one, but of another organisation."""
    return variant(books, table, id, connection_id=UUID(books.world.connection_id(1)))


def variant(books: Books, table: str, id: UUID, **columns: Any) -> UUID:
    """Another row like that one, which differs in these columns."""
    if table != "tax_code":
        columns = {"xero_id": uuid4(), **columns}
    [made] = books.world.query(
        f"INSERT INTO qicworks.{table} SELECT (jsonb_populate_record(one, %s::jsonb)).* FROM qicworks.{table} AS one"
        " WHERE id = %s RETURNING id",
        json.dumps({"id": uuid4(), **columns}, default=str),
        id,
    )
    return UUID(str(made["id"]))


def lined(kind: str, **columns: Any) -> Callable[[Books], UUID]:
    """A document whose second line is wrong."""
    sets = ", ".join(f"{name} = %s" for name in columns)

    def add(books: Books) -> UUID:
        document = books.add(kind, Line(), Line())
        update = f"UPDATE qicworks.document_line SET {sets} WHERE parent_id = %s AND line_number = 2"
        books.world.query(update, *columns.values(), document)
        return document

    return add


def sent_to(**columns: Any) -> Callable[[Books], UUID]:
    def add(books: Books) -> UUID:
        return books.add("invoices", contact_id=variant(books, "contact", books.contacts[0], **columns))

    return add


def sent_to_somebody_erased(books: Books) -> UUID:
    """As `person erase` leaves the contact."""
    gone = uuid4()
    books.world.query(
        "INSERT INTO xero_sync.erasure SELECT connection_id, 'contact', %s FROM qicworks.contact WHERE id = %s",
        str(gone),
        books.contacts[0],
    )
    return sent_to(xero_id=gone, name="erased", is_active=False)(books)


def of_account(**columns: Any) -> Callable[[Books], UUID]:
    def add(books: Books) -> UUID:
        return lined("bills", account_id=variant(books, "account", books.accounts["429"], **columns))(books)

    return add


def without_lines(books: Books) -> UUID:
    document = books.add("bills")
    books.world.query("DELETE FROM qicworks.document_line WHERE parent_id = %s", document)
    return document


def in_two_of_one_category(books: Books) -> UUID:
    other = variant(books, "tracking_option", books.department, name="Another")
    return lined("bills", tracking_option_id=books.department, second_tracking_option_id=other)(books)


#: kind, what is said, a piece of what to do, and the document
UNFIT: list[tuple[str, str, str, Callable[[Books], UUID]]] = [
    ("bills", "it is cancelled in QicWorks", "Nothing to do", lambda b: b.add("bills", status="Cancelled")),
    ("purchase_orders", "it is archived", "create a new", lambda b: b.add("purchase_orders", status="Archived")),
    ("purchase_orders", "instructions are longer than 500", "Shorten the delivery instructions of",
     lambda b: b.add("purchase_orders", delivery_instructions="x" * 501)),
    ("invoices", "it has no number", "Give the", lambda b: b.add("invoices", number="  ")),
    ("invoices", "it has no contact", "Choose a customer or supplier on", lambda b: b.add("invoices", contact_id=None)),
    ("invoices", "is not linked to this Xero organisation",
     "Pull contacts (Xero › Connections › Synchronise, tick Contacts, press Pull). Then choose it on",
     lambda b: b.add("invoices", contact_id=foreign(b, "contact", b.contacts[0]))),
    ("invoices", "was merged into another one", "choose the contact that it was merged into",
     sent_to(is_active=False, merged_to_xero_id=uuid4())),
    ("invoices", "is archived in Xero", "Restore the contact in Xero and pull contacts", sent_to(is_active=False)),
    ("invoices", "its contact's personal data was erased in QicWorks", "Choose another contact on",
     sent_to_somebody_erased),
    ("invoices", "it has no date", "Set the date of", lambda b: b.add("invoices", issue_date=None)),
    ("bills", "it has no lines", "Add a line to", without_lines),
    ("invoices", "its total is less than zero", "Correct the amounts of",
     lambda b: b.add("invoices", Line("-5"), Line("4.99"))),
    ("bills", "line 2: it has no description", "Describe the line on", lined("bills", description=" ")),
    ("bills", "line 2: its description is longer", "Shorten the description on",
     lined("bills", description="x" * 4001)),
    ("bills", "line 2: it has no account", "Choose an account on", lined("bills", account_id=None)),
    ("bills", "line 2: its account does not exist in this", "Then choose an account",
     lambda b: lined("bills", account_id=foreign(b, "account", b.accounts["429"]))(b)),
    ("bills", "line 2: its account does not exist in this Xero organisation, or has no account code", "Pull the chart",
     of_account(code=None)),
    ("bills", "line 2: account code '470' is archived or deleted", "Restore the account in Xero",
     lambda b: lined("bills", account_id=b.accounts["470"])(b)),
    ("bills", "line 2: account code '091' is a bank or system account", "Choose an income or expense account",
     lambda b: lined("bills", account_id=b.accounts["091"])(b)),
    ("bills", "line 2: account code '610' is a bank or system account", "Choose an income or expense account",
     lambda b: lined("bills", account_id=b.accounts["610"])(b)),
    ("bills", "line 2: it has no tax code", "Choose a tax code on", lined("bills", tax_code_id=None)),
    ("bills", "line 2: tax code 'INPUT' is not in use in this Xero organisation",
     "choose a tax code that is in use in Xero",
     lambda b: lined("bills", tax_code_id=foreign(b, "tax_code", b.tax_codes["INPUT"]))(b)),
    ("bills", "line 2: tax code 'TAX009' is not in use", "choose a tax code that is in use in Xero",
     lambda b: lined("bills", tax_code_id=variant(b, "tax_code", b.tax_codes["INPUT"], tax_type="TAX009",
                                                  is_active=False))(b)),
    ("bills", "line 2: tax code 'OUTPUT' cannot be used with account code '429'", "change the tax code",
     lambda b: lined("bills", tax_code_id=b.tax_codes["OUTPUT"])(b)),
    ("bills", "line 2: its quantity -2 is less than zero", "Make the quantity positive and the unit price negative",
     lined("bills", quantity=-2)),
    ("bills", "line 2: its amount is larger than Xero can hold", "Correct the amounts on",
     lined("bills", quantity=Decimal("99999999"), unit_price=Decimal("1000"))),
    ("bills", "line 2: the line total 33.34 does not equal quantity × unit price (33.33)",
     "'financial rounding'", lined("bills", unit_price=Decimal("33.33"), line_total=Decimal("33.34"))),
    ("bills", "line 2: its total has fractions of a cent", "Round the line total on",
     lined("bills", unit_price=Decimal("33.3333"), line_total=Decimal("33.3333"))),
    ("bills", "line 2: department 'Shut' is archived", "Pull tracking categories",
     lambda b: lined("bills", tracking_option_id=variant(b, "tracking_option", b.department, name="Shut",
                                                         is_active=False))(b)),
    ("bills", "line 2: department 'North' is archived or not in this", "choose another department on",
     lambda b: lined("bills", tracking_option_id=foreign(b, "tracking_option", b.department))(b)),
    ("bills", "line 2: it has two departments of the same tracking category", "Keep one department of each",
     in_two_of_one_category),
]  # fmt: skip


def test_a_certain_refusal_costs_no_call(books: Books) -> None:
    made = [(kind, says, to_do, add(books)) for kind, says, to_do, add in UNFIT]
    books.world.calls()
    for kind in {kind for kind, *_ in made}:
        expected = [document for one, _, _, document in made if one == kind]
        outcome = books.push(kind)
        assert (outcome.status, outcome.counts.failed, outcome.counts.calls) == ("warning", len(expected), 0)
    assert books.world.calls() == []
    for kind, says, to_do, document in made:
        row, name = books.row(kind, document), f"{KINDS[kind].word} "
        assert (row["push_state"], row["xero_id"]) == ("failed", None), says
        assert row["push_error"].startswith("not sent: ")
        assert says in row["push_error"]
        assert to_do in row["push_correction"]
        name = name_of(books, kind, document) if (row["number"] or "x").strip() else f"{KINDS[kind].word} "
        assert "Nothing to do" in to_do or name in row["push_correction"], "which document is to be corrected"
        assert "{" not in row["push_correction"]
    name = name_of(books, made[5][0], made[5][3])
    [event] = events_of(books, name)
    row = books.row(made[5][0], made[5][3])
    assert (event["status"], event["message"], event["correction"]) == (
        "error",
        row["push_error"],
        row["push_correction"],
    )


def test_what_was_unfit_goes_with_its_correction(books: Books) -> None:
    document = books.add("invoices", contact_id=None)
    books.push("invoices")
    books.edit("invoices", document, contact_id=books.contacts[0])
    assert books.row("invoices", document)["push_error"] is None, "an edit takes the words away"
    books.push("invoices")
    assert_same(books, "invoices", document)


def test_a_locked_period_is_told_and_pushed(books: Books) -> None:
    books.world.query(
        "UPDATE qicworks.organisation SET period_lock_date = '2026-06-30' WHERE id = %s", books.organisation_id
    )
    last, first = (books.add("invoices", issue_date=day) for day in (date(2026, 6, 30), date(2026, 7, 1)))
    assert books.push("invoices").counts.pushed == 2
    [event] = events_of(books, name_of(books, "invoices", last))
    assert event["status"] == "warning"
    assert "2026-06-30 is not after the period lock date 2026-06-30" in event["message"]
    assert events_of(books, name_of(books, "invoices", first)) == []
    for document in (last, first):
        assert_same(books, "invoices", document)


# -- changed after it was pushed


@pytest.mark.parametrize("kind", PRICED)
def test_a_changed_draft_is_the_same_document_with_the_same_lines(books: Books, kind: str) -> None:
    document = books.add(
        kind, Line("10", description="one"), Line("20", description="two"), Line("30", description="3")
    )
    books.push(kind)
    before = assert_same(books, kind, document)
    one, two, three = books.lines(kind, document)

    query = books.world.query
    query("DELETE FROM qicworks.document_line WHERE id = %s", one["id"])
    query("UPDATE qicworks.document_line SET line_number = 5, unit_price = 21.2345 WHERE id = %s", two["id"])
    books.add_line(kind, document, Line("40", description="new"), 4)
    books.reprice(kind, document)
    assert books.row(kind, document)["push_state"] == "ready"
    books.world.calls()
    outcome = books.push(kind)
    after = assert_same(books, kind, document)
    assert (after["xero_id"], after["pushed_at"]) == (before["xero_id"], before["pushed_at"])
    assert [call["method"] for call in books.world.calls()] == ["GET", "POST"]
    assert (outcome.counts.pushed, outcome.counts.failed) == (1, 0)
    lines = {line["description"]: line["xero_line_id"] for line in books.lines(kind, document)}
    assert list(lines) == ["3", "new", "two"]
    assert (lines["3"], lines["two"]) == (three["xero_line_id"], two["xero_line_id"])
    assert lines["new"] not in {line["xero_line_id"] for line in (one, two, three)}
    assert books.push(kind).counts.read == 0, "nothing is left"
    assert books.world.calls() == []


#: kind, what somebody does in Xero, the status then, a piece of what to do
GONE_ON = [
    ("invoices", ("approve",), "AUTHORISED", "Make the same change in Xero by hand"),
    ("invoices", ("approve", "pay"), "PAID", "To correct what is paid, create a credit note"),
    ("invoices", ("approve", "void"), "VOIDED", "a new number in QicWorks"),
    ("invoices", ("delete",), "DELETED", "its attachments are sent with it"),
    ("bills", ("approve",), "AUTHORISED", "Make the same change in Xero by hand"),
    ("bills", ("delete",), "DELETED", "a new number in QicWorks"),
    ("credit_notes", ("approve",), "AUTHORISED", "Make the same change in Xero by hand"),
    ("credit_notes", ("delete",), "DELETED", "a new number in QicWorks"),
    ("purchase_orders", ("approve", "bill"), "BILLED", "Make the same change in Xero by hand"),
    ("purchase_orders", ("delete",), "DELETED", "a new number in QicWorks"),
]


def test_what_has_gone_on_in_xero_is_left_alone(books: Books) -> None:
    made = [(books.add(kind, files=[File()]), kind, *rest) for kind, *rest in GONE_ON]
    kinds = sorted({kind for kind, *_ in GONE_ON})
    for kind in kinds:
        books.push(kind)
    for document, kind, acts, _, _ in made:
        for act in acts:
            do(books, kind, document, act)
    stood = {document: record_of(books, kind, books.row(kind, document)["xero_id"]) for document, kind, *_ in made}
    for document, kind, *_ in made:
        books.edit(kind, document, issue_date=date(2026, 10, 6))
    books.world.calls()
    for kind in kinds:
        books.push(kind)
    assert {call["method"] for call in books.world.calls()} == {"GET"}
    for document, kind, _, status, to_do in made:
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_status"]) == ("failed", status)
        assert f"{'approved' if status == 'AUTHORISED' else status.lower()} in Xero" in row["push_error"]
        assert to_do in row["push_correction"]
        assert str(row["xero_id"]) == stood[document][PRICED[kind][2]], "what it is in Xero is not forgotten"
        assert record_of(books, kind, row["xero_id"]) == stood[document]

    renumbered = [one for one in made if one[3] in ("DELETED", "VOIDED")]
    for document, kind, *_ in renumbered:
        books.edit(kind, document, number=books.row(kind, document)["number"] + "A")
    for kind in kinds:
        books.push(kind)
    for document, kind, *_ in renumbered:
        row = assert_same(books, kind, document)
        assert str(row["xero_id"]) != stood[document][PRICED[kind][2]], "made anew"
        assert record_of(books, kind, stood[document][PRICED[kind][2]]) == stood[document]
        [file] = books.files(kind, document)
        assert [one["sha256"] for one in books.attached(row["xero_id"])] == [file["sha256"]]


def test_what_is_not_in_xero_any_more_is_not_made_anew_by_itself(books: Books) -> None:
    document = books.add("invoices")
    books.push("invoices")
    xero_id = books.row("invoices", document)["xero_id"]
    books.world.sandbox.control("DELETE", f"organisations/{books.world.sandbox.tenant()}/Invoices/{xero_id}")
    books.edit("invoices", document, reference="changed")
    books.world.calls()
    books.push("invoices")
    row = books.row("invoices", document)
    assert (row["push_state"], row["xero_id"]) == ("failed", None)
    assert str(xero_id) in row["push_error"]
    assert row["push_error"].endswith("check in Xero")
    assert books.writes() == []


def test_a_stranger_s_number_is_not_ours(books: Books) -> None:
    truth = books.world.sandbox.truth("Invoices")
    theirs = next(
        one for one in truth if one["Type"] == "ACCREC" and one["Status"] == "AUTHORISED" and "Url" not in one
    )
    contact = variant(books, "contact", books.contacts[0], xero_id=theirs["Contact"]["ContactID"])
    document = books.add("invoices", number=theirs["InvoiceNumber"], contact_id=contact)
    books.push("invoices")
    row = books.row("invoices", document)
    assert (row["push_state"], row["xero_id"]) == ("failed", None)
    assert record_of(books, "invoices", theirs["InvoiceID"]) == theirs


def test_a_bill_that_somebody_typed_in_is_not_ours(books: Books) -> None:
    """Of the same supplier and number, as happens: no guess is made, and a user says that it is another one."""
    truth = books.world.sandbox.truth("Invoices")
    theirs = next(one for one in truth if one["Type"] == "ACCPAY" and one["Status"] == "DRAFT" and "Url" not in one)
    contact = variant(books, "contact", books.contacts[0], xero_id=theirs["Contact"]["ContactID"])
    document = books.add("bills", number=theirs["InvoiceNumber"], contact_id=contact)
    books.push("bills")
    assert books.writes() == []
    decide(books, "bills", document, Decision.LEAVE)
    books.push("bills")
    assert str(assert_same(books, "bills", document)["xero_id"]) != theirs["InvoiceID"]
    assert record_of(books, "bills", theirs["InvoiceID"]) == theirs


@pytest.mark.parametrize("kind", [*PRICED, "supplier's credit_notes"])
def test_what_the_database_forgot_is_linked_not_doubled(books: Books, kind: str) -> None:
    """It was restored from a backup of before the push. What has no address of ours may be a user's: that asks."""
    kind, columns = ("credit_notes", {"side": "supplier"}) if " " in kind else (kind, {})
    document = books.add(kind, files=[File()], **columns)
    books.push(kind)
    xero_id = books.row(kind, document)["xero_id"]
    table = PRICED[kind][0]
    forget = "SET xero_id = NULL, pushed_at = NULL, push_state = 'ready'"
    books.world.query(f"UPDATE qicworks.{table} {forget} WHERE id = %s", document)
    books.world.query("DELETE FROM xero_sync.document_link")
    books.world.query(f"UPDATE qicworks.attachment {forget} WHERE parent_id = %s", document)
    books.world.query("UPDATE qicworks.document_line SET xero_line_id = NULL WHERE parent_id = %s", document)
    assert all(one.body is None for one in shown(books, kind))
    books.world.calls()
    books.push(kind)
    if kind in ("credit_notes", "purchase_orders"):
        decide(books, kind, document, Decision.LINK, xero_id)
        books.push(kind)
    assert books.writes() == []
    assert assert_same(books, kind, document)["xero_id"] == xero_id
    assert len(books.attached(xero_id)) == 1


@pytest.mark.parametrize("kind", ["bills", "expenses"])
def test_what_the_database_forgot_and_somebody_entered_again_is_not_doubled(books: Books, kind: str) -> None:
    """It was made after the backup: Xero has it under the address of a document that is no more."""
    entered = [books.add(kind, number=f"{kind} again")]
    books.push(kind)
    if kind == "bills":  # whose numbers may repeat
        entered.append(books.add(kind, number=f"{kind} again"))
        books.push(kind)
    assert {books.row(kind, id)["push_state"] for id in entered} == {"pushed"}, "two that QicWorks has are two"
    books.world.query(f"DELETE FROM qicworks.{PRICED[kind][0]} WHERE id = ANY(%s)", entered)
    books.world.query("DELETE FROM xero_sync.cancellation")  # nobody deleted it
    anew = books.add(kind, number=f"{kind} again")
    books.world.calls()
    books.push(kind)
    row = books.row(kind, anew)
    assert (row["push_state"], row["xero_id"]) == ("failed", None)
    assert "it may already be in Xero" in row["push_error"]
    assert books.writes() == []


# -- read back


def warned(books: Books, kind: str, document: UUID) -> str:
    [event] = events_of(books, name_of(books, kind, document))
    assert event["status"] == "warning"
    assert books.row(kind, document)["push_state"] == "pushed"
    return str(event["message"])


def test_a_cent_of_difference_is_told_with_both_amounts(books: Books) -> None:
    right, tax, total = (books.add("invoices", Line("100")) for _ in range(3))
    books.edit("invoices", tax, total_tax=Decimal("10.01"))
    books.edit("invoices", total, total=Decimal("109.99"))
    outcome = books.push("invoices")
    assert (outcome.status, outcome.counts.pushed, outcome.message) == ("warning", 3, "3 pushed, 2 with a warning")
    assert events_of(books, name_of(books, "invoices", right)) == []
    assert warned(books, "invoices", tax) == "tax 10.01 in QicWorks, 10.00 in Xero"
    assert warned(books, "invoices", total) == "total 109.99 in QicWorks, 110.00 in Xero"

    def with_one_more(payload: Json) -> Json:
        return {**payload, "LineItems": [*payload["LineItems"], {**payload["LineItems"][0], "UnitAmount": 0}]}

    kind = KINDS["invoices"]
    assert isinstance(kind, PricedKind)
    payload = kind.payload
    document = books.add("invoices", Line("100"))
    books.push(replace(kind, payload=lambda one: with_one_more(payload(one))))
    assert warned(books, "invoices", document) == "1 lines in QicWorks, 2 in Xero"


def test_what_xero_dropped_fails_and_its_correction_changes_the_same_draft(books: Books) -> None:
    """QicWorks still knows an account that Xero does not: it takes it off the line, and says so."""
    gone = variant(books, "account", books.accounts["429"], code="476")
    document = books.add("bills", Line("50"), Line("60", columns={"account_id": gone}), files=[File()])
    bills: Any = KINDS["bills"]

    def by_code(document: Any) -> Any:  # of an id that it does not know Xero takes nothing
        payload = bills.payload(document)
        lines = zip(payload["LineItems"], document.lines, strict=True)
        return {
            **payload,
            "LineItems": [{**one, "AccountID": None, "AccountCode": ours.account_code} for one, ours in lines],
        }

    books.push(replace(bills, payload=by_code))
    row = books.row("bills", document)
    assert (row["push_state"], row["xero_status"]) == ("failed", "DRAFT")
    assert "Account code '476' has been removed" in row["push_error"]
    assert "choose another account for the lines that have 476" in row["push_correction"]
    assert "AccountCode" not in record_of(books, "bills", row["xero_id"])["LineItems"][1]
    lines = [line["xero_line_id"] for line in books.lines("bills", document)]
    assert all(lines)
    update = "UPDATE qicworks.document_line SET account_id = %s WHERE account_id = %s"
    books.world.query(update, books.accounts["429"], gone)
    books.push("bills")
    after = assert_same(books, "bills", document)
    assert after["xero_id"] == row["xero_id"]
    assert [line["xero_line_id"] for line in books.lines("bills", document)] == lines
    assert len(books.attached(row["xero_id"])) == 1


# -- attachments


def states(books: Books, kind: str, document: UUID) -> dict[str, str]:
    return {file["file_name"]: file["push_state"] for file in books.files(kind, document)}


def test_attachments_that_xero_would_refuse_cost_no_call_and_hold_nothing_back(books: Books) -> None:
    wrong = {
        'a"b.pdf': ('its name contains "', "Rename the file"),
        "a+b.pdf": ("its name contains +", "Rename the file"),
        "empty.pdf": ("it is empty", "Attach the file again"),
        "large.pdf": ("it is larger than 10 MB", "Replace it with a smaller one"),
        "..": ("its file name is not valid", "Rename the file"),  # the path of the document itself
        ".": ("its file name is not valid", "Rename the file"),
        " ": ("its file name is not valid", "Rename the file"),
        "a\x01\r\nb.pdf": ("its name contains control characters", "Rename the file"),
    }
    contents = {"empty.pdf": b"", "large.pdf": b"\0" * (10 * 1024 * 1024 + 1)}
    document = books.add("bills", files=[File(name, contents.get(name, b"%PDF")) for name in (*wrong, "good.pdf")])
    outcome = books.push("bills")
    row = assert_same(books, "bills", document)
    assert outcome.message == "1 pushed, 1 attachments, 8 attachments failed"
    assert states(books, "bills", document) == {**dict.fromkeys(wrong, "failed"), "good.pdf": "pushed"}
    assert [one["FileName"] for one in books.attached(row["xero_id"])] == ["good.pdf"]
    assert [call["method"] for call in books.world.calls()] == ["GET", "PUT", "PUT"]
    for file in books.files("bills", document):
        if file["file_name"] in wrong:
            says, to_do = wrong[file["file_name"]]
            assert says in file["push_error"]
            assert to_do in file["push_correction"]
            [event] = events_of(books, f"{cleaned(file['file_name']) or 'a file'} of bill {row['number']}")
            assert (event["status"], event["message"]) == ("error", file["push_error"])

    books.world.query("UPDATE qicworks.attachment SET file_name = 'ab.pdf' WHERE file_name = 'a+b.pdf'")
    books.push("bills")
    look, call = books.world.calls()
    assert (look["method"], look["path"]) == ("GET", f"/api.xro/2.0/Invoices/{row['xero_id']}/Attachments")
    assert call["path"].endswith(f"/{row['xero_id']}/Attachments/ab.pdf"), "by itself, its document is left alone"


def test_a_type_that_cannot_be_sent_holds_no_other_file_back(books: Books) -> None:
    wrong = [" application/pdf", "application/pdf\r\nX: y", "приложение/pdf", "pdf", "a/b; c", ""]
    right = "text/plain; charset=utf-8"
    files = [File(f"{place}.pdf", mime_type=mime_type) for place, mime_type in enumerate([*wrong, right])]
    document = books.add("bills", files=files)
    books.push("bills")
    row = books.row("bills", document)
    assert [(one["FileName"], one["MimeType"]) for one in books.attached(row["xero_id"])] == [("6.pdf", right)]
    *unsent, sent = books.files("bills", document)
    assert sent["push_state"] == "pushed"
    for file in unsent:
        assert (file["push_state"], "Correct the file's type" in file["push_correction"]) == ("failed", True)


def test_ten_attachments_and_no_more(books: Books) -> None:
    document = books.add("invoices", files=[File(f"{n:02}.pdf") for n in range(1, 12)])
    books.push("invoices")
    assert states(books, "invoices", document) == {
        **{f"{n:02}.pdf": "pushed" for n in range(1, 11)},
        "11.pdf": "failed",
    }
    file = books.files("invoices", document)[-1]
    assert "at most 10 attachments for each document" in file["push_error"]
    assert len(books.attached(books.row("invoices", document)["xero_id"])) == 10


def test_a_file_whose_content_changed_takes_the_place_of_the_old(books: Books) -> None:
    document = books.add("invoices", files=[File("plan 1%.pdf", b"old"), File("Ünïcode & 🔧.pdf", b"same")])
    books.push("invoices")
    xero_id = books.row("invoices", document)["xero_id"]
    books.world.query("UPDATE qicworks.attachment SET content = %s WHERE file_name = 'plan 1%%.pdf'", b"new")
    books.world.calls()
    books.push("invoices")
    assert len(books.world.calls()) == 1
    assert [(one["FileName"], one["sha256"]) for one in books.attached(xero_id)] == [
        ("plan 1%.pdf", hashlib.sha256(b"new").hexdigest()),
        ("Ünïcode & 🔧.pdf", hashlib.sha256(b"same").hexdigest()),
    ]


def test_attachments_go_to_what_stands_in_xero_though_its_last_change_was_refused(books: Books) -> None:
    approved, deleted = books.add("bills"), books.add("bills")
    books.push("bills")
    for act, document in (("approve", approved), ("delete", deleted)):
        books.bookkeep(act, invoice=str(books.row("bills", document)["xero_id"]))
        books.edit("bills", document, issue_date=date(2026, 10, 6))
        books.attach("bills", document, File("late.pdf"))
    assert books.push("bills").message == "0 pushed, 2 failed, 1 attachments"
    assert states(books, "bills", approved) == {"late.pdf": "pushed"}
    assert states(books, "bills", deleted) == {"late.pdf": "ready"}, "it goes along when its document is made anew"
    assert books.left("bills") == 0
    books.attach("bills", approved, File("later.pdf"))
    assert books.left("bills") == 1


def test_named_documents_take_only_their_own_attachments_along(books: Books) -> None:
    first, second = books.add("bills"), books.add("bills")
    books.push("bills")
    for document in (first, second):
        books.attach("bills", document, File("more.pdf"))
    books.push("bills", documents=[str(first)])
    assert states(books, "bills", first) == {"more.pdf": "pushed"}
    assert states(books, "bills", second) == {"more.pdf": "ready"}


def test_a_file_that_a_bookkeeper_attached_is_not_overwritten(books: Books) -> None:
    document, other = books.add("bills"), books.add("bills")
    books.push("bills")
    xero_id = books.row("bills", document)["xero_id"]
    path = f"/api.xro/2.0/Invoices/{xero_id}/Attachments/"
    with database.session(books.world.engine) as session:
        connection = connections.one(session, books.connection_id)
    client = opener(books.world.engine, books.world.app)(connection, True)
    ours = File("lost answer.pdf")
    client.write("PUT", path + "Scan.pdf", b"their scan", key="theirs", content_type=PDF)
    client.write("PUT", path + "lost%20answer.pdf", ours.content, key="ours", content_type=PDF)
    for file in (File("scan.pdf"), ours, File("new.pdf")):
        books.attach("bills", document, file)
    books.attach("bills", other, File("elsewhere.pdf"))

    books.world.fault(kind="500", method="GET", path=f"{xero_id}/Attachments", times=None)
    with pytest.raises(RetryLater):
        books.push("bills")
    assert set(states(books, "bills", document).values()) == {"ready"}
    assert states(books, "bills", other) == {"elsewhere.pdf": "pushed"}, "one look that fails holds nothing else back"
    books.world.sandbox.control("DELETE", "faults")
    books.world.calls()

    books.push("bills")
    assert [call["method"] for call in books.world.calls()] == ["GET", "PUT", "PUT"], "one look for all its files"
    wanted = {"scan.pdf": "failed", ours.name: "pushed", "new.pdf": "pushed"}
    assert states(books, "bills", document) == wanted
    [failed] = [file for file in books.files("bills", document) if file["push_state"] == "failed"]
    assert "Xero already has another file with this name" in failed["push_error"]
    assert "Rename the file" in failed["push_correction"]
    theirs = next(one for one in books.attached(xero_id) if one["FileName"] == "Scan.pdf")
    assert (len(books.attached(xero_id)), theirs["sha256"]) == (3, hashlib.sha256(b"their scan").hexdigest())


def test_only_sales_show_attachments_to_customers(books: Books) -> None:
    for kind in PRICED:
        files = [File("shown.pdf", include_online=True), File("kept.pdf")]
        document = books.add(kind, files=files)
        books.push(kind)
        assert set(states(books, kind, document).values()) == {"pushed"}, kind
        queries = {
            call["path"].rpartition("/")[2]: call["query"] for call in books.world.calls() if "Attach" in call["path"]
        }
        assert queries == {
            "shown.pdf": "IncludeOnline=true" if kind in ("invoices", "credit_notes") else "",
            "kept.pdf": "",
        }


def test_one_attachment_that_fails_holds_nothing_back_and_is_tried_alone(books: Books) -> None:
    """Refused, or Xero comes to grief over it each time."""
    first = books.add("invoices", files=[File("a.pdf"), File("bad.pdf"), File("c.pdf")])
    second = books.add("invoices", files=[File("d.pdf")])
    books.world.fault(kind="500", path="Attachments/bad.pdf", times=None)
    with pytest.raises(RetryLater):
        books.push("invoices")
    assert states(books, "invoices", first) == {"a.pdf": "pushed", "bad.pdf": "ready", "c.pdf": "pushed"}
    assert states(books, "invoices", second) == {"d.pdf": "pushed"}
    for document in (first, second):
        assert_same(books, "invoices", document)
    event = books.world.event()
    assert (event["status"], event["pushed"], event["failed"]) == ("error", 2, 0)
    books.world.sandbox.control("DELETE", "faults")
    books.world.calls()
    assert books.push("invoices").status == "success"
    look, call = books.world.calls()
    assert (look["method"], call["path"].endswith("bad.pdf")) == ("GET", True)

    with switched(books, purchase_order_attachments=False):
        order = books.add("purchase_orders", files=[File()])
        books.push("purchase_orders")
    assert_same(books, "purchase_orders", order)
    [file] = books.files("purchase_orders", order)
    assert (file["push_state"], bool(file["push_correction"])) == ("failed", True)


# -- dry run

#: Not of the documents: how many calls were made.
COUNTS_CALLS = {"xero_sync.call_budget"}


def versions(books: Books) -> dict[str, list[Row]]:
    """Every table with the version of each of its rows."""
    tables = books.world.query(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname IN ('qicworks', 'xero_sync')"
    )
    assert len(tables) > 30
    return {
        table["name"]: books.world.query(f"SELECT ctid::text, xmin::text FROM {table['name']} ORDER BY ctid")
        for table in tables
        if not {table["name"]} & COUNTS_CALLS
    }


def shown(books: Books, kind: str) -> list[Preview]:
    open_client = opener(books.world.engine, books.world.app)
    return list(preview(KINDS[kind], books.connection_id, engine=books.world.engine, open_client=open_client))


@pytest.mark.parametrize("kind", PRICED)
def test_a_dry_run_writes_nothing_and_shows_what_is_sent(books: Books, kind: str) -> None:
    changed, deleted = books.add(kind, Line("7.1234", "3")), books.add(kind)
    books.push(kind)
    for document in (changed, deleted):
        books.edit(kind, document, issue_date=date(2026, 10, 6))
    do(books, kind, deleted, "delete")
    new = [books.add(kind, files=[File()]), books.add(kind, Line("0.0001", "10000"))]
    refused = books.add(kind, contact_id=None)
    before = versions(books)
    books.world.calls()
    said = shown(books, kind)
    assert {call["method"] for call in books.world.calls()} <= {"GET"}
    assert versions(books) == before
    refusals = {name: (why, to_do) for one in said for name, why, to_do in one.refused}
    requests = [one for one in said if one.body is not None]
    assert [(one.method, one.path, len(one.documents)) for one in requests] == [
        ("PUT", KINDS[kind].path, 2),  # type: ignore[attr-defined]
        ("POST", KINDS[kind].path, 1),  # type: ignore[attr-defined]
    ]
    assert requests[0].documents == tuple(name_of(books, kind, one) for one in new)

    told = books.world.main("push", kind, "--connection", books.world.names()[0], "--dry-run", "--json")
    assert told.returncode == 1, "something would be refused"
    assert {call["method"] for call in books.world.calls()} <= {"GET"}
    assert versions(books) == before
    printed = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in told.stdout.splitlines()]
    exact = [json.loads(plan.JSON.encode(one.body), parse_float=Decimal, parse_int=Decimal) for one in requests]
    assert [(one["method"], one["path"], one["query"]) for one in printed] == [
        (one.method, one.path, one.query) for one in requests
    ]
    assert [one["body"] for one in printed] == exact

    books.world.calls()
    books.push(kind)
    sent = [call for call in books.world.calls() if call["method"] != "GET" and "Attachments" not in call["path"]]
    assert [(call["method"], call["sha256"]) for call in sent] == [
        (one.method, hashlib.sha256(plan.JSON.encode(one.body)).hexdigest()) for one in requests
    ]
    for document in (refused, deleted):
        row = books.row(kind, document)
        assert (row["push_error"], row["push_correction"]) == refusals[name_of(books, kind, document)]
