"""Extract: the fewest calls, every page committed to staging, nothing lost while records change."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from xero.api.client import Answer, XeroClient
from xero.api.errors import BadAnswer
from xero.api.paging import Page, Position, Reader, high_water
from xero.datasets.declaration import Dataset, Reading, Table
from xero.qicworks import rejections, staging
from xero.qicworks.database import Session
from xero.qicworks.staging import StagedRow, Staging
from xero.sync.rows import Rows, in_words, version

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)  # Xero shows a change a little after its time stamp
ORDER = "UpdatedDateUTC ASC"

Progress = Callable[[int], None]  # told how many records came with each page


class Extract:
    """Reads one data set of one organisation into staging."""

    def __init__(
        self,
        session: Session,
        client: XeroClient,
        dataset: Dataset,
        connection_id: UUID,
        *,
        full: bool,
        progress: Progress,
    ) -> None:
        self.session = session
        self.client = client
        self.dataset = dataset
        self.connection_id = connection_id
        self.progress = progress
        main = dataset.tables[0]
        self.key = next(column.source for column in main.columns if column.name == main.key)
        self.rows: Mapping[Table, Rows] = {table: Rows(table) for table in dataset.tables}
        cursor = staging.cursor(session, connection_id, dataset)
        whole = full or dataset.reading is Reading.WHOLE or cursor is None
        since = None if whole or cursor is None else cursor - OVERLAP
        self.staging = staging.begin(session, connection_id, dataset, whole=whole, since=since)
        self.position = (
            msgspec.convert(self.staging.position, Position)
            if self.staging.position
            else Position(since=self.staging.since, ask=self.staging.since)
        )

    def run(self) -> Staging:
        """Reads what is not yet staged. Returns the complete staging."""
        if self.staging.taken_over and self.staging.position:
            came = "whole" if self.staging.complete else "in part"
            log.info("going on with what an interrupted run read (%s) at %s", came, in_words(self.staging.started_at))
        else:
            log.info("reading what changed since %s", in_words(self.staging.since))
        if self.staging.complete:
            return self.staging
        if self.staging.position is None:
            self._stage_open_rejections()
        if self.dataset.reading is Reading.PAGED:
            self._read_pages()
        else:
            self._read_once()
        return self.staging

    @property
    def warnings(self) -> Sequence[str]:
        return self.position.warnings

    @property
    def high_water(self) -> datetime | None:
        return high_water(self.position)

    def _read_pages(self) -> None:
        reader = Reader(self._fetch, self._identify, version, self.position)
        table = self.dataset.tables[0]
        while True:
            for number, page in enumerate(reader.pages(), 1):
                done = self.position.step == "done"
                self._stage(page, complete=False)
                log.info("page %d: %d records%s", number, len(page), "" if done else ", more to come")
            staged = staging.distinct(self.session, self.staging, table)
            expected = self.position.first_count or 0
            if staged >= expected:
                break
            short = f"Xero announced {expected} records, {staged} came"
            if short in self.position.warnings or self.position.walks:
                self.position.warnings.append(f"{short}, even when read again")
                break
            log.warning("%s: reading all pages again", short)
            reader.read_again(short)
        self._stage([], complete=True)

    def _read_once(self) -> None:
        answer = self._get({}, self.staging.since)
        records, paging = self._records(answer)
        announced = _count(paging, "itemCount")
        if announced is not None and announced > len(records):
            raise BadAnswer(
                f"{self.dataset.path} announced {announced} records in one answer, {len(records)} came.",
                "Report it: this endpoint was not known to page. Nothing was loaded.",
            )
        versions = [found for record in records if (found := version(record))]
        self.position.newest = max(versions, default=None)
        self.position.started = answer.server_time or datetime.now(UTC)
        self.position.step = "done"
        self._stage(records, complete=True)
        log.info("one answer: %d records", len(records))

    def _fetch(self, since: datetime | None, number: int) -> Page:
        params: dict[str, str | int] = {"page": number, "pageSize": self.dataset.page_size, "order": ORDER}
        answer = self._get(params, since)
        records, paging = self._records(answer)
        return Page(
            rows=records,
            page_size=_count(paging, "pageSize"),
            item_count=_count(paging, "itemCount"),
            page_count=_count(paging, "pageCount"),
            server_time=answer.server_time or datetime.now(UTC),
        )

    def _get(self, params: Mapping[str, str | int], since: datetime | None) -> Answer:
        return self.client.get(self.dataset.path, params={**self.dataset.params, **params}, modified_since=since)

    def _records(self, answer: Answer) -> tuple[list[Any], Mapping[str, Any]]:
        """The records and the paging. An answer without the plural is no empty answer."""
        records = answer.data.get(self.dataset.envelope) if isinstance(answer.data, dict) else None
        if records is None and isinstance(answer.data, dict) and self.dataset.envelope in answer.data:
            records = []  # null is how some say that there are none
        if not isinstance(records, list):
            raise BadAnswer(
                f"The answer of {self.dataset.path} holds no list '{self.dataset.envelope}'.",
                "If it lasts, check the host of the Airflow connection: it may not be Xero.",
            )
        paging = answer.data.get("pagination")
        return records, paging if isinstance(paging, dict) else {}

    def _identify(self, record: object) -> str:
        return str(record.get(self.key)) if isinstance(record, Mapping) else repr(record)

    def _stage(self, records: Sequence[Any], *, complete: bool) -> None:
        rows = {table: [row for record in records for row in of.of(record)] for table, of in self.rows.items()}
        staging.add(self.session, self.staging, rows, msgspec.to_builtins(self.position), complete=complete)
        self.progress(len(records))

    def _stage_open_rejections(self) -> None:
        """A whole reading brings today's truth; else what was rejected before is tried again."""
        if self.staging.whole:
            return
        rows: dict[Table, list[StagedRow]] = {}
        for table, of in self.rows.items():
            found = rejections.open_ones(self.session, self.connection_id, self.dataset, table)
            rows[table] = [of.again(rejection) for rejection in found]
        if tried := sum(map(len, rows.values())):
            log.info("%d rejected earlier are tried again", tried)
            staging.add(self.session, self.staging, rows, msgspec.to_builtins(self.position), complete=False)


def _count(paging: Mapping[str, Any], name: str) -> int | None:
    value = paging.get(name)
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None
