"""What people do to documents in Xero: approve, edit, pay, credit, void, and take it all back; and to leave.

Every act leaves all amounts consistent and stamps the documents that Xero would stamp. One that Xero would refuse
raises ValueError with its words.
"""

from __future__ import annotations

from collections.abc import Callable

from xero_sandbox.collection import Record
from xero_sandbox.crediting import apply_overpayment, apply_prepayment, credit, overpay, refund, remove_credit
from xero_sandbox.documents import CREDIT_NOTES, INVOICES, PURCHASE_ORDERS, settle, settle_credit
from xero_sandbox.editing import edit
from xero_sandbox.leave_acts import approve_leave, edit_leave, enter_leave, reject_leave, take_leave
from xero_sandbox.ledger import SETTLED_BY, Ledger
from xero_sandbox.paying import delete_payment, pay, pay_batch

WRONG_STATUS = {
    INVOICES.plural: "Invoice not of valid status for modification",
    CREDIT_NOTES.plural: "Credit note not of valid status for modification",
    PURCHASE_ORDERS.plural: "Document not of valid status for modification",
}
HAS_PAYMENTS = (
    "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it"
)


def approve(ledger: Ledger, **document: str) -> None:
    """Of an invoice, a bill, a credit note (`credit`) or a purchase order, as `void` and `delete`."""
    _turn(ledger, document, ("DRAFT", "SUBMITTED"), "AUTHORISED")


def void(ledger: Ledger, **document: str) -> None:
    """Purchase orders are not voided but deleted."""
    kind, record = ledger.named(document)
    if any(record.get(name) for name in (*SETTLED_BY, "Allocations")):
        raise ValueError(HAS_PAYMENTS)
    _turn(ledger, document, () if kind is PURCHASE_ORDERS else ("AUTHORISED",), "VOIDED")


def delete(ledger: Ledger, **document: str) -> None:
    kind, _ = ledger.named(document)
    approved_too = ("AUTHORISED", "BILLED") if kind is PURCHASE_ORDERS else ()
    _turn(ledger, document, ("DRAFT", "SUBMITTED", *approved_too), "DELETED")


def bill(ledger: Ledger, purchase_order: str) -> None:
    """Marks a purchase order as billed."""
    _turn(ledger, {"purchase_order": purchase_order}, ("DRAFT", "SUBMITTED", "AUTHORISED"), "BILLED")


def _turn(ledger: Ledger, document: dict[str, str], before: tuple[str, ...], after: str) -> None:
    kind, record = ledger.named(document)
    if record["Status"] not in before:
        raise ValueError(WRONG_STATUS[kind.plural])
    record["Status"] = after
    ledger.write(kind, {INVOICES: settle, CREDIT_NOTES: settle_credit}.get(kind, dict)(record))


ACTS: dict[str, Callable[..., object]] = {
    act.__name__: act
    for act in (
        *(approve, edit, void, delete, bill),
        *(pay, pay_batch, delete_payment),
        *(credit, apply_overpayment, apply_prepayment, overpay, remove_credit, refund),
        *(enter_leave, approve_leave, reject_leave, take_leave, edit_leave),
    )
}


def perform(ledger: Ledger, do: str, **order: object) -> dict[str, list[Record]]:
    """Does it, and returns the changed records by plural. ValueError for what cannot be done, TypeError for a field
    that is missing or not known, KeyError for an unknown id."""
    if do not in ACTS:
        raise ValueError(f"do must be one of {', '.join(ACTS)}")
    ACTS[do](ledger, **order)
    return {plural: list(records.values()) for plural, records in ledger.changed.items()}
