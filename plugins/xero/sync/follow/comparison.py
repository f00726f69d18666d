"""Compares one source of a data set in Xero with QicWorks, and describes the differences. Changes nothing."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from psycopg.sql import Identifier

from xero.api import wire
from xero.api.answers import announced
from xero.api.client import Answer, XeroClient
from xero.api.errors import XeroError
from xero.api.page import Page
from xero.api.paging import pages
from xero.datasets.declaration import Dataset, Reading, Source, Table, itself
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.pull import merge, staging
from xero.sync.pull.extract import CLOCK_MARGIN
from xero.sync.pull.records import identify, is_of_one_path, records_in
from xero.sync.pull.rows import Rows, format_instant, version

log = logging.getLogger(__name__)

QUERIES = sql.Statements("reconcile")
NEWEST_FIRST = "UpdatedDateUTC DESC"
COMPARED_BY_VERSION = 100  # the newest records of a source that pages
STALE_AFTER = timedelta(hours=36)  # a nightly pull should have loaded in that time
MAX_PAGES_COMPARED = 5  # of changes since the first push; of more, only the newest change is looked at


class Comparison:
    """Compares one source of one data set of one organisation."""

    def __init__(
        self, session: Session, client: XeroClient, connection: Connection, dataset: Dataset, source: Source
    ) -> None:
        self.session = session
        self.client = client
        self.connection = connection
        self.dataset = dataset
        self.source = source
        self.cursor = staging.cursor(session, connection.id, dataset, source)
        self.is_complete = self.cursor is not None  # all that belongs to it was compared, once it has run
        # The time up to which Xero's changes should be in QicWorks: of the newest one, or of the pull if it had none.
        self.settled_at = (self.cursor.high_water or self.cursor.completed_at) if self.cursor else None

    @property
    def not_pulled(self) -> bool:
        """Whether it was never loaded, although there is something to load, and its pull does not wait for the
        organisation's midnight."""
        if self.cursor is not None or self.dataset.timing.of_a_day:
            return False
        return self.source.starts_at is None or self._first() is not None

    def _first(self) -> datetime | None:
        """The time from which records of this source are of interest."""
        return merge.starts_at(self.session, self.dataset, self.source, connection_id=self.connection.id)

    def run(self) -> Iterator[str]:
        """Yields the differences as sentences; none before the first pull, because there is nothing to compare."""
        if self.cursor is None:
            if self.not_pulled and self.source.payroll:
                self._get({})  # raises NotAvailable if the organisation has no payroll
        elif self.source.starts_at:
            yield from self._since_the_start()
        elif self.source.reading is Reading.PAGED and self.source.fixed_page_size is None:
            yield from self._by_count()
        else:
            yield from self._by_ids()

    def _by_count(self) -> Iterator[str]:
        page = self._page({"page": 1, "pageSize": COMPARED_BY_VERSION, "order": NEWEST_FIRST})
        records = page.rows
        yield from self._is_late(records)
        table, count = self.source.tables[0], page.item_count
        if count is None or table.rows is not itself:
            return  # not every record of this list is a row
        changed = 0
        if self.settled_at and not all(map(self._is_settled, records)):
            later = wire.shifted(self.settled_at, timedelta(seconds=1))
            changed = announced(self._get({"page": 1, "pageSize": 1}, later).data, "itemCount") or 0
        yield from self._older(table, {self._identify(one).lower(): one for one in records})
        held = len(self._held(table).keys() | self._rejected(table))
        newest = version(records[0]) if records else None
        ahead = {
            key for key, row in self._held(table).items() if newest and (row["xero_updated_at"] or newest) > newest
        }
        if ahead:
            yield (
                f"{len(ahead)} rows of {table.name} are newer here than anything in Xero ({_some(ahead)}): "
                "a full refresh reads them as they are"
            )
        if not count - changed <= held <= count:
            more = f", {changed} of them changed since the last pull" if changed else ""
            yield f"Xero has {count} records{more}, QicWorks {held}"

    def _older(self, table: Table, records: Mapping[str, object]) -> Iterator[str]:
        """Rows that are older than the last pull should have left them: someone changed its cursor."""
        held, rejected = self._held(table), self._rejected(table)
        older = set()
        for key, record in records.items():
            at, own = version(record), held.get(key, {}).get("xero_updated_at")
            if at and own and own < at and self._is_settled(record) and key not in rejected:
                older.add(key)
        if older:
            yield f"{len(older)} rows of {table.name} are older here than in Xero ({_some(older)})"

    def _by_ids(self) -> Iterator[str]:
        tables = self.source.tables or self._read_by_id()
        if not tables:
            return
        records = self._read_all()
        yield from self._is_late(records)
        for table in tables:
            held = self._held(table)
            yield from self._differences(table, records, held, expected=set(held) if self.source.tables else set())

    def _since_the_start(self) -> Iterator[str]:
        """Compares a source that is read from the first push on, and of which not all records may be kept."""
        first = self._first()
        if first is None:
            return
        [table] = self.source.tables
        assert self.cursor is not None
        about = {"connection_id": self.connection.id, "pulled_at": self.cursor.completed_at}
        missing = merge.missing(self.session, table, **about)
        if missing is not None:
            yield from self._is_late(self._page({"page": 1, "pageSize": 1, "order": NEWEST_FIRST}).rows)
            if missing:
                yield f"{len(missing)} documents that QicWorks pushed are not in {table.name} ({_some(missing)})"
            return
        records, is_all = self._read_changes(first - CLOCK_MARGIN)
        self.is_complete = is_all
        yield from self._is_late(records)
        if is_all:
            held = self._held(table)
            # Xero may list inactive records or not; rows without a version came from another list.
            expected = {
                key for key, row in held.items() if row["is_active"] and (row["xero_updated_at"] or first) > first
            }
            yield from self._differences(table, records, held, expected)

    def _differences(
        self, table: Table, records: list[Any], held: Mapping[str, Mapping[str, Any]], expected: set[str]
    ) -> Iterator[str]:
        """Compares the rows in Xero's records with those held, of which `expected` must be in Xero."""
        rows = Rows(table)
        listed: set[str] = set()
        settled: dict[str, bool] = {}
        for record in records:
            found = dict(self._rows(rows, record))
            listed |= found.keys()
            if self._is_settled(record):
                settled |= found
        for key in self._rejected(table):
            settled.pop(key, None)
        missing = settled.keys() - held.keys()
        gone = expected - listed
        one_sided = {key for key, active in settled.items() if key in held and held[key]["is_active"] != active}
        if missing:
            yield f"{len(missing)} records of Xero are not in {table.name} ({_some(missing)})"
        if gone:
            yield f"{len(gone)} rows of {table.name} are not in Xero ({_some(gone)})"
        if one_sided:
            keys = _some(one_sided)
            yield f"{len(one_sided)} rows of {table.name} are active in only one of QicWorks and Xero ({keys})"

    def _rows(self, rows: Rows, record: object) -> Iterator[tuple[str, bool]]:
        """Yields the keys in one record, and whether each is in use; unreadable ones are reported by the pull."""
        if not self.source.tables:
            if isinstance(record, Mapping):
                yield self._identify(record).lower(), bool(self.source.active(record))
            return
        place = [column.name for column in rows.table.columns].index(rows.table.key)
        for _, active, _, _, *values in rows.of(record):
            if values[place] is not None:
                yield str(values[place]).lower(), active

    def _read_by_id(self) -> tuple[Table, ...]:
        """The table of the records that this source only lists, and another source reads by id."""
        tables = (one.tables[0] for one in self.dataset.sources if one.reading is Reading.BY_ID)
        return tuple(table for table in tables if not table.append_only and not table.parent_key)

    def _read_all(self) -> list[Any]:
        """Reads all records, of all pages if the endpoint has pages of a fixed size."""
        size = self.source.fixed_page_size
        if size is None:
            return list(self._page({}).rows)
        found: dict[str, Any] = {}
        for page in pages(
            lambda number: self._page({"page": number}), self._identify, self.source.path, full_size=size
        ):
            found |= {self._identify(record): record for record in page.rows}
        return list(found.values())

    def _read_changes(self, since: datetime) -> tuple[list[Any], bool]:
        """Reads what changed since then, newest first; returns it, and whether it is all."""
        size = self.source.page_size

        def fetch(number: int) -> Page:
            return self._page({"page": number, "pageSize": size, "order": NEWEST_FIRST}, since)

        found: list[Any] = []
        is_all = False
        newest_first = pages(fetch, self._identify, self.source.path, full_size=size)
        for number, page in enumerate(islice(newest_first, MAX_PAGES_COMPARED), 1):
            found += page.rows
            is_all = page.is_last(number, size)
            if page.page_count is not None and page.page_count > MAX_PAGES_COMPARED:
                break
        return found, is_all

    def _page(self, params: dict[str, str | int], since: datetime | None = None) -> Page:
        """A page of the source; where its list fails, of the list that has some of its records."""
        try:
            answer = self._get(params, since)
            return Page.of(answer, records_in(answer, self.source))
        except XeroError as error:
            if self.source.fallback is None or not is_of_one_path(error):
                raise
            log.info("%s fails, reading %s instead: %s", self.source.path, self.source.fallback, error.message)
            self.source = replace(self.source, path=self.source.fallback, fallback=None)
            return self._page(params, since)

    def _identify(self, record: object) -> str:
        return identify(self.source, record)

    def _is_settled(self, record: object) -> bool:
        """Whether the last pull should have read this version of the record."""
        changed = version(record)
        return changed is None or self.settled_at is None or changed <= self.settled_at

    def _is_late(self, records: Iterable[object]) -> Iterator[str]:
        assert self.cursor is not None
        newest = max(filter(None, map(version, (one for one in records if not self._is_settled(one)))), default=None)
        if newest and self.cursor.age > STALE_AFTER:
            pulled = format_instant(self.cursor.completed_at)
            yield f"Xero's newest change is of {format_instant(newest)}, the last pull of {pulled}"

    def _held(self, table: Table) -> dict[str, dict[str, Any]]:
        names = {"held": Identifier("qicworks", table.name), "key": Identifier(table.key)}
        statement = sql.template("reconcile", "held").format(**names)
        return {row["key"]: row for row in self.session.execute(statement, {"connection_id": self.connection.id})}

    def _rejected(self, table: Table) -> set[str]:
        found = QUERIES.rejected(self.session, connection_id=self.connection.id, table_name=table.name)
        return {row["key"].lower() for row in found}

    def _get(self, params: dict[str, str | int], since: datetime | None = None) -> Answer:
        return self.client.get(self.source.path, params={**self.source.params, **params}, modified_since=since)


def _some(keys: set[str]) -> str:
    shown = sorted(keys)[:3]
    return ", ".join(shown) + (", …" if len(keys) > len(shown) else "")
