"""Rows as the pages' queries find them, put there without the flows, and how PostgreSQL answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg

from xero.qicworks import connections
from xero.qicworks.database import Session

Row = dict[str, Any]

NOW = datetime(2026, 11, 22, 9, 41, 12, 345_678, tzinfo=UTC)  # for what only has to lie before or after something else


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
    return [one.id for one in connections.every(session)]


def insert(session: Session, table: str, **values: Any) -> Any:
    """The new row's id."""
    names = ", ".join(values)
    row = session.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id".encode(),
        list(values.values()),
    ).fetchone()
    assert row is not None
    return row["id"]


def plan(session: Session, ask: Callable[[], object]) -> str:
    """How PostgreSQL answers what is asked, if it may neither read a whole table nor sort."""
    plans: list[str] = []
    execute = psycopg.Cursor.execute

    def explained(cursor: Any, statement: Any, *values: Any, **how: Any) -> Any:
        with session.cursor() as another:
            told = b"EXPLAIN " + (statement.encode() if isinstance(statement, str) else statement.as_bytes(session))
            execute(another, told, *values)
            plans.extend(row["QUERY PLAN"] for row in another)
        return execute(cursor, statement, *values, **how)

    with session.transaction():
        for way in ("seqscan", "sort", "bitmapscan"):
            session.execute(f"SET LOCAL enable_{way} = off".encode())
        with mock.patch.object(psycopg.Cursor, "execute", explained):
            ask()
    return "\n".join(plans)
