"""Control of payroll: pay runs that somebody posts, and the secrets that must turn up nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from xero_sandbox.collection import Record
from xero_sandbox.data.pay_runs import days, pay_run, payslip, periods_a_year, read_date, wire_date
from xero_sandbox.organisation import Organisation
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


def _post(world: World, organisation: Organisation, calendar: Record) -> Record:
    """The pay run, made when the calendar has no draft. A missing draft begins where the calendar stands."""
    runs, key, kind = organisation.collections["PayRuns"], calendar["PayrollCalendarID"], calendar["CalendarType"]
    start, now = read_date(calendar["StartDate"]), world.clock.stamp()
    moved = {"StartDate": start + timedelta(days(kind)), "PaymentDate": start + timedelta(days(kind) * 2 + 2)}
    organisation.collections["PayrollCalendars"].change(
        key, {name: wire_date(day) for name, day in moved.items()}, world.clock
    )
    for run in (row.record for row in runs.by_updated() if row.status == "DRAFT"):
        if run["PayrollCalendarID"] == key:
            return runs.change(run["PayRunID"], {"PayRunStatus": "POSTED"}, world.clock)
    slips = [payslip(employee, kind, str(uuid4()), now) for employee in _paid(organisation, key)]
    return runs.add(pay_run(calendar, str(uuid4()), start, "POSTED", slips), world.clock)


def _paid(organisation: Organisation, calendar: str) -> list[Record]:
    rows = organisation.collections["Employees"].by_key()
    active = [row.record for row in rows if row.status == "ACTIVE"]
    return [employee for employee in active if employee.get("PayrollCalendarID") == calendar]


def _accrue(world: World, organisation: Organisation, calendar: str) -> Iterator[str]:
    """Adds a period's share of the year's leave to each balance; gives the employees whose balances have grown."""
    employees, kinds = organisation.collections["Employees"], organisation.collections["LeaveTypes"]
    periods = periods_a_year(organisation.collections["PayrollCalendars"].rows[calendar].record["CalendarType"])
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
    """The secrets of all employees as they stand in Xero's answers, by their field and all together."""
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
