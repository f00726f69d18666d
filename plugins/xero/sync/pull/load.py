"""Loads what was staged into QicWorks: marks bad rows, then merges the rest in one transaction with its event."""

import logging
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from xero.datasets.declaration import Dataset, Reading, Table
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.pull import merge, rejections, staging, tombstones
from xero.qicworks.pull.staged_table import StagedTable
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.sync.pull import newcomers
from xero.sync.pull.extract import Extract
from xero.sync.pull.validate import validate
from xero.sync.runs import schedule
from xero.sync.runs.event_line import listed
from xero.sync.runs.outcome import Outcome, PullFailed

log = logging.getLogger(__name__)

MAX_BAD_IN_FULL = 5  # rows; so few do not stop a full reading, and so few known rows are no sign of an error at Xero
MAX_BAD_IN_CHANGES = 50  # rows; of the latest changes a few dozen may be one person's mistake: the rest must not wait


class Load:
    """Validates and loads one complete staging of one organisation. Adds what it counts to `counts`."""

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
        self.not_asked = 0  # known records that did not come with a full list, and were not asked for by id
        self.loading = merge.Loading(session, extract.staging, connection.id, connection.organisation_id)

    def validate(self, force: bool) -> None:
        """Marks the bad rows.

        Args:
            force: Load the rest however many rows are bad or missing.

        Raises:
            PullFailed: Too many rows are bad, or too many known rows did not come.
        """
        self.force = force
        staged = self.staged
        # A later erasure removes staged rows itself, as long as nothing is loaded.
        tombstones.drop_erased(self.session, self.connection.id, self.dataset, staged)
        for table in self.dataset.tables:
            rows = self._rows(table)
            rows.drop_superseded()
            self.loading.run("filter", table)
            count, came = rows.count(), rows.count_distinct()
            if not force:
                self._check_shrinkage(table, came)
            if not count:
                log.info("%s: nothing new", table.name)
                continue
            checked, warned = validate(rows, self.connection.id)
            self.warned += warned
            bad = rejections.count_newly_bad(rows, self.connection.id, self.dataset)
            log.info("%s: %d rows, %d of them new or changed and checked, %d bad", table.name, count, checked, bad)
            allowed = MAX_BAD_IN_FULL if staged.full else MAX_BAD_IN_CHANGES
            if not force and bad > max(allowed, came * self.dataset.rejected_share):
                self._give_up(
                    f"{bad} of {came} {_in_words(table)} records have problems, so nothing was loaded.",
                    "See Xero → Overview, Records not loaded. Fix them in Xero, then pull again. To load the rest now,"
                    f" ask an administrator to run {self._command('--force')}.",
                )

    def _check_shrinkage(self, table: Table, came: int) -> None:
        """Raises PullFailed if a full reading brought far fewer records than are known."""
        if table.append_only and table.parent_key and self.staged.full:
            known = self.loading.known_parents(table)
            listed = staging.listed(self.session, self.staged)
            what = f"known records with {_in_words(table)} rows"
        elif self._is_fully_read(table):
            known = merge.known(self.session, table, self.connection.id, self._since(table))
            listed = came + self._rows(table).count_listed_only()
            what = f"known {_in_words(table)} records"
        else:
            return
        if known >= MAX_BAD_IN_FULL and listed < known * self.dataset.shrink_share:
            self._give_up(
                f"Xero returned only {listed} of {known} {what}. Nothing was loaded, in case this is an error at Xero.",
                "Check in Xero. If its list really is that short, ask an administrator to run "
                f"{self._command('--full --force')}.",
            )

    def _command(self, options: str) -> str:
        organisation = shlex.quote(self.connection.organisation)
        return f"`python -m xero pull {self.dataset.name} {options} --connection {organisation}`"

    def _is_fully_read(self, table: Table) -> bool:
        """Whether a full reading covers this table, so a row that it did not meet is missing from Xero."""
        if not self.staged.full or table.append_only:
            return False
        lists = [source for source in self.dataset.sources if source.reading is not Reading.BY_ID]
        own = [source for source in lists if table in source.tables] or ([] if table.parent_key else lists[:1])
        return any(source.name in self.extract.positions and not self.extract.is_partial(source) for source in own)

    def _is_also_read_by_id(self, table: Table) -> bool:
        """Whether its records are listed and read by id, so Xero can be asked for what a list lacks."""
        by_id = {source.reading is Reading.BY_ID for source in self.dataset.sources if table in source.tables}
        return len(by_id) == 2

    def _leave(self, table: Table, not_asked: int) -> None:
        """Says that a list was short. It does not count as a full reading."""
        self.not_asked += not_asked
        if not_asked:
            said = f"{not_asked} known {_in_words(table)} records did not come with Xero's list and were kept"
            self.warned[f"{said}: the next full refresh asks for others of them"] += 1

    def _is_listed_apart(self, table: Table) -> bool:
        """Whether all its records are listed, and only changed ones are read by id."""
        by_id = any(table in one.tables for one in self.dataset.sources if one.reading is Reading.BY_ID)
        return by_id and not table.parent_key and not table.append_only and not self.dataset.sources[0].tables

    def _since(self, table: Table) -> datetime | None:
        """The time from which a full reading meets this table's rows; None: from the beginning."""
        return next(
            (self.extract.since(one) for one in self.dataset.sources if table in one.tables and one.starts_at), None
        )

    def _give_up(self, message: str, correction: str) -> None:
        """Keeps the bad rows with their reasons and drops the staging, so the next run asks Xero again. Raises
        PullFailed."""
        with self.session.transaction():
            self.loading.wait_for_others()
            for table in self.dataset.tables:
                self.counts.read += self._rows(table).count_distinct()
                self._settle_rejections(table, held_back=True)
            staging.drop(self.session, self.dataset, self.staged.id)
        raise PullFailed(message, correction)

    def _rows(self, table: Table) -> StagedTable:
        return StagedTable(self.session, self.staged, table)

    def _settle_rejections(self, table: Table, *, held_back: bool) -> None:
        found, reasons = rejections.settle(
            self._rows(table), self.connection.id, self.dataset, self.event_id, held_back=held_back
        )
        self.counts.rejected += found
        self.rejected_for += Counter(reasons)

    def load(self, also: Callable[[], Sequence[str]] = tuple) -> Outcome:
        """One transaction: merge, deactivate, rejections, what `also` does, cursors, event."""
        session, staged = self.session, self.staged
        with session.transaction():
            self.loading.wait_for_others()
            tables = tuple(table.name for table in self.dataset.tables if self._load_table(table))
            self.warned += Counter(also())
            self.counts.read += self.counts.rejected
            for source in self.dataset.sources:
                if source.name in self.extract.positions:
                    staging.move_cursor(
                        session,
                        self.connection.id,
                        self.dataset,
                        source,
                        self.extract.high_water(source),
                        staged.started_at,
                        full=staged.full
                        and not (self.extract.writer.unread or self.not_asked or self.extract.is_partial(source)),
                    )
            staging.drop(session, self.dataset, staged.id)
            if not self.extract.writer.unread:
                schedule.serve(session, self.connection, self.dataset.name, self.dataset.timing, staged.started_at)
            connections.works_again(session, self.connection.id)
            warnings = [listed(self.warned)] if self.warned else []
            if self.counts.rejected:
                warnings.append(f"{self.counts.rejected} rejected ({listed(self.rejected_for)})")
            status = Status.WARNING if warnings else Status.SUCCESS
            outcome = EventOutcome.DONE_WITH_REMARKS if warnings else EventOutcome.DONE
            if self.counts.rejected:
                outcome = EventOutcome.PARTLY_DONE
            message = "; ".join(warnings) or ("loaded" if self.counts.changed else "nothing changed")
            correction = (
                "See Xero → Overview, Records not loaded, and fix them in Xero: each pull retries them."
                if self.counts.rejected
                else None
            )
            events.close_event(
                session, self.event_id, status, outcome, self.counts, message, correction, self.correlation_id
            )
            if warnings:
                events.succeeded(session, self.event_id)
        return Outcome(status, self.counts, message, tables, outcome)

    def _load_table(self, table: Table) -> bool:
        """Returns whether rows of the table changed."""
        before = self.counts.changed
        self.loading.run("before_merge", table)
        if table.linked:
            newcomers.link(self.loading, table, self.connection.id)
        rows = self._rows(table)
        if rows.count():
            self.loading.merge(table, self.counts)
        if table.parent_key and not table.append_only:
            self.counts.deactivated += self.loading.deactivate_parts(table)
        if self._is_listed_apart(table):
            unchanged = rows.count_listed_only()
            self.counts.read += unchanged
            self.counts.unchanged += unchanged
        if self._is_fully_read(table):
            if without_key := rows.count_without_key() + self.extract.writer.without_key:
                self.warned[f"{without_key} records have no id, so no record was made inactive"] += 1
            else:
                missing_groups = [] if self.force else self.loading.missing_groups(table)
                for group in missing_groups:
                    kept = (
                        f"Xero returned no {_in_words(table)} of type {group}: the existing ones were kept. "
                        "Check in Xero whether they were really removed"
                    )
                    self.warned[kept] += 1
                by_id = self._is_also_read_by_id(table) and not self.force
                deactivated, not_asked = self.loading.deactivate_missing(
                    table, self._since(table), missing_groups, by_id=by_id
                )
                self.counts.deactivated += deactivated
                self._leave(table, not_asked)
        for warning in self.loading.run("warnings", table):
            self.warned[warning["message"]] += 1
        self.loading.run("after_merge", table)
        self._settle_rejections(table, held_back=False)
        return self.counts.changed > before


def _in_words(table: Table) -> str:
    return table.name.removesuffix("_record").replace("_", " ")
