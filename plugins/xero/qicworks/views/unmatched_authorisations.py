"""Authorisations as a page shows them; their tokens stay in `tokens`."""

from typing import Any

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("pages/authorisations")


def unmatched(session: Session) -> list[dict[str, Any]]:
    """The latest that no connection uses: `id`, `airflow_conn_id`, `created_at`."""
    return list(QUERIES.unmatched(session))
