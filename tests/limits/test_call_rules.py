"""How a process waits for the right to a call, and what it writes down of the answer; the clock is the test's own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from xero.api.errors import RetryLater
from xero.api.settings import XeroApp
from xero.qicworks import database
from xero.qicworks.runs import call_budget
from xero.qicworks.runs.call_budget import DatabaseLimiter

APP = XeroApp("the-app", "secret", minute_limit=60, minute_seconds=60.0, concurrent_limit=5, app_limit=9, day_limit=7)
GRANTED = {"slot": 1, "entry": 2, "stamp": "now", "wait": None, "closed": None, "put_back": None}


def wait(seconds: float, closed: str = "minute") -> dict[str, Any]:
    return {"slot": None, "entry": None, "stamp": None, "wait": seconds, "closed": closed, "put_back": None}


class Statements:
    """Grants in this order, and what was settled."""

    def __init__(self, *grants: Any) -> None:
        self.grants = list(grants)
        self.asked: list[dict[str, Any]] = []
        self.settled: list[dict[str, Any]] = []

    def grant_call(self, raw: Any, **how: Any) -> Any:
        self.asked.append(how)
        return self.grants.pop(0)

    def settle_call(self, raw: Any, **how: Any) -> None:
        self.settled.append(how)


class Clock:
    def __init__(self) -> None:
        self.now = 500.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Pool:
    """An engine of one connection, which counts how often it was thrown away."""

    def __init__(self) -> None:
        self.connection: Any = self
        self.driver_connection = "raw"
        self.invalidated = 0
        self.options: dict[str, Any] = {}

    @contextmanager
    def connect(self) -> Iterator["Pool"]:
        yield self

    def execution_options(self, **options: Any) -> None:
        self.options = options

    def invalidate(self) -> None:
        self.invalidated += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def limiter(pool: Any, clock: Clock) -> DatabaseLimiter:
    return DatabaseLimiter(pool, APP, sleep=clock.sleep, clock=lambda: clock.now)


def says(monkeypatch: pytest.MonkeyPatch, *grants: Any) -> Statements:
    statements = Statements(*grants)
    monkeypatch.setattr(call_budget, "QUERIES", statements)
    return statements


def test_what_is_asked_and_written_down(limiter: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    said = says(monkeypatch, GRANTED, tuple(GRANTED.values()))
    with limiter.permit("t", max_wait=0) as permit:
        permit.settle({"X-DayLimit-Remaining": "99"}, None, None)
    with limiter.permit(None, max_wait=0):
        pass  # no answer came
    asked = {
        "app": "the-app", "minute_limit": 60, "seconds": 60.0, "concurrent_limit": 5, "app_limit": 9, "manual": False,
    }  # fmt: skip
    assert said.asked == [{**asked, "tenant": "t"}, {**asked, "tenant": "none"}]
    settled = {"app": "the-app", "slot": 1, "entry": 2, "stamp": "now", "day_limit": 7, "problem": None, "pause": None}
    assert said.settled == [
        {**settled, "tenant": "t", "day_remaining": 99},
        {**settled, "tenant": "none", "day_remaining": None},
    ]
    assert (pool.options, pool.invalidated) == ({"isolation_level": "AUTOCOMMIT"}, 0)


def test_a_manual_run_says_so(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = says(monkeypatch, GRANTED)
    with DatabaseLimiter(pool, APP, manual=True).permit("t", max_wait=0):
        pass
    assert said.asked[0]["manual"] is True


@pytest.mark.parametrize(
    ("problem", "retry_after", "pause"),
    [("minute", None, 60.5), ("minute", 3.0, 3.5), ("day", 0.0, 0.5), ("concurrent", None, 1.5), (None, 9.0, None)],
)
def test_a_429_keeps_everybody_off_for_what_it_says_and_half_a_second_more(
    limiter: Any, monkeypatch: pytest.MonkeyPatch, problem: Any, retry_after: float | None, pause: float | None
) -> None:
    said = says(monkeypatch, GRANTED)
    with limiter.permit("t", max_wait=0) as permit:
        permit.settle({}, retry_after, problem)
    assert (said.settled[0]["problem"], said.settled[0]["pause"]) == (problem, pause)


def test_it_asks_again_after_each_wait_as_long_as_its_patience_lasts(
    limiter: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, wait(2.0), wait(8.0), GRANTED)
    with limiter.permit("t", max_wait=10.0):
        pass
    assert clock.slept == [2.0, 8.0]
    says(monkeypatch, wait(2.0), wait(8.1))
    with pytest.raises(RetryLater) as raised, limiter.permit("t", max_wait=10.0):
        pytest.fail("nothing was granted")
    assert (raised.value.seconds, raised.value.limit, clock.slept[2:]) == (8.1, "minute", [2.0])


def test_where_no_place_in_flight_gets_free_it_stays_away_for_a_minute(
    limiter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = says(monkeypatch, wait(0.2, "concurrent"))
    with pytest.raises(RetryLater) as raised, limiter.permit("t", max_wait=0.1):
        pytest.fail("nothing was granted")
    assert (raised.value.seconds, raised.value.limit) == (60, "concurrent")
    assert said.settled == [], "nothing was sent"


def test_only_a_long_wait_is_worth_a_line_of_the_log(
    limiter: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "xero.limits")
    says(monkeypatch, wait(4.9), wait(5.0, "day"), GRANTED)
    with limiter.permit("t", max_wait=100.0):
        pass
    assert [record.getMessage() for record in caplog.records] == ["Xero's limit (day) is used up: waiting 5 s"]


def test_a_clock_of_the_database_that_was_put_back_is_told(
    limiter: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    says(monkeypatch, {**GRANTED, "put_back": 90.4}, {**GRANTED, "put_back": None})
    for _ in range(2):
        with limiter.permit("t", max_wait=0):
            pass
    assert [record.getMessage() for record in caplog.records] == [
        "the database's clock was put back 90 s or more: earlier calls move with it"
    ]


@pytest.mark.parametrize("raised", [KeyboardInterrupt, ValueError])
def test_a_connection_on_which_a_statement_failed_holds_no_slot_in_the_pool(
    limiter: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    said = says(monkeypatch, GRANTED)
    said.settle_call = fail  # type: ignore[method-assign]
    with pytest.raises(raised), limiter.permit("t", max_wait=0):
        pass
    assert pool.invalidated == 1
    said.grant_call = fail  # type: ignore[method-assign]
    with pytest.raises(raised), limiter.permit("t", max_wait=0):
        pass
    assert pool.invalidated == 2


def test_a_refusal_and_a_call_that_failed_throw_no_connection_away(
    limiter: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = says(monkeypatch, wait(1.0), GRANTED)
    with pytest.raises(RetryLater), limiter.permit("t", max_wait=0):
        pass
    with pytest.raises(ValueError, match="of the call"), limiter.permit("t", max_wait=0):
        raise ValueError("of the call")
    assert (len(said.settled), pool.invalidated) == (1, 0)


def test_a_thread_with_a_session_of_its_own_needs_no_other_connection(engine: Engine) -> None:
    def slots(session: database.Session) -> int:
        [found] = session.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        return int(found["count"])

    limiter = DatabaseLimiter(engine, replace(APP, app_limit=1000))
    with database.session(engine) as session:
        with limiter.permit("t", max_wait=0):
            assert slots(session) == 1
            assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert slots(session) == 0
    with limiter.permit("t", max_wait=0):
        assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
