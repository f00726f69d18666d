"""All tests here are long; `make histories` runs them."""

import pytest

from tests.support.pushing import Books
from tests.support.world import World


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)
