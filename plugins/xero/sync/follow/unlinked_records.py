"""Finds records in Xero that are QicWorks' own documents by their content, but that no document is linked to.

A document may be in Xero twice, for instance, and would be paid twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg.sql import Composed, Identifier

from xero.api.client import XeroClient
from xero.api.page import Page
from xero.api.paging import pages
from xero.documents.declaration import Delivery, Kind, PricedDocument, PricedKind, Record
from xero.documents.leave_requests import referred
from xero.documents.pricing import addressee
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push.outbox import Outbox
from xero.sync.pull.extract import CLOCK_MARGIN
from xero.sync.push import lookup, readback
from xero.sync.push.identify import is_document
from xero.sync.push.payroll import leave_applications

NEWEST_FIRST = "UpdatedDateUTC DESC"
PAGE_SIZE = 1000
MAX_PAGES_READ = 5  # of what changed since the first push, newest first


@dataclass(frozen=True)
class UnlinkedRecord:
    """A record in Xero (`xero_id`), and the kind, id and name of the document that it is by its content."""

    kind: Kind
    document_id: UUID
    name: str
    xero_id: UUID


def find_unlinked_records(
    session: Session,
    client: XeroClient,
    connection: Connection,
    searched: set[str] | None = None,
    most_pages: int | None = MAX_PAGES_READ,
) -> Iterator[UnlinkedRecord]:
    """Yields those of every kind. Costs a call a path and thousand changes since the first push, of leave a call a
    hundred.

    Args:
        searched: Gets the names of the kinds of which all records were looked at.
        most_pages: Of each path, the newest first. None: all.
    """
    searched = set() if searched is None else searched
    priced: dict[str, list[PricedKind]] = {}
    for kind in KINDS.values():
        if isinstance(kind, PricedKind):
            priced.setdefault(kind.path, []).append(kind)
    search = _Search(session, client, connection, most_pages)
    for kinds in priced.values():
        yield from search.priced(kinds)
        if search.is_complete:
            searched.update(kind.name for kind in kinds)
    for kind in KINDS.values():
        if kind.delivery is Delivery.LEAVE:
            yield from search.leave(kind)
            searched.add(kind.name)


class _Search:
    def __init__(self, session: Session, client: XeroClient, connection: Connection, most_pages: int | None) -> None:
        self.session = session
        self.client = client
        self.connection = connection
        self.most_pages = most_pages
        self.is_complete = True  # of the last path

    def priced(self, kinds: Sequence[PricedKind]) -> Iterator[UnlinkedRecord]:
        """Yields those of the kinds under one path."""
        self.is_complete = True
        firsts = [at for kind in kinds if (at := self._first_push(kind))]
        if not firsts:
            return
        listed = self._changed(kinds[0], min(firsts) - CLOCK_MARGIN)
        records = {id: one for one in listed if (id := readback.id_of(kinds[0], one))}
        unlinked = self._without_owner(kinds, records)
        for kind in kinds:
            documents = self._documents(kind, list(unlinked.values()))
            for xero_id, record in unlinked.items():
                if record.get("Status") in kind.gone:
                    continue
                for document in documents:
                    if document.xero_id != xero_id and is_document(kind, document, record):
                        yield UnlinkedRecord(kind, document.id, f"{kind.word} {document.number}", xero_id)
                        break

    def leave(self, kind: Kind) -> Iterator[UnlinkedRecord]:
        if not self._first_push(kind):
            return
        listed = leave_applications.fetch_all_leave(self.client).records
        referring = {
            id: document
            for one in listed
            if (id := leave_applications.id_of(one)) and (document := referred(str(one.get("Description") or "")))
            if leave_applications.statuses(one) != [leave_applications.REJECTED]
        }
        unlinked = self._without_owner([kind], referring)
        known = self._settled(kind, list(unlinked.values()), [])
        for xero_id, document in unlinked.items():
            if document in known:
                yield UnlinkedRecord(kind, document, f"{kind.word} {document}", xero_id)

    def _changed(self, kind: PricedKind, since: datetime) -> Iterator[Record]:
        def fetch(number: int) -> Page:
            params: dict[str, str | int | bool] = {"page": number, "pageSize": PAGE_SIZE, "order": NEWEST_FIRST}
            answer = self.client.get(kind.path, params={**params, **lookup.precise(kind)}, modified_since=since)
            return Page.of(answer, lookup.listed(kind, answer.data))

        newest_first = pages(fetch, partial(readback.id_of, kind), kind.path, full_size=PAGE_SIZE)
        self.is_complete = False
        for number, page in enumerate(islice(newest_first, self.most_pages), 1):
            yield from map(lookup.readable, page.rows)
            self.is_complete = page.is_last(number, PAGE_SIZE)

    def _first_push(self, kind: Kind) -> datetime | None:
        at: datetime | None = sql.value(
            self.session, self._template("first_push", kind), organisation_id=self.connection.organisation_id
        )
        return at

    def _without_owner(self, kinds: Sequence[Kind], records: dict[UUID, Any]) -> dict[UUID, Any]:
        """The records that no document is linked to, of any organisation: a match may have been changed."""
        owned = {row["xero_id"] for kind in kinds for row in self._run("linked", kind, xero_ids=list(records))}
        return {id: one for id, one in records.items() if id not in owned}

    def _documents(self, kind: PricedKind, records: Sequence[Record]) -> list[PricedDocument]:
        """The documents that one of these records may be."""
        ids = [id for one in records if (id := addressee(one))] if kind.addressed else []
        numbers = [] if kind.addressed else [str(one.get(kind.number) or "").strip().lower() for one in records]
        found = self._settled(kind, ids, [number for number in numbers if number])
        return Outbox(self.session, self.connection, kind).read_priced(sorted(found))

    def _settled(self, kind: Kind, ids: Sequence[UUID], numbers: Sequence[str]) -> set[UUID]:
        return {row["id"] for row in self._run("settled", kind, ids=list(ids), numbers=list(numbers))}

    def _run(self, name: str, kind: Kind, **values: Any) -> list[dict[str, Any]]:
        about = {**values, "organisation_id": self.connection.organisation_id}
        return self.session.execute(self._template(name, kind), about).fetchall()

    def _template(self, name: str, kind: Kind) -> Composed:
        label = Identifier("number" if isinstance(kind, PricedKind) else "id")
        return sql.template("reconcile", name).format(table=Identifier("qicworks", kind.table), label=label)
