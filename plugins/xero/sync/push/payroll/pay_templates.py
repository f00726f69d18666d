"""Pushes pay: reads a pay template, sets or empties QicWorks' earnings lines, writes it, reads it back, compares it.

Xero pays what a template has in every period until it is changed. Amounts are neither stored nor logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from xero.api.errors import Refused, RetryLater, XeroError
from xero.documents import odd_values
from xero.documents.declaration import Json, Kind, Record
from xero.documents.payroll import CHECKS, PayDocument, pay
from xero.qicworks.connect.seals import Seals
from xero.qicworks.push.outbox import Outbox, PushState, Request, RequestOutcome, Result
from xero.qicworks.push.owned_earnings_lines import OwnedEarningsLine, OwnedLines
from xero.qicworks.push.payroll_outbox import PayOutbox
from xero.sync.push import outages
from xero.sync.push.deadlines import QUIET_SECONDS, REPLAY_WINDOW_SECONDS
from xero.sync.push.payroll import calendars, earnings_lines, employees, pay_runs
from xero.sync.push.payroll.calendars import Calendars
from xero.sync.push.payroll.earnings_lines import Plan
from xero.sync.push.payroll.one_by_one import DOCUMENTS_READ_TOGETHER, JSON, OneByOne
from xero.sync.push.payroll.pay_run_watch import PayRunWatch
from xero.sync.push.payroll.pay_runs import PayRuns
from xero.sync.push.payroll.redaction import redacted
from xero.sync.push.payroll.withdrawn_pay import WithdrawnPay
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.strategies import Preview
from xero.sync.push.verdicts import Settled, check_in_xero, invalid, label, not_shown, refused
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

IN_TEMPLATE = "IN TEMPLATE"
REQUIRED = ("FirstName", "LastName", "DateOfBirth")  # required in each update of an employee by Xero's specification


@dataclass(frozen=True)
class PlannedTemplate:
    """An employee and the template as they were found, what is to become of it, which lines were QicWorks' before."""

    employee: Record
    found: Record
    plan: Plan
    owned: tuple[OwnedEarningsLine, ...]

    @property
    def is_there(self) -> bool:
        return not earnings_lines.differences(self.plan.template, self.found, self.plan.ours)

    @property
    def claims(self) -> list[OwnedEarningsLine]:
        """What must be known before it is sent: new lines, and what was there before a rate of ours. Until Xero has
        taken the new rate, the one before is ours, too."""
        until_now = {one.earnings_rate: one.rates for one in self.owned}
        return [
            replace(one, rates=one.rates + until_now.get(one.earnings_rate, ()))
            for one in self.plan.owned
            if one.earnings_rate in self.plan.new or one.rates
        ]

    def body(self, document: PayDocument, *, person: bool = False) -> list[Json]:
        """Nothing of the employee but the template. `person`: with what Xero's specification requires of an update,
        as it was just read."""
        known = {name: self.employee[name] for name in REQUIRED if self.employee.get(name)} if person else {}
        return [{"EmployeeID": str(document.row.employee), **known, "PayTemplate": self.plan.template}]


class PayTemplates(OneByOne[PayDocument]):
    """Pushes the pay of one connection's employees, one employee after the other."""

    def __init__(
        self,
        it: Run,
        kind: Kind,
        outbox: Outbox,
        recorder: ResultRecorder,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        super().__init__(it, kind, outbox, recorder, quiet_seconds)
        self.pay = PayOutbox(it.session, it.connection)
        self.lines = OwnedLines(it.session, it.connection, Seals(it.client.app))
        self.calendars = Calendars(it.client)
        self.pay_runs = PayRuns(it.client)
        self.withdrawn = WithdrawnPay(self.pay, self.lines, self.pay_runs, recorder)
        self._mentioned = False
        self.watch = PayRunWatch(it, kind, self.pay_runs, recorder)

    def read(self, ids: Sequence[UUID]) -> list[PayDocument]:
        return self.pay.read(ids)

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        if wanted is None and not self._mentioned:
            self.withdrawn.mention()
            self._mentioned = True
        try:
            more = super().step(wanted, done)
        except XeroError:
            self.watch.read_last()
            raise
        if not more:
            self.watch.read_last()
            self.withdrawn.warn()
        return more

    # -- one employee

    def push(self, document: PayDocument) -> None:
        planned = self._plan(document)
        if isinstance(planned, Result):
            self.settle(document, planned)
        elif planned.is_there:
            log.info("%s: the pay template already has it", label(self.kind, document))
            with self.it.session.transaction():
                if self.claimed(document, self.pay.version):
                    self.settle(document, _pushed(document, self.withdrawn.own(document, planned.plan.owned)))
        elif late := list(self.watch.too_late(document)):
            self.settle(document, invalid(label(self.kind, document), late))
        else:
            self._write(document, planned)

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What a run would refuse and send. Reads pay templates, writes nothing."""
        for document in self._previewed(wanted):
            name, planned = label(self.kind, document), self._plan(document)
            if isinstance(planned, Result):
                yield Preview(refused=((name, *planned.why),))
            elif planned.is_there:
                log.info("%s: the pay template already has it", name)
            else:
                yield Preview("POST", _path(document), {}, planned.body(document), (name,))

    def _previewed(self, wanted: Sequence[UUID] | None) -> list[PayDocument]:
        """The waiting pay, including the empty pay that a run would create: it is added, read and rolled back."""
        unmentioned = self.withdrawn.unmentioned() if wanted is None else []
        documents: list[PayDocument] = []
        with self.it.session.transaction(force_rollback=True):
            for one in unmentioned:
                self.pay.mention(one)
            seen: list[UUID] = []
            while waiting := self.outbox.waiting(DOCUMENTS_READ_TOGETHER, wanted, seen, preview=True):
                seen += [one.id for one in waiting]
                documents += self.read(seen[-len(waiting) :])
        return documents

    # -- what is to be written

    def _plan(self, document: PayDocument) -> PlannedTemplate | Result:
        """Plans the template, or returns why it cannot be sent."""
        name, row = label(self.kind, document), document.row
        findings = odd_values.run_checks(CHECKS, document)
        if any(finding.correction for finding in findings):
            return invalid(name, findings)
        owned = self.lines.of(row.employee)
        if owned is None:
            return invalid(name, [self.withdrawn.unsealed(document)])
        if findings := list(earnings_lines.check_owned_lines(owned)):
            return invalid(name, findings)
        findings = [*pay_runs.made_too_late(self.pay_runs, document), *pay_runs.unpaid(self.pay_runs, row, owned)]
        findings = (
            findings or list(pay_runs.not_next(self.pay_runs, row)) or list(calendars.changed(self.calendars, row))
        )
        if findings:
            return invalid(name, findings)
        try:
            employee = employees.fetch_employee(self.it.client, row.employee)
        except Refused as refusal:
            return refused(self.kind, name, None, redacted(refusal.messages, document))
        except RetryLater as error:
            if not outages.is_of_one(self.it.client, employees.PATH, error):
                raise
            return not_shown(None)
        template: Any = employee.get("PayTemplate")
        missing = earnings_lines.check_lists(template, self.pay.pulled(row.employee), owned)
        findings = [*employees.as_it_is_now(employee, row), *missing, *earnings_lines.check_text(template)]
        plan = findings or earnings_lines.plan(template, pay(document), owned)
        if not isinstance(plan, Plan):
            return invalid(name, plan)
        return PlannedTemplate(employee, template, plan, tuple(owned))

    # -- writing

    def _write(self, document: PayDocument, planned: PlannedTemplate) -> None:
        """Commits the lines as QicWorks' and the request, then sends it."""
        row = document.row
        identity = {
            "employee": str(row.employee),
            "calendar": str(row.period_calendar),
            "period": row.period_start.isoformat(),
        }
        with self.it.session.transaction():
            if not self.claimed(document, self.pay.version):
                return  # edited since: a later run sends it
            if not self.lines.claim(document, planned.claims):
                self.settle(document, invalid(label(self.kind, document), [self.withdrawn.unsealed(document)]))
                return
            ids, versions, event = [document.id], [document.version], self.it.event_id
            request = self.outbox.claim("POST", _path(document), {}, None, ids, versions, [identity], event)
        try:
            self._send(document, planned, request)
        except Refused as refusal:
            self._refused(document, planned, request, refusal)
            return
        self._read_back(document, planned, request)

    def _send(self, document: PayDocument, planned: PlannedTemplate, request: Request) -> None:
        """Sends the template alone; if Xero refuses that, once more with the fields that its specification requires."""
        path = _path(document)
        try:
            self.write(
                request, path, JSON.encode(planned.body(document)), request.key, replay_window=REPLAY_WINDOW_SECONDS
            )
        except Refused as refusal:
            whole = JSON.encode(planned.body(document, person=True))
            if refusal.outcome_unknown or refusal.status != 400 or whole == JSON.encode(planned.body(document)):
                raise
            self.write(request, path, whole, str(uuid4()), replay_window=REPLAY_WINDOW_SECONDS)

    def _refused(self, document: PayDocument, planned: PlannedTemplate, request: Request, refusal: Refused) -> None:
        if refusal.outcome_unknown:  # an earlier attempt may have arrived
            found = employees.fetch_pay_template(self.it.client, document.row.employee)
            if earnings_lines.differences(planned.found, found, frozenset()):
                self._compared(document, planned, request, found)
                return
        result = refused(self.kind, label(self.kind, document), None, redacted(refusal.messages, document))
        with self.it.session.transaction():
            self.lines.disclaim(document, planned.plan.new, planned.owned)
            self.settle(document, result, request)

    def _read_back(self, document: PayDocument, planned: PlannedTemplate, request: Request) -> None:
        try:
            found = employees.fetch_pay_template(self.it.client, document.row.employee)
        except Refused:
            self.settle(document, check_in_xero("the pay template can no longer be read"), request)
            return
        self._compared(document, planned, request, found)

    def _compared(self, document: PayDocument, planned: PlannedTemplate, request: Request, found: Record) -> None:
        wrong = earnings_lines.differences(planned.plan.template, found, planned.plan.ours)
        if wrong:
            result = Result(
                PushState.FAILED,
                error=f"the pay template in Xero is not what was sent (lines of {', '.join(wrong)}): check in Xero",
                correction=f"Compare the employee's pay template in Xero with the {label(self.kind, document)} in "
                "QicWorks, correct it in Xero, then push again.",
            )
            self.settle(document, result, request)
            return
        with self.it.session.transaction():
            remarks = [
                f"from now on QicWorks sets the line '{name}' of the pay template, which was entered in Xero before"
                for name in planned.plan.taken_over
            ]
            remarks += self.withdrawn.own(document, planned.plan.owned)
            self.settle(document, _pushed(document, remarks), request)
        self.watch.add(document)

    # -- what an earlier run left

    def look_up(self, request: Request) -> None:
        """Makes the pay ready again, since repeating it does no harm; fails it if a pay run was created in between."""
        identity = request.identities[0]
        start = date.fromisoformat(identity["period"])
        if self.pay_runs.of(UUID(identity["calendar"]), start) is None:
            self._release(request)
            return
        result = pay_runs.crossed(
            f"the pay run of the period from {start} was created before QicWorks knew whether Xero had received "
            "this pay"
        )
        id, version = request.documents[0], request.versions[0]
        self.recorder.record(
            [Settled(id, version, f"{self.kind.word} {id}", result)], request, RequestOutcome.LOOKED_UP
        )

    def _release(self, request: Request) -> None:
        """Makes it ready again, or failed if Xero failed on it each time and its pay template does not have it."""
        for document in self.read(request.documents):
            given_up = self.given_up(document, request)
            planned = self._plan(document) if given_up else None
            if given_up and isinstance(planned, PlannedTemplate) and not planned.is_there:
                self.settle(document, given_up, request, RequestOutcome.LOOKED_UP)
                return
        self.outbox.release(request)


def _path(document: PayDocument) -> str:
    return f"{employees.PATH}/{document.row.employee}"


def _pushed(document: PayDocument, remarks: Sequence[str] = ()) -> Result:
    return Result(PushState.PUSHED, document.row.employee, IN_TEMPLATE, remarks=tuple(remarks))
