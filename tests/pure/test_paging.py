"""No record is lost while pages are read, whatever changes meanwhile and however the server takes its freedoms."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xero.api.answers import MAX_PAGES
from xero.api.errors import BadAnswer, OutOfBounds
from xero.api.page import Page, Position, high_water
from xero.api.paging import Reader, pages

START = datetime(2026, 1, 1, tzinfo=UTC)


def at_once(seconds: float) -> None:
    """A pause that nobody waits for."""


@dataclass
class Server:
    """Pages over rows (id -> stamp); after each answer some rows change, as long as there are changes left."""

    rows: dict[str, datetime]
    page_size: int
    random: Random
    changes_per_page: int = 0
    changes_left: int = 0
    exclusive: bool = False
    sorts: bool = True
    filters: bool = True
    counts: bool = True
    now: datetime = START + timedelta(days=400)
    calls: int = 0
    at_start: set[str] = field(default_factory=set)

    def fetch(self, since: datetime | None, page: int) -> Page:
        self.calls += 1
        assert self.calls < 2_000, "it does not end"
        self.now += timedelta(milliseconds=700)
        found = list(self.rows.items())
        if since is not None and self.filters:
            bound = since.replace(microsecond=0)
            found = [
                row for row in found if (row[1] >= bound + timedelta(seconds=1) if self.exclusive else row[1] >= bound)
            ]
        if self.sorts:
            found.sort(key=lambda row: (row[1], row[0]))
        chosen = found[(page - 1) * self.page_size : page * self.page_size]
        answer = Page(
            rows=chosen,
            page_size=self.page_size if self.counts else None,
            item_count=len(found) if self.counts else None,
            page_count=max(1, -(-len(found) // self.page_size)) if self.counts else None,
            server_time=self.now,
        )
        self._change()
        return answer

    def _change(self) -> None:
        for _ in range(min(self.changes_per_page, self.changes_left) if self.rows else 0):
            self.changes_left -= 1
            self.now += timedelta(milliseconds=2)
            self.rows[self.random.choice(sorted(self.rows))] = self.now


def read(server: Server, since: datetime | None = None, *, interrupt_at: int | None = None) -> tuple[dict, Position]:
    """Reads all; with `interrupt_at` a second reader goes on from the stored position after that many pages."""
    newest: dict[str, datetime] = {}
    position = Position(since=since, ask=since)

    def reader(position: Position) -> Reader:
        return Reader(server.fetch, lambda row: row[0], lambda row: row[1], position, pause=at_once)

    pages = 0
    current = reader(position)
    while True:
        for page in current.pages():
            pages += 1
            for key, stamp in page:
                newest[key] = max(stamp, newest.get(key, stamp))
            if pages == interrupt_at:
                break
        else:
            break
        stored = msgspec.json.encode(current.position)
        current = reader(msgspec.json.decode(stored, type=Position))
    return newest, current.position


def spread(count: int, seconds: int, random: Random) -> dict[str, datetime]:
    """Rows over that many seconds, to the millisecond."""
    return {
        f"{number:05}": START + timedelta(seconds=random.randrange(seconds), milliseconds=random.randrange(1000))
        for number in range(count)
    }


@settings(max_examples=200)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(0, 900),
    seconds=st.sampled_from([1, 2, 5, 60, 5_000, 500_000]),
    whole_seconds=st.booleans(),
    changes_per_page=st.integers(0, 30),
    exclusive=st.booleans(),
    sorts=st.booleans(),
    filters=st.booleans(),
    counts=st.booleans(),
    interrupt_at=st.none() | st.integers(1, 12),
)
def test_nothing_is_lost(
    seed: int,
    count: int,
    seconds: int,
    whole_seconds: bool,
    changes_per_page: int,
    exclusive: bool,
    sorts: bool,
    filters: bool,
    counts: bool,
    interrupt_at: int | None,
) -> None:
    random = Random(seed)
    rows = spread(count, seconds, random)
    if whole_seconds:
        rows = {key: stamp.replace(microsecond=0) for key, stamp in rows.items()}
    server = Server(
        rows, 100, random, changes_per_page, 100, exclusive=exclusive, sorts=sorts, filters=filters, counts=counts
    )
    newest, position = read(server, interrupt_at=interrupt_at)
    assert set(newest) == set(rows)
    assert position.step == "done"
    # What changed while it was read is either read in its last version, or newer than where the next reading starts.
    water = high_water(position)
    for key, stamp in server.rows.items():
        assert newest[key] == stamp or (water is not None and stamp > water - timedelta(minutes=2))


@pytest.mark.parametrize(("name", "most"), [("spread", 11), ("4,500 in one second", 13), ("all in one second", 13)])
def test_calls_for_ten_thousand_rows_of_which_a_hundred_change(name: str, most: int) -> None:
    random = Random(7)
    rows = spread(10_000, 400 * 86_400, random)
    if name != "spread":
        for key in sorted(rows)[: 4_500 if name.startswith("4") else 10_000]:
            rows[key] = START + timedelta(days=100)
    server = Server(rows, 1_000, random, changes_per_page=10, changes_left=100)
    newest, position = read(server)
    assert set(newest) == set(rows)
    assert server.changes_left == 0
    assert server.calls <= most
    assert position.warnings == []


def test_going_from_page_to_page_would_lose_some() -> None:
    """The server of these tests does lose rows to a reader that counts pages: else they would prove nothing."""
    random = Random(7)
    server = Server(spread(10_000, 400 * 86_400, random), 1_000, random, changes_per_page=10, changes_left=100)
    seen = {key for page in range(1, 11) for key, _ in server.fetch(None, page).rows}
    assert len(seen) < 10_000


def test_a_server_without_an_end_is_given_up() -> None:
    """Every record changes all the time, in one and the same second."""
    random = Random(1)
    server = Server(spread(300, 1, random), 100, random, sorts=True)

    def fetch(since: datetime | None, page: int) -> Page:
        server.rows = dict.fromkeys(server.rows, server.now + timedelta(seconds=1))
        return server.fetch(since, page)

    reader = Reader(fetch, lambda row: row[0], lambda row: row[1], Position(since=None, ask=None), pause=at_once)
    with pytest.raises(BadAnswer, match="keep changing"):
        list(reader.pages())


@pytest.mark.parametrize(("sorts", "filters", "warning"), [(False, True, "sort"), (True, False, "filter")])
def test_a_server_that_does_not_do_as_asked_is_read_all_the_same_and_named(
    sorts: bool, filters: bool, warning: str
) -> None:
    random = Random(3)
    server = Server(spread(950, 10_000, random), 100, random, 3, 30, sorts=sorts, filters=filters)
    newest, position = read(server)
    assert len(newest) == 950
    assert [word for word in position.warnings if warning in word]


def test_nothing_new_is_one_call() -> None:
    random = Random(3)
    server = Server(spread(950, 10_000, random), 100, random)
    newest, _ = read(server, since=START + timedelta(days=300))
    assert (newest, server.calls) == ({}, 1)


@pytest.mark.parametrize("kinds", [0, 1, 3], ids=["empty", "the same", "three in turn"])
def test_pages_that_bring_nothing_new_are_given_up(kinds: int) -> None:
    """Announced are five thousand, each with a number of its own."""
    calls = []

    def fetch(since: datetime | None, page: int) -> Page:
        calls.append(page)
        which = len(calls) % kinds if kinds else 0
        rows = [(f"{which}-{number}", START) for number in range(100)] if kinds or len(calls) == 1 else []
        return Page(rows, 100, 500_000, 5_000, START + timedelta(days=1))

    position = Position(since=None, ask=None)
    reader = Reader(fetch, lambda row: row[0], lambda row: row[1], position, pause=at_once)
    with pytest.raises(BadAnswer, match="brought nothing"):
        for _ in reader.pages():
            pass
    assert len(calls) < 12


def numbered(*sizes: int, count: int | None = None) -> list[Page]:
    """Pages with so many rows, each of them new."""
    return [
        Page([f"{number}-{row}" for row in range(size)], None, None, count, START) for number, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "count", "full_size", "asked"),
    [
        ((100, 100, 3), None, 100, 3),
        ((3, 100), None, 100, 1),
        ((100, 0), None, 100, 2),
        ((0, 5), None, 100, 1),
        ((7, 7, 0, 7), None, None, 3),  # a server may cap a page: only one that brings nothing new is the last
        ((7, 7, 7), 2, None, 2),
        ((7, 7, 7), 2, 100, 2),  # what is announced counts for more than the size
        ((7, 0, 7), 3, 100, 2),
    ],
)
def test_pages_end_with_the_last_one(sizes: tuple[int, ...], count: int | None, full_size: int, asked: int) -> None:
    found = numbered(*sizes, count=count)
    read = list(pages(lambda number: found[number - 1], str, "/Things", full_size=full_size))
    assert read == found[:asked]


def test_pages_that_repeat_what_came_are_the_last() -> None:
    [page] = numbered(100)
    assert list(pages(lambda number: page, str, "/Things", full_size=100)) == [page, page]


def test_pages_without_an_end_are_given_up() -> None:
    calls = []

    def fetch(number: int) -> Page:
        calls.append(number)
        return Page([number], None, None, None, START)

    with pytest.raises(OutOfBounds, match="The list /Things"):
        list(pages(fetch, str, "/Things", full_size=1))
    assert calls == [*range(1, MAX_PAGES + 1)]
