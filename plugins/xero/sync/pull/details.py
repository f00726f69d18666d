"""Reading records one by one, by their ids: as many at once as Xero lets an organisation have."""

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

AT_ONCE = 5  # calls of one organisation that Xero answers at the same time
AHEAD = 2 * AT_ONCE  # calls that are lined up, so that memory does not grow with the number of records
FEW = 3  # records that may be unreadable while others can be read


def concerns_one(trouble: BaseException) -> TypeGuard[XeroError]:
    """Whether it may be this record only: refused, an outage for it alone, or an answer that is none."""
    if isinstance(trouble, OutOfBounds):
        return False
    return (
        is_refusal(trouble)
        or isinstance(trouble, BadAnswer)
        or (isinstance(trouble, RetryLater) and trouble.limit == "outage")
    )


def is_refusal(trouble: BaseException) -> bool:
    """Xero has answered, and does not give this record. However many there are, the others can be had."""
    return isinstance(trouble, Refused | NotAvailable)


class DetailReader:
    """One source whose path has an `{id}`. Each record is committed as it comes: a killed run has lost ten at most."""

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
        wanted = self._wanted()
        log.info("%s: %d records to be read", self.source.path, len(wanted))
        for id, records, asked in self._answers(wanted):
            self._stage(id, records, asked)

    def _wanted(self) -> list[str]:
        session, staged = self.writer.session, self.writer.staging
        found = merge.to_read(
            session,
            self.dataset,
            staging_id=staged.id,
            connection_id=self.connection.id,
            organisation_id=self.connection.organisation_id,
            whole=staged.whole,
            everything=staged.everything,
            zone=self.connection.zone,
        )
        read = staging.seen(session, staged, self.source)
        return [id for id in found if id not in read]

    def _answers(self, wanted: list[str]) -> Iterator[tuple[str, list[Any], float]]:
        """As they come. A few records that cannot be read are left for the next run; more end this one.

        On an error what is under way is waited for and kept, then the error is raised.
        """
        left = iter(wanted)
        running: dict[Future[tuple[list[Any], float]], str] = {}
        failed: dict[str, XeroError] = {}
        error: BaseException | None = None
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="xero")
        try:
            while True:
                while error is None and len(running) < AHEAD and (id := next(left, None)) is not None:
                    running[pool.submit(self._get, id)] = id
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    id = running.pop(future)
                    if future.cancelled():
                        continue
                    trouble = future.exception()
                    if trouble is None:
                        yield id, *future.result()
                    elif concerns_one(trouble) and (is_refusal(trouble) or self._few(failed)):
                        failed[id] = trouble
                    elif error is None:
                        error = trouble
                        for waiting in running:
                            waiting.cancel()
        finally:
            pool.shutdown(cancel_futures=True)
        if error is not None:
            raise error
        if len(failed) > FEW and len(failed) == len(wanted):
            raise next(iter(failed.values()))  # it is not one record's: none of them is given
        if failed:
            # Whether it is they, or all of Xero: if the list cannot be had either, this raises, to be tried again soon.
            self.client.get(self.dataset.sources[0].path, params={"page": 1})
        for id, trouble in failed.items():
            self._leave(id, f"could not be read: {trouble.message}")

    def _few(self, failed: Mapping[str, XeroError]) -> bool:
        return sum(not is_refusal(trouble) for trouble in failed.values()) < FEW

    def _leave(self, id: str, why: str) -> None:
        self.writer.leave_unread(f"{self.source.envelope}: {id} {why}")

    def _get(self, id: str) -> tuple[list[Any], float]:
        """The record, none if there is none of that id, and when it was asked for (monotonic seconds)."""
        asked = time.monotonic()
        try:
            answer = self.client.get(self.source.path.format(id=quote(id, safe="")))
        except Refused as refused:
            if refused.status != 404:
                raise
            return [], asked
        return records_in(answer, self.source), asked

    def _stage(self, id: str, records: list[Any], asked: float) -> None:
        if len(records) > 1 or not all(self._is(id, record) for record in records):
            self._leave(id, "was asked for, and Xero answered something else")  # which would overwrite what is right
            return
        rows: dict[Any, Any] = {}
        for record in records:
            read = {**record, READ_ON: self._day_of(asked).isoformat()}
            rows = {table: self.writer.rows[table].of(read, id) for table in self.source.tables}
        if not records:
            self.writer.remark(f"{self.source.envelope}: Xero has no {id} any more")
        newest = version(records[0]) if records else None
        seen = Seen(self.source.name, id, newest, bool(records), time.monotonic() - asked)
        self.writer.stage(rows, (seen,), complete=False)
        self.writer.progress(1)

    def _day_of(self, asked: float) -> date:
        """The organisation's day when that was asked for: its midnight may have passed since."""
        since = timedelta(seconds=time.monotonic() - asked)
        return (datetime.now(UTC) - since).astimezone(self.zone).date()

    def _is(self, id: str, record: object) -> bool:
        return isinstance(record, dict) and identify(self.source, record).lower() == id.lower()
