"""A push in a process of its own that is killed at a moment one can name: kill -9, nothing is tidied up.

Forked, so that it need not import anything. Its moments are numbered: before each SQL statement, before each call is
sent, and when its answer is there, in the order in which the process comes to them.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import psycopg

from tests.support.world import World
from xero.api.client import XeroClient
from xero.api.errors import XeroError
from xero.qicworks import database
from xero.sync.outcome import Skip


class Side(Protocol):
    """QicWorks' side of an organisation: its books, or its payroll."""

    world: World

    def push(self, kind: str) -> object: ...


FORK = multiprocessing.get_context("fork")


def forked(books: Side, *kinds: str, reached: Callable[[int], None] = lambda moment: None) -> BaseProcess:
    """Pushes in another process; `reached` is told each moment there. Exit code 3: skipped, 4: a XeroError."""

    def run() -> None:
        books.world.engine.dispose(close=False)  # its sockets are the parent's
        books.world.engine = database.engine(books.world.database_url)
        _number_moments(reached)
        try:
            for kind in kinds:
                books.push(kind)
        except Skip:
            os._exit(3)
        except XeroError:
            os._exit(4)
        os._exit(0)

    process = FORK.Process(target=run)
    process.start()
    return process


def _number_moments(reached: Callable[[int], None]) -> None:
    passed = 0

    def moment() -> None:
        nonlocal passed
        passed += 1
        reached(passed)

    def execute(cursor: Any, *arguments: Any, _real: Any = psycopg.Cursor.execute, **options: Any) -> Any:
        moment()
        return _real(cursor, *arguments, **options)

    def send(client: Any, *arguments: Any, _real: Any = XeroClient._send) -> Any:
        moment()
        answer = _real(client, *arguments)
        moment()
        return answer

    psycopg.Cursor.execute = execute  # type: ignore[method-assign, assignment]
    XeroClient._send = send  # type: ignore[method-assign]


def moments(books: Side, *kinds: str) -> int:
    """Pushes what is ready, undisturbed; how many moments there were."""
    passed = FORK.Value("i", 0)

    def reached(moment: int) -> None:
        passed.value = moment

    process = forked(books, *kinds, reached=reached)
    process.join()
    assert process.exitcode == 0
    return int(passed.value)


def kill_at(books: Side, moment: int, *kinds: str) -> bool:
    """Pushes until that moment; whether there was such a moment."""

    def reached(now: int) -> None:
        if now == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    process = forked(books, *kinds, reached=reached)
    process.join()
    return process.exitcode == -signal.SIGKILL
