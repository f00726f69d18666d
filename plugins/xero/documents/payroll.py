"""Payroll: an employee's pay of one period, written to the pay template that Xero creates the pay run from.

Every viewer reads these messages: they name pay codes, but never people, amounts or rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from xero.documents.declaration import Check, CheckResult, Delivery, Document, Kind, Then
from xero.documents.pay.employee import EmployeeRow

FIXED, SALARY, ORDINARY = "FIXEDAMOUNT", "ANNUALSALARY", "ORDINARYTIMEEARNINGS"
EARNINGS = ("EARNINGS", "ALLOWANCE")

APPROVE: tuple[str, Then] = ("Check the {document} in QicWorks' payroll approval.", "approve")
CORRECT: tuple[str, Then] = ("Correct the {document} in QicWorks.", "approve")


@dataclass(frozen=True, kw_only=True)
class PayRow(EmployeeRow):
    """An employee's pay of one period, the employee, and the payroll calendar of the period."""

    pay_period_id: UUID
    approved_version: int | None
    period_start: date
    period_end: date
    period_approved_at: datetime | None
    period_calendar: UUID
    staff_calendar: UUID | None
    ordinary_rate: UUID | None
    later_pushed: date | None  # first days of other periods of the same employee
    earlier_waiting: date | None


@dataclass(frozen=True, kw_only=True)
class PayLine:
    """A line of pay, and its pay code."""

    payroll_push_id: UUID
    work_date: date | None
    units: Decimal | None
    rate: Decimal | None
    amount: Decimal | None
    source: str
    leave_request_id: UUID | None
    pay_code_id: UUID | None
    code_xero_id: UUID | None
    code_name: str | None
    code_kind: str | None
    code_is_active: bool | None
    code_is_here: bool | None
    rate_type: str | None
    earnings_type: str | None


PayDocument = Document[PayRow, PayLine]


@dataclass(frozen=True)
class Pay:
    """What one earnings rate is to pay in the period: units, or of a fixed rate an amount."""

    earnings_rate: UUID
    name: str
    fixed: bool
    ordinary: bool
    quantity: Decimal
    rate: Decimal | None  # None: as the pay template or the pay item has it


def is_leave(line: PayLine) -> bool:
    """Xero's leave pays it: as earnings it would be paid twice."""
    return line.source == "leave" or line.leave_request_id is not None or line.code_kind == "LEAVE"


def earned(document: PayDocument) -> list[PayLine]:
    return [line for line in document.lines if not is_leave(line)]


def pay(document: PayDocument) -> list[Pay]:
    """The lines by earnings rate, summed; of a document that was checked."""
    lines: dict[UUID, list[PayLine]] = {}
    for line in earned(document):
        assert line.code_xero_id, "a line of a document that was checked has a pay code"
        lines.setdefault(line.code_xero_id, []).append(line)
    return [
        Pay(
            earnings_rate,
            some[0].code_name or "",
            some[0].rate_type == FIXED,
            some[0].earnings_type == ORDINARY,
            sum((_quantity(line) for line in some), Decimal(0)),
            None if some[0].rate_type == FIXED else some[0].rate,
        )
        for earnings_rate, some in lines.items()
    ]


def _quantity(line: PayLine) -> Decimal:
    quantity = line.amount if line.rate_type == FIXED else line.units
    assert quantity is not None, "a line of a document that was checked has units, or an amount"
    return quantity


def check_approval(document: PayDocument) -> Iterator[CheckResult]:
    row = document.row
    if row.period_approved_at is None:
        yield CheckResult(
            f"the pay period from {row.period_start} is not approved",
            "Approve the pay period in QicWorks' payroll approval.",
            "retry",
        )
    elif row.approved_version is None:
        yield CheckResult("it is not approved", *APPROVE)
    elif row.approved_version != document.version:
        yield CheckResult("it was changed after it was approved", *APPROVE)


def check_employee(document: PayDocument) -> Iterator[CheckResult]:
    """To an active employee of this Xero organisation."""
    row = document.row
    if row.employee_xero_id is None or not row.staff_is_here:
        yield CheckResult(
            "its employee is not linked to this Xero organisation",
            "Link this person under Xero › Match, if Xero's payroll has them. If it does not, add them there with the "
            "same names and email as in QicWorks, then pull staff ({pull_staff}).",
            "retry",
        )
    elif not row.staff_is_active:
        yield CheckResult(
            "its employee is terminated in Xero",
            "Pay what is due in Xero by hand. Or make the employee active there, and pull staff ({pull_staff}).",
            "retry",
        )


def check_calendar(document: PayDocument) -> Iterator[CheckResult]:
    """The employee is paid with the period's calendar, and has an ordinary earnings rate."""
    row = document.row
    if not row.staff_is_active or not row.staff_is_here:
        return
    if row.staff_calendar is None:
        yield CheckResult(
            "its employee has no payroll calendar in Xero",
            "Choose a payroll calendar for the employee in Xero, then pull staff ({pull_staff}).",
            "retry",
        )
    elif row.staff_calendar != row.period_calendar:
        yield CheckResult(
            "its employee is paid with another payroll calendar in Xero than this pay period",
            "Change the calendar of the employee in Xero and pull staff ({pull_staff}). Or move the {document} to a "
            "pay period of the employee's calendar.",
            "approve",
        )
    if row.ordinary_rate is None:
        yield CheckResult(
            "its employee has no ordinary earnings rate in Xero",
            "Choose the ordinary earnings rate of the employee in Xero, then pull staff ({pull_staff}).",
            "retry",
        )


def check_period_order(document: PayDocument) -> Iterator[CheckResult]:
    """A pay template holds one period at a time."""
    row = document.row
    if row.later_pushed:
        yield CheckResult(
            f"a later pay period, from {row.later_pushed}, was already pushed for this employee",
            "Enter this pay in Xero by hand: the pay template has the pay of the later period.",
        )
    if row.earlier_waiting:
        yield CheckResult(
            f"the pay of an earlier period, from {row.earlier_waiting}, has not been pushed yet for this employee",
            "Push the earlier one first, and make its pay run in Xero.",
            "retry",
        )


def check_pay_codes(document: PayDocument) -> Iterator[CheckResult]:
    """Each line has a pay code of earnings that is in use."""
    for line in earned(document):
        if line.pay_code_id is None:
            yield CheckResult(
                "a line has no pay code",
                "Tick the pay code on the staff's Payroll Details, and save the change.",
                "approve",
            )
        elif line.code_kind not in EARNINGS:
            yield CheckResult(
                f"pay code '{line.code_name}' is not one of earnings or allowances",
                "Choose a pay code of earnings for the line, and save the change.",
                "approve",
            )
        elif not line.code_is_here or not line.code_is_active:
            yield CheckResult(
                f"pay code '{line.code_name}' is not in use in this Xero organisation",
                "Make the pay item active in Xero and pull pay codes ({pull_pay_codes}). Or tick another pay code on "
                "the staff's Payroll Details, and save the change.",
                "approve",
            )


def check_units(document: PayDocument) -> Iterator[CheckResult]:
    """Units or an amount, as the pay code is paid; none below zero; one rate to a pay code."""
    rates: dict[UUID, set[Decimal | None]] = {}
    for line in earned(document):
        name, fixed = line.code_name or "Unknown", line.rate_type == FIXED
        if line.pay_code_id and fixed and line.amount is None:
            yield CheckResult(
                f"a line of '{name}' has no amount, though the pay code is paid as a fixed amount", *CORRECT
            )
        elif line.pay_code_id and not fixed and line.units is None:
            yield CheckResult(f"a line of '{name}' has no units, though the pay code is paid by units", *CORRECT)
        elif line.pay_code_id and not fixed and line.amount is not None:
            yield CheckResult(f"a line of '{name}' has an amount, though the pay code is paid by units", *CORRECT)
        if any(number is not None and number < 0 for number in (line.units, line.amount, line.rate)):
            yield CheckResult(f"a line of '{name}' is less than zero", *CORRECT)
        if line.pay_code_id and not fixed:
            rates.setdefault(line.pay_code_id, set()).add(line.rate)
            if len(rates[line.pay_code_id]) > 1:
                yield CheckResult(
                    f"the lines of '{name}' have different rates, of which a pay template can hold one",
                    "In QicWorks, give the lines of the {document} one rate, or a pay code each.",
                    "approve",
                )


CHECKS: tuple[Check, ...] = (
    check_approval,
    check_employee,
    check_calendar,
    check_period_order,
    check_pay_codes,
    check_units,
)

PAYROLL = Kind(
    name="payroll",
    word="pay",
    title="Payroll",
    help="Writes the approved pay of a pay period to the employees' pay templates. Push before creating the pay run in "
    "Xero.",
    scope="payroll.employees payroll.settings.read payroll.payruns.read",
    table="payroll_push",
    delivery=Delivery.PAY_TEMPLATE,
    row=PayRow,
    also_due=("push/payroll", "unmentioned"),  # pay templates that are to be emptied
    line=PayLine,
)
