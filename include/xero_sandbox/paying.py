"""Payments of invoices, alone and in batches, and their deletion."""

from __future__ import annotations

from decimal import Decimal

from xero_sandbox.collection import Record
from xero_sandbox.documents import (
    BATCH_PAYMENTS,
    CREDITS,
    INVOICES,
    PAYMENTS,
    on_invoice,
    settle,
    settle_credit,
    stub,
    total,
)
from xero_sandbox.ledger import Ledger


def pay(ledger: Ledger, invoice: str, amount: object = None, date: str | None = None, reference: str = "") -> Record:
    """Pays what is due, or part of it. Returns the payment."""
    document, part = ledger.payable(invoice, amount)
    return pay_invoice(ledger, document, part, ledger.day(date), reference)


def pay_invoice(ledger: Ledger, document: Record, amount: Decimal, day: str, reference: str, **more: object) -> Record:
    kind = f"{document['Type']}PAYMENT"
    payment = ledger.add(
        PAYMENTS, payment_of(ledger, kind, amount, day, reference) | {"Invoice": stub(document)} | more
    )
    document["Payments"].append(on_invoice(payment))
    ledger.write(INVOICES, settle(document), ledger.bump)
    return payment


def payment_of(ledger: Ledger, kind: str, amount: Decimal, day: str, reference: str) -> Record:
    return {
        "Date": day,
        "BankAmount": amount,
        "Amount": amount,
        "Reference": reference,
        "CurrencyRate": Decimal("1.0"),
        "PaymentType": kind,
        "Status": "AUTHORISED",
        "HasAccount": True,
        "IsReconciled": False,
        "Account": ledger.account,
        "HasValidationErrors": False,
    }


def pay_batch(ledger: Ledger, invoices: list[str], date: str | None = None, reference: str = "") -> Record:
    """Pays these in full, in one sum. Returns the batch."""
    due = [ledger.payable(invoice) for invoice in invoices]
    if len(set(invoices)) < len(invoices) or len({document["Type"] for document, _ in due}) != 1:
        raise ValueError("A batch pays different invoices of one type")
    batch, day = ledger.new_id(), ledger.day(date)
    payments = [pay_invoice(ledger, document, part, day, reference, BatchPaymentID=batch) for document, part in due]
    listed = [
        {
            "Invoice": {"InvoiceID": payment["Invoice"]["InvoiceID"], "CurrencyCode": "AUD"},
            "PaymentID": payment["PaymentID"],
            "Amount": payment["Amount"],
            "BankAmount": payment["Amount"],
        }
        for payment in payments
    ]
    return ledger.add(
        BATCH_PAYMENTS,
        {
            "BatchPaymentID": batch,
            "Account": {"AccountID": ledger.account["AccountID"], "CurrencyCode": "AUD"},
            "Reference": reference,
            "Date": day,
            "Payments": listed,
            "Type": "RECBATCH" if due[0][0]["Type"] == "ACCREC" else "PAYBATCH",
            "Status": "AUTHORISED",
            "TotalAmount": total(payment["Amount"] for payment in listed),
            "IsReconciled": False,
        },
    )


def delete_payment(ledger: Ledger, payment: str) -> None:
    """Takes a payment or a refund back: it stays, as DELETED, and is no longer listed where it was paid."""
    gone = ledger.read(PAYMENTS, payment)
    if gone["Status"] != "AUTHORISED":
        raise ValueError("Payment not of valid status for modification")
    ledger.write(PAYMENTS, {**gone, "Status": "DELETED", "IsReconciled": False})
    refunded = next((gone[kind.plural[:-1]][kind.key] for kind in CREDITS if kind.plural[:-1] in gone), None)
    if refunded:
        kind, credit = ledger.find_credit(refunded)
        ledger.write(kind, settle_credit(_without(credit, payment)))
    else:
        document = ledger.read(INVOICES, gone["Invoice"]["InvoiceID"])
        ledger.write(INVOICES, settle(_without(document, payment)), ledger.bump)
    if "BatchPaymentID" in gone:
        batch = _without(ledger.read(BATCH_PAYMENTS, gone["BatchPaymentID"]), payment)
        batch["TotalAmount"] = total(left["Amount"] for left in batch["Payments"])
        ledger.write(BATCH_PAYMENTS, batch | ({} if batch["Payments"] else {"Status": "DELETED"}))


def _without(document: Record, payment: str) -> Record:
    return {**document, "Payments": [left for left in document["Payments"] if left["PaymentID"] != payment]}
