"""Records what became of documents: state, counts, events and links, in one transaction with their request."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from xero.documents.declaration import Delivery, PricedKind
from xero.qicworks.follow.differences import About
from xero.qicworks.push import lacking_currencies, lacking_departments
from xero.qicworks.push.links import Link
from xero.qicworks.push.outbox import Outbox, PushState, Request, RequestOutcome, Result
from xero.qicworks.runs import events
from xero.qicworks.runs.events import DocumentName
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.sync.push.cancelled import differing, verdicts
from xero.sync.push.verdicts import Settled, event_lines
from xero.sync.runs.event_line import log_event
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)


OUTCOMES = {
    Status.SUCCESS: EventOutcome.DONE,
    Status.WARNING: EventOutcome.DONE_WITH_REMARKS,
    Status.ERROR: EventOutcome.FAILED,
}


class ResultRecorder:
    """Records results of documents of one kind in one interaction."""

    def __init__(self, it: Run, outbox: Outbox) -> None:
        self.it = it
        self.outbox = outbox
        self._pushes_contacts = outbox.kind.delivery is Delivery.CONTACTS
        self.attached = self.unattached = 0
        self.warnings = 0  # documents that are in Xero, with remarks; and warnings of the run
        self.taken_back = self.left_in_xero = 0  # cancelled documents
        self.defaulted = 0  # lines that took their account or tax code from the settings

    def record(
        self,
        settled: Sequence[Settled],
        request: Request | None = None,
        outcome: RequestOutcome = RequestOutcome.ANSWERED,
        held: Sequence[PushState] = (),
    ) -> None:
        """Records all of these, and closes the request.

        `held`: the states of documents that wait for this result; those without a request were not sent, and are ready.
        """
        if not settled and not request:
            return
        held = held or ((PushState.IN_FLIGHT,) if request else (PushState.READY,))
        correlation_id = self.it.correlation_id if request else None
        recorded = []
        with self.it.session.transaction():
            for one in settled:
                state = self.outbox.settle(one.id, one.version, one.result, held)
                follows = state in (None, PushState.DRAFT) and self.outbox.cancelled.is_open(one.id)
                recorded.append(_as_it_is_now(one, state, taken_back=follows, is_contact=self._pushes_contacts))
                self._count(recorded[-1].result)
                self._record(recorded[-1], correlation_id)
            if PushState.IN_FLIGHT in held:  # what was not sent says nothing of what Xero has
                unclear = [one.id for one in settled if one.result.is_unclear]
                self.outbox.keep_unclear(unclear, [one.id for one in settled if not one.result.is_unclear])
            self.outbox.keep_links({one.id: link for one in settled if (link := _link(one))})
            self.outbox.keep_contents(
                [
                    (one.id, one.result.xero_id, one.result.content)
                    for one in settled
                    if one.result.content and one.result.xero_id
                ]
            )
            self.outbox.compare({one.id: (one.label, one.result) for one in recorded})
            if isinstance(self.outbox.kind, PricedKind):
                self.outbox.twins.keep([(one.id, one.version, one.result) for one in recorded])
                without = {one.id: one.version for one in recorded if one.result.lacks_department}
                ids = [one.id for one in recorded]
                lacking_departments.keep(self.it.session, self.outbox.kind, ids, without)
            lacking = {one.id: one.result.lacks for one in recorded if one.result.lacks}
            lacking_currencies.keep(self.it.session, self.outbox.kind, lacking)
            for one in settled:
                self._keep_unclear(one)
            if request:
                self.outbox.close(request, outcome)
            self.it.count_calls()
            events.count(self.it.session, self.it.event_id, self.it.counts)
        for one in recorded:
            self._log(one, correlation_id)

    def record_attachment(self, one: Settled, *, sent: bool) -> None:
        """`sent`: whether Xero was asked about it."""
        correlation_id = self.it.correlation_id if sent else None
        with self.it.session.transaction():
            self.outbox.settle_attachment(one.id, one.version, one.result)
            self._record(one, correlation_id)
            self.it.count_calls()
            events.count(self.it.session, self.it.event_id, self.it.counts)
        self.attached += one.result.state is PushState.PUSHED
        self.unattached += one.result.state is PushState.FAILED
        self._log(one, correlation_id)

    def warn(self, message: str, correction: str) -> None:
        """Writes a warning that is about no document; the run then ends with a warning."""
        it = self.it
        about = it.session, it.connection.id, it.direction, it.data_set
        how = Status.WARNING, EventOutcome.DONE_WITH_REMARKS
        events.record(*about, *how, message, it.origin, correction=correction)
        log_event(it.data_set, it.connection, Status.WARNING, it.counts, message, correction, direction=it.direction)
        self.warnings += 1

    def note(self, label: str, id: UUID, status: Status, message: str, correction: str | None, *, sent: bool) -> None:
        """Records an event of a document, in the caller's transaction. `sent`: whether Xero was asked about it."""
        it, correlation_id = self.it, self.it.correlation_id if sent else None
        outcome = EventOutcome.DONE if status is Status.SUCCESS else EventOutcome.DONE_WITH_REMARKS
        events.record(
            it.session,
            it.connection.id,
            it.direction,
            it.data_set,
            status,
            outcome,
            message,
            it.origin,
            correction=correction,
            document=DocumentName(label, it.data_set, id),
            correlation_id=correlation_id,
        )
        self._log_line(label, status, message, correction, correlation_id)
        it.count_calls()
        events.count(it.session, it.event_id, it.counts)

    def _keep_unclear(self, one: Settled) -> None:
        """Opens the difference of a cancelled document that Xero may have: its request is closed, so nothing else says
        that."""
        result, session = one.result, self.it.session
        if not result.is_unclear and (result.state is not PushState.FAILED or result.xero_id is None):
            return
        if not (cancelled := self.outbox.cancelled.unlinked(one.id)):
            return
        about = About(self.it.connection.id, self.it.data_set, one.id, one.label)
        if differing.keep(session, about, cancelled, differing.UNKNOWN):
            said = verdicts.left(cancelled, differing.UNKNOWN, verdicts.stands(differing.UNKNOWN))
            self.note(one.label, one.id, Status.WARNING, said, verdicts.LOOK_FOR_IT.format(one.label), sent=True)
        self.left_in_xero += 1

    def _count(self, result: Result) -> None:
        self.it.counts.pushed += result.state is PushState.PUSHED
        self.it.counts.failed += result.state is PushState.FAILED
        self.warnings += result.state is PushState.PUSHED and bool(result.remarks)

    def _record(self, one: Settled, correlation_id: str | None) -> None:
        document = DocumentName(one.label, self.it.data_set, one.attached_to or one.id)
        for status, message, correction in event_lines(one):
            events.record(
                self.it.session,
                self.it.connection.id,
                self.it.direction,
                self.it.data_set,
                status,
                OUTCOMES[status],
                message,
                self.it.origin,
                correction=correction,
                document=document,
                correlation_id=correlation_id,
            )

    def _log(self, one: Settled, correlation_id: str | None) -> None:
        if one.result.state is PushState.PUSHED:
            log.info("%s: pushed, %s in Xero (%s)", one.label, one.result.xero_status or "there", one.result.xero_id)
        for status, message, correction in event_lines(one):
            self._log_line(one.label, status, message, correction, correlation_id)

    def _log_line(
        self, label: str, status: Status, message: str, correction: str | None, correlation_id: str | None
    ) -> None:
        log_event(
            self.it.data_set,
            self.it.connection,
            status,
            self.it.counts,
            message,
            correction,
            direction=self.it.direction,
            document=label,
            correlation_id=correlation_id,
        )


def _link(one: Settled) -> Link | None:
    """The link to seal: what the document certainly is in Xero. The id that its row has is not enough."""
    result = one.result
    if result.state is PushState.PUSHED:
        return Link(result.xero_id, one.version)
    return Link(result.xero_id) if result.xero_id and (result.state is PushState.READY or result.forget) else None


TAKEN_BACK = "QicWorks takes it back in Xero, too"


def _as_it_is_now(one: Settled, state: PushState | None, *, taken_back: bool, is_contact: bool) -> Settled:
    """Adjusts the result if the document was edited, skipped or removed during the push.

    Args:
        state: None: it was removed.
        taken_back: It is cancelled, and a run will take it back in Xero.
        is_contact: Xero archives it instead of deleting it.
    """
    xero_id, remarks = one.result.xero_id, one.result.remarks
    is_pushed = one.result.state is PushState.PUSHED
    if state in (PushState.DRAFT, PushState.SKIPPED) and is_pushed:
        remark = f"it was set to {state} in QicWorks while it was being pushed"
        remark += f": {TAKEN_BACK}" if taken_back else ""
        return replace(one, result=replace(one.result, remarks=(*remarks, remark)))
    if state is not None:
        return one
    if taken_back:
        remark = f"while it was being pushed, it was deleted or moved to another organisation in QicWorks: {TAKEN_BACK}"
        return replace(one, result=replace(one.result, remarks=(*remarks, remark))) if is_pushed else one
    gone = Result(
        PushState.FAILED,
        xero_id,
        error=f"it was deleted in QicWorks, or moved to another organisation, but is still in Xero ({xero_id})",
        correction=f"{'Archive' if is_contact else 'Delete the draft of'} the {one.label} in Xero.",
    )
    return replace(one, result=gone if xero_id else Result(None))
