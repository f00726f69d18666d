"""Reconcile: whether QicWorks holds as many records as Xero, and the newest of them, for a handful of calls.

What lists everything in one answer is compared by its ids, and by what is in use; so are payments, since the first
push. What pages is compared by the count that Xero announces and by its newest change. What has changed since the last
pull is no difference: the next one takes it in.

Not compared is what only a call for each record would tell, pay templates and leave balances; nor the other fields.
"""

import logging
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable, XeroError, cleaned
from xero.datasets.declaration import Dataset, Reading
from xero.datasets.registry import DATASETS
from xero.qicworks import connections, database, events, lease
from xero.qicworks.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.events import Counts, Origin
from xero.sync import organisation
from xero.sync.comparison import Comparison
from xero.sync.outcome import Outcome, Skip
from xero.sync.pull import OpenClient
from xero.sync.telling import log_event

log = logging.getLogger(__name__)

NAME = "reconcile"  # in events, where a pull has its data set
PULL_ALL = "Pull it with full_refresh. If the difference stays, xero_sync.rejection or the log of that run says why."


def reconcile(connection_id: UUID | str, *, engine: Engine, open_client: OpenClient, origin: Origin) -> Outcome:
    """Compares every data set of one organisation. One event for each that differs, and one for the whole.

    Raises Skip when another run is at it, a XeroError when Xero cannot be asked; the event says so.
    """
    connection_id = UUID(str(connection_id))
    with database.session(engine) as session:
        connection = connections.one(session, connection_id)
        if not lease.acquire(session, connection_id, "pull", NAME):
            message = f"already running in {events.running(session, connection_id, 'pull', NAME)}"
            events.record(session, connection_id, "pull", NAME, "warning", message, origin)
            log_event(NAME, connection, "warning", Counts(), message)
            raise Skip(message)
        for left in events.close_interrupted(session, connection_id, "pull", NAME):
            log.warning("the run of %s was interrupted; its event %d is closed", left["started_at"], left["id"])
        event_id = events.open_event(session, connection_id, "pull", NAME, origin)
        return _Reconciliation(connection, session, event_id, origin).run(open_client)


class _Reconciliation:
    """One organisation, under its lease and event."""

    def __init__(self, connection: Connection, session: Session, event_id: int, origin: Origin) -> None:
        self.connection = connection
        self.session = session
        self.event_id = event_id
        self.origin = origin
        self.counts = Counts()
        self.client: XeroClient | None = None
        self.differing: list[str] = []
        self.not_available: list[str] = []

    def run(self, open_client: OpenClient) -> Outcome:
        try:
            self.client = open_client(self.connection, self.origin.manual)
            for dataset in DATASETS.values():
                self._compare(self.client, dataset)
            message = f"not in step: {', '.join(self.differing)}" if self.differing else "in step"
            if self.not_available:
                message += f"; not available: {', '.join(self.not_available)}"
            status = "warning" if self.differing else "success"
            self._close(status, message)
            return Outcome(status, self.counts, message)
        except XeroError as error:
            self._close("error", error.message, error.correction)
            raise
        except Exception as error:
            # PostgreSQL's detail repeats the row, which is nobody's business in an event.
            said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
            self._close_at_last(
                f"{type(error).__name__}: {cleaned(said or error)}", "Reconcile again; if it lasts, report it."
            )
            raise
        except BaseException:  # Ctrl-C, or Airflow ends the task
            self._close_at_last("interrupted", "Nothing to do: nothing was changed.")
            raise

    def _compare(self, client: XeroClient, dataset: Dataset) -> None:
        try:
            found = {
                says: None
                for source in dataset.sources
                if source.reading is not Reading.BY_ID
                for says in Comparison(self.session, client, self.connection, dataset, source).run()
            }
        except (NotAvailable, Disconnected) as error:
            if not dataset.payroll or (isinstance(error, Disconnected) and _is_disconnected(client)):
                raise
            log.info("%s: not available: %s", dataset.title, error.message)
            self.not_available.append(dataset.title)
            return
        if not found:
            log.info("%s: in step", dataset.title)
            return
        self.differing.append(dataset.title)
        message = f"reconcile: {'; '.join(found)}"
        with self.session.transaction():
            event_id = events.open_event(self.session, self.connection.id, "pull", dataset.name, self.origin)
            events.close_event(self.session, event_id, "warning", Counts(), message, PULL_ALL)
        log_event(dataset.name, self.connection, "warning", Counts(), message, PULL_ALL)

    def _close(self, status: str, message: str, correction: str | None = None) -> None:
        if self.client is not None:
            self.counts.calls, self.counts.bytes_received = self.client.calls, self.client.bytes_received
        events.close_event(self.session, self.event_id, status, self.counts, message, correction)
        log_event(NAME, self.connection, status, self.counts, message, correction)

    def _close_at_last(self, message: str, correction: str) -> None:
        """After an error of whatever kind: if the database is gone too, the next run closes the event."""
        try:
            self._close("error", message, correction)
        except psycopg.Error as error:  # without its traceback, which would tell the first error and its row again
            said = type(error).__name__
            log.error("the event %d could not be closed (%s); the next run will close it", self.event_id, said)


def _is_disconnected(client: XeroClient) -> bool:
    """Whether Xero says so of the whole organisation, and not of its payroll only."""
    try:
        client.get(organisation.PATH)
    except Disconnected:
        return True
    except XeroError as error:
        log.warning("whether the organisation itself can be reached is not known: %s", error)
    return False
