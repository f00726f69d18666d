"""Connection events: what happened between QicWorks and Xero, one row an interaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.runs import lease
from xero.qicworks.texts import fit

QUERIES = sql.Statements("events")


EVERY = "*"  # in place of tables: an event does not say in which of them rows changed


@dataclass(frozen=True)
class Origin:
    """Who runs it. Outside Airflow all but `manual` is empty. `by_name`: somebody asked for just this, and it is not
    left to another run without a word."""

    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None
    manual: bool = True
    by_name: bool = False
    log_url: str | None = None

    def columns(self) -> dict[str, Any]:
        columns = asdict(self)
        del columns["manual"], columns["by_name"]
        return columns


@dataclass
class Counts:
    """What an event counts. Each row read is one of inserted, updated, unchanged, deactivated or rejected;
    rows that are gone from Xero are deactivated beside. Of a push: documents `read`, `pushed`, `failed`, and
    `unchanged` where Xero had it already. `calls` and `bytes_received` (on the wire) include retries; `bytes_unpacked`
    is what the answers that could be read came to without their gzip."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0
    rejected: int = 0
    pushed: int = 0
    failed: int = 0
    calls: int = 0
    bytes_received: int = 0
    bytes_unpacked: int = 0

    @property
    def changed(self) -> int:
        """Rows that a load wrote."""
        return self.inserted + self.updated + self.deactivated


@dataclass(frozen=True)
class Beginning:
    """How an interaction begins: `event_id` is None where the lease was not `got`, or the connection is not on."""

    got: bool
    still_on: bool | None
    event_id: int | None
    interrupted: list[str] | None  # what killed processes left open, and is closed now, in words


def begin(session: Session, connection_id: UUID, direction: str, data_set: str, origin: Origin) -> Beginning:
    """Takes the lease, closes what was interrupted, opens the event: one statement, one commit."""
    row = QUERIES.begin(
        session,
        key=lease.key(connection_id, direction, data_set),
        connection_id=connection_id,
        direction=direction,
        data_set=data_set,
        **origin.columns(),
    )
    return Beginning(**row)


def open_event(session: Session, connection_id: UUID, direction: str, data_set: str, origin: Origin) -> int:
    event_id: int = QUERIES.open_event(
        session, connection_id=connection_id, direction=direction, data_set=data_set, **origin.columns()
    )
    return event_id


def started_at(session: Session, event_id: int) -> datetime:
    """When it began, by the database's clock."""
    found: datetime = QUERIES.started_at(session, id=event_id)
    return found


def close_event(
    session: Session,
    id: int,
    status: str,
    counts: Counts,
    message: str,
    correction: str | None = None,
    correlation_id: str | None = None,
) -> None:
    told = {"message": fit(message), "correction": fit(correction), "correlation_id": correlation_id}
    QUERIES.close_event(session, id=id, status=status, **told, **asdict(counts))


def succeeded(session: Session, id: int) -> None:
    """Its warnings notwithstanding, the run that has just been closed did its work: it is the last success."""
    QUERIES.succeeded(session, id=id)


def count(session: Session, id: int, counts: Counts) -> None:
    """What an open event has come to so far."""
    QUERIES.count(session, id=id, **asdict(counts))


def record(
    session: Session,
    connection_id: UUID | None,
    direction: str,
    data_set: str,
    status: str,
    message: str,
    origin: Origin,
    *,
    correction: str | None = None,
    document: str | None = None,
    correlation_id: str | None = None,
) -> None:
    """An event of what began and ended at once, perhaps of one document, or of none of the connections yet."""
    pair = {"connection_id": connection_id, "direction": direction, "data_set": data_set}
    told = {"message": fit(message), "correction": fit(correction), "document": fit(document)}
    QUERIES.record(session, status=status, correlation_id=correlation_id, **told, **pair, **origin.columns())


def told_today(session: Session, direction: str, data_set: str) -> bool:
    """Whether an event of this data set, of no organisation, began less than 20 hours ago."""
    found: bool = QUERIES.told_today(session, direction=direction, data_set=data_set)
    return found


def said_lately(session: Session, direction: str, data_set: str, status: str, message: str) -> bool:
    """Whether an event of no connection says the same since an hour ago."""
    return bool(
        QUERIES.said_lately(session, direction=direction, data_set=data_set, status=status, message=fit(message))
    )


def left_open(session: Session, direction: str, data_set: str) -> set[UUID]:
    """The connections that have an open event of it: of a run at work, or of one that was killed."""
    return {row["connection_id"] for row in QUERIES.left_open(session, direction=direction, data_set=data_set)}


def running(session: Session, connection_id: UUID, direction: str, data_set: str) -> str:
    """Where this pair is at work just now, in words."""
    row = QUERIES.running(session, connection_id=connection_id, direction=direction, data_set=data_set)
    if row is None:
        return "another process"
    since = f"since {row['started_at']:%H:%M:%S} UTC"
    return f"{row['dag_id']}, run {row['run_id']}, {since}" if row["dag_id"] else f"a command line, {since}"


def done_in_run(
    session: Session,
    dag_id: str,
    run_id: str,
    direction: str,
    data_set: str,
    connection_ids: Sequence[UUID | str],
    since_try: int,
) -> dict[UUID, dict[str, Any]]:
    """What a DAG run has done of these connections, in its tries from that one on: as `Outcome.to_dict` tells it."""
    done = {}
    for row in QUERIES.done_in_run(
        session,
        dag_id=dag_id,
        run_id=run_id,
        direction=direction,
        data_set=data_set,
        connection_ids=[str(id) for id in connection_ids],
        since_try=since_try,
    ):
        counts = {field.name: row[field.name] for field in fields(Counts)}
        changed = bool(row["inserted"] or row["updated"] or row["deactivated"])
        told = {"status": row["status"], "changed": changed, "tables": [EVERY] if changed else []}
        done[row["connection_id"]] = told | counts
    return done


def latest(session: Session, count: int) -> list[dict[str, Any]]:
    """Newest first."""
    return list(QUERIES.latest(session, count=count))
