"""What of pay and leave is refused before anything is sent, and what to do about it: never a name or an amount."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.support.documents import leave_document, pay_document
from xero.documents import leave_requests, payroll
from xero.documents.declaration import AnyDocument
from xero.qicworks import sql

HERE, ELSEWHERE, RATE = UUID(int=1), UUID(int=2), UUID(int=3)
PAY: dict[str, Any] = {
    "id": UUID(int=9),
    "push_version": 3,
    "approved_version": 3,
    "period_approved_at": datetime(2026, 11, 1),  # noqa: DTZ001
    "period_start": date(2026, 11, 2),
    "period_calendar": HERE,
    "employee_xero_id": UUID(int=8),
    "staff_is_here": True,
    "staff_is_active": True,
    "staff_calendar": HERE,
    "ordinary_rate": RATE,
    "later_pushed": None,
    "earlier_waiting": None,
}
LINE: dict[str, Any] = {
    "source": "time",
    "leave_request_id": None,
    "pay_code_id": RATE,
    "code_xero_id": RATE,
    "code_name": "Ordinary Hours",
    "code_kind": "EARNINGS",
    "code_is_here": True,
    "code_is_active": True,
    "rate_type": "RATEPERUNIT",
    "earnings_type": "ORDINARYTIMEEARNINGS",
    "units": Decimal("7.6"),
    "rate": None,
    "amount": None,
}
UNKNOWN = {"pay_code_id": None, "code_name": None, "code_kind": None, "code_is_here": None, "rate_type": None}
FIXED = {"rate_type": "FIXEDAMOUNT", "amount": Decimal("12.5"), "units": None}

LEAVE: dict[str, Any] = {
    "id": UUID(int=9),
    "push_version": 3,
    "approved_version": 3,
    "status": "Approved",
    "employee_xero_id": UUID(int=8),
    "staff_is_here": True,
    "staff_is_active": True,
    "calendar_type": "WEEKLY",
    "calendar_start": date(2026, 11, 2),
    "calendar_is_active": True,
    "leave_type_id": RATE,
    "code_xero_id": RATE,
    "code_name": "Annual Leave",
    "code_kind": "LEAVE",
    "code_is_here": True,
    "code_is_active": True,
    "type_of_units": "Hours",
    "title": "Reef",
    "notes": None,
    "start_date": date(2026, 11, 5),
    "end_date": date(2026, 11, 9),
    "hours": Decimal("22.8"),
}


def said(checks: Any, document: AnyDocument) -> list[str]:
    found = [finding for check in checks for finding in check(document)]
    assert all(finding.correction and finding.correction.endswith(".") for finding in found)
    return [finding.says for finding in found]


@pytest.mark.parametrize(
    ("row", "line", "expected"),
    [
        ({}, {}, None),
        ({}, FIXED, None),
        ({}, {**UNKNOWN, "source": "leave"}, None),
        ({}, {"code_kind": "LEAVE", "units": Decimal(-1), "code_is_active": False}, None),
        ({}, {**UNKNOWN, "leave_request_id": RATE}, None),
        ({"period_approved_at": None}, {}, "the pay period from 2026-11-02 is not approved"),
        ({"approved_version": None}, {}, "not approved"),
        ({"approved_version": 2}, {}, "changed after it was approved"),
        ({"employee_xero_id": None, "staff_is_here": None}, {}, "not linked"),
        ({"employee_xero_id": None}, {}, "not linked"),
        ({"staff_is_here": False}, {}, "not linked"),
        ({"staff_is_active": False}, {}, "terminated"),
        ({"staff_calendar": None}, {}, "no payroll calendar"),
        ({"staff_calendar": ELSEWHERE}, {}, "another payroll calendar"),
        ({"ordinary_rate": None}, {}, "no ordinary earnings rate"),
        ({"later_pushed": date(2026, 11, 9)}, {}, "a later pay period, from 2026-11-09"),
        ({"earlier_waiting": date(2026, 10, 26)}, {}, "an earlier period, from 2026-10-26"),
        ({}, UNKNOWN, "a line has no pay code"),
        ({}, {**UNKNOWN, "units": None}, "a line has no pay code"),
        ({}, {**UNKNOWN, "amount": Decimal(5)}, "a line has no pay code"),
        ({}, {**UNKNOWN, "rate_type": "FIXEDAMOUNT"}, "a line has no pay code"),
        ({}, {"code_kind": "ALLOWANCE"}, None),
        ({}, {"code_kind": "DEDUCTION"}, "'Ordinary Hours' is not one of earnings"),
        ({}, {"code_is_active": False}, "'Ordinary Hours' is not in use"),
        ({}, {"code_is_here": False}, "'Ordinary Hours' is not in use"),
        ({}, {"units": Decimal("-7.6")}, "a line of 'Ordinary Hours' is less than zero"),
        ({}, {"rate": Decimal("-1")}, "less than zero"),
        ({}, {**FIXED, "amount": Decimal("-12.5")}, "less than zero"),
        ({}, {**FIXED, "amount": None, "units": Decimal(1)}, "has no amount"),
        ({}, {"units": None}, "has no units"),
        ({}, {"amount": Decimal(5)}, "has an amount, though"),
    ],
)
def test_pay(row: dict[str, Any], line: dict[str, Any], expected: str | None) -> None:
    found = said(payroll.CHECKS, pay_document({**PAY, **row}, ({**LINE, **line},)))
    assert len(found) == (expected is not None), found
    assert expected is None or expected in found[0]


def test_lines_of_one_pay_code_are_added_up_when_they_have_one_rate() -> None:
    lines = (LINE, {**LINE, "units": Decimal("2.4")}, {**LINE, "source": "leave"}, {**LINE, "code_kind": "LEAVE"})
    [pay] = payroll.pay(pay_document(PAY, lines))
    assert (pay.earnings_rate, pay.quantity, pay.rate, pay.ordinary) == (RATE, Decimal("10.0"), None, True)
    found = said(payroll.CHECKS, pay_document(PAY, (LINE, {**LINE, "rate": Decimal("40")})))
    assert found == ["the lines of 'Ordinary Hours' have different rates, of which a pay template can hold one"]


def test_what_each_earnings_rate_is_to_pay() -> None:
    """Units at the rate that was given, or an amount; each pay code by itself."""
    rated = {**LINE, "rate": Decimal("40"), "units": Decimal("2")}
    tools = {**LINE, **FIXED, "pay_code_id": ELSEWHERE, "code_xero_id": ELSEWHERE, "code_name": "Tools",
             "earnings_type": "ALLOWANCE", "rate": Decimal("9")}  # fmt: skip
    for lines, expected in (
        ((rated,), [payroll.Pay(RATE, "Ordinary Hours", False, True, Decimal("2"), Decimal("40"))]),
        ((tools,), [payroll.Pay(ELSEWHERE, "Tools", True, False, Decimal("12.5"), None)]),
        (
            (tools, rated, tools, rated),
            [
                payroll.Pay(ELSEWHERE, "Tools", True, False, Decimal("25.0"), None),
                payroll.Pay(RATE, "Ordinary Hours", False, True, Decimal("4"), Decimal("40")),
            ],
        ),
        ((), []),
    ):
        assert payroll.pay(pay_document(PAY, lines)) == expected
        assert said(payroll.CHECKS, pay_document(PAY, lines)) == []


def test_nothing_and_less_than_one_may_be_paid() -> None:
    for amount in (Decimal(0), Decimal("0.01")):
        for line in ({"units": amount, "rate": amount}, {**FIXED, "amount": amount}):
            assert said(payroll.CHECKS, pay_document(PAY, ({**LINE, **line},))) == []


def test_only_a_rate_that_counts_has_to_be_the_same() -> None:
    fixed = ({**LINE, **FIXED, "rate": Decimal(1)}, {**LINE, **FIXED, "rate": Decimal(2)})
    assert said(payroll.CHECKS, pay_document(PAY, fixed)) == []
    unknown = ({**LINE, **UNKNOWN, "rate": Decimal(1)}, {**LINE, **UNKNOWN, "rate": Decimal(2)})
    assert said(payroll.CHECKS, pay_document(PAY, unknown)) == ["a line has no pay code"] * 2


def test_of_a_line_that_is_wrong_twice_both_is_told() -> None:
    found = said(payroll.CHECKS, pay_document(PAY, ({**LINE, **UNKNOWN, "units": Decimal(-1)},)))
    assert found == ["a line has no pay code", "a line of 'Unknown' is less than zero"]


def test_of_who_is_terminated_only_that_is_told() -> None:
    for row, expected in (
        ({"staff_is_active": False, "staff_calendar": None, "ordinary_rate": None}, "terminated"),
        ({"staff_is_here": False, "staff_calendar": None, "ordinary_rate": None}, "not linked"),
    ):
        [found] = said(payroll.CHECKS, pay_document({**PAY, **row}, (LINE,)))
        assert expected in found


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, None),
        ({"status": "Requested"}, "requested in QicWorks"),
        ({"approved_version": 2}, "changed after it was approved"),
        ({"employee_xero_id": None, "staff_is_here": None}, "not linked"),
        ({"staff_is_here": False}, "not linked"),
        ({"staff_is_active": False}, "terminated"),
        ({"calendar_type": None}, "no payroll calendar"),
        ({"calendar_is_active": False}, "no payroll calendar"),
        ({"calendar_start": None}, "no payroll calendar"),
        ({"calendar_type": "YEARLY"}, "('YEARLY') is not supported"),
        ({"leave_type_id": None}, "no leave type"),
        ({"code_kind": "EARNINGS"}, "is not a leave type"),
        ({"code_is_active": False}, "not in use"),
        ({"code_is_here": False}, "not in use"),
        ({"type_of_units": "Days"}, "is not measured in hours"),
        ({"end_date": date(2026, 11, 4)}, "ends before it starts"),
        ({"hours": Decimal(0)}, "has no hours"),
    ],
)
def test_leave(row: dict[str, Any], expected: str | None) -> None:
    found = said(leave_requests.CHECKS, leave_document({**LEAVE, **row}))
    assert len(found) == (expected is not None), found
    assert expected is None or expected in found[0]


def test_title_and_description_fit_and_the_reference_is_never_cut() -> None:
    reference = f"QicWorks {UUID(int=9)}"
    made = leave_requests.payload(leave_document({**LEAVE, "title": " ", "notes": " "}))
    assert (made["Title"], made["Description"]) == ("Annual Leave", reference)
    made = leave_requests.payload(leave_document({**LEAVE, "title": "t" * 51, "notes": "n" * 400}))
    assert (made["Title"], made["Description"]) == ("t" * 49 + "…", "n" * 153 + f"… {reference}")
    assert len(made["Description"]) == 200


def test_what_is_read_of_pay_and_what_is_due_without_it_is_declared() -> None:
    kind = payroll.PAYROLL
    assert (kind.row, kind.line) == (payroll.PayRow, payroll.PayLine)
    assert kind.also_due
    assert "%(connection_id)s" in sql.template(*kind.also_due).as_string()
