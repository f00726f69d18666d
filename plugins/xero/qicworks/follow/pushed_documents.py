"""The documents of one kind that are in Xero, or should be, with what is known of their records there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.documents.declaration import Delivery, Kind, PricedKind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

QUERIES = sql.Statements("follow/tie_out")

#: The statement that reads the documents of a kind, by how they are delivered. Others are not followed.
STATEMENTS = {Delivery.BATCH: "priced", Delivery.LEAVE: "leave"}
LEAVE_RECORDS = "leave_application"


@dataclass(frozen=True)
class PushedDocument:
    """A document, and its record in Xero.

    Args:
        day: As a text, because PostgreSQL knows days that Python does not; None: it has none, or is deleted.
        is_of_period: By its day in QicWorks; one without a day always is.
        their_day: As Xero has it: of its JSON, or of leave as a date; None: its record has none, or is not there.
        in_xero: It is in force there, as last read.
        is_read: Its record was read, and is not rejected.
        is_compared: It was compared with its record since that was last asked for.
        payments: The sum of the payments of it that Xero lists; None: the kind has none.
    """

    id: UUID
    number: str | None
    day: str | None
    push_state: str
    currency: str | None
    their_currency: str | None
    our_total: Decimal | None
    is_linked: bool
    is_deleted: bool
    their_total: Decimal | None
    is_of_period: bool
    their_day: str | None
    in_xero: bool
    is_read: bool
    is_compared: bool
    is_cancelled: bool
    is_cancelled_in_xero: bool
    our_paid: Decimal | None
    their_paid: Decimal | None
    payments: Decimal | None


class PushedDocuments:
    """The documents of one kind and organisation."""

    def __init__(self, session: Session, connection: Connection, kind: Kind) -> None:
        self._session = session
        self._kind = kind
        self._of = {"connection_id": connection.id, "organisation_id": connection.organisation_id}

    def read(self, first: date, last: date, differing: Collection[UUID]) -> list[PushedDocument]:
        """Those of these days, those without a day, and those that may have one of these days in Xero.

        `differing`: they count whatever their state."""
        paid = isinstance(self._kind, PricedKind) and self._kind.paid
        parts = {"paid": sql.template("follow/tie_out", "paid" if paid else "not_paid")}
        names = {"table": Identifier(self._kind.table), "records": Identifier(self._records)}
        statement = sql.template("follow/tie_out", STATEMENTS[self._kind.delivery]).format(**names, **parts)
        values: dict[str, Any] = {"first": first, "last": last, "differing": list(differing)}
        values |= {"table": self._kind.table, "records": self._records}
        return [PushedDocument(**row) for row in self._session.execute(statement, {**self._of, **values})]

    def existing(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those that the organisation has."""
        statement = sql.template("follow/tie_out", "existing_ids").format(table=Identifier(self._kind.table))
        return {row["id"] for row in self._session.execute(statement, {**self._of, "ids": list(ids)})}

    def push_again(self, id: UUID) -> bool:
        """Makes a document that is in Xero ready: the next push sends it. False if its state does not allow it."""
        statement = sql.template("follow/tie_out", "push_again").format(table=Identifier(self._kind.table))
        return self._session.execute(statement, {"id": id}).fetchone() is not None

    @property
    def _records(self) -> str:
        return self._kind.records if isinstance(self._kind, PricedKind) else LEAVE_RECORDS


def forget_compared(session: Session, connection: Connection) -> None:
    """The next load compares every document of the organisation, not only what changed."""
    QUERIES.forget_compared(session, organisation_id=connection.organisation_id)


def elapsed(session: Session, since: datetime) -> timedelta:
    """By the database's clock."""
    found: timedelta = QUERIES.elapsed(session, since=since)
    return found
