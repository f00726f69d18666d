"""Rejections: records that could not be loaded, kept with the reason until a version of them loads."""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier

from xero.datasets.declaration import Dataset, Table
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.pull.staging import Staging, stage_table
from xero.qicworks.texts import on_a_line

QUERIES = sql.Statements("rejections")
log = logging.getLogger(__name__)

TOLD = 20  # so many rejected records are named in the log


@dataclass(frozen=True)
class Rejection:
    """An open one. `record` holds the values that could be read, `undecodable` those that could not, as sent."""

    record: dict[str, Any]
    undecodable: dict[str, Any]


def open_ones(session: Session, connection_id: UUID, dataset: Dataset, table: Table) -> list[Rejection]:
    rows = QUERIES.open_ones(session, connection_id=connection_id, data_set=dataset.name, table_name=table.name)
    return [Rejection(row["record"], _fields(row["undecodable"])) for row in rows]


def _fields(undecodable: dict[str, Any] | None) -> dict[str, Any]:
    """Of each field what Xero sent, or its description: else nobody can read it anew."""
    return {field: kept for field, kept in (undecodable or {}).items() if isinstance(kept, dict)}


def open_page(
    session: Session,
    connection_id: UUID | None = None,
    before: int | None = None,
    limit: int = 50,
    data_sets: frozenset[tuple[str, str]] | None = None,
) -> tuple[list[dict[str, Any]], int | None]:
    """The next open ones before that id, newest first, of live connections and of the (direction, data set) that the
    reader may see; and the id they end with, None if there are no more."""
    pulled = None if data_sets is None else [data_set for direction, data_set in data_sets if direction == "pull"]
    about = {"connection_id": connection_id, "pulled": pulled, "before": before}
    rows = list(QUERIES.newest_open(session, **about, limit=limit + 1))
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


def _key(table: Table) -> Composed:
    """What a rejection is known by: the record's id, of a very long one the beginning and its hash, so that an index
    holds it; or the hash of a row that has none."""
    return SQL(
        "CASE WHEN length({key}::text) > 200 THEN left({key}::text, 100) || ' ' || md5({key}::text)"
        " ELSE coalesce({key}::text, 'row ' || encode(row_hash, 'hex')) END"
    ).format(key=Identifier(table.key))


def _something(session: Session, connection_id: UUID, dataset: Dataset, table: Table, staging: Staging) -> bool:
    """Whether anything is bad in this staging, or was before."""
    statement = SQL(
        """
        SELECT EXISTS (SELECT FROM {stage} WHERE staging_id = %s AND problems IS NOT NULL)
            OR EXISTS (SELECT FROM xero_sync.rejection
                        WHERE connection_id = %s AND data_set = %s AND table_name = %s AND closed_at IS NULL)
            AS something
        """
    ).format(stage=stage_table(table))
    row = session.execute(statement, (staging.id, connection_id, dataset.name, table.name)).fetchone()
    assert row is not None
    return bool(row["something"])


def settle(
    session: Session,
    connection_id: UUID,
    dataset: Dataset,
    table: Table,
    staging: Staging,
    event_id: int,
    *,
    held_back: bool,
) -> tuple[int, dict[str, int]]:
    """Keeps what is bad in this staging as open, closes what no longer is. Returns how many records are rejected, and
    the commonest reasons with the number of records each.

    Where several versions of a record were staged, the last one that Xero sent decides.
    """
    if not _something(session, connection_id, dataset, table, staging):
        return 0, {}  # as most nights: without making and dropping a table, which is work for the catalogues
    key = _key(table)
    found = session.execute(
        SQL(
            """
            CREATE TEMP TABLE bad ON COMMIT DROP AS
            WITH suspect AS (
                SELECT DISTINCT {key} AS key FROM {stage} WHERE staging_id = %(staging_id)s AND problems IS NOT NULL
            ), latest AS (
                SELECT DISTINCT ON (key) {key} AS key, problems, undecodable, to_jsonb(staged)
                       - ARRAY['staging_id', 'seq', 'row_hash', 'retried', 'undecodable', 'problems'] AS record
                  FROM {stage} AS staged JOIN suspect ON suspect.key = {key}
                 WHERE staging_id = %(staging_id)s
                 ORDER BY key, retried, xero_updated_at DESC NULLS FIRST, seq DESC
            )
            SELECT key, problems, undecodable, record FROM latest WHERE problems IS NOT NULL
            """
        ).format(key=key, stage=stage_table(table)),
        {"staging_id": staging.id},
    ).rowcount
    pair = {"connection_id": connection_id, "data_set": dataset.name, "table_name": table.name, "event_id": event_id}
    QUERIES.keep(session, held_back=held_back, **pair)
    if not held_back:  # else nothing was loaded, so nothing that was open is settled
        QUERIES.close_others(session, **pair)
    for row in QUERIES.some_bad(session, count=TOLD):
        log.warning("rejected: %s %s: %s", table.name, on_a_line(row["key"]), on_a_line("; ".join(row["problems"])))
    if found > TOLD:
        log.warning("rejected: %d more of %s, see xero_sync.rejection", found - TOLD, table.name)
    reasons = {row["reason"]: row["count"] for row in QUERIES.commonest_reasons(session)}
    session.execute("DROP TABLE bad")
    return found, reasons


def count_newly_bad(session: Session, connection_id: UUID, dataset: Dataset, table: Table, staging: Staging) -> int:
    """How many staged records are bad that were not known to be."""
    statement = SQL(
        """
        SELECT count(DISTINCT {key}) AS count FROM {stage}
         WHERE staging_id = %s AND problems IS NOT NULL AND NOT retried
           AND NOT EXISTS (SELECT FROM xero_sync.rejection
                            WHERE connection_id = %s AND data_set = %s AND table_name = %s AND closed_at IS NULL
                              AND NOT held_back AND rejection.key = {key})
        """
    ).format(stage=stage_table(table), key=_key(table))
    row = session.execute(statement, (staging.id, connection_id, dataset.name, table.name)).fetchone()
    assert row is not None
    return int(row["count"])


def nameless(session: Session, staging: Staging, table: Table) -> int:
    """How many staged rows do not say which record they are."""
    statement = SQL("SELECT count(*) AS count FROM {} WHERE staging_id = %s AND {} IS NULL")
    row = session.execute(statement.format(stage_table(table), Identifier(table.key)), (staging.id,)).fetchone()
    assert row is not None
    return int(row["count"])
