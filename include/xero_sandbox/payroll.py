"""Control of payroll: pay runs that a user posts, and the secrets that must appear nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

from xero_sandbox.collection import Record
from xero_sandbox.data.pay_runs import PAID_AFTER, pay_run, payslip, read_date, wire_date
from xero_sandbox.organisation import Organisation
from xero_sandbox.pay_periods import A_YEAR, period
from xero_sandbox.paying_leave import end_leave, scheduled_leave
from xero_sandbox.steering import Order
from xero_sandbox.world import World


def post_pay_run(order: Order) -> dict[str, Any]:
    """Posts the draft of a calendar, or of each: its active employees' leave grows, the calendar moves on a period."""
    world, organisation = order.world, order.world.organisations[order.parts["tenant"]]
    calendars = organisation.collections["PayrollCalendars"]
    if not organisation.payroll:
        raise ValueError(f"{organisation.name} has no payroll")
    keys = [order.body["calendar"]] if order.body.get("calendar") else sorted(calendars.rows)
    return {
        "payruns": [_post(world, organisation, calendars.rows[key].record) for key in keys],
        "employees": [employee for key in keys for employee in _accrue(world, organisation, key)],
    }


def draft_pay_run(order: Order) -> dict[str, Any]:
    """Drafts a calendar's next pay run: the templates as they are now, and the leave that is scheduled for it."""
    world, organisation = order.world, order.world.organisations[order.parts["tenant"]]
    calendar = organisation.collections["PayrollCalendars"].rows[order.body["calendar"]].record
    if _draft(organisation, calendar["PayrollCalendarID"]):
        raise ValueError("There can only be one draft pay run per calendar")
    run = _make(world, organisation, calendar)
    return {"payruns": [run], "employees": [slip["EmployeeID"] for slip in run["Payslips"]]}


def _draft(organisation: Organisation, calendar: str) -> Record | None:
    drafts = [row.record for row in organisation.collections["PayRuns"].by_updated() if row.status == "DRAFT"]
    return next((run for run in drafts if run["PayrollCalendarID"] == calendar), None)


def _make(world: World, organisation: Organisation, calendar: Record) -> Record:
    """A draft of the calendar's current period."""
    start, kind, now = read_date(calendar["StartDate"]), calendar["CalendarType"], world.clock.stamp()
    leave = scheduled_leave(organisation, wire_date(start))
    slips = [
        payslip(employee, kind, str(uuid4()), now, leave.get(employee["EmployeeID"], ()))
        for employee in _paid(organisation, calendar["PayrollCalendarID"])
    ]
    run = pay_run(calendar, str(uuid4()), start, "DRAFT", slips)
    return organisation.collections["PayRuns"].add(run, world.clock)


def _post(world: World, organisation: Organisation, calendar: Record) -> Record:
    """The pay run, made when the calendar has no draft. The calendar moves on, the leave that was paid is over."""
    runs, key = organisation.collections["PayRuns"], calendar["PayrollCalendarID"]
    run = _draft(organisation, key) or _make(world, organisation, calendar)
    start, end = period(calendar["CalendarType"], read_date(calendar["StartDate"]), 1)
    moved = {"StartDate": wire_date(start), "PaymentDate": wire_date(end + PAID_AFTER)}
    organisation.collections["PayrollCalendars"].change(key, moved, world.clock)
    end_leave(world, organisation, run)
    return runs.change(run["PayRunID"], {"PayRunStatus": "POSTED"}, world.clock)


def _paid(organisation: Organisation, calendar: str) -> list[Record]:
    rows = organisation.collections["Employees"].by_key()
    active = [row.record for row in rows if row.status == "ACTIVE"]
    return [employee for employee in active if employee.get("PayrollCalendarID") == calendar]


def _accrue(world: World, organisation: Organisation, calendar: str) -> Iterator[str]:
    """Adds a period's share of the year's leave to each balance; gives the employees whose balances have grown."""
    employees, kinds = organisation.collections["Employees"], organisation.collections["LeaveTypes"]
    periods = A_YEAR[organisation.collections["PayrollCalendars"].rows[calendar].record["CalendarType"]]
    for employee in _paid(organisation, calendar):
        balances = {balance["LeaveTypeID"]: balance for balance in employee.get("LeaveBalances", ())}
        lines = [line for line in employee["PayTemplate"]["LeaveLines"] if "AnnualNumberOfUnits" in line]
        for line in lines:
            kind = kinds.rows[line["LeaveTypeID"]].record
            empty = {"LeaveName": kind["Name"], "LeaveTypeID": line["LeaveTypeID"], "NumberOfUnits": 0}
            balance = balances.setdefault(line["LeaveTypeID"], {**empty, "TypeOfUnits": kind["TypeOfUnits"]})
            units = Decimal(balance["NumberOfUnits"]) + Decimal(line["AnnualNumberOfUnits"]) / periods
            balance["NumberOfUnits"] = units.quantize(Decimal("0.0001"))
        if lines:
            fields = {"LeaveBalances": list(balances.values())}
            employees.change(employee["EmployeeID"], fields, world.clock, world.settings.pay_run_bumps_employees)
            yield employee["EmployeeID"]


def canaries(order: Order) -> dict[str, Any]:
    """The secrets of all employees as Xero's responses show them, by field and all together."""
    kinds: dict[str, list[str]] = {}
    for organisation in order.world.organisations.values():
        for row in organisation.collections["Employees"].by_key():
            for name, value in _secrets(row.record):
                if value:
                    kinds.setdefault(name, []).append(str(value))
    return {"canaries": sorted({value for values in kinds.values() for value in values}), "kinds": kinds}


def _secrets(employee: Record) -> Iterator[tuple[str, Any]]:
    yield "TaxFileNumber", (employee.get("TaxDeclaration") or {}).get("TaxFileNumber")
    yield "AddressLine1", (employee.get("HomeAddress") or {}).get("AddressLine1")
    yield "DateOfBirth", employee.get("DateOfBirth")
    for account in employee.get("BankAccounts") or ():
        yield "AccountNumber", account.get("AccountNumber")
        yield "AccountName", account.get("AccountName")
    for membership in employee.get("SuperMemberships") or ():
        yield "EmployeeNumber", membership.get("EmployeeNumber")
