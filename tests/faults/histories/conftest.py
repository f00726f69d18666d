"""All tests here are long; `make histories` runs them."""

import pytest

from tests.flow.conftest import World
from tests.flow.pushing import Books


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)
