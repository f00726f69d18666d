"""What the role of pull and push writes to tables that say how things stand: times to come, events, settings, locks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.support.reconciling import compare
from tests.support.role import UnderRole, under_role
from tests.support.world import World
from xero.api.errors import RetryLater, XeroError
from xero.datasets.declaration import Timing
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.views import status as standings
from xero.sync.runs.participants import select_connections

NEVER = ("9999-01-01", "infinity")


@pytest.fixture
def sync(world: World) -> Iterator[UnderRole]:
    world.sandbox.settings(limits=False)
    with under_role(world) as sync:
        yield sync


def fail(sync: World) -> None:
    sync.fault(kind="500", path="/api.xro/2.0/Contacts", times=None)
    with suppress(XeroError):
        sync.pull("contacts", client={"backoff": ()})
    sync.sandbox.control("DELETE", "faults")


def test_a_time_to_come_says_nothing(world: World, sync: UnderRole) -> None:
    nightly = next(name for name, one in DATASETS.items() if one.timing is Timing.MIDNIGHT)
    sync.pull("contacts")
    sync.pull(nightly)
    standing = "SELECT last_status, last_success_at < now() AS past FROM xero_sync.standing WHERE data_set = 'contacts'"
    now = datetime.now(UTC)
    id = sync.connection_id()
    for never in NEVER:
        # Of how the last run ended.
        sync.sql("UPDATE xero_sync.standing SET last_ended_at = %s, last_success_at = %s", never, never)
        fail(sync)
        assert world.query(standing) == [{"last_status": "error", "past": None}]
        assert sync.pull("contacts").status == "success"
        assert world.query(standing) == [{"last_status": "success", "past": True}]
        # Of what was served, and of when it may be tried again.
        sync.sql("UPDATE xero_sync.due SET served_at = %s, not_before = %s", never, never)
        sync.sql("UPDATE xero_sync.connection SET first_connected_at = %s", never)
        taken, _ = select_connections(sync.engine, DATASETS[nightly], scheduled=True, now=now + timedelta(days=2))
        assert id in {one["connection_id"] for one in taken}
        sync.sql("UPDATE xero_sync.connection SET first_connected_at = '2026-01-01'")
        assert sync.pull(nightly).status == "success"
        due = "SELECT served_at < now() AS past FROM xero_sync.due WHERE data_set = %s AND connection_id = %s"
        assert world.query(due, nightly, id) == [{"past": True}]
        # What is late is told.
        sync.sql("UPDATE xero_sync.cursor SET completed_at = %s", never)
        sync.sql("UPDATE xero_sync.standing SET last_ended_at = %s", never)
        sync.sql("UPDATE xero_sync.connection SET connected_at = %s", never)
        with database.session(sync.engine) as session:
            late = standings.needs_attention(session).overdue
        assert nightly in {one["data_set"] for one in late if str(one["connection_id"]) == id}
        # Of a pause.
        sync.sql("UPDATE xero_sync.call_budget SET not_before = %s, closed_by = 'day'", never)
        assert sync.pull("contacts").status == "success"
    sync.sql("UPDATE xero_sync.call_budget SET next_at = 'infinity', day_seen_at = 'infinity', day_remaining = 0,"
             " day_limit = 1000, calls = array_fill('infinity'::timestamptz, ARRAY[60])")  # fmt: skip
    assert sync.pull("contacts").status == "success"


def test_a_change_that_was_not_read_is_read_or_named(world: World, sync: UnderRole) -> None:
    sync.pull("contacts")
    one, other = world.sandbox.truth("Contacts")[:2]
    world.sandbox.change("Contacts", one["ContactID"], Name="Renamed Pty Ltd")
    sync.sql("UPDATE xero_sync.cursor SET high_water = '9999-01-01'")
    sync.pull("contacts")
    assert world.rows("contact")[one["ContactID"]]["name"] == "Renamed Pty Ltd", "a time to come is none"
    # One that may be: reconcile looks at the newest.
    world.sandbox.change("Contacts", other["ContactID"], Name="Renamed, too")
    sync.sql("UPDATE xero_sync.cursor SET high_water = now() + interval '1 hour'")
    assert not sync.pull("contacts").changed
    assert "Contacts" in compare(sync).message
    told = world.query("SELECT message FROM xero_sync.connection_event WHERE data_set = 'contacts' ORDER BY id DESC")
    assert "1 rows of contact are older here than in Xero" in told[0]["message"]
    sync.pull("contacts", full=True)
    assert "Contacts" not in compare(sync).message


def test_what_happened_stays_written(world: World, sync: UnderRole) -> None:
    sync.pull("contacts")
    fail(sync)
    event = world.event()["id"]
    world.query(
        "INSERT INTO xero_sync.rejection (connection_id, data_set, table_name, key, reasons, record, event_id,"
        " held_back) VALUES (%s, 'contacts', 'contact', 'k', '{x}', '{}', %s, false)", sync.connection_id(), event,
    )  # fmt: skip
    asked = "SELECT * FROM xero_sync.connection_event ORDER BY id", "SELECT * FROM xero_sync.rejection"
    before = [world.query(one) for one in asked]
    for table in ("rejection", "connection_event"):
        sync.sql(f"DELETE FROM xero_sync.{table}")
    for statement in (
        "UPDATE xero_sync.connection_event SET status = 'success', message = 'loaded' WHERE status = 'error'",
        "UPDATE xero_sync.connection_event SET status = 'running', ended_at = NULL WHERE status = 'error'",
        "UPDATE xero_sync.connection_event SET ended_at = '2020-01-01'",
        "UPDATE xero_sync.connection_event SET started_at = '2020-01-01'",
        "UPDATE xero_sync.connection_event SET id = DEFAULT",
        "UPDATE xero_sync.rejection SET closed_at = '2020-01-01'",
        "UPDATE xero_sync.rejection SET key = 'another'",
        # A number that is taken would stop every run.
        "INSERT INTO xero_sync.connection_event (id, direction, data_set, status) OVERRIDING SYSTEM VALUE"
        f" VALUES ({event + 1}, 'pull', 'x', 'success')",
        f"INSERT INTO xero_sync.rejection (id, connection_id, data_set, table_name, key, reasons, record, event_id,"
        f" held_back) OVERRIDING SYSTEM VALUE SELECT 99, connection_id, 'x', 'x', 'x', '{{}}', '{{}}', {event}, false"
        " FROM xero_sync.rejection",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sync.sql(statement)
    for record in ("[]", '"x"', "null"):
        with pytest.raises(psycopg.errors.CheckViolation):
            sync.sql("UPDATE xero_sync.rejection SET record = %s", record)
    assert [world.query(one) for one in asked] == before
    # After an hour nothing of an ended event changes, be it to something worse.
    world.query("UPDATE xero_sync.connection_event SET ended_at = ended_at - interval '1 hour'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sync.sql("UPDATE xero_sync.connection_event SET message = 'x'")
    # What is there from before is read all the same.
    world.query("ALTER TABLE xero_sync.rejection DISABLE TRIGGER stays")
    for record in ("[]", '"x"', "null"):
        world.query("UPDATE xero_sync.rejection SET record = %s, undecodable = %s", record, '{"Name": 7}')
        assert sync.pull("contacts").status == "success"
        assert world.main("person", "export", "--email", "nobody@example.com").returncode == 1


@contextmanager
def held(sync: UnderRole, lock: str) -> Iterator[UnderRole]:
    """Somebody holds it; runs wait a second for locks."""
    address = f"{sync.database_url}?options=-c%20lock_timeout%3D1000"
    waiting = UnderRole(sync.sandbox, database.engine(address), address)
    with psycopg.connect(sync.database_url, autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock])
        yield waiting
    waiting.engine.dispose()


def test_a_lock_that_is_held_for_ever_is_told(sync: UnderRole) -> None:
    sync.pull("contacts")
    with database.session(sync.engine) as session:
        assert session.execute("SHOW lock_timeout").fetchone() == {"lock_timeout": "2min"}
    with held(sync, f"xero load {sync.connection_id()}") as waiting, pytest.raises(RetryLater, match="held a lock"):
        waiting.pull("contacts", full=True)
    event = sync.event()
    assert (event["status"], "pg_locks" in event["correction"]) == ("error", True)
    told = pytest.raises(RetryLater, match="connecting")
    with held(sync, "xero connect") as waiting, told, connections.one_at_a_time(waiting.engine):
        pass
    assert sync.pull("contacts").status in ("success", "warning")


def test_settings_of_the_role_change_nothing_and_are_taken_away(world: World, sync: UnderRole) -> None:
    settings = {
        "search_path": "nowhere", "synchronous_commit": "local", "default_transaction_isolation": "serializable",
        "DateStyle": "German", "client_encoding": "LATIN1", "IntervalStyle": "sql_standard", "lock_timeout": "1",
    }  # fmt: skip
    for name, value in settings.items():
        sync.sql(f"ALTER ROLE {sync.role} SET {name} = '{value}'")
    sync.sql(f'ALTER ROLE {sync.role} IN DATABASE "{sync.database_url.rpartition("/")[2]}" SET work_mem = 64')
    sync.engine.dispose()
    with database.session(sync.engine) as session:
        for name, value in settings.items():
            row = session.execute(f"SHOW {name}".encode()).fetchone()
            assert row is not None
            assert value not in row.values(), name
    assert sync.pull("contacts").status == "success"
    told = world.main("migrate", "--grant-to", sync.role)
    assert told.returncode == 0
    assert "its own settings were removed" in told.stderr
    assert "search_path=nowhere" in told.stderr
    held = world.query("SELECT 1 FROM pg_db_role_setting WHERE setrole = %s::regrole", sync.role)
    assert held == []
    assert "settings" not in world.main("migrate", "--grant-to", sync.role).stderr


def test_who_is_on_can_be_asked_before_a_new_table_is_granted(world: World, sync: UnderRole) -> None:
    id = sync.connection_id()
    world.query(f"REVOKE ALL ON xero_sync.switching FROM {sync.role}")
    assert sync.sql("SELECT xero_sync.is_on(%s) AS it", id) == [{"it": True}]


def test_a_record_that_was_not_loaded_says_of_nobody_who_that_is(world: World, sync: UnderRole) -> None:
    sync.pull("contacts")
    one, other = world.query(
        "SELECT id, xero_id, name, email FROM qicworks.contact WHERE is_active AND email IS NOT NULL"
        " ORDER BY name LIMIT 2"
    )
    sync.sql(
        "INSERT INTO xero_sync.rejection (connection_id, data_set, table_name, key, reasons, record, event_id,"
        " held_back) SELECT connection_id, 'contacts', 'contact', %s, '{x}', %s, max(id), false"
        " FROM xero_sync.connection_event"
        " WHERE connection_id = %s GROUP BY 1",
        str(other["xero_id"]), json.dumps({"email": one["email"]}), sync.connection_id(),
    )  # fmt: skip
    shown = world.main("person", "erase", "--email", one["email"])
    assert "1 of Xero's ids" in shown.stdout
    assert f"contact {other['xero_id']}" in shown.stderr, "and not meant"
    assert world.main("person", "erase", "--email", one["email"], "--yes").returncode == 0
    buried = {row["xero_id"] for row in world.query("SELECT xero_id FROM xero_sync.erasure")}
    assert buried == {str(one["xero_id"])}
    [after] = world.query("SELECT id, xero_id, name, email FROM qicworks.contact WHERE id = %s", other["id"])
    assert after == other


def test_what_a_terminal_obeys_is_not_printed(world: World) -> None:
    world.query("UPDATE xero_sync.connection SET tenant_name = E'\\x1b]0;evil\\x07\\x1b[2J\\u009b2J\\u202e'")
    world.query("UPDATE xero_sync.connection_event SET message = E'\\x1b[2Jevil'")
    world.query("UPDATE qicworks.organisation SET name = name || E'\\x1b[1m'")
    for command in (["connections"], ["events"], ["pull", "tax_codes"], ["pull", "x", "--connection", "\x1b[0m"],
                    ["reconcile", "--connection", "nobody\x1b[2J"], ["keys", "check"]):  # fmt: skip
        with suppress(SystemExit):
            done = world.main(*command)
            assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(done.stdout + done.stderr), command
