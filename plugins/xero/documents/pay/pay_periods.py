"""The pay periods of a payroll calendar, and how the hours of leave are shared among those that it touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from dateutil.relativedelta import relativedelta

#: By the calendar's type, the days of a period, or its months; half a month counts by itself.
LENGTHS: dict[str, timedelta | int | None] = {
    "WEEKLY": timedelta(7),
    "FORTNIGHTLY": timedelta(14),
    "FOURWEEKLY": timedelta(28),
    "MONTHLY": 1,
    "QUARTERLY": 3,
    "TWICEMONTHLY": None,
}
DAY = timedelta(1)
FRIDAY = 4
HALF = 15  # days between the two periods of a month
FOUR_PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class Share:
    """A pay period, first and last day, and the units of a leave that fall into it."""

    start: date
    end: date
    units: Decimal


def beginning(kind: str, known: date, number: int) -> date:
    """The first day of the period `number` after, or before, the one that begins on the `known` day; the last day that
    there is where no calendar goes so far."""
    try:
        return _beginning(kind, known, number)
    except (OverflowError, ValueError):
        return date.max if number > 0 else date.min


def _beginning(kind: str, known: date, number: int) -> date:
    length = LENGTHS[kind]
    if isinstance(length, timedelta):
        return known + length * number
    if isinstance(length, int):
        later: date = known + relativedelta(months=length * number)
        return later
    second = known.day > HALF
    months, half = divmod(number + second, 2)
    first_day = known.day - HALF if second else known.day
    beginning: date = known + relativedelta(months=months, day=first_day + HALF * half)
    return beginning


def touched(kind: str, known: date, first: date, last: date) -> Iterator[tuple[date, date]]:
    """The periods, first and last day, that any day from `first` to `last` falls into."""
    days = {"WEEKLY": 7, "FORTNIGHTLY": 14, "FOURWEEKLY": 28, "MONTHLY": 31, "QUARTERLY": 93, "TWICEMONTHLY": 17}[kind]
    number = (first - known).days // days
    while beginning(kind, known, number) > first:
        number -= 1
    while beginning(kind, known, number + 1) <= first:
        number += 1
    while (start := beginning(kind, known, number)) <= last and start < date.max:
        number += 1
        yield start, beginning(kind, known, number) - DAY


def shared(kind: str, known: date, first: date, last: date, units: Decimal) -> list[Share]:
    """Each period's share is that of its weekdays, of all its days where the leave has no weekday. To four decimals,
    and together exactly `units`."""
    every_day = not _days(first, last, every_day=False)
    total = _days(first, last, every_day)
    shares: list[Share] = []
    days, given = 0, Decimal(0)
    for start, end in touched(kind, known, first, last):
        days += _days(max(start, first), min(end, last), every_day)
        # Rounded as they add up: no share is below zero, and the last one makes up the rest.
        up_to_here = (units * days / total).quantize(FOUR_PLACES, ROUND_HALF_UP) if days < total else units
        shares.append(Share(start, end, up_to_here - given))
        given = up_to_here
    return shares


def _days(first: date, last: date, every_day: bool) -> int:
    """The weekdays, or all days, from the first to the last."""
    count = (last - first).days + 1
    if every_day:
        return count
    weeks, rest = divmod(count, 7)
    return weeks * 5 + sum((first + DAY * n).weekday() <= FRIDAY for n in range(rest))
