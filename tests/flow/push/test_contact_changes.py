"""Changes of contacts that QicWorks created: sent field by field; what Xero changed since stays, or is asked about."""

import json
from typing import Any
from uuid import UUID

import pytest

from tests.support.own_contacts import OwnBooks

ANN = {"first_name": "Ann", "last_name": "Lee", "email": "ann@new.example", "include_in_emails": True}
BOB = {"first_name": "Bob", "last_name": "", "email": "", "include_in_emails": False}


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    return own


@pytest.fixture
def contact(own: OwnBooks) -> UUID:
    """It is in Xero, with all that is sent."""
    made = own.contact(
        "New Electrical",
        first_name="Zoë",
        last_name="Ng",
        email="office@new.example",
        phone="02 4222 1111",
        tax_number="51 824 753 556",
        account_number="NEW-1",
        currency="AUD",
        address_line1="1 First St",
        city="Dapto",
        postal_code="2530",
        po_address_line1="PO Box 7",
        po_city="Wollongong",
        contact_persons=json.dumps([ANN, BOB]),
    )
    own.push("contacts")
    assert own.of(made)["push_state"] == "pushed", own.of(made)["push_error"]
    return made


def test_all_that_is_sent_comes_back_as_it_was(own: OwnBooks, contact: UUID) -> None:
    record = own.record(contact)
    addresses = {one["AddressType"]: one for one in record["Addresses"]}
    assert (addresses["STREET"]["AddressLine1"], addresses["POBOX"]["City"]) == ("1 First St", "Wollongong")
    assert record["ContactPersons"] == [
        {"FirstName": "Ann", "LastName": "Lee", "EmailAddress": "ann@new.example", "IncludeInEmails": True},
        {"FirstName": "Bob", "LastName": "", "EmailAddress": "", "IncludeInEmails": False},
    ]
    before = own.of(contact)
    own.pull_contacts()
    own.pull_contacts(full=True)
    after = own.of(contact)
    names = (
        "name",
        "email",
        "phone",
        "tax_number",
        "city",
        "po_city",
        "po_address_line1",
        "push_state",
        "push_version",
    )
    assert [after[name] for name in names] == [before[name] for name in names]
    assert json.loads(after["contact_persons"]) == [ANN, BOB]
    assert after["is_active"]
    own.world.calls()
    own.push("contacts")
    assert own.writes() == []


def test_only_what_was_changed_is_sent(own: OwnBooks, contact: UUID) -> None:
    """An emptied field is emptied; what Xero has changed meanwhile stays, also after a pull."""
    xero_id = own.record(contact)["ContactID"]
    own.pull_contacts()
    own.world.sandbox.change("Contacts", xero_id, Name="Renamed in Xero", CompanyNumber="123456789")
    own.edit_contact(contact, city="Wollongong", phone=None, contact_persons=json.dumps([BOB]))
    own.pull_contacts()  # what is not sent yet is not lost
    assert (own.of(contact)["city"], own.of(contact)["push_state"]) == ("Wollongong", "ready")
    own.push("contacts")
    record = own.record(contact)
    street = next(one for one in record["Addresses"] if one["AddressType"] == "STREET")
    assert (street["City"], street["AddressLine1"], street["PostalCode"]) == ("Wollongong", "1 First St", "2530")
    assert [one["FirstName"] for one in record["ContactPersons"]] == ["Bob"]
    assert not any(one["PhoneNumber"] for one in record["Phones"])
    assert (record["Name"], record["CompanyNumber"]) == ("Renamed in Xero", "123456789")
    own.pull_contacts()
    row = own.of(contact)
    assert (row["name"], row["city"], row["phone"] or "", row["push_state"]) == (
        "Renamed in Xero",
        "Wollongong",
        "",
        "pushed",
    )


@pytest.mark.parametrize("wins", ["ask", "qicworks", "xero"])
def test_what_both_sides_changed(own: OwnBooks, contact: UUID, wins: str) -> None:
    own.setting("create", conflicts=wins)
    own.edit_contact(contact, email="qic@works.example", city="Wollongong")
    own.world.sandbox.change("Contacts", own.record(contact)["ContactID"], EmailAddress="in@xero.example")
    own.push("contacts")
    row, record = own.of(contact), own.record(contact)
    street = next(one for one in record["Addresses"] if one["AddressType"] == "STREET")
    if wins == "ask":
        assert "have both changed it (email)" in row["push_error"]
        assert (record["EmailAddress"], street["City"]) == ("in@xero.example", "Dapto")
        own.edit_contact(contact, email="in@xero.example")
        own.push("contacts")
        row, record = own.of(contact), own.record(contact)
        street = next(one for one in record["Addresses"] if one["AddressType"] == "STREET")
    expected = "qic@works.example" if wins == "qicworks" else "in@xero.example"
    assert (row["push_state"], row["email"], record["EmailAddress"]) == ("pushed", expected, expected)
    assert (street["City"], row["city"]) == ("Wollongong", "Wollongong")
    assert row["before_edit"] is None


def test_archived_meanwhile(own: OwnBooks, contact: UUID) -> None:
    own.world.sandbox.change("Contacts", own.record(contact)["ContactID"], ContactStatus="ARCHIVED")
    own.edit_contact(contact, city="Wollongong")
    own.push("contacts")
    assert "archived in Xero" in own.of(contact)["push_error"]


@pytest.mark.parametrize("edit", [{}, {"city": "Kiama"}])
def test_archived_in_qicworks_and_in_use_again(own: OwnBooks, contact: UUID, edit: dict[str, str]) -> None:
    """Xero follows, also after a pull. No app can restore a contact in Xero, so a person is told to."""
    for number in range(2):
        own.edit_contact(contact, is_active=False)
        own.pull_contacts(full=True)
        own.push("contacts")
        assert own.record(contact)["ContactStatus"] == "ARCHIVED"
        own.pull_contacts(full=True)
        assert not own.of(contact)["is_active"]
        own.edit_contact(contact, is_active=True, **{name: f"{value} {number}" for name, value in edit.items()})
        own.push("contacts")
        assert "Restore the contact in Xero" in own.of(contact)["push_correction"]
        own.pull_contacts(full=True)
        assert own.of(contact)["is_active"], "QicWorks' word is not lost"
        own.world.sandbox.change("Contacts", own.record(contact)["ContactID"], ContactStatus="ACTIVE")
        own.push("contacts", retry_failed=True)
        own.pull_contacts(full=True)
        row, record = own.of(contact), own.record(contact)
        street = next(one for one in record["Addresses"] if one["AddressType"] == "STREET")
        assert (row["is_active"], row["push_state"], record["ContactStatus"]) == (True, "pushed", "ACTIVE")
        assert row["city"] == street["City"] == (f"Kiama {number}" if edit else "Dapto")
        own.world.calls()
        own.push("contacts")
        assert own.writes() == []


def test_deleted_in_qicworks(own: OwnBooks, contact: UUID) -> None:
    record = own.record(contact)
    own.world.query("DELETE FROM qicworks.contact WHERE id = %s", contact)
    own.push("contacts")
    [there] = [one for one in own.created() if one["ContactID"] == record["ContactID"]]
    assert there["ContactStatus"] == "ARCHIVED"
    own.world.calls()
    own.push("contacts")
    assert own.writes() == []


def test_one_of_xeros_is_not_archived(own: OwnBooks) -> None:
    there = own.in_xero_active()
    own.pull_contacts()
    linked = own.contact(there["Name"])
    own.push("contacts")
    own.edit_contact(linked, is_active=False)
    own.push("contacts")
    own.world.query("DELETE FROM qicworks.contact WHERE id = %s", linked)
    own.push("contacts")
    assert own.world.sandbox.record("Contacts", there["ContactID"])["ContactStatus"] == "ACTIVE"


def test_what_was_linked_is_managed_in_xero(own: OwnBooks) -> None:
    there = own.in_xero_active()
    own.pull_contacts()
    contact = own.contact(there["Name"])
    own.push("contacts")
    own.edit_contact(contact, city="Elsewhere")
    own.world.calls()
    own.push("contacts")
    assert own.writes() == []
    assert own.of(contact)["push_state"] == "pushed"
    assert any("it was created in Xero and is managed there" in one["message"] for one in own.events(contact))
    assert own.of(contact)["city"] != "Elsewhere", "green is equal: QicWorks has Xero's values again"


def test_what_is_certain_to_be_refused_costs_no_call(own: OwnBooks) -> None:
    own.push("contacts")
    bad = {
        "its name contains control": own.contact("A\tB"),
        "no email of its own": own.contact("B", contact_persons=json.dumps([ANN])),
        "cannot be read": own.contact("C", contact_persons="nonsense"),
        "6 contact persons": own.contact("D", email="d@d.example", contact_persons=json.dumps([ANN] * 6)),
        "of a contact person is not valid": own.contact(
            "E", email="e@e.example", contact_persons=json.dumps([ANN | {"email": "x"}])
        ),
        "it has no name": own.contact(" "),
    }
    own.world.calls()
    own.push("contacts")
    assert own.world.calls() == []
    for words, contact in bad.items():
        assert words in own.of(contact)["push_error"]
