"""Reads QicWorks' own contacts, and what was pulled of Xero's; links the one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier, Placeholder

from xero.documents.contacts import ContactDocument, ContactRow
from xero.documents.declaration import Document, Kind, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push import rows

CONTACTS = sql.Statements("push/contacts")


def new_of_documents(
    session: Session, connection: Connection, kind: Kind, wanted: Sequence[UUID] | None, *, failed_too: bool
) -> list[UUID]:
    """Contacts that Xero does not have yet, of documents that a push will take up. `wanted` None: all."""
    found = _of_documents("new_of_documents", kind)
    asked = {"organisation_id": connection.organisation_id, "wanted": wanted, "failed_too": failed_too}
    return [row["id"] for row in session.execute(found, asked)]


def waiting_for_contacts(
    session: Session, connection: Connection, kind: Kind, wanted: Sequence[UUID] | None
) -> list[UUID]:
    """Documents that are ready, and whose contact is on its way to Xero."""
    asked = {"organisation_id": connection.organisation_id, "wanted": wanted}
    return [row["id"] for row in session.execute(_of_documents("waiting_for_contacts", kind), asked)]


def _of_documents(name: str, kind: Kind) -> Composed:
    return sql.template("push/contacts", name).format(table=Identifier(kind.table))


class OwnContacts:
    """The contacts of one connection's organisation that QicWorks made, or linked."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self.session = session
        self.connection = connection

    def read(self, ids: Sequence[UUID]) -> list[ContactDocument]:
        """Oldest first."""
        asked = {
            "ids": list(ids),
            "connection_id": self.connection.id,
            "organisation_id": self.connection.organisation_id,
        }
        found = rows.read(self.session, sql.template("push/contacts", "contacts"), ContactRow, **asked)
        return [Document(row) for row in found]

    def pulled(self) -> Iterator[dict[str, Any]]:
        """Xero's contacts as they were last pulled, one at a time."""
        statement = sql.template("push/contacts", "pulled")
        with self.session.transaction(), self.session.cursor(name="pulled_contacts") as cursor:
            cursor.itersize = 2000
            yield from cursor.execute(statement, {"connection_id": self.connection.id})

    def pulled_until(self) -> datetime | None:
        """What has changed in Xero since then may not have been pulled; None: nothing was ever pulled."""
        until: datetime | None = CONTACTS.pulled_until(self.session, connection_id=self.connection.id)
        return until

    def link(self, id: UUID, xero_id: UUID) -> None:
        """Makes it that record of Xero's, in the transaction that records so. Documents that failed without it
        are ready again."""
        if not CONTACTS.link(self.session, id=id, connection_id=self.connection.id, xero_id=xero_id):
            return
        about = {"id": id, "organisation_id": self.connection.organisation_id}
        for kind in KINDS.values():
            if isinstance(kind, PricedKind):
                self.session.execute(_of_documents("free_documents", kind), about)

    def keep_xeros(self, id: UUID, version: int, values: Mapping[str, str]) -> None:
        """Writes Xero's values over these columns, unless it was edited since."""
        pairs = [SQL("{} = {}").format(Identifier(name), Placeholder(f"new_{name}")) for name in values]
        statement = sql.template("push/contacts", "keep_xeros").format(assignments=SQL(", ").join(pairs))
        new = {f"new_{name}": value or None for name, value in values.items()}
        self.session.execute(statement, {**new, "id": id, "version": version})

    def ask(self, id: UUID, version: int, candidates: Mapping[UUID, Sequence[str]]) -> None:
        """Keeps that a person has to decide about this version of a contact, and what it may be in Xero, each with that
        by which it is alike."""
        about = {"id": id, "connection_id": self.connection.id}
        CONTACTS.ask(self.session, **about, version=version)
        alike = [",".join(words) for words in candidates.values()]
        CONTACTS.keep_candidates(self.session, **about, xero_ids=list(candidates), alike=alike)

    def drop_questions(self, ids: Sequence[UUID]) -> None:
        """What was asked about these contacts."""
        CONTACTS.drop_questions(self.session, ids=list(ids))
