"""Leave requests are followed to their end, and what differs from Xero's leave is said until both agree."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.support.background import in_background
from tests.support.between import Between, Said
from tests.support.following import (
    PATH,
    act,
    differences,
    entered,
    id_in_xero,
    in_xero,
    link,
    pushed,
    state,
    sweep,
)
from tests.support.interrupting import wait_for_waiting
from tests.support.paying import Payroll
from tests.support.reconciling import compare
from tests.support.role import under_role
from tests.support.world import World
from xero.qicworks.database import session
from xero.qicworks.follow.differences import About, Found, Reason
from xero.qicworks.follow.differences import compare as compare_differences

DAY = timedelta(1)
WEEK = 7 * DAY


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


@pytest.fixture
def employees(payroll: Payroll) -> Iterator[str]:
    return iter(payroll.paid_by_the_hour())


def status(payroll: Payroll, document: UUID) -> tuple[str, str]:
    row = payroll.row("leave_request", document)
    return row["status"], row["xero_status"]


def events(payroll: Payroll, document: UUID) -> list[tuple[str, str, str, str | None]]:
    rows = payroll.world.query(
        "SELECT status, outcome, message, correction FROM xero_sync.connection_event"
        " WHERE document_id = %s AND direction = 'pull' AND document_kind = 'leave_requests' ORDER BY id",
        document,
    )
    return [(row["status"], row["outcome"], row["message"], row["correction"]) for row in rows]


def assert_at_rest(payroll: Payroll, calls: int = 1) -> None:
    """Another sweep costs so many calls, and changes nothing."""
    before = state(payroll)
    payroll.world.calls()
    outcome = sweep(payroll)
    assert (outcome.counts.changed, outcome.counts.calls) == (0, calls)
    assert state(payroll) == before


def test_nothing_is_read_before_the_first_request_is_in_xero(payroll: Payroll, employees: Iterator[str]) -> None:
    payroll.leave(next(employees), payroll.start_of(5), payroll.start_of(5))
    payroll.world.calls()
    assert sweep(payroll).counts.calls == 0
    assert payroll.world.rows("leave_application") == {}


def test_a_request_is_current_then_taken(payroll: Payroll, employees: Iterator[str]) -> None:
    """Over two pay periods: it is taken when the second is paid."""
    payroll.pay_run("post")  # of a draft that was made before
    monday = payroll.start_of(1)
    taken = pushed(payroll, next(employees), monday, monday + WEEK, "15.2")
    waiting = pushed(payroll, next(employees), monday + 5 * WEEK, monday + 5 * WEEK)
    sweep(payroll)
    assert status(payroll, taken) == status(payroll, waiting) == ("Current", "SCHEDULED")
    payroll.pay_run("draft")
    payroll.pay_run("post")
    sweep(payroll)
    assert status(payroll, taken) == ("Current", "PROCESSED, SCHEDULED")
    payroll.pay_run("draft")
    payroll.pay_run("post")
    sweep(payroll)
    assert status(payroll, taken) == ("Taken", "PROCESSED")
    assert status(payroll, waiting) == ("Current", "SCHEDULED")
    assert differences(payroll) == []
    assert_at_rest(payroll)
    # Its status is no edit, and is approved: nothing is sent again.
    assert {row["push_state"] for row in (payroll.row("leave_request", one) for one in (taken, waiting))} == {"pushed"}
    payroll.ready("leave_request", waiting)
    payroll.writes()
    payroll.push("leave_requests")
    assert payroll.row("leave_request", waiting)["push_state"] == "pushed"


def test_a_rejection_in_xero_is_said_until_it_is_dealt_with(payroll: Payroll, employees: Iterator[str]) -> None:
    monday = payroll.start_of(5)
    documents = [pushed(payroll, next(employees), monday, monday) for _ in range(4)]
    approved, skipped, draft, deleted = documents
    sweep(payroll)
    for document in documents:
        act(payroll, f"/{id_in_xero(payroll, document)}/reject")
    outcome = sweep(payroll)
    assert (outcome.status, "4 new differences" in outcome.message) == ("warning", True)
    assert [status(payroll, one) for one in documents] == [("Rejected", "REJECTED")] * 4
    assert sorted(differences(payroll)) == sorted((one, "rejected_in_xero") for one in documents)
    [row] = payroll.world.query("SELECT * FROM xero_sync.difference WHERE document_id = %s", approved)
    assert (row["ours"], row["theirs"]) == ({"status": "Current"}, {"status": "REJECTED"})
    [(level, how, message, correction)] = events(payroll, approved)
    assert (level, how, message) == ("warning", "differs", "it was rejected in Xero")
    assert str(correction).startswith("If that was right, set it to Skipped")
    # To follow is not to cancel: nothing is sent to Xero for it.
    assert payroll.world.query("SELECT 1 FROM xero_sync.cancellation") == []
    assert_at_rest(payroll)

    record = in_xero(payroll, approved)
    periods = [{**one, "LeavePeriodStatus": "SCHEDULED"} for one in record["LeavePeriods"]]
    payroll.world.sandbox.change("LeaveApplications", record["LeaveApplicationID"], LeavePeriods=periods)
    payroll.edit("leave_request", skipped, push_state="skipped")
    payroll.edit("leave_request", draft, push_state="draft")
    payroll.world.query("DELETE FROM qicworks.leave_request WHERE id = %s", deleted)
    sweep(payroll)
    assert differences(payroll) == []
    assert status(payroll, approved) == ("Current", "SCHEDULED")
    settled = payroll.world.query("SELECT document_id, settled_how FROM xero_sync.difference")
    assert {row["document_id"]: row["settled_how"] for row in settled} == {
        approved: "agrees",
        skipped: "skipped",
        draft: "cancelled",
        deleted: "gone",
    }
    assert events(payroll, approved)[-1][:2] == ("success", "done")
    assert_at_rest(payroll)


def test_leave_that_has_another_id_in_xero_is_still_the_same(payroll: Payroll, employees: Iterator[str]) -> None:
    """Approved leave has another id than the request that it was, and its own again when it is rejected."""
    payroll.world.sandbox.settings(leave_created_as="REQUESTED", approved_leave_has_new_id=True)
    document = pushed(payroll, next(employees), payroll.start_of(5), payroll.start_of(5))
    approved = id_in_xero(payroll, document)
    sweep(payroll)
    assert status(payroll, document) == ("Current", "SCHEDULED")
    act(payroll, f"/{approved}/reject")
    sweep(payroll)
    assert id_in_xero(payroll, document) != approved
    assert status(payroll, document) == ("Rejected", "REJECTED")
    assert differences(payroll) == [(document, "rejected_in_xero")]
    sweep(payroll, full=True)
    assert differences(payroll) == [(document, "rejected_in_xero")]
    assert_at_rest(payroll)


def test_what_qicworks_cancelled_keeps_its_status(payroll: Payroll, employees: Iterator[str]) -> None:
    monday = payroll.start_of(5)
    both, only_here = (pushed(payroll, next(employees), monday, monday) for _ in range(2))
    sweep(payroll)
    for document in (both, only_here):
        payroll.edit("leave_request", document, status="Rejected")  # the cancellation is on its way
    act(payroll, f"/{id_in_xero(payroll, both)}/reject")
    sweep(payroll)
    assert status(payroll, both) == status(payroll, only_here) == ("Rejected", "SCHEDULED")
    assert differences(payroll) == []
    # It has arrived; and somebody has approved the other one in Xero again.
    payroll.world.query("UPDATE xero_sync.cancellation SET done_at = now()")
    sweep(payroll)
    assert status(payroll, both) == ("Rejected", "REJECTED")
    assert status(payroll, only_here) == ("Rejected", "SCHEDULED")
    assert differences(payroll) == [(only_here, "cancelled_in_qicworks")]
    payroll.push("leave_requests")  # it has not asked Xero, and settles nothing
    assert differences(payroll) == [(only_here, "cancelled_in_qicworks")]
    act(payroll, f"/{id_in_xero(payroll, only_here)}/reject")
    sweep(payroll)
    assert differences(payroll) == []
    assert_at_rest(payroll)


@pytest.mark.parametrize("then", ["another sweep", "a comparison", "a comparison after a sweep that ended early"])
def test_what_a_push_rejects_during_a_sweep_is_left_to_the_next(
    payroll: Payroll, employees: Iterator[str], then: str
) -> None:
    """The sweep has read the leave as it was before."""
    document = pushed(payroll, next(employees), payroll.start_of(5), payroll.start_of(5))
    sweep(payroll)
    payroll.edit("leave_request", document, status="Rejected")
    between, done = Between(payroll.world.sandbox), []

    def push(method: str, path: str, answer: Said) -> None:
        if method == "GET" and f"{PATH}/v2?" in path and not done:
            done.append(path)
            payroll.push("leave_requests")

    between.change = push
    try:
        sweep(payroll, full=True)
    finally:
        between.close()
    assert done
    assert in_xero(payroll, document)["LeavePeriods"][0]["LeavePeriodStatus"] == "REJECTED"
    assert (status(payroll, document), differences(payroll)) == (("Rejected", "REJECTED"), [])
    if then != "another sweep":
        if "early" in then:
            payroll.world.query(
                "INSERT INTO xero_sync.staging (connection_id, data_set, declaration, whole, everything)"
                " VALUES (%s, 'leave_applications', '', true, true)",
                payroll.connection_id,
            )
        payroll.world.query("UPDATE xero_sync.followed_document SET compared = ''")
        compare(payroll.world)
        assert (status(payroll, document), differences(payroll)) == (("Rejected", "REJECTED"), [])
    sweep(payroll)
    assert (status(payroll, document), differences(payroll)) == (("Rejected", "REJECTED"), [])
    assert_at_rest(payroll)


def test_what_qicworks_rejects_during_a_sweep_stays_rejected(payroll: Payroll, employees: Iterator[str]) -> None:
    document = pushed(payroll, next(employees), payroll.start_of(5), payroll.start_of(5))
    with psycopg.connect(payroll.world.database_url) as office:
        office.execute("UPDATE qicworks.leave_request SET status = 'Rejected' WHERE id = %s", [document])
        sweeping = in_background(lambda: sweep(payroll))
        wait_for_waiting(payroll.world)
        office.commit()
        assert sweeping.result().status == "success"
    assert status(payroll, document) == ("Rejected", "SCHEDULED")
    assert len(payroll.world.query("SELECT 1 FROM xero_sync.cancellation WHERE done_at IS NULL")) == 1


def test_a_cancellation_that_is_on_its_way_is_the_push_s(payroll: Payroll, employees: Iterator[str]) -> None:
    """What the push reports of it is not settled by a sweep: of a draft, of a rejected and of a deleted request."""
    monday = payroll.start_of(5)
    draft, rejected, deleted = documents = [pushed(payroll, next(employees), monday, monday) for _ in range(3)]
    sweep(payroll)
    payroll.edit("leave_request", draft, push_state="draft")
    payroll.edit("leave_request", rejected, status="Rejected")
    payroll.world.query("DELETE FROM qicworks.leave_request WHERE id = %s", deleted)
    with session(payroll.world.engine) as db:
        for document in documents:
            about = About(payroll.connection_id, "leave_requests", document, f"leave request {document}")
            compare_differences(db, about, [Found(Reason.CANCELLED_IN_QICWORKS)], [Reason.CANCELLED_IN_QICWORKS])
    sweep(payroll)
    assert {document for document, _ in differences(payroll)} == set(documents)
    payroll.world.query("UPDATE xero_sync.cancellation SET done_at = now()")
    act(payroll, f"/{id_in_xero(payroll, rejected)}/reject")
    sweep(payroll)
    assert {document for document, _ in differences(payroll)} == {draft}


def test_an_edit_in_xero_is_a_difference_field_by_field(payroll: Payroll, employees: Iterator[str]) -> None:
    monday = payroll.start_of(4)
    employee, other = next(employees), next(employees)
    document = pushed(payroll, employee, monday, monday + WEEK + DAY, "30.4")
    sweep(payroll)
    key, before = id_in_xero(payroll, document), in_xero(payroll, document)
    del before["UpdatedDateUTC"]
    first, second = before["LeavePeriods"]
    types = {one["Name"]: one["LeaveTypeID"] for one in payroll.truth("LeaveTypes") if one["CurrentRecord"]}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"EmployeeID": other}, {"employee"}),
        ({"LeaveTypeID": types["Long Service Leave"]}, {"leave type"}),
        ({"StartDate": f"/Date({int(before['StartDate'][6:19]) + 86_400_000}+0000)/"}, {"start date"}),
        ({"EndDate": f"/Date({int(before['EndDate'][6:19]) + 86_400_000}+0000)/"}, {"end date"}),
        (
            {"LeavePeriods": [{**first, "NumberOfUnits": 1}, second]},
            {f"hours of the period from {monday.isoformat()}"},
        ),
        ({"LeavePeriods": [first]}, {f"hours of the period from {(monday + WEEK).isoformat()}"}),
        (
            {
                "LeavePeriods": [
                    {**first, "LeavePeriodStatus": "REQUESTED"},
                    {**second, "LeavePeriodStatus": "REQUESTED"},
                ]
            },
            {"approval"},
        ),
    ]
    assert cases
    for changes, fields in cases:
        payroll.world.sandbox.change("LeaveApplications", key, **changes)
        sweep(payroll)
        assert differences(payroll) == [(document, "edited_in_xero")], fields
        [row] = payroll.world.query("SELECT ours, theirs FROM xero_sync.difference WHERE settled_at IS NULL")
        assert (set(row["ours"]), set(row["theirs"])) == (fields, fields)
        assert_at_rest(payroll)
        payroll.world.sandbox.change("LeaveApplications", key, **before)
        sweep(payroll)
        assert differences(payroll) == [], fields
    # What was edited and then rejected does not agree for it.
    payroll.world.sandbox.change("LeaveApplications", key, **cases[2][0])
    sweep(payroll)
    act(payroll, f"/{key}/reject")
    sweep(payroll)
    assert differences(payroll) == [(document, "edited_in_xero"), (document, "rejected_in_xero")]
    payroll.world.sandbox.change("LeaveApplications", key, **before)
    sweep(payroll)
    assert differences(payroll) == []
    told = [message for _, _, message, _ in events(payroll, document)]
    assert f"it was changed in Xero after it was pushed: hours of the period from {monday.isoformat()}" in told
    assert told
    assert not any(one in json.dumps(told) for one in (employee, other))
    # Where the employee's calendar has changed since, only all hours can be compared.
    calendar = payroll.calendar("FORTNIGHTLY")
    payroll.world.query(
        "UPDATE qicworks.staff SET payroll_calendar_xero_id = %s WHERE id = %s", calendar, payroll.staff[employee]
    )
    payroll.world.sandbox.change("LeaveApplications", key, Title="Another title")
    payroll.world.query("DELETE FROM xero_sync.followed_document")
    sweep(payroll)
    assert differences(payroll) == []


def test_an_edit_in_qicworks_that_is_not_sent_is_a_difference(payroll: Payroll, employees: Iterator[str]) -> None:
    monday = payroll.start_of(5)
    document = pushed(payroll, next(employees), monday, monday)
    sweep(payroll)
    payroll.edit("leave_request", document, hours="3.8")
    sweep(payroll)
    assert differences(payroll) == [], "it is to be pushed within the hour"
    payroll.world.query("ALTER TABLE qicworks.leave_request DISABLE TRIGGER USER")
    payroll.world.query("UPDATE qicworks.leave_request SET updated_at = now() - interval '61 minutes'")
    payroll.world.query("ALTER TABLE qicworks.leave_request ENABLE TRIGGER USER")
    sweep(payroll)
    assert differences(payroll) == [(document, "edited_in_qicworks")]
    payroll.ready("leave_request", document)
    payroll.push("leave_requests")
    assert payroll.row("leave_request", document)["push_state"] == "failed", "leave cannot be changed there"
    sweep(payroll)
    assert differences(payroll) == [(document, "edited_in_qicworks")]
    assert_at_rest(payroll)

    # Somebody makes the same change in Xero: it counts as pushed, with a seal.
    record = in_xero(payroll, document)
    periods = [{**one, "NumberOfUnits": 3.8} for one in record["LeavePeriods"]]
    payroll.world.sandbox.change("LeaveApplications", record["LeaveApplicationID"], LeavePeriods=periods)
    sweep(payroll)
    assert differences(payroll) == []
    row = payroll.row("leave_request", document)
    assert (row["push_state"], row["push_error"], row["push_correction"]) == ("pushed", None, None)
    assert_at_rest(payroll)
    assert "not proven" not in str(payroll.world.query("SELECT message FROM xero_sync.connection_event"))
    compare(payroll.world)
    assert "not proven" not in str(payroll.world.query("SELECT message FROM xero_sync.connection_event"))


def test_what_was_never_as_it_was_sent_is_no_edit(payroll: Payroll, employees: Iterator[str]) -> None:
    """And what is not approved, or names another request, does not count as pushed."""
    monday = payroll.start_of(5)
    document = payroll.leave(next(employees), monday, monday)
    payroll.push("leave_requests")
    payroll.world.query("DELETE FROM xero_sync.document_link")
    payroll.edit("leave_request", document, push_state="failed", push_error="the leave in Xero is not what was sent")
    record = in_xero(payroll, document)
    del record["UpdatedDateUTC"]
    longer = [{**one, "NumberOfUnits": 7} for one in record["LeavePeriods"]]
    payroll.world.sandbox.change("LeaveApplications", record["LeaveApplicationID"], LeavePeriods=longer)
    sweep(payroll)
    assert differences(payroll) == [(document, "amounts_differ")]
    described = record["Description"]
    payroll.world.sandbox.change(
        "LeaveApplications", record["LeaveApplicationID"], **{**record, "Description": "Another matter"}
    )
    sweep(payroll)
    assert (differences(payroll), payroll.row("leave_request", document)["push_state"]) == ([], "failed")
    payroll.edit("leave_request", document, approved_version=None)
    payroll.world.sandbox.change("LeaveApplications", record["LeaveApplicationID"], Description=described)
    sweep(payroll)
    assert payroll.row("leave_request", document)["push_state"] == "failed"
    payroll.edit("leave_request", document, approved_version=payroll.row("leave_request", document)["push_version"])
    sweep(payroll)
    assert payroll.row("leave_request", document)["push_state"] == "pushed"


def test_leave_that_xero_no_longer_has_is_missing_after_a_full_reading(
    payroll: Payroll, employees: Iterator[str]
) -> None:
    monday, tenant = payroll.start_of(5), payroll.world.sandbox.tenant()
    gone, never_read, there = (pushed(payroll, next(employees), monday, monday) for _ in range(3))
    remove = f"organisations/{tenant}/LeaveApplications/"
    payroll.world.sandbox.control("DELETE", remove + id_in_xero(payroll, never_read))
    sweep(payroll)
    record = in_xero(payroll, gone)
    payroll.world.sandbox.control("DELETE", remove + record["LeaveApplicationID"])
    sweep(payroll)
    assert (gone, "missing_in_xero") not in differences(payroll), "a reading of changes cannot say so"
    outcome = sweep(payroll, full=True)
    assert outcome.counts.deactivated == 1
    assert set(differences(payroll)) == {(gone, "missing_in_xero"), (never_read, "missing_in_xero")}
    assert_at_rest(payroll)
    payroll.world.sandbox.control("POST", remove.rstrip("/"), record)
    sweep(payroll)
    payroll.edit("leave_request", never_read, push_state="skipped")
    sweep(payroll)
    assert (differences(payroll), status(payroll, there)) == ([], ("Current", "SCHEDULED"))


def test_leave_that_was_entered_in_xero_is_shown_where_it_overlaps(payroll: Payroll, employees: Iterator[str]) -> None:
    """However long ago it was entered; and of employees who had no request before."""
    monday, [employee, other, *_] = payroll.start_of(5), list(employees)
    sick = entered(payroll, employee, monday + DAY, monday + 2 * DAY)
    apart = entered(payroll, employee, monday + 4 * DAY, monday + 4 * DAY)
    later = entered(payroll, other, monday, monday)
    document = pushed(payroll, employee, monday, monday + 2 * DAY, "22.8")
    draft = payroll.leave(employee, monday + 2 * DAY, monday + 3 * DAY, approved=False, push_state="draft")
    payroll.edit("leave_request", draft, push_state="draft")
    sweep(payroll)
    assert sorted(differences(payroll)) == sorted([(document, "overlapping_leave"), (draft, "overlapping_leave")])
    [row] = payroll.world.query("SELECT * FROM xero_sync.difference WHERE document_id = %s", document)
    assert row["subject"] == sick
    assert row["ours"] == {"days": f"{monday} to {monday + 2 * DAY}"}
    assert row["theirs"] == {"days": f"{monday + DAY} to {monday + 2 * DAY}"}
    held = payroll.world.rows("leave_application")
    assert {sick, apart} <= held.keys()
    assert later not in held, "nobody needs to know of it"
    assert_at_rest(payroll)
    act(payroll, f"/{sick}/reject")
    sweep(payroll)
    assert differences(payroll) == []

    first = pushed(payroll, other, monday, monday)
    sweep(payroll)
    assert {later, id_in_xero(payroll, first)} <= payroll.world.rows("leave_application").keys()
    assert differences(payroll) == [(first, "overlapping_leave")]
    assert_at_rest(payroll)
    payroll.edit("leave_request", first, push_state="skipped")
    sweep(payroll)
    assert differences(payroll) == []


def test_leave_of_a_deleted_request_that_is_in_force_again_is_shown_where_it_overlaps(
    payroll: Payroll, employees: Iterator[str]
) -> None:
    """Not while its cancellation is on its way; nor by a reading that began before it arrived."""
    monday, employee = payroll.start_of(5), next(employees)
    payroll.world.sandbox.settings(overlapping_leave_refused=False)
    deleted, _ = pushed(payroll, employee, monday, monday), pushed(payroll, next(employees), monday, monday)
    sweep(payroll)
    record = in_xero(payroll, deleted)
    payroll.world.query("DELETE FROM qicworks.leave_request WHERE id = %s", deleted)
    document = payroll.leave(employee, monday, monday, push_state="draft", approved=False)
    sweep(payroll, full=True)
    assert differences(payroll) == []
    payroll.world.query("UPDATE xero_sync.cancellation SET done_at = now() + interval '1 hour'")
    sweep(payroll, full=True)
    assert differences(payroll) == []
    payroll.world.query("UPDATE xero_sync.cancellation SET done_at = now()")
    sweep(payroll, full=True)
    assert differences(payroll) == [(document, "overlapping_leave")]
    act(payroll, f"/{record['LeaveApplicationID']}/reject")
    sweep(payroll)
    assert differences(payroll) == []


@pytest.fixture
def crowded(payroll: Payroll, employees: Iterator[str]) -> tuple[Payroll, UUID]:
    """2,000 leave applications in Xero, entered over the last weeks, and a request after them."""
    sandbox, employee = payroll.world.sandbox, next(employees)
    document = pushed(payroll, next(employees), payroll.start_of(5), payroll.start_of(5))
    one = in_xero(payroll, document)
    del one["LeaveApplicationID"], one["UpdatedDateUTC"]
    path = f"organisations/{sandbox.tenant()}/LeaveApplications"
    for number in range(2_000):
        if number % 50 == 0:
            sandbox.control("PUT", "clock", {"offset_seconds": -(40 - number // 50) * 86_400})
        sandbox.control("POST", path, {**one, "EmployeeID": employee, "Description": f"number {number}"})
    sandbox.control("PUT", "clock", {"offset_seconds": 0})
    return payroll, document


def test_two_thousand_applications_cost_a_call_where_nothing_changed(crowded: tuple[Payroll, UUID]) -> None:
    payroll, document = crowded
    payroll.world.calls()
    first = sweep(payroll)
    assert (first.status, first.counts.calls) == ("success", 21)
    assert_at_rest(payroll)
    for key in list(payroll.world.sandbox.truth("LeaveApplications"))[:150]:
        payroll.world.sandbox.change("LeaveApplications", key["LeaveApplicationID"], Title="Changed")
    act(payroll, f"/{id_in_xero(payroll, document)}/reject")
    assert sweep(payroll).counts.calls == 2
    assert status(payroll, document) == ("Rejected", "REJECTED")


def test_where_xero_does_not_sort_all_is_read(crowded: tuple[Payroll, UUID]) -> None:
    payroll, document = crowded
    payroll.world.sandbox.settings(sorts=False)
    sweep(payroll)
    act(payroll, f"/{id_in_xero(payroll, document)}/reject")
    payroll.world.calls()
    outcome = sweep(payroll)
    assert outcome.counts.calls == 21
    assert "does not sort" in outcome.message
    assert status(payroll, document) == ("Rejected", "REJECTED")


@pytest.mark.parametrize("full", [False, True])
def test_leave_that_changes_while_pages_are_read_is_not_lost(
    payroll: Payroll, employees: Iterator[str], full: bool
) -> None:
    monday, names = payroll.start_of(3), [next(employees) for _ in range(3)]
    documents = [
        payroll.leave(name, monday + week * WEEK, monday + week * WEEK) for week in range(80) for name in names
    ]
    link(payroll, documents)
    sweep(payroll)
    assert differences(payroll) == []
    assert len(payroll.world.rows("leave_application")) >= len(documents)
    sandbox, tenant, random = payroll.world.sandbox, payroll.world.sandbox.tenant(), Random(7)
    for one in documents:  # all are newer than the cursor: the reading has three pages
        sandbox.change("LeaveApplications", id_in_xero(payroll, one), Title="Changed")
    sandbox.control(
        "PUT", "drift", {"tenant": tenant, "collection": "LeaveApplications", "changes_per_page": 40, "total": 120}
    )
    rejected = random.sample(documents, 20)
    for one in rejected:
        act(payroll, f"/{id_in_xero(payroll, one)}/reject")
    sweep(payroll, full=full)
    assert [reason for _, reason in differences(payroll) if reason == "missing_in_xero"] == []
    sandbox.control("DELETE", "drift")
    sweep(payroll)
    assert {one: status(payroll, one)[0] for one in documents} == {
        one: "Rejected" if one in rejected else "Current" for one in documents
    }
    assert set(differences(payroll)) == {(one, "rejected_in_xero") for one in rejected}


@pytest.mark.parametrize("skip", [0, 1])
def test_where_the_list_of_all_fails_approved_leave_and_own_requests_are_read(
    payroll: Payroll, employees: Iterator[str], skip: int
) -> None:
    """On its first page, or on a later one."""
    monday, tenant = payroll.start_of(5), payroll.world.sandbox.tenant()
    rejected, edited, gone = (pushed(payroll, next(employees), monday, monday) for _ in range(3))
    one = in_xero(payroll, edited)
    del one["LeaveApplicationID"], one["UpdatedDateUTC"], one["Description"]
    one["EmployeeID"] = next(employees)
    for _ in range(100 * skip):
        payroll.world.sandbox.control("POST", f"organisations/{tenant}/LeaveApplications", one)
    sweep(payroll)
    known = payroll.world.query("SELECT high_water FROM xero_sync.cursor WHERE data_set = 'leave_applications'")
    for document in (rejected, edited, gone):
        payroll.world.sandbox.change("LeaveApplications", id_in_xero(payroll, document), Title="Changed")
    act(payroll, f"/{id_in_xero(payroll, rejected)}/reject")
    record = in_xero(payroll, edited)
    periods = [{**period, "NumberOfUnits": 1} for period in record["LeavePeriods"]]
    payroll.world.sandbox.change("LeaveApplications", record["LeaveApplicationID"], LeavePeriods=periods)
    payroll.world.sandbox.control("DELETE", f"organisations/{tenant}/LeaveApplications/{id_in_xero(payroll, gone)}")
    payroll.world.fault(kind="500", path=f"{PATH}/v2", skip=skip, times=None)
    for full in (False, True):
        outcome = sweep(payroll, full=full)
        assert outcome.status == "warning"
        assert "Only the records of /payroll.xro/1.0/LeaveApplications were read" in outcome.message
        assert set(differences(payroll)) == {(rejected, "rejected_in_xero"), (edited, "edited_in_xero")}
        assert status(payroll, rejected) == ("Rejected", "REJECTED")
        assert all(row["missing_since"] is None for row in payroll.world.rows("leave_application").values())
    assert payroll.world.query("SELECT high_water FROM xero_sync.cursor WHERE data_set = 'leave_applications'") == known
    assert compare(payroll.world, backoff=(0.01, 0.01)).status in ("success", "warning")
    payroll.world.sandbox.control("DELETE", "faults")
    sweep(payroll, full=True)
    assert (gone, "missing_in_xero") in differences(payroll)


def test_any_course_of_changes_ends_in_the_state_of_xero(payroll: Payroll, employees: Iterator[str]) -> None:
    """After each sweep the requests have Xero's status, and a difference is open exactly where one is rejected."""
    random = Random(11)
    documents = [pushed(payroll, next(employees), monday, monday) for monday in map(payroll.start_of, (5, 6, 7, 8))]
    statuses = {"SCHEDULED": "Current", "PROCESSED": "Taken", "REJECTED": "Rejected"}
    for _ in range(10):
        for document in random.sample(documents, random.randint(1, 3)):
            record, now = in_xero(payroll, document), random.choice(list(statuses))
            periods = [{**period, "LeavePeriodStatus": now} for period in record["LeavePeriods"]]
            payroll.world.sandbox.change("LeaveApplications", record["LeaveApplicationID"], LeavePeriods=periods)
        sweep(payroll, full=random.random() < 0.2)
        there = {document: in_xero(payroll, document)["LeavePeriods"][0]["LeavePeriodStatus"] for document in documents}
        assert {document: status(payroll, document) for document in documents} == {
            document: (statuses[now], now) for document, now in there.items()
        }
        assert set(differences(payroll)) == {
            (document, "rejected_in_xero") for document, now in there.items() if now == "REJECTED"
        }
    assert_at_rest(payroll)


def test_no_title_no_note_and_no_name_is_kept(
    payroll: Payroll, employees: Iterator[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monday, employee = payroll.start_of(5), next(employees)
    document = pushed(payroll, employee, monday, monday, title="Jury duty", notes="Of a murder case")
    sick = entered(payroll, employee, monday, monday)
    odd = entered(payroll, employee, monday + WEEK, monday + WEEK)
    payroll.world.sandbox.change(
        "LeaveApplications", sick, StartDate="A private date", LeavePeriods=["A private period"]
    )
    sweep(payroll)
    assert odd in payroll.world.rows("leave_application")
    [rejection] = payroll.world.query("SELECT * FROM xero_sync.rejection")
    assert rejection["key"] == sick
    act(payroll, f"/{id_in_xero(payroll, document)}/reject")
    sweep(payroll)
    assert differences(payroll)
    tables = payroll.world.query(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        " WHERE table_schema IN ('qicworks', 'xero_sync') AND table_name NOT IN ('leave_request', 'staff')"
        "   AND table_type = 'BASE TABLE' AND table_name !~ 'yoyo'"
    )
    assert len(tables) > 40
    kept = caplog.text + "".join(
        json.dumps(payroll.world.query(f"SELECT * FROM {row['name']}"), default=str) for row in tables
    )
    words = ["Jury", "murder", "Surgery", "private matter", "private period", payroll.employees[employee]["LastName"]]
    assert [word for word in words if word in kept] == []


def test_a_person_s_leave_is_exported_erased_and_not_read_again(payroll: Payroll, employees: Iterator[str]) -> None:
    world, monday, employee = payroll.world, payroll.start_of(5), next(employees)
    document = pushed(payroll, employee, monday, monday)
    sick = entered(payroll, employee, monday, monday)
    other = pushed(payroll, next(employees), monday, monday)
    sweep(payroll)
    own = {sick, id_in_xero(payroll, document)}
    [person] = json.loads(world.main("person", "export", "--staff", employee).stdout)["persons"]
    held = {part["table"]: part["rows"] for part in person["held"]}
    assert own <= {row["xero_id"] for row in held["qicworks.leave_application"]}
    erased = world.main("person", "erase", "--staff", employee, "--yes")
    assert (erased.returncode, "qicworks.leave_application" in erased.stdout) == (0, True)

    def kept() -> list[dict[str, Any]]:
        rows = world.rows("leave_application").values()
        return [row for row in rows if str(row["employee_xero_id"]) == employee]

    act(payroll, f"/{sick}/reject")
    world.calls()
    for full in (True, False):
        sweep(payroll, full=full)
        assert {str(row["xero_id"]) for row in kept()} >= own
        for row in kept():
            emptied = ("leave_type_xero_id", "reference", "start_date", "end_date", "status", "content")
            assert [row[name] for name in emptied] == [None] * len(emptied)
            assert not row["is_active"]
    assert [call["path"] for call in world.calls() if any(id in call["path"] for id in own)] == []
    assert [reason for _, reason in differences(payroll) if reason == "missing_in_xero"] == []
    assert status(payroll, other) == ("Current", "SCHEDULED")


def test_what_moved_to_another_organisation_is_settled(payroll: Payroll, employees: Iterator[str]) -> None:
    document = pushed(payroll, next(employees), payroll.start_of(5), payroll.start_of(5))
    sweep(payroll)
    act(payroll, f"/{id_in_xero(payroll, document)}/reject")
    sweep(payroll)
    assert differences(payroll) == [(document, "rejected_in_xero")]
    payroll.world.query(
        "UPDATE qicworks.leave_request SET organisation_id ="
        " (SELECT organisation_id FROM xero_sync.connection WHERE id = %s) WHERE id = %s",
        payroll.world.connection_id(1),
        document,
    )
    sweep(payroll)
    assert differences(payroll) == []
    assert [row["settled_how"] for row in payroll.world.query("SELECT settled_how FROM xero_sync.difference")] == [
        "gone"
    ]


def test_it_runs_with_the_rights_of_the_role(payroll: Payroll, employees: Iterator[str]) -> None:
    monday = payroll.start_of(5)
    document = pushed(payroll, next(employees), monday, monday)
    with under_role(payroll.world) as sync:
        sync.pull("leave_applications")
        act(payroll, f"/{id_in_xero(payroll, document)}/reject")
        sync.pull("leave_applications")
        assert status(payroll, document) == ("Rejected", "REJECTED")
        payroll.edit("leave_request", document, push_state="failed")
        record = in_xero(payroll, document)
        periods = [{**one, "LeavePeriodStatus": "SCHEDULED"} for one in record["LeavePeriods"]]
        payroll.world.sandbox.change("LeaveApplications", record["LeaveApplicationID"], LeavePeriods=periods)
        sync.pull("leave_applications")
        assert payroll.row("leave_request", document)["push_state"] == "pushed"
    assert differences(payroll) == []


def test_days_are_compared_to_the_day(payroll: Payroll, employees: Iterator[str]) -> None:
    """A day before and a day after do not overlap; a shared first or last day does."""
    employee = next(employees)
    cases = {(-3, -1): False, (5, 6): False, (-2, 0): True, (4, 7): True, (1, 2): True, (-1, 6): True}
    for nth, ((first, last), overlaps) in enumerate(cases.items()):
        start = payroll.start_of(6 + 3 * nth)
        before = len(differences(payroll))
        entered(payroll, employee, start + first * DAY, start + last * DAY)
        pushed(payroll, employee, start, start + 4 * DAY, "38")
        sweep(payroll)
        assert len(differences(payroll)) == before + overlaps, (first, last)
