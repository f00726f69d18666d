"""Declares what became of documents after their push: their records in Xero, and the payments of them.

Each list is read from the first push of its documents on; records of others are skipped. A document whose record was
not in the list, or whose payments do not add up to what Xero says is paid, is read by its id.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from xero.datasets.declaration import (
    UPDATED,
    Column,
    ColumnType,
    Dataset,
    Follows,
    Reading,
    Record,
    Source,
    Table,
    Timing,
    known_status,
    status_column,
)
from xero.datasets.invoice_payments import INVOICE_PAYMENT, INVOICES

CREDIT_NOTES = "/api.xro/2.0/CreditNotes"
PURCHASE_ORDERS = "/api.xro/2.0/PurchaseOrders"
FOUR_DECIMALS = {"unitdp": "4"}

HEADER = (
    "Type",
    "Reference",
    "Date",
    "DueDate",
    "CurrencyCode",
    "CurrencyRate",
    "LineAmountTypes",
    "SubTotal",
    "TotalTax",
    "Total",
    "Status",
)
DELIVERY = ("DeliveryDate", "DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions")
LINE = (
    *("LineItemID", "Description", "Quantity", "UnitAmount", "TaxAmount"),
    *("AccountID", "AccountCode", "TaxType"),
)
TRACKING = ("TrackingOptionID", "Option")


def content(*names: str) -> Callable[[Record], str]:
    """What a record says, as JSON: these fields, its contact and its lines, as far as QicWorks sends them."""

    def of(record: Record) -> str:
        kept = {name: record[name] for name in (*HEADER, *names) if name in record}
        if "Contact" in record:
            kept["Contact"] = _picked(record["Contact"], ("ContactID",))
        if isinstance(record.get("LineItems"), list):
            kept["LineItems"] = [
                {**_picked(line, LINE), "Tracking": [_picked(one, TRACKING) for one in line.get("Tracking") or ()]}
                for line in record["LineItems"]
            ]
        return json.dumps(kept, sort_keys=True, default=_exact)

    return of


def _picked(record: Record, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _exact(number: Decimal) -> str:
    return str(number)


def record_table(
    name: str, key: str, number: str, statuses: tuple[str, ...], amounts: tuple[Column, ...], **more: Any
) -> Table:
    """The table of the records of one endpoint."""
    return Table(
        name,
        columns=(
            Column("xero_id", key, ColumnType.UUID, required=True),
            Column("number", number, max_length=255),
            status_column(),
            Column("content", content(number, *more.pop("fields", ())), required=True),
            Column("total", "Total", ColumnType.NUMBER, digits=(14, 4)),
            *amounts,
            UPDATED,
        ),
        active=lambda record: record.get("Status") not in ("VOIDED", "DELETED"),
        rules=known_status(*statuses),
        statements="document_status",
        **more,
    )


def amount(name: str, source: str) -> Column:
    return Column(name, source, ColumnType.NUMBER, digits=(14, 4))


FOLLOWS_PAYMENTS = ("paid_to_date", "credited", "balance", "fully_paid_on", "xero_status", "status", "updated_at")

INVOICE_RECORD = record_table(
    "invoice_record",
    "InvoiceID",
    "InvoiceNumber",
    ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"),
    (
        amount("amount_paid", "AmountPaid"),
        amount("amount_credited", "AmountCredited"),
        amount("amount_due", "AmountDue"),
        Column("fully_paid_on", "FullyPaidOnDate", ColumnType.DATE),
    ),
    also_updates={"invoice": FOLLOWS_PAYMENTS, "bill": FOLLOWS_PAYMENTS, "expense": FOLLOWS_PAYMENTS},
)
CREDIT_NOTE_RECORD = record_table(
    "credit_note_record",
    "CreditNoteID",
    "CreditNoteNumber",
    ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"),
    (amount("amount_due", "RemainingCredit"),),
    also_updates={"credit_note": ("balance", "xero_status", "updated_at")},
)
PURCHASE_ORDER_RECORD = record_table(
    "purchase_order_record",
    "PurchaseOrderID",
    "PurchaseOrderNumber",
    ("DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"),
    (),
    fields=DELIVERY,
    also_updates={"purchase_order": ("status", "status_before_billed", "xero_status", "updated_at")},
)

DOCUMENT_STATUS = Dataset(
    name="document_status",
    title="Document status",
    help="What became of invoices, bills, expenses, credit notes and purchase orders after their push: approved, paid, "
    "billed, edited, voided or deleted in Xero.",
    scope="accounting.invoices accounting.payments.read",
    sources=(
        Source(
            path=INVOICES,
            envelope="Invoices",
            reading=Reading.PAGED,
            tables=(INVOICE_RECORD,),
            params=FOUR_DECIMALS,
            starts_at="first_invoice",
        ),
        Source(
            name="credit notes",
            path=CREDIT_NOTES,
            envelope="CreditNotes",
            reading=Reading.PAGED,
            tables=(CREDIT_NOTE_RECORD,),
            params=FOUR_DECIMALS,
            starts_at="first_credit_note",
        ),
        Source(
            name="purchase orders",
            path=PURCHASE_ORDERS,
            envelope="PurchaseOrders",
            reading=Reading.PAGED,
            tables=(PURCHASE_ORDER_RECORD,),
            starts_at="first_purchase_order",
        ),
        Source(
            name="payments",
            path="/api.xro/2.0/Payments",
            envelope="Payments",
            reading=Reading.PAGED,
            tables=(INVOICE_PAYMENT,),
            starts_at="first_invoice",
        ),
        Source(
            name="one invoice",
            path=INVOICES + "/{id}",
            envelope="Invoices",
            reading=Reading.BY_ID,
            tables=(INVOICE_PAYMENT, INVOICE_RECORD),
            params=FOUR_DECIMALS,
            key="InvoiceID",
            ids="invoices_to_fetch",
        ),
        Source(
            name="one credit note",
            path=CREDIT_NOTES + "/{id}",
            envelope="CreditNotes",
            reading=Reading.BY_ID,
            tables=(CREDIT_NOTE_RECORD,),
            params=FOUR_DECIMALS,
            key="CreditNoteID",
            ids="credit_notes_to_fetch",
        ),
        Source(
            name="one purchase order",
            path=PURCHASE_ORDERS + "/{id}",
            envelope="PurchaseOrders",
            reading=Reading.BY_ID,
            tables=(PURCHASE_ORDER_RECORD,),
            key="PurchaseOrderID",
            ids="purchase_orders_to_fetch",
        ),
    ),
    statements="document_status",
    schedule="20 * * * *",
    timing=Timing.ANY,
    follows=Follows.PRICED,
)
