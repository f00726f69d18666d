"""One at a time on a connection and data set."""

from contextlib import suppress
from uuid import UUID

from psycopg import OperationalError

from xero.qicworks.database import Session


def key(connection_id: UUID, direction: str, data_set: str) -> str:
    """What the lock is made of, here and where an interaction begins."""
    return f"xero {direction} {data_set} {connection_id}"


def acquire(session: Session, connection_id: UUID, direction: str, data_set: str) -> bool:
    """Takes the lease for as long as the session lives; False if another session has it.

    It is a lock of the session, so that a killed process loses it with its connection.
    """
    row = session.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS got", (key(connection_id, direction, data_set),)
    ).fetchone()
    assert row is not None
    return bool(row["got"])


def release(session: Session) -> None:
    """Gives up what `acquire` took. The session's end does that too, but only when the server comes to notice it: a run
    that follows at once would find the pair taken."""
    if not session.closed:
        with suppress(OperationalError):  # the session is lost, and its locks with it
            session.execute("SELECT pg_advisory_unlock_all()")
