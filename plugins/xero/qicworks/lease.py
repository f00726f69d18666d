"""One at a time on a connection and data set."""

from uuid import UUID

from xero.qicworks.database import Session


def acquire(session: Session, connection_id: UUID, direction: str, data_set: str) -> bool:
    """Takes the lease for as long as the session lives; False if another session has it.

    It is a lock of the session, so that a killed process loses it with its connection.
    """
    row = session.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS got", (f"xero {direction} {data_set} {connection_id}",)
    ).fetchone()
    assert row is not None
    return bool(row["got"])
