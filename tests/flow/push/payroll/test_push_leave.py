"""Leave stands in Xero exactly once and approved, whatever is lost, cut or killed on the way."""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from unittest import mock

import pytest

from tests.support.killing import assert_interrupted, kill_at, moments, of_writes, running, spread
from tests.support.paying import Payroll, day
from tests.support.world import World
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, RetryLater, XeroError

PATH = "/payroll.xro/1.0/LeaveApplications"
DAY = timedelta(1)


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


def units(application: dict[str, Any]) -> list[tuple[date, float, str]]:
    periods = application["LeavePeriods"]
    return [(day(one["PayPeriodStartDate"]), one["NumberOfUnits"], one["LeavePeriodStatus"]) for one in periods]


def assert_once(payroll: Payroll, *requests: Any) -> None:
    """Each stands in Xero once, approved, on its days; and is pushed in QicWorks."""
    there = payroll.applications()
    for request in requests:
        row = payroll.row("leave_request", request)
        [found] = [one for one in there if one["Description"].endswith(f"QicWorks {request}")]
        assert (row["push_state"], str(row["xero_id"])) == ("pushed", found["LeaveApplicationID"]), row["push_error"]
        assert (day(found["StartDate"]), day(found["EndDate"])) == (row["start_date"], row["end_date"])
        assert {status for _, _, status in units(found)} == {"SCHEDULED"}
        assert sum(hours for _, hours, _ in units(found)) == pytest.approx(float(row["hours"]))
    assert payroll.world.query("SELECT 1 FROM xero_sync.push_request WHERE closed_at IS NULL") == []


WAYS = ["SCHEDULED", "REQUESTED", "REQUESTED, then under another id"]


def created(payroll: Payroll, way: str) -> None:
    """How Xero makes leave: approved, or only requested; what is approved may then have another id."""
    status, _, new_id = way.partition(",")
    payroll.world.sandbox.settings(leave_created_as=status, approved_leave_has_new_id=bool(new_id))


@pytest.mark.parametrize("status", WAYS)
def test_it_is_made_approved_and_never_made_again(payroll: Payroll, status: str) -> None:
    created(payroll, status)
    employee, monday = payroll.paid_by_the_hour()[0], payroll.start_of(5)
    long = payroll.leave(employee, monday - DAY * 4, monday + DAY * 1, "30.4", title="t" * 80, notes="n" * 300)
    soon = payroll.leave(employee, monday + DAY * 14, monday + DAY * 14)
    draft = payroll.leave(employee, monday + DAY * 30, monday + DAY * 30, approved=False)
    [shown, _, refused] = payroll.preview("leave_requests")
    assert refused.refused[0][1] == "not sent: it is requested in QicWorks, not approved"
    assert payroll.writes() == [], "a dry run writes nothing"
    assert payroll.push("leave_requests").message == "2 pushed, 1 failed"
    calls = 1 if status == "SCHEDULED" else 2
    assert [call["path"].count("/") for call in payroll.writes()] == ([3, 5][:calls]) * 2
    assert_once(payroll, long, soon)
    found = next(one for one in payroll.applications() if str(long) in one["Description"])
    assert (found["Title"], len(found["Description"])) == ("t" * 49 + "…", 200)
    assert found["Title"] == shown.body[0]["Title"]
    assert units(found) == [(monday - DAY * 7, 15.2, "SCHEDULED"), (monday, 15.2, "SCHEDULED")]
    assert payroll.row("leave_request", draft)["push_state"] == "failed"

    payroll.ready("leave_request", soon)  # unchanged
    payroll.edit("leave_request", long, hours="22.8")
    payroll.ready("leave_request", long)
    payroll.push("leave_requests")
    assert payroll.writes() == []
    assert payroll.row("leave_request", soon)["push_state"] == "pushed"
    row = payroll.row("leave_request", long)
    assert row["push_error"] == "it is already in Xero, where QicWorks cannot change leave"
    assert "reject it in both" in row["push_correction"]
    payroll.edit("leave_request", long, hours="30.4")
    payroll.ready("leave_request", long)
    payroll.push("leave_requests")
    assert_once(payroll, long, soon)
    path = f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications/{found['LeaveApplicationID']}"
    periods = [{**one, "LeavePeriodStatus": "REJECTED"} for one in found["LeavePeriods"]]
    payroll.world.sandbox.control("PATCH", path, {"LeavePeriods": periods})
    payroll.ready("leave_request", long)
    payroll.push("leave_requests")
    assert payroll.row("leave_request", long)["push_error"] == "it was rejected in Xero"
    assert len(payroll.applications()) == 2


@pytest.mark.parametrize("status", WAYS)
def test_what_goes_wrong_on_the_way_makes_it_once(payroll: Payroll, status: str) -> None:
    created(payroll, status)
    one, two = payroll.paid_by_the_hour()[:2]
    week = 5
    for path in (f"{PATH}$", f"{PATH}/.*/approve$")[: 1 if status == "SCHEDULED" else 2]:
        for kind in ("lost_answer", "truncate", "malformed", "cut", "500_saved", "503_saved", "500", "503"):
            week += 1
            first, second = (payroll.leave(who, payroll.start_of(week), payroll.start_of(week)) for who in (one, two))
            payroll.world.fault(kind=kind, method="POST", path=path, times=1)
            with pytest.raises(XeroError, match=r"not available|Unexpected response"):
                payroll.push("leave_requests")
            assert payroll.row("leave_request", second)["push_state"] == "pushed", f"{kind}: the other went on"
            with pytest.raises(XeroError, match="still be processing"):
                payroll.push("leave_requests", quiet=60.0)
            payroll.drain("leave_requests")
            assert_once(payroll, first, second)


def test_killed_at_any_moment_it_is_there_once(payroll: Payroll) -> None:
    """kill -9; the next run is not turned away, and one is enough."""
    world, pushing = payroll.world, partial(payroll.push, "leave_requests")
    world.sandbox.settings(leave_created_as="REQUESTED")
    employee = payroll.paid_by_the_hour()[0]
    weeks = count(5)

    def apply() -> Any:
        week = next(weeks)
        return payroll.leave(employee, payroll.start_of(week), payroll.start_of(week))

    requests = [apply()]
    pushing()
    requests.append(apply())
    passed = moments(world, pushing)
    assert len(of_writes(passed)) == 2 * 2, "making it, and approving it"
    for moment in sorted({*of_writes(passed), *spread(len(passed), 8)}):
        requests.append(apply())
        before = len(payroll.applications())
        assert kill_at(world, moment, pushing), passed[moment - 1]
        assert len(payroll.applications()) - before in (0, 1)
        left_open = running(world)
        payroll.push("leave_requests")
        assert payroll.left("leave_requests") == 0, f"killed at moment {moment}: {passed[moment - 1]}"
        assert_interrupted(world, left_open)
    assert_once(payroll, *requests)
    assert len(payroll.applications()) == len(requests)


def test_where_nobody_can_tell_a_person_looks(payroll: Payroll, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    payroll.world.sandbox.settings(overlapping_leave_refused=False)
    employee = payroll.paid_by_the_hour()[0]
    tenant = payroll.world.sandbox.tenant()

    def lost(week: int, kind: str) -> Any:
        monday = payroll.start_of(week)
        request = payroll.leave(employee, monday, monday)
        payroll.world.fault(kind=kind, method="POST", path=f"{PATH}$", times=1)
        with pytest.raises(XeroError):
            payroll.push("leave_requests")
        return request

    def double(request: Any, **fields: Any) -> None:
        found = next(one for one in payroll.applications() if str(request) in one["Description"])
        copy = {name: value for name, value in found.items() if name != "LeaveApplicationID"}
        payroll.world.sandbox.control("POST", f"organisations/{tenant}/LeaveApplications", {**copy, **fields})

    twice = lost(6, "lost_answer")
    double(twice)
    payroll.push("leave_requests")
    assert (
        payroll.row("leave_request", twice)["push_error"]
        == "Xero has 2 leave applications that match it: check in Xero"
    )

    known = payroll.leave(employee, payroll.start_of(7), payroll.start_of(7))
    payroll.push("leave_requests")
    alike = lost(7, "500")
    double(known, Description="by hand")
    payroll.push("leave_requests")
    assert "may be this one: check in Xero" in payroll.row("leave_request", alike)["push_error"]

    # Without the list of all leave, what is found is found; what is not may be hidden.
    payroll.world.fault(kind="500", method="GET", path=f"{PATH}/v2", times=None)
    there = lost(8, "lost_answer")
    payroll.push("leave_requests")
    assert_once(payroll, there)
    hidden = lost(9, "cut")
    payroll.push("leave_requests")
    assert "does not list leave that is only requested" in payroll.row("leave_request", hidden)["push_error"]
    payroll.world.sandbox.control("DELETE", "faults")

    # What Xero refuses is told in its words, without a name, a title or a note.
    payroll.world.sandbox.settings(overlapping_leave_refused=True)
    unpaid = payroll.codes["Community Service Leave (unpaid)"]
    monday = payroll.start_of(10)
    refused = payroll.leave(employee, monday, monday, leave_type_id=unpaid, title="Jury", notes="Of a murder case")
    payroll.push("leave_requests")
    row = payroll.row("leave_request", refused)
    assert row["push_error"] == "Leave type not assigned to employee"
    assert row["push_correction"]
    told = caplog.text + json.dumps(payroll.world.query("SELECT * FROM xero_sync.connection_event"), default=str)
    told += json.dumps(payroll.world.query("SELECT * FROM xero_sync.push_request"), default=str)
    names = [payroll.employees[employee]["LastName"], "Jury", "murder", "Time off", "By the sea"]
    assert [words for words in names if words in told] == []


@pytest.mark.parametrize("status", WAYS)
def test_what_qicworks_does_not_know_of_is_found_before_it_is_made_again(payroll: Payroll, status: str) -> None:
    created(payroll, status)
    payroll.world.sandbox.settings(overlapping_leave_refused=False)
    one, two, three = payroll.paid_by_the_hour()[:3]
    monday, tenant = payroll.start_of(5), payroll.world.sandbox.tenant()
    restored, limited = payroll.leave(one, monday, monday), payroll.leave(two, monday, monday)
    payroll.push("leave_requests", documents=[str(restored)])
    payroll.edit("leave_request", restored, xero_id=None, xero_status=None, pushed_at=None)  # from an older copy
    payroll.ready("leave_request", restored)
    payroll.world.query("DELETE FROM xero_sync.push_request")

    def saved(client: Any, *arguments: Any, _real: Any = XeroClient.write, **options: Any) -> Any:
        _real(client, *arguments, **options)
        raise RetryLater(1.0, "minute")

    with mock.patch.object(XeroClient, "write", saved), pytest.raises(RetryLater):
        payroll.push("leave_requests", documents=[str(limited)])
    assert payroll.row("leave_request", limited)["push_state"] == "ready", "a 429 says that nothing came of it"

    payroll.world.calls()
    by_hand = {**payroll.applications()[0], "EmployeeID": three, "Description": "by hand"}
    del by_hand["LeaveApplicationID"]
    payroll.world.sandbox.control("POST", f"organisations/{tenant}/LeaveApplications", by_hand)
    same = payroll.leave(three, monday, monday)
    assert "may be this one" in payroll.preview("leave_requests")[-1].refused[0][1]
    assert payroll.writes() == []
    payroll.push("leave_requests")
    assert_once(payroll, restored, limited)
    row = payroll.row("leave_request", same)
    assert "may be this one: check in Xero" in row["push_error"]
    assert f"add 'QicWorks {same}' to the end of its description" in row["push_correction"]
    lists = [call for call in payroll.world.calls() if call["path"].endswith("/LeaveApplications/v2")]
    assert len(lists) == 1, "one look for all"
    [found] = [one for one in payroll.truth("LeaveApplications") if one.get("Description") == "by hand"]
    path = f"organisations/{tenant}/LeaveApplications/{found['LeaveApplicationID']}"
    payroll.world.sandbox.control("PATCH", path, {"Description": f"by hand, QicWorks {same}"})
    payroll.push("leave_requests", retry_failed=True)
    assert_once(payroll, same)

    # A list that is none is not an empty one.
    unseen = payroll.leave(one, monday + DAY * 7, monday + DAY * 7)
    calendars = {"PayrollCalendars": payroll.truth("PayrollCalendars")}
    with (
        mock.patch.object(XeroClient, "get", return_value=mock.Mock(data=calendars | {"LeaveApplications": None})),
        pytest.raises(BadAnswer, match="not a list of leave"),
    ):
        payroll.push("leave_requests")
    assert payroll.row("leave_request", unseen)["push_state"] == "ready"


def test_leave_that_is_not_what_was_sent_fails(payroll: Payroll) -> None:
    one, two, three = payroll.paid_by_the_hour()[:3]
    monday, tenant = payroll.start_of(6), payroll.world.sandbox.tenant()
    other_type = payroll.truth("LeaveTypes")[0]["LeaveTypeID"]

    def meddle(client: Any, *arguments: Any, _real: Any = XeroClient.write, **options: Any) -> Any:
        answer = _real(client, *arguments, **options)
        [made] = answer.data["LeaveApplications"]
        periods = [{**made["LeavePeriods"][0], "NumberOfUnits": 7.5}]
        changes = {one: {"LeavePeriods": periods}, two: {"LeaveTypeID": other_type}, three: {"EndDate": monday_ms}}
        path = f"organisations/{tenant}/LeaveApplications/{made['LeaveApplicationID']}"
        payroll.world.sandbox.control("PATCH", path, changes[made["EmployeeID"]])
        return answer

    monday_ms = f"/Date({int(datetime(*monday.timetuple()[:3], tzinfo=UTC).timestamp() * 1000)}+0000)/"
    requests = [payroll.leave(employee, monday, monday + DAY) for employee in (one, two, three)]
    with mock.patch.object(XeroClient, "write", meddle):
        payroll.push("leave_requests")
    for request in requests:
        row = payroll.row("leave_request", request)
        assert row["push_error"] == "the leave in Xero is not what was sent (days or hours): check in Xero"
        assert row["xero_id"] is not None


def test_leave_that_is_not_approved_any_more_is_not_approved_in_xero(payroll: Payroll) -> None:
    payroll.world.sandbox.settings(leave_created_as="REQUESTED")
    employee, monday = payroll.paid_by_the_hour()[0], payroll.start_of(6)
    request = payroll.leave(employee, monday, monday)
    payroll.world.fault(kind="cut", method="POST", path="/approve$", times=1)
    with pytest.raises(XeroError):
        payroll.push("leave_requests")
    assert payroll.row("leave_request", request)["xero_id"], "it was known before it was to be approved"
    payroll.edit("leave_request", request, status="Rejected")
    payroll.push("leave_requests")
    assert "no longer approved in QicWorks" in payroll.row("leave_request", request)["push_error"]
    assert units(payroll.applications()[0])[0][2] == "REJECTED"
