"""Currencies: one list, never paged. Without multiple currencies it has the organisation's own alone, or none."""

from __future__ import annotations

from xero_sandbox.collection import Kind
from xero_sandbox.data import currencies as data
from xero_sandbox.data.firms import Collections
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.endpoints.listing import listed, select
from xero_sandbox.wire import Reply

CURRENCIES = Kind("Currencies", "Code", "Status", dated=False, name="Description")


def currencies(call: Call) -> Reply:
    collection = call.organisation.collections["Currencies"]
    alone = len(collection.rows) == 1 and not call.world.settings.base_currency_listed
    rows = [] if alone else select(call, collection)
    return listed(call, collection, [row.body for row in rows])


ENDPOINTS = (
    Endpoint("GET", "/api.xro/2.0/Currencies", currencies, ("accounting.settings", "accounting.settings.read")),
)
COLLECTIONS: Collections = ((CURRENCIES, data.currencies),)
