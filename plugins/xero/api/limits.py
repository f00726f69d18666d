"""What Xero says about its limits, and the port through which a client asks whether it may send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, cast

from xero.api.errors import Limit

# Without a Retry-After; Xero sends one for the minute and the day.
DEFAULT_WAIT: dict[Limit, float] = {"minute": 60.0, "app": 60.0, "day": 3600.0, "concurrent": 1.0, "outage": 300.0}
LONGEST_WAIT = 86_400.0
LONGEST_PAUSE = 3_600.0  # for what is a limit of a minute or less: one odd answer must not close all for a day
# Retry-After is in whole seconds, perhaps rounded down.
ROUNDING = 0.5


class Permit(Protocol):
    """The right to one call, held while it is in flight."""

    def settle(self, headers: Mapping[str, str], retry_after: float | None, problem: Limit | None) -> None:
        """The answer has come. `problem` is the limit that a 429 named, `retry_after` the seconds to keep off for."""


class Limiter(Protocol):
    """Hands out permits, so that all who share it together stay within Xero's limits."""

    def permit(self, tenant_id: str | None, *, max_wait: float) -> AbstractContextManager[Permit]:
        """Waits until one call may be sent. Raises RetryLater if that takes more than `max_wait` seconds."""


class NoLimiter:
    """Lets every call through at once: for calls that Xero does not count per organisation, and for tests."""

    @contextmanager
    def permit(self, tenant_id: str | None, *, max_wait: float) -> Iterator[Permit]:
        yield self

    def settle(self, headers: Mapping[str, str], retry_after: float | None, problem: Limit | None) -> None:
        """Nothing is counted."""


def problem(headers: Mapping[str, str], retry_after: float | None) -> Limit:
    """Which limit a 429 means. The spellings of X-Rate-Limit-Problem are not all known: matched by substring."""
    said = headers.get("X-Rate-Limit-Problem", "").lower()
    for word, limit in (("app", "app"), ("concurr", "concurrent"), ("day", "day"), ("dai", "day"), ("min", "minute")):
        if word in said:
            return cast(Limit, limit)
    return "day" if retry_after is not None and retry_after > 3600 else "minute"


def bounded(pause: float | None, problem: Limit) -> float | None:
    """The seconds to keep off for, as far as such a limit can go; who means it says so again after an hour."""
    return pause if pause is None or problem == "day" else min(pause, LONGEST_PAUSE)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Retry-After in seconds, from a number or from an HTTP date (against the server's own Date); None without one.

    No limit of Xero's lasts longer than a day: what is longer is taken for a day."""
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,30}(\.[0-9]{1,30})?", said):
        return min(float(said), LONGEST_WAIT)
    moment = http_date(said)
    if moment is None:
        return None
    now = now or http_date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_WAIT)


def day_remaining(headers: Mapping[str, str]) -> int | None:
    """The calls left today for this organisation, where the answer says so."""
    said = headers.get("X-DayLimit-Remaining", "").strip()
    return int(said) if re.fullmatch(r"[0-9]{1,9}", said) else None


def http_date(said: str) -> datetime | None:
    """The moment an HTTP header names, aware and UTC; None when it names none."""
    try:
        moment = parsedate_to_datetime(said)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: what the standard library lets through of odd dates
        return None
