"""Calls to Xero and their results by day, by data set and by organisation. Days are in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.views.event_log import EventScope, scope_parameters

QUERIES = sql.Statements("pages/traffic")


@dataclass(frozen=True)
class Day:
    """The runs that ended on that day. `runs` counts events, except those of one document."""

    day: date
    calls: int
    bytes_received: int
    runs: int
    failed_runs: int


def by_day(
    session: Session, connection_id: UUID | None = None, scope: EventScope = None, *, days: int = 30
) -> list[Day]:
    """The last days including today, oldest first, also those without traffic."""
    found = QUERIES.by_day(session, connection_id=connection_id, days=days, **scope_parameters(scope))
    return [Day(**row) for row in found]


def by_data_set(
    session: Session, connection_id: UUID | None = None, scope: EventScope = None, *, days: int = 30
) -> list[dict[str, Any]]:
    """direction, data_set, runs, failed_runs, read, written, pushed, calls, bytes_received; most calls first."""
    return list(QUERIES.by_data_set(session, connection_id=connection_id, days=days, **scope_parameters(scope)))


def by_organisation(
    session: Session, scope: EventScope = None, *, days: int = 30, limit: int = 20
) -> list[dict[str, Any]]:
    """connection_id, organisation, state, and the same sums; most calls first."""
    return list(QUERIES.by_organisation(session, days=days, limit=limit, **scope_parameters(scope)))
