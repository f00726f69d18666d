"""Purchase orders, as drafts."""

from collections.abc import Iterator, Sequence

from xero.documents import pricing
from xero.documents.checks import PRICED, delivered
from xero.documents.declaration import Delivery, Document, Json, Likeness, PricedKind, Record


def payload(document: Document) -> Json:
    row = document.row
    return pricing.header(
        document,
        purchase=True,
        PurchaseOrderNumber=row["number"],
        Reference=row["reference"] or row["job_number"],
        DeliveryDate=pricing.iso(row["delivery_date"]),
        DeliveryAddress=row["delivery_address"],
        AttentionTo=row["attention_to"],
        Telephone=row["telephone"],
        DeliveryInstructions=row["delivery_instructions"],
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


PURCHASE_ORDERS = PricedKind(
    name="purchase_orders",
    word="purchase order",
    title="Purchase orders",
    help="Orders to suppliers, as drafts.",
    scope="accounting.invoices accounting.attachments",
    table="purchase_order",
    delivery=Delivery.BATCH,
    path="/api.xro/2.0/PurchaseOrders",
    envelope="PurchaseOrders",
    key="PurchaseOrderID",
    number="PurchaseOrderNumber",
    payload=payload,
    identity=lambda document: pricing.identity(document, payload(document), "PurchaseOrderNumber", "Date"),
    likeness=likeness,
    lookups=lookups,
    checks=(*PRICED, delivered),
    query={},  # unit prices have four decimals here anyway
    gone=frozenset({"DELETED"}),
    page=lambda row: f"https://go.xero.com/AccountsPayable/PurchaseOrders/View/{row['xero_id']}",
)
