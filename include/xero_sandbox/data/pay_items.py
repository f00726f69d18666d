"""Pay items of a firm with staff: earnings rates, deduction, leave and reimbursement types, with outdated ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from xero_sandbox.data.contacts import update_times
from xero_sandbox.data.firms import Books

Dated = tuple[int, dict[str, Any]]
ORDINARY, SALARY, APPRENTICE = "Ordinary Hours", "Salary", "Apprentice Hours (3rd year)"
TOOLS, KILOMETRES = "Tool Allowance", "Kilometres – own ute"
ANNUAL, PERSONAL, DAY_OFF = "Annual Leave", "Personal/Carer's Leave", "Rostered Day Off"
#: An inactive item may share its name with an active one: ORDINARY is listed twice.
OUTDATED = "outdated"

# fmt: off
#: name, type, rate type, unit, rate or multiple or amount, then what is special: an allowance's type, or OUTDATED
EARNINGS = (
    (ORDINARY, "ORDINARYTIMEEARNINGS", "RATEPERUNIT", "Hours", "", ""),
    (SALARY, "ORDINARYTIMEEARNINGS", "RATEPERUNIT", "Hours", "", ""),
    (APPRENTICE, "ORDINARYTIMEEARNINGS", "RATEPERUNIT", "Hours", "23.5000", ""),
    ("Overtime × 1.5", "OVERTIMEEARNINGS", "MULTIPLE", "Hours", "1.5", ""),
    ("Overtime × 2", "OVERTIMEEARNINGS", "MULTIPLE", "Hours", "2", ""),
    ("Call-out after hours", "OVERTIMEEARNINGS", "RATEPERUNIT", "Call-outs", "95.0000", ""),
    (TOOLS, "ALLOWANCE", "FIXEDAMOUNT", "", "21.50", "TOOLS"),
    ("Meal Allowance", "ALLOWANCE", "RATEPERUNIT", "Meals", "16.7300", "MEALS"),
    (KILOMETRES, "ALLOWANCE", "RATEPERUNIT", "Km", "0.8800", "CAR"),
    ("Laundry", "ALLOWANCE", "FIXEDAMOUNT", "", "6.25", "LAUNDRY"),
    ("Redundancy", "LUMPSUMD", "FIXEDAMOUNT", "", "", ""),
    ("ETP Leave Earning", "EMPLOYMENTTERMINATIONPAYMENT", "RATEPERUNIT", "Hours", "", ""),
    ("Christmas bonus 🎄", "BONUSESANDCOMMISSIONS", "FIXEDAMOUNT", "", "250.00", ""),
    (ORDINARY, "ORDINARYTIMEEARNINGS", "RATEPERUNIT", "Hours", "31.2500", OUTDATED),
    ("Site allowance – Goolwa", "ALLOWANCE", "RATEPERUNIT", "Days", "14.0000", OUTDATED),
)
#: name, category, whether it reduces tax, OUTDATED
DEDUCTIONS = (
    ("Union Fees/Subscriptions", "UNIONFEES", False, ""),
    ("Novated lease", "NONE", True, ""),
    ("Workplace giving – Café fund", "WORKPLACEGIVING", True, ""),
    ("Tool fund", "NONE", False, OUTDATED),
)
#: name, unit, units a year, loading, whether paid, category, OUTDATED
LEAVE = (
    (ANNUAL, "Hours", "152", "17.5", True, "ANNUALLEAVE", ""),
    (PERSONAL, "Hours", "76", "", True, "PERSONALSICKCARERSLEAVE", ""),
    (DAY_OFF, "Days", "12", "", True, "ROSTEREDDAYOFF", ""),
    ("Long Service Leave", "Hours", "", "", True, "LONGSERVICELEAVE", ""),
    ("Community Service Leave (unpaid)", "Hours", "", "", False, "COMMUNITYSERVICELEAVE", ""),
    ("Annual Leave (before 2019)", "Hours", "152", "17.5", True, "ANNUALLEAVE", OUTDATED),
)
#: name, account, OUTDATED
REIMBURSEMENTS = (
    ("Travel Costs", "493", ""), ("Other Reimbursable Costs", "429", ""), ("Mobile phone", "453", OUTDATED),
)
# fmt: on
EXEMPT_FROM_SUPER = ("OVERTIMEEARNINGS", "ALLOWANCE", "LUMPSUMD", "EMPLOYMENTTERMINATIONPAYMENT")


def _dated(books: Books, purpose: str, key: str, items: Iterable[dict[str, Any]]) -> Iterator[Dated]:
    """The items with their ids; none in a firm without staff."""
    found = list(items) if books.sizes["staff"] else []
    dice = books.dice(purpose)
    for updated_ms, item in zip(update_times(dice, len(found), 0), found, strict=True):
        yield updated_ms, {key: dice.uuid(), **item}


def earnings_rates(books: Books) -> Iterator[Dated]:
    sites = (
        (f"Site allowance {number}", "ALLOWANCE", "RATEPERUNIT", "Days", f"{number % 40}.5000", "OTHER")
        for number in range(len(EARNINGS), books.sizes["earnings_rates"])
    )
    return _dated(books, "earnings rates", "EarningsRateID", (_earnings_rate(*row) for row in (*EARNINGS, *sites)))


def _earnings_rate(name: str, kind: str, rate_type: str, unit: str, rate: str, special: str) -> dict[str, Any]:
    exempt = kind in EXEMPT_FROM_SUPER
    item: dict[str, Any] = {
        "Name": name,
        "EarningsType": kind,
        "RateType": rate_type,
        "AccountCode": "477",
        "IsExemptFromTax": kind == "LUMPSUMD",
        "IsExemptFromSuper": exempt,
        "IsReportableAsW1": kind in ("LUMPSUMD", "EMPLOYMENTTERMINATIONPAYMENT"),
        "IsQualifyingEarnings": not exempt,
        "AllowanceContributesToAnnualLeaveRate": False,
        "AllowanceContributesToOvertimeRate": False,
        "CurrentRecord": special != OUTDATED,
    }
    if unit:
        item["TypeOfUnits"] = unit
    if rate and rate_type == "RATEPERUNIT":
        item["RatePerUnit"] = rate  # text, where everything else that is money is a number
    elif rate:
        item["Multiplier" if rate_type == "MULTIPLE" else "Amount"] = Decimal(rate)
    if rate_type == "MULTIPLE":
        item["AccrueLeave"] = False
    if kind == "ALLOWANCE":
        item |= {"AllowanceType": "OTHER" if special == OUTDATED else special, "AllowanceCategory": "NONDEDUCTIBLE"}
    if kind == "EMPLOYMENTTERMINATIONPAYMENT":
        item["EmploymentTerminationPaymentType"] = "O"
    return item


def deduction_types(books: Books) -> Iterator[Dated]:
    items = (
        {
            "DeductionCategory": category,
            "Name": name,
            "AccountCode": "825",
            "ReducesTax": reduces_tax,
            "ReducesSuper": False,
            "IsExemptFromW1": False,
            "CurrentRecord": special != OUTDATED,
        }
        for name, category, reduces_tax, special in DEDUCTIONS
    )
    return _dated(books, "deduction types", "DeductionTypeID", items)


def leave_types(books: Books) -> Iterator[Dated]:
    items = (
        {
            "Name": name,
            "TypeOfUnits": unit,
            **({"NormalEntitlement": Decimal(yearly)} if yearly else {}),
            **({"LeaveLoadingRate": Decimal(loading)} if loading else {}),
            "IsPaidLeave": paid,
            "ShowOnPayslip": paid,
            "LeaveCategoryCode": category,
            "SGCExempt": False,
            "IsQualifyingEarnings": paid,
            "CurrentRecord": special != OUTDATED,
        }
        for name, unit, yearly, loading, paid, category, special in LEAVE
    )
    return _dated(books, "leave types", "LeaveTypeID", items)


def reimbursement_types(books: Books) -> Iterator[Dated]:
    items = (
        {"Name": name, "AccountCode": account, "CurrentRecord": special != OUTDATED}
        for name, account, special in REIMBURSEMENTS
    )
    return _dated(books, "reimbursement types", "ReimbursementTypeID", items)
