"""The documents that a record in Xero may be a second one of, and what each is known by: also those that are cancelled,
deleted or moved to another organisation since their push."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from psycopg.sql import Composed, Identifier

from xero.documents import odd_values
from xero.documents.declaration import Json, Kind, Likeness, PricedDocument, PricedKind, Record
from xero.documents.pricing import addressee, as_recorded, is_alike
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push.outbox import Outbox

Fetch = Callable[[UUID], Record | None]  # the record of that id, which no list has


@dataclass(frozen=True)
class Known:
    """A document. `identities`: what it may be known by in Xero; `was_pushed`: it has, or had, a record there."""

    id: UUID
    name: str
    number: str | None
    was_pushed: bool
    identities: Callable[[], Sequence[Json]]


@dataclass(frozen=True)
class Removed:
    """A document that was deleted or moved away since its push. `records`: those that it was linked to."""

    id: UUID
    number: str | None
    records: frozenset[UUID]
    total: Any
    is_done: bool  # Xero no longer has it


class KnownDocuments:
    """The documents of one kind and connection."""

    def __init__(self, session: Session, connection: Connection, kind: Kind) -> None:
        self._session = session
        self._connection = connection
        self._kind = kind

    def first_push(self) -> Any:
        """When; None if nothing was pushed."""
        [row] = self._run("first_push")
        [at] = row.values()
        return at

    def linked(self, xero_ids: Sequence[UUID]) -> set[UUID]:
        """The records that a document is linked to, of any organisation: a match may have been changed."""
        return {row["xero_id"] for row in self._run("linked", xero_ids=list(xero_ids))}

    def settled(self, ids: Sequence[UUID], numbers: Sequence[str] = ()) -> set[UUID]:
        """Those of these ids or numbers that QicWorks has, and that no push is still to find."""
        return {row["id"] for row in self._run("settled", ids=list(ids), numbers=list(numbers))}

    def sent(self, field: str, numbers: Sequence[str]) -> dict[UUID, list[Json]]:
        """What documents were known by that were sent under one of these numbers."""
        found: dict[UUID, list[Json]] = {}
        for row in self._run("sent", field=field, numbers=list(numbers)):
            found.setdefault(row["id"], []).append(row["identity"])
        return found

    def removed(self, ids: Sequence[UUID], numbers: Sequence[str] = ()) -> list[Removed]:
        """Those of these ids or numbers that QicWorks, or the organisation, no longer has."""
        return [
            Removed(row["id"], row["number"], frozenset(_records(row)), row["total"], row["is_done"])
            for row in self._run("removed", ids=list(ids), numbers=list(numbers))
        ]

    def _run(self, name: str, **values: Any) -> list[dict[str, Any]]:
        of = {
            "connection_id": self._connection.id,
            "organisation_id": self._connection.organisation_id,
            "kind": self._kind.name,
            "table": self._kind.table,
        }
        return self._session.execute(self._template(name), {**values, **of}).fetchall()

    def _template(self, name: str) -> Composed:
        label = Identifier(self._kind.label_column)
        return sql.template("reconcile", name).format(table=Identifier("qicworks", self._kind.table), label=label)


def _records(row: Mapping[str, Any]) -> Iterator[UUID]:
    if row["xero_id"]:
        yield row["xero_id"]
    yield from (UUID(link["xero_id"]) for link in row["links"] or () if link["xero_id"])


class SecondRecords:
    """Of which priced document of a kind a record that none is linked to may be another record."""

    def __init__(
        self,
        session: Session,
        connection: Connection,
        kind: PricedKind,
        unlinked: Iterable[Record],
        listed: Mapping[UUID, Record],
        fetch: Fetch,
    ) -> None:
        """`listed`: all records that were read, also deleted ones, by id."""
        self.kind = kind
        self.outbox = Outbox(session, connection, kind)
        self._listed = listed
        self._fetch = fetch
        documents = KnownDocuments(session, connection, kind)
        addressees = [id for one in unlinked if (id := addressee(one))] if kind.addressed else []
        numbers = sorted({number for one in unlinked if (number := _folded(one.get(kind.number)))})
        self._sent = documents.sent(kind.number, numbers)
        self._others = self.outbox.existing(addressees)
        known = [
            *map(
                self._of_document,
                self.outbox.read_priced(sorted(documents.settled([*addressees, *self._sent], numbers))),
            ),
            *map(self._of_removed, documents.removed(addressees, numbers)),
        ]
        self._by_id = {one.id: one for one in known}
        self._by_number: dict[str, list[Known]] = {}
        for one in known:
            sent = (str(identity.get(kind.number)) for identity in self._sent.get(one.id, ()))
            for number in {_folded(one.number), *map(_folded, sent)}:
                self._by_number.setdefault(number, []).append(one)

    def owner(self, record: Record) -> Known | None:
        """The document. By our address; without that of a document of QicWorks' by what identifies its kind, and if it
        was pushed by its type, contact, number and total."""
        if self.kind.addressed and (at := addressee(record)):
            if at in self._by_id:
                return self._by_id[at]
            if at in self._others:
                return None
        alike = self._by_number.get(_folded(record.get(self.kind.number)), ())
        return next((one for one in alike if self._is_second(one, record)), None)

    def _is_second(self, known: Known, record: Record) -> bool:
        identities = known.identities()
        if known.was_pushed:
            return any(is_alike(one, record, self.kind.number) for one in identities)
        if self.kind.addressed:
            return False
        return any(self.kind.likeness(one, record) is Likeness.SAME for one in identities)

    def _of_document(self, document: PricedDocument) -> Known:
        ids = [UUID(link["xero_id"]) for link in document.row.links or () if link["xero_id"]]
        ids += [document.xero_id] if document.xero_id else []

        @cache
        def identities() -> Sequence[Json]:
            own = [as_recorded(self._listed[id], self.kind.number) for id in set(ids) if id in self._listed]
            own += self._sent.get(document.id, ())
            fit = next(odd_values.odd(document), None) is None
            return [self.kind.identity(document), *own] if fit else own

        name = self.kind.called(document.number, document.id)
        return Known(document.id, name, document.number, bool(ids), identities)

    def _of_removed(self, document: Removed) -> Known:
        """It is known by its record in Xero, which is deleted; if Xero has none, by its number and total."""

        @cache
        def identities() -> Sequence[Json]:
            found = (self._listed.get(id) or self._fetch(id) for id in document.records)
            own = [as_recorded(one, self.kind.number) for one in found if one]
            amounts = [] if document.total is None else [str(document.total)]
            return own or [{self.kind.number: document.number, "Totals": amounts}]

        name = self.kind.called(document.number, document.id)
        return Known(document.id, name, document.number, True, identities)


def _folded(number: object) -> str:
    return str(number or "").strip().lower()
