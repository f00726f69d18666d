"""The books of one organisation, to push documents and see what becomes of them."""

import pytest

from tests.support.pushing import Books
from tests.support.world import World


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)
