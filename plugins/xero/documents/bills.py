"""Suppliers' bills: drafts of type ACCPAY. The number is the supplier's own; Xero takes the same one twice."""

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
        Url=pricing.address(document, "bills"),
    )


BILLS = PricedKind(
    name="bills",
    word="bill",
    title="Bills",
    help="Suppliers' bills, as drafts, with their attachments.",
    scope="accounting.invoices accounting.attachments",
    table="bill",
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
