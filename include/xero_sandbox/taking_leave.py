"""Leave as it is asked for or changed: the pay periods that it falls into, and what Xero would refuse.

Known words of Xero are quoted; of the others only the sense is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from xero_sandbox.collection import Collection, Kind, Record
from xero_sandbox.data.pay_runs import wire_date
from xero_sandbox.pay_periods import Period, spanned
from xero_sandbox.payroll_values import four_places, read_day
from xero_sandbox.settings import Settings

LEAVE_APPLICATIONS = Kind("LeaveApplications", "LeaveApplicationID", "PayOutType", name="Title")
REQUIRED = ("EmployeeID", "LeaveTypeID", "Title", "StartDate", "EndDate")
FIELDS = (*REQUIRED, "Description", "PayOutType")
LONGEST = {"Title": 50, "Description": 200}
PAY_OUT_TYPES = ("DEFAULT", "CASHED_OUT")
HOURS_A_DAY = Decimal("7.6")
LONGEST_LEAVE = timedelta(5 * 366)

NO_CALENDAR, WRONG_PERIOD = "No payroll calendar found", "Invalid leave period"
NOT_ASSIGNED = "Leave type not assigned to employee"
OVERLAPS = "The employee has leave of this type on these days already"
PAID = "Leave that has been paid cannot be changed"


def drafted(
    collections: Mapping[str, Collection],
    settings: Settings,
    old: Record,
    sent: Record,
    earlier: Sequence[Record] = (),
) -> tuple[Record, list[str]]:
    """The fields to write, and the error messages. `old` has at least the id; fields that are left out stay the same.
    `earlier` is leave of the same call, not written yet. ValueError for what cannot be read."""
    if "PROCESSED" in statuses(old):
        return {}, [PAID]
    fields = {name: sent[name] for name in FIELDS if sent.get(name) is not None}
    fields |= {name: str(fields[name]).lower() for name in ("EmployeeID", "LeaveTypeID") if name in fields}
    fields |= {name: wire_date(read_day(fields[name])) for name in ("StartDate", "EndDate") if name in fields}
    leave = {"PayOutType": "DEFAULT", **old, **fields}
    words = list(field_faults(leave)) or list(employee_faults(leave, collections))
    if words:
        return {}, words
    others = [row.record for row in collections[LEAVE_APPLICATIONS.plural].by_key()]
    if settings.overlapping_leave_refused and overlaps(leave, [*others, *filter(None, earlier)]):
        return {}, [OVERLAPS]
    spans = periods(leave, collections)
    if sent.get("LeavePeriods") or ("LeavePeriods" in old and not {"StartDate", "EndDate"} & set(fields)):
        chosen = sent_periods(sent.get("LeavePeriods") or old["LeavePeriods"], spans)
        if chosen is None:
            return {}, [WRONG_PERIOD]
    else:
        chosen = made_periods(leave, spans, collections["LeaveTypes"].rows[leave["LeaveTypeID"]].record["TypeOfUnits"])
    status = min(statuses(old), default=settings.leave_created_as)
    leave["LeavePeriods"] = [{**period, "LeavePeriodStatus": status} for period in chosen]
    leave.pop("UpdatedDateUTC", None)
    return leave, []


def statuses(leave: Record) -> set[str]:
    return {period["LeavePeriodStatus"] for period in leave.get("LeavePeriods", ())}


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
