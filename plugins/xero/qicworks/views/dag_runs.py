"""The connection events of a DAG run: all of them, and the last one of each organisation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("pages/runs")

ENDED = ("success", "failed")  # the states of a DAG run that has ended
MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)  # between Airflow's and the database's


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
    """Those of whole organisations, oldest first. `since` and `until`: when the run was created, and when it ended."""
    return list(
        QUERIES.events_of(
            session,
            direction=direction,
            data_set=data_set,
            dag_id=dag_id,
            run_id=run_id,
            since=since - MAX_CLOCK_DIFFERENCE,
            until=until + MAX_CLOCK_DIFFERENCE,
            limit=limit,
        )
    )


@dataclass(frozen=True)
class End:
    """The last event of an organisation and data set in a DAG run, or of one document there.

    Status `running`: it is still running, or its process was killed.
    """

    direction: str
    data_set: str
    organisation: str | None
    status: str
    message: str | None
    correction: str | None
    document: str | None = None
    connection_id: UUID | None = None
    outcome: str | None = None

    @property
    def payroll(self) -> bool:
        """Whether its message may be about the pay or leave of a person."""
        name = self.data_set.partition("/")[0]
        about = DATASETS.get(name), KINDS.get(name)
        return any(one is not None and one.payroll for one in about)


def ends(session: Session, dag_id: str, run_id: str, since: datetime) -> list[End]:
    """By organisation. `since`: when the run was created."""
    rows = QUERIES.ends(session, dag_id=dag_id, run_id=run_id, since=since - MAX_CLOCK_DIFFERENCE)
    return sorted((End(**row) for row in rows), key=lambda end: (end.organisation or "", end.data_set))
