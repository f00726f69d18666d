"""Leave in a pay run: what is scheduled for its period is paid once, then it is over."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from xero_sandbox.collection import Record
from xero_sandbox.data.pay_runs import HOURLY
from xero_sandbox.organisation import Organisation
from xero_sandbox.taking_leave import HOURS_A_DAY
from xero_sandbox.world import World


def scheduled_leave(organisation: Organisation, start: str) -> dict[str, list[Record]]:
    """By employee, the lines that a payslip of the period beginning then has for scheduled leave."""
    employees, kinds = organisation.collections["Employees"].rows, organisation.collections["LeaveTypes"].rows
    lines: dict[str, list[Record]] = defaultdict(list)
    for leave in (row.record for row in organisation.collections["LeaveApplications"].by_key()):
        units = sum(
            Decimal(period["NumberOfUnits"])
            for period in leave["LeavePeriods"]
            if (period["PayPeriodStartDate"], period["LeavePeriodStatus"]) == (start, "SCHEDULED")
        )
        if units and leave["EmployeeID"] in employees:
            rate = _rate(employees[leave["EmployeeID"]].record, kinds[leave["LeaveTypeID"]].record)
            about = {name: leave[name] for name in ("LeaveApplicationID", "LeaveTypeID", "PayOutType")}
            lines[leave["EmployeeID"]].append({**about, "NumberOfUnits": units, "RatePerUnit": rate})
    return lines


def end_leave(world: World, organisation: Organisation, run: Record) -> None:
    """What the run's payslips have paid of scheduled leave is processed."""
    leaves = organisation.collections["LeaveApplications"]
    for line in (line for slip in run["Payslips"] for line in slip.get("LeaveEarningsLines", ())):
        if line["LeaveApplicationID"] in leaves.rows:
            periods = leaves.rows[line["LeaveApplicationID"]].record["LeavePeriods"]
            for period in periods:
                now = period["PayPeriodStartDate"] == run["PayRunPeriodStartDate"]
                if now and period["LeavePeriodStatus"] == "SCHEDULED":  # it may be rejected since the draft
                    period["LeavePeriodStatus"] = "PROCESSED"
            leaves.change(line["LeaveApplicationID"], {"LeavePeriods": periods}, world.clock)


def _rate(employee: Record, kind: Record) -> Decimal:
    """A unit of this leave in dollars: an hour of the template's first line that is paid by time, or a day of them."""
    if not kind.get("IsPaidLeave"):
        return Decimal(0)
    lines = (employee.get("PayTemplate") or {}).get("EarningsLines", ())
    hourly = next((_hourly(line) for line in lines if "AnnualSalary" in line or "RatePerUnit" in line), HOURLY)
    return (hourly * (HOURS_A_DAY if kind["TypeOfUnits"] == "Days" else 1)).quantize(Decimal("0.0001"))


def _hourly(line: Record) -> Decimal:
    if "AnnualSalary" in line:
        return Decimal(line["AnnualSalary"]) / 52 / (Decimal(line.get("NumberOfUnitsPerWeek") or 0) or 38)
    return Decimal(line["RatePerUnit"])
