"""Writes what was read into staging, a page at a time, and keeps count of what could not be read."""

from collections.abc import Mapping
from typing import Any

import msgspec

from xero.api.page import Position
from xero.datasets.declaration import Dataset, Table
from xero.qicworks.database import Session
from xero.qicworks.pull import staging
from xero.qicworks.pull.staging import Seen, StagedRow, Staging
from xero.sync.pull.records import Progress
from xero.sync.pull.rows import Rows


class StagingWriter:
    """One staging of one data set. `positions` says how far each source came, and is committed with each page."""

    def __init__(self, session: Session, dataset: Dataset, staging: Staging, progress: Progress) -> None:
        self.session = session
        self.staging = staging
        self.progress = progress
        self.rows: Mapping[Table, Rows] = {table: Rows(table) for table in dataset.tables}
        self.positions: dict[str, Position] = msgspec.convert(staging.position or {}, dict[str, Position])
        self.unread = 0  # records that were left unread, though Xero has them
        self.without_key = 0  # of these, listed without an id
        self._remarks: list[str] = []

    def stage(self, rows: Mapping[Table, list[StagedRow]], seen: tuple[Seen, ...] = (), *, complete: bool) -> None:
        """Commits rows and sightings together with the positions behind them."""
        positions: dict[str, Any] = msgspec.to_builtins(self.positions)
        staging.add(self.session, self.staging, rows, positions, complete=complete, seen=seen)

    def leave_unread(self, why: str) -> None:
        """Counts a record that is not loaded now, so that the next run still finds it to be read."""
        self.unread += 1
        self.remark(why)

    def remark(self, what: str) -> None:
        """Keeps a warning for the event of this run."""
        self._remarks.append(what)

    @property
    def warnings(self) -> list[str]:
        """Warnings about the reading. Those of a killed run are in that run's log."""
        paging = [warning for position in self.positions.values() for warning in position.warnings]
        return paging + [warning for rows in self.rows.values() for warning in rows.warnings] + self._remarks
