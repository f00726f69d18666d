"""Organisations with one currency or several, and documents in them."""

from typing import Any
from uuid import UUID

from tests.support.followed import record
from tests.support.pushing import Books
from tests.support.world import World

SEVERAL = 1  # the organisation of the world that has other currencies than its own
OF_THE_DAY = {"EUR": 0.561234, "NZD": 1.134567}


def books_of(world: World, organisation: int = 0, *, pulled: bool = True) -> Books:
    world.sandbox.settings(limits=False)
    if pulled:
        world.pull("currencies", organisation)
    return Books(world, organisation)


def add_currency(books: Books, code: str) -> None:
    """As a user of Xero would under Settings."""
    path = f"organisations/{books.world.sandbox.tenant(books.organisation)}/Currencies"
    books.world.sandbox.control("POST", path, {"Code": code, "Description": "Added"})


def shown(books: Books, kind: str, document: UUID) -> tuple[Any, Any]:
    """Currency and rate, as Xero has them."""
    there = record(books, kind, document)
    return there["CurrencyCode"], there["CurrencyRate"]
