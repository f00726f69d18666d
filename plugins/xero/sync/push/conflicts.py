"""Documents that are in Xero already: those that did not change, and those that were changed on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg.errors import UniqueViolation

from xero.api.client import XeroClient
from xero.documents import odd_values
from xero.documents.declaration import Json, PricedDocument, PricedKind, Record
from xero.documents.parts.arriving import Arrival
from xero.qicworks.connect import settings
from xero.qicworks.follow.differences import EDITS
from xero.qicworks.push.outbox import Outbox, PushState, Request, Result
from xero.qicworks.push.results import PushedContent
from xero.qicworks.push.takeovers import Takeovers
from xero.qicworks.runs.outcome import Status
from xero.sync.push.content.changes import Change, Side
from xero.sync.push.content.content import Base, Digest, contact_of, of_document, of_record, payload_hash, with_contact
from xero.sync.push.content.judging import base_of, compared, differing, without_own_rate
from xero.sync.push.content.takeover import CannotTake, add_up, is_of_amounts, take_over
from xero.sync.push.plan import Current, Standing, Takeover, fetch_one
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.verdicts import Settled, cannot_take, cannot_take_number, label
from xero.sync.runs.run import Run

MAX_NAMED = 10  # fields in a message


class Conflicting:
    """What is known of the documents of one kind and connection that were pushed before."""

    def __init__(self, it: Run, kind: PricedKind, outbox: Outbox, recorder: ResultRecorder) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.settings = settings.read(it.session, it.connection.id)

    def unchanged(self, documents: Sequence[PricedDocument]) -> list[Settled]:
        """Those that would be sent exactly as they were last pushed, and that nothing is known to have happened to."""
        contents = self.outbox.contents(documents)
        different = self.outbox.differences(list(contents))
        same = []
        for document in self._as_pushed(documents):
            kept = contents.get(document.id)
            if not kept or not kept.agreed or next(odd_values.odd(document), None) is not None:
                continue
            if any(line.department_is_lacking for line in document.lines):
                continue  # it cannot be sent as it is
            if any(one.reason not in EDITS for one in different.get(document.id, ())):
                continue  # what is open has to be looked at
            if kept.payload == payload_hash(self.kind, self.kind.payload(document)):
                result = Result(PushState.PUSHED, document.xero_id, differences=(), judged=EDITS)
                same.append(Settled(document.id, document.version, label(self.kind, document), result))
        return same

    def _as_pushed(self, documents: Sequence[PricedDocument]) -> list[PricedDocument]:
        """With the defaults that they were last sent with: another default alone is no change."""
        taking = [one.id for one in documents if any(line.takes_defaults for line in one.lines)]
        before = {one.id: one for one in self.outbox.read_priced(taking)} if taking else {}
        return [before.get(one.id, one) for one in documents]

    def standing(self, documents: Sequence[PricedDocument], there: Mapping[UUID, Current]) -> dict[UUID, Standing]:
        contents = self.outbox.contents(documents)
        different = self.outbox.differences([one.id for one in documents if one.xero_id])
        records = {id: record for id, record in there.items() if isinstance(record, Mapping)}
        ids = {contact for record in records.values() if (contact := contact_of(record))}
        names = Takeovers(self.it.session, self.it.connection).contact_names(ids)
        named = {**there, **{id: with_contact(record, names) for id, record in records.items()}}
        return {
            one.id: Standing(
                named.get(one.id),
                base_of(contents.get(one.id)),
                self.settings.conflicts,
                tuple(different.get(one.id, ())),
            )
            for one in documents
        }

    def note_overwritten(
        self, overwritten: Mapping[UUID, Sequence[Change]], documents: Sequence[PricedDocument]
    ) -> None:
        """Records what was changed in Xero and is to be overwritten, with the request, which Xero may refuse."""
        for document in documents:
            if found := overwritten.get(document.id):
                said = f"QicWorks tries to overwrite what was changed in Xero: {told(found, to_ours=True)}"
                self._note(label(self.kind, document), document.id, said)

    def take_over(self, takeovers: Sequence[Takeover]) -> list[Settled]:
        """Writes Xero's changes over the documents. Those that QicWorks edited, too, stay ready for the next step."""
        known = Takeovers(self.it.session, self.it.connection)
        settled = []
        for one in takeovers:
            document, name = one.document, label(self.kind, one.document)
            try:
                with self.it.session.transaction():  # a number that is taken does not undo the other documents
                    written = take_over(self.kind, document, one.record, one.changes, known)
            except CannotTake as error:
                result = cannot_take(name, document.xero_id, str(one.record.get("Status")), str(error))
                settled.append(Settled(document.id, document.version, name, result))
                continue
            except UniqueViolation as error:
                if error.diag.table_name != self.kind.table:
                    raise
                number, status = str(one.record.get(self.kind.number)), str(one.record.get("Status"))
                result = cannot_take_number(name, document.xero_id, status, number)
                settled.append(Settled(document.id, document.version, name, result))
                continue
            if not written:
                continue  # edited since: the next step compares it again
            self._note(name, document.id, taken_over(one))
            settled += self._taken(one, known)
        return settled

    def _note(self, name: str, id: UUID, said: str) -> None:
        self.recorder.note(name, id, Status.WARNING, said, None, sent=False)
        self.recorder.warnings += 1

    def _taken(self, one: Takeover, known: Takeovers) -> list[Settled]:
        """What became of it: settled, if nothing of QicWorks' is left to be sent."""
        for document in self.outbox.read_priced([one.document.id]):
            left = differing(self.kind, document, one.record, one.base, edited=True)
            if not any(change.by for change in left):
                status = str(one.record.get("Status"))
                result = Result(PushState.PUSHED, document.xero_id, status, record=one.record)
                result = compared(self.kind, result, document)
                return [Settled(document.id, document.version, label(self.kind, document), result)]
            own_lines = any(is_of_amounts(change) and not change.of_total for change in left)
            if own_lines and any(map(is_of_amounts, one.changes)):
                add_up(self.kind, document, known)
            theirs = Digest.of(without_own_rate(of_record(self.kind, one.record), document.row))
            assert document.xero_id
            # What is left to be sent is what differs from Xero's record now; what Xero chose itself was never sent.
            ever_sent = {*of_document(self.kind, document).header, *(one.base.sent.header if one.base else ())}
            sent = Digest({name: theirs.header[name] for name in theirs.header if name in ever_sent}, theirs.lines)
            status = one.base.status if one.base else Arrival.DRAFT
            made = {**sent.to_json(), "status": str(status)}
            content = PushedContent("", made, theirs.to_json(), agreed=False)
            self.outbox.keep_contents([(document.id, document.xero_id, content)])
        return []


class SentChange(NamedTuple):
    """What was sent of a document, its record in Xero now, and what was pushed before."""

    element: Json
    record: Record
    base: Base | None


def sent_changes(
    client: XeroClient, kind: PricedKind, outbox: Outbox, request: Request, elements: Mapping[int, Json]
) -> dict[int, SentChange]:
    """Of the documents at these places of a request that are still linked to the record that it changes."""
    documents = outbox.read_priced(request.documents)
    linked, contents = {one.id: str(one.xero_id) for one in documents}, outbox.contents(documents)
    found = {}
    for place, element in elements.items():
        id, meant = request.documents[place], request.identities[place].get(kind.key)
        if meant and linked.get(id) == meant:
            record = fetch_one(client, kind, UUID(meant))
            if isinstance(record, Mapping) and record.get("Status") not in kind.gone:
                found[place] = SentChange(element, record, base_of(contents.get(id)))
    return found


def taken_over(one: Takeover) -> str:
    """What was taken over, and each own edit of QicWorks' that is lost by it; all, if these are not known."""
    lost = [each for each in one.changes if one.base and Side.QICWORKS in each.by and not each.of_total]
    most = MAX_NAMED if one.base else len(one.changes)
    said = f"QicWorks took over what was changed in Xero: {told(one.changes, to_ours=False, most=most)}"
    own = f". Of it, QicWorks had edited: {told(lost, to_ours=False, most=len(lost))}"
    return said + own if lost else said


def told(changes: Sequence[Change], *, to_ours: bool, most: int = MAX_NAMED) -> str:
    """Each field with its old and its new value."""
    pairs = ((one.field, one.theirs, one.ours) if to_ours else (one.field, one.ours, one.theirs) for one in changes)
    named = [f"{field} {old or 'nothing'} → {new or 'nothing'}" for field, old, new in pairs]
    more = len(named) - most
    return "; ".join(named[:most]) + (f"; and {more} more" if more > 0 else "")
