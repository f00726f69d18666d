"""Reads all pages of an endpoint: safely while its rows change (`Reader`), or one after the other (`pages`).

Page numbers count from the oldest change. A row that changes while pages are read moves to the end, every row behind
it slides one place down, and a reader that goes from page to page steps over one. So pages are read **by key**: each
request asks for the first page of what changed since the last second seen. Where more rows share a second than fit on
a page, that stretch is **walked** from its last page down to its first: rows slide towards the reader then, never
away. What changed during a walk is read afterwards, from the server's own time at the walk's start.

Lists that are not read by what changed, or whose order never changes, are read with `pages`.
"""

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from xero.api import wire
from xero.api.answers import MAX_PAGES, too_many_pages
from xero.api.errors import BadAnswer
from xero.api.page import Page, Position, Problem, Row

SECOND = timedelta(seconds=1)
MAX_WALKS = 60
PAUSE = 0.25  # seconds, before the same second of the server is walked again
IDLE_PAGES = 5  # in a row of a walk that may bring nothing new
SMALLEST_PAGE = 100  # rows; a server that does not announce its page size fills at least so many


def pages(
    fetch: Callable[[int], Page], identify: Callable[[Row], Hashable], path: str, *, full_size: int | None
) -> Iterator[Page]:
    """Yields the pages of a list, until one is the last or brings no new row.

    Args:
        fetch: Asks for the page of that number.
        identify: What identifies a row.
        path: The endpoint, for the message.
        full_size: Rows of a full page; None if the server may return fewer than it was asked for.

    Raises:
        OutOfBounds: After MAX_PAGES pages.
    """
    seen: set[Hashable] = set()
    for number in range(1, MAX_PAGES + 1):
        page = fetch(number)
        new = set(map(identify, page.rows)) - seen
        yield page
        if not new or page.is_last(number, full_size):
            return
        seen |= new
    raise too_many_pages(path)


# Asks for one page: (changed since, page number) -> Page.
Fetch = Callable[[datetime | None, int], Page]
# What identifies a row, and its version; None if it cannot be read.
Identify = Callable[[Row], str]
Version = Callable[[Row], datetime | None]


def whole_second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


class Reader:
    """Reads an endpoint that pages, sorts by `UpdatedDateUTC` and filters by `If-Modified-Since`.

    If the server turns out not to sort or not to filter, all its pages are walked, with a warning.
    """

    def __init__(
        self,
        fetch: Fetch,
        identify: Identify,
        version: Version,
        position: Position,
        path: str = "of records",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.fetch = fetch
        self.path = path
        self.identify = identify
        self.version = version
        self.position = position
        self.pause = pause
        self._last: tuple[Page, list[datetime | None]] | None = None
        self._walked: deque[set[str]] = deque(maxlen=IDLE_PAGES)  # the rows of the last pages
        self._idle = 0

    def _fetch(self, since: datetime | None, number: int) -> Page:
        self.position.fetched += 1
        if self.position.fetched > MAX_PAGES:
            raise too_many_pages(self.path)
        return self.fetch(since, number)

    def pages(self) -> Iterator[Sequence[Row]]:
        """Yields the rows page by page, with duplicates. After each page `position` is where to resume."""
        steps = {"by_key": self._by_key, "count_up": self._count_up, "walk": self._walk, "last_pages": self._last_pages}
        while self.position.step != "done":
            yield steps[self.position.step]()

    def read_again(self, why: str) -> None:
        """Reads all pages of the first request again, from the last one down; `why` becomes a warning."""
        self.position.warn(why)
        self.position.ask = self.position.since
        self._start_walk(self._fetch(self.position.since, 1))

    def _by_key(self) -> Sequence[Row]:
        position = self.position
        page = self._fetch(position.ask, 1)
        if position.started is None:
            position.started, position.first_count = page.server_time, page.item_count
        if position.seen and not position.exclusive and not self._meets_seen(page):
            # Nothing of the second asked for came: the server may leave that second out. Ask from a second before.
            assert position.ask is not None
            earlier = self._fetch(wire.shifted(position.ask, -SECOND), 1)
            if self._meets_seen(earlier):
                position.exclusive = True
            position.ask, page = wire.shifted(position.ask, -SECOND), earlier
        versions = self._versions(page)
        if self._is_last(page):
            fresh = self._unseen(page)
            position.step = "done"
            return fresh
        if problems := list(self._misbehaves(versions)):
            for problem in problems:
                position.note(problem)
            self._start_walk(page)
            return page.rows
        first, last = whole_second(min(versions)), whole_second(max(versions))
        asked = position.ask
        if first == last or (asked is not None and last <= (asked + SECOND if position.exclusive else asked)):
            self._start_walk(page)
            return page.rows
        fresh = self._unseen(page)
        position.seen = [
            self._mark(row)
            for row, version in zip(page.rows, self._dated(page), strict=True)
            if version is not None and version >= last
        ]
        position.ask = last - SECOND if position.exclusive else last
        return fresh

    def _start_walk(self, page: Page) -> None:
        """Starts a walk down all pages of the request whose first page is `page`."""
        position = self.position
        self._count_walk()
        if (
            position.walk_started
            and page.server_time
            and whole_second(page.server_time) == whole_second(position.walk_started)
        ):
            self.pause(PAUSE)  # the server's second is not over: reading it again before would show nothing
        # If the server does not send its time, the newest version of its records.
        position.walk_started = page.server_time or position.newest or wire.FIRST
        self._walked.clear()
        self._idle = 0
        if page.page_count is not None and page.page_count > MAX_PAGES:
            raise too_many_pages(self.path)
        if page.page_count is not None:
            position.step, position.page = "walk", max(1, page.page_count)
            position.last_page = position.page
        else:
            position.step, position.page = "count_up", 2
            position.seen = [self._mark(row) for row in page.rows]

    def _count_walk(self) -> None:
        self.position.walks += 1
        if self.position.walks > MAX_WALKS:
            raise BadAnswer(
                f"the records keep changing faster than they can be read ({MAX_WALKS} attempts)",
                "Pull again at a quieter time.",
            )

    def _count_up(self) -> Sequence[Row]:
        """Without a page count: reads forward to the first empty page, from which to walk down."""
        position = self.position
        page = self._fetch(position.ask, position.page)
        if page.rows and self._advances(page):
            position.seen = [self._mark(row) for row in page.rows]
            position.page += 1
        else:
            position.step, position.page, position.seen = "walk", position.page - 1, []
            position.last_page = position.page
        return page.rows

    def _advances(self, page: Page) -> bool:
        """False if the server ignores the page number and always returns the same rows."""
        seen = set(self.position.seen)
        return any(self._mark(row) not in seen for row in page.rows)

    def _walk(self) -> Sequence[Row]:
        position = self.position
        page = self._fetch(position.ask, position.page)
        self._versions(page)
        self._count_idle(page)
        position.page -= 1
        if position.page == 0:
            self._after_walk()
        return page.rows

    def _count_idle(self, page: Page) -> None:
        rows = set(map(self._mark, page.rows))
        self._idle = 0 if rows.difference(*self._walked) else self._idle + 1
        self._walked.append(rows)
        if self._idle > IDLE_PAGES:
            message = (
                f"{self.path}: of {self.position.last_page} pages that were announced {self._idle} brought nothing new"
            )
            raise BadAnswer(message, "Nothing was loaded. Pull again; if it lasts, report it to Xero.")

    def _after_walk(self) -> None:
        position = self.position
        assert position.walk_started is not None
        changed_since = wire.shifted(whole_second(position.walk_started), -SECOND)
        unfiltered, unsorted = (problem in position.problems for problem in (Problem.UNFILTERED, Problem.UNSORTED))
        if unfiltered and (position.last_page == 1 or unsorted):
            position.step = "done"  # one page is one moment; and unsorted records stay where they are
        elif unfiltered:
            position.step, position.page = "last_pages", position.last_page + 1
        else:
            position.step, position.ask, position.seen = "by_key", changed_since, []

    def _last_pages(self) -> Sequence[Row]:
        """If the filter is ignored: reads from the end back to rows older than the walk, until no newer one comes."""
        position = self.position
        assert position.walk_started is not None
        page = self._fetch(position.ask, position.page)
        if position.page > position.last_page:
            position.pass_started, position.met_newer = page.server_time, False
        versions = self._versions(page)
        newer = not versions or max(versions) >= wire.shifted(position.walk_started, -SECOND)
        position.met_newer = position.met_newer or (newer and bool(versions))
        position.page -= 1
        if newer and position.page:
            return page.rows
        if position.met_newer:
            self._count_walk()
            position.walk_started = position.pass_started or position.walk_started
            position.page = position.last_page + 1
        else:
            position.step = "done"
        return page.rows

    def _is_last(self, page: Page) -> bool:
        """Whether this first page has all rows. Without a count, it must be short or bring nothing new."""
        if page.item_count is not None and page.item_count <= len(page.rows):
            return True
        if len(page.rows) < (page.page_size or SMALLEST_PAGE):
            return True
        return page.item_count is None and not self._unseen(page)

    def _misbehaves(self, versions: list[datetime]) -> Iterator[Problem]:
        asked = self.position.ask
        if not versions:
            yield Problem.UNDATED
        if versions and asked is not None and min(versions) < wire.shifted(whole_second(asked), -SECOND):
            yield Problem.UNFILTERED
        if any(later < earlier and later < whole_second(earlier) for earlier, later in pairwise(versions)):
            yield Problem.UNSORTED

    def _versions(self, page: Page) -> list[datetime]:
        """The readable versions on a page, in order; keeps the newest."""
        versions = [version for version in self._dated(page) if version is not None]
        if versions:
            newest = max(versions)
            self.position.newest = newest if self.position.newest is None else max(newest, self.position.newest)
        return versions

    def _mark(self, row: Row) -> str:
        return f"{self.identify(row)} {self.version(row)}"

    def _meets_seen(self, page: Page) -> bool:
        seen = set(self.position.seen)
        return any(self._mark(row) in seen for row in page.rows)

    def _unseen(self, page: Page) -> Sequence[Row]:
        seen = set(self.position.seen)
        if not seen:
            return page.rows
        assert self.position.ask is not None
        later = wire.shifted(self.position.ask, 2 * SECOND)  # those seen are of the second asked for, or of the next
        return [
            row
            for row, version in zip(page.rows, self._dated(page), strict=True)
            if (version is not None and version >= later) or self._mark(row) not in seen
        ]

    def _dated(self, page: Page) -> Sequence[datetime | None]:
        """The version of each row, read once per page."""
        if self._last is None or self._last[0] is not page:
            self._last = (page, list(map(self.version, page.rows)))
        return self._last[1]
