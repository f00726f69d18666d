"""Xero's limits, shared: never a 429 of our own making, hardly a call unused, and one that comes is obeyed by all."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.callers import Callers, Sandbox
from xero.api.client import XeroClient
from xero.api.errors import Disconnected, NotAvailable, RetryLater, XeroError
from xero.api.settings import XeroApp
from xero.qicworks import database
from xero.qicworks.call_budget import DatabaseLimiter

TAX = "/api.xro/2.0/TrackingCategories"
Make = Callable[..., XeroClient]


def limited(**limits: Any) -> XeroApp:
    return XeroApp("the-app", "secret", **{"minute_limit": 1000, "minute_seconds": 6.0, **limits})


def call(limiter: DatabaseLimiter, tenant: str = "t", patience: float = 0.0, **answer: Any) -> None:
    """One call whose answer is given: remaining, retry_after, problem."""
    with limiter.permit(tenant, patience=patience) as permit:
        headers = {"X-DayLimit-Remaining": str(answer["remaining"])} if "remaining" in answer else {}
        permit.settle(headers, answer.get("retry_after"), answer.get("problem"))


def refused(limiter: DatabaseLimiter, tenant: str = "t", patience: float = 0.0) -> RetryLater:
    """The refusal of a call, which must come at once."""
    before = time.monotonic()
    with pytest.raises(RetryLater) as raised:
        call(limiter, tenant, patience)
    assert time.monotonic() - before < 1
    return raised.value


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
    sandbox.control("PATCH", "settings", {"minute_limit": 5, "minute_seconds": 1.0})
    eager = client(minute_limit=50, minute_seconds=1.0)
    for _ in range(8):
        eager.get(TAX)
    assert sandbox.control("GET", "stats")["refused"] == {"minute": 1}
    assert eager.calls == 9


def test_a_place_is_free_a_window_after_the_answer_and_not_after_the_grant(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited(minute_limit=1, minute_seconds=1.0))
    with limiter.permit("t", patience=0):
        time.sleep(0.3)
    answered = time.monotonic()
    call(limiter, patience=5)
    assert 1.04 <= time.monotonic() - answered < 1.4


def test_a_smaller_limit_keeps_the_newest_calls(engine: Engine) -> None:
    for _ in range(3):
        call(DatabaseLimiter(engine, limited(minute_limit=10)))
    assert refused(DatabaseLimiter(engine, limited(minute_limit=3))).limit == "minute"
    call(DatabaseLimiter(engine, limited(minute_limit=4)))


def test_organisations_do_not_wait_for_each_other(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited(minute_limit=1))
    call(limiter, "one")
    assert refused(limiter, "one").limit == "minute"
    call(limiter, "another")


def test_five_in_flight_and_no_more_from_one_process(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited())
    with ExitStack() as held:
        for _ in range(5):
            held.enter_context(limiter.permit("t", patience=0))
        error = refused(limiter, patience=0.3)
        assert error.limit == "concurrent"
        call(limiter, "another")
    call(limiter)


def test_threads_of_one_process_queue_up(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited(concurrent_limit=2))
    in_flight, most = [0], [0]

    def one(_: int) -> None:
        with limiter.permit("t", patience=10):
            in_flight[0] += 1
            most[0] = max(most[0], in_flight[0])
            time.sleep(0.02)
            in_flight[0] -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(18)))
    assert most[0] == 2


def test_kill_9_frees_its_places_in_flight(engine: Engine, database_url: str, callers: Callable[..., Callers]) -> None:
    app = limited()
    group = callers(5, "hold", app=app, database_url=database_url, tenant="t")
    group.go()
    assert [group.hear() for _ in range(5)] == ["holding"] * 5
    limiter = DatabaseLimiter(engine, app)
    assert refused(limiter, patience=0.2).limit == "concurrent"
    group.kill()
    call(limiter, patience=2)


def test_a_call_that_failed_gives_its_place_back(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited(concurrent_limit=1))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), limiter.permit("t", patience=0):
            1 / 0  # noqa: B018
    call(limiter)


def test_an_interrupted_call_takes_no_lock_back_to_the_pool(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = limited(concurrent_limit=1)

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    limiter = DatabaseLimiter(engine, app)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt), limiter.permit("t", patience=0):
        patched.setattr("xero.qicworks.call_budget.QUERIES.settle_call", interrupted, raising=False)
    other_engine = database.engine(database_url)  # on the same connection the lock would be had a second time
    call(DatabaseLimiter(other_engine, app), patience=0.5)
    other_engine.dispose()


def test_the_apps_limit_is_over_all_organisations(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited(app_limit=20, minute_seconds=2.0))
    grants = []
    for number in range(25):
        call(limiter, f"tenant-{number % 7}", patience=3)
        grants.append(time.monotonic())
    assert all(later - earlier > 2.0 for earlier, later in zip(grants, grants[20:], strict=False))
    assert grants[24] - grants[0] < 3.2
    assert refused(limiter).limit == "app"


def test_a_429_keeps_every_process_off_and_is_never_broken_early(engine: Engine, database_url: str) -> None:
    other_engine = database.engine(database_url)
    one, other = DatabaseLimiter(engine, limited()), DatabaseLimiter(other_engine, limited())
    call(one, retry_after=1.0, problem="minute")
    told = time.monotonic()
    assert 1.0 < refused(other).seconds < 2.0
    call(other, "another tenant")
    call(other, patience=10)
    assert 1.0 <= time.monotonic() - told < 2.5
    other_engine.dispose()


def test_a_429_of_the_app_keeps_every_organisation_off(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited())
    call(limiter, "one", retry_after=30, problem="app")
    assert refused(limiter, "another").limit == "app"


def test_a_shorter_wait_does_not_cut_a_longer_one(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited())
    with limiter.permit("t", patience=0) as early:
        call(limiter, retry_after=66975, problem="day")
        early.settle({}, 1, "concurrent")
    error = refused(limiter, patience=300)
    assert error.limit == "day"
    assert 66970 < error.seconds < 66980


def test_without_a_time_a_429_means_its_window(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited())
    call(limiter, problem="minute")
    assert 59 < refused(limiter).seconds < 62


def test_the_last_tenth_of_a_day_is_for_manual_runs(engine: Engine) -> None:
    scheduled, manual = (DatabaseLimiter(engine, limited(), manual=manual) for manual in (False, True))
    call(scheduled, remaining=501)
    call(
        scheduled, remaining=500
    )  # only the first answer told that the day has 5,000: a 1,000 never has more than 1,000
    call(scheduled, remaining=1001)
    call(scheduled, remaining=500)
    error = refused(scheduled, patience=300)
    assert error.limit == "day"
    assert 3590 < error.seconds <= 3600
    call(manual, remaining=499)
    call(scheduled, "another")


def test_a_small_day_is_told_by_its_numbers(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited())
    call(limiter, remaining=101)
    call(limiter, remaining=100)
    assert refused(limiter).limit == "day"


def test_a_known_day_limit_wins(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited(day_limit=50))
    call(limiter, remaining=6)
    call(limiter, remaining=5)
    assert refused(limiter).limit == "day"


def test_one_scheduled_call_an_hour_looks_for_the_new_day(engine: Engine) -> None:
    limiter = DatabaseLimiter(engine, limited())
    call(limiter, remaining=50)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE xero_sync.call_budget SET day_seen_at = day_seen_at - interval '61 minutes'")
    with limiter.permit("t", patience=0):
        assert refused(limiter).limit == "day"
    call(limiter, "t2")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE xero_sync.call_budget SET day_seen_at = day_seen_at - interval '61 minutes'")
    call(limiter, remaining=1000)
    call(limiter)


# -- the client and the limits together, against the sandbox


def test_a_429_that_comes_all_the_same_is_shared_and_obeyed(sandbox: Sandbox, client: Make) -> None:
    clients = [client() for _ in range(3)]
    for one in clients:
        one.get(TAX)
    sandbox.control("DELETE", "calls")
    sandbox.control("POST", "faults", {"kind": "429", "path": "TrackingCategories", "retry_after": 2})
    clients[0]._sleep = lambda seconds: None  # only the shared limiter can hold it
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(clients[0].get, TAX)]
        time.sleep(0.3)
        running += [pool.submit(one.get, TAX) for one in clients[1:]]
        assert [answer.result().status for answer in running] == [200] * 3
    first, *later = sandbox.arrivals("/TrackingCategories")
    assert first["status"] == 429
    assert len(later) == 3
    assert all(2.0 <= seen["arrived"] - first["ended"] < 4.0 for seen in later)


def test_a_day_429_holds_no_task_and_no_other_process_asks_again(sandbox: Sandbox, client: Make) -> None:
    sandbox.control(
        "POST", "faults", {"kind": "429", "path": "TrackingCategories", "retry_after": 66975, "problem": "day"}
    )
    for one in (client(patience=300), client(patience=300), client(patience=300, manual=True)):
        before = time.monotonic()
        with pytest.raises(RetryLater) as raised:
            one.get(TAX)
        assert time.monotonic() - before < 1
        assert raised.value.limit == "day"
        assert 66970 < raised.value.seconds < 66990
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
