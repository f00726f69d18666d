"""Organisation, Accounts, TaxRates and TrackingCategories: whole lists, never paged."""

from __future__ import annotations

from xero_sandbox.collection import Kind, Row
from xero_sandbox.data import accounts as chart
from xero_sandbox.data import settings_lists
from xero_sandbox.data.firms import Collections
from xero_sandbox.endpoints.calling import Call, Endpoint, envelope
from xero_sandbox.endpoints.listing import listed, select, single
from xero_sandbox.wire import Reply, decode, encode

ROOT = "/api.xro/2.0"
READ = ("accounting.settings", "accounting.settings.read")
ACCOUNTS = Kind("Accounts", "AccountID", "Status")
TAX_RATES = Kind("TaxRates", "TaxType", "Status", dated=False)
TRACKING_CATEGORIES = Kind("TrackingCategories", "TrackingCategoryID", "Status", dated=False)


def organisation(call: Call) -> Reply:
    return envelope(call, "Organisations", [encode(call.organisation.record)])


def accounts(call: Call) -> Reply:
    """All of them: archived accounts are in the list too."""
    collection = call.organisation.collections["Accounts"]
    return listed(call, collection, [row.body for row in select(call, collection)])


def account(call: Call) -> Reply:
    return single(call, call.organisation.collections["Accounts"])


def tax_rates(call: Call) -> Reply:
    """All of them, with any status; If-Modified-Since is ignored."""
    collection = call.organisation.collections["TaxRates"]
    return listed(call, collection, [row.body for row in select(call, collection)])


def tax_rate(call: Call) -> Reply:
    return single(call, call.organisation.collections["TaxRates"])


def tracking_categories(call: Call) -> Reply:
    """Without includeArchived neither archived categories nor archived options."""
    collection = call.organisation.collections["TrackingCategories"]
    archived = call.flag("includeArchived")
    rows = select(call, collection, lambda row: archived or row.status == "ACTIVE", archived)
    return listed(call, collection, [row.body if archived else _active_options(row) for row in rows])


def _active_options(row: Row) -> bytes:
    record = decode(row.body)
    if isinstance(record.get("Options"), list):
        record["Options"] = [option for option in record["Options"] if option.get("Status") == "ACTIVE"]
    return encode(record)


def tracking_category(call: Call) -> Reply:
    return single(call, call.organisation.collections["TrackingCategories"])


ENDPOINTS = (
    Endpoint("GET", ROOT + "/Organisations?", organisation, READ),
    Endpoint("GET", ROOT + "/Accounts", accounts, READ),
    Endpoint("GET", ROOT + "/Accounts/{id}", account, READ),
    Endpoint("GET", ROOT + "/TaxRates", tax_rates, READ),
    Endpoint("GET", ROOT + "/TaxRates/{id}", tax_rate, READ),
    Endpoint("GET", ROOT + "/TrackingCategories", tracking_categories, READ),
    Endpoint("GET", ROOT + "/TrackingCategories/{id}", tracking_category, READ),
)
COLLECTIONS: Collections = (
    (ACCOUNTS, lambda books: chart.accounts(books.seed, books.firm.name, books.beyond(books.firm.accounts))),
    (TAX_RATES, lambda books: settings_lists.tax_rates(books.seed, books.firm.name)),
    (
        TRACKING_CATEGORIES,
        lambda books: settings_lists.tracking_categories(books.seed, books.firm.name, books.beyond(books.firm.options)),
    ),
)
