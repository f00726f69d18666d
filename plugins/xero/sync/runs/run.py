"""One interaction with Xero: under a lease, with a connection event that is closed whatever happens."""

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable, RetryLater, XeroError, cleaned
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection, NotTakingPart
from xero.qicworks.database import Session
from xero.qicworks.runs import events, lease
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status, outcome_of
from xero.sync.connect import organisation
from xero.sync.connect.clients import OpenClient
from xero.sync.runs.event_line import log_event
from xero.sync.runs.outcome import (
    Busy,
    DatabaseFailed,
    Outcome,
    PullFailed,
    Skip,
    Unmigrated,
)

log = logging.getLogger(__name__)

LONGEST_TOLD = 30 * 86_400.0  # seconds; nobody asks for a longer one
LONGEST_WAIT = 300.0  # seconds; a longer wait does not hold a task
CONTINUES = "Nothing to do: the next run continues where this one stopped."
RESUMES = "Nothing is lost: what waits continues once it is on again."
SWITCH_ON = "Switch it on, or connect it again, under Connections; then do this again."
LOCKED = "The next run tries again. If it lasts, look in pg_locks and pg_stat_activity for who holds it."
SHOW_PROGRESS_SECONDS = 1.0  # how often at most an open event is brought up to date


class Interaction:
    """What all parts of one interaction share. `counts` are what its event will say."""

    def __init__(
        self,
        session: Session,
        connection: Connection,
        direction: Direction,
        data_set: str,
        origin: Origin,
        event_id: int,
    ) -> None:
        self.session = session
        self.connection = connection
        self.direction = direction
        self.data_set = data_set
        self.origin = origin
        self.event_id = event_id
        self.counts = Counts()
        self._client: XeroClient | None = None
        self._shown = -1.0  # when the event was last brought up to date, by the monotonic clock

    @property
    def client(self) -> XeroClient:
        assert self._client is not None, "it is opened first"
        return self._client

    def open_client(self, open_client: OpenClient) -> XeroClient:
        self._client = open_client(self.connection, self.origin.manual)
        return self._client

    def keep_organisation_fresh(self) -> None:
        if organisation.is_stale(self.connection):
            log.info(organisation.refresh(self.session, self.client, self.connection))

    def check_still_on(self) -> None:
        """Raises Skip once it was switched off or deleted meanwhile."""
        _still_on(self.session, self.connection.id)

    def count_calls(self) -> None:
        if self._client is not None:
            self.counts.calls, self.counts.bytes_received = self._client.calls, self._client.bytes_received
            self.counts.bytes_unpacked = self._client.bytes_unpacked

    @property
    def correlation_id(self) -> str | None:
        """Of the last call that Xero answered."""
        return self._client.correlation_id if self._client else None

    def show(self, read: int) -> None:
        """Lets the open event say how far it has come, now and then: somebody may be watching."""
        if time.monotonic() - self._shown >= SHOW_PROGRESS_SECONDS:
            self._shown = time.monotonic()
            self.count_calls()
            events.count(self.session, self.event_id, replace(self.counts, read=read))

    def close(
        self,
        status: Status,
        outcome: EventOutcome,
        message: str,
        correction: str | None = None,
        *,
        because: XeroError | None = None,
    ) -> Outcome:
        """Writes and logs the event. In a transaction that settles work, the event settles with it."""
        self.count_calls()
        id = because.correlation_id if because else self.correlation_id
        events.close_event(self.session, self.event_id, status, outcome, self.counts, message, correction, id)
        self.tell(status, message, correction, id)
        return Outcome(status, self.counts, message)

    def tell(
        self, status: Status, message: str, correction: str | None = None, correlation_id: str | None = None
    ) -> None:
        log_event(
            self.data_set,
            self.connection,
            status,
            self.counts,
            message,
            correction,
            direction=self.direction,
            correlation_id=correlation_id,
        )

    def conduct(
        self,
        work: Callable[[], Outcome],
        again: str,
        *,
        payroll: bool = False,
        unavailable: Callable[[XeroError], Outcome] | None = None,
    ) -> Outcome:
        """Does the work, which closes the event itself when it goes well. `again` is what to do after an error of
        this project's own; `unavailable` answers for a payroll that Xero does not give."""
        try:
            return work()
        except RetryLater as wait:
            if wait.seconds <= LONGEST_WAIT:
                self.close(Status.ERROR, EventOutcome.POSTPONED, wait.message, wait.correction, because=wait)
                raise
            at = datetime.now(UTC) + timedelta(seconds=min(wait.seconds, LONGEST_TOLD))
            message = f"{wait.message} It goes on with the first run after {at:%Y-%m-%d %H:%M:%S} UTC."
            self.close(Status.WARNING, EventOutcome.POSTPONED, message, wait.correction, because=wait)
            raise Skip(message, EventOutcome.POSTPONED) from None
        except Skip as stopped:
            self.close(Status.WARNING, stopped.outcome, stopped.message, RESUMES)
            raise
        except (XeroError, PullFailed) as error:
            disconnected = isinstance(error, Disconnected) and self._is_disconnected(payroll)
            if unavailable and payroll and isinstance(error, Disconnected | NotAvailable) and not disconnected:
                return unavailable(error)
            if disconnected:
                connections.needs_reconnect(self.session, self.connection.id, error.message)
            because = error if isinstance(error, XeroError) else None
            outcome = EventOutcome.IMPLAUSIBLE if isinstance(error, PullFailed) else outcome_of(error)
            self.close(Status.ERROR, outcome, error.message, error.correction, because=because)
            raise
        except psycopg.errors.LockNotAvailable:
            locked = RetryLater(60.0, "outage", "Somebody has held a lock in the database for minutes.", LOCKED)
            self._close_at_last(EventOutcome.DATABASE_LOCKED, locked.message, LOCKED)
            raise locked from None
        except psycopg.Error as error:
            # PostgreSQL's detail repeats the row, which is nobody's business in an event or a log.
            said = f"{type(error).__name__}: {cleaned(error.diag.message_primary or error)}"
            unmigrated = isinstance(error, database.UNMIGRATED)
            correction = database.MIGRATE if unmigrated else f"{again}; if it lasts, report it."
            self._close_at_last(EventOutcome.DATABASE_FAILED, said, correction)
            where = " < ".join(frame.name for frame in reversed(traceback.extract_tb(error.__traceback__)[-8:]))
            failed = Unmigrated(f"{said}. {database.MIGRATE}") if unmigrated else DatabaseFailed(f"{said} (in {where})")
        except Exception as error:
            said = f"{type(error).__name__}: {cleaned(error)}"
            self._close_at_last(EventOutcome.FAILED, said, f"{again}; if it lasts, report it.")
            raise
        except BaseException:  # Ctrl-C, or Airflow ends the task
            self._close_at_last(
                EventOutcome.INTERRUPTED, "interrupted", "Nothing to do: the next run continues from here."
            )
            raise
        raise failed  # outside the handler: the error itself must not travel along

    def _is_disconnected(self, payroll: bool) -> bool:
        """Whether Xero says so of the whole organisation, and not of its payroll only."""
        return not payroll or self._client is None or is_disconnected(self._client)

    def _close_at_last(self, outcome: EventOutcome, message: str, correction: str) -> None:
        """After an error of whatever kind: if the database is gone too, the next run closes the event."""
        try:
            self.close(Status.ERROR, outcome, message, correction)
        except psycopg.Error as error:  # without its traceback, which would tell the first error and its row again
            said = type(error).__name__
            log.error("the event %d could not be closed (%s); the next run will close it", self.event_id, said)


@contextmanager
def begin(
    engine: Engine, connection_id: UUID | str, direction: Direction, data_set: str, origin: Origin
) -> Iterator[Interaction]:
    """Takes the lease and opens the event. Raises Skip when the connection is off, or another run is at it."""
    connection_id = UUID(str(connection_id))
    with database.session(engine) as session:
        begun = events.begin(session, connection_id, direction, data_set, origin)
        if not begun.got:
            connection = _still_on(session, connection_id)
            message = f"already running in {events.running(session, connection_id, direction, data_set)}"
            events.record(
                session, connection_id, direction, data_set, Status.WARNING, EventOutcome.BUSY, message, origin
            )
            log_event(data_set, connection, Status.WARNING, Counts(), message, direction=direction)
            raise Busy(message, origin.try_number or 1) if origin.by_name else Skip(message, EventOutcome.BUSY)
        try:
            # Read under the lease: who matches it anew holds the leases of its pushes meanwhile.
            connection = connections.one(session, connection_id)
            if begun.event_id is None:
                skip = _is_off(connection)
                events.record(
                    session,
                    connection_id,
                    direction,
                    data_set,
                    Status.WARNING,
                    skip.outcome,
                    skip.message,
                    origin,
                    correction=SWITCH_ON,
                )
                log_event(data_set, connection, Status.WARNING, Counts(), skip.message, SWITCH_ON, direction=direction)
                raise skip
            for left in begun.interrupted or ():
                log.warning(left)
            yield Interaction(session, connection, direction, data_set, origin, begun.event_id)
        finally:
            lease.release(session)


def _still_on(session: Session, connection_id: UUID) -> Connection:
    connection = connections.one(session, connection_id)
    if connection.not_taking_part in (NotTakingPart.DELETED, NotTakingPart.SWITCHED_OFF):
        raise _is_off(connection)
    return connection


def _is_off(connection: Connection) -> Skip:
    """Between the choice of this connection and its run somebody switched it off, or deleted it."""
    if connection.not_taking_part is NotTakingPart.DELETED:
        return Skip(f"{connection.organisation} was deleted in the meantime.", EventOutcome.DELETED)
    return Skip(f"{connection.organisation} was switched off in the meantime.", EventOutcome.SWITCHED_OFF)


def is_disconnected(client: XeroClient) -> bool:
    """Whether Xero says so of the whole organisation: asked after its payroll said it."""
    try:
        client.get(organisation.PATH)
    except Disconnected:
        return True
    except XeroError as error:
        log.warning("whether the organisation itself can be reached is not known: %s", error)
    return False
