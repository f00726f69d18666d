"""Invoices, payments and credits: their kinds, how lines are priced, and what follows from what was paid and credited.

Amounts are `Decimal`, to the cent; dates are `/Date(ms+0000)/` at midnight, as everywhere in the Accounting API.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from xero_sandbox.collection import Kind, Record
from xero_sandbox.data.settings_lists import RATES
from xero_sandbox.wire import ms_date, read_ms_date

INVOICES = Kind("Invoices", "InvoiceID", "Status", name="Reference")
PAYMENTS = Kind("Payments", "PaymentID", "Status", name="Reference")
BATCH_PAYMENTS = Kind("BatchPayments", "BatchPaymentID", "Status")
CREDIT_NOTES = Kind("CreditNotes", "CreditNoteID", "Status")
OVERPAYMENTS = Kind("Overpayments", "OverpaymentID", "Status")
PREPAYMENTS = Kind("Prepayments", "PrepaymentID", "Status")
PURCHASE_ORDERS = Kind("PurchaseOrders", "PurchaseOrderID", "Status", name="Reference")

CREDITS = (CREDIT_NOTES, OVERPAYMENTS, PREPAYMENTS)
KINDS = (INVOICES, PAYMENTS, BATCH_PAYMENTS, *CREDITS)

ZERO = Decimal("0.00")
PERCENT = {tax_type: Decimal(rate) for tax_type, _, _, rate, _, _ in RATES}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def total(amounts: Iterable[Decimal | int]) -> Decimal:
    """The sum to the cent; whole numbers come from JSON as int."""
    return cents(sum((Decimal(amount) for amount in amounts), ZERO))


def day(moment: date) -> str:
    """Midnight of that date on the wire."""
    return ms_date(int(datetime(moment.year, moment.month, moment.day, tzinfo=UTC).timestamp() * 1000))


def price(line: Record, amount_types: str) -> Record:
    """The line with its LineAmount and its TaxAmount, which is rounded line by line."""
    amount = cents(Decimal(line["Quantity"]) * Decimal(line["UnitAmount"]))
    percent = PERCENT[line["TaxType"]]
    tax = {
        "Exclusive": amount * percent / 100,
        "Inclusive": amount * percent / (100 + percent),
        "NoTax": ZERO,
    }[amount_types]
    return {**line, "LineAmount": amount, "TaxAmount": cents(tax)}


def priced(lines: list[Record], amount_types: str) -> Record:
    """The fields of a document with these lines: the lines priced, SubTotal, TotalTax and Total."""
    return figures([price(line, amount_types) for line in lines], amount_types)


def figures(lines: list[Record], amount_types: str) -> Record:
    """The fields of a document with these lines, which are priced already."""
    amount, tax = total(line["LineAmount"] for line in lines), total(line["TaxAmount"] for line in lines)
    net = amount - tax if amount_types == "Inclusive" else amount
    return {
        "LineAmountTypes": amount_types,
        "LineItems": lines,
        "SubTotal": net,
        "TotalTax": tax,
        "Total": net + tax,
    }


def settle(invoice: Record) -> Record:
    """Sets the amounts, the status and FullyPaidOnDate that follow from the payments and credits on the invoice."""
    credits = [credit for kind in CREDITS for credit in invoice[kind.plural]]
    paid = total(payment["Amount"] for payment in invoice["Payments"])
    credited = total(credit["AppliedAmount"] for credit in credits)
    ended = invoice["Status"] in ("VOIDED", "DELETED")
    due = ZERO if ended else total((invoice["Total"], -paid, -credited))
    invoice |= {"AmountDue": due, "AmountPaid": paid, "AmountCredited": credited}
    return _finish(invoice, due, [*invoice["Payments"], *credits])


def settle_credit(credit: Record) -> Record:
    """Sets RemainingCredit, the status and FullyPaidOnDate that follow from allocations and refunds."""
    spent = [*credit["Allocations"], *credit["Payments"]]
    credit["RemainingCredit"] = total((credit["Total"], *(-Decimal(use["Amount"]) for use in spent)))
    return _finish(credit, credit["RemainingCredit"], spent)


def _finish(document: Record, open_amount: Decimal, moves: list[Record]) -> Record:
    if document["Status"] in ("AUTHORISED", "PAID"):
        document["Status"] = "AUTHORISED" if open_amount else "PAID"
    days = [move["Date"] for move in moves] or [document["Date"]]
    last = max(days, key=lambda text: read_ms_date(text) or 0)
    document["FullyPaidOnDate"] = last if document["Status"] == "PAID" else None  # None is left out on the wire
    return document


def stub(document: Record) -> Record:
    """How a payment or an allocation names an invoice."""
    return {name: document[name] for name in ("Type", "InvoiceID", "InvoiceNumber", "Contact", "CurrencyCode")}


def on_invoice(payment: Record) -> Record:
    """How an invoice or a credit lists a payment."""
    names = ("PaymentID", "BatchPaymentID", "Date", "Amount", "Reference", "CurrencyRate")
    return {name: payment[name] for name in names if name in payment} | {
        "HasAccount": payment["HasAccount"],
        "HasValidationErrors": False,
    }
