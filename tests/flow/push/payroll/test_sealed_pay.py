"""What stands in `xero_sync.owned_earnings_line` is no authority: only what this project has sealed decides what a pay
template pays."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
import pytest

from tests.support.background import in_background
from tests.support.paying import Line, Payroll, units
from tests.support.world import World
from xero.sync.push.payroll import employees

HALF_MORE = "Overtime × 1.5"
UNSEALED = "does not carry the seal of this project"
OWNED = "xero_sync.owned_earnings_line"
CHOSEN = json.dumps({"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": "9999"})


#: How somebody writes to the lines of an employee, who has some at a rate of QicWorks' and some at their own.
FORGED = {
    "a rate to be put back": f"UPDATE {OWNED} SET before = '{CHOSEN}' WHERE before IS NOT NULL AND <its>",
    "its rates": f"UPDATE {OWNED} SET rates = '{{1}}' WHERE <its>",
    "not to be emptied": f"UPDATE {OWNED} SET disclaimed = true WHERE rates = '{{}}' AND <its>",
    "another period": f"UPDATE {OWNED} SET pay_period_id = (SELECT id FROM qicworks.pay_period"
    " ORDER BY start_date DESC LIMIT 1) WHERE <its>",
    "another's seal": f"UPDATE {OWNED} SET seal = (SELECT seal FROM {OWNED} WHERE NOT <its> LIMIT 1) WHERE <its>",
    "no seal": f"UPDATE {OWNED} SET seal = NULL WHERE <its>",
    "a made-up seal": f"UPDATE {OWNED} SET seal = '\\x6741' WHERE <its>",
    "one line more": f"INSERT INTO {OWNED} (connection_id, employee_xero_id, earnings_rate_xero_id, pay_period_id,"
    " empty, rates) SELECT connection_id, employee_xero_id, gen_random_uuid(), pay_period_id, true, '{}'"
    f" FROM {OWNED} WHERE <its> LIMIT 1",
}


@pytest.fixture
def payroll(world: World) -> Payroll:
    """Its period 1 is next."""
    payroll = Payroll(world)
    payroll.pay_run("post")
    return payroll


def owned(payroll: Payroll, employee: str) -> list[dict[str, Any]]:
    return payroll.world.query(f"SELECT * FROM {OWNED} WHERE employee_xero_id = %s", employee)


def put_back(payroll: Payroll, rows: list[dict[str, Any]]) -> None:
    """What the rows said once, seal and all, as far as the role may write it."""
    for row in rows:
        payroll.world.query(
            f"UPDATE {OWNED} SET pay_period_id = %s, empty = %s, rates = %s, before = %s, seal = %s"
            " WHERE (employee_xero_id, earnings_rate_xero_id) = (%s, %s)",
            *(row[name] for name in ("pay_period_id", "empty", "rates")),
            row["before"] and json.dumps(row["before"]),
            *(row[name] for name in ("seal", "employee_xero_id", "earnings_rate_xero_id")),
        )


@contextmanager
def kept(world: World) -> Iterator[None]:
    """What is done to the lines meanwhile is undone, to the letter."""
    world.query(f"CREATE TABLE kept AS SELECT * FROM {OWNED}")
    yield
    with psycopg.connect(world.database_url) as session:
        session.execute("SET LOCAL session_replication_role = replica")
        session.execute(f"DELETE FROM {OWNED}")
        session.execute(f"INSERT INTO {OWNED} SELECT * FROM kept")
        session.execute("DROP TABLE kept")


def next_period(payroll: Payroll) -> None:
    payroll.pay_run("draft"), payroll.pay_run("post")


def told_of(payroll: Payroll, employee: str) -> int:
    """In how many warnings."""
    rows = payroll.world.query("SELECT message FROM xero_sync.connection_event WHERE status = 'warning'")
    return sum(employee in row["message"] and UNSEALED in row["message"] for row in rows)


def test_pay_rests_on_no_line_that_somebody_else_wrote(payroll: Payroll) -> None:
    """Rates, what is emptied and what is left: none of it comes from lines without their seal, and others go on."""
    one, never, unmentioned, good = payroll.paid_by_the_hour()
    first, world = payroll.period(1), payroll.world
    its_own = payroll.earnings(one)["Ordinary Hours"]["RatePerUnit"]
    for employee in (one, unmentioned, good):
        payroll.pay(employee, first, Line(units="10", rate="45.5"), Line(HALF_MORE, "4"))
    assert payroll.push("payroll").status == "success", payroll.states("payroll_push")
    next_period(payroll)
    second = payroll.period(2)
    documents = {employee: payroll.pay(employee, second, Line(units="38")) for employee in (one, never, good)}
    before = {employee: payroll.template(employee) for employee in (one, never, unmentioned)}

    def refused(employee: str, what: str) -> None:
        payroll.push("payroll", documents=[str(documents[employee])])
        row = payroll.row("payroll_push", documents[employee])
        assert (row["push_state"], UNSEALED in str(row["push_error"])) == ("failed", True), what
        assert "Compare it in Xero" in row["push_correction"]
        assert payroll.template(employee) == before[employee], what

    for what, statement in FORGED.items():
        with kept(world):
            world.query(statement.replace("<its>", f"employee_xero_id = '{one}'"))
            refused(one, what)
    # Of whom QicWorks never set a line: what somebody typed in is not emptied, nor given a rate.
    lines = payroll.earnings(never)
    for name, rates, rate_before in (("Ordinary Hours", [lines["Ordinary Hours"]["RatePerUnit"]], CHOSEN), *(
        (name, [], None) for name in lines if name != "Ordinary Hours"
    )):  # fmt: skip
        with kept(world):
            world.query(
                f"INSERT INTO {OWNED} (connection_id, employee_xero_id, earnings_rate_xero_id, pay_period_id, empty,"
                " rates, before) VALUES (%s, %s, %s, %s, true, %s::numeric[], %s)",
                payroll.connection_id, never, lines[name]["EarningsRateID"], first, rates, rate_before,
            )  # fmt: skip
            refused(never, name)
    with kept(world):
        world.query(f"UPDATE {OWNED} SET empty = true WHERE employee_xero_id = %s", unmentioned)
        world.query(f"UPDATE {OWNED} SET rates = '{{1}}' WHERE employee_xero_id = %s", one)
        assert payroll.push("payroll", retry_failed=True).message == "2 pushed, 1 failed, 1 with a warning"
        assert {one: payroll.template(one), unmentioned: payroll.template(unmentioned)} == {
            employee: before[employee] for employee in (one, unmentioned)
        }
        assert told_of(payroll, unmentioned) == 1, "there is no document that could say so"
    assert units(payroll.earnings(good)[HALF_MORE]) == 0, "others go on"
    assert payroll.push("payroll", retry_failed=True).message == "2 pushed", payroll.states("payroll_push")
    for employee in (one, unmentioned):
        assert units(payroll.earnings(employee)[HALF_MORE]) == 0
    assert payroll.earnings(one)["Ordinary Hours"]["RatePerUnit"] == its_own


def test_what_was_sealed_once_does_not_come_again_but_by_an_administrator(payroll: Payroll) -> None:
    one, other = payroll.paid_by_the_hour()[:2]
    payroll.pay(one, payroll.period(1), Line(units="10", rate="45.5"), Line(HALF_MORE, "4"))
    payroll.push("payroll")
    of_then = owned(payroll, one)
    next_period(payroll)
    payroll.pay(one, payroll.period(2), Line(units="38", rate="50"))
    payroll.push("payroll")
    of_now = owned(payroll, one)
    next_period(payroll)
    third = payroll.period(3)
    document = payroll.pay(one, third, Line(units="20"))
    payroll.pay(other, third, Line(units="12"))
    for rows in (of_then, of_now):
        put_back(payroll, rows)
        payroll.push("payroll", retry_failed=True)
        assert UNSEALED in str(payroll.row("payroll_push", document)["push_error"])
        assert units(payroll.earnings(one)["Ordinary Hours"]) == 38
    assert units(payroll.earnings(other)["Ordinary Hours"]) == 12

    # After a look into Xero: they are right as they stand, until somebody writes to one; or there are none.
    right = f"UPDATE {OWNED} SET written = NULL, seal = NULL WHERE employee_xero_id = %s"
    payroll.world.query(right, one)
    payroll.world.query(f"UPDATE {OWNED} SET rates = '{{1}}' WHERE employee_xero_id = %s AND rates <> '{{}}'", one)
    payroll.push("payroll", documents=[str(document)])
    assert units(payroll.earnings(one)["Ordinary Hours"]) == 38, "which is how the rows of before there were seals are"
    put_back(payroll, of_now)
    payroll.world.query(right, one)
    payroll.push("payroll", documents=[str(document)])
    line = payroll.earnings(one)["Ordinary Hours"]
    assert (units(line), line["RatePerUnit"] != 50) == (20, True)
    assert all(row["seal"] for row in owned(payroll, one)), "from now on it is sealed again"
    put_back(payroll, of_now)
    payroll.world.query(f"DELETE FROM {OWNED} WHERE employee_xero_id = %s", one)
    payroll.add_line(document, Line(units="1"))
    payroll.ready("payroll_push", document)
    payroll.push("payroll")
    assert units(payroll.earnings(one)["Ordinary Hours"]) == 21


def test_lines_that_change_while_pay_is_on_its_way_are_sealed_by_nobody(payroll: Payroll) -> None:
    """Before the request is claimed: nothing is sent. After it: Xero has it, and the next pay is not sent."""
    early, late = payroll.paid_by_the_hour()[:2]
    real, first = employees.fetch_employee, payroll.period(1)
    documents = [payroll.pay(employee, first, Line(units="10", rate="45.5")) for employee in (early, late)]
    payroll.push("payroll")
    for document in documents:
        payroll.add_line(document, Line(units="1", rate="45.5"))
        payroll.ready("payroll_push", document)
    before = payroll.template(early)

    def meanwhile(*arguments: Any) -> Any:
        payroll.world.query(f"UPDATE {OWNED} SET rates = '{{7}}' WHERE employee_xero_id = %s", early)
        return real(*arguments)

    with mock.patch.object(employees, "fetch_employee", meanwhile):
        payroll.push("payroll", documents=[str(documents[0])])
    assert UNSEALED in str(payroll.row("payroll_push", documents[0])["push_error"])
    assert payroll.template(early) == before
    assert payroll.world.query("SELECT 1 FROM xero_sync.push_request WHERE closed_at IS NULL") == []

    with payroll.world.sandbox.hold(f"Employees/{late}", method="POST") as wait_until_held:
        pushing = in_background(lambda: payroll.push("payroll", documents=[str(documents[1])]))
        wait_until_held()
        payroll.world.query(f"UPDATE {OWNED} SET before = %s WHERE employee_xero_id = %s", CHOSEN, late)
    assert pushing.result().message == "1 pushed, 2 with a warning", "and the one of before"
    assert units(payroll.earnings(late)["Ordinary Hours"]) == 11
    payroll.edit("payroll_push", documents[1], push_state="ready")
    payroll.push("payroll", documents=[str(documents[1])])
    assert UNSEALED in str(payroll.row("payroll_push", documents[1])["push_error"])


def test_an_empty_pay_is_made_only_after_a_pay_of_qicworks(payroll: Payroll) -> None:
    """Whoever may write to the lines and call the function takes nobody's pay, and is in the way of none."""
    world = payroll.world
    one, two, three = payroll.paid_by_the_hour()[:3]
    payroll.period(0)
    first, second = payroll.period(1), payroll.period(2)

    def call(employee: str, period: UUID) -> list[dict[str, Any]]:
        world.query(
            "SELECT xero_sync.take_back_pay(%s, %s, %s)", payroll.connection_id, period, payroll.staff[employee]
        )
        return world.query("SELECT * FROM qicworks.payroll_push WHERE staff_id = %s", payroll.staff[employee])

    its = payroll.earnings(one)
    world.query(
        f"INSERT INTO {OWNED} (connection_id, employee_xero_id, earnings_rate_xero_id, pay_period_id, empty, rates)"
        " SELECT %s, %s, %s, id, false, '{}' FROM qicworks.pay_period ORDER BY start_date LIMIT 1",
        payroll.connection_id, one, its["Ordinary Hours"]["EarningsRateID"],
    )  # fmt: skip
    assert call(one, first) == []
    payroll.pay(two, first, Line(units="20"), approved=False)
    assert [row["takes_back"] for row in call(two, second)] == [False], "nobody has approved it"
    payroll.pay(three, first, Line(units="20"))
    assert [row["takes_back"] for row in call(three, second)] == [False, True]
    payroll.push("payroll")
    assert payroll.earnings(one) == its

    # QicWorks makes pay for that period after all; once, as ever.
    later = payroll.pay(three, second, Line(units="12"))
    [kept] = [row for row in call(three, second) if row["pay_period_id"] == second]
    assert (kept["id"], kept["takes_back"]) == (later, False)
    with pytest.raises(Exception, match="payroll_push_pay_period_id_staff_id_key"):
        payroll.pay(three, second, Line(units="13"))
    # The trigger deletes for no other table.
    with pytest.raises(Exception, match="this is a trigger of"):
        world.query(
            "DO $$ BEGIN CREATE TEMP TABLE mine (LIKE qicworks.payroll_push INCLUDING DEFAULTS);"
            " CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION xero_sync.pay_was_made();"
            " INSERT INTO mine SELECT * FROM qicworks.payroll_push LIMIT 1; END $$"
        )


def test_pay_that_qicworks_deleted_is_told_rather_than_taken_back(payroll: Payroll) -> None:
    world = payroll.world
    one = payroll.paid_by_the_hour()[0]
    document = payroll.pay(one, payroll.period(1), Line(units="20"))
    payroll.push("payroll")
    payroll.pay_run("draft"), payroll.pay_run("post")
    world.query("DELETE FROM qicworks.payroll_line")
    world.query("DELETE FROM qicworks.payroll_push WHERE id = %s", document)
    payroll.period(2)
    outcome = payroll.push("payroll")
    assert (outcome.status, outcome.message) == ("warning", "0 pushed, 1 with a warning")
    assert one in str(world.query("SELECT message FROM xero_sync.connection_event WHERE status = 'warning'"))
    assert payroll.states("payroll_push") == []


def test_pay_and_leave_go_to_nobody_of_another_name_and_another_e_mail(payroll: Payroll) -> None:
    """Who was renamed, or has another e-mail, since staff were pulled is still the same; somebody else is not."""
    world = payroll.world
    one, other, renamed, spelt = payroll.paid_by_the_hour()[:4]
    period = payroll.period(1)
    its = payroll.earnings(other)["Ordinary Hours"]
    tenant = world.sandbox.tenant()
    monday = payroll.start_of(5)
    mine = {}
    for employee in (one, renamed, spelt):
        pay, leave = payroll.pay(employee, period, Line(units="20")), payroll.leave(employee, monday, monday)
        mine[employee] = {"payroll_push": pay, "leave_request": leave}
    email = {"Email": "kim@example.com.au"}
    world.sandbox.control("PATCH", f"organisations/{tenant}/Employees/{renamed}", {"LastName": "Married", **email})
    world.query("UPDATE qicworks.staff SET email = 'Kim@Example.com.au' WHERE xero_id = %s", renamed)
    world.query(
        "UPDATE qicworks.staff SET first_name = ' ' || upper(first_name), email = 'other@example.com'"
        " WHERE xero_id = %s",
        spelt,
    )
    world.query("UPDATE qicworks.staff SET xero_id = gen_random_uuid() WHERE xero_id = %s", other)
    world.query("UPDATE qicworks.staff SET xero_id = %s WHERE xero_id = %s", other, one)
    for table, document in mine[one].items():
        payroll.ready(table, document)  # approved again
    outcome = payroll.push("payroll")
    assert outcome.message == "2 pushed, 1 failed", payroll.states("payroll_push")
    assert "both the name and the email" in str(payroll.states("payroll_push"))
    assert payroll.earnings(other)["Ordinary Hours"] == its
    assert payroll.preview("leave_requests")[0].refused
    outcome = payroll.push("leave_requests")
    assert outcome.message == "2 pushed, 1 failed", payroll.states("leave_request")
    assert "both the name and the email" in str(payroll.states("leave_request"))
    assert {leave["EmployeeID"] for leave in payroll.applications()} == {renamed, spelt}


EXCHANGED = ("first_name", "last_name", "email", "phone", "mobile", "title", "job_title", "payroll_calendar_xero_id",
             "ordinary_earnings_rate_xero_id", "is_active")  # fmt: skip


def exchange(payroll: Payroll, one: str, other: str) -> None:
    """The two members' employees, and all by which they could be told apart."""
    first, second = (payroll.row("staff", payroll.staff[employee]) for employee in (one, other))
    query = "UPDATE qicworks.staff SET xero_id = %s WHERE id = %s"
    payroll.world.query(query, None, first["id"])
    payroll.world.query(query, first["xero_id"], second["id"])
    payroll.world.query(query, second["xero_id"], first["id"])
    for row, as_of in ((first, second), (second, first)):
        payroll.edit("staff", row["id"], **{name: as_of[name] for name in EXCHANGED})


@pytest.mark.parametrize("state", ["ready", "failed"])
def test_approved_pay_and_leave_do_not_go_to_another_employee(payroll: Payroll, state: str) -> None:
    """Also where everything says that it is this one; once it is approved again they do: somebody was hired again."""
    one, other = payroll.paid_by_the_hour()[:2]
    start = payroll.start_of(3)
    pay, leave = payroll.pay(one, payroll.period(1), Line(units="7.6")), payroll.leave(one, start, start)
    for table, document in (("payroll_push", pay), ("leave_request", leave)):
        payroll.edit(table, document, push_state=state)
    exchange(payroll, one, other)
    payroll.world.calls()
    for kind, table in (("payroll", "payroll_push"), ("leave_requests", "leave_request")):
        payroll.push(kind, retry_failed=True)
        [(after, error)] = payroll.states(table)
        assert (after, "it was changed after it was approved" in str(error)) == ("failed", True), kind
    assert payroll.writes() == []
    for kind, table, document in (("payroll", "payroll_push", pay), ("leave_requests", "leave_request", leave)):
        payroll.ready(table, document)
        assert payroll.push(kind).counts.pushed == 1


def test_what_is_linked_the_first_time_stays_approved(payroll: Payroll) -> None:
    [one, *_] = payroll.paid_by_the_hour()
    query = "UPDATE qicworks.staff SET xero_id = %s WHERE id = %s"
    payroll.world.query(query, None, payroll.staff[one])
    payroll.pay(one, payroll.period(1), Line(units="7.6"))
    payroll.world.query(query, one, payroll.staff[one])
    assert payroll.push("payroll").counts.pushed == 1
