"""Leave in Xero as people there change it, and the differences that are open."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.support.paying import Payroll
from tests.support.world import World
from xero.sync.runs.outcome import Outcome

PATH = "/payroll.xro/1.0/LeaveApplications"


def sweep(payroll: Payroll, **how: Any) -> Outcome:
    return payroll.world.pull("leave_applications", payroll.organisation, **how)


def own_leave(world: World, organisation: int = 0) -> list[str]:
    """All leave in Xero is of QicWorks' requests, of which one is there in any case. Their ids in Xero."""
    there = [row["LeaveApplicationID"] for row in world.sandbox.truth("LeaveApplications", organisation)]
    world.query(
        "WITH member AS (INSERT INTO qicworks.staff (organisation_id, first_name, last_name)"
        "                SELECT organisation_id, 'Own', 'Staff' FROM xero_sync.connection WHERE id = %s RETURNING *)"
        " INSERT INTO qicworks.leave_request"
        "        (organisation_id, staff_id, start_date, end_date, hours, push_state, xero_id, pushed_at)"
        " SELECT organisation_id, id, '2020-01-06', '2020-01-06', 8, 'failed', key::uuid, '2020-01-06Z'"
        "   FROM member, unnest(%s::text[]) AS key",
        world.connection_id(organisation),
        there or [str(uuid4())],
    )
    return there


def wire(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def pushed(payroll: Payroll, employee: str, first: date, last: date, hours: str = "7.6", **columns: Any) -> UUID:
    """A request that is in Xero."""
    document = payroll.leave(employee, first, last, hours, **columns)
    payroll.push("leave_requests")
    assert payroll.row("leave_request", document)["push_state"] == "pushed"
    return document


def link(payroll: Payroll, documents: list[UUID]) -> None:
    """The same of many requests of one day on which a week begins, without a push of each."""
    sandbox = payroll.world.sandbox
    types = {one["Name"]: one["LeaveTypeID"] for one in payroll.truth("LeaveTypes") if one["CurrentRecord"]}
    employees = {id: key for key, id in payroll.staff.items()}
    for document in documents:
        row = payroll.row("leave_request", document)
        period = {
            "PayPeriodStartDate": wire(row["start_date"]),
            "PayPeriodEndDate": wire(row["start_date"] + timedelta(6)),
            "NumberOfUnits": float(row["hours"]),
            "LeavePeriodStatus": "SCHEDULED",
        }
        leave = {
            "EmployeeID": employees[row["staff_id"]],
            "LeaveTypeID": types["Annual Leave"],
            "Title": "Time off",
            "Description": f"QicWorks {document}",
            "StartDate": wire(row["start_date"]),
            "EndDate": wire(row["end_date"]),
            "LeavePeriods": [period],
        }
        path = f"organisations/{sandbox.tenant(payroll.organisation)}/LeaveApplications"
        made = sandbox.control("POST", path, leave)["LeaveApplicationID"]
        payroll.world.query(
            "UPDATE qicworks.leave_request SET xero_id = %s, push_state = 'pushed', pushed_at = now() WHERE id = %s",
            made,
            document,
        )


def id_in_xero(payroll: Payroll, document: UUID) -> str:
    return str(payroll.row("leave_request", document)["xero_id"])


def in_xero(payroll: Payroll, document: UUID) -> dict[str, Any]:
    return payroll.world.sandbox.record("LeaveApplications", id_in_xero(payroll, document), payroll.organisation)


def act(payroll: Payroll, path: str, body: Any = None) -> dict[str, Any]:
    """What a user of Xero does, through Xero's own paths; returns the leave."""
    sandbox = payroll.world.sandbox
    head = {
        "Authorization": f"Bearer {sandbox.token}",
        "Accept": "application/json",
        "xero-tenant-id": sandbox.tenant(),
    }
    answer = sandbox.session.post(f"{sandbox.url}{PATH}{path}", headers=head, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["LeaveApplications"][0]
    return found


def entered(payroll: Payroll, employee: str, first: date, last: date, **fields: Any) -> str:
    """Leave that was entered in Xero; its id."""
    [kind] = [
        one for one in payroll.truth("LeaveTypes") if one["Name"] == "Personal/Carer's Leave" and one["CurrentRecord"]
    ]
    about = {
        "EmployeeID": employee,
        "LeaveTypeID": kind["LeaveTypeID"],
        "Title": "Surgery",
        "Description": "A private matter",
    }
    made = act(payroll, "", [{**about, "StartDate": wire(first), "EndDate": wire(last), **fields}])
    return str(made["LeaveApplicationID"])


def differences(payroll: Payroll, *, open: bool = True) -> list[tuple[UUID, str]]:
    """Document and reason of each that is open, or that was settled."""
    state = "IS NULL" if open else "IS NOT NULL"
    rows = payroll.world.query(
        f"SELECT document_id, reason FROM xero_sync.difference WHERE settled_at {state} ORDER BY id"
    )
    return [(row["document_id"], row["reason"]) for row in rows]


def state(payroll: Payroll) -> list[Any]:
    """All that a sweep may write of leave, but when it was last seen."""
    return payroll.world.query(
        "SELECT to_jsonb(one) FROM qicworks.leave_request AS one"
        " UNION ALL SELECT to_jsonb(one) FROM qicworks.leave_application AS one"
        " UNION ALL SELECT to_jsonb(one) - 'last_seen_at' FROM xero_sync.difference AS one"
        " UNION ALL SELECT to_jsonb(one) FROM xero_sync.followed_document AS one"
    )
