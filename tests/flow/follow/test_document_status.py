"""What happens to a document in Xero after its push, and what QicWorks makes of it: written out, for every kind."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.support.between import Between, Said
from tests.support.followed import (
    ACTS,
    INVOICES,
    LISTS,
    UNPAID,
    choose,
    differing,
    do,
    record,
    set_conflicts,
    sweep,
    sweep_fully,
)
from tests.support.in_step import Part, Steps, every_kind, in_step
from tests.support.pushing import PRICED, Books, Line, Row
from tests.support.troubles import BEYOND, DOCUMENTS
from xero.api import wire
from xero.api.errors import XeroError
from xero.qicworks.follow.differences import Reason, Settled

NUMBER_KEYS = {"credit_notes": "CreditNoteNumber", "purchase_orders": "PurchaseOrderNumber"}


def events(books: Books, document: UUID) -> list[Row]:
    return books.world.query(
        "SELECT direction, status, outcome, message, correction FROM xero_sync.connection_event"
        " WHERE document_id = %s ORDER BY id",
        document,
    )


def assert_nothing_new(books: Books) -> None:
    """A second sweep changes no row, writes no event of a document, and costs five calls at most."""
    tables = ("qicworks.invoice", "qicworks.bill", "qicworks.expense", "qicworks.credit_note")
    tables += ("qicworks.purchase_order", "xero_sync.followed_document", "xero_sync.difference")
    before = {table: books.world.query(f"SELECT ctid::text, xmin::text FROM {table}") for table in tables}
    books.world.calls()
    outcome = sweep(books)
    assert (outcome.message, outcome.counts.changed) == ("nothing changed", 0)
    assert len(books.world.calls()) <= 5
    assert before == {table: books.world.query(f"SELECT ctid::text, xmin::text FROM {table}") for table in tables}


# -- what Xero's users do with it


@dataclass(frozen=True, eq=False)
class Happening:
    """Acts of a bookkeeper (each with its order), and the row of QicWorks after one sweep."""

    name: str
    kinds: tuple[str, ...]
    acts: tuple[tuple[str, dict[str, Any]], ...]
    xero_status: str
    status: dict[str, str] | None = None  # of QicWorks; None: as it was
    paid: str = "0"
    balance: str | None = "110"  # None: the kind has none, or Xero's own is of no matter
    reason: str | None = None  # of the one open difference


PAID, PARTLY = {"invoices": "Paid", "bills": "Paid", "expenses": "Paid"}, dict.fromkeys(INVOICES, "Partially Paid")
PARTLY["invoices"] = "Un-paid"
APPROVE, VOID, DELETE = ("approve", {}), ("void", {}), ("delete", {})
ALL = tuple(PRICED)

HAPPENINGS = (
    Happening("nothing", ALL, (), "DRAFT"),
    Happening("approved", ALL, (APPROVE,), "AUTHORISED"),
    Happening("paid in part", INVOICES, (APPROVE, ("pay", {"amount": 10})), "AUTHORISED", PARTLY, "10", "100"),
    Happening("paid", INVOICES, (APPROVE, ("pay", {})), "PAID", PAID, "110", "0"),
    Happening("paid in parts", INVOICES, (APPROVE, ("pay", {"amount": 10}), ("pay", {})), "PAID", PAID, "110", "0"),
    Happening("credited", INVOICES, (APPROVE, ("credit", {"amount": 30})), "AUTHORISED", PARTLY, "0", "80"),
    Happening("refunded", ("credit_notes",), (APPROVE, ("refund", {})), "PAID", None, "0", "0"),
    Happening("billed", ("purchase_orders",), (APPROVE, ("bill", {})), "BILLED", {"purchase_orders": "Billed"}),
    Happening("voided", (*INVOICES, "credit_notes"), (APPROVE, VOID), "VOIDED", balance=None, reason="voided_in_xero"),
    Happening("deleted", ALL, (DELETE,), "DELETED", balance=None, reason="deleted_in_xero"),
)


@pytest.mark.parametrize("mode", ["ask", "qicworks", "xero"])
@every_kind
def test_what_becomes_of_it(books: Books, kind: str, mode: str) -> Steps:
    set_conflicts(books, mode)
    made = {one: books.add(kind, Line("100"), status=UNPAID[kind]) for one in HAPPENINGS if kind in one.kinds}
    assert len(made) > 3
    books.push(kind)
    for one, document in made.items():
        for act, order in one.acts:
            do(books, kind, document, act, **order)
    yield sweep
    for one, document in made.items():
        row = books.row(kind, document)
        expected = (one.status or UNPAID)[kind], one.xero_status, "pushed"
        assert (row["status"], row["xero_status"], row["push_state"]) == expected, one.name
        assert Decimal(one.paid) == row.get("paid_to_date", 0), one.name
        assert one.balance is None or "balance" not in row or row["balance"] == Decimal(one.balance), one.name
        found = differing(books, document)
        assert [each.reason for each in found] == ([one.reason] if one.reason else []), one.name
        if one.reason:
            [difference] = found
            assert (difference.ours, difference.theirs) == ({"status": row["status"]}, {"status": one.xero_status})
            assert difference.label == f"{difference.label.rpartition(' ')[0]} {row['number']}"
            [event] = events(books, document)
            assert (event["direction"], event["status"], event["outcome"]) == ("pull", "warning", "differs")
            assert event["correction"]
    yield assert_nothing_new
    books.world.calls()
    books.push(kind)
    assert books.world.calls() == [], "nothing is to be sent for what happened in Xero"


@in_step(*INVOICES)
def test_a_payment_that_is_taken_back(books: Books, kind: str) -> Steps:
    document = books.add(kind, Line("100"))
    books.push(kind)
    do(books, kind, document, "approve")
    [payment] = do(books, kind, document, "pay", amount=40)["Payments"]
    yield sweep
    assert books.row(kind, document)["paid_to_date"] == 40
    books.bookkeep("delete_payment", payment=payment["PaymentID"])
    yield sweep
    row = books.row(kind, document)
    assert (row["status"], row["paid_to_date"], row["balance"]) == (UNPAID[kind], 0, 110)
    assert differing(books) == []
    yield assert_nothing_new


def test_an_order_that_is_not_billed_any_more(books: Books) -> None:
    document = books.add("purchase_orders", status="Receipted")
    books.push("purchase_orders")
    do(books, "purchase_orders", document, "bill")
    sweep(books)
    assert books.row("purchase_orders", document)["status"] == "Billed"
    tenant = books.world.sandbox.tenant(books.organisation)
    path = f"organisations/{tenant}/PurchaseOrders/{books.row('purchase_orders', document)['xero_id']}"
    books.world.sandbox.control("PATCH", path, {"Status": "AUTHORISED"})
    sweep(books)
    row = books.row("purchase_orders", document)
    assert (row["status"], row["xero_status"], row["push_state"]) == ("Receipted", "AUTHORISED", "pushed")


# -- what Xero's users change in it

HEADER: dict[str, tuple[Any, tuple[str, ...]]] = {
    "Date": ("2026-10-07", ALL),
    "DueDate": ("2026-11-07", INVOICES),
    "Reference": ("PO 12", ("invoices", "purchase_orders")),
    "DeliveryAddress": ("Gate 4", ("purchase_orders",)),
    "AttentionTo": ("Reception", ("purchase_orders",)),
    "Telephone": ("02 5550 1234", ("purchase_orders",)),
    "DeliveryInstructions": ("Ring twice", ("purchase_orders",)),
    "DeliveryDate": ("2026-11-01", ("purchase_orders",)),
    "number": ("X-1", ALL),
    "Contact": (None, ALL),
}
NAMES = {
    "Date": "date",
    "DueDate": "due date",
    "Reference": "reference",
    "DeliveryAddress": "delivery address",
    "AttentionTo": "attention",
    "Telephone": "telephone",
    "DeliveryInstructions": "delivery instructions",
    "DeliveryDate": "delivery date",
    "number": "number",
    "Contact": "contact",
}
TOTALS = {"net amount", "tax", "total"}
LINES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "description": ({"Description": "Otherwise"}, {"line 1 description"}),
    "quantity": ({"Quantity": 3}, {"line 1 quantity", *TOTALS}),
    "price": ({"UnitAmount": 7.5}, {"line 1 unit price", *TOTALS}),
    "account": ({"AccountCode": None}, {"line 1 account"}),
    "tax": ({"TaxType": "BASEXCLUDED"}, {"line 1 tax code", "tax", "total"}),
    "department": ({"Tracking": []}, {"line 1 departments"}),
}


def edits(books: Books, kind: str) -> list[tuple[str, Any, set[str]]]:
    """Name, what is edited of the record, and the names of the fields that then differ."""
    found: list[tuple[str, Any, set[str]]] = []
    for name, (value, kinds) in HEADER.items():
        if kind in kinds:
            key = NUMBER_KEYS.get(kind, "InvoiceNumber")
            [contact] = books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", books.contacts[1])
            shown = {"ContactID": str(contact["xero_id"])} if name == "Contact" else value
            found.append((name, {key if name == "number" else name: shown}, {NAMES[name]}))
    sale = kind in ("invoices", "credit_notes")
    for name, (fields, differ) in LINES.items():
        if name == "account":
            fields = {"AccountCode": "260" if sale else "310"}
        found.append((name, lambda lines, fields=fields: [{**lines[0], **fields}, *lines[1:]], differ))
    account = "260" if sale else "310"
    one_more = {"Description": "Freight", "Quantity": 1, "UnitAmount": 5, "AccountCode": account}
    one_more["TaxType"] = "BASEXCLUDED"
    found.append(("another line", lambda lines: [*lines, one_more], {"line 3 in Xero", "net amount", "total"}))
    found.append(("no second line", lambda lines: lines[:1], {"line 2", *TOTALS}))
    found.append(("other order", lambda lines: lines[::-1], set()))
    return found


def edit_in_xero(books: Books, kind: str, document: UUID, change: Any) -> None:
    if callable(change):
        there = record(books, kind, document)["LineItems"]
        lines = [{"LineItemID": line["LineItemID"]} for line in there]
        change = {"LineItems": change(lines)}
    do(books, kind, document, "edit", fields=change)


def prepared(books: Books, kind: str, approve: bool, *, without: str = "") -> Part[list[tuple[UUID, str, set[str]]]]:
    """Documents of which each was edited in Xero in one way."""
    made = []
    for nth, (name, change, fields) in enumerate(one for one in edits(books, kind) if one[0] != without):
        document = books.add(kind, Line("100", department=True), Line("20"), number=f"{kind}-{nth}")
        made.append((document, name, change, fields))
    assert len(made) > 9
    books.push(kind)
    yield sweep
    for document, _, change, _ in made:
        if approve:
            do(books, kind, document, "approve")
        edit_in_xero(books, kind, document, change)
    return [(document, name, fields) for document, name, _, fields in made]


@pytest.mark.parametrize("approve", [False, True], ids=["draft", "approved"])
@every_kind
def test_what_is_edited_in_xero_is_asked_about(books: Books, kind: str, approve: bool) -> Steps:
    made = yield from prepared(books, kind, approve)
    yield sweep
    for document, name, fields in made:
        found = differing(books, document)
        assert [one.reason for one in found] == (["edited_in_xero"] if fields else []), name
        for one in found:
            assert set(one.ours) == set(one.theirs) == fields, name
    yield assert_nothing_new
    before = {document: record(books, kind, document) for document, *_ in made}
    books.world.calls()
    books.push(kind)
    assert books.world.calls() == []
    # The office edits all of them: nothing of Xero's is overwritten.
    for document, *_ in made:
        books.world.query(
            "UPDATE qicworks.document_line SET description = 'Changed here' WHERE parent_id = %s AND line_number = 1",
            document,
        )
    books.push(kind)
    for document, name, fields in made:
        row = books.row(kind, document)
        if fields or approve:
            assert row["push_state"] == "failed", name
            assert record(books, kind, document) == before[document], name
        if fields and not approve:
            assert "it was changed in Xero after it was pushed" in row["push_error"], name
            assert {"edited_in_xero"} <= {one.reason for one in differing(books, document)}, name


@every_kind
def test_qicworks_overwrites_what_was_edited_in_a_draft(books: Books, kind: str) -> Steps:
    set_conflicts(books, "qicworks")
    made = yield from prepared(books, kind, approve=False, without="other order")
    yield sweep
    assert {books.row(kind, document)["push_state"] for document, _, fields in made if fields} == {"ready"}
    books.push(kind)
    yield sweep
    assert differing(books) == []
    for document, name, fields in made:
        assert books.row(kind, document)["push_state"] == "pushed", name
        told = " ".join(event["message"] for event in events(books, document))
        assert ("QicWorks tries to overwrite what was changed in Xero" in told) == bool(fields), name
        assert all(field in told for field in fields), (name, told)
        settled = [(one.reason, one.settled_how) for one in differing(books, document, only_open=False)]
        assert settled == ([("edited_in_xero", Settled.AGREES)] if fields else []), name
    books.assert_once(kind)
    yield assert_nothing_new


@every_kind
def test_qicworks_cannot_overwrite_what_is_approved(books: Books, kind: str) -> Steps:
    set_conflicts(books, "qicworks")
    made = yield from prepared(books, kind, approve=True)
    yield sweep
    for document, name, fields in made:
        assert [one.reason for one in differing(books, document)] == (["edited_in_xero"] if fields else []), name
        assert books.row(kind, document)["push_state"] == "pushed"
    yield assert_nothing_new


@pytest.mark.parametrize("approve", [False, True], ids=["draft", "approved"])
@every_kind
def test_qicworks_takes_over_what_was_edited_in_xero(books: Books, kind: str, approve: bool) -> Steps:
    set_conflicts(books, "xero")
    made = yield from prepared(books, kind, approve)
    before = {document: record(books, kind, document) for document, *_ in made}
    yield sweep
    books.push(kind)
    yield sweep
    for document, name, fields in made:
        row = books.row(kind, document)
        assert row["push_state"] == "pushed", (name, row["push_error"])
        assert differing(books, document) == [], name
        assert record(books, kind, document) == before[document], name
        told = " ".join(event["message"] for event in events(books, document))
        assert ("QicWorks took over what was changed in Xero" in told) == bool(fields), name
        ours, theirs = books.as_in_qicworks(kind, row), before[document]
        assert ours["amounts"][2] == Decimal(str(theirs["Total"])), name
        assert len(ours["lines"]) == len(theirs["LineItems"]), name
    yield assert_nothing_new


@pytest.mark.parametrize("side", ["qicworks", "xero"])
@every_kind
def test_what_was_chosen_after_a_pull_is_carried_out_for_every_field(books: Books, kind: str, side: str) -> Steps:
    made = yield from prepared(books, kind, approve=False, without="other order")
    yield sweep
    for document, *_ in made:
        choose(books, document, side)
        books.edit(kind, document, push_state="ready")
    books.push(kind)
    yield sweep
    for document, name, _ in made:
        assert (books.row(kind, document)["push_state"], differing(books, document)) == ("pushed", []), name


@every_kind
def test_what_was_renumbered_then_deleted_in_xero_is_not_created_again(books: Books, kind: str) -> Steps:
    """Only a new number in QicWorks asks for that."""
    document = books.add(kind)
    books.push(kind)
    first = books.row(kind, document)["xero_id"]
    do(books, kind, document, "edit", fields={NUMBER_KEYS.get(kind, "InvoiceNumber"): "X-1"})
    do(books, kind, document, "delete")
    for swept in (False, True):
        if swept:
            yield sweep
        books.edit(kind, document, issue_date=date(2026, 10, 8 + swept))
        books.push(kind)
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_id"]) == ("failed", first), "nobody asked for a new draft"
        assert "it was deleted in Xero" in row["push_error"]
    books.edit(kind, document, number="A-NEW-ONE")
    books.push(kind)
    row = books.row(kind, document)
    assert row["push_state"] == "pushed"
    assert (row["xero_id"] == first, record(books, kind, document)["Status"]) == (False, "DRAFT")


@in_step("invoices", "credit_notes", "purchase_orders")
def test_a_number_that_another_document_has_is_not_taken_over(books: Books, kind: str) -> Steps:
    """Only that document fails, by its name: what is ready beside it is taken over, and sent."""
    set_conflicts(books, "xero")
    clashing, edited = (books.add(kind) for _ in range(2))
    books.push(kind)
    taken = books.row(kind, books.add(kind, state="draft"))["number"]
    number = books.row(kind, clashing)["number"]
    do(books, kind, clashing, "edit", fields={NUMBER_KEYS.get(kind, "InvoiceNumber"): taken})
    do(books, kind, edited, "edit", fields={"Date": "2026-10-07"})
    yield sweep
    new = books.add(kind)
    for _ in range(2):
        books.push(kind)
        yield sweep
    row = books.row(kind, clashing)
    assert (row["push_state"], row["number"]) == ("failed", number)
    assert f"another document of QicWorks has the number {taken}" in row["push_error"]
    assert "another number" in row["push_correction"]
    assert [one.reason for one in differing(books, clashing)] == ["edited_in_xero"]
    assert differing(books, edited) == differing(books, new) == []
    assert (books.row(kind, edited)["push_state"], books.row(kind, edited)["issue_date"].day) == ("pushed", 7)
    assert books.row(kind, new)["push_state"] == "pushed"


# -- an edit is a change of what is sent


@every_kind
def test_an_edit_of_what_is_not_sent_costs_no_call(books: Books, kind: str) -> Steps:
    draft, approved = (books.add(kind) for _ in range(2))
    books.push(kind)
    do(books, kind, approved, "approve")
    yield sweep
    books.world.calls()
    for document in (draft, approved):
        books.edit(kind, document, job_name="Another name of the job")
        books.world.query("UPDATE qicworks.document_line SET unit = 'h', code = 'L-1' WHERE parent_id = %s", document)
        assert books.row(kind, document)["push_state"] == "ready"
    assert books.push(kind).counts.pushed == 2
    assert books.world.calls() == []
    for document in (draft, approved):
        assert books.row(kind, document)["push_state"] == "pushed"
    yield sweep
    assert differing(books) == []


@pytest.mark.parametrize(
    ("approve", "reason"), [(False, "edited_in_qicworks"), (True, "approved_in_xero")], ids=["draft", "approved"]
)
@every_kind
def test_an_edit_that_is_not_sent_within_an_hour_is_a_difference(
    books: Books, kind: str, approve: bool, reason: str
) -> Steps:
    document = books.add(kind)
    books.push(kind)
    if approve:
        do(books, kind, document, "approve")
    yield sweep
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    yield sweep
    assert differing(books) == [], "it is to be pushed within the hour"
    table = f"qicworks.{PRICED[kind][0]}"
    books.world.query(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    books.world.query(f"UPDATE {table} SET updated_at = now() - interval '61 minutes'")
    books.world.query(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    yield sweep
    [found] = differing(books, document)
    assert (found.reason, found.ours, found.theirs) == (reason, {"date": "2026-10-09"}, {"date": "2026-10-05"})
    assert books.row(kind, document)["push_state"] == "ready", "the next push still has it"
    yield assert_nothing_new


@pytest.mark.parametrize("how", ["undone", "made in Xero, too"])
@every_kind
def test_an_edit_of_an_approved_document_is_open_until_both_agree(books: Books, kind: str, how: str) -> Steps:
    document = books.add(kind)
    books.push(kind)
    do(books, kind, document, "approve")
    before = books.row(kind, document)["issue_date"]
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    books.push(kind)
    assert books.row(kind, document)["push_state"] == "failed"
    [found] = differing(books, document)
    assert (found.reason, found.ours, found.theirs) == (
        "approved_in_xero",
        {"date": "2026-10-09"},
        {"date": before.isoformat()},
    )
    yield sweep
    assert [one.id for one in differing(books, document)] == [found.id], "the sweep sees the same"
    if how == "undone":
        books.edit(kind, document, issue_date=before)
        books.world.calls()
        books.push(kind)
        assert books.world.calls() == []
    else:
        do(books, kind, document, "edit", fields={"Date": "2026-10-09"})
        yield sweep
    assert books.row(kind, document)["push_state"] == "pushed"
    assert books.row(kind, document)["push_error"] is None
    assert differing(books, document) == []
    yield sweep
    assert differing(books) == []
    yield assert_nothing_new


def test_a_contact_that_xero_merged_into_another_is_no_difference(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    old, new = (
        books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", one)[0] for one in books.contacts[:2]
    )
    do(books, "bills", document, "edit", fields={"Contact": {"ContactID": str(new["xero_id"])}})
    merged = "UPDATE qicworks.contact SET is_active = false, merged_to_xero_id = %s WHERE xero_id = %s"
    books.world.query(merged, new["xero_id"], old["xero_id"])
    sweep(books)
    assert differing(books) == []
    books.world.query("UPDATE qicworks.contact SET is_active = true, merged_to_xero_id = NULL")
    books.edit("bills", document, job_name="looked at again")
    sweep(books)
    assert [set(one.ours) for one in differing(books, document)] == [{"contact"}]


# -- what is not known is asked about


@every_kind
def test_where_the_last_push_is_not_known_nothing_of_xeros_is_overwritten(books: Books, kind: str) -> Steps:
    """As of documents that were pushed before it was kept, or under keys that are gone."""
    document = books.add(kind)
    books.push(kind)
    books.world.query("DELETE FROM xero_sync.pushed_content")
    do(books, kind, document, "edit", fields={"Date": "2026-10-08"})
    yield sweep
    books.world.query("UPDATE qicworks.document_line SET description = 'Here' WHERE parent_id = %s", document)
    before = record(books, kind, document)
    books.push(kind)
    assert books.row(kind, document)["push_state"] == "failed"
    assert record(books, kind, document) == before
    assert [one.reason for one in differing(books, document)] == ["edited_in_xero"]


def pass_beyond(books: Books) -> None:
    books.pass_time(BEYOND)


@every_kind
def test_a_creation_that_was_found_later_is_not_pushed_over_an_edit(books: Books, kind: str) -> Steps:
    """Its answer was lost, and a bookkeeper edited it before the next run."""
    document = books.add(kind)
    books.world.fault(kind="lost_answer", path=DOCUMENTS, method="PUT")
    with pytest.raises(XeroError):
        books.push(kind, client={"backoff": ()})
    key, row = PRICED[kind][2], books.row(kind, document)
    [there] = [one for one in books.in_xero(kind) if one[PRICED[kind][3]] == row["number"]]
    edit = {"DueDate": "2026-10-28"} if kind in INVOICES else {"Reference": "R-1"}
    books.bookkeep("edit", **{ACTS[kind]: there[key]}, fields=edit)
    before = next(one for one in books.in_xero(kind) if one[key] == there[key])
    yield pass_beyond
    books.push(kind)
    yield sweep
    books.push(kind)
    if books.row(kind, document)["xero_id"]:  # else it is not certain which record it is, and a person is asked
        assert record(books, kind, document) == before
        assert [one.reason for one in differing(books, document)] == ["edited_in_xero"]
    else:
        assert books.row(kind, document)["push_state"] == "failed"


@every_kind
def test_a_line_that_was_saved_anew_is_the_same_line(books: Books, kind: str) -> Steps:
    document = books.add(kind, Line("100"), Line("20"), Line("30"))
    books.push(kind)
    books.world.query(
        "WITH gone AS (DELETE FROM qicworks.document_line WHERE parent_id = %s AND line_number = 2 RETURNING *)"
        " INSERT INTO qicworks.document_line (parent_type, parent_id, line_number, description, quantity, unit_price,"
        " account_id, tax_code_id) SELECT parent_type, parent_id, line_number, description, quantity, unit_price,"
        " account_id, tax_code_id FROM gone",
        document,
    )
    books.push(kind)
    yield sweep
    assert books.row(kind, document)["push_state"] == "pushed"
    assert differing(books) == []


def test_an_edit_waits_for_a_bookkeeper_who_undoes_theirs(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    do(books, "bills", document, "edit", fields={"Date": "2026-10-08"})
    books.edit("bills", document, due_date=date(2026, 12, 1))
    books.push("bills")
    assert books.row("bills", document)["push_state"] == "failed"
    do(books, "bills", document, "edit", fields={"Date": "2026-10-05"})
    sweep(books)
    books.push("bills")
    sweep(books)
    assert differing(books) == []
    books.assert_once("bills")


def sweep_while_all_are_pushed(books: Books) -> None:
    """Each kind as soon as Xero has listed it."""
    between, left = Between(books.world.sandbox), dict(LISTS)

    def push(method: str, path: str, answer: Said) -> None:
        listed = [kind for kind, of_kind in left.items() if method == "GET" and of_kind in path]
        for kind in listed:
            del left[kind]
        for kind in listed:
            books.push(kind)

    between.change = push
    try:
        sweep(books)
    finally:
        between.close()
    assert not left


@every_kind
def test_what_is_pushed_during_a_sweep_is_left_to_the_next(books: Books, kind: str) -> Steps:
    """The sweep has read the record as it was before."""
    document = books.add(kind, Line("100"))
    books.push(kind)
    yield sweep
    for day in ("2026-10-06", None):  # edited in Xero and undone, so the sweep reads the record again
        as_it_was = str(books.row(kind, document)["issue_date"])[:10]
        do(books, kind, document, "edit", fields={"Date": day or as_it_was})
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    yield sweep_while_all_are_pushed
    assert (books.row(kind, document)["push_state"], differing(books)) == ("pushed", [])
    yield sweep
    assert (wire.date(record(books, kind, document)["Date"]), differing(books)) == (date(2026, 10, 9), [])


@every_kind
def test_what_xero_lacks_is_open_until_it_is_pushed_again(books: Books, kind: str) -> Steps:
    """Its row has no link any more, because the push found none; a sweep does not take that for a settlement."""
    document = books.add(kind)
    books.push(kind)
    xero_id = books.row(kind, document)["xero_id"]
    tenant = books.world.sandbox.tenant(books.organisation)
    books.world.sandbox.control("DELETE", f"organisations/{tenant}/{PRICED[kind][1]}/{xero_id}")
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    books.push(kind)
    assert (books.row(kind, document)["push_state"], books.row(kind, document)["xero_id"]) == ("failed", None)
    for full in (False, True):
        yield sweep_fully if full else sweep
        assert [one.reason for one in differing(books, document)] == [Reason.MISSING_IN_XERO]
    books.edit(kind, document, push_state="ready")
    books.push(kind)
    yield sweep_fully
    assert (books.row(kind, document)["push_state"], differing(books, document)) == ("pushed", [])


def test_what_xero_lacks_and_is_taken_back_is_settled(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    xero_id, tenant = books.row("bills", document)["xero_id"], books.world.sandbox.tenant(books.organisation)
    books.world.sandbox.control("DELETE", f"organisations/{tenant}/Invoices/{xero_id}")
    books.edit("bills", document, issue_date=date(2026, 10, 9))
    books.push("bills")
    books.edit("bills", document, push_state="skipped")
    sweep(books)
    assert differing(books, document) == []
