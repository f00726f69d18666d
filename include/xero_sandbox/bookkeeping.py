"""What people do to invoices in Xero: approve, pay, credit, void, and take it all back.

Every act leaves all amounts consistent and stamps the documents that Xero would stamp. One that Xero would refuse
raises ValueError with its words.
"""

from __future__ import annotations

from collections.abc import Callable

from xero_sandbox.collection import Record
from xero_sandbox.crediting import apply_overpayment, apply_prepayment, credit, overpay, refund, remove_credit
from xero_sandbox.documents import INVOICES, settle
from xero_sandbox.ledger import SETTLED_BY, Ledger
from xero_sandbox.paying import delete_payment, pay, pay_batch

WRONG_STATUS = "Invoice not of valid status for modification"
HAS_PAYMENTS = (
    "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it"
)


def approve(ledger: Ledger, invoice: str) -> None:
    _turn(ledger, invoice, ("DRAFT", "SUBMITTED"), "AUTHORISED")


def void(ledger: Ledger, invoice: str) -> None:
    document = ledger.read(INVOICES, invoice)
    if any(document[name] for name in SETTLED_BY):
        raise ValueError(HAS_PAYMENTS)
    _turn(ledger, invoice, ("AUTHORISED",), "VOIDED")


def delete(ledger: Ledger, invoice: str) -> None:
    _turn(ledger, invoice, ("DRAFT", "SUBMITTED"), "DELETED")


def _turn(ledger: Ledger, invoice: str, before: tuple[str, ...], after: str) -> None:
    document = ledger.read(INVOICES, invoice)
    if document["Status"] not in before:
        raise ValueError(WRONG_STATUS)
    ledger.write(INVOICES, settle({**document, "Status": after}))


ACTS: dict[str, Callable[..., object]] = {
    act.__name__: act
    for act in (
        *(approve, void, delete),
        *(pay, pay_batch, delete_payment),
        *(credit, apply_overpayment, apply_prepayment, overpay, remove_credit, refund),
    )
}


def perform(ledger: Ledger, do: str, **order: object) -> dict[str, list[Record]]:
    """Does it, and returns the changed records by plural. ValueError for what cannot be done, TypeError for a field
    that is missing or not known, KeyError for an unknown id."""
    if do not in ACTS:
        raise ValueError(f"do must be one of {', '.join(ACTS)}")
    ACTS[do](ledger, **order)
    return {plural: list(records.values()) for plural, records in ledger.changed.items()}
