"""Expenses: draft bills to the person or company to pay, under QicWorks' own number.

The payment method is not sent to Xero: nothing is posted to a bank account.
"""

from xero.documents.xero_invoice import xero_invoice

EXPENSES = xero_invoice(
    name="expenses",
    word="expense",
    title="Expenses",
    help="Expenses, as draft bills to the employee or supplier to pay.",
    type="ACCPAY",
    look_first=True,
)
