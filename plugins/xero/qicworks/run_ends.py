"""How a run of a DAG ended for each organisation, as its events tell."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("run_ends")

APART = timedelta(minutes=5)  # Airflow's clock and the database's are not further apart


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
