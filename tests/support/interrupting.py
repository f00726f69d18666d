"""A pull in a process of its own, and how it is held, waited for and killed."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg

from tests.support.waiting import until
from tests.support.world import World
from xero.__main__ import app_of, main

LOCKS = "SELECT 1 FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())"

WORKING = """
    SELECT pid FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def fork(world: World) -> BaseProcess:
    """`python -m xero pull contacts` of the first organisation, without the seconds that imports take."""

    def run() -> None:
        os.environ.update(world.environment())
        app_of.cache_clear()
        raise SystemExit(main(["pull", "contacts", "--connection", world.names()[0]]))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


@contextmanager
def locked(world: World, table: str, mode: str) -> Iterator[Callable[[], None]]:
    """Holds a lock on the table; gives what waits until another process waits for it."""
    with psycopg.connect(world.database_url) as holder:
        holder.execute(f"LOCK TABLE {table} IN {mode} MODE")  # type: ignore[call-overload]
        yield lambda: until(lambda: bool(world.query(f"{LOCKS} AND NOT granted")))


def wait_until_free(world: World) -> None:
    """Until PostgreSQL has noticed that the sessions of the killed process are gone."""
    until(lambda: not world.query(WORKING))


def kill(process: BaseProcess) -> bool:
    """Whether it was still at work."""
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def pulls(world: World) -> list[dict[str, Any]]:
    return world.query("SELECT * FROM xero_sync.connection_event WHERE direction = 'pull' ORDER BY id")
