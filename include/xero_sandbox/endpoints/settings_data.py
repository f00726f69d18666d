"""Organisation, Accounts, TaxRates and TrackingCategories: whole lists, never paged."""

from __future__ import annotations

from uuid import uuid4

from xero_sandbox.collection import Kind, Row
from xero_sandbox.data import accounts as chart
from xero_sandbox.data import settings_lists
from xero_sandbox.data.firms import Collections
from xero_sandbox.endpoints.calling import Call, Endpoint, envelope
from xero_sandbox.endpoints.listing import listed, select, single
from xero_sandbox.problems import not_found, refused_request
from xero_sandbox.wire import Reply, decode, encode

ROOT = "/api.xro/2.0"
READ = ("accounting.settings", "accounting.settings.read")
WRITE = ("accounting.settings",)
MAX_OPTIONS = 100  # of a category
MAX_NAME_CHARACTERS = 100
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


def create_option(call: Call) -> Reply:
    """One option of a category, by PUT; its words are the sandbox's own. A name is taken also by an archived option."""
    collection = call.organisation.collections["TrackingCategories"]
    row = collection.rows.get(call.parts["id"].lower())
    if row is None:
        raise not_found()
    category, sent = row.record, decode(call.body)
    name = sent.get("Name") if isinstance(sent, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise refused_request("The Option name must be specified.")
    if len(name) > MAX_NAME_CHARACTERS:
        raise refused_request(f"The Option name cannot be longer than {MAX_NAME_CHARACTERS} characters.")
    if row.status != "ACTIVE":
        raise refused_request("Options cannot be added to an archived tracking category.")
    options = category.get("Options") or []
    if name.strip().casefold() in {str(option["Name"]).strip().casefold() for option in options}:
        raise refused_request("An option with this name already exists in this tracking category.")
    if len(options) >= MAX_OPTIONS:
        raise refused_request(f"A tracking category cannot have more than {MAX_OPTIONS} options.")
    option = {
        "TrackingOptionID": str(uuid4()),
        "Name": name.strip(),
        "Status": "ACTIVE",
        "HasValidationErrors": False,
        "IsDeleted": False,
        "IsArchived": False,
        "IsActive": True,
    }
    collection.change(row.key, {"Options": [*options, option]}, call.world.clock)
    return envelope(call, "Options", [encode(option)])


ENDPOINTS = (
    Endpoint("GET", ROOT + "/Organisations?", organisation, READ),
    Endpoint("GET", ROOT + "/Accounts", accounts, READ),
    Endpoint("GET", ROOT + "/Accounts/{id}", account, READ),
    Endpoint("GET", ROOT + "/TaxRates", tax_rates, READ),
    Endpoint("GET", ROOT + "/TaxRates/{id}", tax_rate, READ),
    Endpoint("GET", ROOT + "/TrackingCategories", tracking_categories, READ),
    Endpoint("GET", ROOT + "/TrackingCategories/{id}", tracking_category, READ),
    Endpoint("PUT", ROOT + "/TrackingCategories/{id}/Options", create_option, WRITE),
)
COLLECTIONS: Collections = (
    (ACCOUNTS, lambda books: chart.accounts(books.seed, books.firm.name, books.beyond(books.firm.accounts))),
    (TAX_RATES, lambda books: settings_lists.tax_rates(books.seed, books.firm.name)),
    (
        TRACKING_CATEGORIES,
        lambda books: settings_lists.tracking_categories(books.seed, books.firm.name, books.beyond(books.firm.options)),
    ),
)
