"""Whatever stands in a document's columns, only that document fails, by name; the others of the run are pushed."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.failing import events, only_fail
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books
from tests.support.world import World
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.views.gauges import measure

DAY = timedelta(1)
DAYS = ["20261-10-05", "0044-03-15 BC", "infinity", "-infinity", "0202-10-05"]
HUGE = "99999999999999.9999"
#: Lines of pay templates that were QicWorks' before there were seals.
FROM_BEFORE_SEALS = "UPDATE xero_sync.owned_earnings_line SET written = NULL, seal = NULL"


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


def only_these_fail(books: Books, kind: str, bad: dict[Any, str]) -> None:
    """Each by its name, with what is wrong; the others are pushed, and a second run does nothing."""
    good = len(books.rows(kind)) - len(bad)
    outcome = books.push(kind)
    assert (outcome.status, outcome.counts.pushed, outcome.counts.failed) == ("warning", good, len(bad))
    rows = {row["id"]: row for row in books.rows(kind)}
    for id, says in bad.items():
        assert rows[id]["push_state"] == "failed"
        assert says in rows[id]["push_error"]
        assert "It is pushed within 15 minutes" in rows[id]["push_correction"]
    assert sorted(events(books.world)) == sorted(KINDS[kind].called(rows[id]["number"], id) for id in bad)
    books.world.calls()
    assert books.push(kind).counts.pushed == 0
    assert books.writes() == []


@pytest.mark.parametrize("kind", PRICED)
def test_a_day_that_no_calendar_has_fails_its_own_document(world: World, kind: str) -> None:
    books = Books(world)
    books.add(kind)
    bad = {}
    for day in DAYS:
        document = books.add(kind)
        books.edit(kind, document, issue_date=day)
        bad[document] = f"its issue date is {day}"
    books.add(kind)
    only_these_fail(books, kind, bad)


def test_an_amount_that_is_none_fails_its_own_document(world: World) -> None:
    books = Books(world)
    books.add("bills")
    bad = {}
    none = [{name: "NaN"} for name in ("quantity", "unit_price", "line_total", "tax_amount")]
    for odd in [*none, {"quantity": HUGE, "unit_price": HUGE}]:
        document = books.add("bills")
        sets = ", ".join(f"{name} = '{value}'" for name, value in odd.items())
        world.query(f"UPDATE qicworks.document_line SET {sets} WHERE line_number = 1 AND parent_id = %s", document)
        name = next(iter(odd)).replace("_", " ")
        bad[document] = f"line 1: its {name} is NaN" if len(odd) == 1 else "larger than Xero can hold"
    books.add("bills")
    only_these_fail(books, "bills", bad)


@pytest.mark.parametrize("kind", PRICED)
def test_a_number_that_nobody_can_type_fails_its_own_document(world: World, kind: str) -> None:
    """By what can be printed of it."""
    books = Books(world)
    books.add(kind)
    bad = {books.add(kind, number=number): "control characters" for number in ("A\nB", "\x07 1", "2\x7f")}
    books.add(kind)
    only_these_fail(books, kind, bad)
    assert {f"{KINDS[kind].word} A B", f"{KINDS[kind].word} 1"} < set(events(world))


@pytest.mark.parametrize("kind", PRICED)
def test_a_stamp_that_is_not_sent_holds_back_nothing(world: World, kind: str) -> None:
    """Nor does it stop what is measured, and of an invoice what is pulled of its payments."""
    books = Books(world)
    books.add(kind)
    for stamp in ("infinity", "-infinity", "20261-10-05", "0044-03-15 BC"):
        books.edit(kind, books.add(kind), created_at=stamp, updated_at=stamp, pushed_at=stamp)
    with database.session(world.engine) as session:
        assert measure(session)["documents_waiting"][kind] == 5
    assert books.push(kind).counts.pushed == 5
    if kind == "invoices":
        assert world.pull("invoice_payments").status == "success"


def test_leave_of_an_odd_day_or_length_fails_by_itself(payroll: Payroll) -> None:
    employee, first = payroll.paid_by_the_hour()[0], payroll.start_of(5)
    good, bad = [], {}
    odd = [("start_date", "-infinity"), ("end_date", "infinity"), ("end_date", "20261-10-05"), ("hours", "NaN")]
    for at, (column, value) in enumerate(odd):
        days = [first + DAY * (9 * at), first + DAY * (9 * at + 3)]
        document, other = (payroll.leave(employee, day, day) for day in days)
        good.append(other)
        payroll.edit("leave_request", document, **{column: value})
        payroll.ready("leave_request", document)
        bad[document] = f"its {column.replace('_', ' ')} is {value}, which is not a"
    payroll.push("leave_requests")
    only_fail(payroll, "leave_requests", bad, good)


def test_pay_of_an_amount_that_is_none_fails_by_itself(payroll: Payroll) -> None:
    period = payroll.period()
    *good, one, two, three = [payroll.pay(whom, period, PayLine()) for whom in payroll.paid_by_the_hour()[:5]]
    bad = {}
    for document, column in ((one, "units"), (two, "rate"), (three, "amount")):
        payroll.world.query(f"UPDATE qicworks.payroll_line SET {column} = 'NaN' WHERE payroll_push_id = %s", document)
        payroll.ready("payroll_push", document)
        bad[document] = f"its {column} is NaN"
    payroll.push("payroll")
    only_fail(payroll, "payroll", bad, good)


def test_what_a_line_paid_before_may_be_unreadable(payroll: Payroll) -> None:
    period, whom = payroll.period(), payroll.paid_by_the_hour()[:5]
    *good, one, two, three = [payroll.pay(employee, period, PayLine(rate="31")) for employee in whom]
    unreadable = {one: "[]", two: '{"RatePerUnit": "x"}', three: "[" * 3000 + "]" * 3000}
    for employee, before in zip(whom[-3:], unreadable.values(), strict=True):
        payroll.world.query(
            "INSERT INTO xero_sync.owned_earnings_line VALUES (%s, %s, %s, %s, false, '{30}', %s)",
            *(payroll.connection_id, employee, payroll.rate("Ordinary Hours"), period, before),
        )
    payroll.world.query(FROM_BEFORE_SEALS)
    payroll.push("payroll")
    only_fail(payroll, "payroll", dict.fromkeys(unreadable, "QicWorks can no longer read"), good)


@pytest.mark.parametrize("start", ["-infinity", "0044-03-15 BC", "0202-10-05"])
def test_a_period_that_no_calendar_has_holds_back_no_other(payroll: Payroll, start: str) -> None:
    """Of the same employee; and whose pay template is of such a period fails by name."""
    odd, period = payroll.period(2), payroll.period()
    one, two, three = payroll.paid_by_the_hour()[:3]
    bad = payroll.pay(one, odd, PayLine())
    good = [payroll.pay(one, period, PayLine()), payroll.pay(three, period, PayLine())]
    unclear = payroll.pay(two, period, PayLine())
    payroll.world.query(
        "INSERT INTO xero_sync.owned_earnings_line VALUES (%s, %s, %s, %s, false, '{}', NULL)",
        *(payroll.connection_id, two, payroll.rate("Ordinary Hours"), odd),
    )
    payroll.world.query(FROM_BEFORE_SEALS)
    payroll.world.query("UPDATE qicworks.pay_period SET start_date = %s WHERE id = %s", start, odd)
    payroll.push("payroll")
    wrong = {bad: f"its period start is {start}"}
    if start != "0202-10-05":
        wrong[unclear] = "QicWorks can no longer read"
    else:
        good.append(unclear)
    only_fail(payroll, "payroll", wrong, good)
