"""Organisations with one currency or several, and documents in them."""

from typing import Any
from uuid import UUID

from tests.support.followed import record
from tests.support.pushing import PRICED, Books
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


def set_base_currency(books: Books, code: str | None) -> None:
    """The own currency of the organisation, as Xero says it; None: Xero has never said one."""
    world = books.world
    if code is None:
        world.query("UPDATE qicworks.organisation SET base_currency = NULL WHERE id = %s", books.organisation_id)
        return
    world.sandbox.control("PATCH", f"organisations/{world.sandbox.tenant(books.organisation)}", {"BaseCurrency": code})
    world.query("UPDATE xero_sync.connection SET organisation_read_at = NULL WHERE id = %s", books.connection_id)
    world.pull("currencies", books.organisation)


def change(books: Books, kind: str, document: UUID, **fields: Any) -> None:
    """Fields of its record in Xero, raw values too."""
    path = f"organisations/{books.world.sandbox.tenant(books.organisation)}/{PRICED[kind][1]}"
    books.world.sandbox.control("PATCH", f"{path}/{books.row(kind, document)['xero_id']}", fields)


def shown(books: Books, kind: str, document: UUID) -> tuple[Any, Any]:
    """Currency and rate, as Xero has them."""
    there = record(books, kind, document)
    return there["CurrencyCode"], there["CurrencyRate"]
