"""Expenses: draft bills of who is paid, under QicWorks' own number. Xero has no expenses of their own any more.

Whether somebody paid by card is information only: nothing is posted to a bank account.
"""

from xero.documents import pricing
from xero.documents.checks import PRICED
from xero.documents.declaration import Delivery, Document, Json, PricedKind


def payload(document: Document) -> Json:
    row = document.row
    return pricing.header(
        document,
        Type="ACCPAY",
        InvoiceNumber=row["number"],
        DueDate=pricing.iso(row["due_date"]),
        Url=pricing.address(document, "expenses"),
    )


EXPENSES = PricedKind(
    name="expenses",
    word="expense",
    title="Expenses",
    help="Expenses, as draft bills of who is paid: Xero's own expense claims are gone.",
    scope="accounting.invoices accounting.attachments",
    table="expense",
    delivery=Delivery.BATCH,
    path="/api.xro/2.0/Invoices",
    envelope="Invoices",
    key="InvoiceID",
    number="InvoiceNumber",
    payload=payload,
    identity=lambda document: pricing.identity(document, payload(document), "Type", "InvoiceNumber", "Date", "Url"),
    likeness=pricing.of_invoices("ACCPAY"),
    lookups=pricing.by_numbers,
    checks=PRICED,
    query={"unitdp": "4"},
    addressed=True,
    look_first=True,
)
