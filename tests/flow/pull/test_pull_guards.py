"""What must not be lost, taken for gone, told or believed, when Xero, QicWorks' users or the database are at odds."""

import dataclasses
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
import requests

from tests.support.calls import Forward, intercepted, response
from tests.support.employees import (
    LIST,
    actives,
    add_member,
    change,
    employ,
    let_a_day_pass,
    members,
    open_rejections,
    read_by_id,
)
from tests.support.expected_accounting import Record
from tests.support.expected_payroll import (
    assert_pay_codes_equal,
    assert_payroll_equal,
    local_today,
    member,
    of,
    the_whole_list_is_old,
)
from tests.support.leaks import everything_in_the_database
from tests.support.ledger import Books
from tests.support.world import World
from xero.api.client import Answer, XeroClient
from xero.api.errors import Refused, RetryLater
from xero.sync.pull.flow import PullFailed, Skip

SECRET, SPACED = "123456782", "123 456 782"
PAY_ITEMS = "/payroll.xro/1.0/PayItems"


@contextmanager
def answers(other: Callable[[str, Answer], Any]) -> Iterator[None]:
    """Meanwhile Xero's answer to a path is what `other` makes of the data of the true one."""
    honest = XeroClient.get

    def get(client: XeroClient, path: str, **how: Any) -> Any:
        answer = honest(client, path, **how)
        return dataclasses.replace(answer, data=other(path, answer))

    with pytest.MonkeyPatch.context() as lying:
        lying.setattr(XeroClient, "get", get)
        yield


@pytest.fixture
def books(fresh: World) -> Books:
    """All of QicWorks' invoices were pushed long ago; nothing was pulled yet."""
    books = Books(fresh)
    books.raised()
    return books


def is_not_found(id: str) -> Callable[[str, Answer], Any]:
    def other(path: str, answer: Answer) -> Any:
        if path.endswith(id):
            raise Refused(404)
        return answer.data

    return other


def holds(name: str, said: Any) -> Callable[[str, Answer], Any]:
    """PayItems, of which one array is another or, with `...`, left out."""

    def other(path: str, answer: Answer) -> Any:
        if path != PAY_ITEMS:
            return answer.data
        items = {key: value for key, value in answer.data["PayItems"].items() if key != name}
        return {"PayItems": items if said is ... else {**items, name: said}}

    return other


def refused(status: int, kind: str, body: str) -> AbstractContextManager[None]:
    """For a while this comes back for every path of Payroll, with the sandbox none the wiser."""

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        honest = forward()
        return response(status, kind, body) if "/payroll.xro/" in request.path_url else honest

    return intercepted(call)


def age_balances(world: World) -> None:
    world.query("UPDATE qicworks.staff SET balances_read_at = balances_read_at - interval '16 minutes'")


def pays_today(world: World) -> None:
    world.query(
        "UPDATE qicworks.organisation SET pay_frequency = 'weekly', next_pay_date = %s WHERE id ="
        " (SELECT organisation_id FROM xero_sync.connection WHERE id = %s)",
        *(local_today(world, 0), world.connection_id()),
    )


def is_served(world: World) -> bool:
    return bool(
        world.query(
            "SELECT 1 FROM xero_sync.due WHERE data_set = 'leave_balances' AND connection_id = %s"
            " AND served_at IS NOT NULL",
            world.connection_id(),
        )
    )


def cursor(world: World) -> list[dict[str, Any]]:
    """How far staff was loaded, [] if it was not."""
    return world.query(
        "SELECT high_water, full_at FROM xero_sync.cursor WHERE data_set = 'staff' AND connection_id = %s"
        " AND (high_water IS NOT NULL OR full_at IS NOT NULL)",
        world.connection_id(),
    )


def refuse_rate(world: World, rate: str | None) -> None:
    """The database takes no line of that rate; with None it does."""
    world.query("ALTER TABLE qicworks.pay_template_line DROP CONSTRAINT IF EXISTS boom")
    if rate:
        world.query(f"ALTER TABLE qicworks.pay_template_line ADD CONSTRAINT boom CHECK (rate_per_unit <> {rate})")


def give_rate(world: World, employee: Record, rate: str) -> None:
    template = employee["PayTemplate"]
    first, *rest = template["EarningsLines"]
    change(world, employee, PayTemplate={**template, "EarningsLines": [{**first, "RatePerUnit": rate}, *rest]})


def test_an_employee_who_is_listed_but_not_found_loses_nothing(fresh: World) -> None:
    fresh.pull("staff")
    one = next(one for one in actives(fresh) if one["LeaveBalances"])
    before = {table: of(fresh, table, one) for table in ("pay_template_line", "leave_balance")}
    assert all(rows and all(row["is_active"] for row in rows) for rows in before.values())
    with answers(is_not_found(one["EmployeeID"])):
        for name in ("staff", "leave_balances"):
            outcome = fresh.pull(name, full=True)
            assert outcome.status == "warning"
            assert f"Employees: Xero no longer has {one['EmployeeID']}" in fresh.event()["message"]
            assert {table: of(fresh, table, one) for table in before} == before
    the_whole_list_is_old(fresh)
    assert fresh.pull("staff").status == "success"
    assert_payroll_equal(fresh)


def test_an_invoice_that_is_not_found_keeps_its_payments(books: Books) -> None:
    invoice = books.open()
    books.raised(invoice)
    books.pay(invoice, "10.00")
    for wrong in ("9.00", "8.00"):  # the payment is listed in the first night, and held in the second
        books.world.sandbox.change("Invoices", invoice, AmountPaid=wrong)
        with answers(is_not_found(invoice)):
            night = books.night()
        assert night["status"] == "warning"
        assert f"Invoices: Xero no longer has {invoice}" in night["message"]
        [held] = [row for row in books.world.rows("invoice_payment").values() if str(row["invoice_xero_id"]) == invoice]
        assert (held["is_active"], held["missing_since"], held["amount"]) == (True, None, 10)
    books.world.sandbox.change("Invoices", invoice, AmountPaid="10.00")
    assert books.night()["status"] == "success"
    books.assert_in_step()


def test_payments_in_an_invoice_that_say_when_they_changed(books: Books) -> None:
    books.world.sandbox.settings(payments_bump_invoices=False)
    invoice = books.open()
    books.raised(invoice)
    books.night()
    stamped = 0

    def other(path: str, answer: Answer) -> Any:
        nonlocal stamped
        if not path.endswith(invoice):
            return answer.data
        [record] = answer.data["Invoices"]
        truth = books.truth("Payments")
        inside = [{**one, "UpdatedDateUTC": truth[one["PaymentID"]]["UpdatedDateUTC"]} for one in record["Payments"]]
        stamped += len(inside)
        return {**answer.data, "Invoices": [{**record, "Payments": inside}]}

    with answers(other):
        for count, amount in ((1, "10.00"), (3, None)):
            books.pay(invoice, amount)
            assert books.night()["by_id"] == [invoice]
            assert stamped == count
            books.assert_in_step()
            assert books.night()["by_id"] == []
    rows = [row for row in books.world.rows("invoice_payment").values() if str(row["invoice_xero_id"]) == invoice]
    assert [row["is_active"] for row in rows] == [True, True]
    assert sum(row["amount"] for row in rows) == books.invoices()[invoice]["total"]


def test_an_unfit_balance_keeps_the_last_good_one_of_its_type_only(fresh: World) -> None:
    world = fresh
    world.pull("staff")
    first, second = [one for one in actives(world) if len(one["LeaveBalances"]) > 2][:2]
    today = local_today(world, 0)
    for by, unfit in (("leave_balances", None), ("staff", "12345678901234567")):
        let_a_day_pass(world)
        for one in (first, second):
            bad, grown, *gone = one["LeaveBalances"]
            units = 7.5 if by == "leave_balances" else 8.5
            now = [{**bad, "NumberOfUnits": unfit}, {**grown, "NumberOfUnits": units}]
            change(world, one, LeaveBalances=now)
        outcome = world.pull(by, full=by == "staff")
        assert (outcome.status, outcome.counts.rejected) == ("warning", 2)
        for one in (first, second):
            bad, grown, *gone = (balance["LeaveTypeID"] for balance in one["LeaveBalances"])
            rows = of(world, "leave_balance", one)
            [last] = [row for row in rows if str(row["leave_type_xero_id"]) == bad]
            assert (last["is_active"], last["missing_since"], last["as_at"] < today) == (True, None, True)
            old, new = sorted(
                (row for row in rows if str(row["leave_type_xero_id"]) == grown), key=lambda row: row["as_at"]
            )
            assert (new["as_at"], new["is_active"], float(new["number_of_units"])) == (today, True, units)
            assert (old["is_active"], old["missing_since"]) == (False, None)
            assert gone
            assert not any(row["is_active"] for row in rows if str(row["leave_type_xero_id"]) in gone)


def test_what_was_read_last_is_active_also_if_the_local_day_is_an_earlier_one(fresh: World) -> None:
    days = []
    for zone, name in (
        ("Pacific/Kiritimati", "staff"),
        ("Pacific/Pago_Pago", "leave_balances"),  # 25 hours behind: never the same day
        ("Pacific/Kiritimati", "leave_balances"),
        ("Pacific/Pago_Pago", "staff"),
    ):
        fresh.query("UPDATE qicworks.organisation SET time_zone = %s", zone)
        age_balances(fresh)
        assert fresh.pull(name, full=name == "staff").status == "success"
        active = [row for row in fresh.rows("leave_balance").values() if row["is_active"]]
        assert len(active) == sum(len(one["LeaveBalances"]) for one in actives(fresh))
        [day] = {row["as_at"] for row in active}
        assert all(row["missing_since"] is None for row in active)
        days.append(day)
    assert days[0] > days[1]
    assert days == days[:2] * 2


def test_a_list_that_lost_most_employees_is_not_believed(fresh: World) -> None:
    fresh.pull("staff")
    pays_today(fresh)
    before = {table: fresh.rows(table) for table in ("staff", "leave_balance")}
    assert sum(row["is_active"] for row in before["staff"].values()) >= 5
    for left in (0, 2):
        age_balances(fresh)
        before["staff"] = fresh.rows("staff")

        def other(path: str, answer: Answer, left: int = left) -> Any:
            return {**answer.data, "Employees": answer.data["Employees"][:left]} if path == LIST else answer.data

        with answers(other), pytest.raises(PullFailed):
            fresh.pull("leave_balances")
        assert fresh.event()["status"] == "error"
        assert {table: fresh.rows(table) for table in before} == before
        assert not is_served(fresh)
    assert fresh.pull("leave_balances").status == "success"
    assert is_served(fresh)
    assert_payroll_equal(fresh)


def test_one_employee_who_cannot_be_read_holds_up_nobody_else(fresh: World) -> None:
    victim, other, *_ = actives(fresh)
    id = victim["EmployeeID"]

    def pull_without(name: str, **how: Any) -> None:
        outcome = fresh.pull(name, **how)
        assert outcome.status == "warning"
        assert id in fresh.event()["message"]
        assert "could not be read" in fresh.event()["message"]

    fault = {"path": f"Employees/{id}", "kind": "500", "times": None}
    fresh.fault(**fault)
    pull_without("staff")
    assert set(fresh.rows("staff")) == {one["EmployeeID"] for one in fresh.sandbox.truth("Employees")} - {id}
    assert not cursor(fresh)
    fresh.sandbox.control("DELETE", "faults")
    assert fresh.pull("staff").status == "success"
    assert_payroll_equal(fresh)

    before = cursor(fresh)
    fresh.sandbox.control("PUT", "clock", {"offset_seconds": 600})
    for one in (victim, other):
        change(fresh, one, JobTitle="Ten minutes later")
    fresh.fault(**fault)
    asked = []
    for _ in range(2):
        fresh.calls()
        pull_without("staff")
        asked.append(fresh.calls()[0]["headers"]["if-modified-since"])
        assert cursor(fresh) == before
        assert fresh.rows("staff")[other["EmployeeID"]]["job_title"] == "Ten minutes later"
    assert asked[0] == asked[1]
    pays_today(fresh)
    age_balances(fresh)
    pull_without("leave_balances")
    assert not is_served(fresh)
    fresh.sandbox.control("DELETE", "faults")
    fresh.pull("staff")
    assert_payroll_equal(fresh)
    assert cursor(fresh) != before
    assert fresh.pull("leave_balances").status == "success"
    assert is_served(fresh)

    fresh.fault(path="Employees/", kind="500", times=None)
    with pytest.raises(RetryLater):
        fresh.pull("staff", full=True)


def test_what_the_database_refuses_is_told_without_the_row(fresh: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    give_rate(fresh, actives(fresh)[0], "4242.4242")
    refuse_rate(fresh, "4242.4242")
    with pytest.raises(Exception, match="violates check constraint") as caught:
        fresh.pull("staff")
    assert "violates check constraint" in fresh.event()["message"]
    logging.getLogger("xero").error("as a task log has it", exc_info=caught.value)
    result = fresh.main("-v", "pull", "staff", "--connection", fresh.names()[0])
    assert result.returncode
    said = [*traceback.format_exception(caught.value), caplog.text, str(fresh.event()), result.stdout, result.stderr]
    assert "violates check constraint" in caplog.text
    assert "4242.4242" not in "\n".join(said)


def test_a_number_that_is_nobody_s_business_is_masked(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.sandbox.settings(limits=False)
    words = f"Tax file number {SECRET} ({SPACED}) of line 12345 is not valid"
    unfit = [words, [words], {"TaxFileNumber": SECRET}]
    with answers(holds("LeaveTypes", unfit)):
        world.pull("pay_codes", force=True)
    assert len(open_rejections(world)) == len(unfit)
    refusals = (
        (400, "application/json", '{"Message": "%s"}'),
        (400, "application/json", '{"Employees": [{"ValidationErrors": [{"Message": "%s"}]}]}'),
        (400, "text/plain", "%s"),
        (403, "application/json", '{"Detail": "AuthorizationUnsuccessful %s"}'),
        (500, "application/json", '{"Detail": "%s"}'),
    )
    said, events = [], []
    for status, kind, body in refusals:
        with refused(status, kind, body % words):
            try:
                said.append(repr(world.pull("staff")))
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold the number
                said += traceback.format_exception(error)
        events.append(world.event()["message"])
    assert all("of line 12345 is not valid" in event for event in events), events
    searched = "\n".join([*said, *events, caplog.text, everything_in_the_database(world)])
    assert SECRET not in searched
    assert SPACED not in searched


def test_a_member_who_is_linked_anew_is_that_employee_throughout(fresh: World) -> None:
    first = employ(fresh, "Ngaire", "Tolhurst", "ngaire@example.com.au", JobTitle="First")
    mine = add_member(fresh, "Ngaire", "Tolhurst", "ngaire@example.com.au")
    fresh.pull("staff")
    assert str(members(fresh)[mine]["xero_id"]) == first["EmployeeID"]
    fresh.query("UPDATE qicworks.staff SET xero_id = NULL, connection_id = NULL WHERE id = %s", mine)
    change(fresh, first, Email="other@example.com.au")
    second = employ(fresh, "Ngaire", "Tolhurst", "ngaire@example.com.au", JobTitle="Second", Mobile="0400 000 000")
    second = fresh.sandbox.change("Employees", second["EmployeeID"], UpdatedDateUTC="/Date(1735700000000+0000)/")
    the_whole_list_is_old(fresh)
    fresh.pull("staff")
    held = members(fresh)[mine]
    assert (str(held["xero_id"]), held["match_state"], held["job_title"]) == (second["EmployeeID"], "linked", "Second")
    assert held["xero_updated_at"] == member(second)["xero_updated_at"]
    assert fresh.rows("staff")[first["EmployeeID"]]["match_state"] == "created"
    assert_payroll_equal(fresh)


def test_who_qicworks_switches_off_and_on_again_is_as_before(fresh: World) -> None:
    fresh.pull("staff")
    one = next(one for one in actives(fresh) if one["LeaveBalances"])
    lines = sorted(str(row["xero_id"]) for row in of(fresh, "pay_template_line", one))
    assert lines
    for is_active in (False, False, True):
        fresh.query("UPDATE qicworks.staff SET is_active = %s WHERE xero_id = %s", is_active, one["EmployeeID"])
        the_whole_list_is_old(fresh)
        outcome = fresh.pull("staff")
        assert (outcome.counts.inserted, outcome.counts.updated) == (0, 0)
    assert fresh.rows("staff")[one["EmployeeID"]]["is_active"] is True
    held = [str(row["xero_id"]) for row in of(fresh, "pay_template_line", one) if row["is_active"]]
    assert sorted(held) == lines
    age_balances(fresh)
    fresh.pull("leave_balances")
    assert_payroll_equal(fresh)


def test_a_status_that_somebody_set_follows_xero_again(books: Books) -> None:
    paid, unpaid, void = (books.open(number) for number in range(3))
    books.raised(paid, unpaid, void)
    books.pay(paid)
    books.do("void", invoice=void)
    books.night()
    for met in (False, True):
        for invoice, status in ((paid, "Un-paid"), (unpaid, "Paid"), (void, "Paid")):
            books.world.query("UPDATE qicworks.invoice SET status = %s WHERE xero_id = %s", status, invoice)
        if met:
            books.later()
            books.world.sandbox.control(
                "POST", f"{books.here}/Invoices/touch", {"ids": [paid, unpaid], "rename": False}
            )
        assert books.night()["by_id"] == []
        held = books.invoices()
        assert [held[key]["status"] for key in (paid, unpaid, void)] == ["Paid", "Un-paid", "Paid"]


def test_pay_items_of_which_an_array_is_missing(fresh: World) -> None:
    fresh.pull("pay_codes")
    before = fresh.rows("pay_code")
    assert any(row["kind"] == "LEAVE" and row["is_active"] for row in before.values())
    for said in (..., None):
        with answers(holds("LeaveTypes", said)):
            assert fresh.pull("pay_codes").status == "warning"
        assert "Xero returned no pay code of type LEAVE: the existing ones were kept" in fresh.event()["message"]
        assert fresh.rows("pay_code") == before
    assert fresh.pull("pay_codes").status == "success"
    assert_pay_codes_equal(fresh)


def test_a_full_refresh_reads_anew_but_goes_on_with_an_interrupted_one(fresh: World) -> None:
    one, *_ = actives(fresh)
    everybody = {employee["EmployeeID"] for employee in fresh.sandbox.truth("Employees")}
    give_rate(fresh, one, "4242.4242")
    refuse_rate(fresh, "4242.4242")
    with pytest.raises(Exception, match="violates check constraint"):
        fresh.pull("staff")
    assert set(read_by_id(fresh)) == everybody
    refuse_rate(fresh, None)
    change(fresh, one, JobTitle="Of today", _touch=False)
    fresh.pull("staff", full=True)
    assert set(read_by_id(fresh)) == everybody, "what was staged before is not a full refresh"
    assert fresh.rows("staff")[one["EmployeeID"]]["job_title"] == "Of today"
    assert_payroll_equal(fresh)

    fresh.fault(path="Employees/", kind="429", problem="day", retry_after=4_000, skip=5)
    with pytest.raises(Skip):
        fresh.pull("staff", full=True)
    fresh.query("UPDATE xero_sync.call_budget SET not_before = NULL")
    fresh.pull("staff", full=True)
    read = read_by_id(fresh)
    assert set(read) == everybody
    assert set(read.values()) == {1}, "nobody is asked for twice"


def test_what_qicworks_says_of_its_pay_dates(fresh: World) -> None:
    for never in ("infinity", "-infinity"):
        with pytest.raises(psycopg.errors.CheckViolation):
            fresh.query("UPDATE qicworks.organisation SET next_pay_date = %s", never)
    fresh.pull("staff")
    frequency = (
        "SELECT pay_frequency FROM qicworks.organisation"
        " JOIN xero_sync.connection ON connection.organisation_id = organisation.id WHERE connection.id = %s"
    )
    fresh.query("UPDATE qicworks.organisation SET pay_frequency = 'quarterly', next_pay_date = NULL")
    fresh.pull("pay_codes")
    assert fresh.query(frequency, fresh.connection_id()) == [{"pay_frequency": "quarterly"}]
    fresh.query("UPDATE qicworks.organisation SET pay_frequency = NULL, next_pay_date = NULL")
    fresh.pull("pay_codes")
    [held] = fresh.query(frequency, fresh.connection_id())
    assert held["pay_frequency"] not in (None, "quarterly")


def test_its_event_tells_how_far_it_has_come(world: World) -> None:
    seen: list[dict[str, Any]] = []
    outcome = world.pull("contacts", progress=lambda records: seen.append(world.event()))
    assert seen[0]["status"] == "running"
    assert 0 < seen[0]["read"] <= outcome.counts.read == world.event()["read"]
    assert seen[0]["calls"] > 0
