"""The pay periods of a calendar: consecutive, before and after the current one."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

#: By the calendar's type: a period's days, or its months; and how many there are in a year.
DAYS = {"WEEKLY": 7, "FORTNIGHTLY": 14, "FOURWEEKLY": 28}
MONTHS = {"MONTHLY": 1, "QUARTERLY": 3}
A_YEAR = {"WEEKLY": 52, "FORTNIGHTLY": 26, "FOURWEEKLY": 13, "TWICEMONTHLY": 24, "MONTHLY": 12, "QUARTERLY": 4}
HALF_MONTH = 15


class Period(NamedTuple):
    start: date
    end: date


def period(calendar_type: str, anchor: date, number: int = 0) -> Period:
    """The period `number` after the one that begins at the anchor; ValueError for a type that Xero does not have."""
    if calendar_type not in A_YEAR:
        raise ValueError(f"no periods are known for {calendar_type}")
    return Period(_start(calendar_type, anchor, number), _start(calendar_type, anchor, number + 1) - timedelta(1))


def spanned(calendar_type: str, anchor: date, first: date, last: date) -> list[Period]:
    """The periods that have any of these days."""
    number = (first - anchor).days * A_YEAR[calendar_type] // 365
    while period(calendar_type, anchor, number).start > first:
        number -= 1
    while period(calendar_type, anchor, number).end < first:
        number += 1
    found = [period(calendar_type, anchor, number)]
    while found[-1].end < last:
        number += 1
        found.append(period(calendar_type, anchor, number))
    return found


def _start(calendar_type: str, anchor: date, number: int) -> date:
    if calendar_type in DAYS:
        return anchor + timedelta(DAYS[calendar_type] * number)
    if calendar_type in MONTHS:
        return _in_month(anchor, MONTHS[calendar_type] * number, anchor.day)
    late = anchor.day > HALF_MONTH
    months, second = divmod(number + late, 2)
    return _in_month(anchor, months, anchor.day + HALF_MONTH * (second - late))


def _in_month(anchor: date, months: int, day: int) -> date:
    """That day so many months on, or the month's last when it has no such day."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))
