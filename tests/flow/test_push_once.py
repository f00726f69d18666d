"""Every document stands in Xero exactly once, whatever is lost, cut, refused or killed on the way."""

import pytest

from tests.flow.conftest import World
from tests.flow.pushing import PRICED, Books, File


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def test_each_kind_arrives_once(books: Books) -> None:
    for kind in PRICED:
        books.add(kind, files=[File(), File("plan.png", b"\x89PNG plan", "image/png")])
        books.add(kind)
    books.add("credit_notes", side="supplier")
    twin = {"number": "R-7001", "contact": 1}
    books.add("bills", **twin)
    books.add("bills", **twin)
    for kind in PRICED:
        books.push(kind)
    books.assert_once()
