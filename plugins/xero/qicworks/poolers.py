"""Checks that a connection is one session of the database, and not one of a pooler that changes sessions."""

from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.rows import tuple_row
from psycopg.sql import Identifier

from xero.api.errors import Misconfigured
from xero.qicworks import sql

Connection = psycopg.Connection[Any]

ROUNDS = 5
LONGEST_WAIT_SECONDS = 30.0


def need_a_session(connection: Connection, open_another: Callable[[], Connection]) -> None:
    """Raises Misconfigured if a pooler gives each transaction, or each statement, any free session.

    Leases and limits are locks of a session: there they would stay behind in sessions that others are given next.
    """
    with closing(open_another()) as other:
        if not _is_session(connection, other):
            raise Misconfigured(
                "The QicWorks database is behind a connection pooler in transaction or statement mode. The locks that"
                " keep two runs apart need a session of their own, so nothing was read, written or sent.",
                "Point the Airflow connection qicworks_default at PostgreSQL itself, or at a pool in session mode"
                " (PgBouncer: pool_mode = session).",
            )


def _is_session(connection: Connection, other: Connection) -> bool:
    """Never true by chance: only a session that stays with its connection while it is idle can pass on a notification.

    The rounds before only avoid the wait for a notification that cannot arrive.
    """
    for _ in range(ROUNDS):
        mine = _backend(connection)
        if _backend(other) == mine or _backend(connection) != mine:
            return False
    channel = Identifier(f"xero_{uuid4().hex}")
    connection.execute(sql.template("session", "listen").format(channel=channel))
    other.execute(sql.template("session", "notify").format(channel=channel))
    heard = any(True for _ in connection.notifies(timeout=LONGEST_WAIT_SECONDS, stop_after=1))
    connection.execute(sql.template("session", "unlisten").format(channel=channel))
    return heard


def _backend(connection: Connection) -> int:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(sql.template("session", "backend"), prepare=False).fetchone()
    assert row is not None
    return int(row[0])
