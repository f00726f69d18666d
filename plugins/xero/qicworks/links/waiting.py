"""Who of QicWorks may be who in Xero, and which links there are: read for the page and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.links.candidates import What

QUERIES = sql.Statements("links")

#: Words of the pairs, from either set of rules, for people. In this order.
WORDS = {
    "own number": "QicWorks' own contact number",
    "number": "same contact number",
    "name": "same name",
    "spelling": "same name, spelt differently",
    "swapped": "first and last name swapped",
    "middle name": "same name, with and without a middle name",
    "nickname": "nickname or initial",
    "typo": "one letter different",
    "first name": "same first name",
    "similar name": "similar name",
    "tax number": "same ABN or tax number",
    "merged into it": "one that is alike was merged into it",
    "email": "same email",
    "no email": "email missing on one side",
    "other email": "different emails",
    "shared email": "an email of several people",
    "start date": "same start date",
    "other start date": "different start dates",
}


@dataclass(frozen=True)
class Waiting:
    """A member of staff or a contact that is not linked. `detail`: the start date, or the ABN or tax number.
    `candidates`: xero_id, name, email, detail, is_active, alike, likely and version of each."""

    what: What
    own_id: UUID
    name: str
    email: str | None
    detail: str | None
    likely: bool
    candidates: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Link:
    """A link, and what it is called on both sides."""

    what: What
    own_id: UUID
    xero_id: UUID
    own_name: str
    own_email: str | None
    xero_name: str | None
    xero_email: str | None


def words(alike: Sequence[str]) -> list[str]:
    """In what a pair is alike, or differs, for people."""
    return [said for name, said in WORDS.items() if name in alike]


def waiting(
    session: Session, connection_id: UUID, whats: Sequence[What], search: str = "", limit: int = 25, offset: int = 0
) -> tuple[list[Waiting], int]:
    """Those of QicWorks who may be somebody in Xero, likely ones first, and how many there are."""
    about = {"connection_id": connection_id, "whats": list(whats), "search": search.strip()}
    rows = list(QUERIES.waiting(session, **about, limit=limit, offset=offset))
    found = [
        Waiting(
            What(row["what"]),
            row["own_id"],
            row["own_name"],
            row["own_email"],
            row["own_detail"],
            row["likely"],
            row["candidates"],
        )
        for row in rows
    ]
    return found, rows[0]["total"] if rows else 0


def undone_employees(session: Session, connection_id: UUID) -> list[dict[str, Any]]:
    """Employees whose link was undone: xero_id, name, email, detail, is_active."""
    return list(QUERIES.undone_employees(session, connection_id=connection_id))


def counts(session: Session, whats: Sequence[What], connection_id: UUID | None = None) -> list[dict[str, Any]]:
    """How many wait: connection_id, organisation, what, count, likely. `connection_id` None: of all organisations."""
    return list(QUERIES.counts(session, whats=list(whats), connection_id=connection_id))


def linked(
    session: Session,
    connection: Connection,
    whats: Sequence[What],
    search: str = "",
    limit: int = 25,
    offset: int = 0,
    own_id: UUID | None = None,
) -> tuple[list[Link], int]:
    """The links of an organisation by name, and how many there are."""
    about = {"connection_id": connection.id, "organisation_id": connection.organisation_id, "own_id": own_id}
    asked = {"whats": list(whats), "search": search.strip(), "limit": limit, "offset": offset}
    rows = list(QUERIES.linked(session, **about, **asked))
    total = rows[0]["total"] if rows else 0
    return [Link(**{name: row[name] for name in Link.__dataclass_fields__}) for row in rows], total


def link_of(session: Session, connection: Connection, what: What, own_id: UUID) -> Link:
    """Raises LookupError: it is not linked."""
    found, _ = linked(session, connection, [what], limit=1, own_id=own_id)
    if not found:
        raise LookupError("This link does not exist any more. Reload the page.")
    return found[0]
