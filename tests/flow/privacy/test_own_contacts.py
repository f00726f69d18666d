"""A contact of QicWorks' own is erased: it is not sent to Xero, and nothing of it is kept."""

import json
from typing import Any

import pytest

from tests.support.own_contacts import OwnBooks
from xero.qicworks import database
from xero.qicworks.connect import settings
from xero.qicworks.privacy import erasing, people


def erase(own: OwnBooks, email: str) -> None:
    with database.session(own.world.engine) as session, session.transaction():
        found = people.find(session, email=email)
        assert found
        erasing.erase(session, found)


def everywhere(own: OwnBooks, *words: str) -> list[str]:
    """The tables that have one of these words."""
    tables = own.world.query(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables"
        " WHERE schemaname IN ('qicworks', 'xero_sync') ORDER BY 1"
    )
    found = []
    for table in tables:
        rows = own.world.query(f"SELECT to_jsonb(row)::text AS said FROM {table['name']} AS row")
        found += [table["name"] for row in rows if any(word in row["said"] for word in words)][:1]
    return found


def test_erased_before_and_after_it_is_in_xero(world: Any) -> None:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    waits = own.contact("Mirri Waits", email="waits@mirri.example")
    with pytest.raises(ValueError, match="wait to be pushed"):
        erase(own, "waits@mirri.example")
    own.push("contacts")
    own.pull_contacts()
    own.edit_contact(waits, city="Dapto")
    own.push("contacts")
    own.setting("ask")
    asked = own.contact("Mirri Asked", email="asked@mirri.example")
    own.push("contacts")
    assert own.of(asked)["push_state"] == "failed"
    assert "xero_sync.connection_event" in everywhere(own, "Mirri")
    for email in ("waits@mirri.example", "asked@mirri.example"):
        erase(own, email)
    assert everywhere(own, "Mirri", "mirri.example") == []
    assert [own.of(one)["push_state"] for one in (waits, asked)] == ["skipped", "skipped"]
    own.setting("create")
    own.push("contacts", retry_failed=True)
    assert [one["Name"] for one in own.created()] == ["Mirri Waits"]


@pytest.mark.parametrize("others", ["", "Boss@Other.example", "a@other.example, boss@other.example"])
def test_who_is_erased_is_alerted_no_more(world: Any, others: str) -> None:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.contact("Mirri Alerted", "skipped", email="Alerted@mirri.example")
    own.setting("ask", alerts=", ".join(one for one in ("alerted@mirri.example", others) if one))
    erase(own, "alerted@mirri.example")
    with database.session(world.engine) as session:
        left = settings.read(session, own.connection_id).alerts
    assert [one.lower() for one in left] == [one for one in others.lower().split(", ") if one]
    assert everywhere(own, "mirri.example", "Mirri") == []
    [said] = world.query("SELECT message FROM xero_sync.connection_event WHERE message LIKE '%%setting alerts%%'")
    assert ("nobody is alerted by it now" in said["message"]) == (not others)


@pytest.mark.parametrize("email", ["mz@mirri.example", "typed@mirri.example"])
def test_erased_with_the_other_rows_of_the_record(world: Any, email: str) -> None:
    """Two own contacts that are linked to one that was pulled: found by the email of any."""
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    there = own.in_xero_active()
    fields = {"Name": "Mirri Zanthippe", "EmailAddress": "mz@mirri.example", "TaxNumber": "51824753556"}
    world.sandbox.change("Contacts", there["ContactID"], **fields)
    own.pull_contacts(full=True)
    typed = {"phone": "0400 777 888", "city": "Zanthtown", "tax_number": "51 824 753 556"}
    first = own.contact("Mirri  ZANTHIPPE", email="typed@mirri.example", **typed)
    second = own.contact("Zanthippe of Zanthtown", tax_number="51 824 753 556")
    own.push("contacts")
    assert {str(own.of(one)["xero_id"]) for one in (first, second)} == {there["ContactID"]}
    erase(own, email)
    words = ("irri", "ZANTH", "anthippe", "0400 777 888", "Zanthtown", "51824753556")
    assert everywhere(own, *words) == []
    own.pull_contacts(full=True)
    own.push("contacts", retry_failed=True)
    assert everywhere(own, *words) == []


def test_erased_where_another_contact_may_be_this_person(world: Any) -> None:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    there = own.in_xero_active()
    fields = {"Name": "Mirri Zanthippe", "EmailAddress": "office@mirri.example", "TaxNumber": "51824753556"}
    world.sandbox.change("Contacts", there["ContactID"], **fields)
    own.pull_contacts(full=True)
    contact = own.contact("Shared office", email="office@mirri.example")
    own.push("contacts")
    assert "Mirri" in own.of(contact)["push_error"]
    with database.session(world.engine) as session:
        [person] = people.find(session, id=there["ContactID"])
        assert "xero_sync.contact_candidate" in {one.table for one in people.holdings(session, person) if one.rows}
        erasing.erase(session, [person])
    assert everywhere(own, "Mirri", "Zanthippe", "51824753556") == []
    # The search meets them again, and says of them only that they were erased.
    own.edit_contact(contact, phone="1")
    own.push("contacts")
    assert own.of(contact)["push_state"] == "failed"
    assert everywhere(own, "Mirri", "Zanthippe", "51824753556") == []


def as_persons(*people: tuple[str, str, str]) -> str:
    names = ("first_name", "last_name", "email")
    return json.dumps([{**dict(zip(names, one, strict=True)), "include_in_emails": True} for one in people])


@pytest.mark.parametrize("who", [("--email", "zanth@mirri.example"), ("--contact-person", "mirri  ZANTHIPPE")])
def test_who_is_one_of_the_persons_of_a_contact_is_erased_alone(world: Any, who: tuple[str, str]) -> None:
    """Of contacts that were pulled, pushed, edited, and linked with other values; pulls do not bring her back."""
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    both = as_persons(("Mirri", "Zanthippe", "zanth@mirri.example"), ("Kim", "Stays", "kim@stays.example"))
    in_xero = [
        {"FirstName": "Mirri", "LastName": "Zanthippe", "EmailAddress": "zanth@mirri.example", "IncludeInEmails": True},
        {"FirstName": "Kim", "LastName": "Stays", "EmailAddress": "kim@stays.example", "IncludeInEmails": True},
    ]
    there = own.in_xero_active()
    world.sandbox.change("Contacts", there["ContactID"], ContactPersons=in_xero)
    own.pull_contacts(full=True)
    pushed = own.contact("Good Plumbing", email="office@good.example", contact_persons=both)
    linked = own.contact(
        there["Name"], email=there["EmailAddress"], contact_persons=as_persons(("Mirri", "Zanthippe", ""))
    )
    own.push("contacts")
    own.edit_contact(pushed, city="Dapto")
    own.push("contacts")
    own.edit_contact(pushed, city="Kiama", contact_persons=both.replace("Kim", "Kym"))
    refused = world.main("person", "erase", *who, "--yes")
    assert (refused.returncode, "waits to be pushed" in refused.stderr) == (1, True), refused.stderr
    own.push("contacts")
    shown = world.main("person", "export", *who)
    assert "zanth@mirri.example" in shown.stdout
    assert "Kym" not in shown.stdout
    words = ("Mirri", "Zanthippe", "mirri.example")
    assert "qicworks.contact" in everywhere(own, *words)
    erased = world.main("person", "erase", *who, "--yes")
    assert erased.returncode == 0, erased.stderr
    assert everywhere(own, *words) == []
    assert own.of(pushed)["name"] == "Good Plumbing"
    assert [one["first_name"] for one in json.loads(own.of(pushed)["contact_persons"])] == ["Kym"]
    assert [own.of(one)["push_state"] for one in (pushed, linked)] == ["pushed", "pushed"]
    for number in range(2):
        for xero_id in (there["ContactID"], str(own.of(pushed)["xero_id"])):
            world.sandbox.change("Contacts", xero_id, AccountNumber=f"A-{number}")
        own.pull_contacts(full=bool(number))
        own.edit_contact(pushed, phone=f"0400 777 88{number}")
        own.push("contacts")
        assert own.of(pushed)["push_state"] == "pushed"
        assert everywhere(own, *words) == []
    assert world.rows("contact")[there["ContactID"]]["account_number"] == "A-1"
    nobody = world.main("person", "erase", *who)
    assert "is stored here" in nobody.stderr
