"""Reading by id, disturbed: what was read stays read, what is bad waits aside, and the rest goes on."""

import dataclasses
from collections import Counter
from typing import Any

import pytest

from tests.support.employees import actives, change, open_rejections, read_by_id
from tests.support.expected_payroll import (
    assert_payroll_equal,
    of,
    put_back,
    remove,
    the_whole_list_is_old,
)
from tests.support.interrupting import pulls
from tests.support.killing import Forked
from tests.support.waiting import until
from tests.support.world import World
from xero.api.client import XeroClient
from xero.api.errors import Disconnected, RetryLater
from xero.sync.pull.details import MAX_CALLS_IN_FLIGHT
from xero.sync.pull.flow import Skip


def staged(world: World) -> int:
    return int(world.query("SELECT count(*) FROM xero_sync.stage_seen WHERE read_at IS NOT NULL")[0]["count"])


@pytest.mark.usefixtures("preloaded")
def test_killed_while_it_reads_employees_the_retry_reads_only_the_rest(world: World) -> None:
    """Killed when five calls, as many as are sent at once, are in the air."""
    world.sandbox.reset(staff={world.names()[0]: 60})
    world.sandbox.settings(limits=False)
    world.connect()
    world.calls()
    with world.sandbox.hold("Employees/", skip=20, times=None) as wait_until_held:
        process = Forked(world, lambda: world.pull("staff"))
        wait_until_held(calls=MAX_CALLS_IN_FLIGHT)
        until(lambda: staged(world) == 20)
        process.kill()
        first = read_by_id(world)
    assert (len(first), staged(world)) == (20, 20)
    world.pull("staff")
    again = read_by_id(world)
    assert len(again) == sum(again.values()) == 40
    assert not first & again
    assert [(event["status"], event["message"][:11]) for event in pulls(world)] == [
        ("error", "interrupted"),
        ("success", "loaded"),
    ]
    assert_payroll_equal(world)
    assert world.query("SELECT 1 FROM xero_sync.stage_seen") == []


def test_employees_that_change_or_go_between_the_list_and_their_details(world: World) -> None:
    """Each of the twelve is named anew after the list was given; one is removed."""
    tenant = world.sandbox.tenant()
    world.sandbox.control(
        "PUT", "drift", {"tenant": tenant, "collection": "Employees", "changes_per_page": 12, "total": 12}
    )
    gone = actives(world)[0]
    listed = 0

    def remove_one(records: int) -> None:
        nonlocal listed
        if not listed:
            remove(world, gone)
        listed += records

    outcome = world.pull("staff", progress=remove_one)
    assert (outcome.status, outcome.message) == ("warning", f"Employees: Xero no longer has {gone['EmployeeID']}")
    assert gone["EmployeeID"] not in world.rows("staff")
    assert all(row["last_name"].endswith(" v2") for row in world.rows("staff").values())
    world.calls()
    world.pull("staff")
    assert_payroll_equal(world)
    assert not read_by_id(world), "what was read as new as it is now is not read again"


def test_a_limit_an_outage_and_a_withdrawal_in_the_middle(world: World) -> None:
    world.fault(path="Employees/", kind="429", problem="day", retry_after=4_000, skip=4, times=None)
    with pytest.raises(Skip, match="resumes with the first run after"):
        world.pull("staff")
    assert sum(read_by_id(world).values()) == staged(world) == 4
    assert (world.event()["status"], world.rows("staff")) == ("warning", {})
    world.sandbox.control("DELETE", "faults")
    world.query("UPDATE xero_sync.call_budget SET not_before = NULL")
    world.fault(path="Employees", kind="503", skip=2, times=None)
    with pytest.raises(RetryLater):
        world.pull("staff")
    world.sandbox.control("DELETE", "faults")
    assert sum(read_by_id(world).values()) == staged(world) - 4 == 2

    [mine] = [
        one for one in world.sandbox.control("GET", "connections")["app"] if one["tenantId"] == world.sandbox.tenant()
    ]
    world.sandbox.control("DELETE", f"connections/{mine['id']}")
    with pytest.raises(Disconnected):
        world.pull("staff")
    event = world.event()
    assert (event["status"], "connect again" in event["correction"]) == ("error", True)
    [state] = world.query("SELECT state FROM xero_sync.connection WHERE id = %s", world.connection_id())
    assert state["state"] == "needs_reconnect"
    assert world.pull("staff", 1).status == "success", "others are not concerned"


def test_a_bad_employee_waits_aside_and_loads_once_mended(world: World) -> None:
    world.pull("staff")
    nameless, unlined, unleaved, odd, list_of_tax, *_ = actives(world)
    before = world.rows("staff")
    template = unlined["PayTemplate"]
    broken = {**template, "EarningsLines": [{**template["EarningsLines"][0], "RatePerUnit": "a lot"}]}
    change(world, nameless, LastName=None)
    change(world, unlined, PayTemplate=broken)
    change(world, unleaved, LeaveBalances=[{**unleaved["LeaveBalances"][0], "NumberOfUnits": None}])
    change(world, odd, PayTemplate="none", LeaveBalances=["none"])
    change(world, list_of_tax, TaxDeclaration=[], JobTitle="Loads not, for its basis is unknown")
    outcome = world.pull("staff")
    assert (outcome.status, outcome.counts.rejected) == ("warning", 6), outcome.message
    assert Counter(one["table_name"] for one in open_rejections(world)) == {
        "staff": 2,
        "pay_template_line": 2,
        "leave_balance": 2,
    }
    held = world.rows("staff")
    for one in (nameless, list_of_tax):
        assert held[one["EmployeeID"]]["row_hash"] == before[one["EmployeeID"]]["row_hash"]
    assert held[odd["EmployeeID"]]["xero_updated_at"] > before[odd["EmployeeID"]]["xero_updated_at"]
    for table in ("pay_template_line", "leave_balance"):
        assert all(row["is_active"] for row in of(world, table, odd)), "the last good version stays"
        assert of(world, table, odd)

    # Whole listings read nobody again, and forget nothing.
    world.calls()
    the_whole_list_is_old(world)
    assert world.pull("staff").counts.rejected == 6
    assert set(read_by_id(world)) == {nameless["EmployeeID"], list_of_tax["EmployeeID"]}

    for one in (nameless, unlined, unleaved, odd, list_of_tax):
        kept = {name: one[name] for name in ("LastName", "PayTemplate", "LeaveBalances", "TaxDeclaration")}
        change(world, one, **kept)
    outcome = world.pull("staff")
    assert (outcome.status, outcome.message) == ("success", "loaded")
    assert open_rejections(world) == []
    assert_payroll_equal(world)


def test_what_was_rejected_of_who_or_what_is_gone_is_settled(world: World) -> None:
    """A line that the employee has no longer, an employee that Xero has no longer, a balance of another day."""
    unlined, nameless, unleaved, *_ = actives(world)
    template = unlined["PayTemplate"]
    broken = {**template["EarningsLines"][0], "RatePerUnit": "a lot"}
    change(world, unlined, PayTemplate={**template, "EarningsLines": [*template["EarningsLines"], broken]})
    change(world, nameless, LastName=None)
    change(world, unleaved, LeaveBalances=[{**unleaved["LeaveBalances"][0], "NumberOfUnits": None}])
    assert world.pull("staff").counts.rejected == 3
    world.query(
        "UPDATE xero_sync.rejection SET key = left(key, -10) || '2026-01-05',"
        " record = record || jsonb_build_object('as_at', '2026-01-05', 'xero_id', left(key, -10) || '2026-01-05')"
        " WHERE table_name = 'leave_balance'"
    )
    the_whole_list_is_old(world)
    assert world.pull("staff").counts.rejected == 3, "so far they are as they were"

    change(world, unlined, PayTemplate=template)
    remove(world, nameless)
    change(world, unleaved, LeaveBalances=unleaved["LeaveBalances"])
    the_whole_list_is_old(world)
    outcome = world.pull("staff")
    assert open_rejections(world) == []
    assert outcome.counts.rejected == 0
    assert_payroll_equal(world)
    put_back(world, {**nameless, "LastName": "Back"})
    the_whole_list_is_old(world)
    world.pull("staff")
    assert_payroll_equal(world)


def test_ids_in_capitals_are_the_same_ids(world: World) -> None:
    one = next(one for one in actives(world) if one["LeaveBalances"])
    world.pull("staff")
    before = len(of(world, "leave_balance", one))
    shouted = [{**balance, "LeaveTypeID": balance["LeaveTypeID"].upper()} for balance in one["LeaveBalances"]]
    change(world, one, LeaveBalances=shouted)
    assert world.pull("staff").status == "success"
    assert len(of(world, "leave_balance", one)) == before


def test_an_answer_that_is_somebody_else_s_is_not_loaded_and_found_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pull("staff")
    victim, other, gone = actives(world)[:3]
    for employee in (victim, gone):
        change(world, employee, JobTitle="Changed")
    honest = XeroClient.get

    def get(client: XeroClient, path: str, **how: Any) -> Any:
        if path.endswith(gone["EmployeeID"]):  # some answer so instead of 404
            return dataclasses.replace(honest(client, path, **how), data={"Employees": []})
        return honest(client, path.replace(victim["EmployeeID"], other["EmployeeID"]), **how)

    with monkeypatch.context() as lying:
        lying.setattr(XeroClient, "get", get)
        outcome = world.pull("staff")
    assert outcome.status == "warning"
    assert f"{victim['EmployeeID']} was asked for, and Xero returned something else" in outcome.message
    assert f"Xero no longer has {gone['EmployeeID']}" in outcome.message
    held = world.rows("staff")
    assert held[victim["EmployeeID"]]["job_title"] != "Changed"
    assert held[other["EmployeeID"]]["job_title"] == other.get("JobTitle")
    the_whole_list_is_old(world)
    world.pull("staff")
    assert_payroll_equal(world)
