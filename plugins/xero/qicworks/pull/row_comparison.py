"""Whether a row is held as Xero has it: by its columns, not by what a pull once noted of them."""

from psycopg.sql import SQL, Composed, Identifier

from xero.datasets.declaration import Kind, Table
from xero.qicworks.database import Session

# Of a record within another one, which has no version of its own, the hash says whether what is held is better.
DIFFERS = SQL(
    """
    OR ({versionless} OR staged.xero_updated_at IS NOT NULL OR held.xero_updated_at IS NULL)
       AND (held.organisation_id, {held}) IS DISTINCT FROM (%(organisation_id)s::uuid, {staged})
    """
)
# How a column keeps a number: a price with six decimals is held with four.
TYPES = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type
      FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""


def differs(session: Session, table: Table) -> Composed:
    """A condition on `held` and `staged`, to follow others with OR. For whole readings, which put right what somebody
    wrote to the table."""
    rows = session.execute(TYPES, (f"qicworks.{table.name}",))
    types = {row["name"]: SQL(row["type"]) for row in rows}
    names = [column.name for column in table.columns]
    shared = [] if table.own_use else ["is_active"]
    staged = [
        SQL("{}::{}").format(name, types[column.name]) if column.kind is Kind.NUMBER else name
        for column, name in ((one, Identifier("staged", one.name)) for one in table.columns)
    ]
    return DIFFERS.format(
        versionless=SQL("false" if "xero_updated_at" in names else "true"),
        held=SQL(", ").join(Identifier("held", name) for name in shared + names),
        staged=SQL(", ").join([*(Identifier("staged", name) for name in shared), *staged]),
    )
