"""Reads the payroll calendars from Xero: those that were pulled may have changed since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer
from xero.documents.declaration import CheckResult
from xero.documents.pay.employee import EmployeeRow
from xero.documents.pay.pay_periods import touched

PATH = "/payroll.xro/1.0/PayrollCalendars"


@dataclass(frozen=True)
class Calendar:
    """`kind`: its type, as `WEEKLY`; `start`: the first day of one of its periods."""

    kind: str | None
    start: date | None


class Calendars:
    """All payroll calendars of an organisation, read when the first one is asked for."""

    def __init__(self, client: XeroClient) -> None:
        self._client = client
        self._read: dict[UUID, Calendar] | None = None

    def of(self, id: UUID) -> Calendar | None:
        if self._read is None:
            self._read = self._all()
        return self._read.get(id)

    def _all(self) -> dict[UUID, Calendar]:
        data = self._client.get(PATH).data
        listed = data.get("PayrollCalendars") if isinstance(data, dict) else None
        if not isinstance(listed, list):
            raise BadAnswer(
                "The payroll calendars in Xero cannot be read: the response is not a list of them.",
                "Nothing that depends on a pay period was pushed. Push again; if it keeps failing, contact QicWorks "
                "support.",
            )
        return dict(found for record in listed if (found := _readable(record)))


def _readable(record: Any) -> tuple[UUID, Calendar] | None:
    """None if it cannot be read: pay and leave of its employees are not pushed."""
    try:
        id, start = wire.uuid(record.get("PayrollCalendarID")), wire.date(record.get("StartDate"))
        kind = wire.text(record.get("CalendarType"))
    except (ValueError, AttributeError):
        return None
    return (id, Calendar(kind, start)) if id else None


def changed(calendars: Calendars, row: EmployeeRow) -> Iterator[CheckResult]:
    """Refuses pay and leave if the calendar has other periods in Xero than in QicWorks. That it has moved on to a later
    one of the same periods is not a difference."""
    kind, known, id = row.calendar_type, row.calendar_start, row.calendar_xero_id
    assert id, "a document that was checked has a calendar"
    assert kind, "and so the type of it"
    assert known, "and a day on which one of its periods begins"
    now = calendars.of(id)
    if now and now.start and now.kind == kind and next(touched(kind, known, now.start, now.start))[0] == now.start:
        return
    yield CheckResult(
        f"its payroll calendar is {kind} from {known} in QicWorks, and in Xero it "
        + (f"is {now.kind} from {now.start}" if now else "cannot be found or read"),
        "Pull pay codes ({pull_pay_codes}), which include the payroll calendars. Compare the pay period with Xero's.",
        "retry",
    )
