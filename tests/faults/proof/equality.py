"""Whether QicWorks holds what Xero holds, field by field, of every data set and organisation.

The translations are those of tests/flow, written out by hand: they owe the declarations nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from tests.faults.proof.facts import Facts, Result, Row, Side, plain, unlike
from tests.support import expected_accounting as accounting
from tests.support import expected_payroll as payroll
from tests.support import ledger as payments
from xero.datasets.registry import DATASETS

ANY_DAY = date(2000, 1, 1)  # on which balances were read: the newest ones are the active ones


@dataclass(frozen=True)
class Wanted:
    """What a table is to hold of an organisation; rows beside these must be inactive, where there may be any at all."""

    table: str
    rows: list[Row]
    key: tuple[str, ...] = ("xero_id",)
    only_active: bool = False  # rows that are inactive are history


def of_contacts(side: Side) -> Iterator[Wanted]:
    yield Wanted("contact", [accounting.contact(one) for one in side.truth["Contacts"]])


def of_accounts(side: Side) -> Iterator[Wanted]:
    yield Wanted("account", [accounting.account(one) for one in side.truth["Accounts"]])


def of_tax_codes(side: Side) -> Iterator[Wanted]:
    yield Wanted("tax_code", [accounting.tax_code(one) for one in side.truth["TaxRates"]], ("tax_type",))


def of_currencies(side: Side) -> Iterator[Wanted]:
    yield Wanted("currency", [accounting.currency(one) for one in side.truth["Currencies"]], ("code",))


def of_tracking(side: Side) -> Iterator[Wanted]:
    categories = side.truth["TrackingCategories"]
    yield Wanted("tracking_category", [accounting.category(one) for one in categories])
    yield Wanted("tracking_option", [accounting.option(one) for one in accounting.options(categories)])


def of_pay_codes(side: Side) -> Iterator[Wanted]:
    items = payroll.PAY_ITEMS.items()
    codes = [payroll.pay_code(one, id, kind) for name, (id, kind) in items for one in side.truth[name]]
    yield Wanted("pay_code", codes)
    yield Wanted("payroll_calendar", [payroll.calendar(one) for one in side.truth["PayrollCalendars"]])


def of_staff(side: Side) -> Iterator[Wanted]:
    employees = side.truth["Employees"]
    yield Wanted("staff", [payroll.member(one) for one in employees])
    lines = [line for one in employees for line in payroll.template_lines(one)]
    key = ("employee_xero_id", "kind", "pay_code_xero_id", "contribution_type", "line_number")
    yield Wanted("pay_template_line", lines, key)


def of_balances(side: Side) -> Iterator[Wanted]:
    active = [one for one in side.truth["Employees"] if one["Status"] == "ACTIVE"]
    rows = [row for one in active for row in payroll.balances(one, ANY_DAY)]
    for row in rows:
        del row["as_at"]
    yield Wanted("leave_balance", rows, ("employee_xero_id", "leave_type_xero_id"), only_active=True)


def of_payments(side: Side) -> Iterator[Wanted]:
    """Of QicWorks' own invoices all; of others what is held."""
    batches = {one["BatchPaymentID"] for one in side.truth["BatchPayments"]}
    ours = {str(one["xero_id"]) for one in side.invoices}
    held = {str(row["xero_id"]) for row in side.held["invoice_payment"]}
    found = [one for one in side.truth["Payments"] if payments.is_of_an_invoice(one)]
    due = [one for one in found if one["Invoice"]["InvoiceID"] in ours or one["PaymentID"] in held]
    yield Wanted("invoice_payment", [payments.payment(one, batches) for one in due])


def of_leave(side: Side) -> Iterator[Wanted]:
    """Of QicWorks' own requests all; of others what is held."""
    held = {str(row["xero_id"]) for row in side.held["leave_application"]}
    due = [
        one
        for one in side.truth["LeaveApplications"]
        if one["LeaveApplicationID"] in held or "QicWorks " in str(one.get("Description"))
    ]
    yield Wanted("leave_application", [payroll.leave(one) for one in due])


def of_documents(side: Side) -> Iterator[Wanted]:
    """Of QicWorks' own documents all; of others what is held."""
    ours = {str(one.row["xero_id"]) for one in side.documents} | {str(one["xero_id"]) for one in side.invoices}
    for table, collection, key in (
        ("invoice_record", "Invoices", "InvoiceID"),
        ("credit_note_record", "CreditNotes", "CreditNoteID"),
        ("purchase_order_record", "PurchaseOrders", "PurchaseOrderID"),
    ):
        due = ours | {str(row["xero_id"]) for row in side.held[table]}
        there = [one for one in side.truth[collection] if one[key] in due]
        rows = [
            {
                "xero_id": one[key],
                "status": one["Status"],
                "total": payments.exact(one["Total"]),
                "is_active": one["Status"] not in ("VOIDED", "DELETED"),
            }
            for one in there
        ]
        yield Wanted(table, rows)


COMPARED: dict[str, Callable[[Side], Iterator[Wanted]]] = {
    "contacts": of_contacts,
    "chart_of_accounts": of_accounts,
    "tax_codes": of_tax_codes,
    "currencies": of_currencies,
    "tracking_categories": of_tracking,
    "pay_codes": of_pay_codes,
    "staff": of_staff,
    "leave_balances": of_balances,
    "invoice_payments": of_payments,
    "leave_applications": of_leave,
    "document_status": of_documents,
}


def check(facts: Facts) -> Result:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    excused = 0
    for name, dataset in DATASETS.items():
        for side in facts.sides:
            if name not in COMPARED or (dataset.payroll and not side.payroll):
                continue
            for wanted in COMPARED[name](side):
                rejected = side.keys_of(facts.rejections, wanted.table)
                excused += len(rejected)
                counts[wanted.table] += len(wanted.rows)
                wrong += [f"{side.name}, {says}" for says in differences(side, wanted, rejected)]
    for side in facts.sides:
        counts["invoice balances"] += len(side.invoices)
        wrong += [f"{side.name}, {says}" for says in unbalanced(side)]
    if unknown := DATASETS.keys() - COMPARED.keys():
        wrong.append(f"nobody has written out what {', '.join(sorted(unknown))} should hold: {__file__}")
    wrong += [f"no {table} was there to compare" for table, count in counts.items() if not count]
    said = ", ".join(f"{count} {table}" for table, count in counts.items())
    return Result("QicWorks equals Xero", f"{said}; {excused} rejected in their newest version, with reasons", wrong)


def differences(side: Side, wanted: Wanted, rejected: set[str]) -> Iterator[str]:
    held = [row for row in side.held[wanted.table] if row["is_active"] or not wanted.only_active]
    here = {key_of(row, wanted.key): row for row in held}
    if len(here) != len(held):
        yield f"{wanted.table}: {len(held) - len(here)} rows are there twice"
    due = {key_of(row, wanted.key): row for row in wanted.rows}
    assert len(due) == len(wanted.rows), f"{wanted.key} does not tell rows of {wanted.table} apart"
    for key, row in due.items():
        if str(key[0]) in rejected:
            continue
        if key not in here:
            yield f"{wanted.table} {key}: it is not in QicWorks"
        else:
            yield from unlike(f"{wanted.table} {key}", here[key], row)
    for key, row in here.items():
        if key not in due and row["is_active"]:
            yield f"{wanted.table} {key}: it is active in QicWorks, and not in Xero"


def key_of(row: Row, key: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(plain(row[name]) for name in key)


def unbalanced(side: Side) -> Iterator[str]:
    """QicWorks' invoices: paid, credited, owing and status as in Xero."""
    there = {one["InvoiceID"]: one for one in side.truth["Invoices"]}
    for invoice in side.invoices:
        record = there.get(str(invoice["xero_id"]))
        if record is None:
            yield f"invoice {invoice['number']}: it is not in Xero"
            continue
        due = {name: value for name, value in payments.amounts(record).items() if (name, value) != ("status", None)}
        yield from unlike(f"invoice {invoice['number']}", invoice, due)
