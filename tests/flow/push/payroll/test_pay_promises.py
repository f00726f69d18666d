"""One test for each guard of pay and leave: only what payroll approved is sent, and only once."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.background import in_background
from tests.support.paying import Line, Payroll, units
from tests.support.world import World
from xero.api.errors import RetryLater
from xero.sync.runs.outcome import Skip

TABLES = {"payroll": "payroll_push", "leave_requests": "leave_request"}
READ = {"payroll": "/Employees/", "leave_requests": "/LeaveApplications"}  # what is read before either is sent
both = pytest.mark.parametrize("kind", TABLES)


@pytest.fixture
def payroll(world: World) -> Payroll:
    payroll = Payroll(world)
    payroll.pay_run("post")
    return payroll


def add(payroll: Payroll, kind: str, employees: int = 1) -> list[UUID]:
    """A document of each of so many employees."""
    period, day = payroll.period(), payroll.start_of(5)
    return [
        payroll.pay(one, period, Line(units="30")) if kind == "payroll" else payroll.leave(one, day, day, "7.6")
        for one in payroll.paid_by_the_hour()[:employees]
    ]


def edit(payroll: Payroll, kind: str, document: UUID) -> None:
    """To other hours, approved again."""
    if kind == "payroll":
        payroll.world.query("UPDATE qicworks.payroll_line SET units = 20 WHERE payroll_push_id = %s", document)
    else:
        payroll.edit("leave_request", document, hours="3.8")
    payroll.ready(TABLES[kind], document)


def hours(payroll: Payroll, kind: str) -> Any:
    """As Xero has them."""
    if kind == "payroll":
        return float(units(payroll.earnings(payroll.paid_by_the_hour()[0])["Ordinary Hours"]))
    return [period["NumberOfUnits"] for one in payroll.applications() for period in one["LeavePeriods"]]


@both
def test_an_edit_made_while_xero_is_read_is_what_is_sent(payroll: Payroll, kind: str) -> None:
    """Never the version that payroll has changed since."""
    [document] = add(payroll, kind)
    with payroll.world.sandbox.hold(READ[kind], method="GET") as wait_until_held:
        pushing = in_background(lambda: payroll.push(kind))
        wait_until_held()
        edit(payroll, kind, document)
    assert pushing.result().counts.pushed == 1
    assert len(payroll.writes()) == 1
    assert hours(payroll, kind) == {"payroll": 20.0, "leave_requests": [3.8]}[kind]
    assert payroll.row(TABLES[kind], document)["push_state"] == "pushed"


@both
def test_what_is_withdrawn_while_xero_is_read_is_not_sent(payroll: Payroll, kind: str) -> None:
    [document] = add(payroll, kind)
    with payroll.world.sandbox.hold(READ[kind], method="GET") as wait_until_held:
        pushing = in_background(lambda: payroll.push(kind))
        wait_until_held()
        payroll.edit(TABLES[kind], document, push_state="draft")
    assert pushing.result().counts.pushed == 0
    assert payroll.writes() == []
    assert payroll.row(TABLES[kind], document)["push_state"] == "draft"


@both
def test_nothing_more_is_sent_once_the_organisation_is_switched_off(payroll: Payroll, kind: str) -> None:
    documents = add(payroll, kind, 2)
    with payroll.world.sandbox.hold("payroll", method="POST") as wait_until_held:
        pushing = in_background(lambda: payroll.push(kind))
        wait_until_held()
        payroll.world.query("UPDATE xero_sync.connection SET enabled = false")
    with pytest.raises(Skip, match="switched off"):
        pushing.result()
    assert len(payroll.writes()) == 1
    states = {payroll.row(TABLES[kind], document)["push_state"] for document in documents}
    assert states == {"pushed", "ready"}, "the one in flight is settled, the other waits"


def test_leave_whose_response_is_lost_is_looked_for_and_not_sent_again(payroll: Payroll) -> None:
    """Payroll may not honour keys, and leave cannot be deleted in Xero."""
    payroll.world.sandbox.settings(payroll_idempotency=False)
    [document] = add(payroll, "leave_requests")
    payroll.world.fault(kind="lost_answer", path="/LeaveApplications$", method="POST")
    with pytest.raises(RetryLater):
        payroll.push("leave_requests")
    assert (len(payroll.writes()), len(payroll.applications())) == (1, 1)
    payroll.push("leave_requests")
    assert (payroll.writes(), len(payroll.applications())) == ([], 1)
    assert payroll.row("leave_request", document)["push_state"] == "pushed"
