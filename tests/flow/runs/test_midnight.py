"""When an organisation's day ends between two steps, or in the middle of one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.support.clock import stop
from tests.support.database_clock import DatabaseClock
from tests.support.employees import actives, read_by_id
from tests.support.world import World
from xero.datasets.declaration import Timing
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import EventOutcome
from xero.qicworks.views import traffic
from xero.sync.connect import organisation
from xero.sync.pull import details
from xero.sync.runs import schedule

BEFORE, AFTER = date(2026, 11, 30), date(2026, 12, 1)  # a day, and the pay date
INSTANT = timedelta(microseconds=1)
SOON = timedelta(minutes=10)  # longer than any call takes, and too short for balances to be read again on the same day


@pytest.fixture(params=["Australia/Sydney", "Australia/Adelaide", "Australia/Perth", "UTC"])
def midnight(
    request: pytest.FixtureRequest,
    database_clock: DatabaseClock,
    unconnected: World,
    monkeypatch: pytest.MonkeyPatch,
) -> datetime:
    """The one that begins the pay date, in a zone. Every clock but Xero's is the database's, and a second before."""
    midnight = datetime(AFTER.year, AFTER.month, AFTER.day, tzinfo=ZoneInfo(request.param)).astimezone(UTC)
    database_clock.set(midnight - timedelta(seconds=1))
    for module in (details, organisation):
        stop(monkeypatch, module, lambda: database_clock.at)
    unconnected.sandbox.settings(limits=False, access_token_seconds=1e9)
    assert unconnected.connect() == 0
    unconnected.query(
        "UPDATE qicworks.organisation SET time_zone = %s, pay_frequency = 'weekly', next_pay_date = %s",
        *(request.param, AFTER),
    )
    unconnected.query("UPDATE xero_sync.connection SET first_connected_at = %s", midnight - timedelta(days=2))
    unconnected.pull("staff")
    unconnected.calls()
    return midnight


def is_due(world: World, now: datetime) -> bool:
    with database.session(world.engine) as session:
        connection = connections.one(session, UUID(world.connection_id()))
        return schedule.check_due(session, connection, "leave_balances", Timing.PAY_DATE, now).due


def kept(world: World) -> dict[date, set[bool]]:
    """Of which days balances of active employees are kept, and whether they are the active ones."""
    days: dict[date, set[bool]] = {}
    active = everybody(world)
    for row in world.rows("leave_balance").values():
        if str(row["employee_xero_id"]) in active:
            days.setdefault(row["as_at"], set()).add(row["is_active"])
    return days


def everybody(world: World) -> set[str]:
    return {one["EmployeeID"] for one in actives(world)}


def test_balances_of_one_second_before_midnight_are_another_days(
    midnight: datetime, unconnected: World, database_clock: DatabaseClock
) -> None:
    world = unconnected
    assert kept(world) == {BEFORE: {True}}
    assert not is_due(world, database_clock.at)
    database_clock.set(midnight - INSTANT)
    assert not is_due(world, database_clock.at)
    assert world.pull("leave_balances").counts.calls == 1, "all were read a moment ago"
    assert kept(world) == {BEFORE: {True}}

    database_clock.set(midnight)
    assert is_due(world, database_clock.at), "the pull before midnight was not this day's"
    database_clock.set(midnight + SOON)
    world.calls()
    world.pull("leave_balances")
    assert set(read_by_id(world)) == everybody(world)
    assert kept(world) == {BEFORE: {False}, AFTER: {True}}
    assert not is_due(world, database_clock.at)
    assert world.pull("leave_balances").counts.calls == 1
    assert kept(world) == {BEFORE: {False}, AFTER: {True}}


def test_what_was_asked_for_before_midnight_is_of_the_day_that_ended(
    midnight: datetime, unconnected: World, database_clock: DatabaseClock
) -> None:
    """One employee's answer is held until the new day has begun; the others came before."""
    world = unconnected
    with ThreadPoolExecutor(1) as beside:
        one = max(everybody(world))
        with world.sandbox.hold(f"Employees/{one}", done=True) as wait_until_held:
            pulling = beside.submit(world.pull, "staff", full=True)
            wait_until_held()
            database_clock.set(midnight + INSTANT)
        assert pulling.result().status == "success"
    assert kept(world) == {BEFORE: {True}}
    assert is_due(world, database_clock.at)
    database_clock.set(midnight + SOON)
    world.calls()
    world.pull("leave_balances")
    assert set(read_by_id(world)) == everybody(world)
    assert kept(world) == {BEFORE: {False}, AFTER: {True}}
    assert not is_due(world, database_clock.at)


def test_a_pull_that_began_before_midnight_and_read_after_it_serves_only_what_was_due(
    midnight: datetime, unconnected: World, database_clock: DatabaseClock
) -> None:
    """What it read in the new day is not asked for again at once, and yet the new day's run is one of its own."""
    world = unconnected
    world.query("UPDATE qicworks.staff SET balances_read_at = NULL")
    with ThreadPoolExecutor(1) as beside:
        with world.sandbox.hold("Employees", done=True) as wait_until_held:
            pulling = beside.submit(world.pull, "leave_balances")
            wait_until_held()
            database_clock.set(midnight + SOON)
        assert pulling.result().status == "success"
    assert kept(world) == {BEFORE: {False}, AFTER: {True}}
    assert is_due(world, database_clock.at)
    world.calls()
    assert world.pull("leave_balances").counts.calls == 1
    assert read_by_id(world).total() == 0
    assert not is_due(world, database_clock.at)


def test_without_payroll_a_pull_serves_what_was_due_when_it_began(
    midnight: datetime, unconnected: World, database_clock: DatabaseClock
) -> None:
    """Though the next pay date has begun when Xero answers. A year ahead: no clock but the database's counts."""
    world = unconnected
    [organisation] = world.query("SELECT DISTINCT time_zone FROM qicworks.organisation")
    zone = ZoneInfo(organisation["time_zone"])
    before, next_one = (
        datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        for day in (AFTER + timedelta(weeks=51), AFTER + timedelta(weeks=52))
    )
    database_clock.set(next_one - INSTANT)
    world.query("DELETE FROM xero_sync.due")
    world.query("UPDATE xero_sync.connection SET organisation_read_at = %s", database_clock.at)  # keeps the zone
    world.sandbox.settings(payroll_role=False)
    with ThreadPoolExecutor(1) as beside:
        with world.sandbox.hold("Employees", done=True) as wait_until_held:
            pulling = beside.submit(world.pull, "leave_balances")
            wait_until_held()
            database_clock.set(next_one + SOON)
        assert pulling.result().status == "warning"
    [served] = world.query("SELECT served_at FROM xero_sync.due WHERE data_set = 'leave_balances'")
    assert served["served_at"] == before
    assert is_due(world, database_clock.at)


def test_a_day_of_traffic_ends_at_midnight_utc(database_clock: DatabaseClock, unconnected: World) -> None:
    world, midnight = unconnected, datetime(2026, 12, 1, tzinfo=UTC)
    assert world.connect() == 0
    world.query("DELETE FROM xero_sync.traffic")
    id = UUID(world.connection_id())

    def days(session: database.Session) -> list[tuple[date, int]]:
        days = [(day.day, day.runs) for day in traffic.by_day(session, id)]
        assert (len(days), days[-1][0] - days[0][0]) == (30, timedelta(days=29))
        return days[-2:]

    database_clock.set(midnight - INSTANT)
    with database.session(world.engine) as session:
        event = events.open_event(session, id, "pull", "contacts", Origin())
        events.record(session, id, "pull", "contacts", "success", EventOutcome.DONE, "over", Origin())
        assert days(session) == [(BEFORE - timedelta(days=1), 0), (BEFORE, 1)]
        database_clock.set(midnight)
        assert days(session) == [(BEFORE, 1), (AFTER, 0)]
        events.close_event(session, event, "success", EventOutcome.DONE, Counts(), "begun the day before")
        assert days(session) == [(BEFORE, 1), (AFTER, 1)]
