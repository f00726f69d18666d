"""Employees: the list tells who there is; each one's address, tax, bank, pay and leave come only by id, and when it was
written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from uuid import uuid4

from xero_sandbox.collection import Kind, Record, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.pay_runs import wire_date
from xero_sandbox.data.staff import employees as made_up_employees
from xero_sandbox.endpoints.calling import Call
from xero_sandbox.endpoints.listing import listed, select, single
from xero_sandbox.endpoints.payroll import elements, found, hundred, payroll_get, payroll_post, write
from xero_sandbox.pay_templates import Rules, faults, written
from xero_sandbox.payroll_values import read_day
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
#: What can be written; the rest is Xero's own.
DAYS = ("DateOfBirth", "StartDate", "TerminationDate")
FIELDS = (
    *("FirstName", "LastName", "MiddleNames", "Title", "Email", "Gender", "Phone", "Mobile", "TwitterUserName"),
    *("JobTitle", "Classification", "OrdinaryEarningsRateID", "PayrollCalendarID", "EmployeeGroupName"),
    *("IsAuthorisedToApproveLeave", "IsAuthorisedToApproveTimesheets", "IsSTP2Qualified", "TerminationReason"),
    *("IncomeType", "EmploymentType", "CountryOfResidence", "HomeAddress", "TaxDeclaration", "BankAccounts"),
    *("OpeningBalances", "SuperMemberships", "PayTemplate"),
)
REQUIRED = ("FirstName", "LastName", "DateOfBirth")
OF_AGE = 18


def _summary(row: Row) -> bytes:
    record = row.record
    return encode({name: record[name] for name in SUMMARY if name in record})


def employees(call: Call) -> Reply:
    collection, everybody = call.organisation.collections["Employees"], call.world.settings.terminated_listed
    rows = select(call, collection, None if everybody else lambda row: row.status == "ACTIVE", everybody)
    return listed(call, collection, [_summary(row) for row in hundred(call, rows)])


def employee(call: Call) -> Reply:
    return single(call, call.organisation.collections["Employees"])


def write_employees(call: Call) -> Reply:
    """POST of one or several. Without an EmployeeID there is a new one; with the path's id only that one is meant."""
    collection, sent = call.organisation.collections["Employees"], elements(call, "Employees")
    only = found(call, collection).key if call.parts else ""

    def draft(element: Record, _: Sequence[Record]) -> tuple[Record, list[str]]:
        key = str(element.get("EmployeeID") or only).lower()
        if key and (key not in collection.rows or only not in ("", key)):
            return {}, ["Employee could not be found"]
        old = collection.rows[key].record if key else {"EmployeeID": str(uuid4()), "Status": "ACTIVE"}
        if old["Status"] == "TERMINATED":
            return {}, ["A terminated employee cannot be changed"]
        return _drafted(call, old, element)

    return write(call, collection, sent, draft)


def _drafted(call: Call, old: Record, sent: Record) -> tuple[Record, list[str]]:
    """The fields to write, and the error messages. Fields that are left out stay the same."""
    fields = {name: sent[name] for name in FIELDS if sent.get(name) is not None}
    fields |= {name: wire_date(read_day(sent[name])) for name in DAYS if sent.get(name) is not None}
    if "PayTemplate" in fields:
        how = call.world.settings.pay_template_write
        fields["PayTemplate"] = written(old.get("PayTemplate") or {}, fields["PayTemplate"], how)
    employee, today = {**old, **fields}, datetime.fromtimestamp(call.world.clock.now(), UTC).date()
    complete = sent if call.world.settings.employee_updates_need_person else employee
    words = [f"{name} is required" for name in REQUIRED if not complete.get(name)] or list(
        _faults(call, employee, sent, today)
    )
    left = "TerminationDate" in fields and read_day(fields["TerminationDate"]) <= today
    new = {} if "UpdatedDateUTC" in old else {**old, "LeaveBalances": []}
    return {**new, "EmployeeID": old["EmployeeID"], **fields, **({"Status": "TERMINATED"} if left else {})}, words


def _faults(call: Call, employee: Record, sent: Record, today: date) -> Iterator[str]:
    if employee.get("TerminationDate") and not employee.get("TerminationReason"):
        yield "Termination reason is required"
    calendars = call.organisation.collections["PayrollCalendars"].rows
    if sent.get("PayrollCalendarID") and sent["PayrollCalendarID"] not in calendars:
        yield "No payroll calendar found"
    born = read_day(employee["DateOfBirth"])
    adult = (today.year - born.year) - ((today.month, today.day) < (born.month, born.day)) >= OF_AGE
    rules = Rules(call.organisation.collections, adult, call.world.settings.qualifying_earnings_required)
    template = sent.get("PayTemplate")
    if template is not None or sent.get("OrdinaryEarningsRateID") is not None:
        ordinary = rules.current("EarningsRates", employee.get("OrdinaryEarningsRateID")) or {}
        if ordinary.get("EarningsType") != "ORDINARYTIMEEARNINGS":
            yield "Invalid OrdinaryEarningsRateID"
    if template is not None:
        yield from faults(employee["PayTemplate"], template, rules)


COLLECTIONS: Collections = ((EMPLOYEES, made_up_employees),)
ENDPOINTS = (
    payroll_get("/Employees", employees, SCOPE),
    payroll_get("/Employees/{id}", employee, SCOPE),
    payroll_post("/Employees", write_employees, SCOPE),
    payroll_post("/Employees/{id}", write_employees, SCOPE),
)
