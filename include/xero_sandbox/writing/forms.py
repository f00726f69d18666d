"""The documents that can be written, and in what they differ."""

from __future__ import annotations

from dataclasses import dataclass

from xero_sandbox.collection import Kind, Record
from xero_sandbox.documents import CREDIT_NOTES, INVOICES, PURCHASE_ORDERS

ENTRY = ("DRAFT", "SUBMITTED", "AUTHORISED")
#: Status by status, what may come after.
TURNS = {
    "DRAFT": (*ENTRY, "DELETED"),
    "SUBMITTED": (*ENTRY, "DELETED"),
    "AUTHORISED": ("AUTHORISED", "VOIDED"),
}
ORDER_TURNS = {
    "DRAFT": (*ENTRY, "BILLED", "DELETED"),
    "SUBMITTED": (*ENTRY, "BILLED", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "BILLED", "DELETED"),
    "BILLED": ("BILLED", "DELETED"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of document as it is written. `texts` are its fields of text with their greatest length, `dates` its
    dates, `lists` the fields that tell that money has moved, `enders` the statuses in which it is gone."""

    kind: Kind
    number: str
    types: tuple[str, ...]
    prefix: str
    noun: str
    taken: str
    unknown: str
    texts: dict[str, int]
    dates: tuple[str, ...]
    lists: tuple[str, ...]
    turns: dict[str, tuple[str, ...]]
    created: tuple[str, ...] = ENTRY
    enders: tuple[str, ...] = ("VOIDED", "DELETED")
    always4: bool = False  # whether unit amounts have four places without unitdp=4
    posts: bool = True  # whether it reaches the ledger, and so minds the lock dates
    makes_contacts: bool = True

    @property
    def not_modifiable(self) -> str:
        return f"{self.noun} not of valid status for modification"

    @property
    def not_creatable(self) -> str:
        return f"{self.noun} not of valid status for creation"

    def numbered(self, type_: object) -> bool:
        """Whether its numbers are unique, and made up when none is sent."""
        return type_ not in ("ACCPAY", "ACCPAYCREDIT")

    def type_of(self, record: Record) -> object:
        """A purchase order has only one type, so the type that is sent is ignored."""
        return record.get("Type", self.types[0]) if len(self.types) > 1 else self.types[0]

    def sells(self, record: Record) -> bool:
        return str(record.get("Type")).startswith("ACCREC")


NOT_FOUND = "The document with the supplied id was not found for this endpoint."
FORMS = (
    Form(
        kind=INVOICES,
        number="InvoiceNumber",
        types=("ACCREC", "ACCPAY"),
        prefix="INV-",
        noun="Invoice",
        taken="Invoice # must be unique.",
        unknown=NOT_FOUND,
        texts={"InvoiceNumber": 255, "Reference": 255, "BrandingThemeID": 36, "Url": 2000},
        dates=("Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"),
        lists=("Payments", "CreditNotes", "Prepayments", "Overpayments"),
        turns=TURNS,
    ),
    Form(
        kind=CREDIT_NOTES,
        number="CreditNoteNumber",
        types=("ACCRECCREDIT", "ACCPAYCREDIT"),
        prefix="CN-",
        noun="Credit note",
        taken="Credit Note # must be unique.",
        unknown="An existing Credit Note with the specified CreditNoteID could not be found",
        texts={"CreditNoteNumber": 255, "Reference": 255, "BrandingThemeID": 36},
        dates=("Date", "DueDate"),
        lists=("Allocations", "Payments"),
        turns=TURNS,
    ),
    Form(
        kind=PURCHASE_ORDERS,
        number="PurchaseOrderNumber",
        types=("PURCHASEORDER",),
        prefix="PO-",
        noun="Document",
        taken="Order number must be unique",
        unknown=NOT_FOUND,
        texts={"PurchaseOrderNumber": 255, "Reference": 255, "BrandingThemeID": 36, "DeliveryAddress": 255}
        | {"AttentionTo": 255, "Telephone": 50, "DeliveryInstructions": 500},
        dates=("Date", "DeliveryDate", "ExpectedArrivalDate"),
        lists=(),
        turns=ORDER_TURNS,
        created=(*ENTRY, "BILLED"),
        enders=("DELETED",),
        always4=True,
        posts=False,
        makes_contacts=False,
    ),
)
