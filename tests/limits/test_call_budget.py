"""Xero's limits, shared: never a 429 of our own making, hardly a call unused, and one that comes is obeyed by all."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from tests.support.callers import Callers, Sandbox
from tests.support.database_clock import DatabaseClock
from tests.support.waiting import until
from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable, RetryLater, XeroError
from xero.api.settings import XeroApp
from xero.qicworks import database
from xero.qicworks.runs.call_budget import CROWDED_WAIT_SECONDS, DatabaseLimiter

TAX = "/api.xro/2.0/TrackingCategories"
INSTANT = 0.000001  # seconds, the least that PostgreSQL tells apart
Make = Callable[..., XeroClient]
Limiting = Callable[..., DatabaseLimiter]


def limited(**limits: Any) -> XeroApp:
    return XeroApp("the-app", "secret", **{"minute_limit": 1000, "minute_seconds": 6.0, **limits})


@pytest.fixture
def limiter(engine: Engine, database_clock: DatabaseClock) -> Limiting:
    """A limiter of these limits, by a clock that moves only while it waits, and when the test moves it."""

    def make(*, manual: bool = False, engine: Engine = engine, **limits: Any) -> DatabaseLimiter:
        how = {"sleep": database_clock.advance, "clock": database_clock.monotonic}
        return DatabaseLimiter(engine, limited(**limits), manual=manual, **how)

    return make


def call(limiter: DatabaseLimiter, tenant: str = "t", max_wait: float = 0.0, **answer: Any) -> None:
    """One call whose answer is given: remaining, retry_after, problem."""
    with limiter.permit(tenant, max_wait=max_wait) as permit:
        headers = {"X-DayLimit-Remaining": str(answer["remaining"])} if "remaining" in answer else {}
        permit.settle(headers, answer.get("retry_after"), answer.get("problem"))


def refused(limiter: DatabaseLimiter, tenant: str = "t", max_wait: float = 0.0) -> RetryLater:
    """The refusal of a call."""
    with pytest.raises(RetryLater) as raised:
        call(limiter, tenant, max_wait)
    return raised.value


def budget(engine: Engine, tenant: str = "t") -> dict[str, Any]:
    """The row of an organisation, or ("") of the app."""
    statement = """
        SELECT calls[1] AS first, next_at, not_before, closed_by FROM xero_sync.call_budget WHERE tenant_id = %(tenant)s
    """
    with engine.connect() as connection:
        return dict(connection.exec_driver_sql(statement, {"tenant": tenant}).mappings().one())


def locks(database_url: str, *, granted: bool) -> int:
    """Session locks of this database that somebody holds, or waits for."""
    with psycopg.connect(database_url) as session:
        row = session.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = %s AND granted = %s AND pid IN"
            " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())",
            ("advisory" if granted else "transactionid", granted),
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_four_processes_at_the_limit_see_no_429(
    sandbox: Sandbox, database_url: str, token_id: str, callers: Callable[..., Callers], window: str
) -> None:
    """How much of the limit they use is measured by `make bench BENCH=limits`."""
    limits = {"minute_limit": 20, "minute_seconds": 2.0}
    sandbox.control("PATCH", "settings", {"window": window, "latency_ms": [0, 100], **limits})
    group = callers(
        4, "calls", app=sandbox.app(**limits), database_url=database_url, token_id=token_id,
        tenant=sandbox.tenants[0], count=11, threads=2,
    )  # fmt: skip
    group.go()
    made = sum(result["calls"] for result in group.results())
    stats = sandbox.control("GET", "stats")
    assert stats["refused"] == {}
    assert max(stats["max_in_flight"].values()) <= 5
    assert made == len(sandbox.arrivals("/TrackingCategories")) == 44


def test_the_parallel_test_would_see_a_429(sandbox: Sandbox, client: Make) -> None:
    """The guard above can fail: a client that believes in a larger limit is refused."""
    sandbox.control("PATCH", "settings", {"minute_limit": 5, "minute_seconds": 86_400})
    eager = client(minute_limit=50, minute_seconds=1.0)
    for _ in range(5):
        eager.get(TAX)
    with pytest.raises(RetryLater) as raised:
        eager.get(TAX)
    assert raised.value.limit == "minute"
    assert sandbox.control("GET", "stats")["refused"] == {"minute": 1}
    assert eager.calls == 6


def test_a_place_is_free_a_window_after_the_answer_and_not_after_the_grant(
    limiter: Limiting, database_clock: DatabaseClock
) -> None:
    """And a twentieth of a second later: Xero's clock may be a little slower."""
    one = limiter(minute_limit=1, minute_seconds=1.0)
    with one.permit("t", max_wait=0):
        database_clock.advance(0.3)
    assert (refused(one).limit, refused(one).seconds) == ("minute", 1.05)
    database_clock.advance(1.05 - INSTANT)
    assert refused(one).seconds == INSTANT
    database_clock.advance(INSTANT)
    call(one)


def test_a_call_that_never_ended_counts_as_answered_half_a_window_after_its_grant(
    limiter: Limiting, engine: Engine, database_clock: DatabaseClock
) -> None:
    one = limiter(minute_limit=1, minute_seconds=10.0)
    killed = one.permit("t", max_wait=0)
    killed.__enter__()
    assert refused(one).seconds == 15.05
    database_clock.advance(15.05)
    call(one)
    newer = budget(engine)["first"]
    database_clock.advance(1)
    killed.__exit__(None, None, None)
    assert budget(engine)["first"] == newer, "the place is another call's by now"


def test_who_waits_goes_on_as_soon_as_it_may(limiter: Limiting, database_clock: DatabaseClock) -> None:
    one = limiter(minute_limit=1, minute_seconds=1.95)
    call(one)
    before = database_clock.at
    assert refused(one, max_wait=1.75).seconds == 2.0
    assert database_clock.at == before, "who cannot wait so long is told at once"
    call(one, max_wait=2.0)
    assert database_clock.at - before == timedelta(seconds=2)


def test_a_smaller_limit_keeps_the_newest_calls(limiter: Limiting) -> None:
    for _ in range(3):
        call(limiter(minute_limit=10))
    assert refused(limiter(minute_limit=3)).limit == "minute"
    call(limiter(minute_limit=4))


def test_organisations_do_not_wait_for_each_other(limiter: Limiting) -> None:
    one = limiter(minute_limit=1)
    call(one, "one")
    assert refused(one, "one").limit == "minute"
    call(one, "another")


def test_five_in_flight_and_no_more_from_one_process(limiter: Limiting) -> None:
    one = limiter()
    with ExitStack() as held:
        for _ in range(5):
            held.enter_context(one.permit("t", max_wait=0))
        error = refused(one, max_wait=0.3)
        assert (error.limit, error.seconds) == ("concurrent", CROWDED_WAIT_SECONDS)
        call(one, "another")
    call(one)


def test_threads_of_one_process_queue_up(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited(concurrent_limit=2))
    two, counting, inside = threading.Barrier(2, timeout=60), threading.Lock(), [0]

    def one(_: int) -> int:
        with limiter.permit("t", max_wait=60):
            with counting:
                inside[0] += 1
                seen = inside[0]
            two.wait()
            with counting:
                inside[0] -= 1
        return seen

    with ThreadPoolExecutor(6) as pool:
        assert max(pool.map(one, range(18))) == 2


def test_kill_9_frees_its_places_in_flight(engine: Engine, database_url: str, callers: Callable[..., Callers]) -> None:
    app = limited()
    group = callers(5, "hold", app=app, database_url=database_url, tenant="t")
    group.go()
    assert [group.hear() for _ in range(5)] == ["holding"] * 5
    limiter = DatabaseLimiter(engine, app)
    assert refused(limiter).limit == "concurrent"
    group.kill()
    until(lambda: locks(database_url, granted=True) == 0)
    call(limiter)


def test_a_call_that_failed_gives_its_place_back(limiter: Limiting) -> None:
    one = limiter(concurrent_limit=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), one.permit("t", max_wait=0):
            1 / 0  # noqa: B018
    call(one)


@contextmanager
def ctrl_c(when: Callable[[], bool]) -> Iterator[None]:
    """The terminal's Ctrl-C, as soon as that is so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press() -> None:
        until(when)
        os.kill(os.getpid(), signal.SIGINT)

    hand = threading.Thread(target=press)
    hand.start()
    try:
        yield
    finally:
        hand.join()
        signal.signal(signal.SIGINT, before)


def test_an_interrupted_call_takes_no_lock_back_to_the_pool(engine: Engine, database_url: str) -> None:
    """Interrupted while it waits to note the answer, with its place in flight still locked."""
    app = limited(concurrent_limit=1)
    other_engine = database.engine(database_url)  # on the same connection the lock would be had a second time

    def interrupted(in_the_way: "psycopg.Connection[Any]") -> None:
        with (
            ctrl_c(lambda: locks(database_url, granted=False) == 1),
            DatabaseLimiter(engine, app).permit("t", max_wait=0),
        ):
            assert refused(DatabaseLimiter(other_engine, app)).limit == "concurrent"
            in_the_way.execute("SELECT FROM xero_sync.call_budget WHERE tenant_id = 't' FOR UPDATE")

    with psycopg.connect(database_url) as in_the_way:
        with pytest.raises(KeyboardInterrupt):
            interrupted(in_the_way)
        in_the_way.rollback()
    until(lambda: locks(database_url, granted=True) == 0)
    call(DatabaseLimiter(other_engine, app))
    other_engine.dispose()


@pytest.mark.parametrize(("app_limit", "at_once"), [(20, 1), (39, 1), (40, 2)])
def test_the_apps_limit_is_over_all_organisations(
    limiter: Limiting, engine: Engine, database_clock: DatabaseClock, app_limit: int, at_once: int
) -> None:
    """Spread evenly, at nine tenths of it, with a twentieth at once."""
    one = limiter(app_limit=app_limit, minute_seconds=3.6)
    spacing = timedelta(seconds=3.6 / 0.9 / app_limit)
    grants: list[datetime] = []
    for number in range(app_limit + 5):
        call(one, f"tenant-{number % 7}", max_wait=3)
        grants.append(database_clock.at)
        ahead = budget(engine, "")["next_at"] - database_clock.at
        assert abs(ahead - min(number + 1, at_once) * spacing) < timedelta(milliseconds=0.1)
    assert grants[at_once - 1] == grants[0]
    assert all(
        later - earlier > timedelta(seconds=3.6) for earlier, later in zip(grants, grants[app_limit:], strict=False)
    )
    refusal = refused(one)
    assert refusal.limit == "app"
    assert abs(refusal.seconds - spacing.total_seconds()) < 0.0001
    database_clock.advance(refusal.seconds - INSTANT)
    assert refused(one).limit == "app"
    database_clock.advance(INSTANT)
    call(one)


def test_a_429_keeps_every_process_off_and_is_never_broken_early(
    limiter: Limiting, engine: Engine, database_url: str, database_clock: DatabaseClock
) -> None:
    """Retry-After is in whole seconds, perhaps rounded down: half a second more."""
    other_engine = database.engine(database_url)
    one, other = limiter(), limiter(engine=other_engine)
    call(one, retry_after=1.0, problem="minute")
    assert budget(engine)["not_before"] - database_clock.at == timedelta(seconds=1.5)
    assert refused(other).seconds == 1.5
    call(other, "another tenant")
    database_clock.advance(1.5 - INSTANT)
    for any_process in (one, other):
        assert refused(any_process).limit == "minute"
    database_clock.advance(INSTANT)
    call(other)
    other_engine.dispose()


def test_a_429_of_the_app_keeps_every_organisation_off(limiter: Limiting, database_clock: DatabaseClock) -> None:
    one = limiter()
    call(one, "one", retry_after=30, problem="app")
    assert (refused(one, "another").limit, refused(one, "another").seconds) == ("app", 30.5)
    database_clock.advance(30.5)
    call(one, "another")


def test_a_shorter_wait_does_not_cut_a_longer_one(limiter: Limiting) -> None:
    one = limiter()
    with one.permit("t", max_wait=0) as early:
        call(one, retry_after=66975, problem="day")
        early.settle({}, 1, "concurrent")
    error = refused(one, max_wait=300)
    assert (error.limit, error.seconds) == ("day", 66975.5)


@pytest.mark.parametrize(
    ("problem", "seconds"), [("minute", 60.5), ("app", 60.5), ("day", 3600.5), ("concurrent", 1.5)]
)
def test_without_a_time_a_429_means_its_window(
    limiter: Limiting, engine: Engine, database_clock: DatabaseClock, problem: str, seconds: float
) -> None:
    one = limiter()
    call(one, problem=problem)
    closed = budget(engine, "" if problem == "app" else "t")
    assert (closed["closed_by"], closed["not_before"]) == (problem, database_clock.at + timedelta(seconds=seconds))
    assert refused(one).limit == problem


def test_the_last_tenth_of_a_day_is_for_manual_runs(limiter: Limiting) -> None:
    scheduled, manual = (limiter(manual=manual) for manual in (False, True))
    call(scheduled, remaining=501)
    call(
        scheduled, remaining=500
    )  # only the first answer told that the day has 5,000: a 1,000 never has more than 1,000
    call(scheduled, remaining=1001)
    call(scheduled, remaining=500)
    error = refused(scheduled, max_wait=300)
    assert (error.limit, error.seconds) == ("day", 3600)
    call(manual, remaining=499)
    call(scheduled, "another")


def test_a_small_day_is_told_by_its_numbers(limiter: Limiting) -> None:
    one = limiter()
    call(one, remaining=101)
    call(one, remaining=100)
    assert refused(one).limit == "day"


def test_a_known_day_limit_wins(limiter: Limiting) -> None:
    one = limiter(day_limit=50)
    call(one, remaining=6)
    call(one, remaining=5)
    assert refused(one).limit == "day"


def test_one_scheduled_call_an_hour_looks_for_the_new_day(limiter: Limiting, database_clock: DatabaseClock) -> None:
    one = limiter()
    call(one, remaining=50)
    database_clock.advance(3600 - INSTANT)
    assert (refused(one).limit, refused(one).seconds) == ("day", INSTANT)
    database_clock.advance(INSTANT)
    with one.permit("t", max_wait=0):
        assert (refused(one).limit, refused(one).seconds) == ("day", 3600)
    call(one, "t2")
    database_clock.advance(3600)
    call(one, remaining=1000)
    call(one)


@pytest.mark.parametrize("jump", [90, 86_400])
@pytest.mark.parametrize("first_ahead", [False, True])
@pytest.mark.parametrize(
    ("answers", "limit", "shortest", "longest"),
    [
        ([{}, {}], "minute", 6.05, 9.05),
        ([{"remaining": 4_000}, {"remaining": 3_999}], "minute", 6.05, 6.05),
        ([{"retry_after": 30, "problem": "minute"}], "minute", 30.5, 33.5),
        ([{"retry_after": 30, "problem": "app"}], "app", 30.5, 31),
        ([{"remaining": 5_000}, {"remaining": 50}], "day", 3_600, 3_603),
    ],
)
def test_a_clock_that_was_put_back_keeps_nobody_waiting_longer_than_the_limit(
    limiter: Limiting,
    database_clock: DatabaseClock,
    caplog: pytest.LogCaptureFixture,
    jump: float,
    first_ahead: bool,
    answers: list[dict[str, Any]],
    limit: str,
    shortest: float,
    longest: float,
) -> None:
    """Nor lets it anybody call too early. It is said once."""
    one, other = (limiter(minute_limit=2, app_limit=400) for _ in range(2))
    if first_ahead:  # a machine whose clock was ahead, and is right again
        call(one)
        database_clock.advance(jump)
    for answer in answers:
        call(one, **answer)
    database_clock.advance(-jump)
    refusals = [refused(one), refused(other)]
    assert {refusal.limit for refusal in refusals} == {limit}
    assert all(shortest <= refusal.seconds <= longest for refusal in refusals), refusals
    assert caplog.text.count("clock was put back") == 1
    database_clock.advance(refusals[0].seconds)
    call(other)
    assert caplog.text.count("clock was put back") == 1


def test_a_clock_that_is_a_moment_behind_is_no_clock_that_was_put_back(
    limiter: Limiting, database_clock: DatabaseClock, caplog: pytest.LogCaptureFixture
) -> None:
    one = limiter()
    call(one, remaining=4_000)
    database_clock.advance(-1)
    call(one, max_wait=1)
    assert not caplog.text


# -- the client and the limits together, against the sandbox


def test_a_429_that_comes_all_the_same_is_shared_and_obeyed(
    database_clock: DatabaseClock, sandbox: Sandbox, client: Make
) -> None:
    """Nobody else asks while the one who got it waits, nor it itself too early: its own pause is none here."""
    refusals: list[RetryLater] = []
    others = [client(max_wait=0) for _ in range(2)]

    def pause(seconds: float) -> None:
        """Meanwhile, and until the last moment."""
        for left in (2.5, INSTANT):
            database_clock.advance(2.5 - left if left < 1 else 0)
            for other in others:
                with pytest.raises(RetryLater) as raised:
                    other.get(TAX)
                refusals.append(raised.value)

    first = client(sleep=pause)
    for one in (first, *others):
        one.get(TAX)
    sandbox.control("DELETE", "calls")
    sandbox.control("POST", "faults", {"kind": "429", "path": "TrackingCategories", "retry_after": 2})
    before = database_clock.at
    assert first.get(TAX).status == 200
    assert database_clock.at - before == timedelta(seconds=2.5)
    assert [(one.limit, one.seconds) for one in refusals] == [("minute", 2.5)] * 2 + [("minute", INSTANT)] * 2
    for other in others:
        other.get(TAX)
    assert [seen["status"] for seen in sandbox.arrivals("/TrackingCategories")] == [429, 200, 200, 200]


def test_a_day_429_holds_no_task_and_no_other_process_asks_again(
    database_clock: DatabaseClock, sandbox: Sandbox, client: Make
) -> None:
    sandbox.control(
        "POST", "faults", {"kind": "429", "path": "TrackingCategories", "retry_after": 66975, "problem": "day"}
    )
    before = database_clock.at
    for one in (client(max_wait=300), client(max_wait=300), client(max_wait=300, manual=True)):
        with pytest.raises(RetryLater) as raised:
            one.get(TAX)
        assert (raised.value.limit, raised.value.seconds) == ("day", 66975.5)
    assert database_clock.at == before, "it is said at once"
    assert len(sandbox.arrivals("/TrackingCategories")) == 1
    client(1).get(TAX)


@pytest.mark.parametrize("kind", ["500", "503", "html", "cut", "lost_answer", "truncate", "malformed", "empty"])
def test_trouble_of_the_server_is_ridden_out(sandbox: Sandbox, client: Make, kind: str) -> None:
    one = client()
    sandbox.control("POST", "faults", {"kind": kind, "path": "Contacts"})
    assert len(one.get("/api.xro/2.0/Contacts", params={"page": 1}).data["Contacts"]) > 10
    assert one.calls == 2


@pytest.mark.parametrize(("kind", "decision"), [("revoked", Disconnected), ("no_scope", NotAvailable)])
def test_one_organisation_refuses_and_another_goes_on(
    sandbox: Sandbox, client: Make, kind: str, decision: type[XeroError]
) -> None:
    sandbox.control("POST", "faults", {"kind": kind, "tenant": sandbox.tenants[0], "times": None})
    with pytest.raises(decision):
        client(0).get(TAX)
    client(1).get(TAX)
    assert len(sandbox.arrivals("/TrackingCategories")) == 2


def test_401_in_the_middle_is_renewed_in_the_database(sandbox: Sandbox, client: Make) -> None:
    one = client()
    one.get(TAX)
    sandbox.control("POST", "faults", {"kind": "token_expired", "path": "TrackingCategories"})
    one.get(TAX)
    statuses = [seen["status"] for seen in sandbox.arrivals("/TrackingCategories")]
    assert statuses == [200, 401, 200]
    assert len(sandbox.arrivals("/connect/token")) == 2
