"""Merges staged rows into QicWorks' tables: the same statements for every table, completed from its declaration.

Statements of a single table (links, candidates, warnings) are in its own file of `include/sql/pull`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier

from xero.datasets.declaration import Dataset, Source, Table
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.pull import row_comparison, tombstones
from xero.qicworks.pull.staging import Staging, stage_table
from xero.qicworks.runs.events import Counts

QUERIES = sql.Statements("merge")

Moment = Literal["filter", "before_merge", "warnings", "after_merge"]


def names(table: Table) -> dict[str, Composed | Identifier]:
    """What fills the places of the templates in `include/sql/merge.sql`."""
    columns = [Identifier(column.name) for column in table.columns]
    others = [column for column, declared in zip(columns, table.columns, strict=True) if declared.name != table.key]
    return {
        "held": Identifier("qicworks", table.name),
        "stage": stage_table(table),
        "key": Identifier(table.key),
        "columns": SQL(", ").join(columns),
        "assignments": SQL(", ").join(SQL("{0} = excluded.{0}").format(column) for column in others),
        "parent_key": Identifier(table.parent_key or table.key),
        "group": Identifier(table.guard_by or table.key),
    }


class Loading:
    """Loads one staging into the tables of one organisation."""

    def __init__(self, session: Session, staging: Staging, connection_id: UUID, organisation_id: UUID) -> None:
        self.session = session
        self.staging = staging
        self.parameters = {
            "staging_id": staging.id,
            "connection_id": connection_id,
            "organisation_id": organisation_id,
            "snapshot_at": staging.started_at,
            "full": staging.full,
        }

    def wait_for_others(self) -> None:
        """Takes the organisation's lock of loads until the transaction ends."""
        QUERIES.wait_for_others(self.session, connection_id=self.parameters["connection_id"])

    def run(self, moment: Moment, table: Table) -> Iterable[dict[str, Any]]:
        """Runs the table's own statements of a moment: `<moment>_<table>`, then `<moment>_<table>__<n>_<step>`.

        Returns:
            Rows with a column `message`, of `warnings` only.
        """
        found: list[dict[str, Any]] = []
        if table.statements is None:
            return found
        queries = sql.load(f"pull/{table.statements}")
        for name in queries.available_queries:
            if name.partition("__")[0] == f"{moment}_{table.name}":
                answer = getattr(queries, name)(self.session, **self.parameters)
                found += list(answer) if moment == "warnings" else []
        return found

    def merge(self, table: Table, counts: Counts) -> None:
        """Merges a table, and adds to the counts. Running it twice changes nothing."""
        differs = row_comparison.differs(self.session, table) if self.parameters["full"] else SQL("")
        statement = sql.template("merge", "merge").format(differs=differs, **names(table))
        row = self.session.execute(statement, self.parameters).fetchone()
        assert row is not None
        written = row["inserted"] + row["updated"] + row["deactivated"]
        counts.read += row["read"]
        counts.inserted += row["inserted"]
        counts.updated += row["updated"]
        counts.deactivated += row["deactivated"]
        counts.unchanged += row["read"] - written

    def known_parents(self, table: Table) -> int:
        """How many records have active parts in this table."""
        return int(sql.value(self.session, _template("known_parents", table), **self.parameters))

    def missing_groups(self, table: Table) -> list[str]:
        """The groups of a table of which a full reading brought nothing at all."""
        if table.guard_by is None:
            return []
        return [row["name"] for row in self.session.execute(_template("missing_groups", table), self.parameters)]

    def deactivate_missing(
        self, table: Table, since: datetime | None, missing_groups: list[str], *, by_id: bool
    ) -> tuple[int, int]:
        """After a full reading (from `since` on): deactivates rows that it did not meet, except in missing groups.

        Args:
            by_id: Only those that Xero does not have by their ids either.

        Returns:
            How many were active, and how many are left because Xero was not asked for them by id.
        """
        if not table.deactivated_in_qicworks:
            self.session.execute(_template("in_use_and_missing", table), self.parameters)
        parameters = {**self.parameters, "since": since, "missing_groups": missing_groups, "by_id": by_id}
        row = self.session.execute(_template("deactivate", table), parameters).fetchone()
        assert row is not None
        return int(row["deactivated"]), int(row["not_asked"])

    def deactivate_parts(self, table: Table) -> int:
        """Deactivates parts that their records, read by id, no longer have. Returns how many were active."""
        about = {"staging_id": self.staging.id, "full": self.staging.full}
        gone = [row["key"] for row in QUERIES.unlisted(self.session, **about)]
        return int(sql.value(self.session, _template("deactivate_parts", table), gone=gone, **self.parameters))


def _template(name: str, table: Table) -> Composed:
    return sql.template("merge", name).format(**names(table))


def ids_to_fetch(session: Session, dataset: Dataset, source: Source, **parameters: Any) -> list[str]:
    """The ids of the records to be read one by one, by the source's own statement; without erased persons."""
    statement = getattr(sql.load(f"pull/{dataset.statements}"), source.ids)
    found = [row["key"] for row in statement(session, **parameters)]
    erased = tombstones.erased_ids(session, parameters["connection_id"]) if found else set()
    return [key for key in found if key.lower() not in erased]


def starts_at(session: Session, dataset: Dataset, source: Source, **parameters: Any) -> datetime | None:
    """The time from which a first reading of this source is of interest; None: the beginning, or not at all yet."""
    statement = getattr(sql.load(f"pull/{dataset.statements}"), str(source.starts_at))
    found: datetime | None = statement(session, **parameters)
    return found


def full_is_due(session: Session, dataset: Dataset, **parameters: Any) -> bool:
    """Whether rows that an earlier reading left out are needed now."""
    if dataset.full_if is None:
        return False
    return bool(getattr(sql.load(f"pull/{dataset.statements}"), dataset.full_if)(session, **parameters))


def missing(session: Session, table: Table, **parameters: Any) -> set[str] | None:
    """The keys of QicWorks' own records that a table should have, and has not; None if it is to have all of Xero's."""
    name = f"missing_{table.name}"
    queries = sql.load(f"pull/{table.statements}") if table.statements else None
    if queries is None or name not in queries.available_queries:
        return None
    return {row["key"] for row in getattr(queries, name)(session, **parameters)}


def known(session: Session, table: Table, connection_id: UUID, since: datetime | None) -> int:
    """How many rows a reading from `since` on should meet: those not known to be missing from Xero."""
    return int(sql.value(session, _template("known", table), connection_id=connection_id, since=since))
