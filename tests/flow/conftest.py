"""Worlds in a particular state."""

import pytest

from tests.support.ledger import Unchecked
from tests.support.world import World
from xero.sync import quality


@pytest.fixture
def fresh(unconnected: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(quality, "_Checks", Unchecked)
    unconnected.sandbox.settings(limits=False, access_token_seconds=1e9)
    assert unconnected.connect() == 0
    unconnected.calls()
    return unconnected
