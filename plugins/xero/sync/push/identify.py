"""Matches Xero records to QicWorks documents and decides: pushed, not there, or ask a person."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from xero.documents.declaration import Json, Likeness, PricedDocument, PricedKind, Record
from xero.documents.pricing import addressee
from xero.qicworks.push.links import current
from xero.qicworks.push.outbox import Outbox, PushState, Result
from xero.sync.push import lookup, plan, readback
from xero.sync.push.content import same_content
from xero.sync.push.verdicts import Settled, check_in_xero, claimed, perhaps_there

log = logging.getLogger(__name__)

UNKNOWN = Result(None)


class Finder:
    """Judges what was looked up in Xero for documents of one kind and connection."""

    def __init__(self, kind: PricedKind, outbox: Outbox) -> None:
        self.kind = kind
        self.outbox = outbox

    def judge(
        self,
        id: UUID,
        name: str,
        identity: Json,
        found: lookup.LookupResult,
        *,
        sent_seconds_ago: float | None = None,
        document: PricedDocument | None = None,
        answered: Result = UNKNOWN,
    ) -> Result:
        """Decides what became of a document by what a search found: pushed, unknown, or for a person to check.

        Args:
            sent_seconds_ago: None if it was not sent before.
            document: What was sent; None if it has changed since.
            answered: What Xero's response said about it, if anything.
        """
        own = self.own(id, identity, found, sent_seconds_ago)
        if len(own) == 1:
            return self.found(id, name, identity.get(self.kind.number), document, own[0])
        if own:
            return check_in_xero(f"Xero has {len(own)} records that match it")
        if answered.state is PushState.FAILED:
            return answered  # another document has its number
        if self.not_others(id, lookup.lookalikes(self.kind, identity, found)):
            return perhaps_there(self.kind, name, identity.get(self.kind.number))
        return answered

    def own(self, id: UUID, identity: Json, found: lookup.LookupResult, sent_seconds_ago: float | None) -> list[Record]:
        """The records that are this document, without those of others; of several those that are not deleted."""
        own = self.not_others(id, lookup.candidates(self.kind, identity, found, sent_seconds_ago))
        return [record for record in own if record.get("Status") not in self.kind.gone] or own[:1]

    def is_own(self, document: PricedDocument, record: Record | None) -> bool:
        """Whether the record that a document's row links to is its own: by its newest seal, or else by the record.

        `record`: None if Xero does not have it; then nothing there can be changed by mistake.
        """
        if record is not None and readback.id_of(self.kind, record) not in (None, document.xero_id):
            return False  # the row now has another id
        if own := current(self.outbox.links(document.id, document.row.links)):
            return own == document.xero_id
        return record is None or is_document(self.kind, document, record)

    def not_others(self, id: UUID, records: Sequence[Record], *, left_too: bool = False) -> list[Record]:
        """The records without those of other documents: by their address, or by a sealed link. And without those that a
        person has said to be another document, unless `left_too`.

        A record with this document's own address stays. An unsealed id in another row is no reason to create this
        document again.
        """
        if not records:
            return []
        left = set() if left_too else self.outbox.left(id)
        ids = [xero_id for record in records if (xero_id := readback.id_of(self.kind, record))]
        others = {xero_id for xero_id, claim in self.outbox.claims(id, ids).items() if claim.sealed}
        known = self.outbox.existing([at for record in records if (at := addressee(record)) and at != id])
        return [
            record
            for record in records
            if addressee(record) == id
            or (readback.id_of(self.kind, record) not in others | left and addressee(record) not in known)
        ]

    def found(
        self,
        id: UUID,
        name: str,
        number: str | None,
        document: PricedDocument | None,
        record: Record,
        *,
        sealed: bool = False,
    ) -> Result:
        """The result of a document that Xero already has: READY, to be changed there, if it is a draft that differs.

        `sealed`: it is certainly ours.
        """
        xero_id = readback.id_of(self.kind, record)
        if xero_id and (claim := self.outbox.claims(id, [xero_id]).get(xero_id)):
            return claimed(claim, xero_id)
        log.info("%s is already in Xero", name)
        result = readback.read(self.kind, name, number, document, record)
        open_to_change = result.state is PushState.PUSHED and result.xero_status in self.kind.editable
        if document is None or not open_to_change or same_content(self.kind, document, record):
            return result
        if not self.kind.addressed and not sealed:  # a user may have entered it in Xero: linked, not changed
            return replace(result, remarks=(*result.remarks, "it was already in Xero, and differs there"))
        log.info("%s differs in Xero: changing it there", name)
        return replace(result, state=PushState.READY, remarks=())


def is_document(kind: PricedKind, document: PricedDocument, record: Record) -> bool:
    """Whether a record is this document: by our address in it, or else by everything that identifies its kind."""
    if kind.addressed:
        return addressee(record) == document.id
    fit = not plan.blocking_results(kind, document)
    return fit and kind.likeness(kind.identity(document), record) is Likeness.SAME


def reject_ambiguous(settled: list[Settled], looked_up: Sequence[int]) -> list[Settled]:
    """A record that matches two documents is assigned to neither, because it is ambiguous."""
    times: Counter[UUID | None] = Counter(one.result.xero_id for one in settled if one.result.xero_id)
    shared = {at for at in looked_up if times[settled[at].result.xero_id] > 1}
    alike = check_in_xero("QicWorks has another document just like it, and Xero has only one of them")
    return [replace(one, result=alike) if at in shared else one for at, one in enumerate(settled)]


def must_search(result: Result) -> bool:
    """Whether Xero has to be searched: its response does not mention the document, or refuses its number as taken."""
    return result.state is None or result.number_taken
