"""From staging into the QicWorks tables: set-based, by the merge statement of the data set's own SQL file."""

from uuid import UUID

from psycopg.sql import SQL, Identifier

from xero.datasets.declaration import Dataset, Table
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.events import Counts
from xero.qicworks.staging import Staging, stage_table

# Spares what was written since the snapshot was begun. Counts those that were active.
RETIRE = SQL(
    """
    WITH gone AS (
        SELECT held.id, held.is_active
          FROM {held} AS held
         WHERE held.connection_id = %(connection_id)s
           AND held.missing_since IS NULL AND held.synced_at < %(snapshot_at)s
           AND NOT EXISTS (SELECT FROM {stage} AS staged
                            WHERE staged.staging_id = %(staging_id)s AND staged.{key} = held.{key})
    ), retired AS (
        UPDATE {held} AS held
           SET is_active = false, missing_since = now(), synced_at = now()
          FROM gone
         WHERE held.id = gone.id
    )
    SELECT count(*) FILTER (WHERE is_active) AS retired FROM gone
    """
)


def merge(
    session: Session,
    dataset: Dataset,
    table: Table,
    connection_id: UUID,
    organisation_id: UUID,
    staging: Staging,
    counts: Counts,
) -> None:
    """Merges one table and adds to the counts. Running it twice changes nothing."""
    statement = getattr(sql.load(f"pull/{dataset.name}"), f"merge_{table.name}")
    row = statement(session, staging_id=staging.id, connection_id=connection_id, organisation_id=organisation_id)
    written = row["inserted"] + row["updated"] + row["deactivated"]
    counts.read += row["read"]
    counts.inserted += row["inserted"]
    counts.updated += row["updated"]
    counts.deactivated += row["deactivated"]
    counts.unchanged += row["read"] - written


def retire(session: Session, table: Table, connection_id: UUID, staging: Staging) -> int:
    """After a whole reading: deactivates what Xero no longer has. Returns how many were active."""
    row = session.execute(
        RETIRE.format(held=Identifier("qicworks", table.name), stage=stage_table(table), key=Identifier(table.key)),
        {"connection_id": connection_id, "staging_id": staging.id, "snapshot_at": staging.started_at},
    ).fetchone()
    assert row is not None
    return int(row["retired"])


def known(session: Session, table: Table, connection_id: UUID) -> int:
    """How many rows are held that Xero is thought to have still."""
    statement = SQL("SELECT count(*) AS known FROM {} WHERE connection_id = %s AND missing_since IS NULL")
    row = session.execute(statement.format(Identifier("qicworks", table.name)), (connection_id,)).fetchone()
    assert row is not None
    return int(row["known"])
