"""Xero's refusals, provoked: its words come back, find their correction, and document and event say both."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.one_world import books_for_all, switched
from tests.support.pushing import Books, Line, Row
from xero.api.errors import Refused
from xero.composition import opener
from xero.documents.declaration import Json, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.sync.push.corrections import Entry, catalogue, correct

Change = Callable[[Json], Json]
AUTHORISED = {"Status": "AUTHORISED"}
ACCOUNTING, PAYROLL = "/api.xro/2.0/", "/payroll.xro/1.0/"


@pytest.fixture(scope="module")
def books(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    with books_for_all(sandbox_url, postgres_url, template) as made:
        yield made


def kind_of(name: str, change: Change | None = None, **how: Any) -> PricedKind:
    """That kind without its checks, so that Xero itself must refuse; `change` makes something else of its payload."""
    kind = KINDS[name]
    assert isinstance(kind, PricedKind)
    payload = kind.payload
    sent = (lambda document: change(payload(document))) if change else payload
    return replace(kind, checks=(), payload=sent, **how)


def with_line(**fields: Any) -> Change:
    """The first line says this, too; None takes a field away."""

    def change(payload: Json) -> Json:
        first, *rest = payload["LineItems"]
        line = {name: value for name, value in {**first, **fields}.items() if value is not None}
        return {**payload, "LineItems": [line, *rest]}

    return change


def with_fields(**fields: Any) -> Change:
    return lambda payload: {name: value for name, value in {**payload, **fields}.items() if value is not None}


def approved(**line: Any) -> Change:
    return lambda payload: with_line(**line)({**payload, **AUTHORISED})


def with_contact(**fields: Any) -> Change:
    return lambda payload: {**payload, "Contact": {**payload["Contact"], **fields}}


def one(books: Books, plural: str, **wanted: Any) -> Row:
    rows = books.world.sandbox.truth(plural)
    return next(row for row in rows if all(row.get(name) == value for name, value in wanted.items()))


@dataclass(frozen=True)
class Case:
    """What Xero says, a piece of what is to be done, and the document that makes Xero say it."""

    words: str
    says: str
    kind: str = "invoices"
    change: Change | None = None
    lines: tuple[Line, ...] = ()
    columns: Callable[[Books], Row] = lambda books: {}
    switches: Row = field(default_factory=dict)
    state: str = "failed"


CREATED = [
    Case(
        "limit of invoices you can approve", "Upgrade the Xero plan", change=approved(), switches={"approval_limit": 0}
    ),
    Case("not subscribed to currency USD", "Add the currency USD in Xero", columns=lambda _: {"currency": "USD"}),
    Case("Could not convert string to DateTime", "enter its dates again", change=with_fields(Date="2026-13-01")),
    Case("JSON for post data was invalid", "quantities and amounts again", change=with_fields(LineAmountTypes="Net")),
    Case(
        "The document date cannot be before the period lock date, currently set at 30 June 2026",
        "Give the invoice INV-00005 a date after the period lock date (30 June 2026)",
        columns=lambda _: {"issue_date": date(2026, 6, 30)},
        switches={"lock_dates_bind_drafts": True},
    ),
    Case("Invoice not of valid status for creation", "a status that can be pushed", change=with_fields(Status="PAID")),
    Case(
        "Invoice not of valid status for modification",
        "its attachments are sent with it",
        columns=lambda books: {"number": one(books, "Invoices", Type="ACCREC", Status="VOIDED")["InvoiceNumber"]},
    ),
    Case(
        "Invoice # must be unique.",
        "In Xero, search for the number",
        columns=lambda books: {"number": one(books, "Invoices", Type="ACCREC", Status="PAID")["InvoiceNumber"]},
    ),
    Case(
        "Order number must be unique",
        "If it belongs to another order",
        "purchase_orders",
        columns=lambda books: {"number": one(books, "PurchaseOrders", Status="AUTHORISED")["PurchaseOrderNumber"]},
    ),
    Case(
        "Credit Note # must be unique.",
        "Change the name or number",
        "credit_notes",
        columns=lambda books: {
            "number": next(
                row["CreditNoteNumber"]
                for row in books.world.sandbox.truth("CreditNotes")
                if row["Type"] == "ACCRECCREDIT" and row["Status"] in ("AUTHORISED", "PAID")
            )
        },
    ),
    Case(
        "Only AUTHORISED and BILLED purchase orders may have SentToContact updated.",
        "",
        "purchase_orders",
        with_fields(SentToContact=True),
        state="pushed",
    ),
    Case(
        "The TaxType code 'OUTPUT' cannot be used with account code '429'",
        "On every line with account 429, change the tax code OUTPUT",
        "bills",
        lines=(Line(tax="OUTPUT"),),
    ),
    Case(
        "The TaxType code GST on Income does not exist or cannot be used",
        "change the tax code GST on Income on its lines",
        change=with_line(TaxType="GST on Income"),
    ),
    Case(
        "The TaxType field is mandatory",
        "give each line a tax code",
        "bills",
        approved(TaxType=None),
        (Line(account="404"),),
    ),
    Case("The tax amount cannot be greater than the line amount!", "correct the tax", change=with_line(TaxAmount=999)),
    Case("Account code '290' has been archived", "Restore account 290 in Xero", lines=(Line(account="290"),)),
    Case(
        "Account code '476' has been removed as it does not match a recognised account",
        "choose another account for the lines that have 476",
        change=with_line(AccountID=None, AccountCode="476"),
    ),
    Case(
        "Account code '610' is not a valid code for this document.",
        "choose another active account for the lines that have 610",
        lines=(Line(account="610", tax="BASEXCLUDED"),),
    ),
    Case("Account code must be specified", "choose an account for each line", change=approved(AccountID=None)),
    Case(
        "Account could not be found.",
        "choose the account of each line again",
        change=with_line(AccountID=str(uuid4())),
    ),
    Case("The description field is mandatory", "write a description on each line", change=approved(Description=None)),
    Case(
        "The line total 99.99 does not match the expected line total 100.00",
        "correct the line of 99.99",
        change=with_line(LineAmount="99.99"),
    ),
    Case(
        "The UnitAmount should be used when specifying a discount",
        "give the discounted line a quantity and a unit price",
        change=with_line(UnitAmount=None, LineAmount="90", DiscountRate="10"),
    ),
    Case(
        "The quantity value '-2' is invalid. Quantity must not be less than zero.",
        "make the quantity -2 positive",
        lines=(Line(), Line(quantity="-2", unit_price="10")),
    ),
    Case("The Total for this document must be greater than", "Create a credit note", lines=(Line(unit_price="-1"),)),
    Case("Due date cannot be empty.", "enter a due date", change=with_fields(DueDate=None, **AUTHORISED)),
    Case(
        "Price List Item with Code 'BOLT-8' could not be found",
        "Create the item BOLT-8",
        change=with_line(ItemCode="BOLT-8"),
    ),
    Case(
        "is already assigned to another contact",
        "that was pulled from Xero",
    ),
    Case("Another contact has this contact number.", "including archived ones"),
    Case("The contact with the specified contact details has been archived.", "choose the contact that took its place"),
    Case(
        "The Contact must contain at least 1 of",
        "choose a contact that was pulled from Xero",
        change=with_fields(Contact={}),
    ),
    Case("Email address must be valid.", "Correct the contact's email", change=with_contact(EmailAddress="müller@x")),
    Case(
        "The tracking option 'Old depot' of the category 'Region' is archived.",
        "restore the archived item named above",
        change=with_line(Tracking=[{"Name": "Region", "Option": "Old depot"}]),
    ),
]


def contacts_of(books: Books, case: Case) -> Change | None:
    """What depends on who is there in Xero."""
    if case.words.startswith("is already assigned"):
        [other] = books.world.query("SELECT name FROM qicworks.contact WHERE id = %s", books.contacts[1])
        return with_contact(Name=other["name"])
    if case.words.startswith("Another contact has"):
        [second] = books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", books.contacts[1])
        books.world.sandbox.change("Contacts", str(second["xero_id"]), ContactNumber="C-77")
        return with_contact(ContactNumber="C-77")
    if case.words.startswith("The contact with"):
        return with_contact(ContactID=one(books, "Contacts", ContactStatus="ARCHIVED")["ContactID"])
    return case.change


def assert_told(books: Books, kind: str, document: UUID, words: str, says: str, state: str = "failed") -> Entry:
    """The document and its event say Xero's words and what to do: by which entry."""
    row = books.row(kind, document)
    name = f"{KINDS[kind].word} {row['number']}"
    [event] = books.world.query(
        "SELECT * FROM xero_sync.connection_event WHERE document = %s ORDER BY id DESC LIMIT 1", name
    )
    assert row["push_state"] == state, (words, row["push_error"])
    if state == "pushed":
        assert (event["status"], row["push_error"]) == ("warning", None)
        assert words in event["message"]
        return entry_for(event["message"])
    assert words in row["push_error"]
    expected = correct(row["push_error"].split("; "), document=name, number=row["number"], function="business")
    assert expected.known, row["push_error"]
    assert row["push_correction"] == expected.text
    assert says in row["push_correction"]
    assert event["status"] == "error"
    assert (event["message"], event["correction"]) == (row["push_error"], row["push_correction"])
    return entry_for(row["push_error"].split("; ")[-1])


def entry_for(words: str, function: str = "business") -> Entry:
    return next(one for one in catalogue() if function in one.functions and one.search(words))


def created(books: Books) -> set[Entry]:
    """Provokes what Xero says of new documents; gives the entries that were found."""
    tax_free = one(books, "Accounts", Code="404")["AccountID"]
    books.world.sandbox.change("Accounts", tax_free, TaxType=None)
    found = set()
    for case in CREATED:
        change = contacts_of(books, case)
        with switched(books, **case.switches):
            document = books.add(case.kind, *(case.lines or (Line(),)), **case.columns(books))
            outcome = books.push(kind_of(case.kind, change))
        assert (outcome.counts.pushed, outcome.counts.failed) == ((1, 0) if case.state == "pushed" else (0, 1)), case
        found.add(assert_told(books, case.kind, document, case.words, case.says, case.state))
    return found


@contextmanager
def october_locked(books: Books) -> Iterator[None]:
    """In Xero; QicWorks does not know it yet. Drafts are bound, too."""
    path = f"organisations/{books.world.sandbox.tenant()}"
    before = books.world.sandbox.control("GET", path)["PeriodLockDate"]
    books.world.sandbox.control("PATCH", path, {"PeriodLockDate": ms_date("2026-10-31")})
    with switched(books, lock_dates_bind_drafts=True):
        yield
    books.world.sandbox.control("PATCH", path, {"PeriodLockDate": before})


def ms_date(day: str) -> str:
    return f"/Date({int(datetime.fromisoformat(day + 'T00:00Z').timestamp() * 1000)}+0000)/"


def changed(books: Books) -> set[Entry]:
    """The same of documents that stood in Xero before, where things have gone on."""
    paid, to_be_voided, locked = documents = [books.add("invoices") for _ in range(3)]
    books.push("invoices")
    for document in (paid, to_be_voided):
        xero_id = str(books.row("invoices", document)["xero_id"])
        books.bookkeep("approve", invoice=xero_id)
        books.bookkeep("pay", invoice=xero_id)
    every = frozenset({"DRAFT", "AUTHORISED", "PAID"})  # statuses in which we would not even ask
    for document in documents:
        change = with_fields(Status="VOIDED") if document == to_be_voided else None
        books.edit("invoices", document, reference="changed")
        with october_locked(books) if document == locked else nullcontext():
            books.push(kind_of("invoices", change, editable=every))
    told = {
        paid: ("This document cannot be edited as it has a payment or credit note allocated", "Undo your change"),
        to_be_voided: ("The status VOIDED cannot be applied to the invoice because it has", "first remove the pay"),
        locked: ("cannot be edited as it is currently dated before the period lock date", "move the period lock date"),
    }
    return {assert_told(books, "invoices", document, words, says) for document, (words, says) in told.items()}


def asked(books: Books) -> set[Entry]:
    """What no document of QicWorks makes Xero say, asked for straight: the words come through the client."""
    with database.session(books.world.engine) as session:
        connection = connections.one(session, books.connection_id)
    client = opener(books.world.engine, books.world.app)(connection, True)

    def refused(path: str, body: Any, key: str) -> list[str]:
        with pytest.raises(Refused) as raised:
            client.write("POST", path, json.dumps(body).encode(), key=key)
        return raised.value.messages

    found = {heard(function, refused(path, body, str(uuid4())), says) for function, path, body, says in asks(books)}
    known = f"{ACCOUNTING}Invoices/{one(books, 'Invoices', Type='ACCREC', Status='DRAFT')['InvoiceID']}"
    client.write("POST", known, b'{"Reference": "one"}', key="one key")
    return found | {heard("business", refused(known, {"Reference": "other"}, "one key"), "If it is there once")}


def asks(books: Books) -> Iterator[tuple[str, str, Any, str]]:
    """(function, path, body, a piece of the correction)"""
    unknown = str(uuid4())
    paid = one(books, "Invoices", Type="ACCREC", Status="PAID")["InvoiceID"]
    yield "business", f"{ACCOUNTING}Invoices/{paid}", {"Date": "2026-10-06"}, "Set the date of the"
    yield "business", f"{ACCOUNTING}Invoices/{unknown}", {"Reference": "x"}, "has the right type in Xero"
    yield "business", f"{ACCOUNTING}CreditNotes/{unknown}", {"Reference": "x"}, "give it a new number in QicWorks"
    everybody = books.world.sandbox.truth("Employees")
    employee = next(one for one in everybody if one["Status"] == "ACTIVE" and one["LeaveBalances"])
    id, template = {"EmployeeID": employee["EmployeeID"]}, employee["PayTemplate"]
    line = {"EarningsRateID": unknown, "CalculationType": "USEEARNINGSRATE", "NormalNumberOfUnits": 1}
    for fields, says in (
        ({"TerminationDate": "2026-12-31"}, "enter the termination reason"),
        ({"OrdinaryEarningsRateID": unknown}, "make the pay item for ordinary hours active"),
        ({"PayrollCalendarID": unknown}, "choose a payroll calendar"),
        ({"PayTemplate": {**template, "SuperLines": []}}, "add the superannuation guarantee"),
        ({"PayTemplate": {**template, "EarningsLines": [line]}}, "choose a pay code that is active"),
    ):
        yield "payroll", f"{PAYROLL}Employees", [{**id, **fields}], says
    leave = {**id, "Title": "Leave", "StartDate": "2026-12-07", "EndDate": "2026-12-08"}
    leave["LeaveTypeID"] = employee["LeaveBalances"][0]["LeaveTypeID"]
    stray = [{"PayPeriodStartDate": "2026-01-01", "PayPeriodEndDate": "2026-01-03", "NumberOfUnits": 8}]
    for fields, says in (
        ({"LeaveTypeID": unknown}, "assign the leave type"),
        ({"LeavePeriods": stray}, "Compare the pay frequency"),
    ):
        yield "payroll", f"{PAYROLL}LeaveApplications", [{**leave, **fields}], says


def by_hand(books: Books) -> set[Entry]:
    """What Xero says to people, and to other programs."""
    draft = one(books, "Invoices", Type="ACCREC", Status="DRAFT")["InvoiceID"]
    open_one = one(books, "Invoices", Type="ACCREC", Status="AUTHORISED")["InvoiceID"]
    calendar = one(books, "PayRuns", PayRunStatus="DRAFT")["PayrollCalendarID"]
    organisation = f"{books.world.sandbox.url}/sandbox/organisations/{books.world.sandbox.tenant()}"
    orders = [
        ("business", "bookkeeping", {"do": "pay", "invoice": draft}, "then enter its payment there"),
        ("business", "bookkeeping", {"do": "pay", "invoice": open_one, "amount": 99_999}, "Compare the payments"),
        ("payroll", "payruns/draft", {"calendar": calendar}, "post the draft pay run of this calendar"),
    ]
    found = set()
    for function, path, order, says in orders:
        answer = books.world.sandbox.session.post(f"{organisation}/{path}", json=order)
        found.add(heard(function, [str(answer.json()["error"])], says))
    return found


def heard(function: str, messages: list[str], says: str) -> Entry:
    """The entry for these words; they are known, and say that."""
    correction = correct(messages, document="invoice INV-1", number="INV-1", function=function)
    assert correction.known, messages
    assert says in correction.text, messages
    return entry_for(messages[-1], function)


#: A piece of the entry's pattern, and why neither the sandbox nor a document of QicWorks makes Xero say it.
NOT_PROVOKED = {
    "invalid_grant": "ends the authorisation before any document is looked at",
    "user specified does not have": "of the user who connected; the sandbox's user may do all, or no payroll at all",
    "tax rate must be valid": "other words for a tax type that does not exist, which the sandbox says otherwise",
    "bank account details": "of bank transactions, which are not pushed",
    "contact name already exists": "of renaming contacts, which are not pushed",
    "matched an archived contact": "of changing contacts, which are not pushed",
    "unable to assign an archived": "of contact groups, which are not pushed",
    "additional people cannot": "of changing contacts, which are not pushed",
    "(contacts)": "of new contacts: tests/flow/push/test_contact_refusals.py",
    "email address must be valid (payroll)": "of changing employees, of whom only pay templates are pushed",
    "enter a unique name": "of accounts and other set-up, which is not pushed",
    "only status accepted": "of changing payments, which are not pushed",
    "spend money": "of bank transactions, which are not pushed",
    "using the UserID": "of expense claims, which Xero does not have any more",
    "unprocessed leave": "of moving employees to another calendar, which is not pushed",
    "unprocessed timesheet": "of moving employees to another calendar, which is not pushed",
    "not a draft timesheet": "of timesheets, which are not pushed",
    "timesheets? (?:already": "of timesheets, which are not pushed",
    "invalid EmployeeID": "the sandbox says of an unknown employee that they could not be found",
    r"^has been removed as it does not": "for what else Xero may take off; of accounts there is an entry",
    r"\block date\b": "for other words on lock dates; of those known there are entries",
    "(?:payments?|credit notes?) allocated": "for other words on allocations; of those known there are entries",
    "validation exception": "for a refusal that names nothing; the sandbox always names something",
}


def test_each_refusal_comes_back_with_its_correction(books: Books) -> None:
    found = created(books) | changed(books) | asked(books) | by_hand(books)
    silent = {name_of(entry) for entry in catalogue() if entry not in found}
    explained = {name: [reason for reason in NOT_PROVOKED if is_named(name, reason)] for name in silent}
    left = [name for name, reasons in explained.items() if not reasons]
    assert not left, f"neither provoked nor is it said why not: {left}"
    idle = set(NOT_PROVOKED) - {reason for reasons in explained.values() for reason in reasons}
    assert not idle, f"these are provoked, or not in the catalogue: {idle}"


def name_of(entry: Entry) -> str:
    only = "" if len(entry.functions) > 1 else f" ({entry.functions[0]})"
    return entry.pattern + only


def is_named(name: str, reason: str) -> bool:
    return name.startswith(reason[1:]) if reason.startswith("^") else reason.casefold() in name.casefold()
