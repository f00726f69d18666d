"""From staging into the QicWorks tables: set-based, one statement for every table, made from its declaration.

What is particular to a table (links, candidates, warnings) is in its own file of `include/sql/pull`.
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

Moment = Literal["narrow", "before_merge", "warnings", "after_merge"]

# Conflict policy: the newest version wins, of versions as new as what is held the one read last; a row that says what
# is held already is not written. A whole reading that was begun after a row was written wins over it, whatever the
# stamps say: one that was once ahead of its time would keep every later change away. What was written at a time to come
# was written before the clock was put back.
MERGE = SQL(
    """
    WITH staged AS (
        SELECT DISTINCT ON ({key}) *
          FROM {stage}
         WHERE staging_id = %(staging_id)s AND problems IS NULL
         ORDER BY {key}, xero_updated_at DESC NULLS LAST, seq DESC
    ), changed AS (
        SELECT staged.*, held.is_active AS was_active, held.{key} IS NULL AS is_new
          FROM staged
          LEFT JOIN {held} AS held ON held.connection_id = %(connection_id)s AND held.{key} = staged.{key}
         WHERE held.{key} IS NULL
            OR ((held.row_hash IS DISTINCT FROM staged.row_hash OR held.missing_since IS NOT NULL {differs})
               AND (held.xero_updated_at IS NULL OR staged.xero_updated_at IS NULL
                    OR staged.xero_updated_at >= held.xero_updated_at
                    OR (%(whole)s AND (held.synced_at < %(snapshot_at)s OR held.synced_at > clock_timestamp()))))
    ), written AS (
        INSERT INTO {held} (connection_id, organisation_id, is_active, row_hash, {columns})
        SELECT %(connection_id)s, %(organisation_id)s, is_active, row_hash, {columns} FROM changed
            ON CONFLICT (connection_id, {key}) DO UPDATE SET
               is_active = excluded.is_active, row_hash = excluded.row_hash, missing_since = NULL, synced_at = now(),
               organisation_id = excluded.organisation_id,
               {assignments}
    )
    SELECT (SELECT count(*) FROM staged) AS read,
           count(*) FILTER (WHERE is_new) AS inserted,
           count(*) FILTER (WHERE NOT is_new AND NOT (was_active AND NOT is_active)) AS updated,
           count(*) FILTER (WHERE NOT is_new AND was_active AND NOT is_active) AS deactivated
      FROM changed
    """
)

# Rows that are in use are in Xero, or a whole reading is to say that they are not.
IN_USE_AND_MISSING = SQL(
    "UPDATE {held} SET missing_since = NULL"
    " WHERE connection_id = %(connection_id)s AND is_active AND missing_since IS NOT NULL"
)

# What a whole reading did not meet. Spares what was written since the snapshot was begun, and what was last changed
# before the time from which the reading started. Counts those that were active.
RETIRE = SQL(
    """
    WITH gone AS (
        SELECT held.id, held.is_active
          FROM {held} AS held
         WHERE held.connection_id = %(connection_id)s
           AND held.missing_since IS NULL
           AND (held.synced_at < %(snapshot_at)s OR held.synced_at > clock_timestamp())
           AND (%(since)s::timestamptz IS NULL OR held.xero_updated_at >= %(since)s)
           AND NOT held.{group}::text = ANY (%(vanished)s)
           AND NOT EXISTS (SELECT FROM {stage} AS staged
                            WHERE staged.staging_id = %(staging_id)s AND staged.{key} = held.{key})
           AND NOT EXISTS (SELECT FROM xero_sync.stage_seen AS seen
                            WHERE seen.staging_id = %(staging_id)s AND seen.read_at IS NULL
                              AND lower(seen.key) = held.{key}::text)
    ), retired AS (
        UPDATE {held} AS held
           SET is_active = false, missing_since = now(), synced_at = now()
          FROM gone
         WHERE held.connection_id = %(connection_id)s AND held.id = gone.id
    )
    SELECT count(*) FILTER (WHERE is_active) AS retired FROM gone
    """
)

# Parts that the record they belong to, read by its id, has no longer. Where a part could not be read, all are spared;
# that Xero had no record of that id means something only where it is not listed any more.
RETIRE_PARTS = SQL(
    """
    WITH gone AS (
        SELECT held.id, held.is_active
          FROM {held} AS held
          JOIN xero_sync.stage_seen AS whole ON lower(whole.key) = held.{part_of}::text
         WHERE held.connection_id = %(connection_id)s
           AND held.missing_since IS NULL
           AND (held.synced_at < %(snapshot_at)s OR held.synced_at > clock_timestamp())
           AND whole.staging_id = %(staging_id)s AND whole.read_at IS NOT NULL
           AND (whole.is_active OR whole.key = ANY (%(gone)s))
           AND NOT EXISTS (SELECT FROM {stage} AS staged
                            WHERE staged.staging_id = %(staging_id)s AND staged.{part_of} = held.{part_of}
                              AND (staged.{key} = held.{key} OR staged.{key} IS NULL))
    ), retired AS (
        UPDATE {held} AS held
           SET is_active = false, missing_since = now(), synced_at = now()
          FROM gone
         WHERE held.connection_id = %(connection_id)s AND held.id = gone.id
    )
    SELECT count(*) FILTER (WHERE is_active) AS retired FROM gone
    """
)

# Records that a whole list has no longer, nor has Xero by their ids.
UNLISTED = """
    SELECT key FROM xero_sync.stage_seen AS asked
     WHERE asked.staging_id = %(staging_id)s AND asked.read_at IS NOT NULL AND NOT asked.is_active AND %(whole)s
       AND EXISTS (SELECT FROM xero_sync.stage_seen AS listed
                    WHERE listed.staging_id = %(staging_id)s AND listed.read_at IS NULL)
       AND NOT EXISTS (SELECT FROM xero_sync.stage_seen AS listed
                        WHERE listed.staging_id = %(staging_id)s AND listed.read_at IS NULL
                          AND lower(listed.key) = lower(asked.key))
"""

# Groups of which a whole reading brought nothing at all, though rows of them are held.
VANISHED = SQL(
    """
    SELECT DISTINCT held.{group}::text AS name
      FROM {held} AS held
     WHERE held.connection_id = %(connection_id)s AND held.missing_since IS NULL
       AND NOT EXISTS (SELECT FROM {stage} AS staged
                        WHERE staged.staging_id = %(staging_id)s AND staged.{group} = held.{group})
     ORDER BY name
    """
)


def names(table: Table) -> dict[str, Composed | Identifier]:
    """What the statements above are completed with."""
    columns = [Identifier(column.name) for column in table.columns]
    others = [column for column, declared in zip(columns, table.columns, strict=True) if declared.name != table.key]
    return {
        "held": Identifier("qicworks", table.name),
        "stage": stage_table(table),
        "key": Identifier(table.key),
        "columns": SQL(", ").join(columns),
        "assignments": SQL(", ").join(SQL("{0} = excluded.{0}").format(column) for column in others),
        "part_of": Identifier(table.part_of or table.key),
        "group": Identifier(table.group or table.key),
    }


class Loading:
    """One staging on its way into the tables of one organisation."""

    def __init__(self, session: Session, staging: Staging, connection_id: UUID, organisation_id: UUID) -> None:
        self.session = session
        self.staging = staging
        self.parameters = {
            "staging_id": staging.id,
            "connection_id": connection_id,
            "organisation_id": organisation_id,
            "snapshot_at": staging.started_at,
            "whole": staging.whole,
        }

    def wait_for_others(self) -> None:
        """Loads of one organisation go one after the other: two data sets may write the same table."""
        self.session.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('xero load ' || %(connection_id)s::text, 0))",
            self.parameters,
        )

    def run(self, moment: Moment, table: Table) -> Iterable[dict[str, Any]]:
        """The table's own statements of that moment: `<moment>_<table>`, and `<moment>_<table>__<n>_<step>` in order.

        Only `warnings` answer: rows of `says`.
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
        """Adds to the counts. Running it twice changes nothing."""
        differs = row_comparison.differs(self.session, table) if self.parameters["whole"] else SQL("")
        row = self.session.execute(MERGE.format(differs=differs, **names(table)), self.parameters).fetchone()
        assert row is not None
        written = row["inserted"] + row["updated"] + row["deactivated"]
        counts.read += row["read"]
        counts.inserted += row["inserted"]
        counts.updated += row["updated"]
        counts.deactivated += row["deactivated"]
        counts.unchanged += row["read"] - written

    def known_owners(self, table: Table) -> int:
        """How many records have active parts in this table."""
        statement = SQL(
            "SELECT count(DISTINCT {part_of}) AS count FROM {held}"
            " WHERE connection_id = %(connection_id)s AND is_active"
        ).format(**names(table))
        row = self.session.execute(statement, self.parameters).fetchone()
        assert row is not None
        return int(row["count"])

    def vanished(self, table: Table) -> list[str]:
        """The groups of a table of which a whole reading brought nothing at all."""
        if table.group is None:
            return []
        return [row["name"] for row in self.session.execute(VANISHED.format(**names(table)), self.parameters)]

    def retire(self, table: Table, since: datetime | None, vanished: list[str]) -> int:
        """After a whole reading (from `since` on): deactivates what is gone, but in the groups that vanished.

        Returns how many were active.
        """
        if not table.own_use:
            self.session.execute(IN_USE_AND_MISSING.format(**names(table)), self.parameters)
        return self._retire(RETIRE, table, since=since, vanished=vanished)

    def retire_parts(self, table: Table) -> int:
        """Deactivates parts that their records, read by id, have no longer. Returns how many were active."""
        gone = [row["key"] for row in self.session.execute(UNLISTED, self.parameters)]
        return self._retire(RETIRE_PARTS, table, gone=gone)

    def _retire(self, statement: SQL, table: Table, **parameters: Any) -> int:
        row = self.session.execute(statement.format(**names(table)), self.parameters | parameters).fetchone()
        assert row is not None
        return int(row["retired"])


def to_read(session: Session, dataset: Dataset, **parameters: Any) -> list[str]:
    """The ids of the records that are to be read one by one, as the data set's own statement finds them; of who was
    erased nothing is read."""
    statement = getattr(sql.load(f"pull/{dataset.statements}"), "to_read")  # noqa: B009 - aiosql makes it at run time
    found = [row["key"] for row in statement(session, **parameters)]
    erased = tombstones.erased(session, parameters["connection_id"]) if found else set()
    return [key for key in found if key.lower() not in erased]


def starts_at(session: Session, dataset: Dataset, source: Source, **parameters: Any) -> datetime | None:
    """From when on a first reading of this source is of interest; None: from the beginning, or nothing is yet."""
    statement = getattr(sql.load(f"pull/{dataset.statements}"), str(source.starts_at))
    found: datetime | None = statement(session, **parameters)
    return found


def known(session: Session, table: Table, connection_id: UUID, since: datetime | None) -> int:
    """How many rows are held that Xero is thought to have still, and that a reading from `since` on has to meet."""
    statement = SQL(
        "SELECT count(*) AS known FROM {} WHERE connection_id = %(connection_id)s AND missing_since IS NULL"
        " AND (%(since)s::timestamptz IS NULL OR xero_updated_at >= %(since)s)"
    ).format(Identifier("qicworks", table.name))
    row = session.execute(statement, {"connection_id": connection_id, "since": since}).fetchone()
    assert row is not None
    return int(row["known"])


def listed(session: Session, staging: Staging) -> int:
    """How many records were listed, to be read by id."""
    statement = "SELECT count(DISTINCT key) FROM xero_sync.stage_seen WHERE staging_id = %s AND read_at IS NULL"
    row = session.execute(statement, (staging.id,)).fetchone()
    assert row is not None
    return int(row["count"])


def listed_only(session: Session, staging: Staging, table: Table) -> int:
    """How many records were listed, but not read by id, since they have not changed."""
    statement = SQL(
        """
        SELECT count(*) AS count FROM xero_sync.stage_seen AS listed
         WHERE listed.staging_id = %s AND listed.read_at IS NULL
           AND NOT EXISTS (SELECT FROM {stage} AS staged
                            WHERE staged.staging_id = listed.staging_id AND staged.{key}::text = lower(listed.key))
        """
    ).format(stage=stage_table(table), key=Identifier(table.key))
    row = session.execute(statement, (staging.id,)).fetchone()
    assert row is not None
    return int(row["count"])
