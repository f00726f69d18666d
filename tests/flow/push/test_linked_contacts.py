"""What QicWorks has otherwise than the record that a contact is linked to: nothing is lost, a difference says so."""

import json
from typing import Any

import pytest

from tests.support.own_contacts import OwnBooks
from xero.qicworks import database
from xero.qicworks.follow import differences

Row = dict[str, Any]
TYPED = {
    "email": "typed@by.example",
    "phone": "02 4222 1111",
    "tax_number": "51 824 753 556",
    "contact_number": "C-100",
    "address_line1": "1 First St",
    "city": "Dapto",
    "contact_persons": json.dumps([{"first_name": "Ann", "last_name": "Lee", "email": "", "include_in_emails": False}]),
}


@pytest.fixture(params=[True, False])
def own(world: Any, request: pytest.FixtureRequest) -> OwnBooks:
    """Of a record that was pulled before, or not."""
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    if request.param:
        own.pull_contacts()
    else:
        world.query("DELETE FROM qicworks.contact")
    return own


def change(own: OwnBooks, there: Row, **fields: Any) -> None:
    own.world.sandbox.change("Contacts", there["ContactID"], **fields)
    own.pull_contacts()


def open_ones(own: OwnBooks) -> list[differences.Difference]:
    with database.session(own.world.engine) as session:
        return differences.listed(session, own.connection_id, kinds=["contacts"])


def test_what_xero_lacks_stays_in_qicworks_and_differs(own: OwnBooks) -> None:
    there = own.in_xero_active()
    nothing: Row = {"EmailAddress": "", "Phones": [], "Addresses": [], "TaxNumber": "", "ContactPersons": []}
    own.world.sandbox.change("Contacts", there["ContactID"], **nothing)
    contact = own.contact(there["Name"], **TYPED)
    outcome = own.push("contacts")
    assert str(own.of(contact)["xero_id"]) == there["ContactID"], own.of(contact)["push_error"]
    assert (str(outcome.status), "1 with a warning" in outcome.message) == ("warning", True)
    for full in (False, True, True):
        own.pull_contacts(full=full)
        assert {name: own.of(contact)[name] for name in TYPED} == TYPED
        [one] = open_ones(own)
        assert set(one.ours) == {name.replace("_", " ") for name in TYPED}
        assert (one.ours["email"], one.ours["contact persons"]) == ("typed@by.example", "Ann Lee")
        assert set(one.theirs.values()) == {""}
    said = json.dumps([[each["message"], each["correction"]] for each in own.events(contact)])
    assert "other values or none" in said
    assert "typed@by.example" not in said
    assert own.writes() == []
    # Entered in Xero: it is settled by itself, value by value.
    address = {"AddressType": "STREET", "AddressLine1": "1 First St", "City": "Dapto"}
    change(own, there, EmailAddress="typed@by.example", TaxNumber="51824753556", Addresses=[address])
    [one] = open_ones(own)
    assert set(one.ours) == {"phone", "contact number", "contact persons"}
    # Changed in QicWorks: it is not sent, and stays.
    own.edit_contact(contact, phone="02 4222 2222")
    own.push("contacts")
    own.pull_contacts(full=True)
    assert (own.of(contact)["phone"], own.of(contact)["push_state"]) == ("02 4222 2222", "pushed")
    [one] = open_ones(own)
    assert one.ours["phone"] == "02 4222 2222"
    # Emptied in QicWorks: nothing is left of it.
    own.edit_contact(contact, phone=None, contact_number=None, contact_persons=None)
    own.push("contacts")
    own.pull_contacts(full=True)
    assert open_ones(own) == []
    assert own.of(contact)["kept_columns"] is None


def test_values_that_differ_stay_and_what_is_written_otherwise_is_the_same(own: OwnBooks) -> None:
    there = own.in_xero_active()
    phone = {"PhoneType": "DEFAULT", "PhoneNumber": "4222 1111", "PhoneAreaCode": "02", "PhoneCountryCode": ""}
    fields = {"TaxNumber": "51824753556", "Phones": [phone], "FirstName": "Ann", "LastName": "Lee"}
    own.world.sandbox.change("Contacts", there["ContactID"], **fields)
    same = {"tax_number": "51 824 753 556", "phone": "0242221111", "email": there["EmailAddress"].upper()}
    contact = own.contact(there["Name"].upper(), first_name="Anna", city="Elsewhere", **same)
    own.push("contacts")
    row = own.of(contact)
    assert (str(row["xero_id"]), row["last_name"]) == (there["ContactID"], "Lee"), row["push_error"]
    for _ in range(2):
        [one] = open_ones(own)
        assert set(one.ours) == {"first name", "city"}
        assert (one.ours["first name"], one.theirs["first name"]) == ("Anna", "Ann")
        own.pull_contacts(full=True)
    row = own.of(contact)
    assert (row["name"], row["first_name"], row["city"]) == (there["Name"], "Anna", "Elsewhere")
    # An edit of something else: the row has Xero's again, but for what differs since the link.
    own.edit_contact(contact, last_name="Loo", region="NSW")
    own.push("contacts")
    own.pull_contacts(full=True)
    row = own.of(contact)
    assert (row["last_name"], row["first_name"], row["city"]) == ("Lee", "Anna", "Elsewhere")
    own.edit_contact(contact, first_name="Ann", city=own.record(contact)["Addresses"][0]["City"])
    own.push("contacts")
    assert open_ones(own) == []


def test_it_follows_the_record(own: OwnBooks) -> None:
    there = own.in_xero_active()
    contact = own.contact(there["Name"], city="Elsewhere")
    own.push("contacts")
    change(own, there, Name="Renamed in Xero", EmailAddress="new@there.example")
    row = own.of(contact)
    assert (row["name"], row["email"], row["city"], row["push_state"]) == (
        "Renamed in Xero",
        "new@there.example",
        "Elsewhere",
        "pushed",
    )
    change(own, there, ContactStatus="ARCHIVED")
    assert not own.of(contact)["is_active"]


def test_the_record_decides_before_a_link(own: OwnBooks) -> None:
    """QicWorks' row of it says otherwise than Xero, and no search sees that: it is old there."""
    there = own.in_xero_active()
    own.pull_contacts(full=True)
    own.world.query("UPDATE qicworks.contact SET name = 'Delta Solar' WHERE xero_id = %s", there["ContactID"])
    own.world.query("UPDATE xero_sync.cursor SET high_water = now() + interval '1 hour' WHERE data_set = 'contacts'")
    contact = own.contact("Delta Solar")
    own.push("contacts")
    assert str(own.of(contact)["xero_id"]) != there["ContactID"]
    assert [one["Name"] for one in own.created()] == ["Delta Solar"]


def test_linked_by_a_pull_and_deleted(own: OwnBooks) -> None:
    """Nothing is lost by that link either; a difference of what is deleted is settled."""
    own.setting("ask")
    there = own.in_xero_active()
    own.world.sandbox.change("Contacts", there["ContactID"], TaxNumber="51824753556", Phones=[])
    typed = {"tax_number": "51 824 753 556", "phone": "02 4222 1111", "city": "Elsewhere"}
    contact = own.contact(there["Name"], **typed)
    for full in (False, True, True):
        own.pull_contacts(full=full)
        row = own.of(contact)
        assert str(row["xero_id"]) == there["ContactID"], row["push_error"]
        assert {name: row[name].replace(" ", "") for name in typed} == {k: v.replace(" ", "") for k, v in typed.items()}
        [one] = open_ones(own)
        assert set(one.ours) == {"phone", "city"}
    own.world.query("DELETE FROM qicworks.contact WHERE id = %s", contact)
    own.pull_contacts()
    assert open_ones(own) == []
