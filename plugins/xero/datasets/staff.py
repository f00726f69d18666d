"""Declares staff: employees of Xero Payroll AU with their pay templates, and leave balances, which come with them.

Xero's list is a summary; templates and balances come only with the full employee. That also has the tax file number,
bank accounts, date of birth and home address: no column names them, so they are never written anywhere.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from xero.datasets.declaration import (
    PAYROLL_PAGE_SIZE,
    READ_ON,
    UPDATED,
    Column,
    ColumnType,
    Dataset,
    Reading,
    Record,
    Source,
    Table,
    in_use,
    known_status,
    status_column,
)

PATH = "/payroll.xro/1.0/Employees"

STAFF_MEMBER = Table(
    "staff",
    deactivated_in_qicworks=True,
    linked=True,
    columns=(
        Column("xero_id", "EmployeeID", ColumnType.UUID, required=True),
        Column("first_name", "FirstName", required=True, max_length=255),
        Column("last_name", "LastName", required=True, max_length=255),
        Column("email", "Email", max_length=255),
        Column("title", "Title", max_length=255),
        Column("job_title", "JobTitle", max_length=255),
        Column("classification", "Classification", max_length=255),
        Column("phone", "Phone", max_length=100),
        Column("mobile", "Mobile", max_length=100),
        Column("employee_group", "EmployeeGroupName", max_length=255),
        Column("employment_basis", "TaxDeclaration.EmploymentBasis", max_length=50),
        Column("start_date", "StartDate", ColumnType.DATE),
        Column("termination_date", "TerminationDate", ColumnType.DATE),
        Column("payroll_calendar_xero_id", "PayrollCalendarID", ColumnType.UUID),
        Column("ordinary_earnings_rate_xero_id", "OrdinaryEarningsRateID", ColumnType.UUID),
        Column("approves_leave", "IsAuthorisedToApproveLeave", ColumnType.BOOLEAN),
        Column("approves_timesheets", "IsAuthorisedToApproveTimesheets", ColumnType.BOOLEAN),
        status_column(),
        UPDATED,
    ),
    active=in_use,
    rules=known_status("ACTIVE", "TERMINATED"),
    statements="staff",
    keep_no_raw_values=True,
    is_person=True,
)

# kind: (the field of the pay template, the field that names the pay item)
LINES = {
    "EARNINGS": ("EarningsLines", "EarningsRateID"),
    "DEDUCTION": ("DeductionLines", "DeductionTypeID"),
    "SUPER": ("SuperLines", "SuperMembershipID"),
    "REIMBURSEMENT": ("ReimbursementLines", "ReimbursementTypeID"),
    "LEAVE": ("LeaveLines", "LeaveTypeID"),
}


def in_key(id: Any) -> str:
    """An id as it is written in keys, in lower case; "none" for anything else, because keys are read in logs."""
    try:
        return str(UUID(id))
    except (AttributeError, TypeError, ValueError):
        return "none"


def template_lines(employee: Record) -> Iterable[Record]:
    """The lines of the pay template. Xero gives them no ids and may repeat a pay item, so they are numbered by kind."""
    template = employee.get("PayTemplate") or {}
    for kind, (field, pay_item) in LINES.items():
        met: dict[str, int] = {}
        for line in template.get(field) or ():
            item = in_key(line.get(pay_item))
            number = met[item] = met.get(item, 0) + 1
            yield {
                **line,
                "Key": f"{in_key(employee['EmployeeID'])}/{kind}/{item}/{number}",
                "ColumnType": kind,
                "PayItemID": None if kind == "SUPER" else line.get(pay_item),
                "Number": number,
                "Employee": employee,
            }


def number_of_units(line: Record) -> object:
    """The units, from one of three fields, depending on the kind of line."""
    names = ("NormalNumberOfUnits", "NumberOfUnits", "FullTimeNumberOfUnitsPerPeriod")
    return next((line[name] for name in names if line.get(name) is not None), None)


def amount(line: Record) -> object:
    return line.get("Amount") if line.get("Amount") is not None else line.get("FixedAmount")


PAY_TEMPLATE_LINE = Table(
    "pay_template_line",
    deactivated_in_qicworks=True,
    columns=(
        Column("xero_id", "Key", required=True, max_length=200),
        Column("employee_xero_id", "Employee.EmployeeID", ColumnType.UUID, required=True),
        Column("kind", "ColumnType", required=True, max_length=20),
        Column("pay_code_xero_id", "PayItemID", ColumnType.UUID),
        Column("line_number", "Number", ColumnType.NUMBER, required=True, digits=(6, 0)),
        Column("calculation_type", "CalculationType", max_length=50),
        Column("number_of_units", number_of_units, ColumnType.NUMBER, digits=(14, 4)),
        Column("annual_units", "AnnualNumberOfUnits", ColumnType.NUMBER, digits=(14, 4)),
        Column("units_per_week", "NumberOfUnitsPerWeek", ColumnType.NUMBER, digits=(14, 4)),
        Column("rate_per_unit", "RatePerUnit", ColumnType.NUMBER, digits=(14, 4)),
        Column("annual_salary", "AnnualSalary", ColumnType.NUMBER, digits=(14, 4)),
        Column("amount", amount, ColumnType.NUMBER, digits=(14, 4)),
        Column("percentage", "Percentage", ColumnType.NUMBER, digits=(14, 4)),
        Column("contribution_type", "ContributionType", max_length=50),
        Column("description", "Description", max_length=255),
    ),
    active=lambda line: in_use(line["Employee"]),
    rows=template_lines,
    statements="staff",
    parent_key="employee_xero_id",
    keep_no_raw_values=True,
)


def leave_balances(employee: Record) -> Iterable[Record]:
    """The leave balances of the employee, as at the day of the reading."""
    for balance in employee.get("LeaveBalances") or ():
        key = f"{in_key(employee['EmployeeID'])}/{in_key(balance.get('LeaveTypeID'))}/{employee[READ_ON]}"
        yield {**balance, "Key": key, "AsAt": employee[READ_ON], "Employee": employee}


LEAVE_BALANCE = Table(
    "leave_balance",
    deactivated_in_qicworks=True,
    columns=(
        Column("xero_id", "Key", required=True, max_length=200),
        Column("employee_xero_id", "Employee.EmployeeID", ColumnType.UUID, required=True),
        Column("leave_type_xero_id", "LeaveTypeID", ColumnType.UUID, required=True),
        Column("as_at", "AsAt", ColumnType.DATE, required=True),
        Column("leave_name", "LeaveName", max_length=255),
        Column("number_of_units", "NumberOfUnits", ColumnType.NUMBER, required=True, digits=(14, 4)),
        Column("type_of_units", "TypeOfUnits", max_length=50),
    ),
    active=lambda balance: in_use(balance["Employee"]),
    rows=leave_balances,
    statements="leave_balances",
    parent_key="employee_xero_id",
    append_only=True,
    keep_no_raw_values=True,
)

EMPLOYEES = Source(
    path=PATH,
    envelope="Employees",
    reading=Reading.PAGED,
    fixed_page_size=PAYROLL_PAGE_SIZE,
    key="EmployeeID",
)

STAFF = Dataset(
    name="staff",
    title="Staff",
    help="Employees, linked to QicWorks' own staff, with pay template and leave balances; terminated ones as inactive.",
    scope="payroll.employees.read",
    sources=(
        EMPLOYEES,
        Source(
            name="details",
            path=PATH + "/{id}",
            envelope="Employees",
            reading=Reading.BY_ID,
            tables=(STAFF_MEMBER, PAY_TEMPLATE_LINE, LEAVE_BALANCE),
        ),
    ),
    statements="staff",
    # The list may omit terminated employees; a full refresh each day, a call for each hundred, finds them.
    full_every=timedelta(hours=20),
)
