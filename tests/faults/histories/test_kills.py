"""kill -9 at each moment of a push, one after the other. Moments that nobody chose are those of `make faults`."""

from functools import partial

import pytest

from tests.support.cancelling import (
    approve,
    back_to_draft,
    by_status,
    delete,
    differences,
    seen_long_ago,
    statuses,
)
from tests.support.killing import kill_at, moments
from tests.support.pushing import PRICED, Books, Line
from tests.support.troubles import BEYOND, fill

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("kind", PRICED)
def test_at_each_moment(books: Books, kind: str) -> None:
    """Of a run that makes two documents and changes a third; the next comes at once, or when the key is forgotten."""
    changing = books.add(kind, Line("10"), contact=2)
    books.drain(kind)
    fill(books, kind)
    pushing = partial(books.push, kind)
    last = len(moments(books.world, pushing))
    assert last > 40
    for moment in range(1, last + 1):
        fill(books, kind)
        books.edit(kind, changing, job_name=f"Job {moment}")
        killed = kill_at(books.world, moment, pushing)
        assert killed or moment > last - 10
        if moment % 2:
            books.pass_time(BEYOND)
        books.drain(kind)
    books.assert_once(*(["bills", "expenses"] if kind in ("bills", "expenses") else [kind]))


@pytest.mark.parametrize("kind", PRICED)
def test_a_cancellation_at_each_moment(books: Books, kind: str) -> None:
    """Of a run that deletes one document and leaves another, which is approved in Xero."""
    left = books.add(kind, Line("20"))
    books.drain(kind)
    approve(books, kind, left)
    by_status(books, kind, left)
    books.drain(kind)
    pushing = partial(books.push, kind)
    ways = [by_status, back_to_draft, delete]

    def cancel(number: int) -> None:
        document = books.add(kind, Line("10"))
        books.drain(kind)
        ways[number % len(ways)](books, kind, document)
        seen_long_ago(books.world)

    cancel(0)
    last = len(moments(books.world, pushing))
    assert last > 25
    for moment in range(1, last + 1):
        cancel(moment)
        killed = kill_at(books.world, moment, pushing)
        assert killed or moment > last - 10
        if moment % 2:
            books.pass_time(BEYOND)
        books.drain(kind)
        assert set(statuses(books, kind)) == {"AUTHORISED", "DELETED"}, f"killed at moment {moment}"
    assert statuses(books, kind).count("AUTHORISED") == 1
    assert [row["document_id"] for row in differences(books.world)] == [left]
