"""Numbers that are watched from outside: how far behind, how much waits, what is left."""

from psycopg.sql import SQL, Identifier

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("measures")

# Documents of connections that are on; who is switched off or left out waits on purpose.
DOCUMENTS = SQL(
    """
    SELECT count(*) FILTER (WHERE document.push_state IN ('ready', 'in_flight')) AS waiting,
           count(*) FILTER (WHERE document.push_state = 'failed') AS failed,
           coalesce(max(extract(epoch FROM now() - document.updated_at) / 60)
                    FILTER (WHERE document.push_state IN ('ready', 'in_flight') AND isfinite(document.updated_at)),
                    0)::float8 AS oldest
      FROM qicworks.{table} AS document
      JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
       AND connection.enabled AND connection.state = 'connected'
     WHERE document.push_state IN ('ready', 'in_flight', 'failed')
    """
)

Measured = dict[str, dict[str, float]]  # name -> data set, '' for all of them -> value


def measure(session: Session) -> Measured:
    """Everything that is watched. What there is none of is 0; what Xero has not told is left out."""
    pulled = {"pulled": list(DATASETS)}
    found: Measured = {
        "out_of_step_minutes": {row["data_set"]: row["minutes"] for row in QUERIES.out_of_step(session, **pulled)},
        "rejections_open": {row["data_set"]: row["number"] for row in QUERIES.rejections(session, **pulled)},
        "connections_down": {"": QUERIES.connections_down(session)},
        "requests_open": {"": QUERIES.requests_open(session)},
        "documents_waiting": {},
        "documents_failed": {},
        "documents_oldest_minutes": {},
    }
    if (left := QUERIES.calls_left_today(session)) is not None:
        found["calls_left_today"] = {"": left}
    for kind in KINDS.values():
        row = session.execute(DOCUMENTS.format(table=Identifier(kind.table))).fetchone()
        assert row is not None
        found["documents_waiting"][kind.name] = row["waiting"]
        found["documents_failed"][kind.name] = row["failed"]
        found["documents_oldest_minutes"][kind.name] = row["oldest"]
    return found
