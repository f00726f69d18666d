"""Payments and batch payments, to read."""

from __future__ import annotations

from xero_sandbox.collection import Record
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.payments import from_history
from xero_sandbox.documents import BATCH_PAYMENTS, INVOICES, PAYMENTS
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.endpoints.invoices import (
    EMPTY_CONTACT,
    EMPTY_INVOICE,
    answer_one,
    invoice_body,
    moment_text,
    with_text_dates,
)
from xero_sandbox.endpoints.listing import listed, page_of, select
from xero_sandbox.endpoints.where import field
from xero_sandbox.problems import not_found
from xero_sandbox.wire import Reply, encode

ROOT = "/api.xro/2.0"
READ = ("accounting.payments", "accounting.payments.read")


def _quoted(invoice: Record) -> Record:
    contact = invoice.get("Contact")
    return {
        **invoice,
        **EMPTY_INVOICE,
        **({"Contact": {**contact, **EMPTY_CONTACT}} if isinstance(contact, dict) else {}),
    }


def _payment(call: Call, payment: Record) -> Record:
    """As lists show it: its invoice and its batch in short."""
    shown = {name: value for name, value in with_text_dates(payment).items() if name != "DateString"}
    if isinstance(shown.get("Invoice"), dict):
        shown["Invoice"] = _quoted(shown["Invoice"])
    batch = call.organisation.collections[BATCH_PAYMENTS.plural].rows.get(str(shown.get("BatchPaymentID")))
    if batch:
        shown["BatchPayment"] = _batch_in_short(batch.record)
    return shown


def _batch_in_short(batch: Record) -> Record:
    """Here, and only here, Xero writes the total as text."""
    names = ("BatchPaymentID", "Date", "Type", "Status", "UpdatedDateUTC", "IsReconciled")
    short = {name: batch[name] for name in names}
    account = {"AccountID": batch["Account"]["AccountID"]}
    return short | {"Account": account, "TotalAmount": f"{batch['TotalAmount']:.2f}"}


def payments(call: Call) -> Reply:
    collection = call.organisation.collections[PAYMENTS.plural]
    deleted_too = call.world.settings.deleted_payments_listed
    rows = select(call, collection, None if deleted_too else lambda row: row.status != "DELETED", deleted_too)
    page, pagination = (rows, None) if not {"page", "pageSize"} & set(call.params) else page_of(call, rows)
    return listed(call, collection, [encode(_payment(call, row.record)) for row in page], pagination)


def payment(call: Call) -> Reply:
    """With its invoice whole."""
    row = call.organisation.collections[PAYMENTS.plural].rows.get(call.parts["id"].lower())
    if row is None:
        raise not_found()
    record = _payment(call, row.record)
    invoice = call.organisation.collections[INVOICES.plural].rows.get(str(field(record, "Invoice.InvoiceID")))
    if invoice:
        record["Invoice"] = invoice_body(call, invoice.record)
    return answer_one(call, PAYMENTS, record)


def _batch(batch: Record) -> Record:
    listed_payments = [{**paid, "Invoice": {**paid["Invoice"], **EMPTY_INVOICE}} for paid in batch["Payments"]]
    text = moment_text(batch.get("Date"), "%Y-%m-%dT00:00:00")
    return {**batch, "DateString": text, "Payments": listed_payments}


def batch_payments(call: Call) -> Reply:
    """All of them: they are not paged."""
    collection = call.organisation.collections[BATCH_PAYMENTS.plural]
    return listed(call, collection, [encode(_batch(row.record)) for row in select(call, collection)])


def batch_payment(call: Call) -> Reply:
    row = call.organisation.collections[BATCH_PAYMENTS.plural].rows.get(call.parts["id"].lower())
    if row is None:
        raise not_found()
    return answer_one(call, BATCH_PAYMENTS, _batch(row.record))


ENDPOINTS = (
    Endpoint("GET", ROOT + "/Payments", payments, READ),
    Endpoint("GET", ROOT + "/Payments/{id}", payment, READ),
    Endpoint("GET", ROOT + "/BatchPayments", batch_payments, READ),
    Endpoint("GET", ROOT + "/BatchPayments/{id}", batch_payment, READ),
)
COLLECTIONS: Collections = ((PAYMENTS, from_history(PAYMENTS)), (BATCH_PAYMENTS, from_history(BATCH_PAYMENTS)))
