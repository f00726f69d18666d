"""The latest tie-out of an organisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.runs.outcome import EventOutcome

QUERIES = sql.Statements("pages/tie_out")

#: Outcomes of a tie-out that has read everything.
READ_ALL = (EventOutcome.DONE, EventOutcome.DIFFERS)


@dataclass(frozen=True)
class LastTieOut:
    """Its event. `outcome` None: of a worker of an earlier version."""

    id: int
    started_at: datetime
    status: str
    outcome: str | None
    message: str | None

    @property
    def has_read_all(self) -> bool:
        return self.outcome in READ_ALL


def last_tie_out(session: Session, connection_id: UUID) -> LastTieOut | None:
    row = QUERIES.last_tie_out(session, connection_id=connection_id)
    return LastTieOut(**row) if row else None
