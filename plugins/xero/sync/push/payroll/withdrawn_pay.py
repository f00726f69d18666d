"""Pay in pay templates that no document of this run mentions: emptied, or reported."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from xero.documents.declaration import CheckResult
from xero.documents.payroll import PayDocument
from xero.qicworks.push.owned_earnings_lines import OwnedEarningsLine, OwnedLines
from xero.qicworks.push.payroll_outbox import PayOutbox, Unmentioned
from xero.sync.push.payroll.pay_runs import PayRuns
from xero.sync.push.settle import ResultRecorder

log = logging.getLogger(__name__)

STILL_PAYS = (
    "the pay template of employee {} still contains pay for the period from {}, which was withdrawn in QicWorks"
)
CORRECT_IT = "Push an approved pay without lines for that employee and period, or correct the template in Xero."
UNSEALED = "what QicWorks has set in the pay template of employee {} does not carry the seal of this project"
LOOK_AT_IT = (
    "Nothing is pushed to that pay template, and pay of an earlier period stays in it. Compare it in Xero with what is "
    "to be paid, and correct it there. An administrator then follows docs/troubleshooting.md, pay without a seal."
)


class WithdrawnPay:
    """What earlier runs left in the pay templates of one connection."""

    def __init__(self, pay: PayOutbox, lines: OwnedLines, pay_runs: PayRuns, recorder: ResultRecorder) -> None:
        self.pay = pay
        self.lines = lines
        self.pay_runs = pay_runs
        self.recorder = recorder
        self._told: set[UUID] = set()  # employees without a seal whose document has that error

    def unsealed(self, document: PayDocument) -> CheckResult:
        """Why it cannot be sent."""
        self._told.add(document.row.employee)
        return CheckResult(
            "what QicWorks has set in the pay template does not carry the seal of this project", LOOK_AT_IT
        )

    def own(self, document: PayDocument, lines: Sequence[OwnedEarningsLine]) -> list[str]:
        """Marks lines as accepted by Xero; returns remarks about that."""
        if self.lines.own(document, lines):
            return []
        self._told.add(document.row.employee)
        return ["what QicWorks has set in the pay template was changed by another program during the push"]

    def unmentioned(self) -> list[Unmentioned]:
        """Employees without pay in a new period, whose last pay would be repeated, apart from those without a seal."""
        unsealed = set(self.lines.unsealed())
        found = []
        for one in self.pay.unmentioned():
            if one.employee in unsealed:
                continue
            if self.pay_runs.has_come_to(one.paid_calendar, one.paid_start):
                found.append(one)
            else:
                log.info("the period from %s has no pay run yet: its pay stays in the pay template", one.paid_start)
        return found

    def mention(self) -> None:
        """Creates an empty pay for employees missing from a new period, so the previous pay is not repeated."""
        mentioned = self.unmentioned()
        for one in mentioned:
            self.pay.mention(one)
            log.info("an employee has no pay in an approved period: emptying the pay template")
        left = {one.employee for one in self.pay.unmentioned()} if mentioned else set()
        for one in mentioned:
            if one.employee in left:
                self.recorder.warn(STILL_PAYS.format(one.employee, one.paid_start), CORRECT_IT)

    def warn(self) -> None:
        """Warns about pay withdrawn after its push, which stays in the template because only a person can decide, and
        about lines without a seal."""
        for one in self.pay.withdrawn():
            if not self.pay_runs.of(one.paid_calendar, one.paid_start):
                self.recorder.warn(STILL_PAYS.format(one.employee, one.paid_start), CORRECT_IT)
        for employee in self.lines.unsealed():
            if employee not in self._told:
                self.recorder.warn(UNSEALED.format(employee), LOOK_AT_IT)
