"""How often Xero is asked for employees: no more than there is to learn, and as fast as its limits allow."""

from datetime import timedelta

import pytest

from tests.support.employees import LIST, let_a_day_pass
from tests.support.expected_accounting import Record
from tests.support.expected_payroll import local_today, the_whole_list_is_old
from tests.support.world import World


def asked(world: World) -> list[str]:
    """The ids that employees were asked for by, after the list itself ("") was asked for once."""
    calls = world.calls()
    assert all(call["status"] == 200 for call in calls)
    paths = [call["path"].removeprefix(LIST).lstrip("/") for call in calls]
    assert paths[0] == ""
    assert "" not in paths[1:]
    return paths[1:]


def actives(world: World) -> list[Record]:
    return [one for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE"]


def ids(employees: list[Record]) -> list[str]:
    return sorted(one["EmployeeID"] for one in employees)


def test_staff_is_read_by_id_only_where_the_list_says_something_new(world: World) -> None:
    world.pull("staff")
    assert sorted(asked(world)) == ids(world.sandbox.truth("Employees"))
    world.pull("staff")
    [call] = world.calls()
    assert call["path"] == LIST
    assert "if-modified-since" in call["headers"]
    one, other, *_ = actives(world)
    world.sandbox.change("Employees", one["EmployeeID"], JobTitle="Foreman")
    assert world.pull("staff").counts.calls == 2
    assert asked(world) == [one["EmployeeID"]]

    world.sandbox.change("Employees", other["EmployeeID"], JobTitle="Estimator")
    the_whole_list_is_old(world)
    world.pull("staff")
    calls = world.sandbox.control("GET", "calls")
    assert "if-modified-since" not in calls[0]["headers"], "the list is read whole"
    assert asked(world) == [other["EmployeeID"]], "but of those listed only who has changed"
    world.pull("staff")
    assert "if-modified-since" in world.calls()[0]["headers"], "and then not for another twenty hours"
    outcome = world.pull("staff", full=True)
    assert sorted(asked(world)) == ids(world.sandbox.truth("Employees"))
    assert (outcome.status, outcome.changed) == ("success", False)


def test_leave_balances_are_read_again_after_a_quarter_of_an_hour_and_on_another_day(world: World) -> None:
    world.pull("staff")
    world.calls()
    everybody = ids(actives(world))
    assert world.pull("leave_balances").counts.calls == 1
    assert asked(world) == []
    one, *_ = everybody
    world.query(
        "UPDATE qicworks.staff SET balances_read_at = now() - interval '16 minutes' WHERE xero_id = %s::uuid", one
    )
    world.pull("leave_balances")
    assert asked(world) == [one]
    # Of another day, and yet not a quarter of an hour old: the clock cannot be moved, so it is tomorrow's.
    world.query("UPDATE qicworks.staff SET balances_read_at = now() + interval '1 day' WHERE xero_id = %s::uuid", one)
    world.pull("leave_balances")
    assert asked(world) == [one]


@pytest.mark.parametrize("by", ["leave_balances", "staff"])
def test_each_day_has_its_balances_and_the_last_ones_are_active(world: World, by: str) -> None:
    world.pull("staff")
    today = local_today(world, 0)
    let_a_day_pass(world)
    person = next(one for one in actives(world) if one["LeaveBalances"])
    grown = [{**balance, "NumberOfUnits": 7.5} for balance in person["LeaveBalances"]]
    world.sandbox.change("Employees", person["EmployeeID"], LeaveBalances=grown, _touch=False)
    world.calls()
    world.pull(by, full=by == "staff")
    assert sorted(asked(world)) == ids(actives(world) if by == "leave_balances" else world.sandbox.truth("Employees"))
    rows = [row for row in world.rows("leave_balance").values() if row["as_at"] == today or row["is_active"]]
    assert {row["as_at"] for row in rows if row["is_active"]} == {today}
    mine = [row for row in world.rows("leave_balance").values() if str(row["employee_xero_id"]) == person["EmployeeID"]]
    assert {(row["as_at"], row["is_active"]) for row in mine} == {(today, True), (today - timedelta(days=1), False)}
    assert len(mine) == 2 * len(grown)
    assert {float(row["number_of_units"]) for row in mine if row["is_active"]} == {7.5}
    assert 7.5 not in {float(row["number_of_units"]) for row in mine if not row["is_active"]}, "history stays"


def test_260_employees_in_turn_and_never_beyond_the_limits(world: World) -> None:
    """How much of the limits is used is measured by `make bench BENCH=leave_balances`."""
    limits = {"minute_limit": 60, "minute_seconds": 1}
    world.sandbox.reset(staff={world.names()[0]: 260})
    world.limits = dict(limits)
    world.connect()
    world.sandbox.settings(**limits, latency_ms=[20, 20])
    world.sandbox.control("DELETE", "limits")
    world.calls()
    active = ids(actives(world))
    outcome = world.pull("leave_balances")
    stats = world.sandbox.control("GET", "stats")
    calls = world.calls()
    tenant = world.sandbox.tenant()
    assert outcome.counts.calls == len(calls) == len(active) + 3 <= 263
    assert set(stats["by_status"]) == {"200"}
    assert stats["max_in_flight"][tenant] <= 5
    assert stats["max_in_window"][tenant] <= 60
    assert len(world.rows("leave_balance")) == sum(len(one["LeaveBalances"]) for one in actives(world))
