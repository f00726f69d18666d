"""A pull that ends where nobody planned it: the next one has the same rows, and asks for no page a second time."""

from collections.abc import Sequence
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.rows import tuple_row

from tests.support.interrupting import LEASES, locked, pulls
from tests.support.killing import Forked, Work, kill_at, moments, spread
from tests.support.waiting import until
from tests.support.world import World
from xero.api.errors import Misconfigured
from xero.cli.airflow_connections import AirflowConnection
from xero.qicworks import database
from xero.sync.pull.flow import Origin, Skip
from xero.sync.runs.outcome import DatabaseFailed

PAGE = 100  # the server gives no more: many pages to be killed at
PAGES = 6
CONTACTS = PAGES * PAGE
CALLS = PAGES + 1  # the last page is full: another one says that it was the last
NAMELESS = 3
GOOD = CONTACTS - NAMELESS

Page = tuple[str, str | None]  # the query and If-Modified-Since


@pytest.fixture
def many(world: World) -> World:
    """An organisation with six pages of contacts, a few of them without a name."""
    world.sandbox.reset(contacts={world.names()[0]: CONTACTS})
    world.sandbox.settings(max_page_size=PAGE, limits=False)
    world.connect()
    for contact in world.sandbox.truth("Contacts")[:NAMELESS]:
        world.sandbox.change("Contacts", contact["ContactID"], Name=None)
    world.calls()
    return world


def pulling(world: World) -> Work:
    return lambda: world.pull("contacts")


def fetched(world: World) -> list[Page]:
    """The pages of contacts that were asked for since the last time this was asked."""
    asked = [call for call in world.calls() if call["path"].endswith("/Contacts")]
    return [(call["query"], call["headers"].get("if-modified-since")) for call in asked]


def safe_pages(world: World) -> int:
    """How many pages are staged, each by a transaction of its own."""
    [row] = world.query("SELECT count(DISTINCT xmin::text) AS pages FROM xero_sync.stage_contact")
    return int(row["pages"])


def assert_in_step(world: World) -> None:
    """The good rows are Xero's, the bad ones known once, and nothing is left behind."""
    truth = world.sandbox.truth("Contacts")
    good = {contact["ContactID"]: contact["Name"] for contact in truth if contact["Name"]}
    assert {key: row["name"] for key, row in world.rows("contact").items()} == good
    assert len(world.query("SELECT 1 FROM xero_sync.rejection WHERE closed_at IS NULL")) == NAMELESS
    for left in ("staging", "stage_contact"):
        assert world.query(f"SELECT 1 FROM xero_sync.{left} LIMIT 1") == []
    # An undisturbed reading of everything finds every field of every row as it should be.
    world.sandbox.settings(max_page_size=1000)
    counts = world.pull("contacts", full=True).counts
    assert (counts.read, counts.unchanged, counts.rejected) == (len(truth), len(good), NAMELESS)
    assert len(good) == len(truth) - NAMELESS


def assert_reported(events: Sequence[dict[str, Any]], *, interrupted: int) -> None:
    """By the events: so many killed pulls, and the one that brought it to an end."""
    *killed, last = events
    assert [event["status"] for event in killed] == ["error"] * interrupted
    for event in killed:
        assert event["message"].startswith("interrupted")
        assert event["ended_at"]
        assert event["correction"]
    assert (last["status"], last["read"], last["inserted"], last["rejected"]) == ("warning", CONTACTS, GOOD, NAMELESS)


def begin_anew(world: World) -> None:
    """As if nothing was ever pulled."""
    world.query("TRUNCATE xero_sync.stage_contact, xero_sync.staging, xero_sync.cursor, xero_sync.rejection CASCADE")
    world.query("TRUNCATE qicworks.contact, xero_sync.connection_event CASCADE")
    world.calls()


@pytest.mark.usefixtures("preloaded")
def test_killed_at_any_moment(many: World) -> None:
    """Of a first pull, before a statement, before a call and with its response in hand; then comes the next one."""
    passed = moments(many, pulling(many))
    pages = fetched(many)
    assert len(pages) == len(set(pages)) == CALLS
    met = set()
    for moment in spread(len(passed), 10):
        begin_anew(many)
        assert kill_at(many, moment, pulling(many))
        where = f"killed at moment {moment}: {passed[moment - 1]}"
        asked, rows, events = fetched(many), many.rows("contact"), pulls(many)
        complete = many.query("SELECT 1 FROM xero_sync.staging WHERE complete") or rows
        safe = CALLS if complete else safe_pages(many)
        assert asked in (pages[:safe], pages[: safe + 1]), where  # the response in its hands is lost
        assert len(rows) in (0, GOOD), f"half a load was kept, {where}"
        assert [event["status"] for event in events] == ["warning" if rows else "running"] * (moment > 1), where
        met.add("loaded" if rows else "read" if complete else "reading" if safe else "nothing read")

        many.pull("contacts")
        if rows:
            assert_reported(pulls(many)[:1], interrupted=0)
            assert (many.event()["inserted"], many.event()["rejected"]) == (0, NAMELESS), where
        else:
            assert fetched(many) == pages[safe:], where
            assert_reported(pulls(many), interrupted=len(events))
        assert len(many.rows("contact")) == GOOD, where
    assert met == {"nothing read", "reading", "read", "loaded"}
    assert_in_step(many)


@pytest.mark.usefixtures("preloaded")
def test_killed_again_and_again_while_it_reads(many: World) -> None:
    """Always in the middle of a call: that page is asked for again, and no other."""
    safe = 0
    for pages in (2, 3, 1):
        with many.sandbox.hold("/Contacts", skip=pages) as wait_until_held:
            process = Forked(many, pulling(many))
            wait_until_held()
            process.kill()
        safe += pages
        assert safe_pages(many) == safe
    many.pull("contacts")
    asked = fetched(many)
    assert (len(asked), len(set(asked))) == (CALLS + 3, CALLS)
    assert_reported(pulls(many), interrupted=3)
    assert_in_step(many)


# A lock on a table stops the pull where it first reads it (ACCESS EXCLUSIVE) or writes it (EXCLUSIVE).
PLACES = {
    "before it validates": ("qicworks.contact", "ACCESS EXCLUSIVE"),
    "with its findings marked": ("xero_sync.rejection", "ACCESS EXCLUSIVE"),
    "in the merge": ("qicworks.contact", "EXCLUSIVE"),
    "at the end of the load": ("xero_sync.cursor", "EXCLUSIVE"),
}


@pytest.mark.usefixtures("preloaded")
def test_killed_wherever_it_validates_and_loads(many: World) -> None:
    """While a statement of its waits, and before every second statement of the load: all is loaded, or nothing."""
    for lock in PLACES.values():
        with locked(many, *lock) as wait_until_blocked:
            process = Forked(many, pulling(many))
            wait_until_blocked()
            process.kill()
        assert many.rows("contact") == {}, "half a load was kept"
    assert len(fetched(many)) == CALLS
    kills = 0
    while not many.rows("contact"):
        kill_at(many, 1 + 2 * kills, pulling(many), since="'xero load '")
        kills += 1
    assert kills > 5
    assert fetched(many) == []
    assert_reported(pulls(many), interrupted=len(PLACES) + kills - 1)
    assert_in_step(many)


@pytest.mark.usefixtures("preloaded")
def test_the_lease_ends_with_the_process_even_while_its_statement_waits(many: World) -> None:
    """By this project's own settings. Else the next pull would be turned away until the statement is over."""
    with locked(many, "qicworks.contact", "EXCLUSIVE") as wait_until_blocked:
        process = Forked(many, pulling(many), options="")
        wait_until_blocked()
        process.kill()
        assert not many.query(LEASES)


def test_what_decides_how_values_are_read_is_not_to_be_chosen(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the address, nor by the environment of libpq, nor by the database's own settings."""
    others = {
        "DateStyle": "German", "IntervalStyle": "sql_standard", "bytea_output": "escape", "extra_float_digits": "-15",
        "TimeZone": "Australia/Sydney", "array_nulls": "off", "standard_conforming_strings": "off",
    }  # fmt: skip
    options = quote(" ".join(f"-c {name}={value}" for name, value in others.items()))
    for name, value in (("PGDATESTYLE", "German"), ("PGTZ", "Australia/Sydney"), ("PGCLIENTENCODING", "LATIN1")):
        monkeypatch.setenv(name, value)
    meant = "SELECT %s::date, %s::interval, %s::bytea, %s::float8, %s::timestamptz::text AS at, %s::text"
    values = (date(2026, 3, 4), timedelta(days=-1, hours=2), b"\x00\xff", 0.1 + 0.2, "2026-10-04 01:00+00", "Zürich 🛠")
    for address in (database_url, f"{database_url}?options={options}", f"{database_url}?client_encoding=SQL_ASCII"):
        made = database.engine(address)
        with database.session(made) as session:
            row = session.execute(meant, values).fetchone()
            assert row is not None
            read = list(row.values())
        with made.connect() as pooled:
            assert list(pooled.exec_driver_sql(meant, values).one()) == read
        assert read == [*values[:4], "2026-10-04 01:00:00+00", values[5]], address
        made.dispose()


def test_a_port_of_0_is_no_port() -> None:
    known = {"conn_type": "postgres", "host": "db.example", "schema": "q"}
    made = database.url(SimpleNamespace(**known, port=0, login="u", password="p", extra=None))
    assert made.port is None
    assert database.url(AirflowConnection(**known, port=5433)).port == 5433


@pytest.mark.parametrize("kind", ["xero", "http", "", None])
def test_a_database_is_of_type_postgres(kind: str | None) -> None:
    """What has no host would be looked for on this machine."""
    with pytest.raises(Misconfigured, match="its type is"):
        database.url(AirflowConnection(conn_type=kind, schema="q"))


def test_options_of_the_database_s_address_are_kept_and_times_are_utc(database_url: str) -> None:
    """`options` in the extra of the Airflow connection, for connections of the pool and for sessions of one's own."""
    own = "-c%20lock_timeout%3D5432%20-c%20timezone%3DAustralia/Perth%20-c%20client_connection_check_interval%3D100"
    engine = database.engine(f"{database_url}?options={own}")
    shown = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
    settings = {"lock_timeout": "5432", "client_connection_check_interval": "100", "TimeZone": "UTC"}
    settings |= {"idle_in_transaction_session_timeout": "600000"}  # this project's own
    with database.session(engine) as session, engine.connect() as connection:
        for raw in (session, connection.connection.driver_connection):
            assert isinstance(raw, psycopg.Connection)
            found = raw.cursor(row_factory=tuple_row).execute(shown, [list(settings)])
            assert dict(found) == settings
    engine.dispose()


@pytest.mark.usefixtures("preloaded")
def test_the_database_ends_the_session(many: World) -> None:
    pages = 0

    def end_the_session(records: int) -> None:
        nonlocal pages
        pages += 1
        if pages == PAGES / 2:
            assert many.query(f"SELECT pg_terminate_backend(pid) FROM ({LEASES}) AS working")

    with pytest.raises(DatabaseFailed):
        many.pull("contacts", progress=end_the_session)
    until(lambda: not many.query(LEASES))
    many.pull("contacts")
    assert len(fetched(many)) == CALLS, "without its session it sends no further call"
    assert_reported(pulls(many), interrupted=1)
    assert_in_step(many)


def test_the_second_of_two_at_once_is_turned_away(world: World) -> None:
    """And another organisation's runs at once."""
    first, second = Origin(dag_id="pull_contacts", run_id="scheduled__1", manual=False), Origin()
    meanwhile: list[dict[str, Any]] = []

    def pull_meanwhile(records: int) -> None:
        if not meanwhile:
            with pytest.raises(Skip, match="already running in pull_contacts, run scheduled__1, since"):
                world.pull("contacts", origin=second)
            meanwhile.append(world.event())
            assert world.pull("contacts", 1).status == "success"
            meanwhile.append(world.event())

    assert world.pull("contacts", origin=first, progress=pull_meanwhile).status == "success"
    turned_away, other = meanwhile
    assert (turned_away["status"], turned_away["calls"], turned_away["ended_at"] is None) == ("warning", 0, False)
    assert "already running in pull_contacts" in turned_away["message"]
    assert other["status"] == "success"
    assert [event["status"] for event in pulls(world)] == ["success", "warning", "success"]
    assert world.pull("contacts").status == "success", "afterwards it is free"


@pytest.mark.usefixtures("preloaded")
def test_two_processes_at_once(many: World) -> None:
    """The first one is held until the second has ended."""
    with locked(many, "qicworks.contact", "ACCESS EXCLUSIVE") as wait_until_blocked:
        first = Forked(many, pulling(many))
        wait_until_blocked()
        second = many.main("pull", "contacts", "--connection", many.names()[0])
    assert (first.join(), second.returncode) == (0, 1)
    assert "skipped: already running in a command line, since" in second.stderr
    assert len(fetched(many)) == CALLS
    loaded, skipped = pulls(many)
    assert loaded["message"].startswith("3 rejected")
    assert skipped["message"].startswith("already running in a command line")
