"""Leases: one run at a time for a connection and data set."""

from contextlib import suppress
from uuid import UUID

from psycopg import OperationalError

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("session")


def key(connection_id: UUID, direction: str, data_set: str) -> str:
    """The key of the lock, also of the one that `events.begin` takes."""
    return f"xero {direction} {data_set} {connection_id}"


def acquire(session: Session, connection_id: UUID, direction: str, data_set: str) -> bool:
    """Takes the lease for as long as the session lives; False if another session has it.

    It is a lock of the session, so that a killed process loses it with its connection.
    """
    return bool(QUERIES.acquire_lease(session, key=key(connection_id, direction, data_set)))


def release(session: Session) -> None:
    """Releases the leases of this session.

    Its end does that too, but only when the server notices it: a run that follows at once would find the lease taken.
    """
    if not session.closed:
        with suppress(OperationalError):  # the session is lost, and its locks with it
            QUERIES.release_leases(session)
