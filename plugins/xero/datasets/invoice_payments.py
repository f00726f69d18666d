"""Declares payments of invoices, and the amounts of the invoices that QicWorks pushed.

Payments and their deletions come as payments. Credit notes, prepayments, overpayments, voids and deletions of invoices
come with the summaries of invoices. If the two disagree, the invoice itself is read.
"""

from collections.abc import Iterable

from xero.datasets.declaration import (
    UPDATED,
    Column,
    ColumnType,
    Dataset,
    Reading,
    Record,
    Source,
    Table,
    Timing,
    known_status,
    status_column,
)

INVOICES = "/api.xro/2.0/Invoices"


def payments_of_invoices(record: Record) -> Iterable[Record]:
    """The payment itself, if it is of an invoice; or the payments that an invoice lists, which are all active.

    A refund of a credit note also has an "Invoice", which is the credit note.
    """
    if "PaymentID" in record:
        invoice = record.get("Invoice") or {}
        return (record,) if invoice and invoice.get("Type", "ACCREC") in ("ACCREC", "ACCPAY") else ()
    stub = {"InvoiceID": record.get("InvoiceID"), "InvoiceNumber": record.get("InvoiceNumber")}
    # Without a version, to distinguish it from the payment itself, which has more fields.
    own = {"Invoice": stub, "Status": "AUTHORISED", "UpdatedDateUTC": None}
    return ({**payment, **own} for payment in record.get("Payments") or ())


INVOICE_PAYMENT = Table(
    "invoice_payment",
    columns=(
        Column("xero_id", "PaymentID", ColumnType.UUID, required=True),
        Column("invoice_xero_id", "Invoice.InvoiceID", ColumnType.UUID, required=True),
        Column("invoice_number", "Invoice.InvoiceNumber", max_length=255),
        Column("paid_on", "Date", ColumnType.DATE, required=True),
        Column("amount", "Amount", ColumnType.NUMBER, required=True, digits=(14, 4)),
        Column("currency_rate", "CurrencyRate", ColumnType.NUMBER, digits=(18, 6)),
        Column("reference", "Reference", max_length=255),
        Column("payment_type", "PaymentType", max_length=50),
        Column("batch_payment_xero_id", "BatchPayment.BatchPaymentID", ColumnType.UUID),
        Column("account_xero_id", "Account.AccountID", ColumnType.UUID),
        Column("is_reconciled", "IsReconciled", ColumnType.BOOLEAN),
        Column("status", "Status", max_length=50),
        UPDATED,
    ),
    active=lambda payment: payment.get("Status") == "AUTHORISED",
    rows=payments_of_invoices,
    rules=known_status("AUTHORISED", "DELETED"),
    statements="invoice_payments",
    parent_key="invoice_xero_id",
)

INVOICE_BALANCE = Table(
    "invoice_balance",
    columns=(
        Column("xero_id", "InvoiceID", ColumnType.UUID, required=True),
        Column("number", "InvoiceNumber", max_length=255),
        status_column(),
        Column("total", "Total", ColumnType.NUMBER, digits=(14, 4)),
        Column("amount_paid", "AmountPaid", ColumnType.NUMBER, required=True, digits=(14, 4)),
        Column("amount_credited", "AmountCredited", ColumnType.NUMBER, required=True, digits=(14, 4)),
        Column("amount_due", "AmountDue", ColumnType.NUMBER, required=True, digits=(14, 4)),
        Column("fully_paid_on", "FullyPaidOnDate", ColumnType.DATE),
        UPDATED,
    ),
    active=lambda invoice: invoice.get("Status") not in ("VOIDED", "DELETED"),
    rules=known_status("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"),
    statements="invoice_payments",
    also_updates={
        "invoice": ("paid_to_date", "credited", "balance", "fully_paid_on", "xero_status", "status", "updated_at")
    },
)

INVOICE_PAYMENTS = Dataset(
    name="invoice_payments",
    title="Invoice payments",
    help="Payments of invoices and their deletion; paid to date, balance and status of QicWorks' invoices. "
    "Due at local midnight; resumes where the last run ended.",
    scope="accounting.payments.read accounting.invoices.read",
    sources=(
        Source(
            path="/api.xro/2.0/Payments",
            envelope="Payments",
            reading=Reading.PAGED,
            tables=(INVOICE_PAYMENT,),
            starts_at="first_push",
        ),
        Source(
            name="invoices",
            path=INVOICES,
            envelope="Invoices",
            reading=Reading.PAGED,
            tables=(INVOICE_BALANCE,),
            params={"summaryOnly": "true", "where": 'Type=="ACCREC"'},
            starts_at="first_push",
        ),
        Source(
            name="disagreeing",
            path=INVOICES + "/{id}",
            envelope="Invoices",
            reading=Reading.BY_ID,
            tables=(INVOICE_PAYMENT, INVOICE_BALANCE),
            key="InvoiceID",
        ),
    ),
    statements="invoice_payments",
    schedule="*/15 * * * *",
    timing=Timing.MIDNIGHT,
)
