"""Reads a data set into staging: as few calls as possible, each page committed, no record lost while others change."""

import logging
from datetime import datetime, timedelta

from xero.api.client import XeroClient
from xero.api.page import Position, high_water
from xero.datasets.declaration import Dataset, Reading, Source, Table
from xero.qicworks import database
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.pull import merge, rejections, staging
from xero.qicworks.pull.staging import StagedRow, Staging
from xero.sync.pull.details import DetailReader
from xero.sync.pull.listing import Listing
from xero.sync.pull.records import Progress
from xero.sync.pull.rows import format_instant
from xero.sync.pull.staging_writer import StagingWriter

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)  # Xero shows a change a little after its time stamp
# A reading that starts at a time of QicWorks' own clock starts so much earlier: no two clocks differ by more.
CLOCK_MARGIN = timedelta(days=1)
MAX_CLOCK_DIFFERENCE = timedelta(minutes=1)  # between two of Xero's servers


class Extract:
    """Reads one data set of one organisation into staging: its sources, one after the other."""

    def __init__(
        self,
        session: Session,
        client: XeroClient,
        dataset: Dataset,
        connection: Connection,
        *,
        full: bool,
        progress: Progress,
        resume: bool = True,
    ) -> None:
        self.session = session
        self.client = client
        self.dataset = dataset
        self.connection = connection
        database.avoid_nested_loops(session)
        self._main_source = self._first_that_starts()
        main = self._main = staging.cursor(session, connection.id, dataset, self._main_source)
        newest = main.high_water if main else None
        is_full = full or self._main_source.reading is Reading.FULL or newest is None or self._is_stale(main)
        is_full = is_full or merge.full_is_due(session, dataset, connection_id=connection.id)
        since = None if is_full or newest is None else newest - OVERLAP
        how = {"full": is_full, "refetch_details": full, "resume": resume}
        self.staging = staging.begin(session, connection.id, dataset, since=since, **how)
        self.writer = StagingWriter(session, dataset, self.staging, progress)
        self.positions = self.writer.positions

    def _first_that_starts(self) -> Source:
        """The source that decides when all are read in full: the first one of which something is of interest."""
        about = {"connection_id": self.connection.id}
        for source in self.dataset.sources:
            if source.starts_at is None or merge.starts_at(self.session, self.dataset, source, **about):
                return source
        return self.dataset.sources[0]

    def run(self) -> Staging:
        """Reads what is not yet staged, and returns the complete staging."""
        started = format_instant(self.staging.started_at)
        if self.staging.taken_over and self.staging.position is not None:
            extent = "all" if self.staging.complete else "part"
            log.info("resuming an interrupted run, which had read %s of it from %s on", extent, started)
        if self.staging.complete:
            self.writer.remark(
                f"loaded what an interrupted run had read from {started} on: "
                "later changes in Xero come with the next pull"
            )
            return self.staging
        if self.staging.position is None:
            self._stage_open_rejections()
        for source in self.dataset.sources:
            self._read(source)
        self.writer.stage({}, (), complete=not self.writer.unread)
        return self.staging

    def drop(self) -> None:
        """Drops the staging with all that was read."""
        with self.session.transaction():
            staging.drop(self.session, self.dataset, self.staging.id)

    def high_water(self, source: Source) -> datetime | None:
        """The time from which the next reading may start; None, so it stays, if some records could not be read."""
        position = self.positions.get(source.name)
        return high_water(position) if position and not self.writer.unread else None

    def is_partial(self, source: Source) -> bool:
        """Whether only some of its records could be read."""
        position = self.positions.get(source.name)
        return bool(position and position.partial)

    def since(self, source: Source) -> datetime | None:
        """The time from which this source was read; None: from the beginning."""
        position = self.positions.get(source.name)
        return position.since if position else None

    def _is_stale(self, cursor: staging.Cursor | None) -> bool:
        """Whether a full refresh is due: Xero's change filter misses some changes."""
        every = self.dataset.full_every
        if cursor is None or cursor.full_age is None or every is None:
            return cursor is None or every is not None
        return not timedelta(0) <= cursor.full_age < every  # negative if the clock was put back

    def _read(self, source: Source) -> None:
        if source.reading is Reading.BY_ID:
            DetailReader(self.writer, self.client, self.dataset, self.connection, source).run()
            return
        position = self.positions.get(source.name)
        if position is None:
            since = self._start(source)
            if since is None and source.starts_at:
                log.info("%s: nothing to read yet", source.path)
                return
            log.info("%s: reading what changed since %s", source.path, format_instant(since))
            position = self.positions[source.name] = Position(since=since, ask=since)
        if position.step != "done":
            Listing(self.writer, self.client, source, position).run()
        if position.started and position.since and position.started < position.since + OVERLAP - MAX_CLOCK_DIFFERENCE:
            started, newest = format_instant(position.started), format_instant(position.since + OVERLAP)
            self.writer.remark(
                f"{source.path}: by Xero's clock it is {started}, which is before the newest change that was read "
                f"earlier ({newest}): pull again with a full refresh once Xero's clock is right"
            )

    def _start(self, source: Source) -> datetime | None:
        """The time from which this source is to be read; None: from the beginning."""
        cursor = (
            self._main
            if source is self._main_source
            else staging.cursor(self.session, self.connection.id, self.dataset, source)
        )
        if self.staging.full or cursor is None or cursor.high_water is None:
            if source.starts_at is None:
                return None
            first = merge.starts_at(self.session, self.dataset, source, connection_id=self.connection.id)
            return first - CLOCK_MARGIN if first else None
        return cursor.high_water - OVERLAP

    def _stage_open_rejections(self) -> None:
        """Retries earlier rejections, except of tables that are read in full: those come as they are now."""
        by_id = {table for source in self.dataset.sources if source.reading is Reading.BY_ID for table in source.tables}
        retried = set() if self.staging.refetch_details else by_id if self.staging.full else set(self.writer.rows)
        rows: dict[Table, list[StagedRow]] = {}
        for table, of in self.writer.rows.items():
            if table not in retried:
                continue
            found = rejections.open_rejections(self.session, self.connection.id, self.dataset, table)
            rows[table] = [of.retry(rejection) for rejection in found]
        if count := sum(map(len, rows.values())):
            log.info("retrying %d records that were rejected earlier", count)
            self.writer.stage(rows, complete=False)
