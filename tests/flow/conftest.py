"""Worlds and databases in a particular state."""

from collections.abc import Iterator

import pytest

from tests.support.postgres import a_copy
from tests.support.world import World


@pytest.fixture
def fresh(unconnected: World) -> World:
    unconnected.sandbox.settings(limits=False, access_token_seconds=1e9)
    assert unconnected.connect() == 0
    unconnected.calls()
    return unconnected


@pytest.fixture
def blank_url(postgres_url: str) -> Iterator[str]:
    """A database in which there is nothing yet."""
    with a_copy(postgres_url, "template0") as url:
        yield url
