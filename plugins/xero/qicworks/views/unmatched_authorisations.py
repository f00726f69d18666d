"""Authorisations that no connection uses, without their tokens."""

from typing import Any

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("pages/authorisations")


def unmatched(session: Session) -> list[dict[str, Any]]:
    """The latest of them: `id`, `airflow_conn_id`, `created_at`."""
    return list(QUERIES.unmatched(session))
