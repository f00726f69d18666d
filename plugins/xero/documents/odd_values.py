"""Values that PostgreSQL stores and no document can have: dates outside of 1900 to 2199, numbers such as NaN."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from xero.documents.declaration import AnyDocument, Check, CheckResult

#: Days outside of these are typing errors; Xero takes none of them.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
#: Columns that are not sent, or only compared: an odd value in them changes nothing of what Xero gets.
NOT_SENT = frozenset(
    {"created_at", "updated_at", "pushed_at", "approved_at", "period_approved_at", "period_lock_date",
     "end_of_year_lock_date", "paid_to_date", "credited", "balance", "fully_paid_on", "balance_at_request"}
)  # fmt: skip


class OutOfRange(str):
    """A value that PostgreSQL stores and Python cannot, such as the date 20261-10-05, as PostgreSQL writes it."""


class OddInstant(datetime):
    """An instant that PostgreSQL stores and Python cannot, such as infinity: Python's last or first one, so it can be
    compared. `said`: as PostgreSQL writes it."""

    said: str

    @classmethod
    def of(cls, said: str) -> OddInstant:
        end = datetime.min if said.startswith("-") or said.endswith("BC") else datetime.max  # noqa: DTZ901
        made = cls.combine(end.date(), end.time(), UTC)
        made.said = said
        return made


def run_checks(checks: tuple[Check, ...], document: AnyDocument) -> list[CheckResult]:
    """Runs the checks. If a value is out of range they are not run: they could not calculate with it."""
    return [*odd(document)] or [finding for check in checks for finding in check(document)]


def odd(document: AnyDocument) -> Iterator[CheckResult]:
    """The odd values of a document and its lines, each with its column."""
    yield from _odd(document.row)
    for place, line in enumerate(document.lines, 1):
        for finding in _odd(line):
            yield replace(finding, says=f"line {getattr(line, 'line_number', place)}: {finding.says}")


def _odd(row: Any) -> Iterator[CheckResult]:
    for column in fields(row):
        value = getattr(row, column.name)
        if column.name not in NOT_SENT and (why := _why(value)):
            name = column.name.replace("_", " ")
            yield CheckResult(f"its {name} is {value}, {why}", f"Correct the {name} of the {{document}}.", "release")


def _why(value: object) -> str | None:
    if isinstance(value, Decimal):
        return None if value.is_finite() else "which is not a number"
    if isinstance(value, OutOfRange):
        return f"which is not a date from {FIRST_DAY.year} to {LAST_DAY.year}"
    if isinstance(value, date) and not isinstance(value, datetime) and not FIRST_DAY <= value <= LAST_DAY:
        return f"which is not a date from {FIRST_DAY.year} to {LAST_DAY.year}"
    return None
