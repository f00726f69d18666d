"""kill -9 at each moment of a push of pay and of leave: set once as it should be, and no leave applied for twice."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from tests.support.killing import kill_at, moments
from tests.support.paying import Line, Payroll
from tests.support.troubles import BEYOND
from tests.support.world import World

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.fixture
def payroll(world: World) -> Payroll:
    payroll = Payroll(world)
    payroll.pay_run("post")
    world.pull("tax_codes")  # the access token is renewed if need be, so that later work passes the same moments
    return payroll


def test_leave(payroll: Payroll) -> None:
    employees = payroll.paid_by_the_hour()
    first = payroll.start_of(3)

    def apply(nth: int) -> None:
        day = first + timedelta(days=7 * (nth // len(employees)))
        payroll.leave(employees[nth % len(employees)], day, day)

    apply(0)
    pushing = partial(payroll.push, "leave_requests")
    last = len(moments(payroll.world, pushing))
    assert last > 20
    for moment in range(1, last + 1):
        apply(moment)
        killed = kill_at(payroll.world, moment, pushing)
        assert killed or moment > last - 10
        if moment % 2:
            payroll.world.query(
                "UPDATE xero_sync.push_request SET first_sent_at = first_sent_at - make_interval(secs => %s),"
                " last_sent_at = last_sent_at - make_interval(secs => %s)",
                *(BEYOND, BEYOND),
            )
        payroll.drain("leave_requests")
    assert Counter(state for state, _ in payroll.states("leave_request")) == {"pushed": last + 1}
    there = payroll.applications()
    assert len(there) == last + 1
    assert len({one["Description"] for one in there}) == last + 1


def test_pay(payroll: Payroll) -> None:
    employee, period = payroll.paid_by_the_hour()[0], payroll.period(1)
    document = payroll.pay(employee, period, Line(units="30"), Line("Laundry", None, amount="12.50"))
    before = len(payroll.template(employee)["EarningsLines"])
    pushing = partial(payroll.push, "payroll")
    last = len(moments(payroll.world, pushing))
    assert last > 20
    lines = len(payroll.template(employee)["EarningsLines"])
    assert lines <= before + 1
    for moment in range(1, last + 1):
        payroll.world.query("UPDATE qicworks.payroll_line SET units = %s WHERE units IS NOT NULL", 30 + moment)
        payroll.ready("payroll_push", document)
        killed = kill_at(payroll.world, moment, pushing)
        assert killed or moment > last - 10
        payroll.drain("payroll")
        assert payroll.states("payroll_push") == [("pushed", None)]
        told = payroll.earnings(employee)
        assert Decimal(str(told["Ordinary Hours"]["NormalNumberOfUnits"])) == 30 + moment
        assert len(payroll.template(employee)["EarningsLines"]) == lines
