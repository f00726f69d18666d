"""Finds records in Xero that are QicWorks' own documents by their content, but that no document is linked to.

A document may be in Xero twice, and would be paid twice: sent twice, typed in by hand, or left when QicWorks deleted or
cancelled it. What was found stays until Xero no longer has it, or a document is linked to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from uuid import UUID

from xero.api.client import XeroClient
from xero.api.errors import cleaned
from xero.api.page import Page
from xero.api.paging import pages
from xero.documents.declaration import Delivery, Kind, PricedKind, Record
from xero.documents.leave_requests import referred
from xero.documents.registry import KINDS
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import Reason
from xero.qicworks.push.adopting.twins import Twins
from xero.qicworks.push.outbox import Result
from xero.sync.follow.known_documents import KnownDocuments, SecondRecords
from xero.sync.pull.extract import CLOCK_MARGIN
from xero.sync.push import lookup, plan, readback
from xero.sync.push.payroll import leave_applications

NEWEST_FIRST = "UpdatedDateUTC DESC"
PAGE_SIZE = 1000
MAX_PAGES_READ = 5  # of what changed since the first push, newest first
MAX_RECORDS_LOOKED_UP = 50  # in one run, each by its id


@dataclass(frozen=True)
class UnlinkedRecord:
    """A record in Xero (`xero_id`), and the kind, id and name of the document that it may be.

    `shown`: what people know it by.
    """

    kind: Kind
    document_id: UUID
    name: str
    xero_id: UUID
    shown: Mapping[str, str] = field(default_factory=dict)


def find_unlinked_records(
    session: Session,
    client: XeroClient,
    connection: Connection,
    searched: set[str] | None = None,
    most_pages: int | None = MAX_PAGES_READ,
) -> Iterator[UnlinkedRecord]:
    """Yields those of every kind. Costs a call a path and thousand changes since the first push, of leave a call a
    hundred; and one for each deleted document of which a record has the number, if no list has its own.

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
        self.looked_up = 0
        self.open = [
            one
            for one in differences.listed(session, connection.id, limit=None)
            if one.reason is Reason.AMBIGUOUS_MATCH and one.document_id
        ]

    def priced(self, kinds: Sequence[PricedKind]) -> Iterator[UnlinkedRecord]:
        """Yields those of the kinds under one path."""
        self.is_complete = True
        firsts = [at for kind in kinds if (at := self._known(kind).first_push())]
        if not firsts:
            return
        listed = {
            id: one
            for one in self._changed(kinds[0], min(firsts) - CLOCK_MARGIN)
            if (id := readback.id_of(kinds[0], one))
        }
        linked = {id for kind in kinds for id in self._known(kind).linked(list(listed))}
        for kind in kinds:
            unlinked = {
                id: one for id, one in listed.items() if id not in linked and one.get("Status") not in kind.gone
            }
            fetch = partial(self._look_up, kind)
            apart = Twins(self.session, self.connection, kind).apart()
            seconds = SecondRecords(self.session, self.connection, kind, unlinked.values(), listed, fetch)
            found = {
                (owner.id, id): UnlinkedRecord(kind, owner.id, owner.name, id, _shown(kind, one))
                for id, one in unlinked.items()
                if (owner := seconds.owner(one)) and (owner.id, id) not in apart
            }
            yield from found.values()
            for known in self._still_open(kind, unlinked):
                shown = _shown(kind, unlinked[known.xero_id])
                as_before = all(known.shown.get(name) in (None, value) for name, value in shown.items())
                if as_before and (known.document_id, known.xero_id) not in {*found, *apart}:
                    yield replace(known, shown=shown)

    def leave(self, kind: Kind) -> Iterator[UnlinkedRecord]:
        documents = self._known(kind)
        if not documents.first_push():
            return
        listed = {
            id: one
            for one in leave_applications.fetch_all_leave(self.client).records
            if (id := leave_applications.id_of(one))
        }
        referring = {
            id: document
            for id, one in listed.items()
            if (document := referred(str(one.get("Description") or "")))
            if leave_applications.statuses(one) != [leave_applications.REJECTED]
        }
        linked = documents.linked(list(referring))
        unlinked = {id: document for id, document in referring.items() if id not in linked}
        known = documents.settled(list(unlinked.values()))
        # Approved leave may have another id than the request that it was: what is being cancelled may be that.
        known |= {
            one.id
            for one in documents.removed(list(unlinked.values()))
            if one.is_done or not one.records.isdisjoint(listed)
        }
        known |= {one.document_id for one in self._still_open(kind, unlinked)}
        for xero_id, document in unlinked.items():
            if document in known:
                yield UnlinkedRecord(kind, document, kind.called(None, document), xero_id)

    def _still_open(self, kind: Kind, unlinked: Collection[UUID]) -> Iterator[UnlinkedRecord]:
        """Those that are open differences, and that Xero has: a document that was edited since may no longer be like
        its second record."""
        for one in self.open:
            if one.document_kind == kind.name and one.document_id and UUID(one.subject) in unlinked:
                yield UnlinkedRecord(kind, one.document_id, one.label, UUID(one.subject), one.theirs)

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

    def _look_up(self, kind: PricedKind, xero_id: UUID) -> Record | None:
        """A record that no list has; None if Xero does not show it."""
        if self.looked_up >= MAX_RECORDS_LOOKED_UP:
            return None
        self.looked_up += 1
        found = plan.fetch_one(self.client, kind, xero_id)
        return None if isinstance(found, Result) else found

    def _known(self, kind: Kind) -> KnownDocuments:
        return KnownDocuments(self.session, self.connection, kind)


def _shown(kind: PricedKind, record: Record) -> dict[str, str]:
    return {"number": cleaned(str(record.get(kind.number) or "")), "total": cleaned(str(record.get("Total") or ""))}
