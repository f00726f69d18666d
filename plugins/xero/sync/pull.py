"""Pull: one data set of one organisation, extracted, validated and loaded, under a lease, with one connection event."""

import logging
import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable, RetryLater, XeroError, cleaned
from xero.datasets.declaration import Dataset, Reading, Table
from xero.qicworks import connections, database, events, lease, merge, rejections, staging
from xero.qicworks.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.events import Counts, Origin
from xero.qicworks.staging import Staging
from xero.sync import due, organisation, quality
from xero.sync.extract import Extract
from xero.sync.listing import Progress
from xero.sync.telling import group, listed, log_event, size

__all__ = ["Origin", "Outcome", "PullFailed", "Skip", "pull"]

log = logging.getLogger(__name__)

OpenClient = Callable[[Connection, bool], XeroClient]  # (connection, started by hand) -> client

LONGEST_WAIT = 300.0  # seconds; a longer wait does not hold a task
FEW = 5  # so few bad or missing records say nothing about the whole
FEW_CHANGES = 50  # of what changed since the last run a few dozen may be one person's slip: the rest must not wait


class Skip(Exception):
    """Nothing to do now: another run is at it, or Xero's limit opens much later."""


class PullFailed(Exception):
    """What came is not fit to be loaded; nothing was. Trying again at once would bring the same."""

    def __init__(self, message: str, correction: str) -> None:
        super().__init__(f"{message} {correction}")
        self.message = message
        self.correction = correction


@dataclass(frozen=True)
class Outcome:
    """What a pull did, as its event says."""

    status: str  # success, warning
    counts: Counts
    message: str

    @property
    def changed(self) -> bool:
        return bool(self.counts.inserted or self.counts.updated or self.counts.deactivated)

    def to_dict(self) -> dict[str, Any]:
        return {"status": self.status, "changed": self.changed, **asdict(self.counts)}


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
        self.rejected_for: Counter[str] = Counter()
        self.client: XeroClient | None = None

    def run(self, open_client: OpenClient, full: bool, anyway: bool, progress: Progress) -> Outcome:
        try:
            with group(f"extract: {self.dataset.title} of {self.connection.organisation}"):
                self.client = open_client(self.connection, self.origin.manual)
                self._keep_organisation_fresh()
                extract = Extract(
                    self.session, self.client, self.dataset, self.connection, full=full, progress=progress
                )
                staged = extract.run()
                self._count_calls()
                log.info("%d calls, %s", self.counts.calls, size(self.counts.bytes_received))
            with group("validate"):
                loading = merge.Loading(self.session, staged, self.connection.id, self.connection.organisation_id)
                warned = self._validate(loading, extract, anyway)
            for warning in extract.warnings:
                warned[warning] += 1
            with group("load"):
                outcome = self._load(loading, extract, warned)
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
        except Exception as error:
            # PostgreSQL's detail repeats the row, which is nobody's business in an event.
            said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
            self._close_at_last(
                f"{type(error).__name__}: {cleaned(said or error)}", "Pull again; if it lasts, report it."
            )
            raise
        except BaseException:  # Ctrl-C, or Airflow ends the task
            self._close_at_last("interrupted", "Nothing to do: the next run goes on where this one stopped.")
            raise

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
            self._serve(datetime.now(UTC))
            self._close("warning", message, error.correction)
        return Outcome("warning", self.counts, message)

    def _serve(self, started_at: datetime) -> None:
        """What was due when this began is done."""
        due.serve(self.session, self.connection, self.dataset.name, self.dataset.timing, started_at)

    def _keep_organisation_fresh(self) -> None:
        assert self.client is not None
        if organisation.is_stale(self.connection):
            log.info(organisation.refresh(self.session, self.client, self.connection))

    def _validate(self, loading: merge.Loading, extract: Extract, anyway: bool) -> Counter[str]:
        """Marks the bad rows. PullFailed when there are too many, or when too little came."""
        warned: Counter[str] = Counter()
        staged = loading.staging
        for table in self.dataset.tables:
            staging.drop_superseded(self.session, staged, table)
            loading.run("narrow", table)
            rows = staging.count(self.session, staged, table)
            came = staging.distinct(self.session, staged, table)
            if not anyway and self._read_whole(staged, table):
                known = merge.known(self.session, table, self.connection.id, self._since(table, extract))
                listed = came + merge.listed_only(self.session, staged, table)
                if known >= FEW and listed < known * self.dataset.shrink_share:
                    self._give_up(
                        staged,
                        f"Xero sent {listed} of {known} known rows of {table.name}: not believed, nothing was loaded.",
                        f"If it is right, run `python -m xero pull {self.dataset.name} --full --anyway"
                        f" --connection {shlex.quote(self.connection.organisation)}`.",
                    )
            if not rows:
                log.info("%s: nothing new", table.name)
                continue
            checked, odd = quality.validate(self.session, self.connection.id, table, staged)
            warned += odd
            bad = rejections.count_newly_bad(self.session, self.connection.id, self.dataset, table, staged)
            log.info("%s: %d rows, %d of them new or changed and checked, %d bad", table.name, rows, checked, bad)
            if not anyway and bad > (FEW if staged.whole else FEW_CHANGES) and bad > came * self.dataset.rejected_share:
                self._give_up(
                    staged,
                    f"{bad} of {came} rows of {table.name} are bad: nothing was loaded.",
                    "See xero_sync.rejection for the reasons; mend them in Xero, or the rules here, and pull again."
                    " To load the rest all the same: "
                    f"`python -m xero pull {self.dataset.name} --anyway"
                    f" --connection {shlex.quote(self.connection.organisation)}`.",
                )
        return warned

    def _read_whole(self, staged: Staging, table: Table) -> bool:
        """Whether a row of this table that was neither listed nor read is gone from Xero."""
        if not staged.whole or table.history:
            return False
        listed = any(table in one.tables for one in self.dataset.sources if one.reading is not Reading.BY_ID)
        return listed or not table.part_of

    def _is_listed_apart(self, table: Table) -> bool:
        """Whether its records are listed, and only those that changed are read by id."""
        by_id = any(table in one.tables for one in self.dataset.sources if one.reading is Reading.BY_ID)
        return by_id and not table.part_of and not table.history and not self.dataset.sources[0].tables

    def _since(self, table: Table, extract: Extract) -> datetime | None:
        """From when on a whole reading can meet this table's rows; None: from the beginning."""
        return next((extract.since(one) for one in self.dataset.sources if table in one.tables and one.starts_at), None)

    def _give_up(self, staged: Staging, message: str, correction: str) -> None:
        """Keeps the bad rows with their reasons, drops the staging: the next run must ask Xero anew."""
        with self.session.transaction():
            for table in self.dataset.tables:
                self.counts.read += staging.distinct(self.session, staged, table)
                self._settle_rejections(table, staged, held_back=True)
            staging.drop(self.session, self.dataset, staged.id)
        raise PullFailed(message, correction)

    def _settle_rejections(self, table: Table, staged: Staging, *, held_back: bool) -> None:
        found, reasons = rejections.settle(
            self.session, self.connection.id, self.dataset, table, staged, self.event_id, held_back=held_back
        )
        self.counts.rejected += found
        self.rejected_for += Counter(reasons)

    def _load(self, loading: merge.Loading, extract: Extract, warned: Counter[str]) -> Outcome:
        """One transaction: merge, deactivate, rejections, cursors, event."""
        session, staged = self.session, loading.staging
        with session.transaction():
            loading.wait_for_others()
            for table in self.dataset.tables:
                self._load_table(loading, table, extract, warned)
            self.counts.read += self.counts.rejected
            for source in self.dataset.sources:
                if source.name in extract.positions:
                    staging.move_cursor(
                        session,
                        self.connection.id,
                        self.dataset,
                        source,
                        extract.high_water(source),
                        whole=staged.whole,
                    )
            staging.drop(session, self.dataset, staged.id)
            self._serve(staged.started_at)
            connections.works_again(session, self.connection.id)
            notes = [listed(warned)] if warned else []
            if self.counts.rejected:
                notes.append(f"{self.counts.rejected} rejected ({listed(self.rejected_for)})")
            status = "warning" if notes else "success"
            changed = self.counts.inserted or self.counts.updated or self.counts.deactivated
            message = "; ".join(notes) or ("loaded" if changed else "nothing changed")
            correction = (
                "xero_sync.rejection has them; mend them in Xero, they are tried again in each run."
                if self.counts.rejected
                else None
            )
            self._count_calls()
            events.close_event(session, self.event_id, status, self.counts, message, correction)
        return Outcome(status, self.counts, message)

    def _load_table(self, loading: merge.Loading, table: Table, extract: Extract, warned: Counter[str]) -> None:
        session, staged = self.session, loading.staging
        loading.run("before_merge", table)
        if staging.count(session, staged, table):
            loading.merge(table, self.counts)
        if table.part_of:
            self.counts.deactivated += loading.retire_parts(table)
        if self._is_listed_apart(table):
            unchanged = merge.listed_only(session, staged, table)
            self.counts.read += unchanged
            self.counts.unchanged += unchanged
        if self._read_whole(staged, table):
            if nameless := rejections.nameless(session, staged, table):
                warned[f"{nameless} rows do not say which record they are, so none was taken for gone"] += 1
            else:
                self.counts.deactivated += loading.retire(table, self._since(table, extract))
        for warning in loading.run("warnings", table):
            warned[warning["says"]] += 1
        loading.run("after_merge", table)
        self._settle_rejections(table, staged, held_back=False)

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
        except psycopg.Error:
            log.exception("the event %d could not be closed; the next run will close it", self.event_id)
