"""How it stands: each connection's data sets, and what somebody has to act on."""

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
from xero.qicworks.runs.outcome import EventOutcome
from xero.qicworks.views.event_log import Pair, pairs

QUERIES = sql.Statements("pages/standing")


@dataclass(frozen=True)
class DataSet:
    """The last event of a pair that ended, and whether one runs. Without `last_event_id` it runs for the first time."""

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
class Standing:
    """A connection, its data sets (of those the reader may see), and what Xero last told of the day's calls.

    `calls_left` and `day_limit` are as of `calls_seen_at`; None if Xero told nothing for a day.
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
        """The data sets that Xero does not give from this organisation: no payroll, a missing role or scope."""
        return tuple(one.data_set for one in self.data_sets if one.last_outcome == EventOutcome.NOT_AVAILABLE)

    def _last(self, direction: str) -> datetime | None:
        ended = (one.last_ended_at for one in self.data_sets if one.direction == direction)
        return max((moment for moment in ended if moment is not None), default=None)


@dataclass(frozen=True)
class NeedsAHand:
    """What a data engineer has to act on. The rows' columns are those of the statements of these names.

    `documents`: kind, connection_id (None: no longer connected), organisation_id, organisation, documents, attachments.
    """

    nobody: bool  # is connected
    off: list[Connection]  # where all are switched off, all; that some are is somebody's decision
    reconnect: list[Connection]
    failing: list[dict[str, Any]]
    overdue: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    rejections: list[dict[str, Any]]
    stuck: list[dict[str, Any]]

    def __len__(self) -> int:
        told = (self.failing, self.overdue, self.documents, self.rejections, self.stuck)
        return self.nobody + len(self.off) + len(self.reconnect) + sum(len(rows) for rows in told)


def page(
    session: Session,
    search: str = "",
    limit: int = 50,
    offset: int = 0,
    data_sets: frozenset[Pair] | None = None,
) -> tuple[list[Standing], int]:
    """Live connections by the organisation's name, and how many there are in all. `search` is a part of the name that
    QicWorks or Xero has."""
    wanted = search.strip().casefold()
    found = [
        one
        for one in connections.every(session)
        if wanted in one.organisation.casefold() or wanted in one.tenant_name.casefold()
    ]
    return _standing(session, found[offset : offset + limit], data_sets), len(found)


def one(session: Session, connection_id: UUID, data_sets: frozenset[Pair] | None = None) -> Standing:
    """LookupError if there is none; a deleted one still has its history."""
    [standing] = _standing(session, [connections.one(session, connection_id)], data_sets)
    return standing


def _standing(session: Session, known: Sequence[Connection], data_sets: frozenset[Pair] | None) -> list[Standing]:
    by_connection: dict[UUID, list[DataSet]] = {one.id: [] for one in known}
    for row in QUERIES.data_sets(session, ids=list(by_connection), **pairs(data_sets)):
        by_connection[row.pop("connection_id")].append(DataSet(**row))
    told = QUERIES.budgets(session, tenants=[one.tenant_id for one in known])
    budgets = {row["tenant_id"]: (row["day_remaining"], row["day_limit"], row["day_seen_at"]) for row in told}
    return [
        Standing(one, tuple(by_connection[one.id]), *budgets.get(one.tenant_id, (None, None, None))) for one in known
    ]


def needs_a_hand(session: Session, data_sets: frozenset[Pair] | None = None) -> NeedsAHand:
    """Of the pairs that the reader may see. What is switched off needs none; data sets that are pulled on pay dates are
    never overdue here."""
    pulled = [name for name in DATASETS if data_sets is None or ("pull", name) in data_sets]
    pushed = [kind for kind in KINDS.values() if data_sets is None or ("push", kind.name) in data_sets]
    nightly = [name for name in pulled if DATASETS[name].timing is not Timing.PAY_DATE]
    known = connections.every(session)
    return NeedsAHand(
        nobody=not known,
        off=[] if any(one.enabled for one in known) else known,
        reconnect=[one for one in known if one.must_reconnect],
        failing=list(QUERIES.failing(session, **pairs(data_sets))),
        overdue=list(QUERIES.overdue(session, nightly=nightly)),
        documents=_failed_documents(session, pushed),
        rejections=list(QUERIES.rejections(session, pulled=pulled)),
        stuck=list(QUERIES.stuck(session, pushed=[kind.name for kind in pushed])),
    )


def _failed_documents(session: Session, kinds: Iterable[Kind]) -> list[dict[str, Any]]:
    statement = sql.template("pages/standing", "failed_documents")
    return [
        {"kind": kind.name, **row}
        for kind in kinds
        for row in session.execute(statement.format(table=Identifier(kind.table)), {"table": kind.table})
    ]
