"""Declares pay codes (earnings rates; leave, deduction and reimbursement types) and payroll calendars."""

from collections.abc import Mapping
from typing import Any

from xero.datasets.declaration import (
    PAYROLL_PAGE_SIZE,
    UPDATED,
    Column,
    ColumnType,
    Dataset,
    Reading,
    Record,
    Rule,
    Source,
    Table,
)

# The array of PayItems: (kind, the field of the id)
ARRAYS = {
    "EarningsRates": ("EARNINGS", "EarningsRateID"),
    "DeductionTypes": ("DEDUCTION", "DeductionTypeID"),
    "LeaveTypes": ("LEAVE", "LeaveTypeID"),
    "ReimbursementTypes": ("REIMBURSEMENT", "ReimbursementTypeID"),
}


def pay_items(arrays: Any) -> Any:
    """The four arrays as one list, each item with its kind. Returns None if they are not arrays."""
    if isinstance(arrays, list) and len(arrays) == 1:
        arrays = arrays[0]
    if not isinstance(arrays, Mapping) or not ARRAYS.keys() & arrays.keys():
        return None
    if not all(arrays.get(array) is None or isinstance(arrays[array], list) for array in ARRAYS):
        return None
    found = []
    for array, (kind, id) in ARRAYS.items():
        for item in arrays.get(array) or ():
            if not isinstance(item, Mapping):
                found.append(item)
                continue
            allowance = kind == "EARNINGS" and item.get("EarningsType") == "ALLOWANCE"
            found.append({**item, "ID": item.get(id), "ColumnType": "ALLOWANCE" if allowance else kind})
    return found


def current(item: Record) -> bool:
    """Whether the item is current; Xero keeps replaced ones."""
    return str(item.get("CurrentRecord", True)).lower() != "false"


PAY_CODE = Table(
    "pay_code",
    columns=(
        Column("xero_id", "ID", ColumnType.UUID, required=True),
        Column("kind", "ColumnType", required=True, max_length=20),
        Column("name", "Name", required=True, max_length=100),
        Column("account_code", "AccountCode", max_length=50),
        Column("type_of_units", "TypeOfUnits", max_length=50),
        Column("earnings_type", "EarningsType", max_length=50),
        Column("rate_type", "RateType", max_length=50),
        Column("rate_per_unit", "RatePerUnit", ColumnType.NUMBER, digits=(14, 4)),
        Column("multiplier", "Multiplier", ColumnType.NUMBER, digits=(14, 4)),
        Column("amount", "Amount", ColumnType.NUMBER, digits=(14, 4)),
        Column("allowance_type", "AllowanceType", max_length=50),
        Column("allowance_category", "AllowanceCategory", max_length=50),
        Column("accrues_leave", "AccrueLeave", ColumnType.BOOLEAN),
        Column("deduction_category", "DeductionCategory", max_length=50),
        Column("is_paid_leave", "IsPaidLeave", ColumnType.BOOLEAN),
        Column("show_on_payslip", "ShowOnPayslip", ColumnType.BOOLEAN),
        Column("normal_entitlement", "NormalEntitlement", ColumnType.NUMBER, digits=(14, 4)),
        Column("leave_loading_rate", "LeaveLoadingRate", ColumnType.NUMBER, digits=(14, 4)),
        Column("leave_category", "LeaveCategoryCode", max_length=50),
        Column("is_exempt_from_tax", "IsExemptFromTax", ColumnType.BOOLEAN),
        Column("is_exempt_from_super", "IsExemptFromSuper", ColumnType.BOOLEAN),
        Column("current_record", "CurrentRecord", ColumnType.BOOLEAN),
        UPDATED,
    ),
    active=current,
    rules=(
        Rule(
            "ExpectColumnValuesToBeInSet",
            "rate_type",
            "rate type is none of FIXEDAMOUNT, MULTIPLE, RATEPERUNIT",
            "warn",
            {"value_set": ["FIXEDAMOUNT", "MULTIPLE", "RATEPERUNIT"]},
        ),
    ),
    guard_by="kind",
    keep_no_raw_values=True,
    statements="pay_codes",
)

PAYROLL_CALENDAR = Table(
    "payroll_calendar",
    columns=(
        Column("xero_id", "PayrollCalendarID", ColumnType.UUID, required=True),
        Column("name", "Name", required=True, max_length=255),
        Column("calendar_type", "CalendarType", max_length=50),
        Column("start_date", "StartDate", ColumnType.DATE),
        Column("payment_date", "PaymentDate", ColumnType.DATE),
        Column("reference_date", "ReferenceDate", ColumnType.DATE),
        UPDATED,
    ),
    active=lambda calendar: True,
    statements="pay_codes",
    also_updates={"organisation": ("pay_frequency", "next_pay_date", "updated_at")},
)

PAY_CODES = Dataset(
    name="pay_codes",
    title="Pay codes",
    help="Earnings, allowances, leave, deductions, reimbursements and payroll calendars. Replaced pay codes become "
    "inactive.",
    scope="payroll.settings.read",
    sources=(
        Source(
            path="/payroll.xro/1.0/PayItems",
            envelope="PayItems",
            reading=Reading.FULL,
            fixed_page_size=PAYROLL_PAGE_SIZE,
            tables=(PAY_CODE,),
            key="ID",
            records=pay_items,
        ),
        Source(
            name="calendars",
            path="/payroll.xro/1.0/PayrollCalendars",
            envelope="PayrollCalendars",
            reading=Reading.FULL,
            fixed_page_size=PAYROLL_PAGE_SIZE,
            tables=(PAYROLL_CALENDAR,),
        ),
    ),
)
