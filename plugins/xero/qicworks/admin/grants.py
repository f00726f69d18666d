"""The rights of the role that pulls, pushes and shows: what these need, and nothing else. To be run as the owner.

Whatever the data sets and kinds of documents declare is covered; a new one needs no edit here, only the same command
again. Nobody but the owner deletes in schema qicworks, changes a table, or erases a person.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg.errors import DependentObjectsStillExist, InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from xero.datasets.declaration import Table
from xero.datasets.registry import DATASETS
from xero.qicworks import sql
from xero.qicworks.admin import effective_rights
from xero.qicworks.admin.effective_rights import Right
from xero.qicworks.database import Session

QUERIES = sql.Statements("grants")

SCHEMAS = ("qicworks", "xero_sync")
# Of these no row ever goes: a connection that is deleted keeps its history.
LASTING = ("connection", "token", "cursor", "due", "standing", "owned_earnings_line")
# Of these, the columns that may be changed: never whose they are, so that no row can be made another's.
CHANGING = {
    "owned_earnings_line": ("pay_period_id", "empty", "rates", "before", "disclaimed", "set_at", "seal"),
}
READ_ONLY = ("erasure", "match_before_seals", "link_before_seals")
# Rows are added, and nothing else: what was said there, stays said. Of some, numbers and moments are the database's.
ADDED: dict[str, tuple[str, ...]] = {"document_link": (), "switching": ("connection_id", "enabled", "seal")}
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
    may do more all the same, through whatever it is or is a member of: then nothing is changed.
    """
    found = QUERIES.role(session, role=role)
    if found is None:
        raise LookupError(f"there is no role '{role}': CREATE ROLE … LOGIN PASSWORD …, then run this again")
    if found["mighty"]:
        raise ValueError(
            f"'{role}' is a superuser or owns the tables: no grant makes its rights smaller; take another role"
        )
    try:
        with session.transaction():
            meant = _grant_all(session, Identifier(role))
            more = effective_rights.beyond(session, role, meant)
            if more:
                listed = "".join(f"\n  {said}" for said in more)
                raise ValueError(
                    f"'{role}' could do more than is meant; take that away first, nothing was granted:{listed}"
                )
    except DependentObjectsStillExist:
        raise ValueError(
            f"'{role}' has handed rights of its own on to other roles; as '{role}' or the owner:"
            f" REVOKE ALL ON ALL TABLES IN SCHEMA {', '.join(SCHEMAS)} FROM {role} CASCADE, then run this again"
        ) from None
    return _reset(session, role) + effective_rights.beside(session, role)


def _reset(session: Session, role: str) -> list[str]:
    """Takes the role's own settings away, which it can give itself and which last; in words, what they were."""
    held = [row["setting"] for row in QUERIES.settings(session, role=role)]
    if not held:
        return []
    names = {"role": Identifier(role), "database": Identifier(QUERIES.database_name(session))}
    try:
        with session.transaction():
            session.execute(sql.template("grants", "reset_settings").format(**names))
    except InsufficientPrivilege:
        return [f"it has settings of its own ({', '.join(held)}); ALTER ROLE {role} RESET ALL takes them away"]
    return [f"its own settings are taken away: {', '.join(held)}"]


def _grant_all(session: Session, role: Identifier) -> set[Right]:
    """Takes all from the role, gives it what is meant, and returns that by column."""
    for both in map(Identifier, SCHEMAS):
        # Rights to single columns go with the rights to their tables.
        session.execute(SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(both, role))
        session.execute(SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(both, role))
        session.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(both, role))
    session.execute(SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA xero_sync TO {}").format(role))
    columns_of = {(row["schema"], row["name"]): row["columns"] for row in QUERIES.tables(session)}
    meant: set[Right] = set()
    for right, schema, table, columns in _wanted(session):
        named = SQL(" ({})").format(SQL(", ").join(map(Identifier, columns))) if columns else SQL("")
        to = Identifier(schema, table)
        session.execute(SQL("GRANT {}{} ON {} TO {}").format(SQL(right), named, to, role))
        by_column = right in ("SELECT", "INSERT", "UPDATE")
        for column in (columns or columns_of[schema, table]) if by_column else ("",):
            meant.add((schema, table, column, right))
    return meant


def changeable(table: Table, columns: Iterable[str]) -> Iterator[str]:
    """All but which record of Xero's a row is, which is said once, when it is added: the pay code or account that
    somebody chose stays that one."""
    return (name for name in columns if name not in ("id", "connection_id", table.key))


def _wanted(session: Session) -> Iterator[tuple[str, str, str, Sequence[str]]]:
    """Right, schema, table, and the columns; none: the whole table."""
    columns_of = {row["name"]: row["columns"] for row in list(QUERIES.tables(session)) if row["schema"] == "qicworks"}
    for name in columns_of:
        yield "SELECT", "qicworks", name, ()
    for row in list(QUERIES.plumbing(session)):
        rights = ["SELECT"]
        if row["name"] in ADDED:
            yield "INSERT", "xero_sync", row["name"], ADDED[row["name"]]
        elif not row["is_view"] and row["name"] not in READ_ONLY:
            rights += ["INSERT", "UPDATE"] if row["name"] in LASTING else ["INSERT", "UPDATE", "DELETE"]
        for right in rights:
            columns = {"INSERT": row["filled"], "UPDATE": CHANGING.get(row["name"], ())}.get(right, ())
            yield right, "xero_sync", row["name"], columns
    for table in {table.name: table for dataset in DATASETS.values() for table in dataset.tables}.values():
        yield "INSERT", "qicworks", table.name, ()
        yield "UPDATE", "qicworks", table.name, () if table.linked else tuple(changeable(table, columns_of[table.name]))
        for name, columns in table.follows.items():
            yield "UPDATE", "qicworks", name, tuple(columns)
    for row in list(QUERIES.settled_columns(session)):
        yield "UPDATE", "qicworks", row["name"], row["columns"]
    for name, rights_of in (("organisation", ORGANISATION), ("document_line", LINE_ID)):
        for right, columns in rights_of.items():
            yield right, "qicworks", name, columns
