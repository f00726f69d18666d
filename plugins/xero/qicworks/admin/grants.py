"""Grants the role that pulls, pushes and shows pages the rights that these need, and no others. Run as the owner.

Rights follow from the declarations of data sets and kinds of documents: a new one needs no edit here, only the same
command again. Only the owner deletes in schema qicworks, changes a table, or erases a person.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg.errors import DependentObjectsStillExist, InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from xero.datasets.declaration import Table
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.admin import effective_rights
from xero.qicworks.admin.effective_rights import Right
from xero.qicworks.database import Session

QUERIES = sql.Statements("grants")

SCHEMAS = ("qicworks", "xero_sync")
# No row of these is ever deleted: a deleted connection keeps its history.
NEVER_DELETED = (
    "connection",
    "token",
    "cursor",
    "due",
    "standing",
    "owned_earnings_line",
    "difference",
    "setting",
    "adoption",
)
# The columns that may be updated: not those that say which organisation a row belongs to.
UPDATABLE = {
    "owned_earnings_line": ("pay_period_id", "empty", "rates", "before", "disclaimed", "set_at", "seal"),
    "cancellation": ("done_at",),
    "adoption": ("linked_at", "ended_at", "ended_how", "ended_by"),
    "removed_file": ("done_at",),
}
# Triggers write their rows: what was cancelled, and which files were removed.
UPDATE_ONLY = ("cancellation", "removed_file")
READ_ONLY = ("erasure", "match_before_seals", "link_before_seals", "taken_tax")
# Rows are only added, with these columns if the database itself fills others.
INSERT_ONLY: dict[str, tuple[str, ...]] = {
    "document_link": (),
    "switching": ("connection_id", "enabled", "seal"),
    "link_decision": ("connection_id", "what", "own_id", "xero_id", "decision", "decided_by", "before"),
}
# Created when an organisation is connected, updated with what Xero has.
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
# Of a pulled table whose own rows are pushed, too: what QicWorks alone writes, or a trigger.
ONLY_QICWORKS = frozenset({"push_version", "push_state", "updated_at", "created_at"})
SETTLED = frozenset({"xero_status", "pushed_at", "push_error", "push_correction"})


def grant_to(session: Session, role: str) -> list[str]:
    """Grants the role exactly these rights, and revokes all others in both schemas.

    One transaction, so running processes do not notice.

    Returns:
        Warnings about rights and settings in addition to these.

    Raises:
        LookupError: There is no such role.
        ValueError: It could do more despite the grants, by what it is or is a member of. Nothing was changed.
    """
    found = QUERIES.role(session, role=role)
    if found is None:
        raise LookupError(f"there is no role '{role}': CREATE ROLE … LOGIN PASSWORD …, then run this again")
    if found["bypasses_grants"]:
        raise ValueError(
            f"'{role}' is a superuser or owns the tables: no grant makes its rights smaller; take another role"
        )
    try:
        with session.transaction():
            meant = _grant_all(session, Identifier(role))
            more = effective_rights.rights_beyond(session, role, meant)
            if more:
                listed = "".join(f"\n  {right}" for right in more)
                raise ValueError(
                    f"'{role}' could do more than is meant; take that away first, nothing was granted:{listed}"
                )
    except DependentObjectsStillExist:
        raise ValueError(
            f"'{role}' has granted rights to other roles; as '{role}' or the owner:"
            f" REVOKE ALL ON ALL TABLES IN SCHEMA {', '.join(SCHEMAS)} FROM {role} CASCADE, then run this again"
        ) from None
    return _reset(session, role) + effective_rights.rights_elsewhere(session, role)


def _reset(session: Session, role: str) -> list[str]:
    """Resets the settings that the role has given itself, and returns a sentence about them."""
    held = [row["setting"] for row in QUERIES.settings(session, role=role)]
    if not held:
        return []
    names = {"role": Identifier(role), "database": Identifier(QUERIES.database_name(session))}
    try:
        with session.transaction():
            session.execute(sql.template("grants", "reset_settings").format(**names))
    except InsufficientPrivilege:
        return [f"it has settings of its own ({', '.join(held)}); ALTER ROLE {role} RESET ALL removes them"]
    return [f"its own settings were removed: {', '.join(held)}"]


def _grant_all(session: Session, role: Identifier) -> set[Right]:
    """Revokes all rights of the role, grants those that are meant, and returns them by column."""
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
    """The columns that may be updated: not those that identify a row's record in Xero. So a pay code or account that
    was chosen stays that one."""
    kept = {"id", "connection_id", table.key} | (ONLY_QICWORKS if _is_pushed(table) else set())
    return (name for name in columns if name not in kept)


def _is_pushed(table: Table) -> bool:
    """Whether QicWorks has rows of its own in it, which are pushed. A pull adds none that would be."""
    return table.name in {kind.table for kind in KINDS.values()}


def _wanted(session: Session) -> Iterator[tuple[str, str, str, Sequence[str]]]:
    """Yields right, schema, table and columns; no columns mean the table."""
    columns_of = {row["name"]: row["columns"] for row in list(QUERIES.tables(session)) if row["schema"] == "qicworks"}
    for name in columns_of:
        yield "SELECT", "qicworks", name, ()
    for row in list(QUERIES.plumbing(session)):
        rights = ["SELECT"]
        if row["name"] in INSERT_ONLY:
            yield "INSERT", "xero_sync", row["name"], INSERT_ONLY[row["name"]]
        elif row["name"] in UPDATE_ONLY:
            rights += ["UPDATE"]
        elif not row["is_view"] and row["name"] not in READ_ONLY:
            rights += ["INSERT", "UPDATE"] if row["name"] in NEVER_DELETED else ["INSERT", "UPDATE", "DELETE"]
        for right in rights:
            columns = {"INSERT": row["filled"], "UPDATE": UPDATABLE.get(row["name"], ())}.get(right, ())
            yield right, "xero_sync", row["name"], columns
    for table in {table.name: table for dataset in DATASETS.values() for table in dataset.tables}.values():
        names = columns_of[table.name]
        insertable = [name for name in names if name not in ONLY_QICWORKS | SETTLED] if _is_pushed(table) else ()
        yield "INSERT", "qicworks", table.name, tuple(insertable)
        yield "UPDATE", "qicworks", table.name, () if table.linked else tuple(changeable(table, columns_of[table.name]))
        for name, columns in table.also_updates.items():
            yield "UPDATE", "qicworks", name, tuple(columns)
    keys = {table.name: table.key for dataset in DATASETS.values() for table in dataset.tables}
    for row in list(QUERIES.settled_columns(session)):
        settled = [name for name in row["columns"] if name != keys.get(row["name"])]
        yield "UPDATE", "qicworks", row["name"], settled
    for name, rights_of in (("organisation", ORGANISATION), ("document_line", LINE_ID)):
        for right, columns in rights_of.items():
            yield right, "qicworks", name, columns
