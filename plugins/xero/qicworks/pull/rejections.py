"""Rejections: records that could not be loaded, stored with the reason until a version of them is loaded."""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.sql import Composed, Identifier

from xero.datasets.declaration import Dataset, Table
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.pull.staged_table import StagedTable
from xero.qicworks.pull.staging import stage_table
from xero.qicworks.texts import on_a_line

QUERIES = sql.Statements("rejections")
log = logging.getLogger(__name__)

MAX_LOGGED = 20  # rejected records


@dataclass(frozen=True)
class Rejection:
    """An open rejection. `record` has the values that could be read, `undecodable` the others as sent."""

    record: dict[str, Any]
    undecodable: dict[str, Any]


def open_rejections(session: Session, connection_id: UUID, dataset: Dataset, table: Table) -> list[Rejection]:
    rows = QUERIES.open_rejections(session, connection_id=connection_id, data_set=dataset.name, table_name=table.name)
    return [Rejection(row["record"], _fields(row["undecodable"])) for row in rows]


def _fields(undecodable: dict[str, Any] | None) -> dict[str, Any]:
    """What Xero sent in each field, or its description; anything else cannot be read again."""
    return {field: kept for field, kept in (undecodable or {}).items() if isinstance(kept, dict)}


def open_page(
    session: Session,
    connection_id: UUID | None = None,
    before: int | None = None,
    limit: int = 50,
    data_sets: frozenset[tuple[str, str]] | None = None,
) -> tuple[list[dict[str, Any]], int | None]:
    """Returns a page of open rejections, newest first, of connections that are not deleted.

    Args:
        before: Only rejections with a smaller id.
        data_sets: The pairs of direction and data set that the reader may see; None: all.

    Returns:
        The rejections, and the id to continue before; None if there are no more.
    """
    pulled = None if data_sets is None else [data_set for direction, data_set in data_sets if direction == "pull"]
    about = {"connection_id": connection_id, "pulled": pulled, "before": before}
    rows = list(QUERIES.newest_open(session, **about, limit=limit + 1))
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


def _template(name: str, table: Table) -> Composed:
    key = sql.template("rejections", "key").format(key=Identifier(table.key))
    return sql.template("rejections", name).format(stage=stage_table(table), key=key)


def settle(
    rows: StagedTable, connection_id: UUID, dataset: Dataset, event_id: int, *, held_back: bool
) -> tuple[int, dict[str, int]]:
    """Stores the bad records of this staging as open rejections, and closes those that are no longer bad.

    Args:
        held_back: Nothing of this staging is loaded, so no open rejection is closed.

    Returns:
        How many records are rejected, and the commonest reasons with the number of records each.
    """
    session, table = rows.session, rows.table
    pair = {"connection_id": connection_id, "data_set": dataset.name, "table_name": table.name}
    if not sql.value(session, _template("has_any", table), staging_id=rows.staging.id, **pair):
        return 0, {}  # as most nights: making and dropping a table would be work for the catalogues
    found = session.execute(_template("collect_bad", table), {"staging_id": rows.staging.id}).rowcount
    QUERIES.keep(session, held_back=held_back, event_id=event_id, **pair)
    if not held_back:
        QUERIES.close_others(session, event_id=event_id, **pair)
    for row in QUERIES.some_bad(session, count=MAX_LOGGED):
        log.warning("rejected: %s %s: %s", table.name, on_a_line(row["key"]), on_a_line("; ".join(row["problems"])))
    if found > MAX_LOGGED:
        log.warning("rejected: %d more of %s, see xero_sync.rejection", found - MAX_LOGGED, table.name)
    reasons = {row["reason"]: row["count"] for row in QUERIES.commonest_reasons(session)}
    QUERIES.drop_bad(session)
    return found, reasons


def count_newly_bad(rows: StagedTable, connection_id: UUID, dataset: Dataset) -> int:
    """The number of bad staged records without an open rejection."""
    pair = {"connection_id": connection_id, "data_set": dataset.name, "table_name": rows.table.name}
    statement = _template("count_newly_bad", rows.table)
    return int(sql.value(rows.session, statement, staging_id=rows.staging.id, **pair))
