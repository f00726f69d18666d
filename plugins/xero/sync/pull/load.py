"""From staging into QicWorks: the bad rows are marked, the rest is loaded, in one transaction with its event."""

import logging
import shlex
from collections import Counter
from datetime import datetime

from xero.datasets.declaration import Dataset, Reading, Table
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.pull import merge, rejections, staging, tombstones
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.sync.pull import validate as quality
from xero.sync.pull.extract import Extract
from xero.sync.runs import schedule
from xero.sync.runs.event_line import listed
from xero.sync.runs.outcome import Outcome, PullFailed

log = logging.getLogger(__name__)

FEW = 5  # so few bad or missing records say nothing about the whole
FEW_CHANGES = 50  # of what changed since the last run a few dozen may be one person's slip: the rest must not wait


class Load:
    """One complete staging of one organisation. What it counts goes into `counts`."""

    def __init__(
        self,
        session: Session,
        dataset: Dataset,
        connection: Connection,
        extract: Extract,
        event_id: int,
        counts: Counts,
        correlation_id: str | None = None,
    ) -> None:
        self.session = session
        self.dataset = dataset
        self.connection = connection
        self.extract = extract
        self.staged = extract.staging
        self.event_id = event_id
        self.counts = counts
        self.correlation_id = correlation_id
        self.rejected_for: Counter[str] = Counter()
        self.warned: Counter[str] = Counter(extract.writer.warnings)
        self.force = False
        self.loading = merge.Loading(session, extract.staging, connection.id, connection.organisation_id)

    def validate(self, force: bool) -> None:
        """Marks the bad rows. PullFailed when there are too many, or when too little came."""
        self.force = force
        staged = self.staged
        # An erasure that comes later takes what is staged itself, while nothing is loaded.
        tombstones.leave_out(self.session, self.connection.id, self.dataset, staged)
        for table in self.dataset.tables:
            staging.drop_superseded(self.session, staged, table)
            self.loading.run("narrow", table)
            rows = staging.count(self.session, staged, table)
            came = staging.distinct(self.session, staged, table)
            if not force:
                self._believe(table, came)
            if not rows:
                log.info("%s: nothing new", table.name)
                continue
            checked, odd = quality.validate(self.session, self.connection.id, table, staged)
            self.warned += odd
            bad = rejections.count_newly_bad(self.session, self.connection.id, self.dataset, table, staged)
            log.info("%s: %d rows, %d of them new or changed and checked, %d bad", table.name, rows, checked, bad)
            if not force and bad > (FEW if staged.whole else FEW_CHANGES) and bad > came * self.dataset.rejected_share:
                self._give_up(
                    f"{bad} of {came} rows of {table.name} are bad: nothing was loaded.",
                    "See xero_sync.rejection for the reasons; mend them in Xero, or the rules here, and pull again."
                    " To load the rest all the same: "
                    f"`python -m xero pull {self.dataset.name} --force"
                    f" --connection {shlex.quote(self.connection.organisation)}`.",
                )

    def _believe(self, table: Table, came: int) -> None:
        """PullFailed when a whole reading brought far less than is known."""
        if table.history and table.part_of and self.staged.whole:
            known = self.loading.known_parents(table)
            listed = staging.listed(self.session, self.staged)
            what = f"known records with rows of {table.name}"
        elif self._read_whole(table):
            known = merge.known(self.session, table, self.connection.id, self._since(table))
            listed = came + staging.listed_only(self.session, self.staged, table)
            what = f"known rows of {table.name}"
        else:
            return
        if known >= FEW and listed < known * self.dataset.shrink_share:
            self._give_up(
                f"Xero sent {listed} of {known} {what}: not believed, nothing was loaded.",
                f"If it is right, run `python -m xero pull {self.dataset.name} --full --force"
                f" --connection {shlex.quote(self.connection.organisation)}`.",
            )

    def _read_whole(self, table: Table) -> bool:
        """Whether a row of this table that was neither listed nor read is gone from Xero."""
        if not self.staged.whole or table.history:
            return False
        listing = [one for one in self.dataset.sources if one.reading is not Reading.BY_ID]
        of_it = [one for one in listing if table in one.tables] or ([] if table.part_of else listing[:1])
        return any(one.name in self.extract.positions for one in of_it)

    def _is_listed_apart(self, table: Table) -> bool:
        """Whether its records are listed, and only those that changed are read by id."""
        by_id = any(table in one.tables for one in self.dataset.sources if one.reading is Reading.BY_ID)
        return by_id and not table.part_of and not table.history and not self.dataset.sources[0].tables

    def _since(self, table: Table) -> datetime | None:
        """From when on a whole reading can meet this table's rows; None: from the beginning."""
        return next(
            (self.extract.since(one) for one in self.dataset.sources if table in one.tables and one.starts_at), None
        )

    def _give_up(self, message: str, correction: str) -> None:
        """Keeps the bad rows with their reasons, drops the staging: the next run must ask Xero anew."""
        with self.session.transaction():
            self.loading.wait_for_others()
            for table in self.dataset.tables:
                self.counts.read += staging.distinct(self.session, self.staged, table)
                self._settle_rejections(table, held_back=True)
            staging.drop(self.session, self.dataset, self.staged.id)
        raise PullFailed(message, correction)

    def _settle_rejections(self, table: Table, *, held_back: bool) -> None:
        found, reasons = rejections.settle(
            self.session, self.connection.id, self.dataset, table, self.staged, self.event_id, held_back=held_back
        )
        self.counts.rejected += found
        self.rejected_for += Counter(reasons)

    def load(self) -> Outcome:
        """One transaction: merge, deactivate, rejections, cursors, event."""
        session, staged = self.session, self.staged
        with session.transaction():
            self.loading.wait_for_others()
            tables = tuple(table.name for table in self.dataset.tables if self._load_table(table))
            self.counts.read += self.counts.rejected
            for source in self.dataset.sources:
                if source.name in self.extract.positions:
                    staging.move_cursor(
                        session,
                        self.connection.id,
                        self.dataset,
                        source,
                        self.extract.high_water(source),
                        whole=staged.whole and not self.extract.writer.unread,
                    )
            staging.drop(session, self.dataset, staged.id)
            if not self.extract.writer.unread:
                schedule.serve(session, self.connection, self.dataset.name, self.dataset.timing, staged.started_at)
            connections.works_again(session, self.connection.id)
            notes = [listed(self.warned)] if self.warned else []
            if self.counts.rejected:
                notes.append(f"{self.counts.rejected} rejected ({listed(self.rejected_for)})")
            status = Status.WARNING if notes else Status.SUCCESS
            outcome = EventOutcome.DONE_WITH_REMARKS if notes else EventOutcome.DONE
            if self.counts.rejected:
                outcome = EventOutcome.PARTLY_DONE
            message = "; ".join(notes) or ("loaded" if self.counts.changed else "nothing changed")
            correction = (
                "xero_sync.rejection has them; mend them in Xero, they are tried again in each run."
                if self.counts.rejected
                else None
            )
            events.close_event(
                session, self.event_id, status, outcome, self.counts, message, correction, self.correlation_id
            )
            if notes:
                events.succeeded(session, self.event_id)
        return Outcome(status, self.counts, message, tables, outcome)

    def _load_table(self, table: Table) -> bool:
        """Whether rows of it changed."""
        session, staged, before = self.session, self.staged, self.counts.changed
        self.loading.run("before_merge", table)
        if staging.count(session, staged, table):
            self.loading.merge(table, self.counts)
        if table.part_of and not table.history:
            self.counts.deactivated += self.loading.deactivate_parts(table)
        if self._is_listed_apart(table):
            unchanged = staging.listed_only(session, staged, table)
            self.counts.read += unchanged
            self.counts.unchanged += unchanged
        if self._read_whole(table):
            if without_key := staging.without_key(session, staged, table) + self.extract.writer.without_key:
                self.warned[f"{without_key} rows do not say which record they are, so none was taken for gone"] += 1
            else:
                missing_groups = [] if self.force else self.loading.missing_groups(table)
                for group in missing_groups:
                    self.warned[f"Xero sent no {table.name} of the kind {group} at all: not believed, they stay"] += 1
                self.counts.deactivated += self.loading.deactivate_missing(table, self._since(table), missing_groups)
        for warning in self.loading.run("warnings", table):
            self.warned[warning["says"]] += 1
        self.loading.run("after_merge", table)
        self._settle_rejections(table, held_back=False)
        return self.counts.changed > before
