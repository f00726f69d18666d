"""Ties out one organisation: reads all that follows documents, compares each afresh, and says what is not equal."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from xero.api.errors import NotAvailable, XeroError
from xero.datasets.declaration import Dataset, Follows, Reading
from xero.qicworks.follow.pushed_documents import elapsed, forget_compared
from xero.qicworks.pull import merge, staging
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status, outcome_of
from xero.sync.connect.clients import OpenClient
from xero.sync.follow.lasting import keep_unlinked, keep_unproven
from xero.sync.follow.pulling import pull
from xero.sync.follow.tie_out import summary
from xero.sync.follow.tie_out.healing import Healing
from xero.sync.follow.tie_out.period import Period
from xero.sync.follow.tie_out.result import FOLLOWED, TieOut, Unchecked, as_last_read, followed_kinds, following
from xero.sync.follow.unlinked_records import UnlinkedRecord, find_unlinked_records
from xero.sync.follow.unproven_pushes import find_unproven_pushes
from xero.sync.runs.outcome import Outcome, PullFailed, Skip
from xero.sync.runs.run import Run, run

log = logging.getLogger(__name__)

NAME = "tie_out"  # in events, where a pull has its data set
SECOND_RECORDS = "Documents that may be in Xero twice"
NOT_ALL_READ = "some of its records could not be read"
READ_AGAIN = "Tie out again. If it lasts, the log of its pull has the reason."


def tie_out(
    connection_id: UUID | str,
    period: Period | None,
    *,
    engine: Engine,
    open_client: OpenClient,
    origin: Origin,
    heal: bool = False,
    again: bool = True,
) -> TieOut:
    """Reads every record that follows a document in full, compares every document afresh, and returns the result.

    Each data set is read under its own lease and event. What could not be read is `unchecked` in the result, and
    `error` is the first error that was the cause; the event ends with it.

    Args:
        period: None: the current month in the organisation's time zone.
        heal: Push or pull again what a difference allows without a person.
        again: False: do not read, only compare with what was last read.

    Raises:
        Skip: Another run is tying it out.
        XeroError: Xero cannot be asked at all.
    """
    result: list[TieOut] = []

    def work(it: Run) -> Outcome:
        tied = _TieOut(it, engine, open_client, period or Period.current(it.connection.zone)).run(
            heal=heal, again=again
        )
        result.append(tied)
        return _close(it, tied)

    run(engine, connection_id, Direction.PULL, NAME, origin, open_client, work, again="Tie out again")
    return result[0]


class _TieOut:
    """The tie-out of one organisation, under its lease and event."""

    def __init__(self, it: Run, engine: Engine, open_client: OpenClient, period: Period) -> None:
        self.it = it
        self.engine = engine
        self.open_client = open_client
        self.period = period
        self.calls = 0
        self.error: Exception | None = None

    def run(self, *, heal: bool, again: bool) -> TieOut:
        it = self.it
        unread: list[Unchecked] = []
        if again:
            began = events.started_at(it.session, it.event_id)
            forget_compared(it.session, it.connection)
            for follows, dataset in following().items():
                unread += self._read(follows, dataset, began)
            unread += [] if self.error else self._look_for_second_records()
        keep_unproven(it, list(find_unproven_pushes(it.session, it.client, it.connection)))
        result = self._result(unread)
        healed: tuple[object, ...] = ()
        if heal:
            healing = Healing(it, self.engine, self.open_client)
            healed = tuple(healing.heal(result.differences))
            self.calls += healing.calls
            result = self._result(unread)
        return replace(result, healed=healed, calls=self.calls + it.client.calls, error=self.error)

    def _result(self, unread: Iterable[Unchecked]) -> TieOut:
        """What could not be read counts only where there are documents that it is about."""
        unread = list(unread)
        result = as_last_read(self.it.session, self.it.connection, self.period, unread=unread)
        there = {one.kind.name for one in result.documents}
        return replace(result, unchecked=tuple(one for one in unread if there.intersection(one.kinds) or self.error))

    def _read(self, follows: Follows, dataset: Dataset, began: datetime) -> list[Unchecked]:
        """Reads the data set in full; returns what is unchecked because it could not be."""
        it = self.it
        kinds = tuple(kind.name for kind in followed_kinds() if FOLLOWED[kind.delivery] is follows)
        try:
            outcome = pull(
                dataset,
                it.connection.id,
                engine=self.engine,
                open_client=self.open_client,
                origin=it.origin,
                full=True,
                resume=False,
            )
        except (XeroError, PullFailed) as error:
            self.error = self.error or error
            return [Unchecked(dataset.title, kinds, error.message, error.correction)]
        except Skip as skip:
            self.error = self.error or skip
            return [Unchecked(dataset.title, kinds, skip.message, None)]
        self.calls += outcome.counts.calls
        if outcome.outcome is EventOutcome.NOT_AVAILABLE:
            return [Unchecked(dataset.title, kinds, outcome.message, None)]
        if not self._is_read_in_full(dataset, began):
            return [Unchecked(dataset.title, kinds, NOT_ALL_READ, READ_AGAIN)]
        return []

    def _look_for_second_records(self) -> list[Unchecked]:
        """Keeps a difference for each document that may be in Xero twice; returns what is unchecked because Xero could
        not be asked."""
        it, found, searched = self.it, list[UnlinkedRecord](), set[str]()
        try:
            for record in find_unlinked_records(it.session, it.client, it.connection, searched, most_pages=None):
                found.append(record)
        except NotAvailable as error:  # so is the data set that follows these documents, which is said above
            log.info("documents in Xero: not available: %s", error.message)
        except XeroError as error:
            self.error = self.error or error
            kinds = tuple(kind.name for kind in followed_kinds() if kind.name not in searched)
            return [Unchecked(SECOND_RECORDS, kinds, error.message, error.correction)]
        finally:
            keep_unlinked(it, found, searched)
        return []

    def _is_read_in_full(self, dataset: Dataset, began: datetime) -> bool:
        """Whether every list of it was loaded in full since then; a list of which nothing is of interest needs not."""
        session, connection = self.it.session, self.it.connection
        for source in dataset.sources:
            if source.reading is Reading.BY_ID:
                continue
            if source.starts_at and merge.starts_at(session, dataset, source, connection_id=connection.id) is None:
                continue
            cursor = staging.cursor(session, connection.id, dataset, source)
            if cursor is None or cursor.full_age is None or cursor.full_age > elapsed(session, began):
                return False
        return True


def _close(it: Run, tied: TieOut) -> Outcome:
    it.counts.read = len(tied.documents)
    it.counts.unchanged = tied.equal
    message, correction = summary.message(tied), summary.correction(tied)
    for line in summary.lines(tied):
        log.warning("%s", line)
    if tied.error:
        because = tied.error if isinstance(tied.error, XeroError) else None
        how = tied.error.outcome if isinstance(tied.error, Skip) else outcome_of(tied.error)
        return it.close(Status.ERROR, how, message, correction, because=because)
    if tied.unchecked:
        return it.close(Status.WARNING, EventOutcome.PARTLY_DONE, message, correction)
    if not tied.is_green:
        return it.close(Status.WARNING, EventOutcome.DIFFERS, message, correction)
    return it.close(Status.SUCCESS, EventOutcome.DONE, message)
