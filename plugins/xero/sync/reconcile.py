"""Reconcile: whether QicWorks holds as many records as Xero, and the newest of them, for a handful of calls.

What lists everything in one answer is compared by its ids. What pages is compared by the count that Xero announces and
by its newest change. What has changed since the last pull is no difference: the next one takes it in.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine

from xero.api.client import Answer, XeroClient
from xero.api.errors import NotAvailable, XeroError
from xero.datasets.declaration import Dataset, Reading, Source, Table, Timing, itself
from xero.datasets.registry import DATASETS
from xero.qicworks import connections, database, events, sql, staging
from xero.qicworks.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.events import Counts, Origin
from xero.sync.listing import identify, page_count, records_in
from xero.sync.pull import OpenClient, Outcome
from xero.sync.rows import in_words, version
from xero.sync.telling import log_event

log = logging.getLogger(__name__)
QUERIES = sql.Statements("reconcile")

NAME = "reconcile"  # in events, where a pull has its data set
STALE = timedelta(hours=36)  # a nightly pull that has not loaded for so long
PULL_ALL = "Pull it with full_refresh. If the difference stays, xero_sync.rejection or the log of that run says why."


def reconcile(connection_id: UUID | str, *, engine: Engine, open_client: OpenClient, origin: Origin) -> Outcome:
    """Compares every data set of one organisation. One event for each that differs, and one for the whole.

    Raises a XeroError when Xero cannot be asked; the event says so.
    """
    with database.session(engine) as session:
        connection = connections.one(session, UUID(str(connection_id)))
        event_id = events.open_event(session, connection.id, "pull", NAME, origin)
        client = open_client(connection, origin.manual)
        counts = Counts()
        try:
            message, differences = _compare(session, client, connection, origin)
        except XeroError as error:
            counts.calls, counts.bytes_received = client.calls, client.bytes_received
            events.close_event(session, event_id, "error", counts, error.message, error.correction)
            log_event(NAME, connection, "error", counts, error.message, error.correction)
            raise
        counts.calls, counts.bytes_received = client.calls, client.bytes_received
        status = "warning" if differences else "success"
        events.close_event(session, event_id, status, counts, message)
        log_event(NAME, connection, status, counts, message)
    return Outcome(status, counts, message)


def _compare(session: Session, client: XeroClient, connection: Connection, origin: Origin) -> tuple[str, int]:
    """What came of it in words, and how many data sets differ."""
    differing: list[str] = []
    not_available: list[str] = []
    for dataset in DATASETS.values():
        try:
            found = {
                says: None
                for source in dataset.sources
                if source.reading is not Reading.BY_ID
                for says in _Comparison(session, client, connection, dataset, source).run()
            }
        except NotAvailable as error:
            if not dataset.payroll:
                raise
            log.info("%s: not available: %s", dataset.title, error.message)
            not_available.append(dataset.title)
            continue
        if found:
            differing.append(dataset.title)
            message = f"reconcile: {'; '.join(found)}"
            event_id = events.open_event(session, connection.id, "pull", dataset.name, origin)
            events.close_event(session, event_id, "warning", Counts(), message, PULL_ALL)
            log_event(dataset.name, connection, "warning", Counts(), message, PULL_ALL)
        else:
            log.info("%s: in step", dataset.title)
    said = f"not in step: {', '.join(differing)}" if differing else "in step"
    return said + (f"; not available: {', '.join(not_available)}" if not_available else ""), len(differing)


class _Comparison:
    """One source of one data set."""

    def __init__(
        self, session: Session, client: XeroClient, connection: Connection, dataset: Dataset, source: Source
    ) -> None:
        self.session = session
        self.client = client
        self.connection = connection
        self.dataset = dataset
        self.source = source
        self.cursor = staging.cursor(session, connection.id, dataset, source)

    def run(self) -> Iterator[str]:
        """What differs, in words."""
        if self.cursor is None:
            if self.dataset.timing is Timing.ANY:  # the others wait for their midnight
                if self.source.payroll:
                    self._get({})  # which says so, if the organisation has no payroll
                yield "it was never pulled"
            return
        if self.source.reading is Reading.PAGED and not self.source.payroll:
            yield from self._by_count()
        else:
            yield from self._by_ids()

    def _by_count(self) -> Iterator[str]:
        assert self.cursor is not None
        answer = self._get({"page": 1, "pageSize": 1, "order": "UpdatedDateUTC DESC"})
        newest = max(filter(None, map(version, records_in(answer, self.source))), default=None)
        since = self.cursor.high_water
        changed = 0
        if newest and (since is None or newest > since):
            yield from self._is_late(newest)
            later = since + timedelta(seconds=1) if since else None
            changed = page_count(self._get({"page": 1, "pageSize": 1}, later), "itemCount") or 0
        count = page_count(answer, "itemCount")
        table = self.source.tables[0]
        if count is None or table.rows is not itself or self.source.starts_at:
            return  # not every record of such a list is a row
        held = len(self._held(table) | self._rejected(table))
        if not count - changed <= held <= count:
            more = f", {changed} of them changed since the last pull" if changed else ""
            yield f"Xero has {count} records{more}, QicWorks {held}"

    def _by_ids(self) -> Iterator[str]:
        assert self.cursor is not None
        tables = [self.source.tables[0]] if self.source.tables else self._read_by_id()
        if not tables:
            return
        records = self._everything()
        since = self.cursor.high_water
        settled = [one for one in records if since is None or (said := version(one)) is None or said <= since]
        newest = max(filter(None, map(version, records)), default=None)
        if newest and since and newest > since:
            yield from self._is_late(newest)
        for table in tables:
            held = self._held(table)
            missing = {identify(self.source, one).lower() for one in settled} - held - self._rejected(table)
            gone = held - {identify(self.source, one).lower() for one in records}
            if missing:
                yield f"{len(missing)} records of Xero are not in {table.name} ({_some(missing)})"
            if gone and self.source.tables:
                yield f"{len(gone)} rows of {table.name} are not in Xero ({_some(gone)})"

    def _read_by_id(self) -> list[Table]:
        """The table of records that this source lists, for another one to read by id; no history of them."""
        tables = (one.tables[0] for one in self.dataset.sources if one.reading is Reading.BY_ID)
        return [table for table in tables if not table.history and not table.part_of]

    def _everything(self) -> list[Any]:
        """All records; Payroll gives a hundred at a time."""
        found: dict[str, Any] = {}
        for page in range(1, 1000):
            records = records_in(self._get({"page": page} if self.source.payroll else {}), self.source)
            fresh = {identify(self.source, record): record for record in records}
            more = self.source.payroll and len(records) >= 100 and not fresh.keys() <= found.keys()
            found |= fresh
            if not more:
                break
        return list(found.values())

    def _is_late(self, newest: datetime) -> Iterator[str]:
        assert self.cursor is not None
        if self.cursor.completed_at < datetime.now(UTC) - STALE:
            pulled = in_words(self.cursor.completed_at)
            yield f"Xero's newest change is of {in_words(newest)}, the last pull of {pulled}"

    def _held(self, table: Table) -> set[str]:
        statement = SQL("SELECT {}::text AS key FROM {} WHERE connection_id = %s AND missing_since IS NULL").format(
            Identifier(table.key), Identifier("qicworks", table.name)
        )
        return {row["key"].lower() for row in self.session.execute(statement, (self.connection.id,))}

    def _rejected(self, table: Table) -> set[str]:
        found = QUERIES.rejected(self.session, connection_id=self.connection.id, table_name=table.name)
        return {row["key"].lower() for row in found}

    def _get(self, params: dict[str, str | int], since: datetime | None = None) -> Answer:
        return self.client.get(self.source.path, params={**self.source.params, **params}, modified_since=since)


def _some(keys: set[str]) -> str:
    shown = sorted(keys)[:3]
    return ", ".join(shown) + (", …" if len(keys) > len(shown) else "")
