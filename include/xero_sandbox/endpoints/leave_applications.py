"""Leave applications: the first list has only what was granted, the second all of it; asked for, changed, approved and
rejected."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from xero_sandbox import taking_leave
from xero_sandbox.collection import Kind, Record, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.leave import leave_applications as made_up_leave
from xero_sandbox.data.pay_runs import wire_date
from xero_sandbox.endpoints.calling import Call
from xero_sandbox.endpoints.listing import listed, select, single
from xero_sandbox.endpoints.payroll import (
    answer,
    elements,
    found,
    hundred,
    payroll_get,
    payroll_post,
    refusal,
    write,
)
from xero_sandbox.payroll_values import read_day
from xero_sandbox.problems import internal_error
from xero_sandbox.wire import Reply

PATH, SCOPE = "/LeaveApplications", "payroll.employees"
LEAVE_APPLICATIONS = Kind("LeaveApplications", "LeaveApplicationID", "PayOutType", name="Title")


def _granted(row: Row) -> bool:
    return all(period["LeavePeriodStatus"] in ("SCHEDULED", "PROCESSED") for period in row.record["LeavePeriods"])


def granted(call: Call) -> Reply:
    collection = call.organisation.collections["LeaveApplications"]
    rows = select(call, collection, _granted, "granted")
    return listed(call, collection, [row.body for row in hundred(call, rows)])


def everything(call: Call) -> Reply:
    """With If-Modified-Since Xero fails here, too."""
    if "if-modified-since" in call.headers:
        raise internal_error()
    collection = call.organisation.collections["LeaveApplications"]
    return listed(call, collection, [row.body for row in hundred(call, select(call, collection))])


def leave_application(call: Call) -> Reply:
    return single(call, call.organisation.collections["LeaveApplications"])


def write_leave(call: Call) -> Reply:
    """POST of an array. Without a LeaveApplicationID there is a new one; with the path's id only that one is meant."""
    collection, sent = call.organisation.collections["LeaveApplications"], elements(call)
    only = found(call, collection).key if call.parts else ""

    def draft(element: Record, earlier: Sequence[Record]) -> tuple[Record, list[str]]:
        key = str(element.get("LeaveApplicationID") or only).lower()
        if key and (key not in collection.rows or only not in ("", key)):
            return {}, ["Leave application could not be found"]
        old = collection.rows[key].record if key else {"LeaveApplicationID": str(uuid4())}
        if "PROCESSED" in _statuses(old):
            return {}, ["Leave that has been paid cannot be changed"]
        return _drafted(call, old, element, earlier)

    return write(call, collection, sent, draft)


def _drafted(call: Call, old: Record, sent: Record, earlier: Sequence[Record]) -> tuple[Record, list[str]]:
    """The fields to write, and the error messages. Fields that are left out stay the same."""
    collections, settings = call.organisation.collections, call.world.settings
    fields = {name: sent[name] for name in taking_leave.FIELDS if sent.get(name) is not None}
    fields |= {name: str(fields[name]).lower() for name in ("EmployeeID", "LeaveTypeID") if name in fields}
    fields |= {name: wire_date(read_day(fields[name])) for name in ("StartDate", "EndDate") if name in fields}
    leave = {"PayOutType": "DEFAULT", **old, **fields}
    words = list(taking_leave.field_faults(leave)) or list(taking_leave.employee_faults(leave, collections))
    if words:
        return {}, words
    others = [row.record for row in collections["LeaveApplications"].by_key()]
    if settings.overlapping_leave_refused and taking_leave.overlaps(leave, [*others, *filter(None, earlier)]):
        return {}, [taking_leave.OVERLAPS]
    spans = taking_leave.periods(leave, collections)
    if sent.get("LeavePeriods") or ("LeavePeriods" in old and not {"StartDate", "EndDate"} & set(fields)):
        periods = taking_leave.sent_periods(sent.get("LeavePeriods") or old["LeavePeriods"], spans)
        if periods is None:
            return {}, [taking_leave.WRONG_PERIOD]
    else:
        kind = collections["LeaveTypes"].rows[leave["LeaveTypeID"]].record
        periods = taking_leave.made_periods(leave, spans, kind["TypeOfUnits"])
    status = min(_statuses(old), default=settings.leave_created_as)
    leave["LeavePeriods"] = [{**period, "LeavePeriodStatus": status} for period in periods]
    leave.pop("UpdatedDateUTC", None)
    return leave, []


def _statuses(leave: Record) -> set[str]:
    return {period["LeavePeriodStatus"] for period in leave.get("LeavePeriods", ())}


def approve(call: Call) -> Reply:
    return _turn(call, {"REQUESTED"}, "SCHEDULED", "Only leave that is requested can be approved")


def reject(call: Call) -> Reply:
    words = "Only leave that is requested or scheduled can be rejected"
    return _turn(call, {"REQUESTED", "SCHEDULED"}, "REJECTED", words)


def _turn(call: Call, before: set[str], after: str, words: str) -> Reply:
    collection = call.organisation.collections["LeaveApplications"]
    leave = found(call, collection).record
    if not _statuses(leave) <= before:
        raise refusal(collection, [leave], [[words]])
    periods = [{**period, "LeavePeriodStatus": after} for period in leave["LeavePeriods"]]
    changed = collection.change(leave["LeaveApplicationID"], {"LeavePeriods": periods}, call.world.clock)
    return answer(call, collection, [changed])


COLLECTIONS: Collections = ((LEAVE_APPLICATIONS, made_up_leave),)
ENDPOINTS = (
    payroll_get(PATH, granted, SCOPE),
    payroll_get(PATH + "/v2", everything, SCOPE),  # before {id}, which would take it
    payroll_get(PATH + "/{id}", leave_application, SCOPE),
    payroll_post(PATH, write_leave, SCOPE),
    payroll_post(PATH + "/{id}", write_leave, SCOPE),
    payroll_post(PATH + "/{id}/approve", approve, SCOPE),
    payroll_post(PATH + "/{id}/reject", reject, SCOPE),
)
