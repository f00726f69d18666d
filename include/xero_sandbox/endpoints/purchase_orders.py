"""Purchase orders, to read: a list that is always paged, and each one by id or number."""

from __future__ import annotations

from xero_sandbox.collection import Record, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.purchase_orders import purchase_orders as made_up_orders
from xero_sandbox.documents import PURCHASE_ORDERS
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.endpoints.invoices import READ, answer_one, with_contact, with_text_dates
from xero_sandbox.endpoints.listing import listed, page_of, select
from xero_sandbox.problems import bad_query, not_found
from xero_sandbox.wire import Reply, encode, read_instant, read_ms_date

PATH = "/api.xro/2.0/PurchaseOrders"


def order_body(call: Call, record: Record, whole: bool = False) -> Record:
    return with_text_dates(with_contact(call, record, whole))


def _moment(call: Call, name: str) -> int | None:
    try:
        return read_instant(call.params[name]) if call.params.get(name) else None
    except ValueError as error:
        raise bad_query(f"{name} must be a date") from error


def orders(call: Call) -> Reply:
    """Filtered by status and date only: the specification has no `where` here."""
    call.params.pop("where", None)
    status, first, last = call.params.get("Status") or None, _moment(call, "DateFrom"), _moment(call, "DateTo")

    def keep(row: Row) -> bool:
        dated = read_ms_date(row.record.get("Date")) or 0
        return status in (None, row.status) and (first or 0) <= dated and (last is None or dated <= last)

    collection, chosen = call.organisation.collections[PURCHASE_ORDERS.plural], (status, first, last)
    rows, pagination = page_of(call, select(call, collection, keep if any(chosen) else None, chosen))
    return listed(call, collection, [encode(order_body(call, row.record)) for row in rows], pagination)


def order(call: Call) -> Reply:
    """By id or number; of several with one number the one that is not deleted."""
    collection, name = call.organisation.collections[PURCHASE_ORDERS.plural], call.parts["id"]
    rows = [collection.rows[name.lower()]] if name.lower() in collection.rows else []
    rows = rows or sorted(collection.having("PurchaseOrderNumber", name), key=lambda row: row.status == "DELETED")
    if not rows:
        raise not_found()
    return answer_one(call, PURCHASE_ORDERS, order_body(call, rows[0].record, whole=True))


ENDPOINTS = (Endpoint("GET", PATH, orders, READ), Endpoint("GET", PATH + "/{id}", order, READ))
COLLECTIONS: Collections = ((PURCHASE_ORDERS, made_up_orders),)
