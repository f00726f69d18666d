"""Leave requests: approved in QicWorks, leave applications in Xero. Names, titles and notes are never logged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Never
from uuid import UUID

from xero.documents.declaration import Check, CheckResult, Delivery, Document, Json, Kind
from xero.documents.pay.employee import EmployeeRow
from xero.documents.pay.pay_periods import LENGTHS, Share, shared

#: Statuses of a request that was approved; the last two follow from Xero's.
APPROVED = ("Approved", "Current", "Taken")
LONGEST_TITLE = 50
LONGEST_DESCRIPTION = 200


@dataclass(frozen=True, kw_only=True)
class LeaveRow(EmployeeRow):
    """A leave request, its employee with their payroll calendar, and its leave type."""

    title: str | None
    notes: str | None
    start_date: date
    end_date: date
    hours: Decimal
    status: str
    approved_version: int | None
    leave_type_id: UUID | None
    code_xero_id: UUID | None
    code_name: str | None
    code_kind: str | None
    code_is_active: bool | None
    code_is_here: bool | None
    type_of_units: str | None
    calendar_is_active: bool | None


LeaveDocument = Document[LeaveRow, Never]


def reference(document: LeaveDocument) -> str:
    """What the leave is known by in Xero: the end of its description."""
    return f"QicWorks {document.id}"


def referred(description: str) -> UUID | None:
    """The document whose reference a description ends with; None where it ends with none."""
    _, found, id = description.rstrip().casefold().rpartition("qicworks ")
    try:
        return UUID(id) if found else None
    except ValueError:
        return None


def cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def periods(document: LeaveDocument) -> list[Share]:
    row = document.row
    assert row.calendar_type, "the employee of a request that was checked has a calendar"
    assert row.calendar_start, "a calendar of a request that was checked has a period"
    return shared(row.calendar_type, row.calendar_start, row.start_date, row.end_date, row.hours)


def payload(document: LeaveDocument) -> Json:
    """Of a request that was checked."""
    row = document.row
    notes = cut((row.notes or "").strip(), LONGEST_DESCRIPTION - len(reference(document)) - 1)
    return {
        "EmployeeID": str(row.employee_xero_id),
        "LeaveTypeID": str(row.code_xero_id),
        "Title": cut((row.title or "").strip() or row.code_name or "", LONGEST_TITLE),
        "Description": f"{notes} {reference(document)}".strip(),
        "StartDate": row.start_date.isoformat(),
        "EndDate": row.end_date.isoformat(),
        "PayOutType": "DEFAULT",
        "LeavePeriods": [
            {
                "PayPeriodStartDate": share.start.isoformat(),
                "PayPeriodEndDate": share.end.isoformat(),
                "NumberOfUnits": share.units,
            }
            for share in periods(document)
        ],
    }


def identity(document: LeaveDocument) -> Json:
    row = document.row
    return {
        "EmployeeID": str(row.employee_xero_id),
        "LeaveTypeID": str(row.code_xero_id),
        "StartDate": row.start_date.isoformat(),
        "EndDate": row.end_date.isoformat(),
        "reference": reference(document),
    }


def check_approval(document: LeaveDocument) -> Iterator[CheckResult]:
    row = document.row
    if row.status not in APPROVED:
        yield CheckResult(f"it is {row.status.lower()} in QicWorks, not approved", "Check the {document}.", "approve")
    elif row.approved_version != document.version:
        yield CheckResult("it was changed after it was approved", "Check the change of the {document}.", "approve")


def check_employee(document: LeaveDocument) -> Iterator[CheckResult]:
    """To an active employee of this Xero organisation with a payroll calendar."""
    row = document.row
    if row.employee_xero_id is None or not row.staff_is_here:
        yield CheckResult(
            "its employee is not linked to this Xero organisation",
            "Link this person under Xero › Match, if Xero's payroll has them. If it does not, add them there with the "
            "same names and email as in QicWorks, then pull staff ({pull_staff}).",
            "retry",
        )
    elif not row.staff_is_active:
        yield CheckResult(
            "its employee is terminated in Xero",
            "Make the employee active in Xero and pull staff ({pull_staff}). Or reject the {document}.",
            "retry",
        )
    elif row.calendar_type is None or row.calendar_start is None or not row.calendar_is_active:
        yield CheckResult(
            "its employee has no payroll calendar in Xero that QicWorks knows",
            "Choose a payroll calendar for the employee in Xero, then pull staff ({pull_staff}) and pay codes.",
            "retry",
        )
    elif row.calendar_type not in LENGTHS:
        yield CheckResult(
            f"this type of payroll calendar ('{row.calendar_type}') is not supported",
            "Enter the leave in Xero by hand, and tell QicWorks support which type of calendar it is.",
        )


def check_leave_type(document: LeaveDocument) -> Iterator[CheckResult]:
    """Of a leave type that is in use and measured in hours."""
    row = document.row
    if row.leave_type_id is None:
        yield CheckResult("it has no leave type", "Choose a leave type on the {document}.", "approve")
    elif row.code_kind != "LEAVE":
        yield CheckResult(
            f"pay code '{row.code_name}' is not a leave type",
            "Choose a leave type on the {document}.",
            "approve",
        )
    elif not row.code_is_here or not row.code_is_active:
        yield CheckResult(
            f"leave type '{row.code_name}' is not in use in this Xero organisation",
            "Make the leave type active in Xero and pull pay codes ({pull_pay_codes}). Or choose another one.",
            "approve",
        )
    elif (row.type_of_units or "Hours").strip().casefold() != "hours":
        yield CheckResult(
            f"leave type '{row.code_name}' is not measured in hours in Xero",
            "Enter the leave in Xero by hand. Or set the leave type to hours there, and pull pay codes "
            "({pull_pay_codes}).",
            "retry",
        )


def check_hours(document: LeaveDocument) -> Iterator[CheckResult]:
    row = document.row
    if row.end_date < row.start_date:
        yield CheckResult("it ends before it starts", "Correct the dates of the {document}.", "approve")
    days = (row.end_date - row.start_date).days + 1
    if days > 0 and row.hours > 24 * days:
        yield CheckResult(
            f"it has more hours than its {days} day{'s' if days > 1 else ''} can have",
            "Correct the hours or the dates of the {document}.",
            "approve",
        )
    if row.hours <= 0:
        yield CheckResult("it has no hours", "Enter the hours of the {document}.", "approve")


CHECKS: tuple[Check, ...] = (check_approval, check_employee, check_leave_type, check_hours)

LEAVE_REQUESTS = Kind(
    name="leave_requests",
    word="leave request",
    title="Leave requests",
    help="Sends approved leave to Xero as approved leave applications, which Xero's pay runs pay.",
    scope="payroll.employees payroll.settings.read",
    table="leave_request",
    delivery=Delivery.LEAVE,
    row=LeaveRow,
    private=("title", "notes"),
)
