"""Which due moment of a data set was served last, and which run may try now."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("due")


@dataclass(frozen=True)
class ScheduleState:
    """What decides whether a data set of a connection is due; the first three are its organisation's."""

    time_zone: str | None
    pay_frequency: str | None
    next_pay_date: date | None
    first_connected_at: datetime
    served_at: datetime | None
    attempts: int
    not_before: datetime | None
    night_hour: int  # 0 to 23


def get_state(session: Session, connection_id: UUID, data_set: str) -> ScheduleState:
    """Raises LookupError if there is no such connection."""
    row = QUERIES.get_state(session, connection_id=connection_id, data_set=data_set)
    if row is None:
        raise LookupError(f"there is no connection {connection_id}; `python -m xero connections` lists them")
    return ScheduleState(**row)


def claim(session: Session, connection_id: UUID, data_set: str, now: datetime, moment: datetime) -> bool:
    """Returns True to exactly one concurrent caller, before it starts a run for `moment`.

    Until `serve`, the next caller gets it after 30 minutes, then after 1, 2, 4 and at most 6 hours.
    """
    pair = {"connection_id": connection_id, "data_set": data_set}
    return bool(QUERIES.claim(session, now=now, moment=moment, **pair))


def serve(session: Session, connection_id: UUID, data_set: str, moment: datetime, started_at: datetime) -> None:
    """Notes, in the transaction of a successful pull, that what was due at `moment` is pulled."""
    pair = {"connection_id": connection_id, "data_set": data_set}
    QUERIES.serve(session, moment=moment, started_at=started_at, **pair)
