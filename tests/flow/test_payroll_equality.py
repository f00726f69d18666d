"""After a pull QicWorks holds of payroll what Xero holds, field by field. The comparison owes the code nothing."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.flow.conftest import World
from tests.flow.test_equality import Record, instant, nested, number

ZONES = {"AUSEASTERNSTANDARDTIME": "Australia/Sydney", "CENAUSTRALIASTANDARDTIME": "Australia/Adelaide"}
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
    said = world.sandbox.control("GET", f"organisations/{world.sandbox.tenant(organisation)}")["Timezone"]
    return datetime.now(UTC).astimezone(ZoneInfo(ZONES[said])).date()


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


def test_what_lies_in_qicworks_equals_what_xero_holds_and_follows_it(world: World) -> None:
    world.sandbox.settings(limits=False)
    for organisation, order in ((1, ("pay_codes", "staff")), (0, ("staff", "pay_codes"))):
        for name in order:
            world.pull(name, organisation)
        assert_pay_codes_equal(world, organisation)
        assert_payroll_equal(world, organisation)
    assert any(not row["is_active"] for row in world.rows("staff").values()), "nobody terminated proves less"
    assert any(row["line_number"] == 3 for row in world.rows("pay_template_line").values()), "nor without doubles"
    assert_lines_know_their_pay_codes(world)
    before = {table: world.rows(table) for table in ("staff", "pay_template_line", "leave_balance", "pay_code")}
    for name in ("pay_codes", "staff", "leave_balances"):
        outcome = world.pull(name)
        assert (outcome.status, outcome.changed) == ("success", False)
    assert {table: world.rows(table) for table in before} == before, "what says the same is not written"

    active = [one for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE"]
    thrice = next(one for one in active if len(rates(one)) == 3 and len(set(rates(one))) == 1)
    balanced = [one for one in active if one["LeaveBalances"] and one is not thrice]
    renamed, terminated, without_leave, added, gone = balanced[:5]
    rate = next(one for one in world.sandbox.truth("EarningsRates") if one["CurrentRecord"])
    new = {**rate, "EarningsRateID": "00000000-0000-4000-8000-000000000001", "Name": "Ordinary Hours from July"}
    del new["UpdatedDateUTC"]
    world.sandbox.change("EarningsRates", rate["EarningsRateID"], CurrentRecord=False)
    world.sandbox.control("POST", f"organisations/{world.sandbox.tenant()}/EarningsRates", new)
    world.sandbox.change(
        "Employees", renamed["EmployeeID"], FirstName="Zoë", LastName="東京", Email="zoe@example.com.au", Mobile=""
    )
    world.sandbox.change(
        "Employees", terminated["EmployeeID"], Status="TERMINATED", TerminationDate="/Date(1790000000000+0000)/"
    )
    world.sandbox.change("Employees", without_leave["EmployeeID"], LeaveBalances=[])
    _, second, third = thrice["PayTemplate"]["EarningsLines"]
    changed = {**third, "RatePerUnit": 41.255}
    fewer = {**thrice["PayTemplate"], "EarningsLines": [second, changed], "SuperLines": []}
    world.sandbox.change("Employees", thrice["EmployeeID"], PayTemplate=fewer)
    line = {"EarningsRateID": new["EarningsRateID"], "CalculationType": "USEEARNINGSRATE", "NormalNumberOfUnits": 7.6}
    percent = {"DeductionTypeID": world.sandbox.truth("DeductionTypes")[0]["DeductionTypeID"], "Percentage": 2.5}
    more = added["PayTemplate"]
    more = {
        **more,
        "EarningsLines": [line, *more["EarningsLines"]],
        "DeductionLines": [*more["DeductionLines"], {**percent, "CalculationType": "POSTTAX"}],
    }
    world.sandbox.change("Employees", added["EmployeeID"], PayTemplate=more)
    outcome = world.pull("pay_codes")
    assert (outcome.counts.inserted, outcome.counts.deactivated) == (1, 1)
    outcome = world.pull("staff")
    assert (outcome.status, outcome.counts.rejected) == ("success", 0)
    assert_pay_codes_equal(world)
    assert_payroll_equal(world)
    assert_lines_know_their_pay_codes(world)
    assert [row["is_active"] for row in of(world, "leave_balance", without_leave)] == [False] * 3
    left = [row for row in of(world, "pay_template_line", thrice) if row["kind"] in ("EARNINGS", "SUPER")]
    assert sorted((row["kind"], row["line_number"]) for row in left if row["missing_since"]) == [
        ("EARNINGS", 3),
        *(("SUPER", 1) for _ in thrice["PayTemplate"]["SuperLines"]),
    ]

    remove(world, gone)
    world.pull("staff")
    assert world.rows("staff")[gone["EmployeeID"]]["is_active"], "absence from what changed says nothing"
    the_whole_list_is_old(world)
    assert world.pull("staff").counts.deactivated == 1 + len(of(world, "pay_template_line", gone))
    held = world.rows("staff")[gone["EmployeeID"]]
    assert (held["is_active"], held["missing_since"] is None) == (False, False)
    for table in ("pay_template_line", "leave_balance"):
        assert of(world, table, gone)
        assert not any(row["is_active"] for row in of(world, table, gone))
    put_back(world, gone)
    the_whole_list_is_old(world)
    world.pull("staff")
    assert world.rows("staff")[gone["EmployeeID"]]["missing_since"] is None
    assert_payroll_equal(world)


def test_who_is_terminated_or_gone_is_found_where_the_list_leaves_out_the_terminated(world: World) -> None:
    world.sandbox.settings(terminated_listed=False)
    world.pull("staff")
    assert_payroll_equal(world, whole=False)
    terminated, gone, *_ = (one for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE")
    world.sandbox.change("Employees", terminated["EmployeeID"], Status="TERMINATED")
    remove(world, gone)
    world.pull("staff")
    assert world.rows("staff")[gone["EmployeeID"]]["is_active"]
    the_whole_list_is_old(world)
    world.pull("staff")
    held = world.rows("staff")
    assert [held[one["EmployeeID"]]["is_active"] for one in (terminated, gone)] == [False, False]
    assert (held[terminated["EmployeeID"]]["status"], held[gone["EmployeeID"]]["missing_since"] is None) == (
        "TERMINATED",
        False,
    )
    assert_payroll_equal(world, whole=False)
    world.sandbox.change("Employees", terminated["EmployeeID"], Status="ACTIVE")
    world.pull("staff")
    assert world.rows("staff")[terminated["EmployeeID"]]["is_active"]
    assert_payroll_equal(world, whole=False)


def test_pay_items_are_whole_however_they_are_paged(unconnected: World) -> None:
    world = unconnected
    world.sandbox.reset(earnings_rates={world.names()[0]: 130})
    world.connect()
    assert len(world.sandbox.truth("EarningsRates")) == 130
    for paging, inserted in (("all", 145), ("none", 0), ("each", 0)):
        world.sandbox.settings(payitems_paging=paging)
        outcome = world.pull("pay_codes")
        assert (outcome.counts.inserted, outcome.counts.deactivated, paging) == (inserted, 0, paging)
        assert_pay_codes_equal(world)
