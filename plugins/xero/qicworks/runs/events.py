"""Connection events: what happened between QicWorks and Xero, one row for each run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.runs import lease
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import fit

QUERIES = sql.Statements("events")


EVERY = "*"  # in place of tables: an event does not have the tables in which rows changed


@dataclass(frozen=True)
class Origin:
    """What started a run. Outside Airflow all but `manual` is empty.

    `by_name`: exactly this was asked for, so a run that cannot do it fails.
    """

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


@dataclass(frozen=True)
class DocumentName:
    """The document of an event. `label` is what people call it: "invoice INV-001"; `id` is None if there is none."""

    label: str
    kind: str
    id: UUID | None


CHANGES = ("inserted", "updated", "deactivated")  # the counts of rows that a load wrote


@dataclass
class Counts:
    """The counts of an event.

    Of a pull: each row read is one of inserted, updated, unchanged, deactivated or rejected; rows that are missing from
    Xero are deactivated too. Of a push: documents `read`, `pushed`, `failed`, and `unchanged` if Xero had them already.
    `calls` and `bytes_received` (on the wire) include retries; `bytes_unpacked` is the size of readable responses
    without their gzip.
    """

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
        return sum(getattr(self, name) for name in CHANGES)


#: What people call the counts, in the order in which they read them. Bytes are shown apart.
LABELS = {
    "read": "read",
    "inserted": "new",
    "updated": "changed",
    "unchanged": "unchanged",
    "deactivated": "gone",
    "rejected": "rejected",
    "pushed": "pushed",
    "failed": "failed",
    "calls": "calls",
}
MEANINGLESS = {
    Direction.PULL: ("pushed", "failed"),
    Direction.PUSH: ("inserted", "updated", "deactivated", "rejected"),
}


def counts_of(direction: str) -> list[str]:
    """The names of the counts that mean something for that direction, bytes included."""
    without = MEANINGLESS.get(Direction(direction), ())
    return [field.name for field in fields(Counts) if field.name not in without]


@dataclass(frozen=True)
class Beginning:
    """The beginning of a run. `event_id` is None if the lease was not `got`, or the connection is not on."""

    got: bool
    still_on: bool | None
    event_id: int | None
    interrupted: list[str] | None  # messages about events that killed processes left open, and that are closed now


def begin(session: Session, connection_id: UUID, direction: Direction, data_set: str, origin: Origin) -> Beginning:
    """Takes the lease, closes the events of interrupted runs, opens the event: one statement, one commit."""
    row = QUERIES.begin(
        session,
        key=lease.key(connection_id, direction, data_set),
        connection_id=connection_id,
        direction=direction,
        data_set=data_set,
        **origin.columns(),
    )
    return Beginning(**row)


def open_event(session: Session, connection_id: UUID, direction: Direction, data_set: str, origin: Origin) -> int:
    event_id: int = QUERIES.open_event(
        session, connection_id=connection_id, direction=direction, data_set=data_set, **origin.columns()
    )
    return event_id


def started_at(session: Session, event_id: int) -> datetime:
    """When the event began, by the database's clock."""
    found: datetime = QUERIES.started_at(session, id=event_id)
    return found


def close_event(
    session: Session,
    id: int,
    status: Status,
    outcome: EventOutcome,
    counts: Counts,
    message: str,
    correction: str | None = None,
    correlation_id: str | None = None,
) -> None:
    texts = {"message": fit(message), "correction": fit(correction), "correlation_id": correlation_id}
    QUERIES.close_event(session, id=id, status=status, outcome=outcome, **texts, **asdict(counts))


def succeeded(session: Session, id: int) -> None:
    """Counts the run that has just been closed with warnings as the last success."""
    QUERIES.succeeded(session, id=id)


def count(session: Session, id: int, counts: Counts) -> None:
    """Updates the counts of an open event."""
    QUERIES.count(session, id=id, **asdict(counts))


def record(
    session: Session,
    connection_id: UUID | None,
    direction: Direction,
    data_set: str,
    status: Status,
    outcome: EventOutcome,
    message: str,
    origin: Origin,
    *,
    correction: str | None = None,
    document: DocumentName | None = None,
    correlation_id: str | None = None,
) -> int:
    """Writes an event without duration, perhaps of one document, or of none of the connections. Returns its id."""
    id: int = QUERIES.record(
        session,
        connection_id=connection_id,
        direction=direction,
        data_set=data_set,
        status=status,
        outcome=outcome,
        message=fit(message),
        correction=fit(correction),
        correlation_id=correlation_id,
        document=fit(document.label) if document else None,
        document_kind=document.kind if document and document.id else None,
        document_id=document.id if document else None,
        **origin.columns(),
    )
    return id


def is_reported(session: Session, direction: Direction, data_set: str, outcome: EventOutcome, *, hours: int) -> bool:
    """Whether an event of this data set, of no connection, has had this outcome within so many hours."""
    return bool(QUERIES.is_reported(session, direction=direction, data_set=data_set, outcome=outcome, hours=hours))


def left_open(session: Session, direction: Direction, data_set: str) -> set[UUID]:
    """The connections with an open event of it: of a running run, or of one that was killed."""
    return {row["connection_id"] for row in QUERIES.left_open(session, direction=direction, data_set=data_set)}


def running(session: Session, connection_id: UUID, direction: Direction, data_set: str) -> str:
    """Describes the run that works on this connection and data set now."""
    row = QUERIES.running(session, connection_id=connection_id, direction=direction, data_set=data_set)
    if row is None:
        return "another process"
    since = f"since {row['started_at']:%H:%M:%S} UTC"
    return f"{row['dag_id']}, run {row['run_id']}, {since}" if row["dag_id"] else f"a command line, {since}"


def done_in_run(
    session: Session,
    dag_id: str,
    run_id: str,
    direction: Direction,
    data_set: str,
    connection_ids: Sequence[UUID | str],
    since_try: int,
) -> dict[UUID, dict[str, Any]]:
    """What a DAG run has done for these connections since that try, as `Outcome.to_dict` returns it."""
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
        changed = any(row[name] for name in CHANGES)
        result = {"status": row["status"], "changed": changed, "tables": [EVERY] if changed else []}
        done[row["connection_id"]] = result | counts
    return done


def latest(session: Session, count: int) -> list[dict[str, Any]]:
    """Newest first."""
    return list(QUERIES.latest(session, count=count))
