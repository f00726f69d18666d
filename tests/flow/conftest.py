"""Worlds and databases in a particular state."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.support.kept_session import sessions_of_runs_kept
from tests.support.postgres import a_copy
from tests.support.pushing import Books
from tests.support.world import World

KEPT = ("tests/flow/follow/", "tests/flow/push/")  # what is about documents; the others are about sessions, too


@pytest.fixture(autouse=True)
def sessions_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    with sessions_of_runs_kept() if request.node.nodeid.startswith(KEPT) else nullcontext():
        yield


@pytest.fixture
def fresh(lasting_template: str, unconnected: World) -> World:
    """Connected: `database_url` gives it such a database. Neither limits nor a new token come between its calls."""
    unconnected.sandbox.settings(limits=False, access_token_seconds=1e9)
    return unconnected


@pytest.fixture
def books(furnished_template: str, furnished: Books, unconnected: World) -> Books:
    """The books of one organisation of which Xero limits no calls: `database_url` gives it such a database."""
    unconnected.sandbox.settings(limits=False)
    return furnished.copied(unconnected)


@pytest.fixture
def blank_url(postgres_url: str) -> Iterator[str]:
    """A database in which there is nothing yet."""
    with a_copy(postgres_url, "template0") as url:
        yield url
