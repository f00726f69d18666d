"""The sessions that runs get in these tests: of the run before nothing is left but its plans."""

from contextlib import suppress
from typing import Any

from tests.support.world import World
from xero.qicworks import database

STATE = "SELECT name, setting FROM pg_settings WHERE name NOT IN ('application_name', 'transaction_isolation')"
LOCKS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND pid = %s"


class Gone(BaseException):
    """The run is over, in the middle of whatever it did."""


def state(world: World) -> tuple[int, list[dict[str, Any]]]:
    with database.session(world.engine) as session:
        return session.info.backend_pid, session.execute(STATE).fetchall()


def test_a_run_finds_nothing_of_the_one_before(world: World) -> None:
    backend, as_opened = state(world)
    with suppress(Gone), database.session(world.engine) as session:
        assert session.info.backend_pid == backend
        session.execute("SELECT pg_advisory_lock(7)")
        session.execute("SET enable_nestloop = off")
        session.execute("SET search_path = pg_catalog")
        session.execute("CREATE TEMP TABLE leftover AS SELECT 1")
        session.execute("BEGIN")
        session.execute("UPDATE qicworks.organisation SET time_zone = 'Never'")
        raise Gone
    assert world.query(LOCKS, backend) == []
    assert world.query("SELECT FROM qicworks.organisation WHERE time_zone = 'Never'") == []
    assert world.query("SELECT FROM pg_class WHERE relname = 'leftover'") == []
    assert state(world) == (backend, as_opened)


def test_one_that_was_ended_is_replaced(world: World) -> None:
    backend, _ = state(world)
    world.query("SELECT pg_terminate_backend(%s, 10000)", backend)
    assert state(world)[0] != backend
