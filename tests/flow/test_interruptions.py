"""A pull that is killed, wherever it is: the next one ends with the same rows, and asks for no page a second time."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.flow.conftest import World
from xero.sync.pull import Origin, Skip

FOUR_THOUSAND = 4_000
PAGE = 100  # the server gives no more: many pages to be killed at
PAGES = FOUR_THOUSAND // PAGE

BLOCKED = "SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = %s)"


@pytest.fixture
def large(world: World) -> World:
    """Four thousand contacts, slowly; some of them with a name that is none."""
    world.sandbox.reset(contacts={world.names()[0]: FOUR_THOUSAND})
    world.sandbox.settings(max_page_size=PAGE, limits=False, latency_ms=[20, 60])
    world.connect()
    for contact in world.sandbox.truth("Contacts")[:3]:
        world.sandbox.change("Contacts", contact["ContactID"], Name=None)
    world.calls()
    return world


def start(world: World) -> "subprocess.Popen[str]":
    return world.start("-v", "pull", "contacts", "--connection", world.names()[0])


def follow(process: "subprocess.Popen[str]", said: str) -> Iterator[str]:
    """The lines of the process's log with these words, as they come, to its end."""
    assert process.stderr is not None
    return (line for line in process.stderr if said in line)


@contextmanager
def killed(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Kills it after the block, by surprise: it must still have been at work."""
    try:
        yield
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL


@contextmanager
def locked(world: World, table: str, mode: str) -> Iterator[Callable[[], None]]:
    """Holds a lock on the table; gives what waits until another process waits for it."""
    name = world.engine.url.database
    with psycopg.connect(world.database_url) as holder:
        holder.execute(f"LOCK TABLE {table} IN {mode} MODE")  # type: ignore[call-overload]
        yield lambda: until(lambda: bool(world.query(BLOCKED, name)))


def until(met: Callable[[], bool], patience: float = 30.0) -> None:
    deadline = time.monotonic() + patience
    while not met():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.02)


def wait_until_free(world: World) -> None:
    """Until PostgreSQL has noticed that the killed process's sessions are gone."""
    until(lambda: not world.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"))


def fetched(world: World) -> int:
    """How many pages of contacts were served since the last time this was asked."""
    return sum(call["path"].endswith("/Contacts") and call["status"] == 200 for call in world.calls())


def staged_pages(world: World) -> int:
    return int(world.query("SELECT count(*) / %s AS pages FROM xero_sync.stage_contact", PAGE)[0]["pages"])


def events(world: World) -> list[dict[str, Any]]:
    return world.query("SELECT * FROM xero_sync.connection_event WHERE direction = 'pull' ORDER BY id")


def assert_as_if_undisturbed(world: World, *, kills: int) -> None:
    """The rows are Xero's, nothing is left behind, every run has its one event."""
    truth = world.sandbox.truth("Contacts")
    good = {contact["ContactID"]: contact["Name"] for contact in truth if contact["Name"]}
    assert len(good) == FOUR_THOUSAND - 3
    assert {key: row["name"] for key, row in world.rows("contact").items()} == good
    for left in ("staging", "stage_contact"):
        assert world.query(f"SELECT 1 FROM xero_sync.{left} LIMIT 1") == []

    *interrupted, last = events(world)
    assert len(interrupted) == kills
    for event in interrupted:
        assert (event["status"], event["ended_at"] is None) == ("error", False)
        assert event["message"].startswith("interrupted")
        assert event["correction"]
    assert (last["status"], last["read"], last["inserted"], last["rejected"]) == (
        "warning", FOUR_THOUSAND, FOUR_THOUSAND - 3, 3,
    )  # fmt: skip
    rejected = world.query("SELECT * FROM xero_sync.rejection WHERE closed_at IS NULL")
    assert [row["event_id"] for row in rejected] == [last["id"]] * 3

    # An undisturbed reading of everything finds every field of every row as it should be.
    world.sandbox.settings(latency_ms=[0, 0], max_page_size=1000)
    counts = world.pull("contacts", full=True).counts
    assert (counts.read, counts.unchanged, counts.rejected) == (FOUR_THOUSAND, FOUR_THOUSAND - 3, 3)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_again_and_again_while_it_reads(large: World, seed: int) -> None:
    dice = random.Random(seed)
    kills = 0
    while True:
        process = start(large)
        pages = follow(process, "more to come")
        last_page = dice.randint(2, 14)
        came = [page for page, _ in zip(pages, range(last_page), strict=False)]
        if len(came) < last_page:
            break  # it went on to the end
        time.sleep(dice.uniform(0, 0.06))
        with killed(process):
            pass
        kills += 1
        wait_until_free(large)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert kills >= 2, "a single kill would prove less"
    # A page counts as read once it is staged: each kill may cost the one that was under way.
    assert PAGES <= fetched(large) <= PAGES + 1 + kills
    assert_as_if_undisturbed(large, kills=kills)


def test_killed_while_validating(large: World) -> None:
    large.sandbox.settings(latency_ms=[0, 0])
    process = start(large)
    with killed(process):
        next(follow(process, "::group::validate"))
        time.sleep(random.Random(3).uniform(0, 1))
    wait_until_free(large)

    # And once more, when the bad rows are marked and are about to be counted.
    process = start(large)
    with locked(large, "xero_sync.rejection", "ACCESS EXCLUSIVE") as wait_until_blocked, killed(process):
        wait_until_blocked()
        assert large.query("SELECT count(*) AS bad FROM xero_sync.stage_contact WHERE problems IS NOT NULL")[0] == {
            "bad": 3
        }
    wait_until_free(large)
    assert PAGES <= fetched(large) <= PAGES + 1

    large.pull("contacts")
    assert fetched(large) == 0
    assert_as_if_undisturbed(large, kills=2)


def test_killed_while_loading(large: World) -> None:
    large.sandbox.settings(latency_ms=[0, 0])
    process = start(large)
    # Contacts may be read, not written: the merge waits.
    with locked(large, "qicworks.contact", "EXCLUSIVE") as wait_until_blocked, killed(process):
        wait_until_blocked()
    wait_until_free(large)
    assert PAGES <= fetched(large) <= PAGES + 1
    assert large.rows("contact") == {}, "half a load was kept"

    large.pull("contacts")
    assert fetched(large) == 0
    assert_as_if_undisturbed(large, kills=1)
