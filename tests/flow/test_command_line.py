"""`python -m xero`, from its two Airflow connections alone, as a developer at a terminal uses it."""

import json
import re
import signal
import subprocess
import sys
import time
import uuid

import psycopg
import pytest

from tests.support.world import World
from xero import __main__ as command_line
from xero import airflow_connections
from xero.datasets.registry import DATASETS
from xero.sync.turns import who


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
    running = [unconnected.start("connect", "--all") for _ in range(3)]
    for process in running:
        _, err = process.communicate(timeout=100)
        assert process.returncode == 0, err
    assert len(unconnected.query("SELECT id FROM xero_sync.token")) == 1
    assert len(unconnected.query("SELECT id FROM xero_sync.connection")) == len(unconnected.names())


def test_migrations_at_once_and_after_one_that_was_killed(unconnected: World, postgres_url: str) -> None:
    name = f"migrate_{uuid.uuid4().hex[:8]}"
    address = f"{postgres_url.rpartition('/')[0]}/{name}"
    unconnected.query_server(f'CREATE DATABASE "{name}"')
    empty = World(unconnected.sandbox, unconnected.engine, address)
    try:
        unmigrated = empty.command("connections")
        assert unmigrated.returncode == 1
        assert "run `python -m xero migrate`" in unmigrated.stderr
        assert len(unmigrated.stderr.splitlines()) == 1
        running = [empty.start("migrate") for _ in range(3)]
        running[0].kill()
        for process in running:
            process.communicate(timeout=60)
        assert [process.returncode for process in running[1:]] == [0, 0]
        assert "up to date" in empty.command("migrate").stdout
    finally:
        unconnected.query_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_an_organisation_is_meant_by_its_own_name(world: World) -> None:
    """Another one is called in Xero what this one is called in QicWorks."""
    first, second = world.names()[:2]
    world.query("UPDATE xero_sync.connection SET tenant_name = %s WHERE tenant_name = %s", first, second)
    assert [one["organisation"] for one in who(world.engine, DATASETS["contacts"], first)[0]] == [first]
    world.query("UPDATE qicworks.organisation SET name = 'Renamed' WHERE name = %s", first)
    with pytest.raises(LookupError, match=f"may be 'Renamed', '{second}'|may be '{second}', 'Renamed'"):
        who(world.engine, DATASETS["contacts"], first)


def test_one_odd_setting_of_an_organisation_stops_nobody(world: World) -> None:
    odd = {"PeriodLockDate": "soon", "TaxNumber": 51824753556, "LegalName": "nul\u0000", "Timezone": "MARS"}
    world.sandbox.control("PATCH", f"organisations/{world.sandbox.tenant()}", odd)
    assert world.main("connect", "--all").returncode == 0
    world.query("UPDATE xero_sync.connection SET organisation_read_at = NULL")
    assert world.main("pull", "contacts").returncode == 0


def test_ctrl_c_closes_the_event_and_leaves_no_traceback(world: World) -> None:
    world.fault(path="Contacts", kind="slow", seconds=20)
    process = world.start("pull", "contacts", "--connection", world.names()[0])
    asked = time.monotonic()
    while not any(call["path"].endswith("/Contacts") for call in world.sandbox.control("GET", "calls")):
        assert time.monotonic() - asked < 100, "it does not come so far as to read contacts"
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=15)  # sooner than Xero answers
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


def test_many_contacts_take_few_calls_and_no_more_memory(world: World) -> None:
    """One process pulls two organisations, the second four times as large: its memory has no new peak by then."""
    code = """
import resource, sys
import great_expectations.expectations, pandas
import xero.__main__
from xero.sync import quality
quality.CHUNK = 2_500
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
    world.calls()
    done = subprocess.run(
        [sys.executable, "-c", code.format(names=names)],
        env=world.environment(),
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
    assert after - before <= 8 * 1024, "KiB"
