"""What people do to leave in Xero itself: enter it, approve, reject, pay and edit it. Each act stamps the leave."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from xero_sandbox.collection import Record
from xero_sandbox.leave_status import APPROVE, REJECT, Turn, paid, turned
from xero_sandbox.ledger import Ledger
from xero_sandbox.payroll_values import four_places, read_day
from xero_sandbox.taking_leave import FIELDS, LEAVE_APPLICATIONS, WRONG_PERIOD, drafted

ENTERED = ("SCHEDULED", "REQUESTED")


def enter_leave(
    ledger: Ledger, fields: dict[str, Any], units: list[Any] | None = None, status: str = "SCHEDULED"
) -> None:
    """A payroll user's, SCHEDULED, or an employee's that is still REQUESTED. `fields` are those of the API, `units`
    the hours or days of each pay period, by weekday unless given."""
    if status not in ENTERED:
        raise ValueError(f"status must be one of {', '.join(ENTERED)}")
    leave = _drafted(ledger, {"LeaveApplicationID": ledger.new_id()}, fields, units)
    for period in leave["LeavePeriods"]:
        period["LeavePeriodStatus"] = status
    ledger.add(LEAVE_APPLICATIONS, leave)


def edit_leave(
    ledger: Ledger, leave: str, fields: dict[str, Any] | None = None, units: list[Any] | None = None
) -> None:
    """Other days, other units, another title. Its status stays; what was paid cannot be edited."""
    if not fields and not units:
        raise TypeError("fields or units must say what is changed")
    ledger.write(LEAVE_APPLICATIONS, _drafted(ledger, _read(ledger, leave), fields or {}, units))


def approve_leave(ledger: Ledger, leave: str) -> None:
    _turn(ledger, leave, APPROVE)


def reject_leave(ledger: Ledger, leave: str) -> None:
    """Also what was approved, until any of it is paid."""
    _turn(ledger, leave, REJECT)


def take_leave(ledger: Ledger, leave: str, periods: list[str] | None = None) -> None:
    """As posted pay runs do: what is scheduled is PROCESSED. `periods`: only those that begin on these days."""
    record = _read(ledger, leave)
    starts = None if periods is None else [read_day(start) for start in periods]
    ledger.write(LEAVE_APPLICATIONS, {**record, "LeavePeriods": paid(record, starts)})


def _read(ledger: Ledger, leave: str) -> Record:
    if not ledger.organisation.payroll:
        raise ValueError(f"{ledger.organisation.name} has no payroll")
    return ledger.read(LEAVE_APPLICATIONS, leave)


def _turn(ledger: Ledger, leave: str, turn: Turn) -> None:
    _read(ledger, leave)
    ledger.note(LEAVE_APPLICATIONS, turned(ledger.organisation, ledger.settings, ledger.clock, leave, turn))


def _drafted(ledger: Ledger, old: Record, fields: dict[str, Any], units: list[Any] | None) -> Record:
    if not ledger.organisation.payroll:
        raise ValueError(f"{ledger.organisation.name} has no payroll")
    if unknown := fields.keys() - {*FIELDS, "LeavePeriods"}:
        raise ValueError(f"leave has no {', '.join(sorted(unknown))}")
    leave, words = drafted(ledger.organisation.collections, ledger.settings, old, fields)
    if words:
        raise ValueError(" ".join(words))
    if units is not None:
        leave["LeavePeriods"] = _with_units(leave["LeavePeriods"], units)
    return leave


def _with_units(periods: list[Record], units: list[Any]) -> list[Record]:
    numbers = [Decimal(four_places(number)) for number in units]
    if len(numbers) != len(periods) or min(numbers) < 0:
        raise ValueError(WRONG_PERIOD)
    return [{**period, "NumberOfUnits": number} for period, number in zip(periods, numbers, strict=True)]
