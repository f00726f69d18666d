"""Days and numbers as Payroll AU takes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from xero_sandbox.wire import read_instant, read_ms_date

YEARS = range(1900, 2101)
FOUR_PLACES = Decimal("0.0001")


def read_day(value: object) -> date:
    """The day of a `/Date(…)/`, of YYYY-MM-DD or of an ISO time. ValueError for anything else."""
    try:
        milliseconds = read_ms_date(value)
        if milliseconds is None:
            milliseconds = read_instant(str(value))
        day = datetime.fromtimestamp(milliseconds / 1000, UTC).date()
        if day.year in YEARS:
            return day
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError(f"Could not convert string to DateTime: {value}")


def four_places(value: object) -> int | Decimal:
    """A number, with what is behind its fourth decimal rounded away. ValueError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        number = Decimal(str(value))
        fine = number.as_tuple().exponent
        if not isinstance(fine, int) or isinstance(value, bool):
            raise ValueError(f"{value} is not a number")
        return number if fine >= -4 else number.quantize(FOUR_PLACES, ROUND_HALF_UP)
    except InvalidOperation as error:
        raise ValueError(f"{value} is not a number") from error
