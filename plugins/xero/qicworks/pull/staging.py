"""Staging: records that were read wait here to be validated and loaded, also after the process was killed.

`xero_sync.staging` has one row for each unfinished reading, with how far it came; `xero_sync.stage_<table>` the rows
that were read, and `xero_sync.stage_seen` the ids of records that were only listed, or read by id.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from xero.datasets.declaration import ColumnType, Dataset, Source, Table
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("staging")

StagedRow = tuple[Any, ...]
COMMON = ("staging_id", "row_hash", "is_active", "retried", "undecodable")
COMMON_TYPES = ("text", "bytea", "boolean", "boolean", "jsonb")
TYPES = {
    ColumnType.TEXT: "text",
    ColumnType.UUID: "uuid",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.NUMBER: "numeric",
    ColumnType.DATE: "date",
    ColumnType.INSTANT: "timestamptz",
}


@dataclass
class Staging:
    """An unfinished reading. `position` is how far each source came, None before the first page."""

    id: UUID
    full: bool
    refetch_details: bool  # records that are read by id, also if they have not changed
    since: datetime | None
    started_at: datetime
    position: dict[str, Any] | None
    complete: bool
    taken_over: bool = False


@dataclass(frozen=True)
class Seen:
    """A record that a source listed, or read by its id so many seconds ago (`age`)."""

    source: str
    key: str
    version: datetime | None
    is_active: bool
    age: float | None = None


def stage_table(table: Table) -> Identifier:
    return Identifier("xero_sync", f"stage_{table.name}")


def fingerprint(dataset: Dataset) -> str:
    """A hash of the columns and sources: rows that were staged under others cannot be used."""
    columns = [(table.name, [(column.name, column.type.value) for column in table.columns]) for table in dataset.tables]
    sources = [(source.name, source.path) for source in dataset.sources]
    return hashlib.blake2b(repr((columns, sources)).encode(), digest_size=16).hexdigest()


def begin(
    session: Session,
    connection_id: UUID,
    dataset: Dataset,
    *,
    full: bool,
    since: datetime | None,
    refetch_details: bool = False,
    resume: bool = True,
) -> Staging:
    """Resumes an unfinished reading of the last hour that covers as much; else drops it and begins a new one."""
    wanted = {"full": full, "refetch_details": refetch_details}
    pair = {"connection_id": connection_id, "data_set": dataset.name}
    declaration = fingerprint(dataset)
    found = QUERIES.unfinished(session, declaration=declaration, **wanted, **pair)
    if found and found.pop("can_resume") and resume:
        return Staging(**found, taken_over=True)
    with session.transaction() if found else nullcontext():
        if found:
            drop(session, dataset, found["id"])
        return Staging(**QUERIES.begin(session, declaration=declaration, since=since, **wanted, **pair))


def add(
    session: Session,
    staging: Staging,
    rows: Mapping[Table, Sequence[StagedRow]],
    position: dict[str, Any] | None,
    *,
    complete: bool,
    seen: Sequence[Seen] = (),
) -> None:
    """Commits a page together with the position after it.

    Args:
        rows: By table; each row has the values of `COMMON` without the id, then those of the table's columns.
        complete: Whether this was the last page.
    """
    if not seen and not any(rows.values()):
        _advance(session, staging, position, complete)
        return
    with session.transaction():
        if seen:
            QUERIES.see(session, [{"staging_id": staging.id, **asdict(one)} for one in seen])
        for table, staged in rows.items():
            if staged:
                _copy(session, staging.id, table, staged)
        _advance(session, staging, position, complete)


def _advance(session: Session, staging: Staging, position: dict[str, Any] | None, complete: bool) -> None:
    QUERIES.advance(session, id=staging.id, position=Jsonb(position), complete=complete)
    staging.position, staging.complete = position, complete


def _copy(session: Session, staging_id: UUID, table: Table, rows: Sequence[StagedRow]) -> None:
    columns = SQL(", ").join(Identifier(name) for name in (*COMMON, *(column.name for column in table.columns)))
    statement = SQL("COPY {} ({}) FROM STDIN").format(stage_table(table), columns)
    with session.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([*COMMON_TYPES, *(TYPES[column.type] for column in table.columns)])
        id = str(staging_id)  # as text it is written out once
        for row in rows:
            copy.write_row((id, *row))


def listed(session: Session, staging: Staging) -> int:
    """How many records were listed, to be read by id."""
    return int(QUERIES.listed(session, staging_id=staging.id))


def seen(session: Session, staging: Staging, source: Source) -> set[str]:
    """The ids of the records that this source has listed, or read by id."""
    return {row["key"] for row in QUERIES.seen(session, staging_id=staging.id, source=source.name)}


def drop(session: Session, dataset: Dataset, staging_id: UUID) -> None:
    """Removes a staging and its rows."""
    QUERIES.forget_seen(session, id=staging_id)
    for table in dataset.tables:
        session.execute(
            sql.template("staging", "drop_rows").format(stage=stage_table(table)), {"staging_id": staging_id}
        )
    QUERIES.end(session, id=staging_id)


@dataclass(frozen=True)
class Cursor:
    """How far a source was loaded. `high_water` is the newest version, None if Xero has none.

    `age` and `full_age` are the time since it was loaded, and last loaded in full, by the database's clock.
    """

    high_water: datetime | None
    completed_at: datetime
    age: timedelta
    full_age: timedelta | None


def _cursor_name(dataset: Dataset, source: Source) -> str:
    return f"{dataset.name}/{source.name}" if source.name else dataset.name


def cursor(session: Session, connection_id: UUID, dataset: Dataset, source: Source) -> Cursor | None:
    """None before the first load."""
    row = QUERIES.cursor(session, connection_id=connection_id, data_set=_cursor_name(dataset, source))
    return Cursor(**row) if row else None


def move_cursor(
    session: Session,
    connection_id: UUID,
    dataset: Dataset,
    source: Source,
    high_water: datetime | None,
    began_at: datetime,
    *,
    full: bool,
) -> None:
    """`began_at`: when the reading began."""
    row = {"high_water": high_water, "began_at": began_at, "full": full}
    QUERIES.move_cursor(session, connection_id=connection_id, data_set=_cursor_name(dataset, source), **row)
