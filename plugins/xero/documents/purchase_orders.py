"""Purchase orders, as drafts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from xero.documents import pricing
from xero.documents.checks import PRICED
from xero.documents.declaration import (
    CheckResult,
    Delivery,
    Document,
    Json,
    Likeness,
    PricedKind,
    PricedLine,
    PricedRow,
    Record,
)
from xero.documents.parts.arriving import PURCHASES, Defaults


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderRow(PricedRow):
    delivery_date: date | None
    delivery_address: str | None
    attention_to: str | None
    telephone: str | None
    delivery_instructions: str | None


PurchaseOrder = Document[PurchaseOrderRow, PricedLine]


def payload(document: PurchaseOrder) -> Json:
    row = document.row
    return pricing.header(
        document,
        purchase=True,
        PurchaseOrderNumber=row.number,
        Reference=row.reference or row.job_number,
        DeliveryDate=pricing.iso(row.delivery_date),
        DeliveryAddress=row.delivery_address,
        AttentionTo=row.attention_to,
        Telephone=row.telephone,
        DeliveryInstructions=row.delivery_instructions,
    )


def likeness(identity: Json, record: Record) -> Likeness:
    """They carry no address: number, contact and amount."""
    if not pricing.same_text(identity["PurchaseOrderNumber"], record.get("PurchaseOrderNumber")):
        return Likeness.OTHER
    if not pricing.same_contact(identity, record):
        return Likeness.OTHER
    return Likeness.SAME if pricing.same_total(identity, record) else Likeness.PERHAPS


def lookups(identities: Sequence[Json]) -> Iterator[dict[str, str]]:
    """One query: all of those days."""
    first, last = pricing.days(identities)
    yield {"DateFrom": first.isoformat(), "DateTo": last.isoformat()}


def delivered(document: PurchaseOrder) -> Iterator[CheckResult]:
    """Of a purchase order: where to."""
    if len(document.row.delivery_instructions or "") > 500:
        yield CheckResult(
            "its delivery instructions are longer than 500 characters",
            "Shorten the delivery instructions of the {document}.",
            "release",
        )


PURCHASE_ORDERS = PricedKind(
    name="purchase_orders",
    word="purchase order",
    title="Purchase orders",
    help="Orders to suppliers, as drafts.",
    scope="accounting.invoices accounting.attachments",
    table="purchase_order",
    delivery=Delivery.BATCH,
    row=PurchaseOrderRow,
    path="/api.xro/2.0/PurchaseOrders",
    envelope="PurchaseOrders",
    key="PurchaseOrderID",
    number="PurchaseOrderNumber",
    records="purchase_order_record",
    payload=payload,
    identity=lambda document: pricing.identity(document, payload(document), "PurchaseOrderNumber", "Date"),
    likeness=likeness,
    lookups=lookups,
    checks=(*PRICED, delivered),
    defaults=(Defaults("purchase orders", PURCHASES),),
    query={},  # unit prices have four decimals here anyway
    gone=frozenset({"DELETED"}),
    page=lambda row: f"https://go.xero.com/AccountsPayable/PurchaseOrders/View/{row['xero_id']}",
)
