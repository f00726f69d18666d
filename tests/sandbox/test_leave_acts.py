"""Leave that people enter, approve, reject, pay and edit in Xero itself, and how the app sees it."""

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from tests.support.in_xero import InXero
from tests.support.sandbox import Sandbox

PATH = "/payroll.xro/1.0/LeaveApplications"
HARBOUR = "Harbour & Sons Plumbing Pty Ltd"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def xero(sandbox: Sandbox) -> InXero:
    sandbox.settings(limits=False)
    return InXero(sandbox)


def day(text: str) -> date:
    return datetime.fromtimestamp(int(text[6:-7]) / 1000, UTC).date()


def holiday(xero: InXero, periods: int = 1, **fields: Any) -> dict[str, Any]:
    """Leave on the first weekday of so many pay periods of somebody, the next period being the first of them."""
    calendars = {row["PayrollCalendarID"]: row for row in xero.sandbox.truth("PayrollCalendars")}
    who = next(
        row
        for row in xero.sandbox.truth("Employees")
        if row["LeaveBalances"] and calendars.get(row.get("PayrollCalendarID"), {}).get("CalendarType") == "WEEKLY"
    )
    start = day(calendars[who["PayrollCalendarID"]]["StartDate"]) + timedelta(7)
    return {
        "EmployeeID": who["EmployeeID"],
        "LeaveTypeID": who["LeaveBalances"][0]["LeaveTypeID"],
        "Title": "Reef",
        "StartDate": f"{start}",
        "EndDate": f"{start + timedelta(7 * (periods - 1))}",
        **fields,
    }


def act(xero: InXero, do: str, **order: Any) -> dict[str, Any]:
    (leave,) = xero.act(do, **order)["LeaveApplications"]
    return leave


def entered(xero: InXero, periods: int = 1, status: str = "SCHEDULED") -> dict[str, Any]:
    return act(xero, "enter_leave", fields=holiday(xero, periods), status=status)


def statuses(leave: dict[str, Any]) -> list[str]:
    return [period["LeavePeriodStatus"] for period in leave["LeavePeriods"]]


def units(leave: dict[str, Any]) -> list[float]:
    return [period["NumberOfUnits"] for period in leave["LeavePeriods"]]


def listed(xero: InXero, path: str = PATH, **how: Any) -> list[dict[str, Any]]:
    answer = xero.sandbox.get(path, **how)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["LeaveApplications"])


def words(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["LeaveApplications"][0]["ValidationErrors"][0]["Message"])


def test_each_act_shows_at_xero_with_its_stamp(xero: InXero) -> None:
    asked = entered(xero, status="REQUESTED")
    key = asked["LeaveApplicationID"]
    assert (statuses(asked), units(asked), asked["Title"]) == (["REQUESTED"], [7.6], "Reef")
    assert asked in listed(xero, PATH + "/v2")
    assert asked not in listed(xero)
    later = f"{day(asked['StartDate']) + timedelta(1)}"
    edited = act(xero, "edit_leave", leave=key, fields={"Title": "Bay", "EndDate": later})
    assert (edited["Title"], units(edited), statuses(edited)) == ("Bay", [15.2], ["REQUESTED"])
    approved = act(xero, "approve_leave", leave=key)
    assert (statuses(approved), approved in listed(xero)) == (["SCHEDULED"], True)
    hours = act(xero, "edit_leave", leave=key, units=["3.8"])
    assert hours == {**approved, "UpdatedDateUTC": hours["UpdatedDateUTC"], "LeavePeriods": hours["LeavePeriods"]}
    assert (units(hours), statuses(hours)) == ([3.8], ["SCHEDULED"])
    rejected = act(xero, "reject_leave", leave=key)
    assert (statuses(rejected), rejected in listed(xero)) == (["REJECTED"], False)
    assert listed(xero, f"{PATH}/{key}") == [rejected]
    stamps = [int(one["UpdatedDateUTC"][6:-7]) for one in (asked, edited, approved, hours, rejected)]
    assert stamps == sorted(set(stamps))
    granted = entered(xero)
    assert (statuses(granted), granted in listed(xero)) == (["SCHEDULED"], True)


def test_leave_is_taken_period_by_period(xero: InXero) -> None:
    leave = act(xero, "enter_leave", fields=holiday(xero, 3), units=[7.6, 38, "1.5"])
    key, starts = leave["LeaveApplicationID"], [day(one["PayPeriodStartDate"]) for one in leave["LeavePeriods"]]
    assert units(leave) == [7.6, 38, 1.5]
    first = act(xero, "take_leave", leave=key, periods=[f"{starts[0]}"])
    assert statuses(first) == ["PROCESSED", "SCHEDULED", "SCHEDULED"]
    assert first["UpdatedDateUTC"] > leave["UpdatedDateUTC"]
    paid = "Only leave that is scheduled can be paid"
    assert xero.refused("take_leave", leave=key, periods=[f"{starts[0]}"]) == paid
    assert xero.refused("take_leave", leave=key, periods=[]) == paid
    assert xero.refused("take_leave", leave=key, periods=["2026-01-01"]) == "Invalid leave period"
    assert "requested or scheduled can be rejected" in xero.refused("reject_leave", leave=key)
    assert xero.refused("edit_leave", leave=key, units=[1, 1, 1]) == "Leave that has been paid cannot be changed"
    taken = act(xero, "take_leave", leave=key)
    assert (statuses(taken), units(taken)) == (["PROCESSED"] * 3, [7.6, 38, 1.5])
    assert taken in listed(xero)
    assert xero.refused("take_leave", leave=key) == paid


def test_leave_rejected_since_the_draft_of_its_pay_run_stays_rejected(xero: InXero) -> None:
    leave = entered(xero)
    runs, who = f"organisations/{xero.sandbox.tenant()}/payruns", leave["EmployeeID"]
    calendar = next(row for row in xero.sandbox.truth("Employees") if row["EmployeeID"] == who)["PayrollCalendarID"]
    for order in ("post", "draft"):
        xero.sandbox.control("POST", f"{runs}/{order}", {"calendar": calendar})
    act(xero, "reject_leave", leave=leave["LeaveApplicationID"])
    xero.sandbox.control("POST", f"{runs}/post", {"calendar": calendar})
    assert statuses(listed(xero, f"{PATH}/{leave['LeaveApplicationID']}")[0]) == ["REJECTED"]


def test_what_is_refused_of_acts_on_leave(xero: InXero) -> None:
    fields, leave = holiday(xero), entered(xero)
    key = leave["LeaveApplicationID"]
    for order, said in (
        ({"fields": fields}, "The employee has leave of this type on these days already"),
        ({"fields": {**fields, "Title": ""}}, "Title is required"),
        ({"fields": {**fields, "EmployeeID": NOBODY}}, "Employee could not be found"),
        ({"fields": {**fields, "StartDate": "soon"}}, "Could not convert string to DateTime: soon"),
        ({"fields": {**fields, "Colour": "red"}}, "leave has no Colour"),
        ({"fields": fields, "status": "PROCESSED"}, "status must be one of SCHEDULED, REQUESTED"),
    ):
        assert xero.refused("enter_leave", **order) == said
    assert xero.refused("edit_leave", leave=key, units=[1, 2]) == "Invalid leave period"
    assert xero.refused("edit_leave", leave=key, units=[-1]) == "Invalid leave period"
    assert xero.refused("edit_leave", leave=key) == "fields or units must say what is changed"
    assert xero.refused("approve_leave", leave=key) == "Only leave that is requested can be approved"
    assert leave in listed(xero)
    path = f"{xero.sandbox.url}/sandbox/organisations/{xero.sandbox.tenant()}/bookkeeping"
    unknown = xero.sandbox.session.post(path, json={"do": "reject_leave", "leave": NOBODY})
    assert unknown.status_code == 404
    xero.sandbox.control("PATCH", f"organisations/{xero.sandbox.tenant()}", {"_payroll": False})
    for do, order in (("reject_leave", {"leave": key}), ("enter_leave", {"fields": fields})):
        assert xero.refused(do, **order) == f"{HARBOUR} has no payroll"


@pytest.mark.parametrize(
    ("acts", "approved", "rejected"),
    [
        ((), True, True),
        (("approve_leave",), False, True),
        (("reject_leave",), False, False),
        (("approve_leave", "take_leave"), False, False),
        (("approve_leave", "take one"), False, False),
    ],
)
def test_the_app_approves_what_is_requested_and_rejects_what_is_not_paid(
    xero: InXero, acts: tuple[str, ...], approved: bool, rejected: bool
) -> None:
    xero.sandbox.settings(overlapping_leave_refused=False)
    for verb, allowed, after in (("approve", approved, "SCHEDULED"), ("reject", rejected, "REJECTED")):
        leave = entered(xero, 2, "REQUESTED")
        for do in acts:
            one = {"periods": [f"{day(leave['LeavePeriods'][0]['PayPeriodStartDate'])}"]} if do == "take one" else {}
            leave = act(xero, "take_leave" if one else do, leave=leave["LeaveApplicationID"], **one)
        answer = xero.call("POST", f"{PATH}/{leave['LeaveApplicationID']}/{verb}")
        (now,) = listed(xero, f"{PATH}/{leave['LeaveApplicationID']}")
        if allowed:
            assert answer.json()["LeaveApplications"] == [now]
            assert (statuses(now), now["UpdatedDateUTC"] > leave["UpdatedDateUTC"]) == ([after] * 2, True)
        else:
            wanted = "requested" if verb == "approve" else "requested or scheduled"
            assert words(answer) == f"Only leave that is {wanted} can be {verb.rstrip('e')}ed"
            assert now == leave


def test_an_approved_request_has_another_id_until_it_is_rejected(xero: InXero) -> None:
    xero.sandbox.settings(approved_leave_has_new_id=True)
    asked, granted = entered(xero, status="REQUESTED"), entered_later(xero)
    old = asked["LeaveApplicationID"]
    approved = xero.call("POST", f"{PATH}/{old}/approve").json()["LeaveApplications"][0]
    new = approved["LeaveApplicationID"]
    assert new != old
    unlike = {name for name in asked if asked[name] != approved[name]}
    assert unlike == {"LeaveApplicationID", "LeavePeriods", "UpdatedDateUTC"}
    assert xero.sandbox.get(f"{PATH}/{old}").status_code == 404
    assert [one for one in listed(xero, PATH + "/v2") if one["LeaveApplicationID"] in (old, new)] == [approved]
    rejected = act(xero, "reject_leave", leave=new)
    assert (rejected["LeaveApplicationID"], statuses(rejected)) == (old, ["REJECTED"])
    assert xero.sandbox.get(f"{PATH}/{new}").status_code == 404
    kept = act(xero, "reject_leave", leave=granted["LeaveApplicationID"])  # no request was there before it
    assert kept["LeaveApplicationID"] == granted["LeaveApplicationID"]


def entered_later(xero: InXero) -> dict[str, Any]:
    fields = holiday(xero)
    start = date.fromisoformat(fields["StartDate"]) + timedelta(28)
    return act(xero, "enter_leave", fields={**fields, "StartDate": f"{start}", "EndDate": f"{start}"})


def test_both_lists_are_read_since_a_moment_and_by_hundreds(xero: InXero) -> None:
    xero.sandbox.reset(staff={HARBOUR: 260})
    xero.sandbox.settings(limits=False)
    truth = {leave["LeaveApplicationID"]: leave for leave in xero.sandbox.truth("LeaveApplications")}
    granted = {key for key, leave in truth.items() if {"SCHEDULED", "PROCESSED"} >= set(statuses(leave))}
    assert 100 < len(granted) < 200 < len(truth)
    for path, expected in ((PATH, granted), (PATH + "/v2", set(truth))):
        pages = [[one["LeaveApplicationID"] for one in listed(xero, path, page=page)] for page in (1, 2, 3, 4)]
        assert [len(page) for page in pages] == [
            min(max(len(expected) - first, 0), 100) for first in range(0, 400, 100)
        ]
        assert sorted(key for page in pages for key in page) == sorted(expected)
        newest = [one["UpdatedDateUTC"] for one in listed(xero, path, order="UpdatedDateUTC DESC")]
        assert newest == sorted(newest, reverse=True)
    asked = next(leave for leave in truth.values() if statuses(leave) == ["REQUESTED"])
    act(xero, "approve_leave", leave=asked["LeaveApplicationID"])
    other = next(leave for leave in truth.values() if statuses(leave) == ["SCHEDULED"])
    rejected = act(xero, "reject_leave", leave=other["LeaveApplicationID"])
    now = datetime.fromtimestamp(int(rejected["UpdatedDateUTC"][6:-7]) // 1000, UTC) - timedelta(seconds=60)
    for since in (now.strftime("%Y-%m-%dT%H:%M:%S"), format_datetime(now, usegmt=True)):
        assert [one["LeaveApplicationID"] for one in listed(xero, since=since)] == [asked["LeaveApplicationID"]]
        assert xero.sandbox.get(PATH + "/v2", since=since).status_code == 500
    xero.sandbox.settings(leave_v2_modified_since=True)
    for since in (now.strftime("%Y-%m-%dT%H:%M:%S"), format_datetime(now, usegmt=True)):
        both = {one["LeaveApplicationID"]: statuses(one) for one in listed(xero, PATH + "/v2", since=since)}
        assert both == {asked["LeaveApplicationID"]: ["SCHEDULED"], other["LeaveApplicationID"]: ["REJECTED"]}
    assert xero.sandbox.get(PATH, since="Mon, 99 Nov 2026").status_code == 412
