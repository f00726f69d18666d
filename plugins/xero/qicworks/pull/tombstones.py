"""Persons who were erased here though Xero still has them: pulls skip them."""

from uuid import UUID

from psycopg.sql import Identifier

from xero.datasets.declaration import Dataset
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.pull.staging import Staging, stage_table

QUERIES = sql.Statements("people")


def erased_ids(session: Session, connection_id: UUID) -> set[str]:
    """The Xero ids, in lower case, of the persons erased from this connection's tables."""
    return {row["xero_id"] for row in QUERIES.erased(session, connection_id=connection_id)}


def drop_erased(session: Session, connection_id: UUID, dataset: Dataset, staging: Staging) -> None:
    """Drops their staged rows before they are checked, counted, rejected or loaded."""
    ids = sorted(erased_ids(session, connection_id))
    if not ids:
        return
    for table in dataset.tables:
        for column in filter(None, (table.key, table.owner_key)):
            statement = sql.template("staging", "drop_of_erased").format(
                stage=stage_table(table), column=Identifier(column)
            )
            session.execute(statement, {"staging_id": staging.id, "erased": ids})
