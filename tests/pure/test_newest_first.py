"""A list that sorts but cannot filter is read newest first, back to what is known: no change of a record is lost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xero.api.answers import MAX_PAGES
from xero.api.errors import BadAnswer, OutOfBounds
from xero.api.newest_first import NewestFirst
from xero.api.page import Page, Position, Problem, high_water
from xero.api.paging import IDLE_PAGES

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SIZE = 100


@dataclass
class Server:
    """Pages over rows (id → stamp), without counts; after each response some rows change."""

    rows: dict[str, datetime]
    random: Random
    changes_per_page: int = 0
    sorts: bool = True
    now: datetime = START + timedelta(days=400)
    calls: int = 0

    def fetch(self, number: int) -> Page:
        self.calls += 1
        self.now += SECOND
        found = sorted(self.rows.items())
        if self.sorts:
            found.sort(key=lambda row: row[1], reverse=True)
        page = Page(found[(number - 1) * SIZE : number * SIZE], None, None, None, self.now)
        for key in self.random.sample(sorted(self.rows), min(self.changes_per_page, len(self.rows))):
            self.rows[key] = self.now
        return page


def read(server: Server, since: datetime | None, interrupt_at: int = 0) -> tuple[dict[str, datetime], Position]:
    """Reads all; a second reader resumes from the stored position after that many pages."""
    found: dict[str, datetime] = {}
    position = Position(since=since, ask=since)
    while position.step != "done":
        reader = NewestFirst(server.fetch, lambda row: row[0], lambda row: row[1], position, "leave", SIZE)
        for number, page in enumerate(reader.pages(), 1):
            found |= {key: max(stamp, found.get(key, stamp)) for key, stamp in page}
            if number == interrupt_at:
                break
        interrupt_at = 0
        position = msgspec.json.decode(msgspec.json.encode(position), type=Position)
    return found, position


@settings(max_examples=200)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(0, 900),
    seconds=st.sampled_from([1, 60, 500_000]),
    known=st.none() | st.floats(0, 1),
    changes_per_page=st.integers(0, 120),
    sorts=st.booleans(),
    interrupt_at=st.integers(0, 5),
)
def test_nothing_is_lost(
    seed: int, count: int, seconds: int, known: float | None, changes_per_page: int, sorts: bool, interrupt_at: int
) -> None:
    random = Random(seed)
    rows = {f"{number:03}": START + SECOND * random.randrange(seconds) for number in range(count)}
    since = START + SECOND * seconds * known if known is not None else None
    server = Server(dict(rows), random, changes_per_page, sorts)
    found, position = read(server, since, interrupt_at)
    water = high_water(position)
    for key, stamp in server.rows.items():
        if since is None or stamp >= since:
            is_left_for_next = water is not None and stamp >= water - 2 * SECOND and stamp != rows[key]
            assert found.get(key) == stamp or is_left_for_next


def test_where_little_changed_one_page_is_read() -> None:
    server = Server({f"{n:04}": START + SECOND * n for n in range(2_000)}, Random(1))
    found, _ = read(server, START + SECOND * 1_990)
    assert (server.calls, min(found.values()), len(found)) == (1, START + SECOND * 1_900, SIZE)
    server.calls = 0
    read(server, START + SECOND * 1_900)  # it is the last one on the page: older ones may share its second
    assert server.calls == 2
    server.calls = 0
    assert len(read(server, None)[0]) == 2_000
    assert server.calls == 21


@pytest.mark.parametrize("same", [False, True], ids=["unsorted", "the first page in one old second"])
def test_where_the_server_does_not_sort_all_pages_are_read(same: bool) -> None:
    rows = {f"{n:03}": START + SECOND * (0 if same and n < SIZE else n) for n in range(350)}
    server = Server(rows, Random(1), sorts=False)
    found, position = read(server, START + SECOND * 300)
    assert (found, server.calls) == (rows, 4)
    assert position.problems == [Problem.UNSORTED]


def test_one_page_is_all_there_is_in_whatever_order() -> None:
    rows = {f"{n:03}": START + SECOND * n for n in range(50)}
    found, position = read(Server(rows, Random(1), sorts=False), START)
    assert (found, position.warnings) == (rows, [])


def test_rows_without_a_version_are_read_to_the_last_page_and_named() -> None:
    pages = [[(f"{number} {n}", None) for n in range(SIZE)] for number in range(3)] + [[]]

    def fetch(number: int) -> Page:
        return Page(pages[number - 1], None, None, None, START)

    position = Position(since=START, ask=START)
    reader = NewestFirst(fetch, lambda row: row[0], lambda row: row[1], position, "leave", SIZE)
    assert sum(map(len, reader.pages())) == 300
    assert position.problems == [Problem.UNDATED]


def test_a_server_that_ignores_the_page_is_given_up() -> None:
    page = Page([(str(n), START) for n in range(SIZE)], None, None, None, START)
    position = Position(since=None, ask=None)
    reader = NewestFirst(lambda number: page, lambda row: row[0], lambda row: row[1], position, "leave", SIZE)
    with pytest.raises(BadAnswer, match="brought nothing new"):
        list(reader.pages())
    assert position.fetched == IDLE_PAGES + 2


def test_a_list_without_an_end_is_given_up() -> None:
    def fetch(number: int) -> Page:
        return Page([(f"{number} {n}", START - SECOND * number) for n in range(SIZE)], None, None, None, START)

    position = Position(since=None, ask=None, fetched=MAX_PAGES - 2)
    reader = NewestFirst(fetch, lambda row: row[0], lambda row: row[1], position, "leave", SIZE)
    with pytest.raises(OutOfBounds):
        list(reader.pages())
    assert position.fetched == MAX_PAGES + 1
