"""Fetches records by id, up to five concurrent requests (Xero's limit for an organisation)."""

import logging
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeGuard
from urllib.parse import quote

from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, NotAvailable, OutOfBounds, Refused, RetryLater, XeroError
from xero.datasets.declaration import READ_ON, Dataset, Source
from xero.qicworks.connect.connections import Connection
from xero.qicworks.pull import merge, staging
from xero.qicworks.pull.staging import Seen
from xero.sync.pull.records import identify, records_in
from xero.sync.pull.rows import version
from xero.sync.pull.staging_writer import StagingWriter
from xero.sync.runs import schedule

log = logging.getLogger(__name__)

MAX_CALLS_IN_FLIGHT = 5  # that Xero answers at the same time, per organisation
MAX_CALLS_QUEUED = 2 * MAX_CALLS_IN_FLIGHT  # so memory does not grow with the number of records
MAX_UNREADABLE = 3  # records; more end the run, because it is not these records then


def may_be_of_one_record(error: BaseException) -> TypeGuard[XeroError]:
    """Whether only this record may be affected: it is refused, causes a server error, or its response is invalid."""
    if isinstance(error, OutOfBounds):
        return False
    return (
        is_refusal(error) or isinstance(error, BadAnswer) or (isinstance(error, RetryLater) and error.limit == "outage")
    )


def is_refusal(error: BaseException) -> bool:
    """Whether Xero refuses this record: however many it refuses, the others can be read."""
    return isinstance(error, Refused | NotAvailable)


class DetailReader:
    """Reads one source whose path has an `{id}`. Each record is committed at once: a killed run loses ten at most."""

    def __init__(
        self, writer: StagingWriter, client: XeroClient, dataset: Dataset, connection: Connection, source: Source
    ) -> None:
        self.writer = writer
        self.client = client
        self.dataset = dataset
        self.connection = connection
        self.source = source
        self.zone = schedule.zone(connection.time_zone)

    def run(self) -> None:
        ids = self._ids_to_fetch()
        log.info("%s: %d records to be read", self.source.path, len(ids))
        for id, records, asked in self._fetch_all(ids):
            self._stage(id, records, asked)

    def _ids_to_fetch(self) -> list[str]:
        session, staged = self.writer.session, self.writer.staging
        ids = merge.ids_to_fetch(
            session,
            self.dataset,
            self.source,
            staging_id=staged.id,
            connection_id=self.connection.id,
            organisation_id=self.connection.organisation_id,
            full=staged.full,
            refetch_details=staged.refetch_details,
            since=self._listed_since(),
            zone=self.connection.zone,
        )
        read = staging.seen(session, staged, self.source)
        return [id for id in ids if id not in read]

    def _listed_since(self) -> datetime | None:
        """The time from which its records were listed; None: from the beginning, or not at all."""
        mine = set(self.source.tables)
        lists = [one for one in self.dataset.sources if one is not self.source and mine.intersection(one.tables)]
        began = [at.since for one in lists if (at := self.writer.positions.get(one.name))]
        known = [since for since in began if since]
        return min(known) if known and len(known) == len(began) else None

    def _fetch_all(self, ids: list[str]) -> Iterator[tuple[str, list[Any], float]]:
        """Yields responses as they come. A few unreadable records are left for the next run; more end this one.

        After an error it waits for the running requests and yields their responses, then raises the error.
        """
        left = iter(ids)
        running: dict[Future[tuple[list[Any], float]], str] = {}
        failed: dict[str, XeroError] = {}
        error: BaseException | None = None
        pool = ThreadPoolExecutor(MAX_CALLS_IN_FLIGHT, thread_name_prefix="xero")
        try:
            while True:
                while error is None and len(running) < MAX_CALLS_QUEUED and (id := next(left, None)) is not None:
                    running[pool.submit(self._get, id)] = id
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    id = running.pop(future)
                    if future.cancelled():
                        continue
                    problem = future.exception()
                    if problem is None:
                        yield id, *future.result()
                    elif may_be_of_one_record(problem) and (is_refusal(problem) or self._are_few(failed)):
                        failed[id] = problem
                    elif error is None:
                        error = problem
                        for waiting in running:
                            waiting.cancel()
        finally:
            pool.shutdown(cancel_futures=True)
        if error is not None:
            raise error
        if len(failed) > MAX_UNREADABLE and len(failed) == len(ids):
            raise next(iter(failed.values()))  # all are refused: it is not one record
        if failed:
            # If Xero does not give the list either, it is not these records: this raises, and the run is retried.
            self.client.get(self._path_of_list(), params={"page": 1})
        for id, problem in failed.items():
            self._leave(id, f"could not be read: {problem.message}")

    def _path_of_list(self) -> str:
        """The path of the list that was read."""
        listed = self.dataset.sources[0]
        position = self.writer.positions.get(listed.name)
        return listed.fallback if position and position.partial and listed.fallback else listed.path

    def _are_few(self, failed: Mapping[str, XeroError]) -> bool:
        return sum(not is_refusal(problem) for problem in failed.values()) < MAX_UNREADABLE

    def _leave(self, id: str, why: str) -> None:
        self.writer.leave_unread(f"{self.source.envelope}: {id} {why}")

    def _get(self, id: str) -> tuple[list[Any], float]:
        """Returns the record, none if Xero has none with that id, and when it was asked for (monotonic seconds)."""
        asked = time.monotonic()
        try:
            answer = self.client.get(self.source.path.format(id=quote(id, safe="")), params=dict(self.source.params))
        except Refused as refused:
            if refused.status != 404:
                raise
            return [], asked
        return records_in(answer, self.source), asked

    def _stage(self, id: str, records: list[Any], asked: float) -> None:
        if len(records) > 1 or not all(self._is(id, record) for record in records):
            self._leave(id, "was asked for, and Xero returned something else")  # which must not overwrite another row
            return
        rows: dict[Any, Any] = {}
        for record in records:
            read = {**record, READ_ON: self._day_of(asked).isoformat()}
            rows = {table: self.writer.rows[table].of(read, id) for table in self.source.tables}
        if not records:
            self.writer.remark(f"{self.source.envelope}: Xero no longer has {id}")
        newest = version(records[0]) if records else None
        seen = Seen(self.source.name, id, newest, bool(records), time.monotonic() - asked)
        self.writer.stage(rows, (seen,), complete=False)
        self.writer.progress(1)

    def _day_of(self, asked: float) -> date:
        """The organisation's date when the record was asked for: midnight may have passed since."""
        since = timedelta(seconds=time.monotonic() - asked)
        return (datetime.now(UTC) - since).astimezone(self.zone).date()

    def _is(self, id: str, record: object) -> bool:
        return isinstance(record, dict) and identify(self.source, record).lower() == id.lower()
