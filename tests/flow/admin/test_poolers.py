"""Connection poolers between this project and its database: who takes the session away is refused before anything is
written or sent, and in session mode all goes on as it does without one."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from tests.support.pooler import pooled
from tests.support.pushing import Books
from tests.support.world import World
from xero.api.errors import Misconfigured
from xero.documents.registry import KINDS
from xero.qicworks import database, poolers
from xero.qicworks.admin.retention import Retention
from xero.qicworks.runs.events import Origin
from xero.sync.runs.outcome import Skip
from xero.sync.runs.pruning import prune

IN_WORDS = "The QicWorks database is behind a connection pooler in transaction or statement mode."
# As people run it who have met its refusal of what clients set at the start.
LENIENT = {"ignore_startup_parameters": "options,extra_float_digits"}


@contextmanager
def through(world: World, mode: str, **settings: object) -> Iterator[World]:
    with pooled(world.database_url, mode, **settings) as url:
        behind = World(world.sandbox, database.engine(url), url)
        yield behind
        behind.engine.dispose()


def written(world: World) -> Any:
    """Of everything that a run begins with, or leaves behind."""
    return world.query(
        """
        SELECT (SELECT count(*) FROM xero_sync.connection_event) AS events,
               (SELECT count(*) FROM xero_sync.push_request) AS requests,
               (SELECT count(*) FROM xero_sync.staging) AS staged,
               (SELECT max(renewed_at) FROM xero_sync.token) AS token,
               (SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
                 WHERE locktype = 'advisory' AND datname = current_database()) AS locks
        """
    )


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_who_takes_the_session_away_is_refused_before_anything_is_written_or_sent(world: World, mode: str) -> None:
    books = Books(world)
    books.add("invoices")
    connection_id = world.connection_id()
    world.calls()
    before = written(world)
    with through(world, mode, **LENIENT) as behind:
        for command in (
            ["pull", "contacts"], ["push", "invoices"], ["push", "invoices", "--dry-run"], ["connect", "--all"],
            ["connections"], ["events"], ["reconcile"], ["keys", "check"], ["keys", "rotate"], ["migrate"],
            ["person", "export", "--email", "nobody@example.com"],
        ):  # fmt: skip
            done = behind.main(*command)
            assert done.returncode == 1, command
            assert IN_WORDS in done.stderr, command
            assert "session mode" in done.stderr.replace("\n", " "), command
        with pytest.raises(Misconfigured, match=IN_WORDS):
            prune(behind.engine, Retention(), Origin())
        with pytest.raises(Misconfigured, match=IN_WORDS), behind.engine.connect():
            pass
    assert connection_id == world.connection_id()
    assert world.calls() == []
    assert written(world) == before


@pytest.mark.parametrize("settings", [{}, {"server_round_robin": 1}], ids=["last", "in turn"])
@pytest.mark.parametrize("others", [0, 1, 4])
def test_an_idle_pool_that_gives_the_same_session_again_deceives_nobody(
    world: World, settings: dict[str, object], others: int
) -> None:
    """Whichever session it gives, the one used last or the one that waits longest, and however many there are."""
    with pooled(world.database_url, "transaction", **LENIENT, **settings) as url:
        with ExitStack() as used:
            for _ in range(others):
                used.enter_context(psycopg.connect(url)).execute("SELECT 1")  # each in a transaction: one session each
        with pytest.raises(Misconfigured, match=IN_WORDS), database.session(database.engine(url)):
            pass


def test_luck_proves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that has shown nothing so far passes no notification on, and is refused."""
    monkeypatch.setattr(poolers, "ROUNDS", 0)
    monkeypatch.setattr(poolers, "LONGEST_WAIT_SECONDS", 1.0)
    with (
        pooled(world.database_url, "transaction", **LENIENT) as url,
        pytest.raises(Misconfigured, match=IN_WORDS),
        database.session(database.engine(url)),
    ):
        pass


def test_in_session_mode_all_goes_on_with_the_poolers_defaults(world: World) -> None:
    with through(world, "session") as behind:
        assert behind.main("migrate").returncode == 0
        assert behind.main("connect", "--all").returncode == 0
        shown = {
            name: behind.query(f"SHOW {name}")[0].popitem()[1]
            for name in (*database.READ_AS, *database.SESSION_SETTINGS)
        }
        assert {name: shown[name] for name in database.READ_AS} == database.READ_AS
        assert shown["client_connection_check_interval"] == "2s"
        assert shown["idle_in_transaction_session_timeout"] == "10min"
        books = Books(behind)
        for kind in ("invoices", "bills"):
            books.add(kind)
            assert books.push(kind).counts.pushed == 1, kind
        books.assert_once()
        for _ in range(2):
            assert behind.pull("contacts", full=True).status == "success"
        assert behind.pull("staff").status in ("success", "warning")
        assert set(KINDS) > {"invoices", "bills"}


def test_in_session_mode_the_second_of_two_is_turned_away(world: World) -> None:
    outcomes: list[str] = []

    def pull() -> None:
        outcomes.append(behind.pull("contacts").status)

    with through(world, "session") as behind, world.sandbox.hold("/Contacts") as wait_until_held:
        first = threading.Thread(target=pull)
        first.start()
        wait_until_held()
        with pytest.raises(Skip, match="already running"):
            behind.pull("contacts")
        world.sandbox.control("DELETE", "faults")
        first.join()
    assert outcomes == ["success"]
