"""The status of each connection and its data sets, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.datasets.declaration import Timing
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What
from xero.qicworks.runs.outcome import EventOutcome
from xero.qicworks.views import differences
from xero.qicworks.views.event_log import EventScope, scope_parameters

QUERIES = sql.Statements("pages/standing")


@dataclass(frozen=True)
class DataSet:
    """The last run of a data set that ended, and the one that is running. Without `last_event_id` it is the first."""

    direction: str
    data_set: str
    last_event_id: int | None
    last_status: str | None
    last_outcome: str | None
    last_started_at: datetime | None
    last_ended_at: datetime | None
    last_message: str | None
    last_correction: str | None
    last_success_at: datetime | None
    running_event_id: int | None
    running_since: datetime | None


@dataclass(frozen=True)
class ConnectionStatus:
    """A connection, its data sets (those the reader may see), and Xero's last report of the day's calls.

    `calls_left` and `day_limit` are as of `calls_seen_at`; None if Xero reported nothing for a day.
    """

    connection: Connection
    data_sets: tuple[DataSet, ...]
    calls_left: int | None = None
    day_limit: int | None = None
    calls_seen_at: datetime | None = None

    @property
    def last_pull_at(self) -> datetime | None:
        return self._last("pull")

    @property
    def last_push_at(self) -> datetime | None:
        return self._last("push")

    @property
    def running(self) -> tuple[DataSet, ...]:
        return tuple(one for one in self.data_sets if one.running_event_id is not None)

    @property
    def failing(self) -> tuple[DataSet, ...]:
        return tuple(one for one in self.data_sets if one.last_status == "error")

    @property
    def not_available(self) -> tuple[str, ...]:
        """The data sets that Xero does not offer for this organisation: no payroll, a missing role or scope."""
        return tuple(one.data_set for one in self.data_sets if one.last_outcome == EventOutcome.NOT_AVAILABLE)

    def _last(self, direction: str) -> datetime | None:
        ended = (one.last_ended_at for one in self.data_sets if one.direction == direction)
        return max((moment for moment in ended if moment is not None), default=None)


@dataclass(frozen=True)
class NeedsAttention:
    """What a data engineer has to act on. The columns of the rows are those of the statements of the same names.

    `documents`: kind, connection_id (None: no longer connected), organisation_id, organisation, documents, attachments.
    `cancellations`: those that have waited for over an hour.
    `differences`: those with open ones that no user has put off; `acknowledged`: how many are open and put off.
    """

    none_connected: bool
    off: list[Connection]  # all, if all are switched off; that some are off is on purpose
    reconnect: list[Connection]
    failing: list[dict[str, Any]]
    overdue: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    rejections: list[dict[str, Any]]
    stuck: list[dict[str, Any]]
    cancellations: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    acknowledged: int
    unlinked: list[dict[str, Any]]

    def __len__(self) -> int:
        pushed = (self.documents, self.stuck, self.cancellations, self.differences)
        lists = (self.failing, self.overdue, self.rejections, self.unlinked, *pushed)
        return self.none_connected + len(self.off) + len(self.reconnect) + sum(len(rows) for rows in lists)


def page(
    session: Session,
    search: str = "",
    limit: int = 50,
    offset: int = 0,
    scope: EventScope = None,
) -> tuple[list[ConnectionStatus], int]:
    """Returns one page of connections by the organisation's name, and their total number.

    Args:
        search: A part of the organisation's name in QicWorks or Xero.
    """
    wanted = search.strip().casefold()
    found = [
        one
        for one in connections.every(session)
        if wanted in one.organisation.casefold() or wanted in one.tenant_name.casefold()
    ]
    return _statuses(session, found[offset : offset + limit], scope), len(found)


def get_status(session: Session, connection_id: UUID, scope: EventScope = None) -> ConnectionStatus:
    """Raises LookupError if there is none; a deleted one still has its history."""
    [found] = _statuses(session, [connections.one(session, connection_id)], scope)
    return found


def _statuses(session: Session, known: Sequence[Connection], scope: EventScope) -> list[ConnectionStatus]:
    by_connection: dict[UUID, list[DataSet]] = {one.id: [] for one in known}
    for row in QUERIES.data_sets(session, ids=list(by_connection), **scope_parameters(scope)):
        by_connection[row.pop("connection_id")].append(DataSet(**row))
    budget_rows = QUERIES.budgets(session, tenants=[one.tenant_id for one in known])
    budgets = {row["tenant_id"]: (row["day_remaining"], row["day_limit"], row["day_seen_at"]) for row in budget_rows}
    return [
        ConnectionStatus(one, tuple(by_connection[one.id]), *budgets.get(one.tenant_id, (None, None, None)))
        for one in known
    ]


def needs_attention(session: Session, scope: EventScope = None) -> NeedsAttention:
    """Returns what needs attention, of what the reader may see.

    Connections that are off need none, and data sets that are pulled on pay dates are never overdue here.
    """
    pulled = [name for name in DATASETS if scope is None or ("pull", name) in scope]
    pushed = [kind for kind in KINDS.values() if scope is None or ("push", kind.name) in scope]
    nightly = [name for name in pulled if DATASETS[name].timing is not Timing.PAY_DATE]
    known = connections.every(session)
    both = None if scope is None else [*pulled, *(kind.name for kind in pushed)]
    differing = differences.by_organisation(session, both)
    return NeedsAttention(
        none_connected=not known,
        off=[] if any(one.enabled for one in known) else known,
        reconnect=[one for one in known if one.must_reconnect],
        failing=list(QUERIES.failing(session, **scope_parameters(scope))),
        overdue=list(QUERIES.overdue(session, nightly=nightly)),
        documents=_failed_documents(session, pushed),
        rejections=list(QUERIES.rejections(session, pulled=pulled)),
        stuck=list(QUERIES.stuck(session, pushed=[kind.name for kind in pushed])),
        cancellations=_late_cancellations(session, pushed),
        differences=[row for row in differing if row["open"]],
        acknowledged=sum(row["acknowledged"] for row in differing),
        unlinked=_unlinked(session, scope),
    )


def _unlinked(session: Session, scope: EventScope) -> list[dict[str, Any]]:
    """Where people or contacts may be the same as some in Xero: connection_id, organisation, people, contacts."""
    of_scope = {What.STAFF: ("pull", "staff"), What.CONTACT: ("push", "contacts")}
    whats = [what for what, flow in of_scope.items() if scope is None or flow in scope]
    found: dict[UUID, dict[str, Any]] = {}
    for row in waiting.counts(session, whats):
        about = {"connection_id": row["connection_id"], "organisation": row["organisation"]}
        one = found.setdefault(row["connection_id"], {**about, "people": 0, "contacts": 0})
        one["people" if row["what"] == What.STAFF else "contacts"] = row["count"]
    return list(found.values())


def _late_cancellations(session: Session, kinds: Iterable[Kind]) -> list[dict[str, Any]]:
    tables = {kind.name: kind.table for kind in kinds}
    return list(QUERIES.late_cancellations(session, kinds=list(tables), tables=list(tables.values())))


def _failed_documents(session: Session, kinds: Iterable[Kind]) -> list[dict[str, Any]]:
    statement = sql.template("pages/standing", "failed_documents")
    return [
        {"kind": kind.name, **row}
        for kind in kinds
        for row in session.execute(statement.format(table=Identifier(kind.table)), {"table": kind.table})
    ]
