"""Credits: credit notes, overpayments and prepayments, allocated to invoices or paid out again."""

from __future__ import annotations

from decimal import Decimal

from xero_sandbox.collection import Kind, Record
from xero_sandbox.documents import (
    CREDIT_NOTES,
    CREDITS,
    INVOICES,
    OVERPAYMENTS,
    PAYMENTS,
    PREPAYMENTS,
    on_invoice,
    priced,
    settle,
    settle_credit,
    stub,
)
from xero_sandbox.ledger import NOT_AUTHORISED, Ledger, money, part_of
from xero_sandbox.paying import pay_invoice, payment_of


def credit(ledger: Ledger, invoice: str, amount: object = None, date: str | None = None, credit: str = "") -> Record:
    """Allocates a credit note: the one that is named, or a new one of that amount. Returns it."""
    return _apply(ledger, CREDIT_NOTES, invoice, amount, date, credit)


def apply_overpayment(
    ledger: Ledger, invoice: str, amount: object = None, date: str | None = None, credit: str = ""
) -> Record:
    """Allocates the overpayment that is named, or one of the same contact that has enough left, or else a new one."""
    return _apply(
        ledger, OVERPAYMENTS, invoice, amount, date, credit or _fitting(ledger, OVERPAYMENTS, invoice, amount)
    )


def apply_prepayment(
    ledger: Ledger, invoice: str, amount: object = None, date: str | None = None, credit: str = ""
) -> Record:
    """As `apply_overpayment`."""
    return _apply(ledger, PREPAYMENTS, invoice, amount, date, credit or _fitting(ledger, PREPAYMENTS, invoice, amount))


def overpay(ledger: Ledger, invoice: str, by: object, date: str | None = None, reference: str = "") -> Record:
    """Pays what is due and `by` more, which becomes an overpayment. Returns the overpayment."""
    document, due = ledger.payable(invoice)
    rest = money(by)
    pay_invoice(ledger, document, due, ledger.day(date), reference)
    return receive(ledger, OVERPAYMENTS, document, rest, ledger.day(date))


def remove_credit(ledger: Ledger, invoice: str, credit: str | None = None) -> None:
    """Takes the allocation of this credit (the last one when none is named) off the invoice."""
    document = ledger.read(INVOICES, invoice)
    found = [(kind, on) for kind in CREDITS for on in document[kind.plural] if credit in (None, on[kind.key])]
    if not found:
        raise ValueError("The invoice has no such credit allocated to it")
    kind, on = found[-1]
    source = ledger.read(kind, on[kind.key])
    source["Allocations"] = [use for use in source["Allocations"] if use["Invoice"]["InvoiceID"] != invoice]
    document[kind.plural] = [other for other in document[kind.plural] if other[kind.key] != on[kind.key]]
    ledger.write(kind, settle_credit(source))
    ledger.write(INVOICES, settle(document))


def refund(ledger: Ledger, credit: str, amount: object = None, date: str | None = None, reference: str = "") -> Record:
    """Pays out what is left of a credit, or part of it. Returns the payment."""
    kind, source = ledger.find_credit(credit)
    if source["Status"] not in ("AUTHORISED", "PAID"):
        raise ValueError(NOT_AUTHORISED)
    name, side = kind.plural[:-1], "AR" if _receivable(source) else "AP"
    part = part_of(source["RemainingCredit"], amount)
    about = {field: source[field] for field in (kind.key, "CreditNoteNumber", "Type", "Contact") if field in source}
    record = payment_of(ledger, f"{side}{name.replace('Note', '').upper()}PAYMENT", part, ledger.day(date), reference)
    record[name] = about
    if kind is CREDIT_NOTES:  # Xero shows it under Invoice as well, with the credit note's id, number and type
        record["Invoice"] = stub({**source, "InvoiceID": credit, "InvoiceNumber": source["CreditNoteNumber"]})
    payment = ledger.add(PAYMENTS, record)
    source["Payments"].append(on_invoice(payment))
    ledger.write(kind, settle_credit(source))
    return payment


def receive(ledger: Ledger, kind: Kind, invoice: Record, amount: Decimal, day: str) -> Record:
    """A new credit of that kind, for the contact of the invoice and like its first line. Nothing is allocated yet."""
    sale, first = invoice["Type"] == "ACCREC", {"TaxType": "BASEXCLUDED", **next(iter(invoice["LineItems"]), {})}
    line: Record = {"LineItemID": ledger.new_id(), "Description": f"For {invoice['InvoiceNumber'] or 'a bill'}"}
    line |= {"Quantity": Decimal("1.0000"), "UnitAmount": amount, "TaxType": first["TaxType"]}
    line |= {"AccountCode": first.get("AccountCode", "200" if sale else "429"), "Tracking": []}
    number = f"CN-{len(ledger.collection(kind).rows) + 1:04d}"
    fields: Record = {"Type": "ACCRECCREDIT" if sale else "ACCPAYCREDIT", "CreditNoteNumber": number if sale else ""}
    if kind is not CREDIT_NOTES:
        fields = {"Type": ("RECEIVE-" if sale else "SPEND-") + kind.plural[:-1].upper()}
    if kind is OVERPAYMENTS:
        line |= {"TaxType": "BASEXCLUDED", "AccountCode": "610" if sale else "800"}
    figures = priced([line], "NoTax" if kind is OVERPAYMENTS else "Inclusive")
    fields |= {
        "Contact": invoice["Contact"],
        "Date": day,
        "Status": "AUTHORISED",
        "Reference": "",
        "CurrencyCode": "AUD",
        "CurrencyRate": Decimal("1.0"),
        "Allocations": [],
        "Payments": [],
        "HasAttachments": False,
    }
    return ledger.add(kind, settle_credit(fields | figures))


def _receivable(credit: Record) -> bool:
    return str(credit["Type"]).startswith(("ACCREC", "RECEIVE"))


def _fitting(ledger: Ledger, kind: Kind, invoice: str, amount: object) -> str:
    """A credit of the invoice's contact and side with enough left, "" when there is none."""
    document, part = ledger.payable(invoice, amount)
    for row in ledger.collection(kind).by_updated():
        found = row.record
        if _goes_with(found, document) and found["RemainingCredit"] >= part:
            return row.key
    return ""


def _goes_with(credit: Record, invoice: Record) -> bool:
    same_contact = bool(credit["Contact"]["ContactID"] == invoice["Contact"]["ContactID"])
    return same_contact and _receivable(credit) == (invoice["Type"] == "ACCREC")


def _apply(ledger: Ledger, kind: Kind, invoice: str, amount: object, date: str | None, credit: str) -> Record:
    document, part = ledger.payable(invoice, amount)
    day = ledger.day(date)
    source = ledger.read(kind, credit) if credit else receive(ledger, kind, document, part, day)
    if source["Status"] not in ("AUTHORISED", "PAID"):
        raise ValueError(NOT_AUTHORISED)
    if not _goes_with(source, document):
        raise ValueError("The contact and the type of the credit must be those of the invoice")
    part = part_of(source["RemainingCredit"], part)
    about = {name: source[name] for name in (kind.key, "CreditNoteNumber") if name in source}
    document[kind.plural].append({**about, "AppliedAmount": part, "Date": day, "Total": source["Total"]})
    named = {"InvoiceID": invoice, "InvoiceNumber": document["InvoiceNumber"]}
    source["Allocations"].append({"AllocationID": ledger.new_id(), "Amount": part, "Date": day, "Invoice": named})
    ledger.write(INVOICES, settle(document))
    return ledger.write(kind, settle_credit(source))
