"""Whether a row is held as Xero has it: by its columns, not by what a pull once noted of them."""

from psycopg.sql import SQL, Composed, Identifier

from xero.datasets.declaration import Kind, Table
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("merge")


def differs(session: Session, table: Table) -> Composed:
    """A condition on `held` and `staged`, to follow others with OR. For whole readings, which put right what somebody
    wrote to the table."""
    types = {row["name"]: SQL(row["type"]) for row in QUERIES.types_of(session, table=f"qicworks.{table.name}")}
    names = [column.name for column in table.columns]
    shared = [] if table.own_use else ["is_active"]
    staged = [
        SQL("{}::{}").format(name, types[column.name]) if column.kind is Kind.NUMBER else name
        for column, name in ((one, Identifier("staged", one.name)) for one in table.columns)
    ]
    return sql.template("merge", "differs").format(
        versionless=SQL("false" if "xero_updated_at" in names else "true"),
        held_columns=SQL(", ").join(Identifier("held", name) for name in shared + names),
        staged_columns=SQL(", ").join([*(Identifier("staged", name) for name in shared), *staged]),
    )
