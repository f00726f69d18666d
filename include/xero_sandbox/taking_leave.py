"""Leave as it is asked for: the pay periods that it falls into, and what Xero would refuse.

Known words of Xero are quoted; of the others only the sense is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from xero_sandbox.collection import Collection, Record
from xero_sandbox.data.pay_runs import wire_date
from xero_sandbox.pay_periods import Period, spanned
from xero_sandbox.payroll_values import four_places, read_day

REQUIRED = ("EmployeeID", "LeaveTypeID", "Title", "StartDate", "EndDate")
FIELDS = (*REQUIRED, "Description", "PayOutType")
LONGEST = {"Title": 50, "Description": 200}
PAY_OUT_TYPES = ("DEFAULT", "CASHED_OUT")
HOURS_A_DAY = Decimal("7.6")
LONGEST_LEAVE = timedelta(5 * 366)

NO_CALENDAR, WRONG_PERIOD = "No payroll calendar found", "Invalid leave period"
NOT_ASSIGNED = "Leave type not assigned to employee"
OVERLAPS = "The employee has leave of this type on these days already"


def field_faults(leave: Record) -> Iterator[str]:
    """The error messages about single fields; dates must already be `/Date(…)/`."""
    yield from (f"{name} is required" for name in REQUIRED if not leave.get(name))
    for name, longest in LONGEST.items():
        if len(str(leave.get(name) or "")) > longest:
            yield f"{name} cannot be longer than {longest} characters"
    if leave["PayOutType"] not in PAY_OUT_TYPES:
        yield f"PayOutType must be one of {', '.join(PAY_OUT_TYPES)}"
    if leave.get("StartDate") and leave.get("EndDate"):
        length = read_day(leave["EndDate"]) - read_day(leave["StartDate"])
        if length < timedelta(0):
            yield "End date must not be before the start date"
        if length > LONGEST_LEAVE:
            yield WRONG_PERIOD


def employee_faults(leave: Record, collections: Mapping[str, Collection]) -> Iterator[str]:
    """The words against leave of this type for this employee."""
    row = collections["Employees"].rows.get(leave["EmployeeID"])
    if row is None:
        yield "Employee could not be found"
        return
    employee = row.record
    if row.status == "TERMINATED":
        yield "Leave cannot be entered for a terminated employee"
    if employee.get("PayrollCalendarID") not in collections["PayrollCalendars"].rows:
        yield NO_CALENDAR
    lines = (employee.get("PayTemplate") or {}).get("LeaveLines", [])
    kind = collections["LeaveTypes"].rows.get(leave["LeaveTypeID"])
    assigned = {line.get("LeaveTypeID") for line in (*lines, *employee.get("LeaveBalances", ()))}
    if kind is None or kind.key not in assigned or not kind.record.get("CurrentRecord"):
        yield NOT_ASSIGNED


def overlaps(leave: Record, others: Sequence[Record]) -> bool:
    """Whether the employee has other leave of the type on any of its days; what was rejected does not count."""
    first, last = read_day(leave["StartDate"]), read_day(leave["EndDate"])
    return any(
        (other["EmployeeID"], other["LeaveTypeID"]) == (leave["EmployeeID"], leave["LeaveTypeID"])
        and other["LeaveApplicationID"] != leave["LeaveApplicationID"]
        and any(period["LeavePeriodStatus"] != "REJECTED" for period in other["LeavePeriods"])
        and read_day(other["StartDate"]) <= last
        and first <= read_day(other["EndDate"])
        for other in others
    )


def periods(leave: Record, collections: Mapping[str, Collection]) -> list[Period]:
    """The pay periods of the employee's calendar that the leave falls into."""
    employee = collections["Employees"].rows[leave["EmployeeID"]].record
    calendar = collections["PayrollCalendars"].rows[employee["PayrollCalendarID"]].record
    days = read_day(leave["StartDate"]), read_day(leave["EndDate"])
    return spanned(calendar["CalendarType"], read_day(calendar["StartDate"]), *days)


def made_periods(leave: Record, spans: Sequence[Period], unit: str) -> list[Record]:
    """What Xero makes of leave that came without periods: each weekday is a day, or a full-timer's hours."""
    first, last = read_day(leave["StartDate"]), read_day(leave["EndDate"])
    a_day = Decimal(1) if unit == "Days" else HOURS_A_DAY
    return [_period(span, a_day * _weekdays(max(first, span.start), min(last, span.end))) for span in spans]


def sent_periods(sent: Any, spans: Sequence[Period]) -> list[Record] | None:
    """The periods as they are kept; None when they are not exactly those that the leave falls into, each once.
    ValueError for what cannot be read."""
    if not isinstance(sent, list) or not all(isinstance(period, dict) for period in sent):
        raise ValueError("LeavePeriods must be an array of objects")
    days = [(read_day(period.get("PayPeriodStartDate")), read_day(period.get("PayPeriodEndDate"))) for period in sent]
    units = [four_places(period.get("NumberOfUnits") or 0) for period in sent]
    named = dict(zip((Period(*pair) for pair in days), units, strict=True))
    if len(sent) != len(spans) or set(named) != set(spans) or min(units) < 0:
        return None
    return [_period(span, named[span]) for span in spans]


def _period(span: Period, units: int | Decimal) -> Record:
    days = {"PayPeriodStartDate": wire_date(span.start), "PayPeriodEndDate": wire_date(span.end)}
    return {**days, "NumberOfUnits": units}


def _weekdays(first: date, last: date) -> int:
    return sum((first + timedelta(n)).weekday() < 5 for n in range((last - first).days + 1))
