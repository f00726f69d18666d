"""What is left on an organisation's first day, as far as the database knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.sql import Identifier

from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.follow.differences import Reason
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What

QUERIES = sql.Statements("pages/first_day")

#: The data sets that link QicWorks' people to Xero's.
LINKING = tuple(name for name, one in DATASETS.items() if any(table.linked for table in one.tables))


@dataclass(frozen=True)
class Unlinked:
    """How many people and contacts of QicWorks have no record in Xero, of those that the user may see.

    Args:
        waiting: Those who may be somebody in Xero, about whom a user has to decide.
        differences: Records of Xero's that may be another one of a document.
    """

    waiting: int
    people: int
    contacts: int
    differences: int


def loaded(session: Session, connection_id: UUID) -> set[str]:
    """The data sets that were ever loaded."""
    return {row["data_set"] for row in QUERIES.loaded(session, connection_id=connection_id)}


def unlinked(session: Session, connection: Connection, whats: Sequence[What], kinds: Sequence[str]) -> Unlinked:
    """`whats` and `kinds`: what counts, of people and contacts, and of the differences of documents."""
    found = QUERIES.unlinked(
        session,
        connection_id=connection.id,
        organisation_id=connection.organisation_id,
        reason=Reason.AMBIGUOUS_MATCH,
        kinds=list(kinds),
    )
    found["people"] *= What.STAFF in whats
    found["contacts"] *= What.CONTACT in whats
    return Unlinked(waiting=sum(row["count"] for row in waiting.counts(session, whats, connection.id)), **found)


def ready_since(session: Session, kind: Kind, organisation_id: UUID, since: datetime | None, cap: int) -> int:
    """How many ready documents became so, or were changed, after that time; at most `cap`."""
    statement = sql.template("pages/first_day", "ready_since").format(table=Identifier(kind.table))
    found: int = sql.value(session, statement, organisation_id=organisation_id, since=since, cap=cap)
    return found


def changed_since(session: Session, connection: Connection, since: datetime, set_up: Sequence[str]) -> bool:
    """Whether settings, links, QicWorks' own contacts or these data sets changed after that time."""
    about = {"connection_id": connection.id, "organisation_id": connection.organisation_id}
    found: bool = QUERIES.changed_since(session, **about, since=since, set_up=list(set_up))
    return found


def now(session: Session) -> datetime:
    """By the database's clock."""
    found: datetime = QUERIES.now(session)
    return found


def contacts_of(session: Session, kind: Kind, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Document → its contact."""
    statement = sql.template("pages/first_day", "contacts_of").format(table=Identifier(kind.table))
    return {row["id"]: row["contact_id"] for row in session.execute(statement, {"ids": list(ids)})}


def oldest_ready(session: Session, kind: Kind, organisation_id: UUID, limit: int) -> list[UUID]:
    """The ids of the documents that have been ready for longest."""
    statement = sql.template("pages/first_day", "oldest_ready").format(table=Identifier(kind.table))
    rows = session.execute(statement, {"organisation_id": organisation_id, "limit": limit})
    return [row["id"] for row in rows]
