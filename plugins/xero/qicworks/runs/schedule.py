"""What is pulled by the organisation's own clock: which moment was served last, who may try now, and when again."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("due")


@dataclass(frozen=True)
class Standing:
    """How it stands with one data set of one connection; the first three are its organisation's."""

    time_zone: str | None
    pay_frequency: str | None
    next_pay_date: date | None
    served_at: datetime | None
    attempts: int
    not_before: datetime | None


def standing(session: Session, connection_id: UUID, data_set: str) -> Standing:
    """LookupError if there is no such connection."""
    row = QUERIES.standing(session, connection_id=connection_id, data_set=data_set)
    if row is None:
        raise LookupError(f"there is no connection {connection_id}; `python -m xero connections` lists them")
    return Standing(**row)


def claim(session: Session, connection_id: UUID, data_set: str, now: datetime, moment: datetime) -> bool:
    """Before a run for `moment` is started: whether it is this one that may. Of two at once one may.

    Until `serve`, the next may after 30 minutes, then 1 hour, 2, 4 and at most 6.
    """
    pair = {"connection_id": connection_id, "data_set": data_set}
    return bool(QUERIES.claim(session, now=now, moment=moment, **pair))


def serve(session: Session, connection_id: UUID, data_set: str, moment: datetime, started_at: datetime) -> None:
    """In the transaction of a pull that went well: what was to be pulled at `moment` is pulled."""
    pair = {"connection_id": connection_id, "data_set": data_set}
    QUERIES.serve(session, moment=moment, started_at=started_at, **pair)
