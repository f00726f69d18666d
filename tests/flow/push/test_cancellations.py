"""What is cancelled in QicWorks after its push is deleted in Xero, exactly once; or an open difference says why not."""

import pytest

from tests.support.cancelling import WAYS, by_status, deletions, differences, events, statuses
from tests.support.pushing import PRICED, Books, Line
from tests.support.world import World


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)


@pytest.mark.parametrize("way", WAYS)
def test_each_kind_in_each_way(books: Books, way: str) -> None:
    """Once, with an event; another document of its kind stays."""
    for kind in PRICED:
        document, other = books.add(kind, Line("10")), books.add(kind, Line("20"))
        books.push(kind)
        xero_id = books.row(kind, document)["xero_id"]
        books.writes()
        WAYS[way](books, kind, document)
        assert books.left(kind), kind
        outcome = books.push(kind)
        assert len(deletions(books)) == 1, kind
        assert "1 cancelled in Xero" in outcome.message, kind
        there = {record[PRICED[kind][2]]: record["Status"] for record in books.in_xero(kind)}
        assert there[str(xero_id)] == "DELETED", kind
        assert there[str(books.row(kind, other)["xero_id"])] == "DRAFT", kind
        [(status, message), *_] = [one for one in events(books.world, document) if "deleted in Xero" in one[1]]
        assert (status, "in QicWorks" in message) == ("success", True)
        books.push(kind)
        assert (books.left(kind), deletions(books), books.requests()) == (0, [], [])
        if way != "deleted":
            row = books.row(kind, document)
            assert row["xero_status"] == "DELETED"
            assert row["push_state"] == {"back to draft": "draft", "edited and cancelled": "failed"}.get(way, "pushed")
    assert differences(books.world) == []
