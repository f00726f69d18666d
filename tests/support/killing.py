"""Work in a process of its own that is killed at a moment one can name: kill -9, nothing is tidied up.

Forked, so that it need not import anything. Its moments are numbered: before each SQL statement, before each call is
sent, and when its response is there, in the order in which the process comes to them. The same work passes the same
moments on any machine: nothing of it depends on a clock.
"""

import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import psycopg
import requests

from tests.support.calls import Forward, intercepted
from tests.support.waiting import until
from tests.support.world import World
from xero.api.errors import XeroError
from xero.qicworks import database
from xero.sync.runs import run as run_module
from xero.sync.runs.outcome import Skip

FORK = multiprocessing.get_context("fork")
SKIPPED, FAILED, INTERRUPTED = 3, 4, 130  # exit codes

Work = Callable[[], object]  # such as a push; it uses the world that it is forked with
Reached = Callable[[str], object]  # is called at each moment, which it gets in words

# A killed process whose statement waits: PostgreSQL looks every 0.1 s whether it is still there, not every 2 s.
NOTICED_SOON = "?options=-c%20client_connection_check_interval%3D100"

SESSIONS = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Forked:
    """Work in another process. Exit codes: 0, or those above. `options` are added to the database's address."""

    def __init__(
        self, world: World, work: Work, reached: Reached = lambda moment: None, *, options: str = NOTICED_SOON
    ) -> None:
        self.world = world
        self._strangers = self._sessions()

        def run() -> None:
            world.engine.dispose(close=False)  # its sockets are the parent's
            world.database_url += options
            world.engine = database.engine(world.database_url)
            run_module.SHOW_PROGRESS_SECONDS = 0.0  # at each page: a moment that comes by the clock has no number
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with _moments_reported(reached):
                os._exit(_exit_code(work))

        self._process = FORK.Process(target=run)
        self._process.start()

    def _sessions(self) -> set[int]:
        return {row["pid"] for row in self.world.query(SESSIONS)}

    def join(self) -> int | None:
        """Waits for its end. The exit code, negative for a signal."""
        self._process.join()
        return self._process.exitcode

    def kill(self, *, noticed: bool = True) -> None:
        """kill -9 of what is surely at work; returns when PostgreSQL has noticed, with all that it rolls back then."""
        self._process.kill()
        assert self.join() == -signal.SIGKILL, "it had ended before it was killed"
        if noticed:
            self.wait_until_noticed()

    def wait_until_noticed(self) -> None:
        """Until no session is left that was not there when it was forked."""
        until(lambda: self._sessions() <= self._strangers)


def _exit_code(work: Work) -> int:
    try:
        work()
    except Skip:
        return SKIPPED
    except XeroError:
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


@contextmanager
def _moments_reported(reached: Reached) -> Iterator[None]:
    def before(name: str) -> Any:
        real = getattr(psycopg.Cursor, name)

        def reporting(cursor: Any, statement: Any, *arguments: Any, **options: Any) -> Any:
            reached(f"{name} {' '.join(str(statement).split())[:100]}")
            return real(cursor, statement, *arguments, **options)

        return mock.patch.object(psycopg.Cursor, name, reporting)

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        reached(f"call {request.method} {request.path_url}")
        response = forward()
        reached(f"response {request.method} {request.path_url}")
        return response

    with ExitStack() as patches:
        for name in ("execute", "executemany", "copy"):
            patches.enter_context(before(name))
        patches.enter_context(intercepted(call))
        yield


def moments(world: World, work: Work) -> list[str]:
    """Lets the work go undisturbed to its end. The moments that it passed, in words.

    Not the first work in a world: that may have to renew the access token, and the next one has not."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = Forked(world, work, sender.send)
    sender.close()
    passed: list[str] = []
    try:
        while True:
            passed.append(receiver.recv())
    except EOFError:
        code = process.join()
    assert code == 0, f"it ended with {code}"
    assert not any("/connect/token" in words for words in passed), "it is the first work"
    return passed


def kill_at(
    world: World, moment: int, work: Work, *, since: str = "", with_signal: signal.Signals = signal.SIGKILL
) -> bool:
    """Lets the work go on until that moment; whether there was such a moment. The first is number 1, or the first
    `since` one whose words are these.

    Returns when PostgreSQL has noticed: what comes next finds what a run would find minutes later.
    """
    passed = 0

    def reached(words: str) -> None:
        nonlocal passed
        passed += bool(passed or since in words)
        if passed == moment:
            os.kill(os.getpid(), with_signal)

    process = Forked(world, work, reached)
    code = process.join()
    assert code in (0, SKIPPED, FAILED, INTERRUPTED, -signal.SIGKILL), f"it ended with {code}"
    process.wait_until_noticed()
    return code == (-signal.SIGKILL if with_signal == signal.SIGKILL else INTERRUPTED)


def spread(last: int, how_many: int) -> list[int]:
    """So many moments, from the first to the last, evenly."""
    return [1 + nth * (last - 1) // (how_many - 1) for nth in range(how_many)]


def of_writes(passed: list[str]) -> list[int]:
    """The numbers of those before something is written to Xero, and with the response to it in hand."""
    return [number for number, words in enumerate(passed, 1) if re.match("(call|response) (PUT|POST)", words)]


def running(world: World) -> list[int]:
    """The events that say that somebody is at work; of a killed process they say so until the next run."""
    return [row["id"] for row in world.query("SELECT id FROM xero_sync.connection_event WHERE status = 'running'")]


def assert_interrupted(world: World, events: list[int]) -> None:
    """These are closed by now, and say what happened and what to do; nobody seems to be at work any more."""
    assert running(world) == []
    for row in world.query("SELECT * FROM xero_sync.connection_event WHERE id = ANY(%s)", events):
        assert row["status"] == "error"
        assert row["message"].startswith("interrupted")
        assert row["ended_at"]
        assert row["correction"]
