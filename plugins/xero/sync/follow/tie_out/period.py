"""The period of a tie-out: a month, or the days from one to another."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime

from xero.qicworks.texts import fit, on_a_line
from xero.sync.runs import schedule

MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII)
LONGEST_SHOWN = 40  # characters of a period that cannot be read


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included. As a text: 2026-11, or 2026-11-01..2026-11-15."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Period:
        """Raises ValueError, which says how a period is written."""
        try:
            if month := MONTH.fullmatch(text.strip()):
                return cls.month_of(date(int(month[1]), int(month[2]), 1))
            if days := DAYS.fullmatch(text.strip()):
                first, last = (date.fromisoformat(day) for day in days.groups())
                if first <= last:
                    return cls(first, last)
        except ValueError:
            pass  # no such day: said below
        shown = fit(on_a_line(text), LONGEST_SHOWN)
        raise ValueError(f"'{shown}' is not a period: write a month (2026-11), or days (2026-11-01..2026-11-15)")

    @classmethod
    def month_of(cls, day: date) -> Period:
        return cls(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))

    @classmethod
    def current(cls, time_zone: str | None, now: datetime | None = None) -> Period:
        """The month that it is in that time zone."""
        return cls.month_of((now or datetime.now(UTC)).astimezone(schedule.zone(time_zone)).date())

    def __str__(self) -> str:
        if self == Period.month_of(self.first):
            return f"{self.first:%Y-%m}"
        return f"{self.first.isoformat()}..{self.last.isoformat()}"
