"""Reads an endpoint that lists records: page by page what changed, newest first, or all of them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from xero.api.answers import announced
from xero.api.client import Answer, XeroClient
from xero.api.errors import BadAnswer, XeroError
from xero.api.newest_first import NewestFirst
from xero.api.page import Page, Position
from xero.api.paging import Reader, pages
from xero.datasets.declaration import Reading, Source, Table
from xero.qicworks.pull import staging
from xero.qicworks.pull.staged_table import StagedTable
from xero.qicworks.pull.staging import Seen, StagedRow
from xero.sync.pull.records import identify, is_of_one_path, is_plain, records_in
from xero.sync.pull.rows import version
from xero.sync.pull.staging_writer import StagingWriter

log = logging.getLogger(__name__)

ORDER = "UpdatedDateUTC ASC"
NEWEST_FIRST = "UpdatedDateUTC DESC"


class Listing:
    """Reads one source into staging. `position` is how far it came, and is committed with each page."""

    def __init__(self, writer: StagingWriter, client: XeroClient, source: Source, position: Position) -> None:
        self.writer = writer
        self.client = client
        self.source = source
        self.position = position

    def run(self) -> None:
        if self.position.partial:
            self._fall_back()
        elif self.source.reading is Reading.NEWEST_FIRST:
            self._read_newest_first()
        elif self.source.reading is Reading.PAGED:
            self._read_pages()
        else:
            self._read_once()

    def _read_pages(self) -> None:
        reader = Reader(self._fetch, self.identify, version, self.position, self.source.path)
        while True:
            for number, page in enumerate(reader.pages(), 1):
                done = self.position.step == "done"
                self._stage(page)
                log.info("page %d: %d records%s", number, len(page), "" if done else ", more to come")
            count = self._count()
            expected = self.position.first_count or 0
            if count >= expected:
                break
            short = f"Xero announced {expected} records, {count} came"
            if self.position.walks:  # all pages were read again already
                self.position.warn(f"{short}, even when read again")
                break
            log.warning("%s: reading all pages again", short)
            reader.read_again(short)

    def _read_newest_first(self) -> None:
        size = self.source.fixed_page_size or self.source.page_size
        path, position = self.source.path, self.position

        def fetch(number: int) -> Page:
            answer = self._get({"page": number, "order": NEWEST_FIRST}, None)
            return Page.of(answer, records_in(answer, self.source))

        try:
            for page in NewestFirst(fetch, self.identify, version, position, path, size).pages():
                self._stage(page)
                more = "" if position.step == "done" else ", more to come"
                log.info("page %d: %d records%s", position.page - 1, len(page), more)
        except XeroError as error:
            if self.source.fallback is None or not is_of_one_path(error):
                raise
            log.warning("%s fails, reading %s instead: %s", path, self.source.fallback, error.message)
            again = Position(since=position.since, ask=position.since, partial=True)
            again.warn(f"{path}: {error.message} Only the records of {self.source.fallback} were read")
            self.position = self.writer.positions[self.source.name] = again
            self._fall_back()

    def _fall_back(self) -> None:
        """Reads what changed of the list that has only some of the records."""
        assert self.source.fallback, "only a source with another list is read in part"
        self.source = replace(self.source, path=self.source.fallback, reading=Reading.PAGED)
        self._read_pages()

    def _read_once(self) -> None:
        """Reads what comes in one response; where the endpoint has pages of a fixed size, all of them."""
        first = self._get({}, self.position.since)
        self._must_be_complete(first)

        def fetch(number: int) -> Page:
            answer = first if number == 1 else self._get({"page": number}, self.position.since)
            return Page.of(answer, records_in(answer, self.source))

        records: list[Any] = []
        known: set[str] = set()
        for page in pages(fetch, self.identify, self.source.path, full_size=self.source.fixed_page_size):
            fresh = [record for record in page.rows if self.identify(record) not in known]
            known.update(map(self.identify, fresh))
            records += fresh
            if self.source.fixed_page_size is None:
                break
        versions = [found for record in records if (found := version(record))]
        self.position.newest = max(versions, default=None)
        self.position.started = first.server_time or datetime.now(UTC)
        self.position.step = "done"
        self._stage(records)
        log.info("%s: %d records", self.source.path, len(records))

    def _must_be_complete(self, answer: Answer) -> None:
        """Raises BadAnswer if more records were announced than came."""
        count, came = announced(answer.data, "itemCount"), len(records_in(answer, self.source))
        if count is not None and count > came:
            raise BadAnswer(
                f"{self.source.path} announced {count} records in one response, {came} came.",
                "Report it: this endpoint was not known to page. Nothing was loaded.",
            )

    def _fetch(self, since: datetime | None, number: int) -> Page:
        params: dict[str, str | int] = {"page": number, "order": ORDER}
        if self.source.fixed_page_size is None:
            params["pageSize"] = self.source.page_size
        answer = self._get(params, since)
        return Page.of(answer, records_in(answer, self.source))

    def _get(self, params: Mapping[str, str | int], since: datetime | None) -> Answer:
        return self.client.get(self.source.path, params={**self.source.params, **params}, modified_since=since)

    def identify(self, record: object) -> str:
        return identify(self.source, record)

    def _count(self) -> int:
        """The number of different records that came."""
        session, staged = self.writer.session, self.writer.staging
        if self.source.tables:
            rows = StagedTable(session, staged, self.source.tables[0])
            return rows.count_distinct() + len(set(self.position.ignored_ids))
        return len(staging.seen(session, staged, self.source))

    def _stage(self, records: Sequence[Any]) -> None:
        rows: dict[Table, list[StagedRow]] = {}
        for number, table in enumerate(self.source.tables):
            rows[table], without = self.writer.rows[table].of_page(records)
            if not number:
                self.position.ignored_ids += map(self.identify, without)
        seen = () if self.source.tables else tuple(filter(None, map(self._seen, records)))
        self.writer.stage(rows, seen, complete=False)
        self.writer.progress(len(records))

    def _seen(self, record: object) -> Seen | None:
        """The record's id and version; None, with a warning, if it has no id by which it can be read."""
        key = self.source.identifier
        found = record.get(key) if isinstance(record, Mapping) and isinstance(key, str) else None
        if not isinstance(record, Mapping) or not isinstance(found, str) or not found.strip() or not is_plain(found):
            self.writer.leave_unread(
                f"{self.source.path} lists a record without {key}, or with one that is not an id: it was not read"
            )
            self.writer.without_key += 1
            return None
        return Seen(self.source.name, found, version(record), bool(self.source.active(record)))
