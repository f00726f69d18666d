"""Compares pushed documents with their records in Xero, in the transaction that loads these."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from xero.api import wire
from xero.datasets.declaration import Follows
from xero.datasets.registry import DATASETS
from xero.documents.declaration import PricedDocument, PricedKind, Record
from xero.documents.registry import KINDS
from xero.qicworks.connect import settings
from xero.qicworks.connect.seals import Seals
from xero.qicworks.connect.settings import Conflicts
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import OF_CONTENT, About, Changes, Found, Reason, Settled
from xero.qicworks.follow.followed import Followed, FollowedDocuments
from xero.qicworks.push.links import Link, current
from xero.qicworks.push.outbox import Outbox, PushState, Result
from xero.qicworks.push.results import PushedContent
from xero.qicworks.push.takeovers import Takeovers
from xero.sync.follow import reporting
from xero.sync.push.content.content import contact_of, with_contact
from xero.sync.push.content.judging import base_of, compared, gone, is_complete, judge, may_be_edited, reasons_judged
from xero.sync.push.plan import arriving
from xero.sync.push.verdicts import label
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

FOLLOWED = next(name for name, one in DATASETS.items() if one.follows is Follows.PRICED)  # reads the records


def follow_priced(it: Run) -> Sequence[str]:
    """Compares what changed on either side; returns a remark if there is something new."""
    found = [change for kind in KINDS.values() if isinstance(kind, PricedKind) for change in _Kind(it, kind).run()]
    return reporting.remark(found)


class _Kind:
    """The documents of one kind and connection."""

    def __init__(self, it: Run, kind: PricedKind) -> None:
        self.it = it
        self.kind = kind
        self.outbox = Outbox(it.session, it.connection, kind, seals=Seals(it.client.app))
        self.followed = FollowedDocuments(it.session, it.connection, kind)
        self.conflicts = settings.read(it.session, it.connection.id).conflicts
        self.known: set[UUID] = set()  # of the documents at hand: those with an open difference

    def run(self) -> Iterator[Changes]:
        for some in self.followed.to_compare(self.conflicts, reading=self.it.data_set, followed=FOLLOWED):
            documents = {one.id: one for one in self.outbox.read_priced([one.id for one in some])}
            records = self._records(some)
            contents = self.outbox.contents(list(documents.values()))
            self.known = differences.with_open(self.it.session, self.it.connection.id, list(documents))
            checked = []
            for one in some:
                document = documents.get(one.id)
                if document and document.version == one.push_version and self._is_proven(one, document):
                    changes, is_checked = self._compare(one, document, contents.get(one.id), records[one.id])
                    checked += [one] if is_checked else []
                    yield changes
            self.followed.compared(checked)
        removed = self.followed.removed()
        self.known = {id for id, _ in removed}
        for id, name in removed:
            yield self._write(About(self.it.connection.id, self.kind.name, id, name), (), Settled.GONE)

    def _is_proven(self, one: Followed, document: PricedDocument) -> bool:
        """Whether the record is certainly this document's. If not, it is not compared, and reconcile reports it."""
        return current(self.outbox.links(one.id, document.row.links)) == one.xero_id

    def _records(self, some: Sequence[Followed]) -> dict[UUID, Record]:
        records: dict[UUID, Record] = {one.id: wire.loads(one.content.encode()) for one in some}
        ids = {contact for record in records.values() if (contact := contact_of(record))}
        names = Takeovers(self.it.session, self.it.connection).contact_names(ids)
        return {id: with_contact(record, names) for id, record in records.items()}

    def _compare(
        self, one: Followed, document: PricedDocument, kept: PushedContent | None, record: Record
    ) -> tuple[Changes, bool]:
        """What changed, and whether all was compared: not if Xero left out a part of the record."""
        about = About(self.it.connection.id, self.kind.name, one.id, label(self.kind, document))
        links = self.outbox.links(one.id, document.row.links)
        if one.push_state == PushState.SKIPPED or one.cancelled:
            how = Settled.SKIPPED if one.push_state == PushState.SKIPPED else Settled.CANCELLED
            return self._write(about, (), how), True
        if one.missing:
            return self._write(about, gone(document, None)), True
        edited = next((link.version for link in links if link.version), None) != document.version
        found = judge(self.kind, document, record, base_of(kept), edited=edited, waits=one.waits)
        is_checked = bool(found) or is_complete(self.kind, record, document)
        if not found and not one.waits and is_checked:
            self._agree(one, document, record, kept)
        self._pass_on(one, record, kept, found)
        judged = reasons_judged(self.kind, record, found, document, waits=one.waits)
        changes = self._write(about, found, judged=judged)
        if one.push_state == PushState.FAILED and found and Reason.EDITED_IN_XERO in changes.settled:
            self.followed.push_again([one.id])  # what stood in the way of its edit is gone
        return changes, is_checked

    def _agree(self, one: Followed, document: PricedDocument, record: Record, kept: PushedContent | None) -> None:
        """Keeps what both sides have as what was pushed; what had failed is pushed, without a call."""
        status = wire.word(record.get("Status"))
        base = base_of(kept)
        sent = arriving(document, base.status) if base else document
        result = compared(self.kind, Result(PushState.PUSHED, one.xero_id, status, record=record), sent)
        if result.content and result.content != kept:
            self.outbox.keep_agreed(one.id, one.xero_id, result.content, one.pushed_at)
        if one.push_state == PushState.FAILED:
            self.outbox.settle(one.id, one.push_version, replace(result, record=None), [PushState.FAILED])
            self.outbox.keep_links({one.id: Link(one.xero_id, one.push_version)})
            log.info("%s agrees with Xero again: it is pushed", label(self.kind, document))

    def _pass_on(self, one: Followed, record: Record, kept: PushedContent | None, found: Sequence[Found]) -> None:
        """What was edited in Xero is overwritten, or taken over, by the next push, if the setting says so."""
        if one.push_state != PushState.PUSHED or Reason.EDITED_IN_XERO not in {each.reason for each in found}:
            return
        editable = may_be_edited(self.kind, record, base_of(kept))
        if self.conflicts is Conflicts.XERO or (self.conflicts is Conflicts.QICWORKS and editable):
            self.followed.push_again([one.id])

    def _write(
        self,
        about: About,
        found: Sequence[Found],
        how: Settled = Settled.AGREES,
        judged: Collection[Reason] = OF_CONTENT,
    ) -> Changes:
        if not found and about.document_id not in self.known:
            return Changes()
        changes = differences.compare(self.it.session, about, found, judged, how)
        reporting.report(self.it, about, changes)
        return changes
