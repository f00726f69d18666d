"""Reads the pay runs, and refuses pay that one would not include: it takes the pay templates when it is created."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from xero.api import wire
from xero.api.answers import listed
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer
from xero.api.page import Page
from xero.api.paging import pages
from xero.documents.declaration import CheckResult
from xero.documents.pay.pay_periods import DAY, LENGTHS, beginning
from xero.documents.payroll import PayDocument, PayRow, earned
from xero.qicworks.push.outbox import PushState, Result
from xero.qicworks.push.owned_earnings_lines import OwnedEarningsLine

PATH = "/payroll.xro/1.0/PayRuns"
MAX_YEAR = 2200
PAGE_SIZE = 100


@dataclass(frozen=True)
class PayRun:
    calendar: UUID
    start: date
    status: str


class PayRuns:
    """All pay runs of an organisation, read when the first one is asked for. One that cannot be read may be any:
    nothing is known then, and BadAnswer raised."""

    def __init__(self, client: XeroClient) -> None:
        self._client = client
        self._read: list[PayRun] | None = None
        self._read_at = 0.0

    def of(self, calendar: UUID, start: date) -> PayRun | None:
        """The pay run of the calendar's period that begins on that day."""
        return next((run for run in self._all if (run.calendar, run.start) == (calendar, start)), None)

    def latest(self, calendar: UUID) -> date | None:
        """The first day of the calendar's latest period that has a pay run."""
        return max((run.start for run in self._all if run.calendar == calendar), default=None)

    def has_come_to(self, calendar: UUID, start: date) -> bool:
        """Whether the calendar has a pay run of the period that begins on that day, or of a later one."""
        return any(run.calendar == calendar and run.start >= start for run in self._all)

    @property
    def age(self) -> float:
        """Seconds since they were read."""
        return time.monotonic() - self._read_at

    def read(self) -> list[PayRun]:
        """Reads them, again."""
        now = time.monotonic()
        self._read = self._pages()
        self._read_at = now
        return self._read

    @property
    def _all(self) -> list[PayRun]:
        return self.read() if self._read is None else self._read

    def _pages(self) -> list[PayRun]:
        def fetch(number: int) -> Page:
            answer = self._client.get(PATH, params={"page": number})
            found = listed(answer.data, "PayRuns")
            if found is None:
                raise _unreadable("the response is not a list of them")
            page = Page.of(answer, found)
            return msgspec.structs.replace(page, page_count=None)  # payroll announces none

        runs: dict[str, PayRun] = {}
        for page in pages(fetch, _id, PATH, full_size=PAGE_SIZE):
            runs = {_id(one): _readable(one) for one in page.rows} | runs
        return list(runs.values())


def _id(record: Any) -> str:
    return str(record.get("PayRunID")) if isinstance(record, dict) else ""


def _readable(record: Any) -> PayRun:
    try:
        calendar, start = wire.uuid(record.get("PayrollCalendarID")), wire.date(record.get("PayRunPeriodStartDate"))
    except (ValueError, AttributeError) as error:
        raise _unreadable("one of them has no readable calendar or date") from error
    if calendar is None or start is None or start.year > MAX_YEAR:
        raise _unreadable("one of them has no calendar, or no date that a pay run can have")
    return PayRun(calendar, start, str(record.get("PayRunStatus") or "unknown"))


def _unreadable(why: str) -> BadAnswer:
    return BadAnswer(
        f"The pay runs in Xero cannot be read: {why}.",
        "Nothing was pushed to a pay template, because an existing pay run would not include it. Push again; if it "
        "keeps failing, contact QicWorks support.",
    )


def made_too_late(pay_runs: PayRuns, document: PayDocument) -> Iterator[CheckResult]:
    """Refuses pay whose pay run exists already, and so would not include it."""
    row = document.row
    run = pay_runs.of(row.period_calendar, row.period_start)
    if run is None:
        return
    period = f"the pay run of the period from {row.period_start}"
    if run.status == "DRAFT":
        yield CheckResult(
            f"{period} already exists as a draft, so this pay would not be included",
            "Delete the draft pay run in Xero. After the push, create a new one.",
            "retry",
        )
    elif run.status != "POSTED":
        yield CheckResult(
            f"{period} already exists, as {run.status.lower()}, so this pay may not be included",
            "Compare the employee's payslip in Xero with QicWorks, and enter any missing pay by hand.",
        )
    elif earned(document):
        yield CheckResult(
            f"{period} is already posted, so this pay is not included",
            "Enter this pay in Xero by hand, in an unscheduled pay run or the next one.",
        )
    else:
        yield CheckResult(
            f"{period} is already posted: it may have paid an earlier period's amounts by mistake",
            "Compare the employee's payslip in Xero with QicWorks, and correct what was paid twice.",
        )


def unpaid(pay_runs: PayRuns, row: PayRow, owned: Sequence[OwnedEarningsLine]) -> Iterator[CheckResult]:
    """Refuses to overwrite pay that no pay run has paid yet."""
    for one in owned:
        start, calendar = one.period_start, one.period_calendar
        if one.empty or start is None or calendar is None or start >= row.period_start:
            continue
        if not pay_runs.has_come_to(calendar, start):
            yield CheckResult(
                f"the pay template still has the pay of the period from {start}, which has no pay run yet",
                "Create that pay run in Xero first.",
                "retry",
            )
            return


def not_next(pay_runs: PayRuns, row: PayRow) -> Iterator[CheckResult]:
    """Refuses pay of any period but the one that Xero's next pay run of the calendar is for: that run pays whatever is
    in the pay template then."""
    kind, known = row.calendar_type, row.calendar_start
    if kind not in LENGTHS or known is None:
        yield CheckResult(
            "the periods of its payroll calendar are not known in QicWorks",
            "Pull pay codes ({pull_pay_codes}), which include the payroll calendars.",
            "retry",
        )
        return
    latest, number = pay_runs.latest(row.period_calendar), 0
    while latest and (start := beginning(kind, known, number)) <= latest:
        number += 1
    start, end = beginning(kind, known, number), beginning(kind, known, number + 1) - DAY
    if (row.period_start, row.period_end) != (start, end):
        yield CheckResult(
            f"it is for the period from {row.period_start} to {row.period_end}, and the next pay run in Xero is for "
            f"the period from {start} to {end}, which would pay it",
            f"Push the pay of the period from {start} to {end} first. If Xero's next pay run has other days, pull pay "
            "codes ({pull_pay_codes}); else correct the pay period in QicWorks.",
            "retry",
        )


def crossed(error: str) -> Result:
    """A pay run was created while the pay was being pushed."""
    return Result(
        PushState.FAILED,
        error=f"{error}: check in Xero",
        correction="Compare the employee's payslip in Xero with QicWorks. If this pay is missing, delete the draft pay "
        "run, push again and create a new one; if it is posted, enter the pay in Xero by hand.",
    )
