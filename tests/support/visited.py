"""How many rows PostgreSQL visits for each statement of a session: what a plan costs, on whatever machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow, tuple_row

from xero.qicworks.database import Session

LOOKED_AT = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "CREATE TEMP TABLE")


@contextmanager
def counted(session: Session) -> Iterator[dict[str, int]]:
    """Meanwhile each statement runs twice, the first time explained and undone. The rows visited, by statement."""
    visited: dict[str, int] = {}

    class Counting(psycopg.Cursor[DictRow]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            text = _text(query, session)
            if text.startswith(LOOKED_AT):
                visited[text] = max(visited.get(text, 0), _visited(session, text, params))
            return super().execute(query, params, **how)

    before, session.cursor_factory = session.cursor_factory, Counting
    try:
        yield visited
    finally:
        session.cursor_factory = before


def _text(query: Any, session: Session) -> str:
    text = query.decode() if isinstance(query, bytes) else query if isinstance(query, str) else query.as_string(session)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(lines).strip()


def _visited(session: Session, text: str, params: Any) -> int:
    with session.transaction(force_rollback=True), psycopg.Cursor(session, row_factory=tuple_row) as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}".encode(), params)
        [[explained]] = cursor.fetchall()
    return sum(_rows(part["Plan"]) for part in explained if "Plan" in part)


def _rows(node: dict[str, Any]) -> int:
    """What this part of the plan and those below it have read, also where it was thrown away."""
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    own = sum(node.get(name, 0) for name in names) * node["Actual Loops"]
    return round(own) + sum(_rows(below) for below in node.get("Plans", ()))
