"""Reconcile, as a test runs it."""

from typing import Any

from tests.support.world import World
from xero.composition import opener
from xero.qicworks.runs.events import Origin
from xero.sync.follow.reconcile import reconcile
from xero.sync.pull.flow import Outcome


def compare(world: World, organisation: int = 0, **client: Any) -> Outcome:
    return reconcile(
        world.connection_id(organisation),
        engine=world.engine,
        open_client=opener(world.engine, world.app, **client),
        origin=Origin(),
    )
