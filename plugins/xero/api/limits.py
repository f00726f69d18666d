"""Xero's limit headers, and the interface through which a client asks whether it may send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, cast

from xero.api.errors import Limit

# Seconds to wait if there is no Retry-After; Xero sends one for the minute and the day.
DEFAULT_WAIT: dict[Limit, float] = {"minute": 60.0, "app": 60.0, "day": 3600.0, "concurrent": 1.0, "outage": 300.0}
LONGEST_WAIT = 86_400.0
LONGEST_PAUSE = 3_600.0  # seconds, for all limits but the day's: one wrong response must not stop calls for a day
# Retry-After is in whole seconds, perhaps rounded down.
ROUNDING = 0.5


class Permit(Protocol):
    """The right to one call, held while it is in flight."""

    def settle(self, headers: Mapping[str, str], retry_after: float | None, problem: Limit | None) -> None:
        """Reports the response. `problem` is the limit that a 429 named, `retry_after` the seconds to wait."""


class Limiter(Protocol):
    """Hands out permits, so that all who share it together stay within Xero's limits."""

    def permit(self, tenant_id: str | None, *, max_wait: float) -> AbstractContextManager[Permit]:
        """Waits until one call may be sent. Raises RetryLater if that takes more than `max_wait` seconds."""


class NoLimiter:
    """Permits every call immediately: for calls that Xero does not count per organisation, and for tests."""

    @contextmanager
    def permit(self, tenant_id: str | None, *, max_wait: float) -> Iterator[Permit]:
        yield self

    def settle(self, headers: Mapping[str, str], retry_after: float | None, problem: Limit | None) -> None:
        """Nothing is counted."""


def limit_of(headers: Mapping[str, str], retry_after: float | None) -> Limit:
    """Returns the limit that a 429 reports. Matched by substring: not all spellings of the header are known."""
    said = headers.get("X-Rate-Limit-Problem", "").lower()
    for word, limit in (("app", "app"), ("concurr", "concurrent"), ("day", "day"), ("dai", "day"), ("min", "minute")):
        if word in said:
            return cast(Limit, limit)
    return "day" if retry_after is not None and retry_after > 3600 else "minute"


def bounded(pause: float | None, problem: Limit) -> float | None:
    """Returns the seconds to wait. Caps Retry-After at an hour, except for the day limit."""
    return pause if pause is None or problem == "day" else min(pause, LONGEST_PAUSE)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Returns Retry-After in seconds, from a number or an HTTP date (compared with the server's own Date), or None.

    Caps it at a day: no limit of Xero's lasts longer."""
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,30}(\.[0-9]{1,30})?", said):
        return min(float(said), LONGEST_WAIT)
    moment = http_date(said)
    if moment is None:
        return None
    now = now or http_date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_WAIT)


def day_remaining(headers: Mapping[str, str]) -> int | None:
    """Returns the calls left today for this organisation, or None if the response does not report it."""
    said = headers.get("X-DayLimit-Remaining", "").strip()
    return int(said) if re.fullmatch(r"[0-9]{1,9}", said) else None


def http_date(said: str) -> datetime | None:
    """Parses an HTTP date as an aware UTC time. Returns None if it is not one."""
    try:
        moment = parsedate_to_datetime(said)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the standard library does not reject all odd dates
        return None
