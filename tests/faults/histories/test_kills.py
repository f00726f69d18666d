"""kill -9 at each moment of a push, one after the other, and at moments nobody chose."""

import random

import pytest

from tests.faults.histories.killing import forked, kill_after, kill_at, moments
from tests.faults.histories.troubles import fill
from tests.flow.pushing import PRICED, Books, Line

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

RANDOM = 40  # of each kind


@pytest.mark.parametrize("kind", PRICED)
def test_at_each_moment(books: Books, kind: str) -> None:
    """Of a run that makes two documents and changes a third; the next comes at once, or when the key is forgotten."""
    changing = books.add(kind, Line("10"), contact=2)
    books.drain(kind)
    for beyond in (False, True):
        fill(books, kind)
        last = moments(books, kind)
        assert last > 40
        for moment in range(1, last + 1):
            fill(books, kind)
            books.edit(kind, changing, job_name=f"Job {moment}")
            killed = kill_at(books, moment, kind)
            assert killed or moment > last - 10
            if beyond:
                books.pass_time(400)
            books.drain(kind)
        books.assert_once(*(["bills", "expenses"] if kind in ("bills", "expenses") else [kind]))


@pytest.mark.parametrize("kind", PRICED)
def test_at_random_moments(books: Books, kind: str) -> None:
    dice = random.Random(f"kills of {kind}")
    books.world.sandbox.settings(latency_ms=[5, 60])
    kills = 0
    for _ in range(RANDOM):
        fill(books, kind)
        kills += kill_after(books, dice.uniform(0.02, 0.6), kind)
        if dice.random() < 0.4:
            books.pass_time(dice.choice([100, 290, 310, 400]))
        if dice.random() < 0.3:
            continue  # the next one meets what two or three have left
        books.drain(kind)
    books.drain(kind)
    assert kills >= RANDOM / 3
    books.assert_once()


def test_two_runs_at_once_again_and_again(books: Books) -> None:
    for kind in PRICED:
        for _ in range(3):
            fill(books, kind)
            processes = [forked(books, kind) for _ in range(3)]
            for process in processes:
                process.join()
            assert {process.exitcode for process in processes} <= {0, 3}
            books.drain(kind)
    books.assert_once()
