"""What a run of a DAG has come to, as its events tell."""

from datetime import datetime, timedelta
from typing import Any

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("pages/runs")

APART = timedelta(minutes=5)  # Airflow's clock and the database's are not further apart


def events_of(
    session: Session,
    direction: str,
    data_set: str,
    dag_id: str,
    run_id: str,
    since: datetime,
    until: datetime,
    limit: int,
) -> list[dict[str, Any]]:
    """Those of whole organisations, the first first. `since` and `until`: when the run was made, and when it ended."""
    return list(
        QUERIES.events_of(
            session,
            direction=direction,
            data_set=data_set,
            dag_id=dag_id,
            run_id=run_id,
            since=since - APART,
            until=until + APART,
            limit=limit,
        )
    )
