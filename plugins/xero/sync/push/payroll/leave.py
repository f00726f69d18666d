"""Pushes leave requests: creates a leave application once, approves it, reads it back and compares it.

Leave cannot be deleted in Xero, and its idempotency key may not hold: Xero is searched before anything is created.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

from xero.api import wire
from xero.api.errors import Refused, RetryLater, cleaned
from xero.documents import odd_values
from xero.documents.declaration import Json, Kind, Record
from xero.documents.leave_requests import APPROVED, CHECKS, LeaveDocument, identity, payload
from xero.qicworks.push.outbox import Outbox, PushState, Request, RequestOutcome, Result
from xero.qicworks.push.payroll_outbox import LeaveOutbox
from xero.sync.push import outages
from xero.sync.push.deadlines import QUIET_SECONDS
from xero.sync.push.payroll import calendars, employees, leave_applications
from xero.sync.push.payroll.calendars import Calendars
from xero.sync.push.payroll.leave_applications import (
    PATH,
    REJECTED,
    REQUESTED,
    id_of,
    is_alike,
    is_ours,
    is_what_was_sent,
    statuses,
)
from xero.sync.push.payroll.leave_verdicts import CLAIMED, NOT_THIS_LEAVE, not_changeable, of_record, perhaps_there
from xero.sync.push.payroll.one_by_one import DOCUMENTS_READ_TOGETHER, JSON, OneByOne
from xero.sync.push.payroll.redaction import redacted
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.strategies import Preview
from xero.sync.push.verdicts import Settled, check_in_xero, invalid, label, not_shown, refused
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)


class Leave(OneByOne[LeaveDocument]):
    """Pushes the leave requests of one connection, one by one."""

    def __init__(
        self,
        it: Run,
        kind: Kind,
        outbox: Outbox,
        recorder: ResultRecorder,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        super().__init__(it, kind, outbox, recorder, quiet_seconds)
        self.leave = LeaveOutbox(it.session, it.connection)
        self.calendars = Calendars(it.client)
        self._kept: leave_applications.Listed | None = None

    def read(self, ids: Sequence[UUID]) -> list[LeaveDocument]:
        return self.leave.read(ids)

    def push(self, document: LeaveDocument) -> None:
        if result := self._invalid(document):
            self.settle(document, result)
            return
        if not document.xero_id:
            there = self._there(document.id, identity(document), self._listed()) or self._of_another(document)
            if isinstance(there, Result):
                self.settle(document, there)
                return
            if there:
                self._adopt(document, there)
                return
        path = f"{PATH}/{document.xero_id}/approve" if document.xero_id else PATH
        with self.it.session.transaction():
            if not self.claimed(document, self.leave.version):
                return  # edited since: a later run sends it
            ids, versions, event = [document.id], [document.version], self.it.event_id
            request = self.outbox.claim("POST", path, {}, None, ids, versions, [identity(document)], event)
        if document.xero_id:
            self._finish(document, request, document.xero_id)
        else:
            self._create(document, request)

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What a run would refuse and send. Writes nothing."""
        seen: list[UUID] = []
        while waiting := self.outbox.waiting(DOCUMENTS_READ_TOGETHER, wanted, seen, preview=True):
            for document in self.read([one.id for one in waiting]):
                name = label(self.kind, document)
                result = self._invalid(document)
                there = None
                if not result and not document.xero_id:
                    there = self._there(document.id, identity(document), self._listed()) or self._of_another(document)
                if result := there if isinstance(there, Result) else result:
                    yield Preview(refused=((name, *result.why),))
                elif document.xero_id or there:
                    log.info("%s: it is already in Xero; at most its approval is missing there", name)
                else:
                    yield Preview("POST", PATH, {}, [payload(document)], (name,))
            seen += [one.id for one in waiting]

    def _invalid(self, document: LeaveDocument) -> Result | None:
        """Why it cannot be sent; None if it can. Leave that is already in Xero may at most be approved there."""
        name = label(self.kind, document)
        findings = odd_values.run_checks(CHECKS, document)
        if not document.xero_id:
            wrong = any(finding.correction for finding in findings)
            findings = findings if wrong else list(calendars.changed(self.calendars, document.row))
            return invalid(name, findings) if findings else None
        try:
            record = self._record(document, document.xero_id)
        except Refused:
            return check_in_xero(f"what was pushed ({document.xero_id}) is no longer in Xero")
        except RetryLater as error:
            if not outages.is_of_one(self.it.client, PATH, error):
                raise
            return not_shown(document.xero_id)
        if not any(finding.correction for finding in findings) and is_what_was_sent(payload(document), record):
            return None
        return not_changeable(document.xero_id, record)

    # -- creating

    def _create(self, document: LeaveDocument, request: Request) -> None:
        """Sends it once; without a response it is searched for, not sent again."""
        body = JSON.encode([payload(document)])
        try:
            answer = self.write(request, PATH, body, request.key, replay_window=0.0)
        except Refused as refusal:
            if refusal.outcome_unknown:
                self.look_up(request)
            else:
                self._refused(document, request, refusal.messages)
            return
        records = leave_applications.records(answer.data)
        record = records[0] if len(records) == 1 else {}
        xero_id, errors = id_of(record), _errors(record)
        if errors:
            self._refused(document, request, errors)
        elif xero_id is None or self.leave.owned_by_others(document.id, [xero_id]):
            self.look_up(request)
        else:
            self.leave.keep_id(document.id, xero_id, ", ".join(statuses(record)))
            self._finish(document, request, xero_id)

    def _refused(self, document: LeaveDocument, request: Request, messages: Sequence[str]) -> None:
        result = refused(self.kind, label(self.kind, document), None, redacted(messages, document))
        self.settle(document, result, request)

    # -- approving and reading back

    def _finish(
        self,
        document: LeaveDocument,
        request: Request,
        xero_id: UUID,
        outcome: RequestOutcome = RequestOutcome.ANSWERED,
    ) -> None:
        """Approves it if Xero has it as requested, because a pay run would not pay it; then reads it back."""
        try:
            record = self._record(document, xero_id)
            xero_id, words = id_of(record) or xero_id, list[str]()
            if REQUESTED in statuses(record) and document.row.status in APPROVED:
                if not (is_ours(request.identities[0], record) and is_alike(request.identities[0], record)):
                    self.settle(document, NOT_THIS_LEAVE, request, outcome)
                    return
                if given_up := self.given_up(document, request):
                    words = [given_up.why[0]]
                elif request.server_failed:
                    self.outbox.release(request)
                    return
                else:
                    xero_id, words = self._approve(document, request, xero_id)
                    record = self._record(document, xero_id)
        except Refused:
            result = check_in_xero(f"what was pushed ({xero_id}) is no longer in Xero")
        except RetryLater as error:
            if error.outcome_unknown or not outages.is_of_one(
                self.it.client, PATH, error
            ):  # unknown: not read, approved
                raise
            result = not_shown(xero_id)
        else:
            result = of_record(document, request, record, words)
        self.settle(document, result, request, outcome)

    def _record(self, document: LeaveDocument, xero_id: UUID) -> Record:
        """The leave as it is now. Approved leave may have another id than the request that it was: then it is found by
        its reference. Raises Refused where there is none."""
        try:
            return leave_applications.fetch_leave(self.it.client, xero_id)
        except Refused:
            listed = self._listed(afresh=True).records
            ours = [one for one in listed if is_ours(identity(document), one) and is_alike(identity(document), one)]
            ids = [found for one in ours if (found := id_of(one))]
            if len(ids) != 1 or self.leave.owned_by_others(document.id, ids):
                raise
        log.info("%s has another id in Xero now: %s", label(self.kind, document), ids[0])
        self.leave.keep_id(document.id, ids[0], None)
        return leave_applications.fetch_leave(self.it.client, ids[0])

    def _approve(self, document: LeaveDocument, request: Request, xero_id: UUID) -> tuple[UUID, list[str]]:
        """Its id, which may be another one then, and Xero's messages if it refuses: perhaps it is approved already."""
        try:
            answer = self.write(request, f"{PATH}/{xero_id}/approve", b"", str(uuid4()), replay_window=0.0)
        except Refused as refusal:
            return xero_id, redacted(refusal.messages, document) or ["Xero gave no reason"]
        approved = [one for one in leave_applications.records(answer.data) if is_ours(identity(document), one)]
        return (approved and id_of(approved[0])) or xero_id, []

    # -- what an earlier run left

    def look_up(self, request: Request) -> None:
        """Searches Xero for the leave that a request may have created there."""
        documents = self.read(request.documents)
        if not documents:
            self._look_up_deleted(request)
            return
        document = documents[0]
        if document.xero_id:
            log.info("%s is already in Xero", label(self.kind, document))
            self._finish(document, request, document.xero_id, RequestOutcome.LOOKED_UP)
            return
        log.info("checking Xero for the leave of this request")
        listed = self._listed(afresh=True)
        there = self._there(document.id, request.identities[0], listed)
        if isinstance(there, Result):
            self.settle(document, there, request, RequestOutcome.LOOKED_UP)
        elif there:
            log.info("%s is already in Xero", label(self.kind, document))
            self.leave.keep_id(document.id, there, None)
            self._finish(document, request, there, RequestOutcome.LOOKED_UP)
        elif not listed.whole:
            reason = "Xero does not list leave that is only requested, as this one may be"
            self.settle(document, check_in_xero(reason), request, RequestOutcome.LOOKED_UP)
        elif given_up := self.given_up(document, request):
            self.settle(document, given_up, request, RequestOutcome.LOOKED_UP)
        else:
            self.outbox.release(request)

    def _look_up_deleted(self, request: Request) -> None:
        """Searches Xero for the leave of a request whose document was deleted in QicWorks since: what is there is
        linked, for its cancellation to find it."""
        id, version = request.documents[0], request.versions[0]
        listed = self._listed(afresh=True)
        there = self._there(id, request.identities[0], listed)
        if there is None and not listed.whole:
            there = check_in_xero("Xero does not list leave that is only requested, as this one may be")
        if there is None:
            self.outbox.close(request, RequestOutcome.LOOKED_UP)
            return
        result = there if isinstance(there, Result) else Result(PushState.PUSHED, there)
        settled = Settled(id, version, self.kind.called(None, id), result)
        self.recorder.record([settled], request, RequestOutcome.LOOKED_UP)

    # -- what is there before anything is created

    def _listed(self, *, afresh: bool = False) -> leave_applications.Listed:
        """All leave in Xero: read once in a run, and again if something may have arrived since."""
        if self._kept is None or afresh:
            self._kept = leave_applications.fetch_all_leave(self.it.client)
        return self._kept

    def _there(self, id: UUID, identity: Json, listed: leave_applications.Listed) -> UUID | Result | None:
        """Its id in Xero; a Result if that is ambiguous; None if it is not there."""
        known = [one for one in listed.records if id_of(one)]
        ours = [one for one in known if is_ours(identity, one)]
        alike = [one for one in known if is_alike(identity, one)]
        others = self.leave.owned_by_others(id, [found for one in (*ours, *alike) if (found := id_of(one))])
        if len(ours) > 1:
            return check_in_xero(f"Xero has {len(ours)} leave applications that match it")
        if ours:  # the one that ends with its reference is this one, even if others are alike
            return id_of(ours[0]) if id_of(ours[0]) not in others else CLAIMED
        alike = [one for one in alike if id_of(one) not in others]
        if not any(statuses(one) != [REJECTED] for one in alike):
            return None
        return perhaps_there(identity)

    def _of_another(self, document: LeaveDocument) -> Result | None:
        """Why it is not created: the employee's id in Xero is another person's. Leave cannot be deleted there."""
        name = label(self.kind, document)
        try:
            employee = employees.fetch_employee(self.it.client, document.row.employee)
        except Refused as refusal:
            return refused(self.kind, name, None, redacted(refusal.messages, document))
        findings = list(employees.is_another_person(employee, document.row))
        return invalid(name, findings) if findings else None

    def _adopt(self, document: LeaveDocument, xero_id: UUID) -> None:
        """Links it to the leave that Xero already has."""
        log.info("%s is already in Xero", label(self.kind, document))
        self.leave.keep_id(document.id, xero_id, None)
        for known in self.read([document.id]):
            self.push(known)


def _errors(record: Record) -> list[str]:
    return [cleaned(one.get("Message")) for one in wire.objects(record.get("ValidationErrors"))]
