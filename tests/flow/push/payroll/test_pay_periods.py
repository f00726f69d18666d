"""Pay goes to the next period of the employee's own calendar, by its exact days: to no other, and before any call."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.support.paying import Line, Payroll, day
from tests.support.world import World


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


def refusal(payroll: Payroll) -> str:
    [row] = payroll.world.query("SELECT push_state, push_error FROM qicworks.payroll_push")
    assert row["push_state"] == "failed"
    return str(row["push_error"])


def writes(payroll: Payroll) -> list[dict[str, Any]]:
    return [call for call in payroll.world.calls() if call["method"] != "GET"]


@pytest.mark.parametrize("number", [-60, 2, 3, 4, 53])
@pytest.mark.parametrize("calendar", ["WEEKLY", "FORTNIGHTLY"])
def test_no_other_period_than_the_next_one(payroll: Payroll, calendar: str, number: int) -> None:
    """The first without a pay run: what stands in the pay template when that run is made, it pays."""
    [employee, *_] = payroll.paid_by_the_hour(calendar)
    before = payroll.template(employee)
    payroll.world.calls()
    payroll.pay(employee, payroll.period(number, calendar), Line(units="7.6"))
    payroll.push("payroll")
    start = payroll.start_of(1, calendar)
    assert f"the next pay run in Xero is for the period from {start} to" in refusal(payroll)
    assert (writes(payroll), payroll.template(employee)) == ([], before)


@pytest.mark.parametrize("days", [-7, -1, 1, 7])
@pytest.mark.parametrize("end", ["start_date", "end_date"])
def test_not_a_day_more_or_less(payroll: Payroll, end: str, days: int) -> None:
    """76 hours of 14 days, on a weekly calendar: the next run would pay them for one week."""
    [employee, *_] = payroll.paid_by_the_hour()
    period = payroll.period(1)
    start = payroll.start_of(1)
    moved = {"start_date": start, "end_date": start + timedelta(6)}
    moved[end] += timedelta(days)
    if moved["end_date"] < moved["start_date"]:
        moved["end_date"] = moved["start_date"]
    payroll.world.query(
        "UPDATE qicworks.pay_period SET start_date = %(start_date)s, end_date = %(end_date)s".replace(
            "%(start_date)s", "%s"
        ).replace("%(end_date)s", "%s"),
        *moved.values(),
    )
    payroll.world.calls()
    payroll.pay(employee, period, Line(units="76"))
    payroll.push("payroll")
    assert refusal(payroll).startswith("not sent: ")
    assert writes(payroll) == []


def test_the_next_period_moves_on_with_xero_s_pay_runs(payroll: Payroll) -> None:
    """Though the calendar was pulled before: two runs later the third period is the next."""
    [employee, *_] = payroll.paid_by_the_hour()
    for _ in range(3):
        payroll.pay_run("post")
    payroll.pay(employee, payroll.period(3), Line(units="7.6"))
    assert payroll.push("payroll").counts.pushed == 1


@pytest.mark.parametrize("column", ["calendar_type", "start_date"])
def test_a_calendar_that_is_not_known_is_said(payroll: Payroll, column: str) -> None:
    [employee, *_] = payroll.paid_by_the_hour()
    payroll.world.query(f"UPDATE qicworks.payroll_calendar SET {column} = NULL")
    payroll.world.calls()
    payroll.pay(employee, payroll.period(1), Line(units="7.6"))
    payroll.push("payroll")
    assert "are not known in QicWorks" in refusal(payroll)
    assert writes(payroll) == []


ANOTHER = {
    "a day later": "start_date = start_date + 1",
    "of other periods": "calendar_type = 'FORTNIGHTLY'",
    "begun in the middle of one": "start_date = start_date - 4",
}


@pytest.mark.parametrize("change", ANOTHER.values(), ids=ANOTHER)
def test_a_calendar_that_is_another_one_in_xero_decides_no_period(payroll: Payroll, change: str) -> None:
    """Whoever has written it here: the pay is of just the period that it says is the next one."""
    [employee, *_] = payroll.paid_by_the_hour()
    payroll.world.query(f"UPDATE qicworks.payroll_calendar SET {change} WHERE calendar_type = 'WEEKLY'")
    payroll.pay(employee, payroll.period(1), Line(units="7.6"))
    payroll.push("payroll")
    [start, end] = re.findall(r"from (\S+) to (\S+), which", refusal(payroll))[0]
    payroll.world.query("UPDATE qicworks.pay_period SET start_date = %s, end_date = %s", start, end)
    payroll.world.query("UPDATE qicworks.payroll_push SET push_state = 'ready'")
    before = payroll.template(employee)
    payroll.world.calls()
    payroll.push("payroll")
    assert "its payroll calendar is " in refusal(payroll)
    assert (writes(payroll), payroll.template(employee)) == ([], before)


@pytest.mark.parametrize("change", ANOTHER.values(), ids=ANOTHER)
def test_nor_the_periods_of_leave(payroll: Payroll, change: str) -> None:
    [employee, *_] = payroll.paid_by_the_hour()
    payroll.world.query(f"UPDATE qicworks.payroll_calendar SET {change} WHERE calendar_type = 'WEEKLY'")
    start = payroll.start_of(3)
    payroll.leave(employee, start, start)
    assert payroll.preview("leave_requests")[0].refused
    payroll.push("leave_requests")
    [(state, error)] = payroll.states("leave_request")
    assert (state, writes(payroll)) == ("failed", [])
    assert "its payroll calendar is " in str(error)


def test_whose_period_was_posted_before_the_pay_came(payroll: Payroll) -> None:
    """Also of somebody whom that period does not mention, and whose template still has an earlier period's pay."""
    one, two = payroll.paid_by_the_hour()[:2]
    posted = day(payroll.pay_run("post")["PayRunPeriodStartDate"])
    number = (posted - payroll.start_of(0)).days // 7 + 1
    payroll.pay(one, payroll.period(number), Line(units="7.6"))
    assert payroll.push("payroll").counts.pushed == 1
    for _ in range(2):
        payroll.pay_run("post")
    payroll.pay(two, payroll.period(number + 1), Line(units="7.6"))
    payroll.push("payroll")
    rows = payroll.world.query("SELECT push_error FROM qicworks.payroll_push WHERE push_error IS NOT NULL")
    told = sorted(row["push_error"].split("is already posted")[1] for row in rows)
    assert told == [
        ", so this pay is not included",
        ": it may have paid an earlier period's amounts by mistake",
    ]


@pytest.mark.parametrize("needed", [True, False])
def test_an_update_says_who_it_is_about_where_xero_wants_that(payroll: Payroll, needed: bool) -> None:
    [employee, *_] = payroll.paid_by_the_hour()
    before = {name: value for name, value in payroll.employees[employee].items() if name != "PayTemplate"}
    payroll.world.sandbox.settings(employee_updates_need_person=needed)
    payroll.world.calls()
    payroll.pay(employee, payroll.period(1), Line(units="7.6"))
    assert payroll.push("payroll").counts.pushed == 1
    assert [call["status"] for call in writes(payroll)] == ([400, 200] if needed else [200])
    [after] = [one for one in payroll.truth("Employees") if one["EmployeeID"] == employee]
    unchanged = {name: value for name, value in after.items() if name not in ("PayTemplate", "UpdatedDateUTC")}
    assert unchanged == {name: value for name, value in before.items() if name != "UpdatedDateUTC"}
