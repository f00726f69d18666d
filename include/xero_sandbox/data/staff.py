"""Employees of a trades firm with everything that payroll knows of them, and the ones that trip careless programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from xero_sandbox.data.contacts import update_times
from xero_sandbox.data.dice import Dice
from xero_sandbox.data.firms import Books
from xero_sandbox.data.pay_items import (
    ANNUAL,
    APPRENTICE,
    DAY_OFF,
    KILOMETRES,
    ORDINARY,
    PERSONAL,
    SALARY,
    TOOLS,
)
from xero_sandbox.data.pay_runs import days, wire_date
from xero_sandbox.data.words import FIRST_NAMES, LAST_NAMES, PLACES, STREET_KINDS, STREETS
from xero_sandbox.wire import ms_date

#: The index of each employee: the first ones show each kind of pay, the others what is rare.
HOURLY_TWICE, SALARIED, ALLOWANCES, TWIN, OTHER_TWIN, TERMINATED, NO_EMAIL, CASUAL, DIACRITICS, APOSTROPHE = range(10)
NO_CALENDAR = 10
NAMES = {DIACRITICS: ("Zoë", "Đặng-Müller"), APOSTROPHE: ("Siobhán", "O'Connor-D'Angelo")}
JOBS = ("Plumber", "Apprentice", "Estimator", "Office manager", "Electrician", "Leading hand")

#: Secrets begin with these, so they are recognised wherever one appears.
TAX_FILE_NUMBER, ACCOUNT_NUMBER, MEMBER_NUMBER, ADDRESS = "9990", "8880", "6660", "Lot 5550"
BSB, ACCOUNT_NAME = "777", "Payee "


class Items:
    """The ids of a firm's current pay items, by name."""

    def __init__(self, books: Books) -> None:
        self.earnings, self.deductions, self.leave, self.reimbursements = (
            {row.record["Name"]: row.record for row in books.collection(plural).by_key() if row.record["CurrentRecord"]}
            for plural in ("EarningsRates", "DeductionTypes", "LeaveTypes", "ReimbursementTypes")
        )


def employees(books: Books) -> Iterator[tuple[int, dict[str, Any]]]:
    """(UpdatedDateUTC in ms, the whole employee). About one in twelve is terminated."""
    count, dice = books.sizes["staff"], books.dice("staff")
    if not count:
        return
    items, calendars = Items(books), [row.record for row in books.collection("PayrollCalendars").by_updated()]
    birthdays = dice.sample(range(15_000), count)
    times = update_times(books.dice("staff times"), count, 0)
    dice.shuffle(times)
    twin = _name(dice, TWIN)
    for number, updated_ms in enumerate(times):
        first, last = twin if number in (TWIN, OTHER_TWIN) else _name(dice, number)
        calendar = calendars[number % len(calendars)]
        secret = f"{books.number % 10}{number:04d}"  # of one length, whatever the number
        employee = _person(dice, number, first, last) | {
            "DateOfBirth": wire_date(date(1963, 1, 1) + timedelta(birthdays[number])),
            "OrdinaryEarningsRateID": items.earnings[ORDINARY]["EarningsRateID"],
            "PayrollCalendarID": calendar["PayrollCalendarID"],
            "HomeAddress": _address(dice, secret),
            "TaxDeclaration": _tax_declaration(dice, number, secret, updated_ms),
            "BankAccounts": _bank_accounts(dice, secret, f"{first} {last}"),
            "OpeningBalances": _opening_balances(items),
            "SuperMemberships": [
                {
                    "SuperMembershipID": dice.uuid(),
                    "SuperFundID": books.dice("super fund").uuid(),
                    "EmployeeNumber": f"{MEMBER_NUMBER}{secret}",
                }
            ],
        }
        weeks = days(calendar["CalendarType"]) // 7
        employee["PayTemplate"] = _pay_template(dice, number, items, employee, weeks)
        employee["LeaveBalances"] = _leave_balances(dice, items, employee["PayTemplate"]["LeaveLines"])
        if number == NO_CALENDAR:
            del employee["PayrollCalendarID"]
        yield updated_ms, employee


def _name(dice: Dice, number: int) -> tuple[str, str]:
    thrown = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    return NAMES.get(number, thrown)


def _person(dice: Dice, number: int, first: str, last: str) -> dict[str, Any]:
    """The personal data of an employee; fields that were not filled in are missing."""
    terminated = number == TERMINATED or (number > NO_CALENDAR and dice.chance(0.08))
    plain = f"{first}.{last}".lower().replace("'", "").encode("ascii", "ignore").decode().strip(".")
    started = date(2014, 2, 3) + timedelta(dice.randrange(4_000))
    person: dict[str, Any] = {
        "EmployeeID": dice.uuid(),
        "FirstName": first,
        "LastName": last,
        "Status": "TERMINATED" if terminated else "ACTIVE",
        "Email": f"{plain}{TWIN if number == OTHER_TWIN else number}@example.com.au",
        "Gender": dice.choice("MFFMI"),
        "StartDate": wire_date(started),
        "JobTitle": dice.choice(JOBS),
        "IncomeType": "SALARYANDWAGES",
        "EmploymentType": "EMPLOYEE",
        "IsAuthorisedToApproveLeave": number == SALARIED,
        "IsAuthorisedToApproveTimesheets": number == SALARIED,
        "IsSTP2Qualified": True,
    }
    if number == NO_EMAIL or (number > NO_CALENDAR and dice.chance(0.05)):
        del person["Email"]
    if dice.chance(0.3):
        person["MiddleNames"] = dice.choice(FIRST_NAMES)
    if dice.chance(0.7):
        person["Mobile"] = f"04{dice.digits(2)} {dice.digits(3)} {dice.digits(3)}"
    if dice.chance(0.3):
        person["Phone"] = f"9{dice.digits(3)} {dice.digits(4)}"
    if dice.chance(0.5):
        person["EmployeeGroupName"] = dice.choice(("North", "South"))
    if terminated:
        left = started + timedelta(200 + dice.randrange(300))
        person |= {"TerminationDate": wire_date(left), "TerminationReason": dice.choice("VIRC")}
    return person


def _address(dice: Dice, secret: str) -> dict[str, str]:
    city, region, code = dice.choice(PLACES)
    street = f"{dice.choice(STREETS)} {dice.choice(STREET_KINDS)}"
    place = {"City": city, "Region": region, "PostalCode": code, "Country": "AUSTRALIA"}
    return {"AddressLine1": f"{ADDRESS}{secret} {street}", **place}


def _tax_declaration(dice: Dice, number: int, secret: str, updated_ms: int) -> dict[str, Any]:
    known = {"TFNExemptionType": "PENDING"} if number == NO_CALENDAR else {"TaxFileNumber": TAX_FILE_NUMBER + secret}
    return {
        **known,
        "EmploymentBasis": "CASUAL" if number == CASUAL else dice.choice(("FULLTIME", "FULLTIME", "PARTTIME")),
        "AustralianResidentForTaxPurposes": True,
        "ResidencyStatus": "AUSTRALIANRESIDENT",
        "TaxScaleType": "REGULAR",
        "TaxFreeThresholdClaimed": dice.chance(0.9),
        "HasHELPDebt": dice.chance(0.2),
        "HasSFSSDebt": False,
        "HasTradeSupportLoanDebt": dice.chance(0.1),
        "HasStudentStartupLoan": False,
        "EligibleToReceiveLeaveLoading": True,
        "IncludeLeaveLoadingInQualifyingEarnings": False,
        "UpdatedDateUTC": ms_date(updated_ms),
    }


def _bank_accounts(dice: Dice, secret: str, name: str) -> list[dict[str, Any]]:
    """The rest goes to the last one; with a second account 200 dollars go there first."""

    def account(prefix: str) -> dict[str, Any]:
        number = {"AccountName": ACCOUNT_NAME + name, "BSB": BSB + dice.digits(3), "AccountNumber": prefix + secret}
        return {"StatementText": "Wages", **number}

    savings = [{**account(f"{ACCOUNT_NUMBER}1"), "Remainder": False, "Amount": Decimal("200.00")}]
    return [*(savings if dice.chance(0.3) else []), {**account(f"{ACCOUNT_NUMBER}0"), "Remainder": True}]


def _opening_balances(items: Items) -> dict[str, Any]:
    lists = ("EarningsLines", "DeductionLines", "SuperLines", "ReimbursementLines", "PaidLeaveEarningsLines")
    annual = {"LeaveTypeID": items.leave[ANNUAL]["LeaveTypeID"], "NumberOfUnits": Decimal("12.5")}
    return {
        "OpeningBalanceDate": wire_date(date(2019, 7, 1)),
        "Tax": "0.00",
        **{name: [] for name in lists},
        "LeaveLines": [annual],
    }


def _pay_template(dice: Dice, number: int, items: Items, employee: dict[str, Any], weeks: int) -> dict[str, Any]:
    union = items.deductions["Union Fees/Subscriptions"]
    travel = items.reimbursements["Travel Costs"]["ReimbursementTypeID"]
    deduction = {"DeductionTypeID": union["DeductionTypeID"], "CalculationType": "FIXEDAMOUNT"}
    reimbursement = {"ReimbursementTypeID": travel, "Description": "Bus & ferry", "Amount": Decimal("18.40")}
    return {
        "EarningsLines": _earnings_lines(dice, number, items, 38 * weeks),
        "DeductionLines": [{**deduction, "Amount": Decimal("9.75")}] if dice.chance(0.4) else [],
        "SuperLines": _super_lines(dice, employee["SuperMemberships"][0]["SuperMembershipID"]),
        "ReimbursementLines": [reimbursement] if number == ALLOWANCES or dice.chance(0.1) else [],
        "LeaveLines": [] if number == CASUAL else _leave_lines(items, weeks),
    }


def _earnings_lines(dice: Dice, number: int, items: Items, hours: int) -> list[dict[str, Any]]:
    def line(name: str, calculation: str, **fields: Any) -> dict[str, Any]:
        return {"EarningsRateID": items.earnings[name]["EarningsRateID"], "CalculationType": calculation, **fields}

    rate = Decimal(dice.randrange(2_800, 6_400)).scaleb(-2)
    hourly = line(ORDINARY, "ENTEREARNINGSRATE", RatePerUnit=rate, NormalNumberOfUnits=Decimal(hours))
    if number == HOURLY_TWICE:  # the same rate twice is legal
        return [hourly, hourly | {"NormalNumberOfUnits": Decimal("4.5")}, dict(hourly)]
    if number == SALARIED or (number > NO_CALENDAR and dice.chance(0.3)):
        salary = Decimal(dice.randrange(70, 160) * 1000)
        return [line(SALARY, "ANNUALSALARY", AnnualSalary=salary, NumberOfUnitsPerWeek=Decimal("38.0"))]
    if number > NO_CALENDAR and dice.chance(0.2):
        return [line(APPRENTICE, "USEEARNINGSRATE", NormalNumberOfUnits=Decimal(hours))]
    tools = line(TOOLS, "ENTEREARNINGSRATE", FixedAmount=Decimal("21.50"))
    driven = line(KILOMETRES, "ENTEREARNINGSRATE", RatePerUnit=Decimal("0.88"), NormalNumberOfUnits=Decimal("120.5"))
    return [hourly, tools, driven] if number == ALLOWANCES or dice.chance(0.3) else [hourly]


def _super_lines(dice: Dice, membership: str) -> list[dict[str, Any]]:
    accounts = {"ExpenseAccountCode": "478", "LiabilityAccountCode": "825"}
    guarantee = {"ContributionType": "SGC", "CalculationType": "STATUTORY", "MinimumMonthlyEarnings": Decimal(0)}
    sacrifice = {"ContributionType": "SALARYSACRIFICE", "CalculationType": "FIXEDAMOUNT", "Amount": Decimal("50.00")}
    lines = [guarantee, sacrifice] if dice.chance(0.2) else [guarantee]
    return [{"SuperMembershipID": membership, **line, **accounts} for line in lines]


def _leave_lines(items: Items, weeks: int) -> list[dict[str, Any]]:
    def line(name: str, calculation: str, **fields: Any) -> dict[str, Any]:
        kind = items.leave[name]
        about = {"LeaveTypeID": kind["LeaveTypeID"], "CalculationType": calculation}
        paid_out = {"EntitlementFinalPayPayoutType": "PAIDOUT" if name == ANNUAL else "NOTPAIDOUT"}
        units = {"AnnualNumberOfUnits": Decimal(kind["NormalEntitlement"])}
        return {**about, **units, **paid_out, "IsQualifyingEarnings": True, **fields}

    full_time = {"FullTimeNumberOfUnitsPerPeriod": Decimal(38 * weeks)}
    return [
        line(ANNUAL, "BASEDONORDINARYEARNINGS", **full_time),
        line(PERSONAL, "FIXEDAMOUNTEACHPERIOD"),
        line(DAY_OFF, "FIXEDAMOUNTEACHPERIOD"),
    ]


def _leave_balances(dice: Dice, items: Items, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = {kind["LeaveTypeID"]: kind for kind in items.leave.values()}
    return [
        {
            "LeaveName": kinds[line["LeaveTypeID"]]["Name"],
            "LeaveTypeID": line["LeaveTypeID"],
            "NumberOfUnits": Decimal(dice.randrange(-80_000, 2_000_000)).scaleb(-4),
            "TypeOfUnits": kinds[line["LeaveTypeID"]]["TypeOfUnits"],
        }
        for line in lines
    ]
