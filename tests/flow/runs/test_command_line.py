"""`python -m xero`, from its two Airflow connections alone, as a developer at a terminal uses it."""

import json
import re
import signal
import subprocess
import sys
import tracemalloc
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.interrupting import LEASES, wait_for_waiting
from tests.support.killing import Forked
from tests.support.waiting import until
from tests.support.world import World
from xero import __main__ as command_line
from xero.cli import airflow_connections
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.sync.runs.participants import select_connections


def test_from_nothing_to_rows(unconnected: World) -> None:
    world = unconnected
    assert "up to date" in world.command("migrate").stdout
    assert "no organisation is connected" in world.main("connections").stdout
    assert world.command("pull", "contacts").returncode == 1, "there is nobody to pull from"
    connected = world.main("connect", "--all")
    assert connected.returncode == 0
    for name in world.names():
        assert f"{name}: made and matched to '{name}'" in connected.stdout
    again = world.main("connect", "--all")
    assert again.returncode == 0
    assert len(world.query("SELECT id FROM xero_sync.connection")) == len(world.names())
    zones = {row["time_zone"] for row in world.query("SELECT time_zone FROM qicworks.organisation")}
    assert zones == {"Australia/Sydney", "Australia/Adelaide", "Australia/Perth"}

    pulled = world.main("pull", "all")
    assert pulled.returncode == 0, pulled.stderr
    assert len(pulled.stdout.splitlines()) == len(DATASETS) * len(world.names())
    assert "\x1b" not in pulled.stdout, "plain lines where there is no terminal"
    events = world.main("events", "-n", "100").stdout.splitlines()
    assert len(events) == 1 + (2 + len(DATASETS)) * len(world.names()), (
        "a heading, and what was connected twice and pulled"
    )


def test_one_organisation_by_its_name(world: World) -> None:
    result = world.main("pull", "contacts", "--connection", world.names()[2].upper())
    assert result.returncode == 0
    assert {call["tenant"] for call in world.calls()} == {world.sandbox.tenant(2)}
    wrong = world.main("pull", "contacts", "--connection", "Nobody Pty Ltd")
    assert wrong.returncode == 1
    assert "no connection is called 'Nobody Pty Ltd'" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AIRFLOW_CONN_XERO_DEFAULT", "{broken", "AIRFLOW_CONN_XERO_DEFAULT is not valid JSON"),
        ("AIRFLOW_CONN_XERO_DEFAULT", '{"conn_type": "xero", "login": "x"}', "client secret"),
        ("AIRFLOW_CONN_QICWORKS_DEFAULT", "nonsense", "neither JSON nor a URI"),
        ("AIRFLOW_CONN_QICWORKS_DEFAULT", "postgres://nobody@127.0.0.1:9/nowhere", "the QicWorks database"),
    ],
)
def test_what_is_set_up_wrong_is_said_in_one_line(world: World, name: str, value: str, says: str) -> None:
    environment = {**world.environment(), name: value}
    arguments = ["connect", "--all"] if "XERO_DEF" in name else ["pull", "contacts"]
    result = subprocess.run(
        [sys.executable, "-m", "xero", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_what_only_the_owner_may_says_so(
    world: World, postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.pull("contacts").counts.inserted
    email = world.query("SELECT email FROM qicworks.contact WHERE email <> '' LIMIT 1")[0]["email"]
    role = f"sync_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {role} LOGIN")
    address = world.database_url.replace("postgres@", f"{role}@")
    monkeypatch.setenv("AIRFLOW_CONN_QICWORKS_DEFAULT", address)

    def refused(*arguments: str) -> str:
        assert command_line.main(list(arguments)) == 1
        [line] = capsys.readouterr().err.strip().splitlines()
        return line

    try:
        assert "`python -m xero migrate --grant-to ROLE` with the owner's connection" in refused("connections")
        monkeypatch.setenv("AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
        assert command_line.main(["migrate", "--grant-to", role]) == 0
        capsys.readouterr()
        monkeypatch.setenv("AIRFLOW_CONN_QICWORKS_DEFAULT", address)
        for arguments in (
            ("migrate",),
            ("migrate", "--grant-to", role),
            ("person", "erase", "--email", email, "--yes"),
        ):
            assert "permission denied" in (line := refused(*arguments))
            assert "; run it with the owner's connection as qicworks_default: " in line
            assert email not in line
        assert command_line.main(["connections"]) == 0
    finally:
        world.query(f"DROP OWNED BY {role}")
        with psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(f"DROP ROLE {role}")


def test_first_connects_at_once_make_everything_once(unconnected: World) -> None:
    def connect() -> None:
        connected = unconnected.main("connect", "--all")
        assert connected.returncode == 0, connected.stderr

    with connections.one_at_a_time(unconnected.engine):
        running = [Forked(unconnected, connect) for _ in range(3)]
        wait_for_waiting(unconnected, 3)
    assert [process.join() for process in running] == [0, 0, 0]
    assert len(unconnected.query("SELECT id FROM xero_sync.token")) == 1
    assert len(unconnected.query("SELECT id FROM xero_sync.connection")) == len(unconnected.names())


# A migration comes as far as this table, and waits until it is let through.
GATE = """
    CREATE FUNCTION public.wait_at_the_gate() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'qicworks.bill') THEN
            PERFORM pg_advisory_xact_lock_shared(1, 1);
        END IF;
    END $$;
    CREATE EVENT TRIGGER gate ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION public.wait_at_the_gate();
    SELECT pg_advisory_lock(1, 1);
"""


@pytest.fixture
def empty(unconnected: World) -> Iterator[World]:
    """A database that was never migrated."""
    name = f"migrate_{uuid.uuid4().hex[:8]}"
    address = f"{unconnected.database_url.rpartition('/')[0]}/{name}"
    unconnected.query_server(f'CREATE DATABASE "{name}"')
    engine = database.engine(address)
    yield World(unconnected.sandbox, engine, address)
    engine.dispose()
    unconnected.query_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_migrations_at_once_and_after_one_that_was_killed(empty: World) -> None:
    """Two wait for a third, which is killed in the middle of a migration: one of them goes on from there."""
    unmigrated = empty.main("connections")
    assert unmigrated.returncode == 1
    assert "run `python -m xero migrate`" in unmigrated.stderr
    assert len(unmigrated.stderr.splitlines()) == 1

    def migrate() -> None:
        migrated = empty.main("migrate")
        assert migrated.returncode == 0, migrated.stderr

    with psycopg.connect(empty.database_url, autocommit=True) as gate:
        gate.execute(GATE)
        killed = Forked(empty, migrate, options="")
        wait_for_waiting(empty)
        others = [Forked(empty, migrate, options="") for _ in range(2)]
        wait_for_waiting(empty, 3)
        [first] = at_work(empty)
        killed.kill(noticed=False)
        until(lambda: at_work(empty) not in ([], [first]))
        done = {row["migration_id"][:4] for row in empty.query("SELECT migration_id FROM xero_sync._yoyo_migration")}
        assert done == {f"{number:04}" for number in range(1, 7)}, "the one under way is 0007"
    assert [process.join() for process in others] == [0, 0]
    assert "up to date" in empty.main("migrate").stdout
    assert empty.main("connections").returncode == 0


def at_work(world: World) -> list[int]:
    """Whose turn it is to migrate."""
    return [row["pid"] for row in world.query(LEASES)]


def test_an_organisation_is_meant_by_its_own_name(world: World) -> None:
    """Another one is called in Xero what this one is called in QicWorks."""
    first, second = world.names()[:2]
    world.query("UPDATE xero_sync.connection SET tenant_name = %s WHERE tenant_name = %s", first, second)
    assert [one["organisation"] for one in select_connections(world.engine, DATASETS["contacts"], first)[0]] == [first]
    world.query("UPDATE qicworks.organisation SET name = 'Renamed' WHERE name = %s", first)
    with pytest.raises(LookupError, match=f"may be 'Renamed', '{second}'|may be '{second}', 'Renamed'"):
        select_connections(world.engine, DATASETS["contacts"], first)


def test_one_odd_setting_of_an_organisation_stops_nobody(world: World) -> None:
    odd = {"PeriodLockDate": "soon", "TaxNumber": 51824753556, "LegalName": "nul\u0000", "Timezone": "MARS"}
    world.sandbox.control("PATCH", f"organisations/{world.sandbox.tenant()}", odd)
    assert world.main("connect", "--all").returncode == 0
    world.query("UPDATE xero_sync.connection SET organisation_read_at = NULL")
    assert world.main("pull", "contacts").returncode == 0


def test_ctrl_c_closes_the_event_and_leaves_no_traceback(world: World) -> None:
    with world.sandbox.hold("Contacts") as wait_until_held:
        process = world.start("pull", "contacts", "--connection", world.names()[0])
        wait_until_held()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=150)  # Xero gives no response before it has ended
    assert process.returncode == 130
    assert "Traceback" not in err
    assert (world.event()["status"], world.event()["message"]) == ("error", "interrupted")


def test_an_airflow_connection_reads_the_same_as_json_and_as_uri() -> None:
    extra = {"grant_type": "client_credentials", "identity_host": "http://127.0.0.1:9"}
    fields = {"conn_type": "xero", "login": "an id", "password": "p@ss/w:rd", "host": "http://127.0.0.1", "port": 8095}
    written = airflow_connections.parse("c", json.dumps({**fields, "extra": extra}))
    for uri in (
        "xero://http://an%20id:p%40ss%2Fw%3Ard@127.0.0.1:8095/?grant_type=client_credentials"
        "&identity_host=http%3A%2F%2F127.0.0.1%3A9",
        "xero://an%20id:p%40ss%2Fw%3Ard@http%3A%2F%2F127.0.0.1:8095/?grant_type=client_credentials"
        "&identity_host=http%3A%2F%2F127.0.0.1%3A9",
    ):
        assert airflow_connections.parse("c", uri) == written


def weight(records: list[dict[str, object]]) -> float:
    """How many bytes such a record takes once it is read."""
    text = json.dumps(records)
    tracemalloc.start()
    read = json.loads(text)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(read)


def test_many_contacts_take_few_calls_and_no_more_memory(world: World) -> None:
    """One process pulls two organisations, the second four times as large: it holds no more of its records at once."""
    code = """
import resource, sys
import great_expectations.expectations, pandas
import xero.__main__
from xero.sync.pull import validate
validate.ROWS_PER_FRAME = 2_500
peaks = []
for name in {names!r}:
    sys.argv = ["xero"]
    assert xero.__main__.main(["pull", "contacts", "--connection", name]) == 0
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print("peaks", *peaks)
"""
    small, large = sizes = (5_000, 20_000)
    names = world.names()[:2]
    world.sandbox.reset(contacts=dict(zip(names, sizes, strict=True)))
    world.connect()
    further_records = (large - small) * weight(world.sandbox.contacts())
    world.calls()
    done = subprocess.run(
        [sys.executable, "-c", code.format(names=names)],
        env={**world.environment(), "MALLOC_ARENA_MAX": "1"},  # else the peak depends on the number of processors
        capture_output=True,
        text=True,
        check=True,
    )
    for contacts in sizes:
        assert f"{contacts} read, {contacts} inserted" in done.stdout
    calls = world.calls()
    assert len(calls) <= (small + large) / 1000 + 2 * 2, "a page of 1,000 each, and an end, and the organisation"
    assert {call["headers"].get("accept-encoding") for call in calls} == {"gzip"}
    assert len(re.findall(r"; (\d+) calls", done.stdout)) == 2
    before, after = (int(peak) for peak in done.stdout.split()[-2:])
    assert (after - before) * 1024 < further_records / 8, f"{further_records / 1024:.0f} KiB of records came"
