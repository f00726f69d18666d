"""Reconcile: whether QicWorks holds as many records as Xero, and the newest of them, for a handful of calls.

What lists everything in one answer is compared by its ids, and by what is in use; so are payments, since the first
push. What pages is compared by the count that Xero announces and by its newest hundred. What has changed since the last
pull is no difference: the next one takes it in.

Of what was pushed it looks for records that are a document's by what they say, while the document is linked to another;
and it names what is said to be pushed without a seal that shows it.

Not compared is what only a call for each record would tell, pay templates and leave balances; nor the other fields.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable
from xero.datasets.declaration import Dataset, Reading
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.sync.connect.clients import OpenClient
from xero.sync.follow.comparison import Comparison
from xero.sync.follow.unlinked_records import Stray, strays
from xero.sync.follow.unproven_pushes import Unshown, unshown
from xero.sync.runs.event_line import log_event
from xero.sync.runs.outcome import Outcome
from xero.sync.runs.run import Run, is_disconnected, run

log = logging.getLogger(__name__)

NAME = "reconcile"  # in events, where a pull has its data set
NAMED = 5  # documents in a message
ONCE_MORE = (
    "Look at each in Xero, beside the one that QicWorks links to: delete or void there what is too much; of leave, "
    "reject it."
)
LOOK_THERE = (
    "Look at each in Xero. What is not there, push again; of what is, an administrator vouches for the link, as the "
    "runbook says. If token_keys were not changed, find out who writes to the database."
)
PULL_ALL = "Pull it with full_refresh. If the difference stays, xero_sync.rejection or the log of that run says why."


def reconcile(connection_id: UUID | str, *, engine: Engine, open_client: OpenClient, origin: Origin) -> Outcome:
    """Compares every data set of one organisation. One event for each that differs, and one for the whole.

    Raises Skip when another run is at it, a XeroError when Xero cannot be asked; the event says so.
    """
    return run(
        engine,
        connection_id,
        Direction.PULL,
        NAME,
        origin,
        open_client,
        lambda it: _Reconciliation(it).run(),
        again="Reconcile again",
    )


class _Reconciliation:
    """One organisation, under its lease and event."""

    def __init__(self, it: Run) -> None:
        self.it = it
        self.session, self.connection, self.origin = it.session, it.connection, it.origin
        self.differing: list[str] = []
        self.in_step: list[str] = []
        self.not_pulled: list[str] = []
        self.not_available: list[str] = []

    def run(self) -> Outcome:
        client = self.it.client
        for dataset in DATASETS.values():
            self._compare(client, dataset)
        self._find_strays(client)
        self._find_unshown(client)
        told = ["in step"] if self.in_step and not self.differing else []
        for how, titles in (
            ("not in step", self.differing),
            ("not pulled yet", self.not_pulled),
            ("not available", self.not_available),
        ):
            told += [f"{how}: {', '.join(dict.fromkeys(titles))}"] if titles else []
        status, outcome = Status.SUCCESS, EventOutcome.DONE
        if self.differing:
            status, outcome = Status.WARNING, EventOutcome.DIFFERS
        return self.it.close(status, outcome, "; ".join(told))

    def _compare(self, client: XeroClient, dataset: Dataset) -> None:
        try:
            comparisons = [
                Comparison(self.session, client, self.connection, dataset, source)
                for source in dataset.sources
                if source.reading is not Reading.BY_ID
            ]
            found = {says: None for comparison in comparisons for says in comparison.run()}
        except (NotAvailable, Disconnected) as error:
            if not dataset.payroll or (isinstance(error, Disconnected) and is_disconnected(client)):
                raise
            log.info("%s: not available: %s", dataset.title, error.message)
            self.not_available.append(dataset.title)
            return
        if found:
            self._tell(Direction.PULL, dataset, "; ".join(found), PULL_ALL)
        elif any(comparison.not_pulled for comparison in comparisons):
            log.info("%s: not pulled yet", dataset.title)
            self.not_pulled.append(dataset.title)
        elif all(comparison.cursor is None for comparison in comparisons):
            log.info("%s: waits for the midnight on which it is pulled", dataset.title)
        else:
            log.info("%s: in step", dataset.title)
            self.in_step.append(dataset.title)

    def _find_strays(self, client: XeroClient) -> None:
        """One event for each kind of document that has some."""
        found: dict[str, list[Stray]] = {}
        try:
            for stray in strays(self.session, client, self.connection):
                found.setdefault(stray.kind.name, []).append(stray)
        except NotAvailable as error:
            log.info("documents in Xero: not available: %s", error.message)
            self.not_available.append("documents")
        for some in found.values():
            said = _named([f"{one.name} as {one.xero_id}" for one in some])
            self._tell(Direction.PUSH, some[0].kind, f"in Xero once more than in QicWorks: {said}", ONCE_MORE)

    def _find_unshown(self, client: XeroClient) -> None:
        """One event for each kind of document that has some."""
        found: dict[str, list[Unshown]] = {}
        for one in unshown(self.session, client, self.connection):
            found.setdefault(one.kind.name, []).append(one)
        for some in found.values():
            said = _named([one.name for one in some])
            self._tell(Direction.PUSH, some[0].kind, f"said to be pushed, and nothing shows it: {said}", LOOK_THERE)

    def _tell(self, direction: Direction, what: Dataset | Kind, says: str, correction: str) -> None:
        self.differing.append(what.title)
        message = f"reconcile: {says}"
        with self.session.transaction():
            event_id = events.open_event(self.session, self.connection.id, direction, what.name, self.origin)
            how = Status.WARNING, EventOutcome.DIFFERS
            events.close_event(self.session, event_id, *how, Counts(), message, correction, self.it.correlation_id)
        id = self.it.correlation_id
        log_event(what.name, self.connection, Status.WARNING, Counts(), message, correction, correlation_id=id)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
