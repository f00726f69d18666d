"""Pull: one data set of one organisation, extracted, validated and loaded, under a lease, with one connection event."""

import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable, RetryLater, XeroError, cleaned
from xero.datasets.declaration import Dataset
from xero.qicworks import connections, database, events, lease
from xero.qicworks.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.events import Counts, Origin
from xero.sync import due, organisation
from xero.sync.extract import Extract
from xero.sync.listing import Progress
from xero.sync.load import Load
from xero.sync.outcome import DatabaseFailed, Outcome, PullFailed, Skip
from xero.sync.telling import group, log_event, size

__all__ = ["Origin", "Outcome", "PullFailed", "Skip", "pull"]

log = logging.getLogger(__name__)

OpenClient = Callable[[Connection, bool], XeroClient]  # (connection, started by hand) -> client

LONGEST_WAIT = 300.0  # seconds; a longer wait does not hold a task


def pull(
    dataset: Dataset,
    connection_id: UUID | str,
    *,
    engine: Engine,
    open_client: OpenClient,
    origin: Origin,
    full: bool = False,
    anyway: bool = False,
    progress: Progress = lambda records: None,
) -> Outcome:
    """Pulls. Raises Skip, PullFailed or a XeroError; whatever happens, the event says it."""
    connection_id = UUID(str(connection_id))
    with database.session(engine) as session:
        connection = connections.one(session, connection_id)
        if connection.state == "deleted" or not connection.enabled:
            raise Skip(f"{connection.organisation} is {connection.left_out} by now")
        if not lease.acquire(session, connection_id, "pull", dataset.name):
            running = events.running(session, connection_id, "pull", dataset.name)
            message = f"already running in {running}"
            events.record(session, connection_id, "pull", dataset.name, "warning", message, origin)
            log_event(dataset.name, connection, "warning", Counts(), message)
            raise Skip(message)
        for left in events.close_interrupted(session, connection_id, "pull", dataset.name):
            log.warning("the run of %s was interrupted; its event %d is closed", left["started_at"], left["id"])
        event_id = events.open_event(session, connection_id, "pull", dataset.name, origin)
        return _Pull(dataset, connection, session, event_id, origin).run(open_client, full, anyway, progress)


class _Pull:
    """One pull under its lease and event."""

    def __init__(
        self, dataset: Dataset, connection: Connection, session: Session, event_id: int, origin: Origin
    ) -> None:
        self.dataset = dataset
        self.connection = connection
        self.session = session
        self.event_id = event_id
        self.origin = origin
        self.counts = Counts()
        self.client: XeroClient | None = None

    def run(self, open_client: OpenClient, full: bool, anyway: bool, progress: Progress) -> Outcome:
        try:
            with group(f"extract: {self.dataset.title} of {self.connection.organisation}"):
                self.client = open_client(self.connection, self.origin.manual)
                self._keep_organisation_fresh()
                extract = Extract(
                    self.session, self.client, self.dataset, self.connection, full=full, progress=progress
                )
                extract.run()
                self._count_calls()
                log.info("%d calls, %s", self.counts.calls, size(self.counts.bytes_received))
            load = Load(self.session, self.dataset, self.connection, extract, self.event_id, self.counts)
            with group("validate"):
                load.validate(anyway)
            with group("load"):
                outcome = load.load()
            log_event(self.dataset.name, self.connection, outcome.status, self.counts, outcome.message)
            return outcome
        except RetryLater as wait:
            if wait.seconds <= LONGEST_WAIT:
                self._close("error", wait.message, wait.correction)
                raise
            at = datetime.now(UTC) + timedelta(seconds=wait.seconds)
            message = f"{wait.message} It goes on with the first run after {at:%Y-%m-%d %H:%M:%S} UTC."
            self._close("warning", message, wait.correction)
            raise Skip(message) from None
        except (XeroError, PullFailed) as error:
            disconnected = isinstance(error, Disconnected) and self._is_disconnected()
            if self.dataset.payroll and isinstance(error, Disconnected | NotAvailable) and not disconnected:
                return self._unavailable(error)
            if disconnected:
                connections.needs_reconnect(self.session, self.connection.id, error.message)
            self._close("error", error.message, error.correction)
            raise
        except psycopg.Error as error:
            # PostgreSQL's detail repeats the row, which is nobody's business in an event or a log.
            said = f"{type(error).__name__}: {cleaned(error.diag.message_primary or error)}"
            self._close_at_last(said, "Pull again; if it lasts, report it.")
            where = " < ".join(frame.name for frame in reversed(traceback.extract_tb(error.__traceback__)[-8:]))
            failed = DatabaseFailed(f"{said} (in {where})")
        except Exception as error:
            self._close_at_last(f"{type(error).__name__}: {cleaned(error)}", "Pull again; if it lasts, report it.")
            raise
        except BaseException:  # Ctrl-C, or Airflow ends the task
            self._close_at_last("interrupted", "Nothing to do: the next run goes on where this one stopped.")
            raise
        raise failed  # outside the handler: the error itself must not travel along

    def _is_disconnected(self) -> bool:
        """Whether Xero says so of the whole organisation, and not of its payroll only."""
        if not self.dataset.payroll or self.client is None:
            return True
        try:
            self.client.get(organisation.PATH)
        except Disconnected:
            return True
        except XeroError as error:
            log.warning("whether the organisation itself can be reached is not known: %s", error)
        return False

    def _unavailable(self, error: XeroError | PullFailed) -> Outcome:
        """That is how this organisation is: no failure, but it is said each time."""
        message = f"data set not available: {error.message}"
        with self.session.transaction():
            due.serve(self.session, self.connection, self.dataset.name, self.dataset.timing, datetime.now(UTC))
            self._close("warning", message, error.correction)
        return Outcome("warning", self.counts, message)

    def _keep_organisation_fresh(self) -> None:
        assert self.client is not None
        if organisation.is_stale(self.connection):
            log.info(organisation.refresh(self.session, self.client, self.connection))

    def _count_calls(self) -> None:
        if self.client is not None:
            self.counts.calls, self.counts.bytes_received = self.client.calls, self.client.bytes_received

    def _close(self, status: str, message: str, correction: str | None = None) -> None:
        self._count_calls()
        events.close_event(self.session, self.event_id, status, self.counts, message, correction)
        log_event(self.dataset.name, self.connection, status, self.counts, message, correction)

    def _close_at_last(self, message: str, correction: str) -> None:
        """After an error of whatever kind: if the database is gone too, the next run closes the event."""
        try:
            self._close("error", message, correction)
        except psycopg.Error as error:  # without its traceback, which would tell the first error and its row again
            said = type(error).__name__
            log.error("the event %d could not be closed (%s); the next run will close it", self.event_id, said)
