"""Pay goes to pay templates: exactly QicWorks' lines, right once, and not again next period."""

import json
import logging
import signal
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

import pytest

from tests.support.killing import assert_interrupted, kill_at, moments, of_writes, running, spread
from tests.support.paying import LISTS, Line, Payroll, units
from tests.support.world import World
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, XeroError

HALF_MORE, CALL_OUT = "Overtime × 1.5", "Call-out after hours"
OURS = ("Ordinary Hours", HALF_MORE, CALL_OUT, "Laundry")
EMPLOYEES = "/payroll.xro/1.0/Employees"


@pytest.fixture
def payroll(world: World) -> Payroll:
    payroll = Payroll(world)
    payroll.pay_run("post")  # the draft of the period under way: period 1 is next
    world.calls()
    return payroll


def others(payroll: Payroll, employee: str) -> dict[str, list[Any]]:
    """The template without QicWorks' lines."""
    template = payroll.template(employee)
    mine = [line for line in template["EarningsLines"] if payroll.name(line) not in OURS]
    return {name: mine if name == "EarningsLines" else template[name] for name in LISTS}


def paid(payroll: Payroll, employee: str) -> dict[str, Decimal]:
    """Units, or the amount, of QicWorks' lines in a template."""
    lines = {name: line for name, line in payroll.earnings(employee).items() if name in OURS}
    return {
        name: Decimal(str(line["FixedAmount"])) if "FixedAmount" in line else units(line)
        for name, line in lines.items()
    }


def errors(payroll: Payroll) -> list[str]:
    return [error for _, error in payroll.states("payroll_push") if error]


@pytest.mark.parametrize("how", ["replace", "replace_sent", "merge"])
def test_a_period_is_set_the_next_one_empties_it_and_nothing_else_is_touched(payroll: Payroll, how: str) -> None:
    payroll.world.sandbox.settings(pay_template_write=how)
    rich, plain = payroll.paid_by_the_hour()[:2]
    before = {employee: others(payroll, employee) for employee in (rich, plain)}
    assert all(before[rich][name] for name in LISTS), "it has lines of every list"
    its_own, plains_own = (payroll.earnings(employee)["Ordinary Hours"] for employee in (rich, plain))
    first = payroll.period(1)
    lines = [Line(units="30.4"), Line(units="0.1234", rate=None), Line(HALF_MORE, "4"), Line("Annual Leave", "7.6")]
    lines += [Line(CALL_OUT, "2", rate="61.2345"), Line("Laundry", None, amount="12.50")]
    document = payroll.pay(rich, first, *lines, Line(units="7.6", source="leave"))
    payroll.pay(plain, first, Line(units="38", rate="45.5"), Line(HALF_MORE, "3.5"))
    assert payroll.push("payroll").message == "2 pushed", errors(payroll)
    row = payroll.row("payroll_push", document)
    assert (row["push_state"], str(row["xero_id"]), row["xero_status"]) == ("pushed", rich, "IN TEMPLATE")
    assert paid(payroll, rich) == {
        "Ordinary Hours": Decimal("30.5234"),
        HALF_MORE: 4,
        CALL_OUT: 2,
        "Laundry": Decimal("12.5"),
    }
    told = payroll.earnings(rich)
    assert told["Ordinary Hours"] == {**its_own, "NormalNumberOfUnits": 30.5234}
    assert (told[CALL_OUT]["CalculationType"], told[CALL_OUT]["RatePerUnit"]) == ("ENTEREARNINGSRATE", 61.2345)
    assert payroll.earnings(plain)["Ordinary Hours"]["RatePerUnit"] == 45.5
    assert {employee: others(payroll, employee) for employee in before} == before
    sent = payroll.writes()
    assert [(call["method"], call["status"]) for call in sent] == [("POST", 200)] * 2
    assert payroll.world.query("SELECT 1 FROM xero_sync.push_request WHERE body IS NOT NULL") == []

    second = payroll.period(2)
    payroll.pay(rich, second, Line(units="38"), Line(CALL_OUT, "1"))
    payroll.push("payroll")
    assert "still has the pay of the period from" in errors(payroll)[0]
    assert payroll.writes() == [], "nobody is emptied before the first period is paid"
    payroll.pay_run("post")
    assert payroll.left("payroll") == 1, "who is not mentioned"
    assert [one.method for one in payroll.preview("payroll")] == ["POST"]
    assert len(payroll.states("payroll_push")) == 3, "a dry run writes nothing"
    assert payroll.push("payroll", retry_failed=True).message == "2 pushed", errors(payroll)
    assert paid(payroll, rich) == {"Ordinary Hours": 38, HALF_MORE: 0, CALL_OUT: 1, "Laundry": 0}
    assert payroll.earnings(rich)[CALL_OUT]["CalculationType"] == "USEEARNINGSRATE", "the rate was that period's"
    assert paid(payroll, plain) == {"Ordinary Hours": 0, HALF_MORE: 0}, "it was not mentioned"
    assert payroll.earnings(plain)["Ordinary Hours"] == {**plains_own, "NormalNumberOfUnits": 0}
    assert {employee: others(payroll, employee) for employee in before} == before

    payroll.world.calls()
    assert payroll.push("payroll").counts.pushed == 0
    assert payroll.writes() == []


def test_a_pay_run_that_would_not_see_it_and_periods_out_of_turn(payroll: Payroll) -> None:
    one, two = payroll.paid_by_the_hour()[:2]
    draft = payroll.pay_run("draft")
    first, second = payroll.period(1), payroll.period(2)
    late = payroll.pay(one, first, Line(units="20"))
    payroll.pay(one, second, Line(units="21"))
    payroll.push("payroll")
    assert ["already exists as a draft" in error for error in errors(payroll)] == [True, False]
    assert "an earlier period" in errors(payroll)[1]
    tenant = payroll.world.sandbox.tenant()
    payroll.world.sandbox.control("DELETE", f"organisations/{tenant}/PayRuns/{draft['PayRunID']}")
    payroll.push("payroll", documents=[str(late)])
    assert paid(payroll, one) == {"Ordinary Hours": 20}
    payroll.add_line(late, Line(units="1.5"))
    payroll.push("payroll")
    assert "changed after it was approved" in str(payroll.row("payroll_push", late)["push_error"])
    payroll.ready("payroll_push", late)
    payroll.push("payroll")
    assert paid(payroll, one) == {"Ordinary Hours": Decimal("21.5")}
    payroll.pay_run("post")
    payroll.push("payroll", retry_failed=True)
    assert paid(payroll, one) == {"Ordinary Hours": 21}
    forgotten = payroll.pay(two, first, Line(units="5"))
    payroll.add_line(late, Line(units="1"))
    payroll.ready("payroll_push", late)
    payroll.world.calls()
    payroll.push("payroll")
    assert "is already posted" in str(payroll.row("payroll_push", forgotten)["push_error"])
    assert "a later pay period" in str(payroll.row("payroll_push", late)["push_error"])
    assert [call["path"] for call in payroll.world.calls()] == ["/payroll.xro/1.0/PayRuns"]


def test_a_pay_run_that_is_made_while_pay_is_pushed(payroll: Payroll) -> None:
    three = payroll.paid_by_the_hour()[:3]
    period, tenant = payroll.period(1), payroll.world.sandbox.tenant()
    for employee in three[:2]:
        payroll.pay(employee, period, Line(units="20"))
    made: list[Any] = []

    def drafted(client: Any, *arguments: Any, _real: Any = XeroClient.write, **options: Any) -> Any:
        answer = _real(client, *arguments, **options)
        made.extend([payroll.pay_run("draft")] if not made else [])
        return answer

    for fresh, second in ((60.0, "was created while pay was being pushed"), (0.0, "already exists as a draft")):
        with (
            mock.patch.object(XeroClient, "write", drafted),
            mock.patch("xero.sync.push.payroll.pay_run_watch.FRESH_SECONDS", fresh),
        ):
            assert payroll.push("payroll").message == "0 pushed, 2 failed"
        told = errors(payroll)
        assert ("was created while pay was being pushed: check in Xero" in told[0], second in told[1]) == (True, True)
        for run in made:
            payroll.world.sandbox.control("DELETE", f"organisations/{tenant}/PayRuns/{run['PayRunID']}")
        made.clear()
        assert payroll.push("payroll", retry_failed=True).message == "2 pushed"
        payroll.world.query("UPDATE qicworks.payroll_line SET units = 21")
        payroll.world.query("UPDATE qicworks.payroll_push SET approved_version = push_version, push_state = 'ready'")
    payroll.pay(three[2], period, Line(units="20"))
    payroll.world.fault(kind="500", method="GET", path="PayRuns", times=None, skip=1)
    assert payroll.push("payroll").status == "warning", "nobody knows"


def test_pay_runs_that_cannot_be_read_may_be_any(payroll: Payroll) -> None:
    one = payroll.paid_by_the_hour()[0]
    document = payroll.pay(one, payroll.period(1), Line(units="20"))
    [run, *_] = payroll.truth("PayRuns")
    ours = {**run, "PayrollCalendarID": payroll.calendar("WEEKLY"), "PayRunStatus": "VOID"}
    ours["PayRunPeriodStartDate"] = payroll.start_of(1).isoformat()
    lists: list[Any] = [None, "?", [{**ours, "PayRunPeriodStartDate": "soon"}], [{**ours, "PayrollCalendarID": None}]]
    real = XeroClient.get

    def get(listed: Any) -> Any:
        def answered(client: Any, path: str, **options: Any) -> Any:
            return mock.Mock(data={"PayRuns": listed}) if path.endswith("/PayRuns") else real(client, path, **options)

        return mock.patch.object(XeroClient, "get", answered)

    for listed in (*lists, [None]):
        with get(listed), pytest.raises(BadAnswer, match="pay runs in Xero cannot be read"):
            payroll.push("payroll")
        assert payroll.row("payroll_push", document)["push_state"] == "ready", listed
    with get([ours]):
        payroll.push("payroll")
    assert "already exists, as void" in errors(payroll)[0]
    assert payroll.writes() == []


def test_a_template_that_xero_does_not_show_whole(payroll: Payroll) -> None:
    one = payroll.paid_by_the_hour()[0]
    payroll.world.pull("pay_codes")
    payroll.world.pull("staff")
    document, before = payroll.pay(one, payroll.period(1), Line(units="20")), payroll.template(one)
    real = XeroClient.get

    def without(client: Any, path: str, **options: Any) -> Any:
        answer = real(client, path, **options)
        if path.endswith(one):
            answer.data["Employees"][0]["PayTemplate"]["SuperLines"] = None
        return answer

    with mock.patch.object(XeroClient, "get", without):
        payroll.push("payroll")
    assert "without its lines of superannuation" in errors(payroll)[0]
    assert (payroll.writes(), payroll.template(one)) == ([], before)
    payroll.push("payroll", retry_failed=True)
    assert payroll.row("payroll_push", document)["push_state"] == "pushed"


def test_two_over_whom_xero_fails_each_time_stop_nobody_behind_them(payroll: Payroll) -> None:
    three, period = payroll.paid_by_the_hour()[:3], payroll.period(1)
    last = [payroll.pay(employee, period, Line(units="20")) for employee in three][-1]
    for employee in three[:2]:
        payroll.world.fault(kind="500", method="POST", path=f"{EMPLOYEES}/{employee}", times=None)
    for _ in range(3):
        with pytest.raises(XeroError):
            payroll.push("payroll")
    assert payroll.row("payroll_push", last)["push_state"] == "pushed"


def test_pay_that_was_taken_back_is_told(payroll: Payroll) -> None:
    one, two, three = payroll.paid_by_the_hour()[:3]
    period = payroll.period(1)
    first, second = (payroll.pay(employee, period, Line(units="20")) for employee in (one, two))
    payroll.push("payroll")
    payroll.edit("payroll_push", first, staff_id=payroll.staff[three])
    payroll.ready("payroll_push", first)
    payroll.edit("payroll_push", second, push_state="draft")
    assert payroll.push("payroll").status == "warning"
    events = payroll.world.query("SELECT message FROM xero_sync.connection_event WHERE status = 'warning'")
    told = [row["message"] for row in events if "still contains pay for the period from" in row["message"]]
    assert [[employee in message for message in told].count(True) for employee in (one, two)] == [1, 1], told
    assert len(told) == 2
    payroll.edit("payroll_push", second, push_state="ready")
    payroll.ready("payroll_push", payroll.pay(one, period))
    assert payroll.push("payroll").status == "success"
    assert paid(payroll, one) == {"Ordinary Hours": 0}


def test_what_of_a_template_stands_against_it_holds_nobody_else_back(payroll: Payroll) -> None:
    payroll.pay_run("post", "FORTNIGHTLY")
    weekly, fortnightly = payroll.period(1), payroll.period(1, "FORTNIGHTLY")
    active = [one for one in payroll.employees.values() if one["Status"] == "ACTIVE"]

    def whose(names: list[str]) -> str:
        able = (one for one in active if [payroll.name(x) for x in one["PayTemplate"]["EarningsLines"]] == names)
        return str(next(one["EmployeeID"] for one in able))

    thrice, salaried = whose(["Ordinary Hours"] * 3), whose(["Salary"])
    good = payroll.paid_by_the_hour()[0]
    payroll.pay(thrice, weekly, Line())
    payroll.pay(salaried, fortnightly, Line(units="2"))
    payroll.pay(good, weekly, Line(units="11"))
    outcome = payroll.push("payroll")
    assert (outcome.status, outcome.message) == ("warning", "1 pushed, 2 failed")
    assert errors(payroll) == [
        "not sent: the pay template has 3 lines of 'Ordinary Hours'",
        "not sent: the employee's annual salary in Xero already pays 'Ordinary Hours': it would be paid twice",
    ]
    assert paid(payroll, good) == {"Ordinary Hours": 11}
    # Overtime beside a salary is no pay twice.
    payroll.world.query("UPDATE qicworks.payroll_line SET pay_code_id = %s WHERE units = 2", payroll.codes[HALF_MORE])
    payroll.world.query("UPDATE qicworks.payroll_push SET approved_version = push_version")
    payroll.push("payroll")
    assert paid(payroll, salaried) == {HALF_MORE: 2}
    assert payroll.template(salaried)["EarningsLines"][0]["CalculationType"] == "ANNUALSALARY"


def test_what_goes_wrong_on_the_way_ends_right(payroll: Payroll) -> None:
    three = payroll.paid_by_the_hour()[:3]
    period = payroll.period(1)
    documents = [payroll.pay(employee, period, Line(), Line(HALF_MORE, "1")) for employee in three]
    before = [others(payroll, employee) for employee in three]
    faults = ("lost_answer", "truncate", "malformed", "cut", "500_saved", "503_saved", "500", "503", "429")
    for number, kind in enumerate(faults, 30):
        payroll.world.query("UPDATE qicworks.payroll_line SET units = %s WHERE units <> 1", number)
        for document in documents:
            payroll.ready("payroll_push", document)
        path = f"{EMPLOYEES}/{three[0]}"
        payroll.world.fault(kind=kind, method="POST", path=path, times=4, retry_after=400.0)
        with pytest.raises(Exception, match=r"not available|Unexpected response|resumes with the first run"):
            payroll.push("payroll")
        if kind != "429":  # which is everybody's
            ended = [paid(payroll, employee)["Ordinary Hours"] for employee in three[1:]]
            assert ended == [number, number], f"{kind}: the others went on"
            with pytest.raises(XeroError, match="still be processing"):
                payroll.push("payroll", quiet=60.0)
        payroll.world.sandbox.control("DELETE", "faults")
        payroll.world.sandbox.control("DELETE", "limits")
        payroll.world.query("DELETE FROM xero_sync.call_budget")
        payroll.drain("payroll")
        assert payroll.states("payroll_push") == [("pushed", None)] * 3, kind
        assert [paid(payroll, employee)["Ordinary Hours"] for employee in three] == [number] * 3, kind
        assert [others(payroll, employee) for employee in three] == before, kind


def test_killed_at_any_moment_it_is_right_with_the_next_run(payroll: Payroll) -> None:
    """kill -9, and Ctrl-C. Xero has the pay of before or the new one; the next run is not turned away."""
    world, pushing = payroll.world, partial(payroll.push, "payroll")
    one = payroll.paid_by_the_hour()[0]
    before, its_own = others(payroll, one), payroll.earnings(one)["Ordinary Hours"]
    document = payroll.pay(one, payroll.period(1), Line(units="1"))

    def change_to(hours: int) -> None:
        world.query("UPDATE qicworks.payroll_line SET units = %s, rate = %s", hours, 60 + hours)
        payroll.ready("payroll_push", document)

    pushing()
    change_to(2)
    passed = moments(world, pushing)
    writes = of_writes(passed)
    assert len(writes) == 2, "the pay template"
    ends = [(moment, signal.SIGKILL) for moment in sorted({*writes, *spread(len(passed), 9)})]
    ends += [(moment, signal.SIGINT) for moment in writes]
    for hours, (moment, with_signal) in enumerate(ends, 3):
        change_to(hours)
        assert kill_at(world, moment, pushing, with_signal=with_signal), passed[moment - 1]
        written = moment >= writes[1]
        assert paid(payroll, one) == {"Ordinary Hours": hours if written else hours - 1}
        left_open = running(world)
        assert not left_open or with_signal == signal.SIGKILL, "Ctrl-C closes the event itself"
        payroll.push("payroll")
        assert payroll.left("payroll") == 0, f"ended at moment {moment}: {passed[moment - 1]}"
        assert_interrupted(world, left_open)
        assert payroll.states("payroll_push") == [("pushed", None)]
        assert (paid(payroll, one), others(payroll, one)) == ({"Ordinary Hours": hours}, before)
        [owned] = world.query("SELECT rates, before FROM xero_sync.owned_earnings_line")
        assert owned["rates"] == [60 + hours]
        assert float(owned["before"]["RatePerUnit"]) == its_own["RatePerUnit"], "its own rate is not forgotten"


def test_pay_on_its_way_when_the_pay_run_was_made_is_for_a_person_to_judge(payroll: Payroll) -> None:
    one, two = payroll.paid_by_the_hour()[:2]
    payroll.pay(one, payroll.period(1), Line(units="1"))
    payroll.push("payroll")
    for _ in range(2):
        payroll.pay_run("post")
    payroll.pay(two, payroll.period(3), Line(units="3"))
    payroll.world.fault(kind="cut", method="POST", path=EMPLOYEES, times=9)
    with pytest.raises(XeroError):
        payroll.push("payroll")
    payroll.world.sandbox.control("DELETE", "faults")
    payroll.pay_run("post")
    payroll.push("payroll")
    assert ["was created before QicWorks knew" in error for error in errors(payroll)] == [True, True]
    assert payroll.left("payroll") == 0


def test_refusals_and_changes_by_others_are_told_without_a_secret(
    payroll: Payroll, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one, two, three = payroll.paid_by_the_hour()[:3]
    period = payroll.period(1)
    secret = {"units": "31.4159", "rate": "86.7531"}
    for employee in (one, two, three):
        payroll.pay(employee, period, Line(**secret), Line("Laundry", None, amount="271.83"))
    tenant = payroll.world.sandbox.tenant()
    path = f"organisations/{tenant}/Employees/{two}"
    template = {**payroll.template(two), "SuperLines": []}
    payroll.world.sandbox.control("PATCH", path, {"PayTemplate": template})
    shown = payroll.preview("payroll")
    assert [len(one.documents) for one in shown] == [1, 1, 1]
    assert payroll.writes() == [], "a dry run writes nothing"
    assert {state for state, _ in payroll.states("payroll_push")} == {"ready"}
    payroll.push("payroll")
    assert [state for state, _ in payroll.states("payroll_push")] == ["pushed", "failed", "pushed"]
    failed = payroll.world.query("SELECT * FROM qicworks.payroll_push WHERE push_state = 'failed'")[0]
    assert failed["push_error"] == "Superannuation guarantee contribution line missing in pay template"
    assert "add the superannuation guarantee contribution line" in failed["push_correction"]
    kept = "SELECT 1 FROM xero_sync.owned_earnings_line WHERE employee_xero_id = %s AND NOT disclaimed"
    assert payroll.world.query(kept, two) == [], "of what Xero refused no line is QicWorks'"
    assert set(shown[0].body[0]) == {"EmployeeID", "PayTemplate"}
    written = json.loads(json.dumps(shown[0].body[0]["PayTemplate"], default=float))
    assert written == payroll.template(one), "what was shown is what was written"

    told = caplog.text + json.dumps(payroll.world.query("SELECT * FROM xero_sync.connection_event"), default=str)
    told += json.dumps(payroll.world.query("SELECT * FROM xero_sync.push_request"), default=str)
    told += json.dumps(payroll.states("payroll_push"))
    canaries = payroll.world.sandbox.control("GET", "canaries")["canaries"]
    names = [payroll.employees[employee]["LastName"] for employee in (one, two, three)]
    assert len(canaries) > 10
    found = [words for words in (*canaries, *secret.values(), "271.83", *names) if words in told]
    assert found == []


def test_a_template_that_is_not_what_was_sent_fails(payroll: Payroll) -> None:
    one, two = payroll.paid_by_the_hour()[:2]
    tenant = payroll.world.sandbox.tenant()

    def meddle(client: Any, *arguments: Any, _real: Any = XeroClient.write, **options: Any) -> Any:
        answer = _real(client, *arguments, **options)
        for employee, change in ((one, {"SuperLines": []}), (two, {"EarningsLines": []})):
            changed = {**payroll.template(employee), **change}
            payroll.world.sandbox.control(
                "PATCH", f"organisations/{tenant}/Employees/{employee}", {"PayTemplate": changed}
            )
        return answer

    period = payroll.period(1)
    for employee in (one, two):
        payroll.pay(employee, period, Line(units="3"))
    with mock.patch.object(XeroClient, "write", meddle):
        payroll.push("payroll")
    assert errors(payroll) == [
        f"the pay template in Xero is not what was sent (lines of {which}): check in Xero"
        for which in ("superannuation", "earnings")
    ]


def test_no_hour_of_leave_is_paid_twice(payroll: Payroll) -> None:
    employee = payroll.paid_by_the_hour()[-1]
    [line] = payroll.template(employee)["EarningsLines"]
    monday = payroll.start_of(1)
    leave = payroll.leave(employee, monday, monday)
    assert payroll.push("leave_requests").message == "1 pushed", payroll.states("leave_request")
    lines = [Line(units="7.6")] * 4 + [Line("Annual Leave", "7.6", source="leave", leave=leave)]
    payroll.pay(employee, payroll.period(1), *lines, Line(units="7.6", leave=leave))
    payroll.push("payroll")
    slips = payroll.pay_run("draft")["Payslips"]
    [slip] = [slip for slip in slips if slip["EmployeeID"] == employee]
    assert slip["Wages"] == pytest.approx(38 * float(line["RatePerUnit"]), abs=0.02)
