"""Whom a document is for: found by id, number or name; made, or changed, by the way."""

from __future__ import annotations

import re
from uuid import uuid4

from xero_sandbox.collection import Record, Row
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.forms import Form
from xero_sandbox.writing.reading import read_text

NOBODY = "A Contact must be specified for this type of transaction"
EMPTY = (
    "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, "
    "ContactNumber"
)
UNKNOWN = "The Contact with the specified contact details could not be found"
ARCHIVED = (
    "The contact with the specified contact details has been archived. The contact must be un-archived before "
    "creating new invoices or credit notes"
)
NUMBER_TAKEN = "Another contact has this contact number. Please enter a different contact number."
FIELDS = ("Name", "ContactNumber", "EmailAddress", "FirstName", "LastName")
BLANK: Record = {
    "ContactStatus": "ACTIVE",
    "FirstName": "",
    "LastName": "",
    "EmailAddress": "",
    "BankAccountDetails": "",
    "TaxNumber": "",
    "Addresses": [],
    "Phones": [],
    "ContactGroups": [],
    "IsSupplier": False,
    "IsCustomer": False,
    "ContactPersons": [],
    "HasAttachments": False,
    "HasValidationErrors": False,
}


def contact_of(desk: Desk, form: Form, sent: object, found: Findings) -> Record:
    """The contact as a document keeps it; empty when there is none."""
    if not isinstance(sent, dict):
        found.error(NOBODY)
        return {}
    given = {name: read_text(sent[name]) for name in ("ContactID", *FIELDS) if sent.get(name)}
    if not {"ContactID", "ContactNumber", "Name"} & given.keys():
        found.error(EMPTY)
        return {}
    if "EmailAddress" in given and not re.fullmatch(r"[\x21-\x7e]+@[\w-]+(\.[\w-]+)+", given["EmailAddress"]):
        found.error("Email address must be valid.")
    row = _match(desk, given)
    if row is None:
        if "ContactID" in given or "Name" not in given or not form.makes_contacts:
            found.error(UNKNOWN)
            return {}
        return _new(desk, given, found)
    if row.status != "ACTIVE":
        found.error(ARCHIVED)
        return {}
    return _known(desk, form, row, given, found)


def _match(desk: Desk, given: dict[str, str]) -> Row | None:
    """By id, else by number, else by name: an active contact before an archived one."""
    contacts = desk.collection("Contacts")
    if "ContactID" in given:
        return contacts.rows.get(given["ContactID"].lower())
    rows = contacts.having("ContactNumber", given.get("ContactNumber", "\0"))
    rows = rows or contacts.having("Name", given.get("Name", "\0"))
    return min(rows, key=lambda row: row.status != "ACTIVE", default=None)


def _new(desk: Desk, given: dict[str, str], found: Findings) -> Record:
    contact = {"ContactID": str(uuid4()), **BLANK, **given}
    found.saves.append(lambda: desk.add(desk.collection("Contacts"), contact))
    return {name: contact[name] for name in ("ContactID", "Name")}


def _known(desk: Desk, form: Form, row: Row, given: dict[str, str], found: Findings) -> Record:
    """An existing contact; the other fields that are sent change it."""
    contacts, record = desk.collection("Contacts"), row.record
    changes = {name: value for name, value in given.items() if name in FIELDS and record.get(name) != value}
    if not form.makes_contacts or "ContactID" not in given:
        changes = {}
    name = changes.get("Name", str(record.get("Name")))
    if "Name" in changes and any(
        other.status == "ACTIVE" and other.key != row.key for other in contacts.having("Name", name)
    ):
        found.error(
            f"The contact name {name} is already assigned to another contact. The contact name must be unique across "
            "all active contacts."
        )
    taken = contacts.having("ContactNumber", changes.get("ContactNumber", "\0"))
    if any(other.key != row.key for other in taken):
        found.error(NUMBER_TAKEN)
    if changes:
        found.saves.append(lambda: desk.change(contacts, row.key, dict(changes)))
    return {"ContactID": row.key, "Name": name}
