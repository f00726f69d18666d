"""What a pull with nothing new costs: one call, one connection to the database, which is nobody else's afterwards."""

import psycopg
import pytest
from sqlalchemy import Engine

from tests.support.pushing import Books
from tests.support.waiting import until
from tests.support.world import World
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.sync.pull.flow import Origin, pull
from xero.sync.runs.participants import select_connections_to_push


def sessions(world: World) -> int:
    """How many sessions PostgreSQL has had with the world's database, now that the last one is over."""
    server, _, name = world.database_url.rpartition("/")

    def number(statement: str) -> int:
        found = postgres.execute(statement.encode(), (name,)).fetchone()
        assert found is not None
        return int(found[0])

    with psycopg.connect(f"{server}/postgres", autocommit=True) as postgres:
        until(lambda: number("SELECT count(*) FROM pg_stat_activity WHERE datname = %s") == 0)
        return number("SELECT sessions FROM pg_stat_database WHERE datname = %s")


@pytest.mark.parametrize("name", ["tax_codes", "contacts"])
def test_nothing_new_costs_one_call_and_one_connection(world: World, name: str) -> None:
    world.pull(name)
    connection_id = world.connection_id()
    world.engine.dispose()
    before = sessions(world)
    outcome = pull(
        DATASETS[name], connection_id, engine=world.engine, open_client=opener(world.engine, world.app), origin=Origin()
    )
    world.engine.dispose()
    assert (outcome.changed, outcome.counts.calls) == (False, 1)
    assert sessions(world) - before == 1, "the lease, the limits and the token share it"
    held = world.query("SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND database = "
                       "(SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip
    assert held == [{"held": 0}]


def test_a_session_is_lent_only_while_nothing_goes_on_in_it(engine: Engine) -> None:
    assert database.own(engine) is None
    with database.session(engine) as session:
        assert database.own(engine) is session
        with session.transaction():
            session.execute("SELECT 1")
            assert database.own(engine) is None, "what is granted must not wait for that to be committed"
        with database.session(engine) as inner:
            assert database.own(engine) is inner
        assert database.own(engine) is session
        other = database.engine(engine.url)
        assert database.own(other) is None
    assert database.own(engine) is None


def test_who_has_something_to_push_is_asked_at_once(world: World) -> None:
    """And still everybody is found: with a document, with a request left open, with a file to attach."""
    kind = KINDS["invoices"]

    def pushing() -> list[str]:
        return [one["organisation"] for one in select_connections_to_push(world.engine, kind).taken]

    assert select_connections_to_push(world.engine, kind) == ([], [], [])
    books = [Books(world, number) for number in range(3)]
    books[0].add("invoices", number="INV-1")
    pushed = books[1].add("invoices", number="INV-2")
    assert pushing() == sorted(world.names()[:2])
    world.query("UPDATE qicworks.invoice SET push_state = 'pushed' WHERE id = %s", pushed)
    assert pushing() == [world.names()[0]]
    world.query(
        "INSERT INTO xero_sync.push_request (connection_id, kind, idempotency_key, method, path, documents, versions)"
        " VALUES (%s, 'invoices', 'k', 'PUT', '/Invoices', '{}', '{}')",
        books[2].connection_id,
    )
    assert set(pushing()) == {
        world.names()[0],
        world.names()[2],
    }
