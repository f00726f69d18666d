"""How a run is held at a lock, and what its events say afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.support.waiting import until
from tests.support.world import World

LEASES = """
    SELECT pid FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pg_blocking_pids(pid) <> '{}'"


def wait_for_waiting(world: World, sessions: int = 1) -> None:
    """Until so many sessions of this database wait for a lock that another one holds."""
    until(lambda: len(world.query(WAITING)) >= sessions)


@contextmanager
def locked(world: World, table: str, mode: str) -> Iterator[Callable[[], None]]:
    """Holds a lock on the table; gives what waits until another process waits for it."""
    with psycopg.connect(world.database_url) as holder:
        holder.execute(f"LOCK TABLE {table} IN {mode} MODE")  # type: ignore[call-overload]
        yield lambda: wait_for_waiting(world)


def pulls(world: World) -> list[dict[str, Any]]:
    return world.query("SELECT * FROM xero_sync.connection_event WHERE direction = 'pull' ORDER BY id")
