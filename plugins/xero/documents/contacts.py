"""Contacts that QicWorks has and Xero does not: customers and suppliers. Each is looked for before it is created."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Never
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
EMAIL = re.compile(r"[\x21-\x7e]+@[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, kw_only=True)
class ContactRow(DocumentRow):
    """QicWorks' own contact. `before_edit`: what is sent of it, as both sides had it before it was edited."""

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
    is_here: bool
    before_edit: Mapping[str, str | None] | None
    decided: bool  # a person has decided, about this version
    chosen_xero_id: UUID | None  # which record of Xero's it is; None: it is to be created

    @property
    def called(self) -> str | None:
        return self.name


ContactDocument = Document[ContactRow, Never]


def number(document: ContactDocument) -> str:
    """Our number of a contact in Xero. Xero accepts each number once, so it cannot be created twice."""
    return str(document.id)


def ours(document: ContactDocument) -> dict[str, str]:
    """What is sent of it, by column; nothing is an empty text."""
    return {name: text(getattr(document.row, name)) for name in (*TEXTS, "phone", *STREET)}


def theirs(record: Record) -> dict[str, str]:
    """The same of a record of Xero's."""
    street = _entry(record, "Addresses", "AddressType", "STREET")
    made = {column: text(record.get(field)) for column, field in TEXTS.items()}
    return made | {"phone": _phone(record)} | {column: text(street.get(field)) for column, field in STREET.items()}


def payload(values: Mapping[str, str]) -> Json:
    """What Xero is sent of these columns."""
    made: Json = {field: values[column] for column, field in TEXTS.items() if column in values}
    if "phone" in values:
        made["Phones"] = [
            {"PhoneType": "DEFAULT", "PhoneCountryCode": "", "PhoneAreaCode": "", "PhoneNumber": values["phone"]}
        ]
    if street := {field: values[column] for column, field in STREET.items() if column in values}:
        made["Addresses"] = [{"AddressType": "STREET", **street}]
    return made


def new(document: ContactDocument) -> Json:
    """The element that creates it: our number, and what is not empty."""
    return {NUMBER: number(document), **payload({name: value for name, value in ours(document).items() if value})}


def text(value: object) -> str:
    return str(value).strip() if isinstance(value, str) else ""


def _entry(record: Record, plural: str, type_: str, wanted: str) -> Record:
    entries = record.get(plural)
    found = (one for one in entries if isinstance(one, dict)) if isinstance(entries, list) else ()
    return next((one for one in found if one.get(type_) == wanted), {})


def _phone(record: Record) -> str:
    """The default phone: country, area and number."""
    phone = _entry(record, "Phones", "PhoneType", "DEFAULT")
    return " ".join(
        part for name in ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber") if (part := text(phone.get(name)))
    )


def named(document: ContactDocument) -> Iterator[CheckResult]:
    name = document.row.name.strip()
    if not name:
        yield CheckResult("it has no name", "Give the contact a name in QicWorks.", "release")
    elif any(unicodedata.category(character) == "Cc" for character in name):
        yield CheckResult("its name contains control characters", "Type the name of the contact again.", "release")


def reachable(document: ContactDocument) -> Iterator[CheckResult]:
    if (email := text(document.row.email)) and not EMAIL.fullmatch(email):
        yield CheckResult(
            f"its e-mail '{email}' is not valid",
            "Correct the e-mail of the contact: one address, letters a to z without accents, no blanks.",
            "release",
        )
    if len(text(document.row.phone)) > 50:
        yield CheckResult("its phone number is longer than 50 characters", "Shorten the phone number.", "release")


CHECKS: tuple[Check, ...] = (named, reachable)

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
    private=("before_edit",),
    replays=True,
    label="name",
    settled_by="settle_contact",
)
