"""Staging: where what was read waits to be validated and loaded, and survives a killed process.

`xero_sync.staging` says how far a reading came; its rows lie in `xero_sync.stage_<table>`, one table each.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from xero.datasets.declaration import Dataset, Table
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("staging")

StagedRow = tuple[Any, ...]
COMMON = ("staging_id", "row_hash", "is_active", "retried", "undecodable")


@dataclass
class Staging:
    """An unfinished reading. `position` is the reader's own, None before the first page."""

    id: UUID
    whole: bool
    since: datetime | None
    started_at: datetime
    position: dict[str, Any] | None
    complete: bool
    taken_over: bool = False


def stage_table(table: Table) -> Identifier:
    return Identifier("xero_sync", f"stage_{table.name}")


def fingerprint(dataset: Dataset) -> str:
    """Of the columns: rows that were staged under other columns cannot be gone on with."""
    columns = [(table.name, [(column.name, column.kind.value) for column in table.columns]) for table in dataset.tables]
    return hashlib.blake2b(repr(columns).encode(), digest_size=16).hexdigest()


def begin(session: Session, connection_id: UUID, dataset: Dataset, *, whole: bool, since: datetime | None) -> Staging:
    """Goes on with an unfinished reading of the last hour, else begins anew and drops what was left."""
    pair = {"connection_id": connection_id, "data_set": dataset.name}
    declaration = fingerprint(dataset)
    with session.transaction():
        if found := QUERIES.take_over(session, declaration=declaration, whole=whole, **pair):
            return Staging(**found, taken_over=True)
        if (left := QUERIES.abandoned(session, **pair)) is not None:
            drop(session, dataset, left)
        return Staging(**QUERIES.begin(session, declaration=declaration, whole=whole, since=since, **pair))


def add(
    session: Session,
    staging: Staging,
    rows: Mapping[Table, Sequence[StagedRow]],
    position: dict[str, Any] | None,
    *,
    complete: bool,
) -> None:
    """Commits a page together with the position behind it. Rows are `COMMON` less the id, then the table's columns."""
    with session.transaction():
        for table, staged in rows.items():
            if staged:
                _copy(session, staging.id, table, staged)
        QUERIES.advance(session, id=staging.id, position=Jsonb(position), complete=complete)
    staging.position, staging.complete = position, complete


def _copy(session: Session, staging_id: UUID, table: Table, rows: Sequence[StagedRow]) -> None:
    columns = SQL(", ").join(Identifier(name) for name in (*COMMON, *(column.name for column in table.columns)))
    statement = SQL("COPY {} ({}) FROM STDIN").format(stage_table(table), columns)
    with session.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row((staging_id, *row))


def count(session: Session, staging: Staging, table: Table) -> int:
    """How many rows are staged, duplicates and rejections tried again among them."""
    row = session.execute(
        SQL("SELECT count(*) AS count FROM {} WHERE staging_id = %s").format(stage_table(table)), (staging.id,)
    ).fetchone()
    assert row is not None
    return int(row["count"])


def distinct(session: Session, staging: Staging, table: Table) -> int:
    """How many different records of Xero's answers are staged, bad ones among them."""
    statement = SQL(
        "SELECT count(DISTINCT {key}) + count(*) FILTER (WHERE {key} IS NULL) AS count FROM {stage}"
        " WHERE staging_id = %s AND NOT retried"
    ).format(key=Identifier(table.key), stage=stage_table(table))
    row = session.execute(statement, (staging.id,)).fetchone()
    assert row is not None
    return int(row["count"])


def drop_superseded(session: Session, staging: Staging, table: Table) -> None:
    """A rejection tried again gives way to what Xero has sent of the same record since."""
    statement = SQL(
        """
        DELETE FROM {stage} AS again WHERE staging_id = %s AND retried
           AND EXISTS (SELECT FROM {stage} AS sent
                        WHERE sent.staging_id = again.staging_id AND NOT sent.retried AND sent.{key} = again.{key})
        """
    ).format(stage=stage_table(table), key=Identifier(table.key))
    session.execute(statement, (staging.id,))


def forget_problems(session: Session, staging: Staging, table: Table) -> None:
    """Before validating: what a killed process found is found again."""
    statement = SQL("UPDATE {} SET problems = NULL WHERE staging_id = %s AND problems IS NOT NULL")
    session.execute(statement.format(stage_table(table)), (staging.id,))


def mark(session: Session, staging: Staging, table: Table, problems: Mapping[int, Sequence[str]]) -> None:
    """Marks rows, by `seq`, as rejected for these problems."""
    statement = SQL("UPDATE {} SET problems = %s WHERE staging_id = %s AND seq = %s").format(stage_table(table))
    with session.transaction(), session.cursor() as cursor:
        cursor.executemany(statement, [(list(why), staging.id, seq) for seq, why in problems.items()])


def drop(session: Session, dataset: Dataset, staging_id: UUID) -> None:
    """Removes a staging and its rows."""
    for table in dataset.tables:
        session.execute(SQL("DELETE FROM {} WHERE staging_id = %s").format(stage_table(table)), (staging_id,))
    QUERIES.end(session, id=staging_id)


def cursor(session: Session, connection_id: UUID, dataset: Dataset) -> datetime | None:
    """The newest version that was loaded; None before the first load, and where Xero has no versions."""
    row = QUERIES.cursor(session, connection_id=connection_id, data_set=dataset.name)
    return row["high_water"] if row else None


def move_cursor(
    session: Session, connection_id: UUID, dataset: Dataset, high_water: datetime | None, *, whole: bool
) -> None:
    QUERIES.move_cursor(session, connection_id=connection_id, data_set=dataset.name, high_water=high_water, whole=whole)
