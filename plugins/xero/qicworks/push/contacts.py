"""Reads QicWorks' own contacts, and what was pulled of Xero's; links the one to the other."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier, Placeholder
from psycopg.types.json import Jsonb

from xero.documents.contacts import ContactDocument, ContactRow
from xero.documents.declaration import Document, Kind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push import rows

IS_ID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CONTACTS = sql.Statements("push/contacts")
LOADS = sql.Statements("merge")


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

    def not_as_in_xero(self) -> list[UUID]:
        """Records of which no row says what Xero has: erased, or rejected by a pull."""
        about = {"connection_id": self.connection.id, "organisation_id": self.connection.organisation_id}
        keys = [row["key"] for row in CONTACTS.not_as_in_xero(self.session, **about)]
        return [UUID(key) for key in keys if IS_ID.fullmatch(key or "")]

    def erased(self) -> set[UUID]:
        """Records of persons who were erased in QicWorks."""
        keys = [row["xero_id"] for row in CONTACTS.erased(self.session, connection_id=self.connection.id)]
        return {UUID(key) for key in keys if IS_ID.fullmatch(key)}

    def pulled_of(self, xero_ids: Collection[UUID]) -> list[dict[str, Any]]:
        """The same of these alone."""
        return list(CONTACTS.pulled_of(self.session, connection_id=self.connection.id, xero_ids=list(xero_ids)))

    def pulled_until(self) -> datetime | None:
        """What has changed in Xero since then may not have been pulled; None: nothing was ever pulled."""
        until: datetime | None = CONTACTS.pulled_until(self.session, connection_id=self.connection.id)
        return until

    def link(self, id: UUID, xero_id: UUID) -> None:
        """Makes it that record of Xero's, in the transaction that records so. Documents that failed without it
        are ready again."""
        CONTACTS.link(self.session, id=id, connection_id=self.connection.id, xero_id=xero_id)

    def are_ours(self, ids: Collection[UUID]) -> None:
        """QicWorks created these in Xero."""
        CONTACTS.are_ours(self.session, ids=list(ids))

    def hold_loads(self) -> None:
        """No pull of this connection loads until the transaction ends: both write these rows."""
        LOADS.wait_for_others(self.session, connection_id=self.connection.id)

    def answered(
        self, id: UUID, theirs: Mapping[str, str], state: Mapping[str, Any], updated_at: datetime | None, *, sent: bool
    ) -> None:
        """Keeps what Xero has of it now, in the transaction that records so. `sent`: after it was sent; `state`: what
        Xero has besides what is sent."""
        CONTACTS.answered(
            self.session, id=id, theirs=Jsonb(theirs), state=Jsonb(state), sent=sent, updated_at=updated_at
        )

    def take(
        self,
        id: UUID,
        values: Mapping[str, str],
        kept: Sequence[str],
        theirs: Mapping[str, str],
        state: Mapping[str, Any],
    ) -> None:
        """Writes what it lacked when it was linked, and keeps which columns QicWorks has otherwise than Xero."""
        said = {"theirs": Jsonb(theirs), "state": Jsonb(state)}
        self._write("take", values, id=id, kept=list(kept), **said)

    def kept(self, kind: str, reason: str, ids: Sequence[UUID] | None = None) -> list[dict[str, Any]]:
        """Own contacts that QicWorks has otherwise than Xero since they were linked, and those with an open difference
        of that reason: id, name, ours, theirs, columns."""
        about = {"organisation_id": self.connection.organisation_id, "connection_id": self.connection.id}
        asked = {"kind": kind, "reason": reason, "ids": None if ids is None else list(ids)}
        return list(CONTACTS.kept(self.session, **about, **asked))

    def taken(self, xero_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
        """Of these records of Xero's those that own contacts are linked to already, each with the contact."""
        asked = {"organisation_id": self.connection.organisation_id, "xero_ids": list(xero_ids)}
        return {(row["xero_id"], row["id"]) for row in CONTACTS.taken(self.session, **asked)}

    def others_of(self, id: UUID, xero_id: UUID) -> list[str]:
        """The names of other own contacts in use that are that record, too."""
        asked = {"organisation_id": self.connection.organisation_id, "xero_id": xero_id, "id": id}
        return [row["name"] for row in CONTACTS.others_of(self.session, **asked)]

    def release_left(self) -> int:
        """Contacts that were left because of a setting that has changed since are ready again; returns how many."""
        found = CONTACTS.left_by_setting(self.session, connection_id=self.connection.id)
        ids = [row["id"] for row in found]
        CONTACTS.release(self.session, ids=ids)
        return len(ids)

    def keep_only(self, id: UUID, columns: Sequence[str]) -> None:
        """These alone are otherwise than in Xero."""
        CONTACTS.keep_only(self.session, id=id, kept=list(columns))

    def keep_xeros(
        self, id: UUID, version: int, values: Mapping[str, str], theirs: Mapping[str, str], state: Mapping[str, Any]
    ) -> None:
        """Writes Xero's values over these columns, unless it was edited since. `theirs`: all that Xero has."""
        self._write("keep_xeros", values, id=id, version=version, theirs=Jsonb(theirs), state=Jsonb(state))

    def _write(self, name: str, values: Mapping[str, str], **parameters: Any) -> None:
        pairs = [SQL(", {} = {}").format(Identifier(one), Placeholder(f"new_{one}")) for one in values]
        statement = sql.template("push/contacts", name).format(assignments=SQL("").join(pairs))
        new = {f"new_{one}": value or None for one, value in values.items()}
        self.session.execute(statement, {**new, **parameters})

    def ask(self, id: UUID, version: int, candidates: Sequence[Mapping[str, Any]], setting: str) -> None:
        """Keeps that a person has to decide about this version of a contact, and what it may be in Xero: xero_id,
        alike, name, email, tax_number and is_active of each. `setting`: of new contacts; with `off` nobody is asked."""
        about = {"id": id, "connection_id": self.connection.id}
        CONTACTS.ask(self.session, **about, version=version, setting=setting)
        CONTACTS.keep_candidates(self.session, **about, found=Jsonb(list(candidates)))

    def drop_questions(self, ids: Sequence[UUID]) -> None:
        """What was asked about these contacts."""
        CONTACTS.drop_questions(self.session, ids=list(ids))
