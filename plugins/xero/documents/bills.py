"""Suppliers' bills: drafts of type ACCPAY. The number is the supplier's own; Xero takes the same one twice."""

from xero.documents.xero_invoice import xero_invoice

BILLS = xero_invoice(
    name="bills",
    word="bill",
    title="Bills",
    help="Suppliers' bills, as drafts, with their attachments.",
    type="ACCPAY",
    look_first=True,
)
