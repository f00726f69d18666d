"""A page of an endpoint, and how far a reading came: plain data, so that another process can resume it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

import msgspec

from xero.api.answers import Answer, announced

Row = Any


class Page(msgspec.Struct, frozen=True):
    """One response. Counts are of the full query; they and the page size are None where the server does not say."""

    rows: Sequence[Row]
    page_size: int | None
    item_count: int | None
    page_count: int | None
    server_time: datetime

    @classmethod
    def of(cls, answer: Answer, rows: Sequence[Row]) -> Self:
        """The page that came as this response, with the rows that were found in it."""
        return cls(
            rows=rows,
            page_size=announced(answer.data, "pageSize"),
            item_count=announced(answer.data, "itemCount"),
            page_count=announced(answer.data, "pageCount"),
            server_time=answer.server_time or datetime.now(UTC),
        )

    def is_last(self, number: int, full_size: int | None) -> bool:
        """Whether page `number` is the last one announced; without a count, whether it has fewer rows than a full one.

        Without either it is not known: False.
        """
        if self.page_count is not None:
            return number >= self.page_count
        return full_size is not None and len(self.rows) < full_size


class Problem(StrEnum):
    """Why a list cannot be read by key."""

    UNDATED = "undated"
    UNFILTERED = "unfiltered"
    UNSORTED = "unsorted"


# A worker of an earlier version decides by these words when it resumes a reading, so they must not change.
WARNINGS = {
    Problem.UNDATED: "no record of a page says when it was changed; read page by page instead",
    Problem.UNFILTERED: "the server does not filter by If-Modified-Since; everything was read",
    Problem.UNSORTED: "the server does not sort by UpdatedDateUTC; read page by page instead",
}


class Position(msgspec.Struct):
    """How far a reading came. All instants are aware and in UTC."""

    since: datetime | None  # what the first request asked for
    ask: datetime | None  # what the next request asks for
    step: str = "by_key"  # by_key, count_up, walk, last_pages, done
    page: int = 1
    last_page: int = 1  # where the walk started
    seen: list[str] = []  # the rows already read of the second that is asked for
    exclusive: bool = False  # the server leaves out the very second that is asked for
    first_count: int | None = None
    newest: datetime | None = None
    started: datetime | None = None  # server time of the first answer
    walk_started: datetime | None = None
    pass_started: datetime | None = None
    met_newer: bool = False
    partial: bool = False  # read from a list of only some of the records, because the list of all failed
    walks: int = 0
    fetched: int = 0
    ignored_ids: list[str] = msgspec.field(default_factory=list, name="rowless")  # of records that make no row
    problems: list[Problem] = []
    warnings: list[str] = []

    def __post_init__(self) -> None:
        if not self.problems:  # as stored by a worker of an earlier version
            self.problems = [problem for problem, warning in WARNINGS.items() if warning in self.warnings]

    def note(self, problem: Problem) -> None:
        """Keeps a problem of the server's, and the warning about it, once."""
        if problem not in self.problems:
            self.problems.append(problem)
            self.warn(WARNINGS[problem])

    def warn(self, warning: str) -> None:
        """Keeps a warning for the event of the pull, once."""
        if warning not in self.warnings:
            self.warnings.append(warning)


def high_water(position: Position) -> datetime | None:
    """The time from which the next reading may start: the newest version read, but not ahead of the server's clock.

    None, so it stays, after a reading of only some of the records."""
    if position.partial:
        return None
    if position.newest is None or position.started is None:
        return position.newest
    return min(position.newest, position.started)
