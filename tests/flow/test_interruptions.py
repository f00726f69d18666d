"""A pull that ends where nobody planned it: the next one has the same rows, and asks for no page a second time."""

import random
import time
from collections import Counter
from functools import partial
from typing import Any

import pytest

from tests.support.interrupting import WORKING, fork, kill, locked, pulls, until, wait_until_free
from tests.support.world import World
from xero.sync.outcome import DatabaseFailed
from xero.sync.pull import Origin, Skip

PAGE = 100  # the server gives no more: many pages to be killed at
PAGES = 40
LARGE = PAGES * PAGE
MIDDLING = 10 * PAGE
NAMELESS = 3


@pytest.fixture
def large(world: World) -> World:
    return grown(world, LARGE)


@pytest.fixture
def middling(world: World) -> World:
    return grown(world, MIDDLING)


def grown(world: World, contacts: int) -> World:
    """So many contacts, a few of them without a name."""
    world.sandbox.reset(contacts={world.names()[0]: contacts})
    world.sandbox.settings(max_page_size=PAGE, limits=False)
    world.connect()
    for contact in world.sandbox.truth("Contacts")[:NAMELESS]:
        world.sandbox.change("Contacts", contact["ContactID"], Name=None)
    world.calls()
    return world


def fetched(world: World) -> int:
    """How many pages of contacts were served since the last time this was asked."""
    return sum(call["path"].endswith("/Contacts") and call["status"] == 200 for call in world.calls())


def staged(world: World) -> int:
    """How many pages are safe by now."""
    return int(world.query("SELECT count(*) / %s AS pages FROM xero_sync.stage_contact", PAGE)[0]["pages"])


def has_staged(world: World, pages: int) -> bool:
    return staged(world) >= pages


def assert_in_step(world: World) -> None:
    """The good rows are Xero's, the bad ones known once, and nothing is left behind."""
    truth = world.sandbox.truth("Contacts")
    good = {contact["ContactID"]: contact["Name"] for contact in truth if contact["Name"]}
    assert {key: row["name"] for key, row in world.rows("contact").items()} == good
    assert len(world.query("SELECT 1 FROM xero_sync.rejection WHERE closed_at IS NULL")) == NAMELESS
    for left in ("staging", "stage_contact"):
        assert world.query(f"SELECT 1 FROM xero_sync.{left} LIMIT 1") == []
    # An undisturbed reading of everything finds every field of every row as it should be.
    world.sandbox.settings(max_page_size=1000, latency_ms=[0, 0])
    counts = world.pull("contacts", full=True).counts
    assert (counts.read, counts.unchanged, counts.rejected) == (len(truth), len(good), NAMELESS)
    assert len(good) == len(truth) - NAMELESS


def assert_told(world: World, *, interrupted: int, contacts: int) -> None:
    """By the events: so many killed pulls, and the one that brought it to an end."""
    *killed, last = pulls(world)
    assert [event["status"] for event in killed] == ["error"] * interrupted
    for event in killed:
        assert event["message"].startswith("interrupted")
        assert event["ended_at"]
        assert event["correction"]
    assert (last["status"], last["read"], last["inserted"]) == ("warning", contacts, contacts - NAMELESS)


@pytest.mark.usefixtures("preloaded")
def test_killed_again_and_again_while_it_reads(large: World) -> None:
    large.sandbox.settings(latency_ms=[20, 50])
    dice = random.Random(20)
    kills = 0
    while (enough := staged(large) + dice.randint(4, 12)) < PAGES:
        process = fork(large)
        until(partial(has_staged, large, enough))
        time.sleep(dice.uniform(0, 0.05))
        assert kill(process)
        wait_until_free(large)
        kills += 1
    assert kills >= 2, "fewer would prove less"
    large.pull("contacts")
    # A page is safe once it is staged: each kill may cost the one that was under way.
    assert PAGES < fetched(large) <= PAGES + 1 + kills
    assert_told(large, interrupted=kills, contacts=LARGE)
    assert_in_step(large)


# A lock on a table stops the pull where it first reads it (ACCESS EXCLUSIVE) or writes it (EXCLUSIVE).
PLACES = {
    "before it validates": ("qicworks.contact", "ACCESS EXCLUSIVE"),
    "with its findings marked": ("xero_sync.rejection", "ACCESS EXCLUSIVE"),
    "in the merge": ("qicworks.contact", "EXCLUSIVE"),
    "at the end of the load": ("xero_sync.cursor", "EXCLUSIVE"),
}


@pytest.mark.usefixtures("preloaded")
def test_killed_wherever_it_validates_and_loads(middling: World) -> None:
    for lock in PLACES.values():
        process = fork(middling)
        with locked(middling, *lock) as wait_until_blocked:
            wait_until_blocked()
            assert kill(process)
        wait_until_free(middling)
        assert middling.rows("contact") == {}, "half a load was kept"
    assert fetched(middling) == MIDDLING / PAGE + 1
    middling.pull("contacts")
    assert fetched(middling) == 0
    assert_told(middling, interrupted=len(PLACES), contacts=MIDDLING)
    assert_in_step(middling)


@pytest.mark.usefixtures("preloaded")
def test_killed_at_any_moment(middling: World) -> None:
    """Wherever it is by then; now and then one comes through."""
    dice = random.Random(5)
    tries = 8
    kills = 0
    for _ in range(tries):
        process = fork(middling)
        time.sleep(dice.uniform(0.05, 0.4))
        kills += kill(process)
        wait_until_free(middling)
    assert kills >= tries / 2
    middling.pull("contacts")
    statuses = Counter(event["status"] for event in pulls(middling))
    assert statuses["running"] == 0
    assert statuses["error"] <= kills
    assert fetched(middling) <= MIDDLING / PAGE + 1 + tries + 1
    assert_in_step(middling)


@pytest.mark.usefixtures("preloaded")
def test_the_lease_ends_with_the_process_even_while_its_statement_waits(middling: World) -> None:
    """Else the next pull would be turned away, as the second of two at once, until the statement is over."""
    process = fork(middling)
    with locked(middling, "qicworks.contact", "EXCLUSIVE") as wait_until_blocked:
        wait_until_blocked()
        assert kill(process)
        wait_until_free(middling)


@pytest.mark.usefixtures("preloaded")
def test_the_database_ends_the_session(middling: World) -> None:
    pages = 0

    def end_the_session(records: int) -> None:
        nonlocal pages
        pages += 1
        if pages == MIDDLING / PAGE / 2:
            assert middling.query(f"SELECT pg_terminate_backend(pid) FROM ({WORKING}) AS working")

    with pytest.raises(DatabaseFailed):
        middling.pull("contacts", progress=end_the_session)
    wait_until_free(middling)
    middling.pull("contacts")
    assert fetched(middling) == MIDDLING / PAGE + 1, "without its session it sends no further call"
    assert_told(middling, interrupted=1, contacts=MIDDLING)
    assert_in_step(middling)


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
def test_two_processes_at_once(middling: World, capfd: pytest.CaptureFixture[str]) -> None:
    middling.sandbox.settings(latency_ms=[20, 20])
    both = [fork(middling) for _ in range(2)]
    for process in both:
        process.join()
    assert sorted(process.exitcode or 0 for process in both) == [0, 1]
    complaint = capfd.readouterr().err
    assert "skipped" in complaint
    assert "already running in" in complaint
    assert fetched(middling) == MIDDLING / PAGE + 1
    loaded, skipped = sorted(event["message"] for event in pulls(middling))
    assert loaded.startswith("3 rejected")
    assert skipped.startswith("already running in")
