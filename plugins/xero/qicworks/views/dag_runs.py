"""What a run of a DAG has come to, and how it ended for each organisation, from its connection events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
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


@dataclass(frozen=True)
class End:
    """The last event of an organisation and data set in a run, or of one document there, which is no end of it.
    `running`: it is at work, or its process was killed."""

    direction: str
    data_set: str
    organisation: str | None
    status: str
    message: str | None
    correction: str | None
    document: str | None = None

    @property
    def payroll(self) -> bool:
        """Whether its words may tell of somebody's pay or leave."""
        name = self.data_set.partition("/")[0]
        about = DATASETS.get(name), KINDS.get(name)
        return any(one is not None and one.payroll for one in about)


def ends(session: Session, dag_id: str, run_id: str, since: datetime) -> list[End]:
    """By organisation. `since`: when the run was made."""
    found = [End(**row) for row in QUERIES.ends(session, dag_id=dag_id, run_id=run_id, since=since - APART)]
    return sorted(found, key=lambda end: (end.organisation or "", end.data_set))
