"""Connections: which Xero organisation belongs to which QicWorks organisation, and whether it may be synchronised."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine

from xero.api.errors import RetryLater
from xero.qicworks import database, sql
from xero.qicworks.database import Session
from xero.qicworks.runs import lease
from xero.qicworks.texts import on_a_line

QUERIES = sql.Statements("connections")
HOME = "Australia/Sydney"


class NotTakingPart(StrEnum):
    """Why a connection takes no part in a run."""

    DELETED = "deleted"
    SWITCHED_OFF = "switched off"
    NEEDS_RECONNECT = "needs to be connected again"
    NO_SCHEDULE = "no schedule"  # what is needed to know when it is due is missing or wrong


@dataclass(frozen=True)
class Connection:
    """A row of `xero_sync.connection`, with its organisation's name and its authorisation's state; names on a line."""

    id: UUID
    organisation_id: UUID
    organisation: str
    tenant_id: str
    tenant_name: str
    token_id: UUID
    enabled: bool
    state: str  # connected, needs_reconnect, deleted
    state_reason: str | None
    organisation_read_at: datetime | None
    connected_at: datetime
    first_connected_at: datetime
    airflow_conn_id: str
    authorisation: str  # ok, broken
    broken_reason: str | None
    time_zone: str | None
    seal: bytes | None
    switch_id: int | None  # who switched it on or off the last time; None: it was on from the beginning
    switched_after: int | None
    switch_seal: bytes | None
    matched_before_seals: bool

    @property
    def zone(self) -> str:
        """The organisation's time zone; Sydney's until it was read from Xero."""
        return self.time_zone or HOME

    @property
    def must_reconnect(self) -> bool:
        """On, and cannot be reached until a user reconnects it."""
        return self.not_taking_part is NotTakingPart.NEEDS_RECONNECT

    @property
    def not_taking_part(self) -> NotTakingPart | None:
        """Why it takes no part in runs; None if it does."""
        if self.state == "deleted":
            return NotTakingPart.DELETED
        if not self.enabled:
            return NotTakingPart.SWITCHED_OFF
        if self.authorisation == "broken" or self.state == "needs_reconnect":
            return NotTakingPart.NEEDS_RECONNECT
        return None

    @property
    def left_out(self) -> str | None:
        """The same in words."""
        match self.not_taking_part:
            case NotTakingPart.DELETED:
                return "deleted (connect it again to continue with its history)"
            case NotTakingPart.NEEDS_RECONNECT if self.authorisation == "broken":
                return f"needs to be connected again: {self.broken_reason or 'the authorisation is broken'}"
            case NotTakingPart.NEEDS_RECONNECT:
                return f"needs to be connected again: {self.state_reason}"
            case reason:
                return reason and reason.value


def every(session: Session, *, deleted: bool = False) -> list[Connection]:
    """Returns all connections, by the organisation's name; deleted ones only with `deleted`."""
    return [_of(row) for row in QUERIES.described(session, id=None, deleted=deleted)]


def one(session: Session, id: UUID) -> Connection:
    """Returns a connection, deleted or not. Raises LookupError if there is none."""
    for row in QUERIES.described(session, id=id, deleted=True):
        return _of(row)
    raise LookupError(f"there is no connection {id}; `python -m xero connections` lists them")


def _of(row: dict[str, Any]) -> Connection:
    return Connection(**row | {name: on_a_line(row[name]) for name in ("organisation", "tenant_name")})


def needs_reconnect(session: Session, id: UUID, reason: str) -> None:
    QUERIES.needs_reconnect(session, id=id, reason=reason)


def works_again(session: Session, id: UUID) -> None:
    QUERIES.works_again(session, id=id)


@contextmanager
def one_at_a_time(engine: Engine) -> Iterator[Session]:
    """A session that waits until no other user is connecting, matching or disconnecting."""
    with database.session(engine) as session:
        try:
            list(QUERIES.lock_connecting(session))
        except LockNotAvailable:
            raise RetryLater(60.0, "outage", "Another user has been connecting or disconnecting for minutes.") from None
        try:
            yield session
        finally:
            lease.release(session)
