"""Employees: the list tells who there is, each one's address, tax, bank, pay and leave come only by id."""

from __future__ import annotations

from xero_sandbox.collection import Kind, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.staff import employees as made_up_employees
from xero_sandbox.endpoints.calling import Call
from xero_sandbox.endpoints.listing import listed, select, single
from xero_sandbox.endpoints.payroll import hundred, payroll_get
from xero_sandbox.wire import Reply, encode

SCOPE = "payroll.employees"
EMPLOYEES = Kind("Employees", "EmployeeID", "Status", name="LastName")

#: All that a list has of an employee.
SUMMARY = (
    "EmployeeID",
    "FirstName",
    "MiddleNames",
    "LastName",
    "Status",
    "Email",
    "DateOfBirth",
    "Gender",
    "Phone",
    "Mobile",
    "StartDate",
    "OrdinaryEarningsRateID",
    "PayrollCalendarID",
    "UpdatedDateUTC",
    "IsSTP2Qualified",
)


def _summary(row: Row) -> bytes:
    record = row.record
    return encode({name: record[name] for name in SUMMARY if name in record})


def employees(call: Call) -> Reply:
    collection, everybody = call.organisation.collections["Employees"], call.world.settings.terminated_listed
    rows = select(call, collection, None if everybody else lambda row: row.status == "ACTIVE", everybody)
    return listed(call, collection, [_summary(row) for row in hundred(call, rows)])


def employee(call: Call) -> Reply:
    return single(call, call.organisation.collections["Employees"])


COLLECTIONS: Collections = ((EMPLOYEES, made_up_employees),)
ENDPOINTS = (payroll_get("/Employees", employees, SCOPE), payroll_get("/Employees/{id}", employee, SCOPE))
