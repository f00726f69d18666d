"""Leave applications: the first list has only what was granted, the second all of it."""

from __future__ import annotations

from xero_sandbox.collection import Kind, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.leave import leave_applications as made_up_leave
from xero_sandbox.endpoints.calling import Call
from xero_sandbox.endpoints.listing import listed, select, single
from xero_sandbox.endpoints.payroll import hundred, payroll_get
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


COLLECTIONS: Collections = ((LEAVE_APPLICATIONS, made_up_leave),)
ENDPOINTS = (
    payroll_get(PATH, granted, SCOPE),
    payroll_get(PATH + "/v2", everything, SCOPE),  # before {id}, which would take it
    payroll_get(PATH + "/{id}", leave_application, SCOPE),
)
