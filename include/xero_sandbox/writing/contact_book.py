"""PUT and POST of contacts: names unique among active ones, numbers among all; an archived one cannot be changed."""

from __future__ import annotations

import re
from uuid import uuid4

from xero_sandbox.collection import Record, Row
from xero_sandbox.endpoints.calling import Call, envelope
from xero_sandbox.problems import Problem
from xero_sandbox.wire import Reply, encode
from xero_sandbox.writing.batch import NO_ID, validation_failed
from xero_sandbox.writing.contacts import BLANK, EMPTY, NUMBER_TAKEN
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.reading import elements, objects, read_text, typed

PLURAL = "Contacts"
NAME_EMPTY = "The contact name cannot be empty."
ARCHIVED = "The specified contact details matched an archived contact. "
ARCHIVED += "Archived contacts cannot currently be edited via the API."
NO_PRIMARY = "Additional people cannot be added when the primary person has no email address set."
BAD_EMAIL = "Email address must be valid."
UNKNOWN = "The Contact with the specified contact details could not be found"
MAX_PERSONS = 5
EMAIL = re.compile(r"[\x21-\x7e]+@[\w-]+(\.[\w-]+)+")
TEXTS = {
    "ContactNumber": 50,
    "AccountNumber": 50,
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "CompanyNumber": 50,
    "EmailAddress": 255,
    "TaxNumber": 50,
    "BankAccountDetails": 255,
    "DefaultCurrency": 3,
}
ADDRESS = ("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "Region", "PostalCode", "Country")
ADDRESS += ("AttentionTo",)
PHONE = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")
PERSON = ("FirstName", "LastName", "EmailAddress")
#: Lists whose entries have a type: those that are not sent stay.
TYPED = {"Addresses": ("AddressType", ADDRESS), "Phones": ("PhoneType", PHONE)}


def write_contacts(call: Call) -> Reply:
    """PUT creates only, POST creates or changes: by id, else by number, else by name."""
    key = call.parts.get("id", "")
    sent = [typed(element, ()) for element in elements(call, PLURAL)]
    if key:
        sent = [{**element, "ContactID": key} for element in sent[:1]]
    desk = Desk(call.organisation, call.world.settings, call.world.clock, four_places=False)
    try:
        written = [_write_one(call, desk, element) for element in sent]
    except Problem:
        desk.undo()
        raise
    each = not key and call.params.get("summarizeErrors", "").lower() == "false"
    refused = [body for body in written if body["HasValidationErrors"]]
    if refused and not each:
        desk.undo()
        raise validation_failed(refused)
    return envelope(call, PLURAL, [encode(body) for body in written])


def _write_one(call: Call, desk: Desk, sent: Record) -> Record:
    found = Findings()
    given = {name: read_text(sent[name]) for name in TEXTS if name in sent}
    if not ({"ContactNumber", "Name"} & given.keys() or sent.get("ContactID")):
        found.error(EMPTY)
    old = None if found.errors else _existing(call, desk, sent, given, found)
    _check(desk, given, old, found)
    record: Record = {} if old is None else old.record
    parts = _parts(record, sent, given, found)
    if found.errors:
        errors = [{"Message": text} for text in found.errors]
        echo = {"ContactID": NO_ID, **sent, "StatusAttributeString": "ERROR"}
        return {**echo, "HasValidationErrors": True, "ValidationErrors": errors}
    if call.method == "POST" and sent.get("ContactStatus") == "ARCHIVED":
        parts["ContactStatus"] = "ARCHIVED"
    contacts = desk.collection(PLURAL)
    if old:
        saved = desk.change(contacts, old.key, {**given, **parts})
    else:
        saved = desk.add(contacts, {"ContactID": str(uuid4()), **BLANK, **given, **parts})
    return {**saved, "StatusAttributeString": "OK", "HasValidationErrors": False, "ValidationErrors": []}


def _existing(call: Call, desk: Desk, sent: Record, given: dict[str, str], found: Findings) -> Row | None:
    """The contact that is meant; None for a new one, and when it is refused."""
    contacts, key = desk.collection(PLURAL), read_text(sent.get("ContactID", "")).lower()
    if key.strip("0-"):
        row = contacts.rows.get(key)
        if row is None:
            found.error(UNKNOWN)
        elif row.status != "ACTIVE":
            found.error(ARCHIVED)
        return row
    if call.method == "PUT":
        return None
    rows = contacts.having("ContactNumber", given["ContactNumber"]) if given.get("ContactNumber") else []
    rows = rows or (contacts.having("Name", given["Name"]) if given.get("Name") else [])
    row = min(rows, key=lambda row: row.status != "ACTIVE", default=None)
    if row and row.status != "ACTIVE":
        found.error(ARCHIVED)
    return row


def _check(desk: Desk, given: dict[str, str], old: Row | None, found: Findings) -> None:
    contacts = desk.collection(PLURAL)
    name = given.get("Name", str(old.record.get("Name")) if old else "")
    if not name:
        found.error(NAME_EMPTY)
    for field, longest in TEXTS.items():
        if len(given.get(field, "")) > longest:
            found.error(f"The {field} field must be {longest} characters or less.")
    if given.get("EmailAddress") and not EMAIL.fullmatch(given["EmailAddress"]):
        found.error(BAD_EMAIL)
    others = [row for row in contacts.having("Name", name) if not old or row.key != old.key]
    if any(row.status == "ACTIVE" for row in others):
        found.error(
            f"The contact name {name} is already assigned to another contact. The contact name must be unique across "
            "all active contacts."
        )
    number = given.get("ContactNumber")
    if number and any(not old or row.key != old.key for row in contacts.having("ContactNumber", number)):
        found.error(NUMBER_TAKEN)


def _parts(record: Record, sent: Record, given: dict[str, str], found: Findings) -> Record:
    """Addresses and phones by their type; persons are replaced as they are sent."""
    parts: Record = {}
    for plural, (type_, fields) in TYPED.items():
        if plural not in sent:
            continue
        entries = {entry[type_]: entry for entry in record.get(plural) or ()}
        for one in objects(sent[plural], plural):
            texts = {name: read_text(one[name]) for name in fields if one.get(name) is not None}
            entries[read_text(one.get(type_, ""))] = {type_: read_text(one.get(type_, "")), **texts}
        parts[plural] = list(entries.values())
    if not record:  # a new one has an address of both types (as in the samples of Xero's OpenAPI)
        given_addresses = {one["AddressType"]: one for one in parts.get("Addresses", ())}
        parts["Addresses"] = [
            given_addresses.get(type_, {"AddressType": type_, **dict.fromkeys(ADDRESS[4:8], "")})
            for type_ in ("STREET", "POBOX")
        ]
    if "ContactPersons" in sent:
        people = [
            {
                **{name: read_text(one.get(name) or "") for name in PERSON},
                "IncludeInEmails": one.get("IncludeInEmails") is True,
            }
            for one in objects(sent["ContactPersons"], "ContactPersons")
        ]
        if people and not given.get("EmailAddress", record.get("EmailAddress")):
            found.error(NO_PRIMARY)
        if any(one["EmailAddress"] and not EMAIL.fullmatch(str(one["EmailAddress"])) for one in people):
            found.error(BAD_EMAIL)
        if len(people) > MAX_PERSONS:
            found.error(f"A contact can have at most {MAX_PERSONS} additional people.")
        parts["ContactPersons"] = people
    return parts
