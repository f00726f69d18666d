"""Numbers for monitoring: how far behind the data sets are, how many documents wait, how many calls are left."""

from psycopg.sql import Identifier

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.follow import differences

QUERIES = sql.Statements("measures")

Measured = dict[str, dict[str, float]]  # name -> data set, '' for all of them -> value


def measure(session: Session) -> Measured:
    """Everything that is monitored. What there is none of is 0; what Xero has not reported is missing."""
    pulled = {"pulled": list(DATASETS)}
    found: Measured = {
        "out_of_step_minutes": {row["data_set"]: row["minutes"] for row in QUERIES.out_of_step(session, **pulled)},
        "rejections_open": {row["data_set"]: row["number"] for row in QUERIES.rejections(session, **pulled)},
        "connections_down": {"": QUERIES.connections_down(session)},
        "requests_open": {"": QUERIES.requests_open(session)},
        "documents_waiting": {},
        "documents_failed": {},
        "documents_oldest_minutes": {},
        "cancellations_waiting": {},
        **_differences(session),
    }
    if (left := QUERIES.calls_left_today(session)) is not None:
        found["calls_left_today"] = {"": left}
    cancelled = {row["document_table"]: row["number"] for row in QUERIES.cancellations_waiting(session)}
    for kind in KINDS.values():
        found["cancellations_waiting"][kind.name] = cancelled.get(kind.table, 0)
        row = session.execute(sql.template("measures", "documents").format(table=Identifier(kind.table))).fetchone()
        assert row is not None
        found["documents_waiting"][kind.name] = row["waiting"]
        found["documents_failed"][kind.name] = row["failed"]
        found["documents_oldest_minutes"][kind.name] = row["oldest"]
    return found


def _differences(session: Session) -> Measured:
    """Open differences by kind of document or data set, and how many of them are acknowledged."""
    opened: dict[str, float] = dict.fromkeys((*DATASETS, *KINDS), 0)
    acknowledged = dict(opened)
    for row in differences.count_open(session):
        kind = row["document_kind"]
        opened[kind] = opened.get(kind, 0) + row["open"]
        acknowledged[kind] = acknowledged.get(kind, 0) + row["acknowledged"]
    return {"differences_open": opened, "differences_acknowledged": acknowledged}
