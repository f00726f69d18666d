"""Makes the database refuse one kind of change, or run a statement at an exact moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.world import World


@contextmanager
def refusing(world: World, change: str, when: str = "true") -> Iterator[None]:
    """Within the block such a change fails, e.g. `UPDATE ON qicworks.contact`, for rows that match `when`."""
    with acting(world, f"BEFORE {change}", "RAISE EXCEPTION 'not in this test'", when):
        yield


@contextmanager
def acting(world: World, moment: str, statement: str, when: str = "true") -> Iterator[None]:
    """Within the block the statement runs at each such moment, e.g. `AFTER UPDATE ON xero_sync.push_request`."""
    body = f"BEGIN {statement}; RETURN NEW; END"
    world.query(f"CREATE FUNCTION public.act() RETURNS trigger LANGUAGE plpgsql AS $act${body}$act$")
    world.query(f"CREATE TRIGGER act {moment} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION public.act()")
    try:
        yield
    finally:
        world.query("DROP FUNCTION public.act CASCADE")
