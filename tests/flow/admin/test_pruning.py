"""What is old goes; what is open, what a recovery needs and the last word of each pair never do."""

import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.ageing import age
from tests.support.pushing import Books
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.admin import retention
from xero.qicworks.admin.retention import KEPT, WHAT, Retention
from xero.qicworks.pull import staging
from xero.qicworks.runs import lease
from xero.qicworks.runs.events import Origin
from xero.sync.runs.pruning import NAMES, prune

# Beside all of QicWorks' own: what pruning has no business with.
APART = ("connection", "token", "cursor", "standing", "due", "owned_earnings_line")
# What nothing needs any more, and what must stay however old it is: five of each.
REQUESTS = {
    "open": "NULL, NULL, false",
    "looked up": "now(), 'looked up', false",
    "in grief": "now(), 'answered', true",
    "settled": "now(), 'answered', false",
}


def held(world: World) -> dict[str, Counter[Any]]:
    """Every row of what must not be touched, with its version."""
    tables = world.query(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE' AND (table_schema = 'qicworks'"
        "    OR table_schema = 'xero_sync' AND table_name = ANY(%s))",
        list(APART),
    )
    rows = {table["name"]: world.query(f"SELECT t::text, xmin::text FROM {table['name']} AS t") for table in tables}
    assert sum(map(len, rows.values())) > 100
    return {name: Counter(tuple(row.values()) for row in found) for name, found in rows.items()}


def ids(world: World, table: str, where: str = "true") -> set[Any]:
    return {row["id"] for row in world.query(f"SELECT id FROM xero_sync.{table} WHERE {where}")}


def lived(world: World) -> tuple[Books, UUID]:
    """A while of use: pulls, a rejection open and one closed, pushes, what a crash left, all of it five years ago.
    Returns the staging of a pull that was given up, too."""
    books = Books(world)
    books.add("invoices", number="INV-1")
    for _ in range(2):
        books.push("invoices")
        world.pull("tax_codes", full=True)
        world.pull("contacts", full=True)
    first, second = (one["ContactID"] for one in world.sandbox.truth("Contacts")[:2])
    for key in (first, second):
        world.sandbox.change("Contacts", key, Name=None)
    world.pull("contacts", full=True)
    world.sandbox.change("Contacts", second, Name="Good again")
    world.pull("contacts")
    for key, state in REQUESTS.items():
        world.query(
            "INSERT INTO xero_sync.push_request (connection_id, kind, idempotency_key, method, path, body, documents,"
            " versions, identities, event_id, closed_at, outcome, server_failed)"
            " SELECT %s, 'bills', %s, 'PUT', '/Invoices', '{}', '{}', '{}', '[{}]', min(id),"
            f" {state} FROM xero_sync.connection_event",
            books.connection_id,
            key,
        )
    world.query(
        "INSERT INTO xero_sync.connection_event (connection_id, direction, data_set, status)"
        " VALUES (%s, 'pull', 'staff', 'running')",
        books.connection_id,
    )
    world.query("INSERT INTO xero_sync.oauth_state (state_hash, user_id, airflow_conn_id) VALUES ('x', 'u', 'c')")
    with database.session(world.engine) as session:
        left = staging.begin(session, books.connection_id, DATASETS["contacts"], full=True, since=None)
    age(world)
    return books, left.id


def test_what_is_old_goes_and_what_must_stay_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(WHAT) == set(KEPT) == set(NAMES), "each has its days, its place in the order, its name"
    monkeypatch.setattr(retention, "BATCH_SIZE", 2)  # so that there are several
    books, left = lived(world)
    untouched = held(world)
    running = ids(world, "connection_event", "status = 'running'")
    opened = ids(world, "rejection", "closed_at IS NULL")
    closed = ids(world, "rejection", "closed_at IS NOT NULL")
    assert (len(running), len(opened), len(closed)) == (1, 1, 1)
    told = {row["event_id"] for row in world.query("SELECT event_id FROM xero_sync.rejection WHERE closed_at IS NULL")}
    last = {row["last_event_id"] for row in world.query("SELECT last_event_id FROM xero_sync.standing")}
    needed = {row["event_id"] for row in books.requests()}
    before = ids(world, "connection_event")

    counted = prune(world.engine, Retention(), Origin(), dry_run=True)
    assert ids(world, "connection_event") == before, "a dry run deletes nothing, and tells nobody"
    with database.session(world.engine) as other:
        assert lease.acquire(other, books.connection_id, "pull", "contacts")
        gone = prune(world.engine, replace(Retention(), traffic=0), Origin())
        assert gone["staging"] == 0
        assert left in ids(world, "staging"), "a pull that is at work is left alone"
    assert "traffic" not in gone
    assert world.query("SELECT 1 AS one FROM xero_sync.traffic"), "0 days: kept for good"

    kept = ids(world, "connection_event") - running
    assert last | told | needed <= kept, "the last of each pair, and what open rejections and requests tell of"
    assert running <= ids(world, "connection_event")
    assert kept - last - told - needed == {world.event()["id"]}, "of the rest only the event of the pruning itself"
    assert ids(world, "rejection") == opened
    requests = {row["idempotency_key"]: row for row in world.query("SELECT * FROM xero_sync.push_request")}
    assert set(requests) == {"open", "looked up", "in grief"}
    assert (requests["open"]["body"], requests["open"]["identities"]) == ("{}", [{}]), "a recovery needs them"
    assert (requests["in grief"]["body"], requests["in grief"]["identities"]) == (None, [])
    assert not world.query("SELECT 1 AS one FROM xero_sync.oauth_state")
    assert not world.query("SELECT 1 AS one FROM xero_sync.call_budget WHERE tenant_id <> ''")
    assert held(world) == untouched

    # What a dry run says goes is what goes; events and requests wait for what refers to them.
    assert {what: counted[what] for what in ("request_bodies", "requests", "rejections", "consents")} == {
        what: gone[what] for what in ("request_bodies", "requests", "rejections", "consents")
    }
    assert 0 < counted["events"] <= gone["events"] == len(before) - len(kept) - len(running) + 1
    event = world.event()
    assert (event["data_set"], event["status"], event["connection_id"]) == ("prune", "success", None)
    assert f"{gone['events']} events" in event["message"]

    assert prune(world.engine, Retention(), Origin())["staging"] == 1
    assert not ids(world, "staging")
    assert not world.query("SELECT 1 AS one FROM xero_sync.traffic")
    # And all goes on as if nothing had been: nothing is sent a second time.
    world.query("DELETE FROM xero_sync.push_request WHERE idempotency_key = 'open'")  # there is no such bill
    books.push("invoices")
    books.assert_once("invoices")
    assert world.pull("contacts", full=True).counts.inserted == 0


def test_what_is_not_old_yet_stays_to_the_day(world: World) -> None:
    """One row of each on either side of its age."""
    world.pull("tax_codes")
    now, kept = datetime.now(UTC), Retention()
    pair = world.query("SELECT connection_id, direction, data_set FROM xero_sync.connection_event LIMIT 1")[0]
    for days in (kept.events - 1, kept.events + 1):
        world.query(
            "INSERT INTO xero_sync.connection_event (connection_id, direction, data_set, status, started_at, ended_at)"
            " VALUES (%s, %s, %s, 'success', %s, %s)",
            *pair.values(),
            *[now - timedelta(days=days)] * 2,
        )
    old = world.query("SELECT id FROM xero_sync.connection_event ORDER BY id DESC LIMIT 1")[0]["id"]
    everything = ids(world, "connection_event")
    for days in (800_000, 1e9, math.inf, math.nan, 0, -1):
        assert "events" not in prune(world.engine, Retention(events=days), Origin(), dry_run=True), "kept for good"
    gone = prune(world.engine, kept, Origin())
    assert gone["events"] == 1
    assert everything - ids(world, "connection_event") == {old}
