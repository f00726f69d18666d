"""Contacts that both sides change: nothing that a user did is lost, and only a real conflict is one."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from tests.support.own_contacts import OwnBooks
from tests.support.troubles import AT_ONCE, BEYOND
from xero.api.errors import XeroError

PATH = r"/Contacts\?"


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    return own


def street(record: dict[str, Any]) -> dict[str, Any]:
    return next((one for one in record["Addresses"] if one["AddressType"] == "STREET"), {})


def made(own: OwnBooks, name: str = "New Electrical", **columns: Any) -> UUID:
    contact = own.contact(name, **columns)
    own.push("contacts")
    assert own.of(contact)["push_state"] == "pushed", own.of(contact)["push_error"]
    return contact


@pytest.mark.parametrize("wins", ["ask", "qicworks", "xero"])
def test_edited_again_while_the_change_is_sent(own: OwnBooks, wins: str) -> None:
    """Only QicWorks edits, twice; the second edit must arrive."""
    own.setting("create", conflicts=wins)
    contact = made(own, city="Dapto")
    own.edit_contact(contact, city="Wollongong")
    with own.world.sandbox.hold(PATH, method="POST", done=True) as wait_until_held, ThreadPoolExecutor(1) as pool:
        done = pool.submit(own.push, "contacts")
        wait_until_held()
        own.edit_contact(contact, city="Kiama")
        own.world.sandbox.control("DELETE", "faults")
        done.result()
    own.drain("contacts")
    row = own.of(contact)
    assert (row["push_state"], row["push_error"], row["city"], street(own.record(contact))["City"]) == (
        "pushed",
        None,
        "Kiama",
        "Kiama",
    )


@pytest.mark.parametrize("wins", ["ask", "xero"])
def test_edited_again_after_the_answer_of_the_change_was_lost(own: OwnBooks, wins: str) -> None:
    own.setting("create", conflicts=wins)
    contact = made(own, city="Dapto")
    own.edit_contact(contact, city="Wollongong")
    own.world.fault(kind="lost_answer", method="POST", path=PATH)
    with suppress(XeroError):
        own.push("contacts", client=AT_ONCE)
    own.world.sandbox.control("DELETE", "faults")
    own.edit_contact(contact, city="Kiama")
    own.pass_time(BEYOND)
    own.drain("contacts")
    row = own.of(contact)
    assert (row["push_state"], row["push_error"], row["city"], street(own.record(contact))["City"]) == (
        "pushed",
        None,
        "Kiama",
        "Kiama",
    )


def test_a_pull_during_an_open_edit_is_not_forgotten(own: OwnBooks) -> None:
    """Xero renames; QicWorks edits the city and takes it back; the rename must arrive in QicWorks."""
    contact = made(own, city="Dapto")
    own.pull_contacts()
    own.world.sandbox.change("Contacts", own.record(contact)["ContactID"], Name="Renamed in Xero")
    own.edit_contact(contact, city="Wollongong")
    own.pull_contacts()
    own.edit_contact(contact, city="Dapto")
    own.push("contacts")
    own.pull_contacts()
    own.pull_contacts(full=True)
    row = own.of(contact)
    assert (row["push_state"], row["name"]) == ("pushed", "Renamed in Xero")


def test_the_same_after_a_conflict_was_settled_as_told(own: OwnBooks) -> None:
    contact = made(own, city="Dapto", email="a@b.example")
    own.pull_contacts()
    own.world.sandbox.change(
        "Contacts", own.record(contact)["ContactID"], Name="Renamed in Xero", EmailAddress="x@ero.example"
    )
    own.edit_contact(contact, email="qic@works.example")
    own.push("contacts")
    assert own.of(contact)["push_state"] == "failed"
    own.pull_contacts()
    own.edit_contact(contact, email="x@ero.example")  # as the correction says
    own.push("contacts")
    own.pull_contacts()
    own.pull_contacts(full=True)
    row = own.of(contact)
    assert (row["push_state"], row["email"], row["name"]) == ("pushed", "x@ero.example", "Renamed in Xero")


def test_conflict_settled_in_xero_as_told(own: OwnBooks) -> None:
    contact = made(own, city="Dapto", email="a@b.example")
    own.pull_contacts()
    xero_id = own.record(contact)["ContactID"]
    own.world.sandbox.change("Contacts", xero_id, EmailAddress="x@ero.example")
    own.edit_contact(contact, email="qic@works.example")
    own.push("contacts")
    assert own.of(contact)["push_state"] == "failed"
    own.world.sandbox.change("Contacts", xero_id, EmailAddress="qic@works.example", Name="Renamed in Xero")
    own.pull_contacts()
    own.push("contacts", retry_failed=True)
    own.pull_contacts()
    own.pull_contacts(full=True)
    row = own.of(contact)
    assert (row["push_state"], row["email"], row["name"]) == ("pushed", "qic@works.example", "Renamed in Xero")


def test_a_postal_address_alone(own: OwnBooks) -> None:
    """A contact with a postal address only: after a pull the street must still be empty, and an edit must be sent."""
    contact = made(own, po_address_line1="PO Box 7", po_city="Wollongong")
    own.pull_contacts()
    row = own.of(contact)
    assert (row["city"] or "", row["po_city"]) == ("", "Wollongong")


def test_a_street_is_added_to_a_postal_address(own: OwnBooks) -> None:
    contact = made(own, po_address_line1="PO Box 7", po_city="Wollongong")
    own.pull_contacts()
    own.edit_contact(contact, address_line1="1 First St", city="Dapto")
    own.push("contacts")
    row = own.of(contact)
    assert (row["push_state"], row["push_error"]) == ("pushed", None)
    assert street(own.record(contact))["City"] == "Dapto"


def test_a_mobile_phone_of_xero_is_not_a_conflict(own: OwnBooks) -> None:
    contact = made(own)
    xero_id = own.record(contact)["ContactID"]
    own.world.sandbox.change(
        "Contacts",
        xero_id,
        Phones=[{"PhoneType": "MOBILE", "PhoneNumber": "411111111", "PhoneAreaCode": "", "PhoneCountryCode": "61"}],
    )
    own.pull_contacts()
    assert own.of(contact)["phone"] == "61 411111111"
    own.edit_contact(contact, phone="02 4222 1111")
    own.push("contacts")
    assert (own.of(contact)["push_state"], own.of(contact)["push_error"]) == ("pushed", None)


def test_our_number_of_the_customer_survives(own: OwnBooks) -> None:
    """QicWorks' own customer number is not overwritten by a pull."""
    contact = made(own, contact_number="C-100")
    own.pull_contacts()
    assert own.of(contact)["contact_number"] == "C-100"


def test_what_is_not_sent_survives(own: OwnBooks) -> None:
    contact = made(
        own,
        sales_account_code="200",
        purchases_account_code="429",
        sales_terms_day=14,
        sales_terms_type="DAYSAFTERBILLDATE",
        is_supplier=True,
    )
    own.pull_contacts()
    row = own.of(contact)
    assert (row["sales_account_code"], row["purchases_account_code"], row["sales_terms_day"], row["is_supplier"]) == (
        "200",
        "429",
        14,
        True,
    )


@pytest.mark.parametrize(
    "odd", [{"Country": "x" * 60}, {"PostalCode": "9" * 60}, {"City": "a\x00b"}, {"City": "\ud800"}]
)
def test_one_odd_value_kept_from_xero_holds_back_nobody(own: OwnBooks, odd: dict[str, str]) -> None:
    """Conflicts=xero; a value of Xero's that does not fit our column."""
    own.setting("create", conflicts="xero")
    contact = made(own, city="Dapto", country="Australia", postal_code="2530", address_line1="1 First St")
    xero_id = own.record(contact)["ContactID"]
    own.world.sandbox.change(
        "Contacts",
        xero_id,
        Addresses=[
            {
                "AddressType": "STREET",
                "AddressLine1": "1 First St",
                "City": "Dapto",
                "Country": "Australia",
                "PostalCode": "2530",
                **odd,
            }
        ],
    )
    own.edit_contact(contact, city="Wollongong", country="AU", postal_code="2500")
    other = own.contact("Somebody else")
    document = own.add("invoices", state="draft")
    own.edit("invoices", document, contact_id=other)
    own.edit("invoices", document, push_state="ready")
    own.push("contacts")
    assert own.of(other)["push_state"] == "pushed"
    own.push("invoices")
    assert own.row("invoices", document)["push_state"] == "pushed"
    assert own.of(contact)["push_state"] in ("pushed", "failed")
    assert own.left("contacts") == 0


def test_an_edit_of_a_linked_contact_is_not_silently_different(own: OwnBooks) -> None:
    """Linked (not created) contact, edited in QicWorks: pulled back to what Xero has, or visibly different."""
    there = own.in_xero_active()
    own.world.query("DELETE FROM qicworks.contact")
    contact = own.contact(there["Name"])
    own.push("contacts")
    own.pull_contacts()
    own.edit_contact(contact, email="other@qicworks.example")
    own.push("contacts")
    own.pull_contacts()
    own.pull_contacts(full=True)
    row, record = own.of(contact), own.record(contact)
    assert row["push_state"] != "pushed" or row["email"] == record["EmailAddress"], (
        f"pushed, though QicWorks has {row['email']} and Xero {record['EmailAddress']}"
    )


def test_number_cleared_in_xero_words(own: OwnBooks) -> None:
    """A bookkeeper changed the ContactNumber of one that QicWorks created: the words must not say 'created in Xero'."""
    contact = made(own, city="Dapto")
    own.world.sandbox.change("Contacts", own.record(contact)["ContactID"], ContactNumber="B-17")
    own.edit_contact(contact, city="Kiama")
    own.push("contacts")
    messages = [one["message"] for one in own.events(contact)]
    assert not any("it was created in Xero" in one for one in messages), messages
    assert own.of(contact)["push_state"] != "pushed" or street(own.record(contact))["City"] == "Kiama"


def test_persons_in_another_order_are_no_conflict(own: OwnBooks) -> None:
    ann = {"first_name": "Ann", "last_name": "Lee", "email": "ann@new.example", "include_in_emails": True}
    bob = {"first_name": "Bob", "last_name": "", "email": "", "include_in_emails": False}
    contact = made(own, email="o@n.example", contact_persons=json.dumps([ann, bob]))
    record = own.record(contact)
    own.world.sandbox.change("Contacts", record["ContactID"], ContactPersons=record["ContactPersons"][::-1])
    own.edit_contact(contact, contact_persons=json.dumps([ann]))
    own.push("contacts")
    assert (own.of(contact)["push_state"], own.of(contact)["push_error"]) == ("pushed", None)


def test_xero_normalises_an_abn(own: OwnBooks) -> None:
    contact = made(own, tax_number="51 824 753 556")
    own.world.sandbox.change("Contacts", own.record(contact)["ContactID"], TaxNumber="51824753556")
    own.edit_contact(contact, tax_number="53 004 085 616")
    own.push("contacts")
    assert (own.of(contact)["push_state"], own.of(contact)["push_error"]) == ("pushed", None)
