"""Contacts: the one collection of set-up data that pages, and that is written."""

from __future__ import annotations

from xero_sandbox.collection import Kind, Row
from xero_sandbox.data.contacts import contacts as made_up_contacts
from xero_sandbox.data.firms import Collections
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.endpoints.listing import listed, page_of, select, single
from xero_sandbox.wire import Reply, decode, encode
from xero_sandbox.writing.contact_book import write_contacts

PATH = "/api.xro/2.0/Contacts"
READ = ("accounting.contacts", "accounting.contacts.read")
WRITE = ("accounting.contacts",)
CONTACTS = Kind("Contacts", "ContactID", "ContactStatus")

#: Comes only by id or with paging.
PAGED_ONLY = frozenset(
    (
        "MergedToContactID",
        "SalesDefaultLineAmountType",
        "PurchasesDefaultLineAmountType",
        "ContactPersons",
        "Website",
        "PaymentTerms",
        "Balances",
        "SalesDefaultAccountCode",
        "PurchasesDefaultAccountCode",
        "BatchPayments",
        "Discount",
    )
)
#: Left out with summaryOnly.
NOT_IN_SUMMARY = frozenset(
    (
        "Addresses",
        "Phones",
        "ContactPersons",
        "ContactGroups",
        "Balances",
        "PaymentTerms",
        "BatchPayments",
        "HasAttachments",
        "Attachments",
        "Website",
        "Discount",
        "BrandingTheme",
        "BankAccountDetails",
    )
)


def _without(row: Row, names: frozenset[str]) -> bytes:
    return encode({name: value for name, value in decode(row.body).items() if name not in names})


def contacts(call: Call) -> Reply:
    collection = call.organisation.collections["Contacts"]
    archived, search = call.flag("includeArchived"), call.params.get("searchTerm", "").casefold()
    ids = frozenset(call.params.get("IDs", "").lower().replace(" ", "").split(",")) - {""}

    def keep(row: Row) -> bool:
        return (
            (archived or bool(ids) or row.status != "ARCHIVED")
            and (not ids or row.key in ids)
            and (not search or search in _searchable(row))
        )

    everything = archived and not ids and not search
    rows = select(call, collection, None if everything else keep, (archived, search, ids))
    summary = call.flag("summaryOnly")
    if not summary and "page" not in call.params and "pageSize" not in call.params:
        return listed(call, collection, [_without(row, PAGED_ONLY) for row in rows])
    page, pagination = page_of(call, rows)
    return listed(
        call, collection, [_without(row, NOT_IN_SUMMARY) if summary else row.body for row in page], pagination
    )


def _searchable(row: Row) -> str:
    record = row.record
    return "\n".join(
        str(record.get(name) or "") for name in ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress")
    ).casefold()


def contact(call: Call) -> Reply:
    return single(call, call.organisation.collections["Contacts"])


ENDPOINTS = (
    Endpoint("GET", PATH, contacts, READ),
    Endpoint("GET", PATH + "/{id}", contact, READ),
    Endpoint("PUT", PATH, write_contacts, WRITE),
    Endpoint("POST", PATH, write_contacts, WRITE),
    Endpoint("POST", PATH + "/{id}", write_contacts, WRITE),
)
COLLECTIONS: Collections = (
    (
        CONTACTS,
        lambda books: made_up_contacts(books.seed, books.firm.name, books.sizes["contacts"], books.same_second),
    ),
)
