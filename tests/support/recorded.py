"""Rows as the pages' queries find them, put there without the flows, and how PostgreSQL answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from xero.qicworks.database import Session

Row = dict[str, Any]

NOW = datetime(2026, 11, 22, 9, 41, 12, 345_678, tzinfo=UTC)  # for what only has to lie before or after something else


IDS = """
    SELECT connection.id FROM xero_sync.connection JOIN qicworks.organisation ON organisation.id = organisation_id
     ORDER BY name
"""


def connect(session: Session, *names: str) -> list[UUID]:
    """Live connections of these names; the ids of all there are, by name."""
    token = insert(session, "xero_sync.token", airflow_conn_id="xero_default", secret=b"", expires_at=NOW)
    for name in names:
        session.execute(
            """WITH organisation AS (INSERT INTO qicworks.organisation (name) VALUES (%(name)s) RETURNING id)
               INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name)
               SELECT id, %(token)s, 'tenant ' || %(name)s, %(name)s || ' (Xero)' FROM organisation""",
            {"name": name, "token": token},
        )
    # Not by what this version reads of a connection: the tables may be those of an earlier one.
    return [row["id"] for row in session.execute(IDS)]


def insert(session: Session, table: str, **values: Any) -> Any:
    """The new row's id."""
    names = ", ".join(values)
    row = session.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id".encode(),
        list(values.values()),
    ).fetchone()
    assert row is not None
    return row["id"]


SCANS = """
SELECT indexrelname AS name, idx_scan AS scans FROM pg_stat_user_indexes
 UNION ALL
SELECT relname || ', whole', seq_scan FROM pg_stat_user_tables
"""


def ways(session: Session, ask: Callable[[], object], without: tuple[str, ...]) -> set[str]:
    """By which indexes PostgreSQL answers what is asked when it may not use `without`; and `table, whole` for each
    table that is read from its beginning to its end."""

    def counted() -> dict[str, int]:
        session.execute("SELECT pg_stat_force_next_flush()")
        return {row["name"]: row["scans"] for row in session.execute(SCANS)}

    before = counted()
    with session.transaction():
        for way in without:
            session.execute(f"SET LOCAL enable_{way} = off".encode())
        ask()
    return {name for name, scans in counted().items() if scans > before[name]}
