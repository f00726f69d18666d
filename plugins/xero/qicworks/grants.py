"""The rights of the role that pulls, pushes and shows: what these need, and nothing else. To be run as the owner.

Whatever the data sets and kinds of documents declare is covered; a new one needs no edit here, only the same command
again. Nobody but the owner deletes in schema qicworks, changes a table, or erases a person.
"""

from collections.abc import Iterable, Iterator

from psycopg.sql import SQL, Composed, Identifier

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("grants")

SCHEMAS = ("qicworks", "xero_sync")
# Of these no row ever goes: a connection that is deleted keeps its history.
LASTING = ("connection", "token", "cursor", "due", "standing")
READ_ONLY = ("erasure",)
# Made at connect, described by Xero.
ORGANISATION = {
    "INSERT": ("name",),
    "UPDATE": (
        "legal_name",
        "tax_number",
        "country_code",
        "base_currency",
        "time_zone",
        "period_lock_date",
        "end_of_year_lock_date",
        "updated_at",
    ),
}
LINE_ID = {"UPDATE": ("xero_line_id",)}


def grant_to(session: Session, role: str) -> list[str]:
    """Gives the role exactly this; what it had beside it in both schemas is taken back. Returns what is odd, in words.

    One transaction: who is at work meanwhile notices nothing. LookupError if there is no such role, ValueError if it
    may do everything anyhow.
    """
    found = QUERIES.role(session, role=role)
    if found is None:
        raise LookupError(f"there is no role '{role}': CREATE ROLE … LOGIN PASSWORD …, then run this again")
    if found["mighty"]:
        raise ValueError(
            f"'{role}' is a superuser or owns the tables: no grant makes its rights smaller; take another role"
        )
    with session.transaction():
        for statement in _statements(session, Identifier(role)):
            session.execute(statement)
    if QUERIES.public_may_create(session, role=role):
        return [
            "everybody may make tables in the schema public of this database:"
            " REVOKE CREATE ON SCHEMA public FROM PUBLIC takes that away"
        ]
    return []


def _statements(session: Session, role: Identifier) -> Iterator[Composed]:
    for schema in map(Identifier, SCHEMAS):
        # Rights to single columns go with the rights to their tables.
        yield SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, role)
        yield SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, role)
        yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role)
    yield SQL("GRANT SELECT ON ALL TABLES IN SCHEMA qicworks TO {}").format(role)
    yield SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA xero_sync TO {}").format(role)
    for row in list(QUERIES.plumbing(session)):
        rights = ["SELECT"]
        if not row["is_view"] and row["name"] not in READ_ONLY:
            rights += ["INSERT", "UPDATE"] if row["name"] in LASTING else ["INSERT", "UPDATE", "DELETE"]
        yield _grant(rights, "xero_sync", row["name"], role)
    for table in {table.name: table for dataset in DATASETS.values() for table in dataset.tables}.values():
        yield _grant(["INSERT", "UPDATE"], "qicworks", table.name, role)
        for name, columns in table.follows.items():
            yield _grant_columns("UPDATE", columns, name, role)
    for row in list(QUERIES.settled_columns(session)):
        yield _grant_columns("UPDATE", row["columns"], row["name"], role)
    for kind in KINDS.values():
        if kind.makes:
            yield _grant_columns("INSERT", kind.makes, kind.table, role)
    for name, rights_of in (("organisation", ORGANISATION), ("document_line", LINE_ID)):
        for right, columns in rights_of.items():
            yield _grant_columns(right, columns, name, role)


def _grant(rights: Iterable[str], schema: str, table: str, role: Identifier) -> Composed:
    said = SQL(", ").join(map(SQL, rights))
    return SQL("GRANT {} ON {} TO {}").format(said, Identifier(schema, table), role)


def _grant_columns(right: str, columns: Iterable[str], table: str, role: Identifier) -> Composed:
    named = SQL(", ").join(map(Identifier, columns))
    return SQL("GRANT {} ({}) ON {} TO {}").format(SQL(right), named, Identifier("qicworks", table), role)
