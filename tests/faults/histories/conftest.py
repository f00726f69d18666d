"""The same two sides as in tests/flow. All tests here are long; `make faults` runs them."""

import pytest

from tests.flow.conftest import World, sandbox, sandbox_url, unconnected, world
from tests.flow.pushing import Books

__all__ = ["sandbox", "sandbox_url", "unconnected", "world"]


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)
