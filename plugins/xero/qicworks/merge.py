"""The set-based merge from staging into the QicWorks tables, by the statements of the data set's own SQL file."""

from uuid import UUID

from xero.datasets.declaration import Dataset, Table
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.events import Counts
from xero.qicworks.staging import Staging


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


def retire(session: Session, dataset: Dataset, table: Table, connection_id: UUID, staging: Staging) -> int:
    """After a whole reading: deactivates what Xero no longer has. Returns how many were active."""
    statement = getattr(sql.load(f"pull/{dataset.name}"), f"retire_{table.name}")
    retired: int = statement(
        session, connection_id=connection_id, staging_id=staging.id, snapshot_at=staging.started_at
    )
    return retired


def known(session: Session, dataset: Dataset, table: Table, connection_id: UUID) -> int:
    """How many rows are held that Xero is thought to have still."""
    statement = getattr(sql.load(f"pull/{dataset.name}"), f"known_{table.name}")
    count: int = statement(session, connection_id=connection_id)
    return count
