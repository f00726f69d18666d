"""What goes wrong at Xero: each fault fails no more than it must, and its event says what to do."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.clock import Clock
from tests.support.database_clock import DatabaseClock
from tests.support.pushing import Books
from tests.support.world import World
from xero.api.errors import Disconnected, NotAvailable, RetryLater
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.runs import lease
from xero.sync.pull.flow import Origin, Skip, pull
from xero.sync.runs.outcome import Unmigrated
from xero.sync.runs.participants import select_connections

CONTACTS = DATASETS["contacts"]


def test_events_and_errors_keep_by_what_xero_finds_a_call(world: World) -> None:
    """The last answered call of what went well; of what failed the call that did, or none where nothing came."""

    def event(where: str = "true") -> dict[str, Any]:
        said = f"SELECT * FROM xero_sync.connection_event WHERE direction <> 'connect' AND {where} ORDER BY id DESC"
        return world.query(said)[0]

    world.calls()
    world.pull("contacts")
    calls = world.calls()
    pulled = event()
    assert pulled["correlation_id"] == calls[-1]["correlation_id"]
    assert pulled["bytes_received"] == sum(call["bytes"] for call in calls) < pulled["bytes_unpacked"]

    world.fault(path="TaxRates", kind="no_scope", times=None)
    with pytest.raises(NotAvailable) as refused:
        world.pull("tax_codes")
    assert event()["bytes_unpacked"] >= event()["bytes_received"] > 0, "a refusal is read, too"
    assert refused.value.correlation_id == event()["correlation_id"] == world.calls()[-1]["correlation_id"]
    world.fault(path="TrackingCategories", kind="cut", times=None)
    with pytest.raises(RetryLater):
        world.pull("tracking_categories", client={"backoff": ()})
    assert event()["correlation_id"] is None
    world.sandbox.control("DELETE", "faults")

    books = Books(world, 1)
    books.add("bills", number="GOOD-1")
    books.add("bills", number="BAD-1", currency="USD")
    books.add("bills", number="BAD-2", contact_id=None)
    world.calls()
    assert world.main("push", "bills").returncode == 1
    sent = next(call for call in world.calls() if call["method"] == "PUT" and call["path"].endswith("Invoices"))
    assert event("document = 'bill BAD-1'")["correlation_id"] == sent["correlation_id"]
    assert event("document = 'bill BAD-2'")["correlation_id"] is None, "Xero was not asked"
    told = world.main("events").stdout
    assert {pulled["correlation_id"], sent["correlation_id"]} <= set(re.findall("[0-9a-f-]{36}", told))


def test_a_revoked_organisation_fails_alone_and_says_what_to_do(world: World) -> None:
    world.fault(path="Contacts", kind="revoked", tenant=world.sandbox.tenant(0), times=None)
    result = world.main("pull", "contacts")
    assert result.returncode == 1
    revoked = world.query(
        "SELECT event.*, connection.state FROM xero_sync.connection_event AS event JOIN xero_sync.connection"
        " ON connection.id = event.connection_id WHERE event.direction = 'pull' AND connection.tenant_id = %s",
        world.sandbox.tenant(0),
    )
    assert [(row["status"], row["state"]) for row in revoked] == [("error", "needs_reconnect")]
    assert "connect again" in revoked[0]["correction"]
    for other in (1, 2):
        assert len(world.rows("contact", other)) == len(world.sandbox.truth("Contacts", other))

    # It is left out from now on, and says why.
    taken, left_out = select_connections(world.engine, CONTACTS)
    assert [one["organisation"] for one in taken] == sorted(world.names()[1:])
    assert len(left_out) == 1
    assert "connected again" in str(left_out[0])
    world.calls()
    assert world.main("pull", "contacts").returncode == 1, "who is left out because it is broken is no success"
    assert {call["tenant"] for call in world.calls()} == {world.sandbox.tenant(1), world.sandbox.tenant(2)}

    # Named, it is tried; and connected again it takes part.
    with pytest.raises(Disconnected):
        world.pull("contacts", 0)
    world.sandbox.control("DELETE", "faults")
    assert world.pull("contacts", 0).status == "success"
    assert len(select_connections(world.engine, CONTACTS)[0]) == 3


def test_a_broken_authorisation_stops_only_its_own_connection(world: World) -> None:
    """One of the organisations came by an authorisation of its own, which a user has since withdrawn."""
    world.query(
        "WITH broken AS (INSERT INTO xero_sync.token (airflow_conn_id, state, broken_reason, secret, expires_at)"
        " VALUES ('xero_default', 'broken', 'the refresh token was revoked', '', now()) RETURNING id)"
        " UPDATE xero_sync.connection SET token_id = broken.id FROM broken WHERE tenant_id = %s",
        world.sandbox.tenant(1),
    )
    world.calls()
    result = world.main("pull", "contacts")
    assert result.returncode == 1
    assert "needs to be connected again: the refresh token was revoked" in result.stderr
    assert {call["tenant"] for call in world.calls()} == {world.sandbox.tenant(0), world.sandbox.tenant(2)}
    assert len(world.rows("contact", 0)) == len(world.sandbox.truth("Contacts", 0))


def test_who_is_off_deleted_or_broken_is_left_out_and_says_why(world: World) -> None:
    """A connection that was deleted keeps its history; its organisation may be matched to another one of Xero."""
    off, broken, deleted = world.names()
    ids = [world.connection_id(number) for number in range(3)]
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE id = %s", ids[0])
    world.query(
        "UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'gone' WHERE id = %s", ids[1]
    )
    world.query("UPDATE xero_sync.connection SET state = 'deleted', deleted_at = now() WHERE id = %s", ids[2])
    taken, left_out = select_connections(world.engine, CONTACTS)
    assert taken == []
    assert sorted(map(str, left_out)) == sorted(
        [
            f"{off}: switched off",
            f"{broken}: needs to be connected again: gone",
            f"{deleted}: deleted (connect it again to continue with its history)",
        ]
    )
    world.query(
        "INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name)"
        " SELECT organisation_id, token_id, 'another', 'Another' FROM xero_sync.connection WHERE id = %s",
        ids[2],
    )
    assert [one["organisation"] for one in select_connections(world.engine, CONTACTS, deleted)[0]] == [deleted]

    # Picked a while ago, switched off or deleted since: nothing is asked any more.
    world.calls()
    for id in (ids[0], ids[2]):
        with pytest.raises(Skip, match="in the meantime"):
            pull(CONTACTS, id, engine=world.engine, open_client=opener(world.engine, world.app), origin=Origin())
    assert world.calls() == []


def test_switched_off_is_left_out_until_switched_on(world: World) -> None:
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE tenant_id = %s", world.sandbox.tenant(2))
    taken, left_out = select_connections(world.engine, CONTACTS)
    assert len(taken) == 2
    assert list(map(str, left_out)) == [f"{world.names()[2]}: switched off"]
    assert select_connections(world.engine, CONTACTS, world.names()[2]) == ([], left_out), (
        "a switch is a switch, even by name"
    )
    world.query("UPDATE xero_sync.connection SET enabled = true")
    assert len(select_connections(world.engine, CONTACTS)[0]) == 3


def test_a_day_limit_does_not_hold_the_pull_and_says_when_it_goes_on(world: World) -> None:
    clock = Clock()
    world.fault(path="Contacts", kind="429", problem="day", retry_after=66_975)
    before = datetime.now(UTC)
    with pytest.raises(Skip, match="resumes with the first run after"):
        world.pull("contacts", client={"sleep": clock.sleep, "clock": clock})
    after = datetime.now(UTC)
    assert clock.slept == []
    event = world.event()
    assert event["status"] == "warning"
    said = datetime.strptime(event["message"].split("after ")[-1], "%Y-%m-%d %H:%M:%S UTC.").replace(tzinfo=UTC)
    wait = timedelta(seconds=66_975.5)
    assert before + wait - timedelta(seconds=1) < said <= after + wait, "to the second"
    world.calls()
    with pytest.raises(Skip):
        world.pull("contacts")
    assert world.calls() == [], "until then no one asks"


def test_a_minute_limit_is_waited_out_never_early_and_not_long(database_clock: DatabaseClock, world: World) -> None:
    """The limiter's own wait would be by the machine's clock: this database's does not move meanwhile."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        database_clock.advance(seconds)

    world.fault(path="Contacts", kind="429", problem="minute", retry_after=3)
    outcome = world.pull("contacts", client={"sleep": sleep, "clock": database_clock.monotonic})
    assert outcome.status == "success"
    assert slept == [3.5]
    assert [call["status"] for call in world.calls() if "Contacts" in call["path"]] == [429, 200]


def test_a_passing_trouble_is_ridden_out(world: World) -> None:
    """In the middle of a reading, which then has everything."""
    world.sandbox.settings(max_page_size=10)
    everything = len(world.sandbox.truth("Contacts"))
    assert everything > 20, "there are three pages"
    for kind in ("503", "500", "cut", "truncate", "lost_answer", "html", "token_expired"):
        times = 1 if kind == "token_expired" else 2
        world.fault(path="Contacts", kind=kind, skip=1, times=times)
        outcome = world.pull("contacts", full=True)
        assert (outcome.status, outcome.counts.read) == ("success", everything), kind
        assert [fault["hits"] for fault in world.sandbox.control("GET", "faults")] == [times], kind
        world.sandbox.control("DELETE", "faults")
        assert len(world.rows("contact")) == everything, kind


def test_a_lasting_outage_fails_and_what_was_read_is_not_read_again(world: World) -> None:
    world.sandbox.reset(contacts={world.names()[0]: 3_400})
    world.connect()
    world.fault(path="Contacts", kind="503", skip=2, times=4)
    with pytest.raises(RetryLater) as raised:
        world.pull("contacts")
    assert raised.value.limit == "outage"
    assert (world.event()["status"], world.rows("contact")) == ("error", {})
    world.calls()
    outcome = world.pull("contacts")
    assert (outcome.status, outcome.counts.inserted) == ("success", 3_400)
    assert len(world.calls()) == 2


def test_a_lease_is_of_one_data_set_and_free_as_soon_as_the_run_is_over(world: World) -> None:
    """Not only when the server comes to notice that the session has ended: the next run may follow at once."""
    pair = (UUID(world.connection_id()), "pull", "contacts")
    with database.session(world.engine) as one, database.session(world.engine) as other:
        assert lease.acquire(one, *pair)
        assert not lease.acquire(other, *pair)
        for another in ((UUID(world.connection_id(1)), *pair[1:]), (*pair[:2], "tax_codes")):
            assert lease.acquire(other, *another), "neither another organisation is concerned nor another data set"
            lease.release(other)
        lease.release(one)
        assert lease.acquire(other, *pair)


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE qicworks.tax_code RENAME COLUMN name TO called", "ALTER TABLE qicworks.tax_code RENAME TO tax_codes"],
)
def test_a_database_that_was_not_migrated_is_told_with_what_to_do(world: World, statement: str) -> None:
    world.query(statement)
    with pytest.raises(Unmigrated, match="python -m xero migrate"):
        world.pull("tax_codes")
    event = world.event()
    assert (event["status"], "python -m xero migrate" in event["correction"]) == ("error", True)
