"""Contacts that QicWorks has and Xero does not: customers and suppliers. Each is looked for before it is created."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Never
from uuid import UUID

from xero.documents.declaration import Check, CheckResult, Delivery, Document, DocumentRow, Json, Kind, Record

PATH = "/api.xro/2.0/Contacts"
ENVELOPE = "Contacts"
KEY = "ContactID"
NUMBER = "ContactNumber"

#: Column → field of Xero's.
TEXTS = {
    "name": "Name",
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "EmailAddress",
    "account_number": "AccountNumber",
    "company_number": "CompanyNumber",
    "tax_number": "TaxNumber",
    "currency": "DefaultCurrency",
}
#: The same of the street address.
STREET = {
    "address_line1": "AddressLine1",
    "address_line2": "AddressLine2",
    "city": "City",
    "region": "Region",
    "postal_code": "PostalCode",
    "country": "Country",
}
#: The same of the postal address.
POSTAL = {f"po_{column}": field for column, field in STREET.items()}
ADDRESSES = {"STREET": STREET, "POBOX": POSTAL}
PERSONS = "contact_persons"
#: Field of a person → field of Xero's.
PERSON = {"first_name": "FirstName", "last_name": "LastName", "email": "EmailAddress"}
MAX_PERSONS = 5  # that Xero keeps
EMAIL = re.compile(r"[\x21-\x7e]+@[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")

PHONE = ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber")


def phone(record: Record) -> str | None:
    """The default phone, otherwise the first with a number: country, area and number."""
    chosen: Record = {}
    for entry in record.get("Phones") or ():
        if entry.get("PhoneNumber") and (not chosen or entry.get("PhoneType") == "DEFAULT" != chosen.get("PhoneType")):
            chosen = entry
    if not chosen:
        return None
    return " ".join(part for name in PHONE if (part := chosen.get(name)))


def address(record: Record) -> Record | None:
    """The street address, otherwise the postal one."""
    by_type = {entry.get("AddressType"): entry for entry in record.get("Addresses") or ()}
    return by_type.get("STREET") or by_type.get("POBOX")


def postal(record: Record) -> Record | None:
    """The postal address."""
    return next((entry for entry in record.get("Addresses") or () if entry.get("AddressType") == "POBOX"), None)


@dataclass(frozen=True, kw_only=True)
class ContactRow(DocumentRow):
    """QicWorks' own contact. `before_edit`: what Xero may have of it, each time as columns; None: it has no edit."""

    name: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    contact_number: str | None
    account_number: str | None
    company_number: str | None
    tax_number: str | None
    currency: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None
    po_address_line1: str | None
    po_address_line2: str | None
    po_city: str | None
    po_region: str | None
    po_postal_code: str | None
    po_country: str | None
    contact_persons: str | None
    is_active: bool
    is_ours: bool  # QicWorks created it in Xero
    before_edit: Sequence[Mapping[str, Any]] | None
    decided: bool  # a person has decided, about this version
    kept_columns: Sequence[str] | None  # as QicWorks has them, and Xero not, since it was linked
    chosen_xero_id: UUID | None  # which record of Xero's it is; None: it is to be created
    called_by: ClassVar[str | None] = "name"


ContactDocument = Document[ContactRow, Never]


def number(document: ContactDocument) -> str:
    """Our number of a contact in Xero. Xero accepts each number once, so it cannot be created twice."""
    return str(document.id)


def ours(document: ContactDocument) -> dict[str, str]:
    """What is sent of it, by column; nothing is an empty text."""
    made = {name: text(getattr(document.row, name)) for name in (*TEXTS, "phone", *STREET, *POSTAL)}
    return made | {PERSONS: sorted_json(document.row.contact_persons)}


def theirs(record: Record) -> dict[str, str]:
    """The same of a record of Xero's, as a pull reads it."""
    usual = {**record, **{name: _objects(record, name) for name in ("Addresses", "Phones")}}
    made = {column: text(record.get(field)) for column, field in TEXTS.items()} | {"phone": text(phone(usual))}
    for entry, columns in ((address(usual), STREET), (postal(usual), POSTAL)):
        made |= {column: text((entry or {}).get(field)) for column, field in columns.items()}
    people = record.get("ContactPersons")
    found = [
        {column: text(one.get(field)) for column, field in PERSON.items()}
        | {"include_in_emails": one.get("IncludeInEmails") is True}
        for one in (people if isinstance(people, list) else ())
        if isinstance(one, dict)
    ]
    return made | {PERSONS: sorted_json(json.dumps(found))}


def sorted_json(value: str | None) -> str:
    """Persons in one form; nothing if there are none, or if it cannot be read."""
    people = persons(value)
    return json.dumps(people, sort_keys=True, ensure_ascii=False) if people else ""


def in_order(value: str | None) -> str:
    """Persons in one form and order, which can be compared."""
    return "\n".join(sorted(json.dumps(one, sort_keys=True) for one in persons(value) or ()))


def persons(value: str | None) -> list[dict[str, Any]] | None:
    """The persons of the column; None if it cannot be read."""
    try:
        found = json.loads(value or "[]")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return None
    return [
        {name: text(one.get(name)) for name in PERSON} | {"include_in_emails": one.get("include_in_emails") is True}
        for one in found
    ]


def payload(values: Mapping[str, str], record: Record = MappingProxyType({})) -> Json:
    """What Xero is sent of these columns. An address is sent whole: what `record` has of it stays."""
    made: Json = {field: values[column] for column, field in TEXTS.items() if column in values}
    if "phone" in values:
        made["Phones"] = [
            {"PhoneType": "DEFAULT", "PhoneCountryCode": "", "PhoneAreaCode": "", "PhoneNumber": values["phone"]}
        ]
    addresses = []
    for type_, columns in ADDRESSES.items():
        if sent := {field: values[column] for column, field in columns.items() if column in values}:
            addresses.append({**_entry(record, type_), "AddressType": type_, **sent})
    if addresses:
        made["Addresses"] = addresses
    if PERSONS in values:
        made["ContactPersons"] = [
            {field: one[name] for name, field in PERSON.items()} | {"IncludeInEmails": one["include_in_emails"]}
            for one in persons(values[PERSONS]) or ()
        ]
    return made


def new(document: ContactDocument) -> Json:
    """The element that creates it: our number, and what is not empty."""
    return {NUMBER: number(document), **payload({name: value for name, value in ours(document).items() if value})}


def text(value: object) -> str:
    return str(value).strip() if isinstance(value, str) else ""


def _objects(record: Record, plural: str) -> list[dict[str, Any]]:
    """Entries of a list, with their texts alone."""
    entries = record.get(plural)
    found = (one for one in entries if isinstance(one, dict)) if isinstance(entries, list) else ()
    return [{name: value for name, value in one.items() if isinstance(value, str)} for one in found]


def _entry(record: Record, wanted: str) -> Record:
    addresses = _objects(record, "Addresses")
    return next((one for one in addresses if one.get("AddressType") == wanted), {})


def in_use(document: ContactDocument) -> Iterator[CheckResult]:
    if not document.row.is_active and document.row.xero_id is None:
        yield CheckResult("it is archived in QicWorks", "To send it, restore the contact in QicWorks.", "release")


def named(document: ContactDocument) -> Iterator[CheckResult]:
    name = document.row.name.strip()
    if not name:
        yield CheckResult("it has no name", "Give the contact a name in QicWorks.", "release")
    elif any(unicodedata.category(character) == "Cc" for character in name):
        yield CheckResult("its name contains control characters", "Type the name of the contact again.", "release")


def reachable(document: ContactDocument) -> Iterator[CheckResult]:
    if (email := text(document.row.email)) and not EMAIL.fullmatch(email):
        yield CheckResult(
            "its email is not valid",
            "Correct the email of the contact: one address, letters a to z without accents, no blanks.",
            "release",
        )
    if len(text(document.row.phone)) > 50:
        yield CheckResult("its phone number is longer than 50 characters", "Shorten the phone number.", "release")


def with_persons(document: ContactDocument) -> Iterator[CheckResult]:
    people = persons(document.row.contact_persons)
    if people is None:
        yield CheckResult("its contact persons cannot be read", "Enter the persons of the contact again.", "release")
        return
    if len(people) > MAX_PERSONS:
        yield CheckResult(
            f"it has {len(people)} contact persons, and Xero keeps {MAX_PERSONS} besides the first",
            "Remove some of the persons of the contact.",
            "release",
        )
    if people and not text(document.row.email):
        yield CheckResult(
            "it has contact persons, but no email of its own, which Xero needs first",
            "Enter the email of the contact.",
            "release",
        )
    for one in people:
        if one["email"] and not EMAIL.fullmatch(one["email"]):
            yield CheckResult(
                "the email of a contact person is not valid",
                "Correct the email of the contact person.",
                "release",
            )


CHECKS: tuple[Check, ...] = (in_use, named, reachable, with_persons)

CONTACTS = Kind(
    name="contacts",
    word="contact",
    title="New contacts",
    help="Customers and suppliers that Xero does not have, and changes of those that QicWorks created there.",
    scope="accounting.contacts",
    table="contact",
    delivery=Delivery.CONTACTS,
    row=ContactRow,
    page=lambda row: f"https://go.xero.com/app/contacts/contact/{row['xero_id']}",
    private=("before_edit", "last_pushed"),
    also_due=("push/contacts", "left_by_setting"),
    due_anywhere=True,
    gone=frozenset({"ARCHIVED"}),
    replays=True,
    label="name",
    settled_by="settle_contact",
)
