"""Reconciles: compares the records in QicWorks with those in Xero, for a few calls.

Lists that come in one response are compared by id and by status; so are payments since the first push. Lists with pages
are compared by the count that Xero announces, and by the newest hundred. Changes since the last pull are not a
difference, because the next pull brings them.

Of documents that were pushed, also of those that QicWorks has cancelled, deleted or moved since, it looks for records
that are a document by their content while the document is linked to another; and for documents marked as pushed without
a seal that proves it. Every document that is followed is compared again with its record as last read; the tie-out reads
all of them first.

What it finds is kept as a difference, until a later run no longer finds it.

Pay templates and leave balances are not compared, because that would cost a call for each employee. Nor are the other
fields.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable
from xero.datasets.declaration import Dataset
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks.follow import differences
from xero.qicworks.follow.pushed_documents import forget_compared
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.sync.connect.clients import OpenClient
from xero.sync.follow.lasting import compare_data_set, keep_unlinked, keep_unproven
from xero.sync.follow.pulling import followers
from xero.sync.follow.unlinked_records import UnlinkedRecord, find_unlinked_records
from xero.sync.follow.unproven_pushes import UnprovenPush, find_unproven_pushes
from xero.sync.runs.event_line import log_event
from xero.sync.runs.outcome import Outcome
from xero.sync.runs.run import Run, is_disconnected, run

log = logging.getLogger(__name__)

NAME = "reconcile"  # in events, where a pull has its data set
MAX_NAMED = 5  # documents in a message
RECORD_TWICE = (
    "Look at each in Xero, and at the one that QicWorks is linked to. Delete or void the extra one in Xero; "
    "if it is leave, reject it."
)
LOOK_IN_XERO = (
    "Look at each in Xero. If it is not there, push it again. If it is there, ask an administrator to confirm the "
    "link, as the runbook says. If token_keys were not changed, find out who writes to the database."
)
FULL_REFRESH = (
    "Do a full refresh of this data set. If the difference remains, the reason is under Xero → Overview, Records not "
    "loaded, or in the log of that run."
)


def reconcile(connection_id: UUID | str, *, engine: Engine, open_client: OpenClient, origin: Origin) -> Outcome:
    """Compares every data set of one organisation. Writes an event for each that differs, and one for the comparison.

    Raises:
        Skip: Another run is reconciling it.
        XeroError: Xero cannot be asked.
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
    """The reconciliation of one organisation, under its lease and event."""

    def __init__(self, it: Run) -> None:
        self.it = it
        self.session, self.connection, self.origin = it.session, it.connection, it.origin
        self.differing: list[str] = []
        self.equal: list[str] = []
        self.not_pulled: list[str] = []
        self.not_available: list[str] = []

    def run(self) -> Outcome:
        client = self.it.client
        for dataset in DATASETS.values():
            self._compare(client, dataset)
        self._report_unlinked_records(client)
        self._report_unproven_pushes(client)
        self._compare_documents()
        results = ["no differences"] if self.equal and not self.differing else []
        for how, titles in (
            ("differences found in", self.differing),
            ("not pulled yet", self.not_pulled),
            ("not available", self.not_available),
        ):
            results += [f"{how}: {', '.join(dict.fromkeys(titles))}"] if titles else []
        status, outcome = Status.SUCCESS, EventOutcome.DONE
        if self.differing:
            status, outcome = Status.WARNING, EventOutcome.DIFFERS
        return self.it.close(status, outcome, "; ".join(results))

    def _compare(self, client: XeroClient, dataset: Dataset) -> None:
        try:
            compared = compare_data_set(self.it, client, dataset)
        except (NotAvailable, Disconnected) as error:
            if not dataset.payroll or (isinstance(error, Disconnected) and is_disconnected(client)):
                raise
            log.info("%s: not available: %s", dataset.title, error.message)
            self.not_available.append(dataset.title)
            return
        if compared.sentences:
            self._report(Direction.PULL, dataset, "; ".join(compared.sentences), FULL_REFRESH)
        elif compared.not_pulled:
            log.info("%s: not pulled yet", dataset.title)
            self.not_pulled.append(dataset.title)
        elif not compared.is_compared:
            log.info("%s: not pulled before its midnight", dataset.title)
        else:
            log.info("%s: no differences", dataset.title)
            self.equal.append(dataset.title)

    def _report_unlinked_records(self, client: XeroClient) -> None:
        """Writes one event for each kind of document that has some."""
        found: dict[str, list[UnlinkedRecord]] = {}
        searched: set[str] = set()
        try:
            for record in find_unlinked_records(self.session, client, self.connection, searched):
                found.setdefault(record.kind.name, []).append(record)
        except NotAvailable as error:
            log.info("documents in Xero: not available: %s", error.message)
            self.not_available.append("documents")
        keep_unlinked(self.it, [one for some in found.values() for one in some], searched)
        for some in found.values():
            names = _named([f"{one.name} as {one.xero_id}" for one in some])
            self._report(Direction.PUSH, some[0].kind, f"in Xero a second time: {names}", RECORD_TWICE)

    def _report_unproven_pushes(self, client: XeroClient) -> None:
        """Writes one event for each kind of document that has some."""
        found: dict[str, list[UnprovenPush]] = {}
        for one in find_unproven_pushes(self.session, client, self.connection):
            found.setdefault(one.kind.name, []).append(one)
        keep_unproven(self.it, [one for some in found.values() for one in some])
        for some in found.values():
            names = _named([one.name for one in some])
            self._report(Direction.PUSH, some[0].kind, f"marked as pushed, but not proven: {names}", LOOK_IN_XERO)

    def _compare_documents(self) -> None:
        """Compares every document that is followed with its record, as last read: no call. A new difference has an
        event of its own; the run names the kinds of documents with open ones."""
        with self.session.transaction():
            forget_compared(self.session, self.connection)
            for follow in followers():
                for remark in follow(self.it):
                    log.info("documents: %s", remark)
        opened = differences.listed(self.session, self.connection.id, kinds=list(KINDS))
        # Of data sets, which may have the name of a kind, too, there is no document.
        self.differing += (KINDS[one.document_kind].title for one in opened if one.document_id)

    def _report(self, direction: Direction, what: Dataset | Kind, difference: str, correction: str) -> None:
        self.differing.append(what.title)
        message = f"reconcile: {difference}"
        with self.session.transaction():
            event_id = events.open_event(self.session, self.connection.id, direction, what.name, self.origin)
            how = Status.WARNING, EventOutcome.DIFFERS
            events.close_event(self.session, event_id, *how, Counts(), message, correction, self.it.correlation_id)
        id = self.it.correlation_id
        log_event(what.name, self.connection, Status.WARNING, Counts(), message, correction, correlation_id=id)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{', '.join(names[:MAX_NAMED])}{more}"
