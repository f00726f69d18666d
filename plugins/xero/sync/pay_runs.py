"""Which pay runs Xero has: a pay run does not see what is written to pay templates after it was made."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from xero.api import wire
from xero.api.client import XeroClient

log = logging.getLogger(__name__)

PATH = "/payroll.xro/1.0/PayRuns"
A_PAGE = 100
MOST_PAGES = 1000


@dataclass(frozen=True)
class PayRun:
    calendar: UUID | None
    start: date | None
    status: str


class PayRuns:
    """All pay runs of an organisation, read when the first one is asked for."""

    def __init__(self, client: XeroClient) -> None:
        self._client = client
        self._read: list[PayRun] | None = None

    def of(self, calendar: UUID, start: date) -> PayRun | None:
        """The pay run of the calendar's period that begins on that day."""
        return next((run for run in self._all if (run.calendar, run.start) == (calendar, start)), None)

    def has_come_to(self, calendar: UUID, start: date) -> bool:
        """Whether the calendar has a pay run of the period that begins on that day, or of a later one."""
        return any(run.calendar == calendar and run.start is not None and run.start >= start for run in self._all)

    @property
    def _all(self) -> list[PayRun]:
        if self._read is None:
            self._read = self._pages()
        return self._read

    def _pages(self) -> list[PayRun]:
        """Until a page is not full, or brings nothing new."""
        found: dict[str, PayRun] = {}
        for page in range(1, MOST_PAGES):
            data = self._client.get(PATH, params={"page": page}).data
            records = data.get("PayRuns") if isinstance(data, dict) else None
            listed = [one for one in records or () if isinstance(one, dict)]
            fresh = {
                str(one.get("PayRunID")): _readable(one) for one in listed if str(one.get("PayRunID")) not in found
            }
            found |= fresh
            if len(listed) < A_PAGE or not fresh:
                break
        return list(found.values())


def _readable(record: dict[str, object]) -> PayRun:
    try:
        calendar, start = wire.uuid(record.get("PayrollCalendarID")), wire.date(record.get("PayRunPeriodStartDate"))
    except ValueError as error:
        log.warning("a pay run is left out: %s", error)
        calendar = start = None
    return PayRun(calendar, start, str(record.get("PayRunStatus") or ""))
