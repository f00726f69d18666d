"""One run for one connection: under a lease, with a connection event that is always closed."""

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
from xero.sync.runs.outcome import Busy, DatabaseFailed, Outcome, PullFailed, Skip, Unmigrated

log = logging.getLogger(__name__)

MAX_REPORTED_WAIT_SECONDS = 30 * 86_400.0  # nothing asks for a longer one
MAX_WAIT_IN_TASK_SECONDS = 300.0  # a longer wait ends the task as skipped
SHOW_PROGRESS_SECONDS = 1.0  # how often at most an open event is updated

CONTINUES = "Nothing to do: the next run continues where this one stopped."
LOCKED = "The next run tries again. If it lasts, look in pg_locks and pg_stat_activity for the session that holds it."
RESUMES = "Nothing is lost: what waits continues once it is on again."
SWITCH_ON = "Switch it on, or reconnect it, under Connections; then do this again."


class Run:
    """What all parts of one run share. `counts` are those of its event."""

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
        self._shown = -1.0  # when the event was last updated, by the monotonic clock

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
        """Raises Skip if it was switched off or deleted in the meantime."""
        _still_on(self.session, self.connection.id)

    def count_calls(self) -> None:
        if self._client is not None:
            self.counts.calls, self.counts.bytes_received = self._client.calls, self._client.bytes_received
            self.counts.bytes_unpacked = self._client.bytes_unpacked

    @property
    def correlation_id(self) -> str | None:
        """Of the last call that Xero responded to."""
        return self._client.correlation_id if self._client else None

    def show(self, read: int) -> None:
        """Updates the open event with the progress so far, at most once a second."""
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
        self.log_event(status, message, correction, id)
        return Outcome(status, self.counts, message, outcome=outcome)

    def log_event(
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

    def close_after_failure(self, outcome: EventOutcome, message: str, correction: str) -> None:
        """After an unexpected error. If the database is gone too, the next run closes the event."""
        try:
            self.close(Status.ERROR, outcome, message, correction)
        except psycopg.Error as failure:  # without its traceback, which would repeat the first error and its row
            name = type(failure).__name__
            log.error("the event %d could not be closed (%s); the next run will close it", self.event_id, name)


Unavailable = Callable[[Run, XeroError], Outcome]


def run(
    engine: Engine,
    connection_id: UUID | str,
    direction: Direction,
    data_set: str,
    origin: Origin,
    open_client: OpenClient,
    work: Callable[[Run], Outcome],
    *,
    again: str,
    payroll: bool = False,
    unavailable: Unavailable | None = None,
) -> Outcome:
    """Takes the lease, opens the event and the client, and does the work, which closes the event if it goes well.

    Args:
        again: The advice after an unexpected error, such as "Push again".
        payroll: It reads or writes payroll. Xero may refuse that alone, so the organisation itself is read before it
            counts as disconnected.
        unavailable: Closes the event of a payroll that Xero does not offer. None: that is an error.

    Raises:
        Skip: The connection is off, another run has the lease, or Xero's limit opens much later.
        Busy: Another run has the lease, and this one was asked for by name.
        XeroError: What else Xero, or its absence, has ended it with.
        DatabaseFailed: Without the row that PostgreSQL's own error repeats.
    """
    with _begun(engine, UUID(str(connection_id)), direction, data_set, origin) as begun:
        try:
            begun.open_client(open_client)
            return work(begun)
        except RetryLater as wait:
            raise _postponed(begun, wait) from None
        except Skip as stopped:
            begun.close(Status.WARNING, stopped.outcome, stopped.message, RESUMES)
            raise
        except (XeroError, PullFailed) as error:
            return _refused(begun, error, payroll, unavailable)
        except psycopg.errors.LockNotAvailable:
            locked = RetryLater(60.0, "outage", "A session has held a lock in the database for minutes.", LOCKED)
            begun.close_after_failure(EventOutcome.DATABASE_LOCKED, locked.message, LOCKED)
            raise locked from None
        except psycopg.Error as error:
            failed = _database_failed(begun, error, again)
        except Exception as error:
            message = f"{type(error).__name__}: {cleaned(error)}"
            begun.close_after_failure(EventOutcome.FAILED, message, f"{again}; if it lasts, report it.")
            raise
        except BaseException:  # Ctrl-C, or Airflow ends the task
            begun.close_after_failure(EventOutcome.INTERRUPTED, "interrupted", CONTINUES)
            raise
        raise failed  # outside the handler: the error itself must not travel along


def _postponed(begun: Run, wait: RetryLater) -> RetryLater | Skip:
    if wait.seconds <= MAX_WAIT_IN_TASK_SECONDS:
        begun.close(Status.ERROR, EventOutcome.POSTPONED, wait.message, wait.correction, because=wait)
        return wait
    at = datetime.now(UTC) + timedelta(seconds=min(wait.seconds, MAX_REPORTED_WAIT_SECONDS))
    message = f"{wait.message} It resumes with the first run after {at:%Y-%m-%d %H:%M:%S} UTC."
    begun.close(Status.WARNING, EventOutcome.POSTPONED, message, wait.correction, because=wait)
    return Skip(message, EventOutcome.POSTPONED)


def _refused(begun: Run, error: XeroError | PullFailed, payroll: bool, unavailable: Unavailable | None) -> Outcome:
    """Closes the event and raises the error, unless it only means that Xero does not offer this organisation's
    payroll."""
    disconnected = isinstance(error, Disconnected) and _is_disconnected(begun, payroll)
    if unavailable and payroll and isinstance(error, Disconnected | NotAvailable) and not disconnected:
        return unavailable(begun, error)
    if disconnected:
        connections.needs_reconnect(begun.session, begun.connection.id, error.message)
    outcome = EventOutcome.IMPLAUSIBLE if isinstance(error, PullFailed) else outcome_of(error)
    because = error if isinstance(error, XeroError) else None
    begun.close(Status.ERROR, outcome, error.message, error.correction, because=because)
    raise error


def _database_failed(begun: Run, error: psycopg.Error, again: str) -> DatabaseFailed:
    # PostgreSQL's detail repeats the row, which belongs in neither an event nor a log.
    message = f"{type(error).__name__}: {cleaned(error.diag.message_primary or error)}"
    unmigrated = isinstance(error, database.UNMIGRATED)
    correction = database.MIGRATE if unmigrated else f"{again}; if it lasts, report it."
    begun.close_after_failure(EventOutcome.DATABASE_FAILED, message, correction)
    if unmigrated:
        return Unmigrated(f"{message}. {database.MIGRATE}")
    where = " < ".join(frame.name for frame in reversed(traceback.extract_tb(error.__traceback__)[-8:]))
    return DatabaseFailed(f"{message} (in {where})")


def _is_disconnected(begun: Run, payroll: bool) -> bool:
    """Whether the organisation is disconnected in Xero, and not only its payroll."""
    return not payroll or begun._client is None or is_disconnected(begun._client)


@contextmanager
def _begun(engine: Engine, connection_id: UUID, direction: Direction, data_set: str, origin: Origin) -> Iterator[Run]:
    """Takes the lease and opens the event. Raises Skip or Busy if it cannot."""
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
            # Read under the lease: a new match takes the leases of its pushes first.
            connection = connections.one(session, connection_id)
            if begun.event_id is None:
                raise _off(session, connection, direction, data_set, origin)
            for message in begun.interrupted or ():
                log.warning(message)
            yield Run(session, connection, direction, data_set, origin, begun.event_id)
        finally:
            lease.release(session)


def _off(session: Session, connection: Connection, direction: Direction, data_set: str, origin: Origin) -> Skip:
    """Writes the event of a connection that was switched off, or deleted, after it was selected."""
    skip = _in_the_meantime(connection)
    about = connection.id, direction, data_set, Status.WARNING, skip.outcome
    events.record(session, *about, skip.message, origin, correction=SWITCH_ON)
    log_event(data_set, connection, Status.WARNING, Counts(), skip.message, SWITCH_ON, direction=direction)
    return skip


def _still_on(session: Session, connection_id: UUID) -> Connection:
    connection = connections.one(session, connection_id)
    if connection.not_taking_part in (NotTakingPart.DELETED, NotTakingPart.SWITCHED_OFF):
        raise _in_the_meantime(connection)
    return connection


def _in_the_meantime(connection: Connection) -> Skip:
    if connection.not_taking_part is NotTakingPart.DELETED:
        return Skip(f"{connection.organisation} was deleted in the meantime.", EventOutcome.DELETED)
    return Skip(f"{connection.organisation} was switched off in the meantime.", EventOutcome.SWITCHED_OFF)


def is_disconnected(client: XeroClient) -> bool:
    """Whether the organisation itself is disconnected in Xero. Called after its payroll was refused."""
    try:
        client.get(organisation.PATH)
    except Disconnected:
        return True
    except XeroError as error:
        log.warning("whether the organisation itself can be reached is not known: %s", error)
    return False
