"""Customers' invoices: drafts of type ACCREC."""

from xero.documents import pricing
from xero.documents.checks import PRICED
from xero.documents.declaration import Delivery, Document, Json, PricedKind


def payload(document: Document) -> Json:
    row = document.row
    return pricing.header(
        document,
        Type="ACCREC",
        InvoiceNumber=row["number"],
        Reference=row["reference"] or row["job_number"],
        DueDate=pricing.iso(row["due_date"]),
        Url=pricing.address(document, "invoices"),
    )


INVOICES = PricedKind(
    name="invoices",
    word="invoice",
    title="Invoices",
    help="Customers' invoices, as drafts.",
    scope="accounting.invoices accounting.attachments",
    table="invoice",
    delivery=Delivery.BATCH,
    path="/api.xro/2.0/Invoices",
    envelope="Invoices",
    key="InvoiceID",
    number="InvoiceNumber",
    payload=payload,
    identity=lambda document: pricing.identity(document, payload(document), "Type", "InvoiceNumber", "Date", "Url"),
    likeness=pricing.of_invoices("ACCREC"),
    lookups=pricing.by_numbers,
    checks=PRICED,
    query={"unitdp": "4"},
    addressed=True,
    shows_online=True,
)
