"""New contacts: found and linked, created once, or left for a person."""

from typing import Any

import pytest

from tests.support.own_contacts import OwnBooks

Row = dict[str, Any]


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    return OwnBooks(world)


def test_a_new_contact_is_created_under_our_number(own: OwnBooks) -> None:
    own.setting("create")
    contact = own.contact(
        "New Electrical Pty Ltd", email="office@new.example", tax_number="51 824 753 556", city="Dapto"
    )
    assert own.push("contacts").counts.pushed == 1
    [record] = own.created()
    row = own.of(contact)
    assert (row["push_state"], str(row["xero_id"]), row["xero_status"]) == ("pushed", record["ContactID"], "ACTIVE")
    assert row["connection_id"] == own.connection_id
    assert record["ContactNumber"] == str(contact)
    assert (record["Name"], record["EmailAddress"]) == ("New Electrical Pty Ltd", "office@new.example")
    assert record["Addresses"][0]["City"] == "Dapto"
    assert own.push("contacts").counts.calls == 0
    assert own.left("contacts") == 0


def test_by_default_a_person_is_asked(own: OwnBooks) -> None:
    contact = own.contact("New Electrical Pty Ltd")
    assert own.push("contacts").counts.failed == 1
    assert "a person decides" in own.of(contact)["push_error"]
    assert own.created() == []
    own.setting("off")
    own.world.calls()
    own.push("contacts", retry_failed=True)
    assert "are not sent to Xero" in own.of(contact)["push_error"]
    assert own.world.calls() == []


@pytest.mark.parametrize("pulled", [True, False])
def test_one_certain_match_is_linked_and_nothing_is_sent(own: OwnBooks, pulled: bool) -> None:
    there = own.in_xero_active()
    if pulled:
        own.pull_contacts()
    else:
        own.world.query("DELETE FROM qicworks.contact")
    contact = own.contact(f"  {there['Name'].upper()} ")
    own.world.calls()
    own.push("contacts")
    row = own.of(contact)
    assert (row["push_state"], str(row["xero_id"])) == ("pushed", there["ContactID"]), row["push_error"]
    assert row["connection_id"] == (None if pulled else own.connection_id)
    assert own.writes() == []
    assert own.created() == []
    assert any("linked to" in one["message"] for one in own.events(contact))


def test_namesakes_are_named_and_nothing_is_sent(own: OwnBooks) -> None:
    own.setting("create")
    there = own.in_xero_active()
    contact = own.contact("Quite another name", email=there["EmailAddress"].upper())
    own.push("contacts")
    row = own.of(contact)
    assert row["push_state"] == "failed"
    assert f"'{there['Name']}' (the email)" in row["push_error"]
    [candidate] = own.world.query("SELECT * FROM xero_sync.contact_candidate WHERE contact_id = %s", contact)
    assert (str(candidate["xero_id"]), candidate["alike"]) == (there["ContactID"], ["email"])
    assert own.created() == []
    own.edit_contact(contact, email="own@address.example")
    own.push("contacts")
    assert own.of(contact)["push_state"] == "pushed"
    assert own.world.query("SELECT 1 FROM xero_sync.contact_candidate") == []


def test_one_refused_contact_does_not_hold_back_the_others(own: OwnBooks) -> None:
    own.setting("create")
    good = own.contact("Good One")
    taken = own.contact("Taken Number")
    there = own.in_xero_active()
    own.world.sandbox.change("Contacts", there["ContactID"], ContactNumber=str(taken), ContactStatus="ARCHIVED")
    bad = own.contact("Bad mail", email="nobody")
    same = own.contact("GOOD  one")
    own.push("contacts")
    assert {id: own.of(id)["push_state"] for id in (good, taken, bad, same)} == {
        good: "pushed",
        taken: "failed",
        bad: "failed",
        same: "pushed",
    }
    assert own.of(same)["xero_id"] == own.of(good)["xero_id"]
    assert "is not valid" in own.of(bad)["push_error"]
    assert "own contact number, archived" in own.of(taken)["push_error"]
    assert len(own.created()) == 1


def test_four_hundred_new_customers_in_eight_requests(own: OwnBooks) -> None:
    own.setting("create")
    own.pull_contacts()
    own.world.query(
        "INSERT INTO qicworks.contact (organisation_id, name, push_state)"
        " SELECT %s, 'Customer ' || nth, 'ready' FROM generate_series(1, 400) AS nth",
        own.organisation_id,
    )
    own.world.calls()
    assert own.push("contacts").counts.pushed == 400
    calls = own.world.calls()
    assert len([one for one in calls if one["method"] == "PUT"]) == 8
    assert len([one for one in calls if one["method"] == "GET"]) <= 8
    assert len(own.created()) == 400
