"""Takes documents back in Xero that were cancelled in QicWorks after their push: each once, or reports why not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

from xero.api import wire
from xero.api.errors import Refused, XeroError
from xero.documents.declaration import Kind
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Settled
from xero.qicworks.push.cancellations import Cancellation, How
from xero.qicworks.push.links import current
from xero.qicworks.push.outbox import Outbox, Purpose, Request, RequestOutcome
from xero.qicworks.runs.outcome import Status
from xero.sync.push.cancelled import differing, verdicts
from xero.sync.push.cancelled.differing import JUDGED, UNKNOWN
from xero.sync.push.cancelled.standing import Records, Standing, State
from xero.sync.push.cancelling.records import RECORDS
from xero.sync.push.deadlines import QUIET_SECONDS, Wait, wait_until_quiet
from xero.sync.push.outages import MAX_FAILURES_ALONE, OutageBreaker, later
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.strategies import Preview
from xero.sync.push.verdicts import UNSEALED
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

#: Of a document that is not certainly in this Xero organisation.
ELSEWHERE = Standing(State.GONE, "not known")


class Cancellations:
    """The cancelled documents of one kind and connection in one run."""

    def __init__(
        self,
        it: Run,
        kind: Kind,
        outbox: Outbox,
        recorder: ResultRecorder,
        breaker: OutageBreaker,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.breaker = breaker
        self.quiet_seconds = quiet_seconds
        self.cancelled = outbox.cancelled
        self.records = RECORDS[kind.delivery](it, kind, outbox) if kind.delivery in RECORDS else None
        self._seen: set[UUID] = set()

    def recover(self) -> None:
        """Resolves the requests that an earlier run left open, by what Xero has now."""
        for request in self.outbox.open_requests(Purpose.CANCEL):
            self.breaker.attempt("a cancellation that an earlier run left", partial(self._recover, request), known=True)

    def run(self, wanted: Sequence[UUID] | None) -> None:
        """Takes back what is cancelled. `wanted`: only these documents; None for all."""
        if self.records is None:
            return
        records = RECORDS[self.kind.delivery](self.it, self.kind, self.outbox)  # without what it listed before a push
        self._settle_what_is_over()
        while due := self.cancelled.due(wanted, self._seen):
            for one in due:
                self._seen.add(one.document_id)
                self.it.check_still_on()
                self.breaker.attempt(self._label(one), partial(self._cancel, records, one))

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What a run would take back, and what it would leave. Writes nothing."""
        if self.records is None:
            return
        seen: set[UUID] = set()
        while due := self.cancelled.due(wanted, seen):
            for one in due:
                seen.add(one.document_id)
                yield from self._preview(self.records, one)

    def _preview(self, records: Records, one: Cancellation) -> Iterator[Preview]:
        xero_id, label = self._own(one) or one.xero_id or records.certain(one.document_id), self._label(one)
        if xero_id is None:
            if unlinked := self._unlinked(records, one):
                yield Preview(refused=((label, unlinked[1], verdicts.correction(records, unlinked[0], label)),))
            return
        standing = records.read(xero_id, one.document_id)
        xero_id = standing.xero_id or xero_id
        if standing.state is State.GONE and self._is_its_own(one, standing):
            return
        if reason := self._reason_to_leave(records, one, xero_id, standing):
            yield Preview(refused=((label, reason, verdicts.correction(records, standing, label)),))
            return
        call = records.call(xero_id)
        body = {} if call.body is None else wire.loads(call.body.encode())
        yield Preview("POST", call.path, call.query, body, (f"the cancellation of {label}",))

    # -- one by one

    def _cancel(self, records: Records, one: Cancellation) -> None:
        xero_id = self._own(one) or one.xero_id or records.certain(one.document_id)
        if xero_id is None:
            if unlinked := self._unlinked(records, one):
                self._differs(records, one, *unlinked)
            else:
                self._over(one.document_id, one.number, verdicts.never_there(one))
            return
        standing = records.read(xero_id, one.document_id)
        xero_id = standing.xero_id or xero_id
        if standing.state is State.GONE and self._is_its_own(one, standing):
            self._over(one.document_id, one.number, verdicts.gone_already(one, standing), status=standing.status)
            return
        other = records.other(one.document_id, xero_id)
        if other and other.sealed:
            self._over(one.document_id, one.number, verdicts.of_another(one, other.name), Status.WARNING)
            return
        if reason := self._reason_to_leave(records, one, xero_id, standing):
            self._differs(records, one, standing, reason)
        elif request := self._claim(records, one, xero_id):
            self._send(records, one, request, xero_id, standing)

    def _unlinked(self, records: Records, one: Cancellation) -> tuple[Standing, str] | None:
        """Why one without a record in Xero may be there; None if it certainly is not."""
        undone = self.outbox.links_are_undone(one.document_id, one.links)
        if verdicts.was_linked(one) and not undone:
            return ELSEWHERE, verdicts.NOT_HERE
        unclear = self.outbox.twins.maybe_sent([one.document_id]) if undone else one.is_unclear
        return (UNKNOWN, verdicts.stands(UNKNOWN)) if unclear and not records.is_nowhere(one.document_id) else None

    def _own(self, one: Cancellation) -> UUID | None:
        """Its record by its newest sealed link."""
        return current(self.outbox.links(one.document_id, one.links))

    def _is_its_own(self, one: Cancellation, standing: Standing) -> bool:
        """Whether the record is certainly the document: by a seal of this Xero organisation, or as the record names it.
        Otherwise it may be in another Xero organisation: that it is missing here proves nothing."""
        return self._own(one) is not None or standing.document_id == one.document_id

    def _reason_to_leave(self, records: Records, one: Cancellation, xero_id: UUID, standing: Standing) -> str | None:
        """Why it is left in Xero; None if it is taken back there."""
        if standing.state in (State.UNREADABLE, State.UNKNOWN):
            return verdicts.stands(standing)
        if not self._is_its_own(one, standing):
            return verdicts.NOT_HERE if standing.state is State.GONE else verdicts.NOT_CONFIRMED.format(xero_id)
        if other := records.other(one.document_id, xero_id):
            return verdicts.ANOTHER_TOO.format(xero_id, other.name)
        if one.how is How.BEFORE or standing.state is not State.OPEN:
            return verdicts.stands(standing)
        times = self.outbox.times_failed_alone(one.document_id, one.push_version, Purpose.CANCEL)
        return verdicts.FAILS.format(times) if times >= MAX_FAILURES_ALONE else None

    def _claim(self, records: Records, one: Cancellation, xero_id: UUID) -> Request | None:
        """Commits the key and the exact request before it is sent; None if it is in force again."""
        call = records.call(xero_id)
        with self.it.session.transaction():
            if not self.cancelled.lock(one):
                return None
            return self.outbox.claim(
                "POST",
                call.path,
                call.query,
                call.body,
                [one.document_id],
                [one.push_version],
                [{"xero_id": str(xero_id), "number": one.number}],
                self.it.event_id,
                Purpose.CANCEL,
            )

    def _send(self, records: Records, one: Cancellation, request: Request, xero_id: UUID, before: Standing) -> None:
        messages: list[str] = []
        try:
            answer = self.it.client.write(
                request.method,
                request.path,
                (request.body or "").encode(),
                key=request.key,
                params=request.query,
                replay_window=records.call(xero_id).replay_window,
                on_send=lambda: self.outbox.sending(request),
                may_send=lambda: self.outbox.may_be_sent(request),
            )
            taken_back = records.answered(answer.data, xero_id)
        except Refused as refusal:
            if refusal.outcome_unknown:  # perhaps only because Xero is processing it already
                raise later(Wait(self.quiet_seconds)) from None
            if refusal.status not in (400, 404, 413, 422):  # not about this record
                self.outbox.close(request, RequestOutcome.NOT_SENT)
                raise
            messages, taken_back = records.printable(refusal.messages), False
        except XeroError as error:
            if error.server_failed:
                self.outbox.server_failed(request)
            elif not error.outcome_unknown:
                self.outbox.close(request, RequestOutcome.NOT_SENT)
            raise
        # What the response does not show is read.
        now = None if taken_back else records.read(xero_id, one.document_id)
        if taken_back or (now and now.state is State.GONE):
            still = self.cancelled.of_document(one.document_id)  # None: it is in force again
            said, changed = verdicts.done(records, still and one, before)
            status = records.gone_status if now is None else now.status
            self._over(one.document_id, one.number, said, _severity(changed), status=status, request=request)
            return
        reason = f"Xero refused it: {'; '.join(messages) or 'it gave no reason'}"
        self._differs(records, one, now or before, reason, request)

    # -- what an earlier run left

    def _recover(self, request: Request) -> None:
        """By what Xero has now: it is taken back, or its document is free to be taken back again."""
        log.warning("an earlier run left the cancellation of one %s open", self.kind.word)
        id, xero_id = request.documents[0], self._meant(request)
        one = self.cancelled.of_document(id)
        is_known = one is not None or request.sealed_at is not None
        if request.first_sent_at is None or xero_id is None or self.records is None or not is_known:
            self.outbox.close(request, RequestOutcome.NOT_SENT)
            return
        standing = self.records.read(xero_id, id)
        if standing.state is State.GONE:
            said, changed = verdicts.done(self.records, one, None)
            number = one.number if one else request.identities[0].get("number") if request.sealed_at else None
            how = RequestOutcome.LOOKED_UP
            self._over(id, number, said, _severity(changed), status=standing.status, request=request, outcome=how)
        elif wait := wait_until_quiet(request, self.outbox.now(), self.quiet_seconds):
            raise later(wait)
        else:
            self.outbox.close(request, RequestOutcome.NOT_SENT)

    def _meant(self, request: Request) -> UUID | None:
        """The record of a request; of one without a valid seal by the links of its document alone."""
        if request.sealed_at:
            return UUID(request.identities[0]["xero_id"])
        self.recorder.warn(*UNSEALED)
        return current(self.outbox.links(request.documents[0], self.cancelled.links_of(request.documents[0])))

    # -- recording

    def _label(self, one: Cancellation) -> str:
        return self.kind.called(one.number, one.document_id)

    def _about(self, id: UUID, label: str) -> About:
        return About(self.it.connection.id, self.kind.name, id, label)

    def _over(
        self,
        id: UUID,
        number: str | None,
        said: str,
        severity: Status = Status.SUCCESS,
        *,
        status: str | None = None,
        request: Request | None = None,
        outcome: RequestOutcome = RequestOutcome.ANSWERED,
    ) -> None:
        """Records in one transaction that Xero no longer has it. `status`: what its row says of Xero."""
        label = self.kind.called(number, id)
        with self.it.session.transaction():
            self.cancelled.close(id, status)
            self._settle(id, label, Settled.CANCELLED)
            if request:
                self.outbox.close(request, outcome)
            self.recorder.note(label, id, severity, said, None, sent=request is not None)
        self.recorder.taken_back += request is not None
        self.recorder.warnings += severity is Status.WARNING

    def _differs(
        self, records: Records, one: Cancellation, standing: Standing, reason: str, request: Request | None = None
    ) -> None:
        """Records in one transaction that it is still in Xero; the event is written once."""
        label = self._label(one)
        with self.it.session.transaction():
            is_new = differing.keep(self.it.session, self._about(one.document_id, label), one, standing)
            if request:
                self.outbox.close(request, RequestOutcome.ANSWERED)
            if is_new:
                said, correction = verdicts.left(one, standing, reason), verdicts.correction(records, standing, label)
                sent = request is not None
                self.recorder.note(label, one.document_id, Status.WARNING, said, correction, sent=sent)
        self.recorder.left_in_xero += 1

    def _settle_what_is_over(self) -> None:
        for id, label in self.cancelled.over():
            self._settle(id, label, Settled.AGREES)

    def _settle(self, id: UUID, label: str, how: Settled) -> None:
        about = self._about(id, label)
        differences.compare(self.it.session, about, [], JUDGED, how)
        differences.settle_elsewhere(self.it.session, about, JUDGED, how)


def _severity(changed: bool) -> Status:
    return Status.WARNING if changed else Status.SUCCESS
