"""Numbers that are hard to ask for are looked up all the same, and processes die with a refusal in their hands."""

from functools import partial

import pytest

from tests.support.killing import kill_at, moments
from tests.support.pushing import PRICED, Books, Line
from tests.support.troubles import BEYOND, DOCUMENTS, TROUBLES, fill, lead_through

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

EVERY = 6  # moments: each kind has others
PRICED_NUMBERS = {kind: number for number, kind in enumerate(PRICED)}
NUMBERS = [" R-0", "R-1 ", "R,1", 'R"1', "R\\1", "R&1+1#?%20", "Ré–✓", "r 1  2", "R'1", "x" * 255]


@pytest.mark.parametrize("kind", PRICED)
def test_odd_numbers(books: Books, kind: str) -> None:
    """The answer is lost, and Xero has forgotten the key: they have to be found by these."""
    for number in NUMBERS:
        books.add(kind, Line("55"), number=number)
    lead_through(books, kind, TROUBLES["the answer is lost, and the run ends"], beyond=True)
    assert len(books.in_xero(kind)) == len(NUMBERS)
    assert {row["push_state"] for row in books.rows(kind)} == {"pushed"}


@pytest.mark.parametrize("kind", PRICED)
@pytest.mark.parametrize("trouble", ["500_saved", "503_saved", "500", "lost_answer"])
def test_killed_with_bad_news_in_hand(books: Books, kind: str, trouble: str) -> None:
    fill(books, kind)
    pushing = partial(books.push, kind)
    pushing()
    fill(books, kind)
    last = len(moments(books.world, pushing))
    for moment in range(last // 5 + PRICED_NUMBERS[kind], last, EVERY):
        fill(books, kind)
        books.world.fault(kind=trouble, path=DOCUMENTS, method="PUT")
        kill_at(books.world, moment, pushing)
        books.world.sandbox.control("DELETE", "faults")
        books.drain(kind)
    books.pass_time(BEYOND)
    books.assert_once(*(["bills", "expenses"] if kind in ("bills", "expenses") else [kind]))
