"""What the headers of an answer say about limits."""

from datetime import UTC, datetime

import pytest

from xero.api import limits


@pytest.mark.parametrize(
    ("said", "pause", "meant"),
    [
        ("minute", 12, "minute"), ("Minute", None, "minute"), ("day", 66975, "day"), ("Daily limit", None, "day"),
        ("appminute", 3, "app"), ("AppMinLimit", 3, "app"), ("concurrent", None, "concurrent"),
        ("Concurrency", None, "concurrent"), ("", 66975, "day"), ("", 30, "minute"), ("?", None, "minute"),
        ("", 3600, "minute"), ("", 3600.001, "day"),
    ],
)  # fmt: skip
def test_the_limit_that_a_429_means(said: str, pause: float | None, meant: str) -> None:
    assert limits.problem({"X-Rate-Limit-Problem": said}, pause) == meant


NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("66975", 66975.0), ("0", 0.0), ("1.5", 1.5), ("Wed, 21 Oct 2026 07:28:20 GMT", 20.0),
     ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0), ("", None), ("soon", None), ("-5", None), ("nan", None)],
)  # fmt: skip
def test_retry_after_in_seconds_or_as_a_date(said: str, seconds: float | None) -> None:
    assert limits.retry_after({"Retry-After": said}, NOW) == seconds


def test_a_date_is_read_against_the_servers_own_clock() -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert limits.retry_after(headers) == 20.0


def test_what_remains_of_the_day() -> None:
    assert limits.day_remaining({"X-DayLimit-Remaining": "4999"}) == 4999
    assert limits.day_remaining({"X-DayLimit-Remaining": "-"}) is None
    assert limits.day_remaining({}) is None
