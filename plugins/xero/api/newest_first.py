"""Reads an endpoint that sorts by `UpdatedDateUTC` but cannot filter by it: newest first, back to what is known.

A record that changes while pages are read moves to the front, and the others one place down: a page may repeat records
of the page before, and none is skipped. The changed record is newer than the first response, so the next reading meets
it. A server that does not sort is read to its last page.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from xero.api.answers import MAX_PAGES, too_many_pages
from xero.api.errors import BadAnswer
from xero.api.page import Page, Position, Problem, Row
from xero.api.paging import IDLE_PAGES, Identify, Version, whole_second

STEP = "newest_first"  # of a position


class NewestFirst:
    """Reads from the first page on, until a page has a record from before `position.since`, or is the last one.

    Args:
        fetch: Asks for the page of that number.
        identify: What identifies a row.
        version: When it was changed; None if it cannot be read.
        position: How far the reading came.
        path: The endpoint, for messages.
        full_size: Rows of a full page.
    """

    def __init__(
        self,
        fetch: Callable[[int], Page],
        identify: Identify,
        version: Version,
        position: Position,
        path: str,
        full_size: int,
    ) -> None:
        self.fetch = fetch
        self.identify = identify
        self.version = version
        self.position = position
        self.path = path
        self.full_size = full_size
        self._seen: set[str] = set()
        self._idle = 0
        self._newest: datetime | None = None  # of the page before

    def pages(self) -> Iterator[Sequence[Row]]:
        """Yields the rows page by page, with duplicates. After each page `position` is where to resume.

        Raises:
            OutOfBounds: After MAX_PAGES pages.
            BadAnswer: Page after page brings nothing new.
        """
        position = self.position
        if position.step != STEP:
            position.step, position.page = STEP, 1
        while position.step == STEP:
            position.fetched += 1
            if position.fetched > MAX_PAGES:
                raise too_many_pages(self.path)
            page = self.fetch(position.page)
            if position.started is None:
                position.started = page.server_time
            self._count_idle(page)
            is_last = page.is_last(position.page, self.full_size)
            reached = self._reaches_known(page, is_last)
            position.page += 1
            if is_last or reached:
                position.step = "done"
            yield page.rows

    def _reaches_known(self, page: Page, is_last: bool) -> bool:
        """Whether all later pages were read earlier. Keeps the newest version, and the problems of the server."""
        position = self.position
        dated = list(map(self.version, page.rows))
        versions = [one for one in dated if one is not None]
        previous, self._newest = self._newest, max(versions, default=self._newest)
        newest = max(versions, default=None)
        if newest is not None:
            position.newest = newest if position.newest is None else max(newest, position.newest)
        if page.rows and not versions:
            position.note(Problem.UNDATED)
        ascends = any(whole_second(later) > whole_second(earlier) for earlier, later in pairwise(versions))
        if ascends or (newest and previous and whole_second(newest) > whole_second(previous)):
            if not is_last or position.page > 1:  # one page is all there is, in whatever order
                position.note(Problem.UNSORTED)
            return False
        # The newest of what is known is on the first page of a server that sorts; and a row without a version may be
        # anywhere.
        return (
            not position.problems
            and position.since is not None
            and position.newest is not None
            and position.newest >= position.since
            and len(versions) == len(dated) > 0
            and min(versions) < position.since
        )

    def _count_idle(self, page: Page) -> None:
        """Raises BadAnswer if the server ignores the page number, and returns the same rows again and again."""
        rows = {f"{self.identify(row)} {self.version(row)}" for row in page.rows}
        self._idle = 0 if rows - self._seen else self._idle + 1
        self._seen |= rows
        if self._idle > IDLE_PAGES:
            message = f"{self.path}: {self._idle} pages in a row brought nothing new"
            raise BadAnswer(message, "Nothing was loaded. Pull again; if it lasts, report it to Xero.")
