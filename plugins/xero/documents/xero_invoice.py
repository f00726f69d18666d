"""What becomes an invoice in Xero: customers' invoices (ACCREC); as bills (ACCPAY) suppliers' bills and expenses."""

from typing import Any

from xero.documents import pricing
from xero.documents.checking.approval import approvable, due
from xero.documents.checks import PRICED, taxed_by_rate
from xero.documents.declaration import Delivery, Json, PricedDocument, PricedKind
from xero.documents.parts.arriving import PURCHASES, SALES, Defaults


def xero_invoice(name: str, word: str, title: str, help: str, type: str, **more: Any) -> PricedKind:
    """The kind whose documents are invoices of that `type` in Xero; `more`: its other fields."""

    books = "AccountsReceivable" if type == "ACCREC" else "AccountsPayable"

    def payload(document: PricedDocument) -> Json:
        row = document.row
        return pricing.header(
            document,
            purchase=type == "ACCPAY",
            Type=type,
            InvoiceNumber=row.number,
            Reference=(row.reference or row.job_number) if type == "ACCREC" else None,  # bills have none
            DueDate=pricing.iso(row.due_date),
            Url=pricing.address(document, name),
        )

    def identity(document: PricedDocument) -> Json:
        return pricing.identity(document, payload(document), "Type", "InvoiceNumber", "Date", "Url")

    return PricedKind(
        name=name,
        word=word,
        title=title,
        help=help,
        scope="accounting.invoices accounting.attachments",
        table=word,
        delivery=Delivery.BATCH,
        path="/api.xro/2.0/Invoices",
        envelope="Invoices",
        key="InvoiceID",
        number="InvoiceNumber",
        records="invoice_record",
        payload=payload,
        identity=identity,
        likeness=pricing.of_invoices(type),
        lookups=pricing.by_numbers,
        checks=(*PRICED, approvable) if type == "ACCPAY" else (*PRICED, approvable, due, taxed_by_rate),
        query={"unitdp": "4"},
        defaults=(Defaults(title.lower(), SALES if type == "ACCREC" else PURCHASES),),
        addressed=True,
        paid=True,
        page=lambda row: f"https://go.xero.com/{books}/View.aspx?InvoiceID={row['xero_id']}",
        **more,
    )
