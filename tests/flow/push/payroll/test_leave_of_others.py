"""Leave that is not the request's own is never approved, and its own is never made again: whatever the ids say."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.support.paying import Line, Payroll
from tests.support.paying import units as hours
from tests.support.world import World
from xero.api.errors import RetryLater, XeroError

DAY = timedelta(1)
LEAVE = "/payroll.xro/1.0/LeaveApplications"


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


def asked_for(payroll: Payroll) -> list[dict[str, Any]]:
    """What somebody asked for in Xero, and nobody approved."""
    return [
        one
        for one in payroll.truth("LeaveApplications")
        if {period["LeavePeriodStatus"] for period in one["LeavePeriods"]} == {"REQUESTED"}
    ]


def left_open(payroll: Payroll, employee: str, week: int) -> Any:
    """Leave whose answer was lost; its request is open, and rightly sealed."""
    monday = payroll.start_of(week)
    document = payroll.leave(employee, monday, monday)
    payroll.world.fault(kind="lost_answer", method="POST", path=f"{LEAVE}$", times=1)
    with pytest.raises(XeroError):
        payroll.push("leave_requests")
    return document


def test_leave_that_somebody_asked_for_in_xero_is_not_approved(payroll: Payroll) -> None:
    """Of another employee; or of this one, for the same days, but not by this request."""
    world, tenant = payroll.world, payroll.world.sandbox.tenant()
    employee = payroll.paid_by_the_hour()[0]
    [others, *_] = asked_for(payroll)
    document = left_open(payroll, employee, 5)
    [made] = payroll.applications()
    for week, changes in enumerate(
        (
            {},
            {"EmployeeID": employee, "LeaveTypeID": made["LeaveTypeID"]},
            {**{name: made[name] for name in ("EmployeeID", "LeaveTypeID", "StartDate", "EndDate")}},
            {"Description": made["Description"]},
        ),
        6,
    ):
        path = f"organisations/{tenant}/LeaveApplications/{others['LeaveApplicationID']}"
        world.sandbox.control("PATCH", path, {**others, **changes})
        world.query(
            "UPDATE qicworks.leave_request SET xero_id = %s WHERE id = %s", others["LeaveApplicationID"], document
        )
        before = asked_for(payroll)
        world.calls()
        payroll.push("leave_requests")
        row = payroll.row("leave_request", document)
        assert (row["push_state"], "it is not approved in Xero" in str(row["push_error"])) == ("failed", True), changes
        assert (asked_for(payroll), payroll.writes()) == (before, []), changes
        world.query("UPDATE qicworks.leave_request SET xero_id = NULL WHERE id = %s", document)
        document = left_open(payroll, employee, week)


def test_a_request_that_was_settled_is_not_opened_again(payroll: Payroll) -> None:
    """Its seal went with it: nothing is believed of it."""
    employee, monday = payroll.paid_by_the_hour()[0], payroll.start_of(5)
    document = payroll.leave(employee, monday, monday)
    payroll.push("leave_requests")
    world = payroll.world
    world.query(
        "UPDATE xero_sync.push_request SET closed_at = NULL, outcome = NULL, first_sent_at = now() - interval '1 day',"
        " last_sent_at = now() - interval '1 day'"
    )
    [asked, *_] = asked_for(payroll)
    world.query("UPDATE qicworks.leave_request SET xero_id = %s WHERE id = %s", asked["LeaveApplicationID"], document)
    before = asked_for(payroll)
    payroll.writes()
    outcome = payroll.push("leave_requests")
    assert (outcome.status, asked_for(payroll), payroll.writes()) == ("warning", before, [])
    assert "without the seal of this project" in str(world.query("SELECT message FROM xero_sync.connection_event"))


def test_leave_that_another_request_claims_is_not_made_again(payroll: Payroll) -> None:
    """What ends with its reference is its own, also where its leave type is another by now; and others go on."""
    world, employee = payroll.world, payroll.paid_by_the_hour()[0]
    weeks = [payroll.start_of(week) for week in (5, 7)]
    same, retyped = (payroll.leave(employee, monday, monday) for monday in weeks)
    claiming = [payroll.leave(employee, monday + DAY * 30, monday + DAY * 30, approved=False) for monday in weeks]
    for draft in claiming:
        payroll.edit("leave_request", draft, push_state="draft")
    payroll.push("leave_requests")
    there = payroll.applications()
    for own, draft in zip((same, retyped), claiming, strict=True):
        world.query("UPDATE qicworks.leave_request SET xero_id = NULL, push_state = 'ready' WHERE id = %s", own)
        [its] = [one["LeaveApplicationID"] for one in there if one["Description"].endswith(str(own))]
        world.query("UPDATE qicworks.leave_request SET xero_id = %s WHERE id = %s", its, draft)
    payroll.push("leave_requests", documents=[str(same)])
    types = [one for one in payroll.truth("LeaveTypes") if one["CurrentRecord"] and one["Name"] != "Annual Leave"]
    other = next(one for one in types if (one.get("TypeOfUnits") or "Hours") == "Hours")["LeaveTypeID"]
    world.query("UPDATE qicworks.pay_code SET xero_id = gen_random_uuid() WHERE xero_id = %s", other)
    world.query("UPDATE qicworks.pay_code SET xero_id = %s WHERE id = %s", other, payroll.codes["Annual Leave"])
    good = payroll.leave(payroll.paid_by_the_hour()[1], weeks[0], weeks[0])
    payroll.push("leave_requests")
    for document in (same, retyped):
        assert "is linked to another leave request in QicWorks" in payroll.row("leave_request", document)["push_error"]
    assert [one for one in payroll.applications() if not one["Description"].endswith(str(good))] == there
    assert payroll.row("leave_request", good)["push_state"] == "pushed"
    world.query("UPDATE qicworks.leave_request SET xero_id = NULL WHERE id = ANY(%s)", claiming)
    payroll.push("leave_requests", retry_failed=True)
    assert payroll.row("leave_request", retyped)["push_error"].startswith(
        "it is already in Xero, where QicWorks cannot"
    )
    assert len(payroll.applications()) == len(there) + 1


@pytest.mark.parametrize("kind", ["payroll", "leave_requests"])
def test_nothing_waits_for_a_request_of_the_future(payroll: Payroll, kind: str) -> None:
    """Nor for one of no time at all, once it surely is at its end."""
    if kind == "payroll":
        payroll.pay_run("post")
    one, other = payroll.paid_by_the_hour()[:2]
    period = payroll.period(1)

    def add(employee: str, number: int) -> Any:
        if kind == "payroll":
            return payroll.pay(employee, period, Line(units="12"))
        return payroll.leave(employee, payroll.start_of(number), payroll.start_of(number))

    table = {"payroll": "payroll_push", "leave_requests": "leave_request"}[kind]
    document = add(one, 5)
    path = f"/payroll.xro/1.0/Employees/{one}" if kind == "payroll" else f"{LEAVE}$"
    documents = [document]
    for number, sent in enumerate(("'2100-01-01'", "'infinity'", "'-infinity'", "NULL"), 6):
        payroll.world.fault(kind="lost_answer", method="POST", path=path, times=9)
        with pytest.raises(XeroError):
            payroll.push(kind)
        payroll.world.sandbox.control("DELETE", "faults")
        payroll.world.query(
            "UPDATE xero_sync.push_request SET first_sent_at = now() - interval '2 minutes',"
            f" last_sent_at = {sent} WHERE closed_at IS NULL"
        )
        with suppress(RetryLater):  # nobody knows when it left: its quiet minute begins now, and it has one only
            payroll.push(kind, quiet=60.0)
        payroll.world.query(
            "UPDATE xero_sync.push_request SET last_sent_at = last_sent_at - interval '1 minute'"
            " WHERE closed_at IS NULL"
        )
        payroll.push(kind, quiet=60.0)
        assert {state for state, _ in payroll.states(table)} == {"pushed"}, sent
        if kind == "payroll":
            payroll.add_line(document, Line(units="1"))
            payroll.ready(table, document)
        else:
            documents.append(add(one, number))
    if kind == "payroll":
        add(other, 5)
        payroll.push(kind)
        assert hours(payroll.earnings(other)["Ordinary Hours"]) == 12
    else:
        payroll.push(kind)
        assert len(payroll.applications()) == len(documents)
