"""What Xero answers with a 500 again and again fails by itself, by name; everything else is pushed."""

from contextlib import suppress
from datetime import timedelta

import pytest

from tests.support.failing import events, only_fail
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.world import World
from xero.api.errors import RetryLater
from xero.documents.registry import KINDS

DAY = timedelta(1)
POISON = "makes Xero fail"


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


@pytest.mark.parametrize("kind", ["bills", "credit_notes", "purchase_orders"])
def test_what_xero_fails_over_again_and_again_fails_by_itself(world: World, kind: str) -> None:
    """The others arrive meanwhile, once; what comes later is not held up; pushed again it is sent once more."""
    books, bad = Books(world), 3 if kind == "bills" else 1
    world.sandbox.settings(limits=False)
    poisoned = [books.add(kind, Line(description=POISON)) for _ in range(bad)]
    good = [books.add(kind) for _ in range(12)]
    world.fault(kind="500", body=POISON, times=None)

    def run() -> bool:
        """Whether it came to its end."""
        books.pass_time(400)
        with suppress(RetryLater):
            return bool(books.push(kind, client={"backoff": ()}).status)
        return False

    runs = next(number for number in range(1, 12) if run())
    states = {row["id"]: row["push_state"] for row in books.rows(kind)}
    assert {states[id] for id in good} == {"pushed"}
    assert {states[id] for id in poisoned} == {"failed"}
    for id in poisoned:
        row = books.row(kind, id)
        assert "each of the 3 times that it was sent alone" in row["push_error"]
        assert row["number"] in row["push_correction"]
    assert set(events(world)) == {KINDS[kind].called(books.row(kind, id)["number"], id) for id in poisoned}
    world.calls()
    good.append(books.add(kind))
    assert run()
    assert len(books.writes()) == 1
    books.world.query(f"UPDATE qicworks.{PRICED[kind][0]} SET push_state = 'ready' WHERE push_state = 'failed'")
    assert not run()
    assert run()
    assert len(books.writes()) == bad
    world.sandbox.control("DELETE", "faults")
    books.world.query(f"UPDATE qicworks.{PRICED[kind][0]} SET push_state = 'ready' WHERE push_state = 'failed'")
    books.push(kind)
    books.assert_once(kind)
    assert runs <= 9


def runs_until_done(payroll: Payroll, kind: str) -> int:
    """How many it takes to an end without an outage."""
    for number in range(1, 12):
        payroll.world.query("UPDATE xero_sync.push_request SET last_sent_at = last_sent_at - interval '400 seconds'")
        with suppress(RetryLater):
            payroll.push(kind)
            return number
    raise AssertionError(f"{kind} are not done")


@pytest.mark.parametrize("saved", [False, True])
def test_pay_that_xero_fails_over_fails_by_itself(payroll: Payroll, saved: bool) -> None:
    """Unless it was saved all the same."""
    period = payroll.period()
    bad, *good = [payroll.pay(one, period, PayLine()) for one in payroll.paid_by_the_hour()[:3]]
    employee = payroll.paid_by_the_hour()[0]
    kind = "500_saved" if saved else "500"
    payroll.world.fault(kind=kind, method="POST", path=f"Employees/{employee}", times=None)
    assert runs_until_done(payroll, "payroll") <= 4
    if saved:
        assert [state for state, _ in payroll.states("payroll_push")] == ["pushed"] * 3
    else:
        only_fail(payroll, "payroll", {bad: "each of the 3 times"}, good)


@pytest.mark.parametrize("saved", [False, True])
def test_leave_that_xero_fails_over_fails_by_itself(payroll: Payroll, saved: bool) -> None:
    employee, first = payroll.paid_by_the_hour()[0], payroll.start_of(5)
    made = [payroll.leave(employee, first + DAY * at, first + DAY * at, title=f"T{at}") for at in range(0, 9, 3)]
    kind = "500_saved" if saved else "500"
    payroll.world.fault(kind=kind, method="POST", body='"Title":"T0"', times=None)
    assert runs_until_done(payroll, "leave_requests") <= 4
    if saved:
        assert [state for state, _ in payroll.states("leave_request")] == ["pushed"] * 3
        assert len(payroll.applications()) == 3
    else:
        only_fail(payroll, "leave_requests", {made[0]: "each of the 3 times"}, made[1:])


def test_leave_that_xero_cannot_approve_is_said_so(payroll: Payroll) -> None:
    payroll.world.sandbox.settings(leave_created_as="REQUESTED")
    employee, first = payroll.paid_by_the_hour()[0], payroll.start_of(5)
    bad = payroll.leave(employee, first, first)
    payroll.world.fault(kind="500", path="/approve", times=None)
    assert runs_until_done(payroll, "leave_requests") <= 5
    assert "could not be approved there" in payroll.row("leave_request", bad)["push_error"]
    assert len(payroll.applications()) == 1


@pytest.mark.parametrize("kind", ["payroll", "leave_requests"])
def test_who_cannot_be_read_in_xero_holds_back_nobody(payroll: Payroll, kind: str) -> None:
    period, first = payroll.period(), payroll.start_of(5)
    whom = payroll.paid_by_the_hour()[:3]
    if kind == "payroll":
        made = [payroll.pay(one, period, PayLine()) for one in whom]
        unreadable = [f"Employees/{one}" for one in whom[:2]]
    else:
        made = [payroll.leave(whom[0], first + DAY * at, first + DAY * at) for at in range(0, 9, 3)]
        payroll.push(kind)
        for id in made:
            payroll.edit("leave_request", id, push_state="ready")
        unreadable = [f"LeaveApplications/{payroll.row('leave_request', id)['xero_id']}" for id in made[:2]]
    for path in unreadable:
        payroll.world.fault(kind="500", method="GET", path=path, times=None)
    assert runs_until_done(payroll, kind) == 1
    assert [state for state, _ in payroll.states(KINDS[kind].table)] == ["failed", "failed", "pushed"]
    payroll.world.sandbox.control("DELETE", "faults")
    assert payroll.push(kind, retry_failed=True).counts.pushed == 2


@pytest.mark.parametrize("kind", PRICED)
def test_a_draft_that_xero_cannot_show_holds_back_no_other(world: World, kind: str) -> None:
    books = Books(world)
    made = [books.add(kind) for _ in range(4)]
    books.push(kind)
    for id in made:
        books.edit(kind, id, issue_date="2026-10-06")
    hidden = [str(books.row(kind, id)["xero_id"]) for id in made[:2]]
    for id in hidden:
        world.fault(kind="500", method="GET", path=id, times=None)
    outcome = books.push(kind)
    assert (outcome.counts.pushed, outcome.counts.failed) == (2, 2)
    assert "when it is asked for the record" in books.row(kind, made[0])["push_error"]
    world.sandbox.control("DELETE", "faults")
    books.push(kind, retry_failed=True)
    books.assert_once(kind)


@pytest.mark.parametrize("kind", PRICED)
def test_a_file_that_xero_fails_over_is_given_up_by_name(world: World, kind: str) -> None:
    books = Books(world)
    document = books.add(kind, files=[File("good.pdf"), File("bad.pdf", b"makes Xero fail"), File("fine.pdf")])
    world.fault(kind="500", body=POISON, times=None)
    with pytest.raises(RetryLater):
        books.push(kind)
    states = {file["file_name"]: (file["push_state"], file["push_error"]) for file in books.files(kind, document)}
    assert states["good.pdf"] == states["fine.pdf"] == ("pushed", None)
    assert states["bad.pdf"][0] == "ready"
    assert "HTTP 5xx" in states["bad.pdf"][1]
    assert books.push(kind).status == "warning"
    assert events(world) == [f"bad.pdf of {KINDS[kind].word} {books.row(kind, document)['number']}"]
    world.calls()
    assert books.push(kind).status == "success"
    assert not [call for call in world.calls() if "/Attachments/" in call["path"]]
    world.sandbox.control("DELETE", "faults")
    books.push(kind, retry_failed=True)
    books.assert_once(kind)
