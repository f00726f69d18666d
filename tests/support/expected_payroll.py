"""What QicWorks' tables should hold of Xero's employees, pay templates, balances, pay items and calendars."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from tests.support.expected_accounting import Record, instant, nested, number
from tests.support.world import World

LINES = {
    "EarningsLines": ("EARNINGS", "EarningsRateID", "NormalNumberOfUnits"),
    "DeductionLines": ("DEDUCTION", "DeductionTypeID", "NumberOfUnits"),
    "SuperLines": ("SUPER", "SuperMembershipID", "NumberOfUnits"),
    "ReimbursementLines": ("REIMBURSEMENT", "ReimbursementTypeID", "NumberOfUnits"),
    "LeaveLines": ("LEAVE", "LeaveTypeID", "NumberOfUnits"),
}

PAY_ITEMS = {
    "EarningsRates": ("EarningsRateID", "EARNINGS"),
    "DeductionTypes": ("DeductionTypeID", "DEDUCTION"),
    "LeaveTypes": ("LeaveTypeID", "LEAVE"),
    "ReimbursementTypes": ("ReimbursementTypeID", "REIMBURSEMENT"),
}


def day(said: str | None) -> date | None:
    moment = instant(said)
    return moment.date() if moment else None


def local_today(world: World, organisation: int) -> date:
    """By the database's clock, where the organisation is."""
    [row] = world.query(
        "SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today FROM qicworks.organisation"
        "  JOIN xero_sync.connection ON organisation_id = organisation.id WHERE connection.id = %s",
        world.connection_id(organisation),
    )
    today: date = row["today"]
    return today


def member(xero: Record) -> Record:
    return {
        "xero_id": xero["EmployeeID"],
        "first_name": xero["FirstName"],
        "last_name": xero["LastName"],
        "email": xero.get("Email"),
        "title": xero.get("Title"),
        "job_title": xero.get("JobTitle"),
        "classification": xero.get("Classification"),
        "phone": xero.get("Phone"),
        "mobile": xero.get("Mobile"),
        "employee_group": xero.get("EmployeeGroupName"),
        "employment_basis": nested(xero, "TaxDeclaration", "EmploymentBasis"),
        "start_date": day(xero.get("StartDate")),
        "termination_date": day(xero.get("TerminationDate")),
        "payroll_calendar_xero_id": xero.get("PayrollCalendarID"),
        "ordinary_earnings_rate_xero_id": xero.get("OrdinaryEarningsRateID"),
        "approves_leave": xero.get("IsAuthorisedToApproveLeave"),
        "approves_timesheets": xero.get("IsAuthorisedToApproveTimesheets"),
        "status": xero["Status"],
        "xero_updated_at": instant(xero["UpdatedDateUTC"]),
        "is_active": xero["Status"] == "ACTIVE",
    }


def template_lines(xero: Record) -> Iterator[Record]:
    for field, (kind, item, units) in LINES.items():
        met: Counter[str] = Counter()
        for line in xero["PayTemplate"].get(field, []):
            met[line[item]] += 1
            said = line.get(units)
            if kind == "LEAVE":
                said = line.get("FullTimeNumberOfUnitsPerPeriod")
            yield {
                "employee_xero_id": xero["EmployeeID"],
                "kind": kind,
                "pay_code_xero_id": None if kind == "SUPER" else line[item],
                "contribution_type": line.get("ContributionType"),
                "line_number": number(met[line[item]]),
                "calculation_type": line.get("CalculationType"),
                "number_of_units": number(said),
                "annual_units": number(line.get("AnnualNumberOfUnits")),
                "units_per_week": number(line.get("NumberOfUnitsPerWeek")),
                "rate_per_unit": number(line.get("RatePerUnit")),
                "annual_salary": number(line.get("AnnualSalary")),
                "amount": number(line.get("Amount", line.get("FixedAmount"))),
                "percentage": number(line.get("Percentage")),
                "description": line.get("Description"),
                "is_active": xero["Status"] == "ACTIVE",
            }


def balances(xero: Record, today: date) -> Iterator[Record]:
    for balance in xero.get("LeaveBalances", []):
        yield {
            "employee_xero_id": xero["EmployeeID"],
            "leave_type_xero_id": balance["LeaveTypeID"],
            "as_at": today,
            "leave_name": balance["LeaveName"],
            "number_of_units": number(balance["NumberOfUnits"]),
            "type_of_units": balance["TypeOfUnits"],
            "is_active": xero["Status"] == "ACTIVE",
        }


def pay_code(xero: Record, id: str, kind: str) -> Record:
    return {
        "xero_id": xero[id],
        "kind": "ALLOWANCE" if xero.get("EarningsType") == "ALLOWANCE" else kind,
        "name": xero["Name"],
        "account_code": xero.get("AccountCode"),
        "type_of_units": xero.get("TypeOfUnits"),
        "earnings_type": xero.get("EarningsType"),
        "rate_type": xero.get("RateType"),
        "rate_per_unit": number(xero.get("RatePerUnit")),
        "multiplier": number(xero.get("Multiplier")),
        "amount": number(xero.get("Amount")),
        "allowance_type": xero.get("AllowanceType"),
        "allowance_category": xero.get("AllowanceCategory"),
        "accrues_leave": xero.get("AccrueLeave"),
        "deduction_category": xero.get("DeductionCategory"),
        "is_paid_leave": xero.get("IsPaidLeave"),
        "show_on_payslip": xero.get("ShowOnPayslip"),
        "normal_entitlement": number(xero.get("NormalEntitlement")),
        "leave_loading_rate": number(xero.get("LeaveLoadingRate")),
        "leave_category": xero.get("LeaveCategoryCode"),
        "is_exempt_from_tax": xero.get("IsExemptFromTax"),
        "is_exempt_from_super": xero.get("IsExemptFromSuper"),
        "current_record": xero["CurrentRecord"],
        "xero_updated_at": instant(xero["UpdatedDateUTC"]),
        "is_active": xero["CurrentRecord"],
    }


def calendar(xero: Record) -> Record:
    return {
        "xero_id": xero["PayrollCalendarID"],
        "name": xero["Name"],
        "calendar_type": xero["CalendarType"],
        "start_date": day(xero["StartDate"]),
        "payment_date": day(xero["PaymentDate"]),
        "reference_date": day(xero["ReferenceDate"]),
        "xero_updated_at": instant(xero["UpdatedDateUTC"]),
        "is_active": True,
    }


def leave(xero: Record) -> Record:
    statuses = {period["LeavePeriodStatus"] for period in xero["LeavePeriods"]}
    words = str(xero.get("Description") or "").split()
    return {
        "xero_id": xero["LeaveApplicationID"],
        "employee_xero_id": xero["EmployeeID"],
        "leave_type_xero_id": xero["LeaveTypeID"],
        "reference": words[-1] if words[-2:-1] == ["QicWorks"] else None,
        "start_date": day(xero["StartDate"]),
        "end_date": day(xero["EndDate"]),
        "status": ", ".join(sorted(statuses)),
        "xero_updated_at": instant(xero["UpdatedDateUTC"]),
        "is_active": statuses != {"REJECTED"},
    }


def comparable(row: Record) -> tuple[Any, ...]:
    """Ids as text, empty text as none."""
    return tuple(str(value) if name.endswith("xero_id") and value else value or None for name, value in row.items())


def assert_holds(world: World, organisation: int, table: str, expected: list[Record], key: tuple[str, ...]) -> None:
    """All of these rows, once each; whatever else is held is inactive."""
    assert expected
    held = [{name: row[name] for name in expected[0]} for row in world.rows(table, organisation).values()]
    wanted = {comparable({name: row[name] for name in key}) for row in expected}
    assert len(wanted) == len(expected)
    here = [row for row in held if comparable({name: row[name] for name in key}) in wanted]
    assert Counter(map(comparable, here)) == Counter(map(comparable, expected))
    others = [row for row in held if row not in here]
    assert not any(row["is_active"] for row in others), others


def assert_payroll_equal(world: World, organisation: int = 0, *, whole: bool = True) -> None:
    """Employees with templates and balances. Without `whole` those who are terminated need not be known."""
    truth = world.sandbox.truth("Employees", organisation)
    known = world.rows("staff", organisation)
    employees = [one for one in truth if whole or one["Status"] == "ACTIVE" or one["EmployeeID"] in known]
    today = local_today(world, organisation)
    assert_holds(world, organisation, "staff", [member(one) for one in employees], ("xero_id",))
    lines = [line for one in employees for line in template_lines(one)]
    same: tuple[str, ...] = ("employee_xero_id", "kind", "pay_code_xero_id", "contribution_type", "line_number")
    assert_holds(world, organisation, "pay_template_line", lines, same)
    same = ("employee_xero_id", "leave_type_xero_id", "as_at")
    assert_holds(world, organisation, "leave_balance", [row for one in employees for row in balances(one, today)], same)
    for table in ("pay_template_line", "leave_balance"):
        for row in world.rows(table, organisation).values():
            assert row["staff_id"] == known.get(str(row["employee_xero_id"]), {}).get("id")


def assert_pay_codes_equal(world: World, organisation: int = 0) -> None:
    codes = [
        pay_code(item, id, kind)
        for collection, (id, kind) in PAY_ITEMS.items()
        for item in world.sandbox.truth(collection, organisation)
    ]
    assert_holds(world, organisation, "pay_code", codes, ("xero_id",))
    calendars = [calendar(one) for one in world.sandbox.truth("PayrollCalendars", organisation)]
    assert_holds(world, organisation, "payroll_calendar", calendars, ("xero_id",))


def assert_lines_know_their_pay_codes(world: World) -> None:
    codes = world.rows("pay_code")
    active = [
        line for line in world.rows("pay_template_line").values() if line["is_active"] and line["kind"] != "SUPER"
    ]
    assert active
    for line in active:
        assert line["pay_code_id"] == codes[str(line["pay_code_xero_id"])]["id"]


def the_whole_list_is_old(world: World) -> None:
    world.query("UPDATE xero_sync.cursor SET full_at = full_at - interval '21 hours' WHERE data_set = 'staff'")


def remove(world: World, employee: Record) -> None:
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant()}/Employees/{employee['EmployeeID']}")


def put_back(world: World, employee: Record) -> None:
    world.sandbox.control("POST", f"organisations/{world.sandbox.tenant()}/Employees", employee)


def of(world: World, table: str, employee: Record) -> list[dict[str, Any]]:
    """An employee's rows."""
    return [row for row in world.rows(table).values() if str(row["employee_xero_id"]) == employee["EmployeeID"]]


def rates(employee: Record) -> list[str]:
    return [line["EarningsRateID"] for line in employee["PayTemplate"]["EarningsLines"]]
