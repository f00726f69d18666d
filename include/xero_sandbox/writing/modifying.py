"""Whether a document that is there may be changed at all."""

from __future__ import annotations

from xero_sandbox.collection import Record
from xero_sandbox.writing.desk import Findings
from xero_sandbox.writing.forms import Form

ALLOCATED = "This document cannot be edited as it has a payment or credit note allocated to it."
HAS_PAYMENTS = "The status {} cannot be applied to the invoice because it has payments or credit notes allocated to it"
#: What may be changed on a bill that was paid in part or in full.
EDITABLE = frozenset(
    ("Type", "InvoiceID", "Reference", "DueDate", "InvoiceNumber", "BrandingThemeID", "Url", "PlannedPaymentDate")
)


def may_change(form: Form, record: Record, sent: Record, found: Findings, by_hand: bool = False) -> bool:
    """Whether the change may continue; the reasons against it are in `found`. `by_hand`: as a bookkeeper, who may also
    change what was paid, but for its amounts."""
    status, wanted = record["Status"], sent.get("Status", record["Status"])
    if any(record.get(name) for name in form.lists):
        if by_hand or (record["Type"] == "ACCPAY" and sent.keys() <= EDITABLE):
            return True
        if wanted == "VOIDED":
            found.error(HAS_PAYMENTS.format(wanted))
        elif "Date" in sent and sent["Date"] != record["Date"] and "LineItems" not in sent:
            found.error("Date cannot be changed on an invoice that has payment or credit notes allocated to it")
        else:
            found.error(form.not_modifiable, ALLOCATED)
        return False
    if status in form.enders or status not in form.turns:
        found.error(form.not_modifiable)
    return not found.errors
