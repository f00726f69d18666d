"""Expenses: draft bills of who is paid, under QicWorks' own number. Xero has no expenses of their own any more.

Whether somebody paid by card is information only: nothing is posted to a bank account.
"""

from xero.documents.xero_invoice import xero_invoice

EXPENSES = xero_invoice(
    name="expenses",
    word="expense",
    title="Expenses",
    help="Expenses, as draft bills of who is paid: Xero's own expense claims are gone.",
    type="ACCPAY",
    look_first=True,
)
