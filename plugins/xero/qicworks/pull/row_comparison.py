"""Compares rows by their columns, because someone may have changed the table since a pull stored their hash."""

from psycopg.sql import SQL, Composed, Identifier

from xero.datasets.declaration import ColumnType, Table
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("merge")


def differs(session: Session, table: Table) -> Composed:
    """The condition that adds rows to a merge that differ in a column. For full readings, which correct what someone
    wrote to the table."""
    types = {row["name"]: SQL(row["type"]) for row in QUERIES.types_of(session, table=f"qicworks.{table.name}")}
    names = [column.name for column in table.columns]
    shared = [] if table.deactivated_in_qicworks else ["is_active"]
    staged = [
        SQL("{}::{}").format(name, types[column.name]) if column.type is ColumnType.NUMBER else name
        for column, name in ((one, Identifier("staged", one.name)) for one in table.columns)
    ]
    return sql.template("merge", "differs").format(
        versionless=SQL("false" if "xero_updated_at" in names else "true"),
        held_columns=SQL(", ").join(Identifier("held", name) for name in shared + names),
        staged_columns=SQL(", ").join([*(Identifier("staged", name) for name in shared), *staged]),
    )
