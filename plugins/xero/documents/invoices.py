"""Customers' invoices: drafts of type ACCREC."""

from xero.documents.xero_invoice import xero_invoice

INVOICES = xero_invoice(
    name="invoices",
    word="invoice",
    title="Invoices",
    help="Customers' invoices, as drafts.",
    type="ACCREC",
    shows_online=lambda attachment: True,
)
