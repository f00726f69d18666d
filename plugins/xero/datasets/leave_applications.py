"""Declares leave applications: what became of QicWorks' leave requests, and leave that was entered in Xero.

Xero has two lists. The first has only approved leave, and what changed of it; the second has all leave, but cannot
filter by time: it is read newest first. No column names the title, and of the description only QicWorks' own reference
is kept.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xero.datasets.declaration import (
    PAYROLL_PAGE_SIZE,
    UPDATED,
    Column,
    ColumnType,
    Dataset,
    Follows,
    Reading,
    Record,
    Rule,
    Source,
    Table,
    Timing,
)
from xero.documents.leave_requests import referred

PATH = "/payroll.xro/1.0/LeaveApplications"
STATUSES = ("PROCESSED", "REJECTED", "REQUESTED", "SCHEDULED")
PERIOD = ("PayPeriodStartDate", "NumberOfUnits")  # the fields of a pay period that are kept
MAX_VALUE_LENGTH = 60  # characters, of one of them
MAX_STATUS_LENGTH = 20  # characters


def periods(leave: Record) -> list[Mapping[str, Any]]:
    found = leave.get("LeavePeriods")
    if found is not None and not (isinstance(found, list) and all(isinstance(one, Mapping) for one in found)):
        raise TypeError("not a list of pay periods")
    return found or []


def statuses(leave: Record) -> str | None:
    """Of its pay periods, each once: "PROCESSED, SCHEDULED"."""
    return ", ".join(sorted({_status(period.get("LeavePeriodStatus")) for period in periods(leave)})) or None


def _status(value: object) -> str:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_STATUS_LENGTH else "UNKNOWN"


def content(leave: Record) -> str:
    """Its pay periods as Xero has them, in their order: JSON."""
    kept = [{name: _plain(period.get(name)) for name in PERIOD} for period in periods(leave)]
    return json.dumps(kept, separators=(",", ":"))


def _plain(value: object) -> str | int | None:
    """A value as JSON; a number with a point as text, which keeps it exact."""
    if value is None or type(value) is int:
        return value
    if not isinstance(value, str | Decimal) or len(str(value)) > MAX_VALUE_LENGTH:
        raise ValueError("not a date or a number")
    return str(value)


def reference(leave: Record) -> str | None:
    """The leave request of QicWorks that its description names."""
    description = leave.get("Description")
    found = referred(description) if isinstance(description, str) else None
    return str(found) if found else None


def in_force(leave: Record) -> bool:
    """Whether some of it is not rejected."""
    return statuses(leave) != "REJECTED"


LEAVE_APPLICATION = Table(
    "leave_application",
    columns=(
        Column("xero_id", "LeaveApplicationID", ColumnType.UUID, required=True),
        Column("employee_xero_id", "EmployeeID", ColumnType.UUID, required=True),
        Column("leave_type_xero_id", "LeaveTypeID", ColumnType.UUID),
        Column("reference", reference, ColumnType.UUID),
        Column("start_date", "StartDate", ColumnType.DATE, required=True),
        Column("end_date", "EndDate", ColumnType.DATE, required=True),
        Column("status", statuses, max_length=100),
        Column("content", content, required=True),
        UPDATED,
    ),
    active=in_force,
    rules=(
        Rule(
            "ExpectColumnValuesToMatchRegex",
            "status",
            f"the status of a pay period is none of {', '.join(STATUSES)}: QicWorks' request keeps its own",
            "warn",
            {"regex": f"^(?:(?:{'|'.join(STATUSES)})(?:, |$))+$"},
        ),
    ),
    statements="leave_applications",
    person_key="employee_xero_id",
    keep_no_raw_values=True,
    also_updates={"leave_request": ("xero_status", "status", "updated_at")},
)

LEAVE_APPLICATIONS = Dataset(
    name="leave_applications",
    title="Leave applications",
    help="What became of QicWorks' leave requests in Xero, and leave entered in Xero that overlaps one. "
    "Due at local midnight.",
    scope="payroll.employees.read",
    sources=(
        Source(
            path=f"{PATH}/v2",
            envelope="LeaveApplications",
            reading=Reading.NEWEST_FIRST,
            fixed_page_size=PAYROLL_PAGE_SIZE,
            tables=(LEAVE_APPLICATION,),
            starts_at="first_leave",
            fallback=PATH,
        ),
        Source(
            name="unmet",
            path=PATH + "/{id}",
            envelope="LeaveApplications",
            reading=Reading.BY_ID,
            tables=(LEAVE_APPLICATION,),
        ),
    ),
    statements="leave_applications",
    schedule="*/15 * * * *",
    timing=Timing.MIDNIGHT,
    full_if="left_out_is_needed",
    follows=Follows.LEAVE,
)
