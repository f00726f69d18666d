"""What Xero answers of employees and leave: an odd answer ends no run by accident, and leave is made once."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support.between import Between
from tests.support.one_world import world_for_all
from tests.support.paying import Line, Payroll
from xero.api.errors import XeroError
from xero.documents.registry import KINDS


@pytest.fixture(scope="module")
def payroll(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Payroll]:
    with world_for_all(sandbox_url, postgres_url, template) as world:
        made = Payroll(world)
        made.pay_run("post")
        yield made


@pytest.fixture
def between(payroll: Payroll) -> Iterator[Between]:
    made = Between(payroll.world.sandbox)
    yield made
    made.close()


def push(payroll: Payroll, kind: str) -> None:
    """What is raised is declared, and its event closed."""
    with suppress(XeroError):
        payroll.push(kind)
    assert payroll.world.event()["status"] != "running"


def again(payroll: Payroll, table: str) -> None:
    payroll.world.query(f"UPDATE qicworks.{table} SET push_state = 'ready' WHERE push_state = 'failed'")


TEMPLATES: dict[str, Any] = {"number": 5, "text": "x", "list": [1], "true": True, "null": None}


def test_a_pay_template_that_is_none_when_it_is_read_back_is_not_what_was_sent(
    payroll: Payroll, between: Between
) -> None:
    period = payroll.period(1)
    for employee, odd in zip(payroll.paid_by_the_hour(), TEMPLATES.values(), strict=False):
        document = payroll.pay(employee, period, Line(units="30.4"))

        def edit(said: Any, odd: Any = odd) -> None:
            said["Employees"][0]["PayTemplate"] = odd

        between.edit(edit, path=f"/Employees/{employee}", after=1)
        push(payroll, "payroll")
        row = payroll.row("payroll_push", document)
        assert (row["push_state"], "is not what was sent" in row["push_error"]) == ("failed", True), odd
        between.honest()
        again(payroll, "payroll_push")
        push(payroll, "payroll")
        assert payroll.row("payroll_push", document)["push_state"] == "pushed"


def _periods(**fields: Any) -> Any:
    return lambda found: [period.update(fields) for one in found for period in one["LeavePeriods"]]


LEAVE: dict[str, Any] = {
    "a status with NUL": _periods(LeavePeriodStatus="SCHED\x00"),
    "a long status": _periods(LeavePeriodStatus="x" * 100_000),
    "words with NUL": lambda found: found[0].update(ValidationErrors=[{"Message": "a\x00b"}]),
    "long words": lambda found: found[0].update(
        ValidationErrors=[{"Message": "Earnings Rate is not valid " + "x " * 50_000}]
    ),
    "no words": lambda found: found[0].update(ValidationErrors=[5, None, {"Message": 5}]),
    "an id that is none": lambda found: found[0].update(LeaveApplicationID=["x"]),
}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_odd_leave_application_is_no_accident_and_made_once(payroll: Payroll, between: Between, method: str) -> None:
    for place, odd in enumerate(LEAVE.values()):
        first = payroll.start_of(5 + place)
        request = payroll.leave(payroll.paid_by_the_hour()[0 if method == "POST" else 1], first, first)
        between.edit(
            lambda said, odd=odd: odd(said["LeaveApplications"]) and None, path="/LeaveApplications", method=method
        )
        push(payroll, "leave_requests")
        assert len(payroll.row("leave_request", request)["push_error"] or "") < 2000
        between.honest()
        for _ in range(2):
            again(payroll, "leave_request")
            push(payroll, "leave_requests")
        assert_made(payroll, request)


def assert_made(payroll: Payroll, *requests: Any) -> None:
    there = payroll.applications()
    for request in requests:
        row = payroll.row("leave_request", request)
        [found] = [one for one in there if one["Description"].endswith(f"QicWorks {request}")]
        assert (row["push_state"], str(row["xero_id"])) == ("pushed", found["LeaveApplicationID"]), row["push_error"]


ODD_LISTS: dict[str, Any] = {
    "no objects": lambda found: [*(None for _ in found), "x"],
    "without ids": lambda found: [{**one, "LeaveApplicationID": None} for one in found],
    "descriptions that are none": lambda found: [{**one, "Description": [one["Description"]]} for one in found],
}


@pytest.mark.parametrize("odd", ODD_LISTS)
def test_leave_that_cannot_be_read_in_the_list_is_not_made_again(payroll: Payroll, between: Between, odd: str) -> None:
    """Xero made it, and its answer was lost."""
    first = payroll.start_of(20 + list(ODD_LISTS).index(odd))
    request = payroll.leave(payroll.paid_by_the_hour()[2], first, first)
    between.edit(lambda said: {"Status": "OK"}, path="/LeaveApplications", method="POST")
    change = between.change
    made_there: list[str] = []

    def both(method: str, path: str, answer: Any) -> Any:
        if method == "GET" and answer[0] == 200 and "/LeaveApplications" in path and made_there:
            between.edit(
                lambda said: {**said, "LeaveApplications": ODD_LISTS[odd](said["LeaveApplications"])},
                path=path.split("?")[0],
            )
            made, between.change = between.change(method, path, answer), both
            return made
        made_there.extend([path] * (method == "POST" and not path.endswith("/approve")))
        return change(method, path, answer)

    between.change = both
    for _ in range(2):
        push(payroll, "leave_requests")
        again(payroll, "leave_request")
    between.honest()
    for _ in range(2):
        push(payroll, "leave_requests")
        again(payroll, "leave_request")
    push(payroll, "leave_requests")
    assert_made(payroll, request)
    assert len(made_there) == 1


def test_the_id_of_another_leave_request_is_not_believed(payroll: Payroll, between: Between) -> None:
    employee = payroll.paid_by_the_hour()[3]
    first = payroll.leave(employee, payroll.start_of(30), payroll.start_of(30))
    push(payroll, "leave_requests")
    known = str(payroll.row("leave_request", first)["xero_id"])
    second = payroll.leave(employee, payroll.start_of(31), payroll.start_of(31))
    between.edit(
        lambda said: said["LeaveApplications"][0].update(LeaveApplicationID=known),
        path="/LeaveApplications",
        method="POST",
    )
    push(payroll, "leave_requests")
    assert_made(payroll, first, second)


CALENDARS: dict[str, Any] = {
    "nothing": {},
    "a list": [],
    "no list": {"PayrollCalendars": {}},
    "others": {"PayrollCalendars": [None, 7, {"PayrollCalendarID": 7}, {"StartDate": "x"}]},
}


@pytest.mark.parametrize("kind", ["payroll", "leave_requests"])
def test_calendars_that_cannot_be_read_lead_to_no_period(payroll: Payroll, between: Between, kind: str) -> None:
    [employee, *_] = payroll.paid_by_the_hour("FORTNIGHTLY")
    table, start = KINDS[kind].table, payroll.start_of(6)
    if kind == "payroll":
        document = payroll.pay(employee, payroll.period(1, "FORTNIGHTLY"), Line(units="7.6"))
    else:
        document = payroll.leave(employee, start, start)
    for answer in CALENDARS.values():
        between.edit(lambda said, answer=answer: answer, path="/PayrollCalendars")
        payroll.world.calls()
        push(payroll, kind)
        row = payroll.row(table, document)
        assert (row["push_state"], row["xero_id"]) != ("pushed", None), answer
        assert {call["method"] for call in payroll.world.calls()} <= {"GET"}, answer
        between.honest()
        again(payroll, table)
    push(payroll, kind)
    assert payroll.row(table, document)["push_state"] == "pushed"
