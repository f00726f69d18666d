"""Worlds in a particular state."""

import pytest

from tests.support.world import World


@pytest.fixture
def fresh(unconnected: World) -> World:
    unconnected.sandbox.settings(limits=False, access_token_seconds=1e9)
    assert unconnected.connect() == 0
    unconnected.calls()
    return unconnected
