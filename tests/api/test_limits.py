"""What the headers of an answer say about limits."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from xero.api import limits
from xero.api.errors import Limit


@pytest.mark.parametrize(
    ("said", "pause", "meant"),
    [
        ("minute", 12, "minute"), ("Minute", None, "minute"), ("day", 66975, "day"), ("Daily limit", None, "day"),
        ("appminute", 3, "app"), ("AppMinLimit", 3, "app"), ("concurrent", None, "concurrent"),
        ("Concurrency", None, "concurrent"), ("", 66975, "day"), ("", 30, "minute"), ("?", None, "minute"),
        ("", 3600, "minute"), ("", 3600.001, "day"), ("minute", 7200, "minute"), ("day", None, "day"),
        ("day", 30, "day"), ("appminute", 7200, "app"), ("concurrent", 7200, "concurrent"),
    ],
)  # fmt: skip
def test_the_limit_that_a_429_means(said: str, pause: float | None, meant: str) -> None:
    assert limits.limit_of({"X-Rate-Limit-Problem": said}, pause) == meant


NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("66975", 66975.0), (" 12 ", 12.0), ("0", 0.0), ("1.5", 1.5), ("Wed, 21 Oct 2026 07:28:20 GMT", 20.0),
     ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0), ("", None), ("soon", None), ("-5", None), ("nan", None)],
)  # fmt: skip
def test_retry_after_in_seconds_or_as_a_date(said: str, seconds: float | None) -> None:
    assert limits.retry_after({"Retry-After": said}, NOW) == seconds


def test_a_date_is_read_against_the_servers_own_clock() -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert limits.retry_after(headers) == 20.0
    for date in ({}, {"Date": "soon"}):  # by ours, where it tells none
        assert limits.retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT", **date}) == 0.0
        assert limits.retry_after({"Retry-After": "Fri, 31 Dec 9999 07:28:20 GMT", **date}) == limits.LONGEST_WAIT


def test_what_remains_of_the_day() -> None:
    assert limits.day_remaining({"X-DayLimit-Remaining": " 4999 "}) == 4999
    assert limits.day_remaining({"X-DayLimit-Remaining": "0"}) == 0
    for odd in ("-", "-1", "4999.5", "many", "", "9" * 10, "٣"):
        assert limits.day_remaining({"X-DayLimit-Remaining": odd}) is None
    assert limits.day_remaining({}) is None


@pytest.mark.parametrize(("pause", "meant"), [(3600, "minute"), (3600.5, "day"), (3601, "day")])
def test_a_wait_of_more_than_an_hour_is_the_day_s(pause: float, meant: str) -> None:
    assert limits.limit_of({}, pause) == meant


def test_how_long_to_keep_off_where_xero_says_nothing() -> None:
    """The window that the limit has; after an outage five minutes."""
    assert limits.DEFAULT_WAIT == {"minute": 60, "app": 60, "day": 3600, "concurrent": 1, "outage": 300}
    assert 0 < limits.ROUNDING < 1, "never early, and less than a second late"


@pytest.fixture
def brisbane(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's clock is ten hours ahead."""
    monkeypatch.setenv("TZ", "Australia/Brisbane")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("brisbane")
@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_a_date_of_http_is_utc_whatever_its_zone_is_called(zone: str) -> None:
    moment = limits.http_date(f"Wed, 21 Oct 2026 07:28:00 {zone}")
    assert moment == NOW
    assert moment.tzinfo is UTC
    elsewhere = limits.http_date("Wed, 21 Oct 2026 17:28:00 +1000")
    assert elsewhere == NOW
    assert elsewhere.tzinfo is UTC


def test_calls_that_nobody_counts_are_let_through() -> None:
    with limits.NoLimiter().permit(None, max_wait=0) as permit:
        permit.settle({}, None, None)


def test_no_wait_is_longer_than_a_day() -> None:
    for said, seconds in (
        ("86400", 86_400),
        ("86401", 86_400),
        ("9" * 30, 86_400),
        ("9" * 31, None),
        ("86399.5", 86_399.5),
    ):
        assert limits.retry_after({"Retry-After": said}, NOW) == seconds
    for said, seconds in (("Thu, 22 Oct 2026 07:28:00 GMT", 86_400), ("Fri, 23 Oct 2026 07:28:00 GMT", 86_400)):
        assert limits.retry_after({"Retry-After": said}, NOW) == seconds


@pytest.mark.parametrize("said", ["", "soon", "Wed, 99 Oct 2026 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "0"])
def test_what_is_no_date_names_no_moment(said: str) -> None:
    assert limits.http_date(said) is None


ODD = some.one_of(
    some.text(max_size=4),
    some.integers(-(10**12), 10**12).map(str),
    some.sampled_from(["Wed,", "Oct", "21", "2026", "9999", "07:28:00", ":", ",", "-", "GMT", "+1000", "-2359"]),
)


@given(words=some.lists(ODD, max_size=7), joined=some.sampled_from([" ", "", ", "]))
def test_whatever_stands_in_a_header_it_is_a_moment_or_none(words: list[str], joined: str) -> None:
    said = joined.join(words)
    moment = limits.http_date(said)
    assert moment is None or moment.tzinfo is UTC
    pause = limits.retry_after({"Retry-After": said, "Date": said})
    assert pause is None or 0 <= pause <= limits.LONGEST_WAIT


@pytest.mark.parametrize("limit", ["minute", "app", "concurrent", "outage"])
def test_one_odd_answer_does_not_close_all_for_more_than_an_hour(limit: Limit) -> None:
    """The limit of a day alone is believed for longer."""
    for said, kept in ((None, None), (0, 0), (3_599, 3_599), (3_600, 3_600), (3_600.5, 3_600), (86_400, 3_600)):
        assert limits.bounded(said, limit) == kept
        assert limits.bounded(said, "day") == said
