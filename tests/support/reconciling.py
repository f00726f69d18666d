"""Reconcile, as a test runs it."""

from tests.support.world import World
from xero.qicworks.events import Origin
from xero.sync.clients import opener
from xero.sync.pull import Outcome
from xero.sync.reconcile import reconcile


def compare(world: World, organisation: int = 0) -> Outcome:
    return reconcile(
        world.connection_id(organisation),
        engine=world.engine,
        open_client=opener(world.engine, world.app),
        origin=Origin(),
    )
