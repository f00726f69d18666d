"""QicWorks' own contacts that are not linked, what was pulled of Xero's, and linking many at once."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.documents.declaration import PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

QUERIES = sql.Statements("links")


def unlinked(session: Session, connection: Connection) -> list[dict[str, Any]]:
    """id, name, contact_number, tax_number, email and person of each; locked. Without those that are being sent."""
    return list(QUERIES.unlinked_contacts(session, organisation_id=connection.organisation_id))


def pulled(session: Session, connection: Connection) -> Iterator[dict[str, Any]]:
    """xero_id, name, number, tax_number, email, is_active, merged_to, and whether a contact is linked to it already."""
    yield from QUERIES.pulled_contacts(session, connection_id=connection.id, organisation_id=connection.organisation_id)


def link(session: Session, connection: Connection, pairs: Mapping[UUID, UUID], who: str | None = None) -> None:
    """Links contacts to records in Xero. Documents that failed without that are ready again.

    Args:
        who: The user; None: it is certain.
    """
    if not pairs:
        return
    ids = list(pairs)
    QUERIES.link_contacts(session, connection_id=connection.id, own_ids=ids, xero_ids=list(pairs.values()), who=who)
    QUERIES.contact_is_linked(session, ids=ids)
    for kind in KINDS.values():
        if isinstance(kind, PricedKind):
            statement = sql.template("links", "free_documents").format(table=Identifier(kind.table))
            session.execute(statement, {"ids": ids, "organisation_id": connection.organisation_id})
