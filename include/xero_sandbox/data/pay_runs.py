"""Payroll calendars and pay runs, and what an employee's pay template pays in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from xero_sandbox.clock import DATA_UNTIL_MS
from xero_sandbox.data.firms import Books
from xero_sandbox.pay_periods import A_YEAR, DAYS, period
from xero_sandbox.wire import ms_date, read_ms_date

#: The day on which the period under way began, by the calendar's type.
UNDER_WAY = {"WEEKLY": date(2026, 10, 26), "FORTNIGHTLY": date(2026, 10, 19), "FOURWEEKLY": date(2026, 10, 12)}
POSTED_RUNS = 6
DAY_MS = 86_400_000
PAID_AFTER = timedelta(3)
#: What an hour is paid at when neither the template nor its earnings rate says it.
HOURLY = Decimal("23.5")


def wire_date(day: date) -> str:
    return ms_date(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000))


def read_date(text: object) -> date:
    """The day of a `/Date(…)/`. ValueError for anything else."""
    milliseconds = read_ms_date(text)
    if milliseconds is None:
        raise ValueError(f"{text} is not a date")
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def days(calendar_type: str) -> int:
    """ValueError for a type that no firm here has."""
    if calendar_type not in DAYS:
        raise ValueError(f"no periods are known for {calendar_type}")
    return DAYS[calendar_type]


def calendars(books: Books) -> Iterator[tuple[int, dict[str, Any]]]:
    dice = books.dice("calendars")
    for number, kind in enumerate(books.firm.calendars if books.sizes["staff"] else ()):
        start = UNDER_WAY[kind]
        yield (
            DATA_UNTIL_MS - (40 + 9 * number) * DAY_MS - dice.randrange(DAY_MS),
            {
                "PayrollCalendarID": dice.uuid(),
                "Name": f"{kind.title()} – {dice.choice(('field & office', 'crews', 'everyone'))}",
                "CalendarType": kind,
                "StartDate": wire_date(start),
                "PaymentDate": wire_date(start + timedelta(DAYS[kind] + 2)),
                "ReferenceDate": wire_date(start - timedelta(DAYS[kind] * 60)),
            },
        )


def pay_runs(books: Books) -> Iterator[tuple[int, dict[str, Any]]]:
    """For each calendar some posted runs, each last touched on its payment day, and a draft of the present period."""
    dice = books.dice("pay runs")
    employees = [row.record for row in books.collection("Employees").by_key()]
    for row in books.collection("PayrollCalendars").by_key():
        calendar = row.record
        length = days(calendar["CalendarType"])
        for back in range(POSTED_RUNS, -1, -1):
            start = read_date(calendar["StartDate"]) - timedelta(length * back)
            paid_ms = read_ms_date(wire_date(start + timedelta(length + 2))) or 0
            updated_ms = min(paid_ms, DATA_UNTIL_MS - DAY_MS) + dice.randrange(DAY_MS)
            slips = [
                payslip(employee, calendar["CalendarType"], dice.uuid(), updated_ms)
                for employee in employees
                if employee["Status"] == "ACTIVE" and employee.get("PayrollCalendarID") == row.key
            ]
            yield updated_ms, pay_run(calendar, dice.uuid(), start, "POSTED" if back else "DRAFT", slips)


def pay_run(
    calendar: dict[str, Any], key: str, start: date, status: str, slips: list[dict[str, Any]]
) -> dict[str, Any]:
    start, end = period(calendar["CalendarType"], start)

    def total(name: str) -> Decimal:
        return sum((Decimal(slip[name]) for slip in slips), Decimal("0.00"))

    return {
        "PayRunID": key,
        "PayrollCalendarID": calendar["PayrollCalendarID"],
        "PayRunPeriodStartDate": wire_date(start),
        "PayRunPeriodEndDate": wire_date(end),
        "PaymentDate": wire_date(end + PAID_AFTER),
        "Wages": total("Wages"),
        "Deductions": total("Deductions"),
        "Tax": total("Tax"),
        "Super": total("Super"),
        "Reimbursement": total("Reimbursements"),
        "NetPay": total("NetPay"),
        "PayRunStatus": status,
        "Payslips": slips,
    }


def payslip(
    employee: dict[str, Any], calendar_type: str, key: str, updated_ms: int, leave: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """A period's pay as the template has it, and the lines of leave on top; about a fifth goes to tax, 12% to super."""
    template = employee.get("PayTemplate") or {}
    on_leave = _sum(Decimal(line["NumberOfUnits"]) * Decimal(line["RatePerUnit"]) for line in leave)
    wages = _sum(_earned(line, A_YEAR[calendar_type]) for line in template.get("EarningsLines", ())) + on_leave
    deductions, reimbursed = (
        _sum(line.get("Amount", 0) for line in template.get(lines, ()))
        for lines in ("DeductionLines", "ReimbursementLines")
    )
    tax = _sum([wages / 5])
    slip = {
        "EmployeeID": employee["EmployeeID"],
        "PayslipID": key,
        "FirstName": employee["FirstName"],
        "LastName": employee["LastName"],
        "Wages": wages,
        "Deductions": deductions,
        "Tax": tax,
        "Super": _sum([wages * 12 / 100]),
        "Reimbursements": reimbursed,
        "NetPay": wages - deductions - tax + reimbursed,
        "UpdatedDateUTC": ms_date(updated_ms),
    }
    if leave:
        slip |= {"LeaveEarnings": on_leave, "LeaveEarningsLines": list(leave)}
    return slip | ({"EmployeeGroup": employee["EmployeeGroupName"]} if "EmployeeGroupName" in employee else {})


def _earned(line: dict[str, Any], periods: int) -> Decimal:
    if "AnnualSalary" in line:
        return Decimal(line["AnnualSalary"]) / periods
    if "FixedAmount" in line:
        return Decimal(line["FixedAmount"])
    return Decimal(line.get("RatePerUnit", HOURLY)) * Decimal(line.get("NormalNumberOfUnits", 0))


def _sum(amounts: Iterable[Any]) -> Decimal:
    return sum((Decimal(amount) for amount in amounts), Decimal()).quantize(Decimal("0.01"))
