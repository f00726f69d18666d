"""A new contact is in Xero once, whatever is lost, cut, refused, edited, pulled or killed on the way."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import pytest

from tests.support.killing import assert_interrupted, kill_at, moments, of_writes, running, spread
from tests.support.own_contacts import OwnBooks
from tests.support.troubles import AT_ONCE, BEYOND, TROUBLES, lead_through
from xero.api.errors import XeroError

CONTACTS = "contacts"
PATH = r"/Contacts\?"
nth = count(1)


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    return own


def fill(own: OwnBooks) -> None:
    """A new one, one that is in Xero already, and one that is changed there."""
    number = next(nth)
    own.contact(f"New customer {number}", email=f"new{number}@customer.example")
    changed = own.contact(f"Changed {number}", city="Dapto")
    own.push(CONTACTS, documents=[str(changed)])
    own.edit_contact(changed, city=f"Wollongong {number}")


def test_what_goes_wrong_on_the_way(own: OwnBooks) -> None:
    for place, trouble in enumerate(TROUBLES.values()):
        fill(own)
        lead_through(own, CONTACTS, trouble, beyond=place % 2 == 0, path=PATH)
        own.assert_contacts_once()


def test_killed_at_any_moment(own: OwnBooks) -> None:
    """kill -9; the next run comes at once, or after minutes; or a pull comes first. One run is enough."""
    fill(own)
    own.push(CONTACTS)
    fill(own)
    passed = moments(own.world, partial(own.push, CONTACTS))
    assert len(of_writes(passed)) == 2 * 2, "the new ones, and the changed ones"
    chosen = sorted({*of_writes(passed), *spread(len(passed), 9)})
    for place, moment in enumerate(chosen):
        fill(own)
        assert kill_at(own.world, moment, partial(own.push, CONTACTS)), passed[moment - 1]
        left_open = running(own.world)
        if place % 3 == 0:
            own.pass_time(BEYOND)
        if place % 2 == 0:
            own.pull_contacts(full=place % 4 == 0)
        own.push(CONTACTS)
        assert own.left(CONTACTS) == 0, f"killed at moment {moment}: {passed[moment - 1]}"
        assert_interrupted(own.world, left_open)
        own.assert_contacts_once()


def test_edited_while_it_is_sent(own: OwnBooks) -> None:
    """The edit follows as a change, and overwrites nothing that it did not touch."""
    contact = own.contact("First name", city="Dapto")
    with own.world.sandbox.hold(PATH, method="PUT", done=True) as wait_until_held, ThreadPoolExecutor(1) as pool:
        done = pool.submit(own.push, CONTACTS)
        wait_until_held()
        own.edit_contact(contact, name="Second name")
        [made] = own.created()
        own.world.sandbox.change("Contacts", made["ContactID"], EmailAddress="typed@in.xero")
        own.world.sandbox.control("DELETE", "faults")
        done.result()
    own.drain(CONTACTS)
    record = own.record(contact)
    assert (record["Name"], record["EmailAddress"]) == ("Second name", "typed@in.xero")
    assert len(own.created()) == 1


def test_a_pull_between_creation_and_response_makes_no_second_row(own: OwnBooks) -> None:
    contact = own.contact("Pulled in between")
    own.world.fault(kind="lost_answer", method="PUT", path=PATH)
    with suppress(XeroError):
        own.push(CONTACTS, client=AT_ONCE)
    assert own.left(CONTACTS)
    own.pull_contacts()
    own.pass_time(BEYOND)
    own.drain(CONTACTS)
    rows = own.world.query("SELECT id FROM qicworks.contact WHERE name = 'Pulled in between'")
    assert [row["id"] for row in rows] == [contact]
    own.assert_contacts_once()


def test_a_request_that_another_program_wrote_is_not_sent(own: OwnBooks) -> None:
    """Only the ids of its contacts are used: they are looked for, and created as QicWorks has them."""
    contact, other = own.contact("Meant", state="in_flight"), own.contact("There already", state="in_flight")
    forged = '{"Contacts":[{"Name":"Forged","ContactNumber":"F-1"}]}'
    own.world.query(
        "INSERT INTO xero_sync.push_request (connection_id, kind, idempotency_key, method, path, query, body,"
        " documents, versions, identities)"
        " VALUES (%s, 'contacts', 'key', 'PUT', '/api.xro/2.0/Contacts', '{}', %s, %s, '{1,1}', '[{},{}]')",
        *(own.connection_id, forged, [contact, other]),
    )
    there = own.in_xero_active()
    own.world.sandbox.change("Contacts", there["ContactID"], ContactNumber=str(other), Name="There already")
    own.drain(CONTACTS)
    [made] = own.created()
    assert (made["Name"], made["ContactNumber"]) == ("Meant", str(contact))
    assert str(own.of(other)["xero_id"]) == there["ContactID"]
    assert own.requests() == []


def test_deleted_in_qicworks_while_it_is_sent(own: OwnBooks) -> None:
    contact = own.contact("Gone soon")
    with own.world.sandbox.hold(PATH, method="PUT", done=True) as wait_until_held, ThreadPoolExecutor(1) as pool:
        done = pool.submit(own.push, CONTACTS)
        wait_until_held()
        own.world.query("DELETE FROM qicworks.contact WHERE id = %s", contact)
        own.world.sandbox.control("DELETE", "faults")
        done.result()
    assert any("archived in Xero, because it was deleted" in one["message"] for one in own.events(contact))
    [record] = own.created()
    assert record["ContactStatus"] == "ARCHIVED"


def test_a_preview_sends_nothing(own: OwnBooks) -> None:
    own.push(CONTACTS)
    new, bad = own.contact("New one"), own.contact("Bad", email="x")
    changed = own.contact("Changed")
    own.push(CONTACTS, documents=[str(changed)])
    own.edit_contact(changed, city="Dapto")
    before = [own.of(one) for one in (new, bad, changed)]
    own.writes()
    shown = list(own.preview(CONTACTS))
    assert own.writes() == []
    assert [(one.method, one.documents) for one in shown if one.method] == [
        ("PUT", ("contact New one",)),
        ("POST", ("contact Changed",)),
    ]
    assert [name for one in shown for name, _, _ in one.refused] == ["contact Bad"]
    assert [own.of(one) for one in (new, bad, changed)] == before
