"""One sandbox and one database for all the tests of a module, where each makes documents of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.postgres import a_copy
from tests.support.pushing import Books
from tests.support.sandbox import Sandbox
from tests.support.world import World
from xero.qicworks import database


@contextmanager
def world_for_all(sandbox_url: str, postgres_url: str, template: str) -> Iterator[World]:
    """Connected; the limits of its sandbox are off."""
    sandbox = Sandbox(sandbox_url)
    sandbox.reset()
    sandbox.settings(limits=False)
    with a_copy(postgres_url, template) as url:
        engine = database.engine(url)
        world = World(sandbox, engine, url)
        assert world.connect() == 0
        yield world
        engine.dispose()
    sandbox.close()


@contextmanager
def books_for_all(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    """Of the sandbox's first organisation."""
    with world_for_all(sandbox_url, postgres_url, template) as world:
        yield Books(world)


@contextmanager
def switched(books: Books, **switches: Any) -> Iterator[None]:
    """The sandbox's switches, for a while."""
    before = books.world.sandbox.control("GET", "settings")
    books.world.sandbox.settings(**switches)
    try:
        yield
    finally:
        books.world.sandbox.settings(**{name: before[name] for name in switches})
