"""Leave applications: the first list has only what was granted, the second all of it; asked for, changed, approved and
rejected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

from xero_sandbox.collection import Record, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.leave import leave_applications as made_up_leave
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
from xero_sandbox.leave_status import APPROVE, REJECT, Turn, turned
from xero_sandbox.problems import internal_error
from xero_sandbox.taking_leave import LEAVE_APPLICATIONS, drafted
from xero_sandbox.wire import Reply

PATH, SCOPE = "/LeaveApplications", "payroll.employees"


def _granted(row: Row) -> bool:
    return all(period["LeavePeriodStatus"] in ("SCHEDULED", "PROCESSED") for period in row.record["LeavePeriods"])


def granted(call: Call) -> Reply:
    collection = call.organisation.collections["LeaveApplications"]
    rows = select(call, collection, _granted, "granted")
    return listed(call, collection, [row.body for row in hundred(call, rows)])


def everything(call: Call) -> Reply:
    """With If-Modified-Since Xero fails here (XeroAPI/xero-node, issue 644), unless switched to what the specification
    says."""
    if "if-modified-since" in call.headers and not call.world.settings.leave_v2_modified_since:
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
        return drafted(call.organisation.collections, call.world.settings, old, element, earlier)

    return write(call, collection, sent, draft)


def _turned(turn: Turn) -> Callable[[Call], Reply]:
    """POST …/approve or …/reject, without a body."""

    def handle(call: Call) -> Reply:
        collection = call.organisation.collections["LeaveApplications"]
        leave = found(call, collection).record
        try:
            changed = turned(
                call.organisation, call.world.settings, call.world.clock, leave["LeaveApplicationID"], turn
            )
        except ValueError as error:
            raise refusal(collection, [leave], [[str(error)]]) from error
        return answer(call, collection, [changed])

    return handle


COLLECTIONS: Collections = ((LEAVE_APPLICATIONS, made_up_leave),)
ENDPOINTS = (
    payroll_get(PATH, granted, SCOPE),
    payroll_get(PATH + "/v2", everything, SCOPE),  # before {id}, which would take it
    payroll_get(PATH + "/{id}", leave_application, SCOPE),
    payroll_post(PATH, write_leave, SCOPE),
    payroll_post(PATH + "/{id}", write_leave, SCOPE),
    payroll_post(PATH + "/{id}/approve", _turned(APPROVE), SCOPE),
    payroll_post(PATH + "/{id}/reject", _turned(REJECT), SCOPE),
)
