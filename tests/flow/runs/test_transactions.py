"""A load, a settlement and a claim are one transaction each: all or nothing, and invisible before the commit."""

import hashlib
from typing import Any
from uuid import UUID

import pytest

from tests.support.background import in_background
from tests.support.employees import LIST
from tests.support.expected_payroll import local_today
from tests.support.interrupting import locked
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.pushing import Books
from tests.support.refusing import refusing
from tests.support.troubles import DOCUMENTS
from tests.support.world import World
from xero.sync.runs.outcome import DatabaseFailed

Rows = dict[str, list[Any]]

END = ("UPDATE ON xero_sync.connection_event", "NEW.status IN ('success', 'warning')")


def rows(world: World, *tables: str) -> Rows:
    """Every row of these tables, to be compared."""
    found = {table: world.query(f"SELECT to_jsonb(one) AS row FROM {table} AS one") for table in tables}
    return {table: sorted((row["row"] for row in some), key=str) for table, some in found.items()}


# -- loading

LOADED = ("qicworks.contact", "xero_sync.cursor", "xero_sync.rejection", "xero_sync.connection")
PARTS = [
    ("UPDATE ON qicworks.contact", "NEW.is_active"),
    ("UPDATE ON qicworks.contact", "NEW.missing_since IS NOT NULL"),
    ("UPDATE ON xero_sync.rejection", "true"),
    ("UPDATE ON xero_sync.cursor", "true"),
    ("DELETE ON xero_sync.staging", "true"),
    ("DELETE ON xero_sync.stage_contact", "true"),
    ("UPDATE ON xero_sync.connection", "NEW.state = 'connected'"),
    END,
]


@pytest.fixture
def changed(fresh: World) -> World:
    """The next pull of contacts is full: it updates one, deactivates one, closes a rejection and reconnects."""
    fresh.pull("contacts")
    other, gone, *_ = fresh.sandbox.truth("Contacts")
    fresh.sandbox.change("Contacts", other["ContactID"], Name="Another name")
    fresh.sandbox.control("DELETE", f"organisations/{fresh.sandbox.tenant()}/Contacts/{gone['ContactID']}")
    fresh.query(
        "INSERT INTO xero_sync.rejection"
        " (connection_id, data_set, table_name, key, reasons, record, event_id, held_back)"
        " VALUES (%s, 'contacts', 'contact', 'once', '{bad}', '{}', %s, false)",
        *(fresh.connection_id(), fresh.event()["id"]),
    )
    fresh.query("UPDATE xero_sync.cursor SET full_at = full_at - interval '7 days'")
    fresh.query("UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'for a test'")
    fresh.calls()
    return fresh


def test_a_load_that_fails_in_one_part_writes_nothing(changed: World) -> None:
    before = rows(changed, *LOADED)
    for change, when in PARTS:
        with refusing(changed, change, when), pytest.raises(DatabaseFailed, match="not in this test"):
            changed.pull("contacts")
        assert rows(changed, *LOADED) == before, f"refused: {change}; the rest was written"
        assert changed.event()["status"] == "error"
        assert changed.query("SELECT complete FROM xero_sync.staging") == [{"complete": True}], change
    asked = len(changed.calls())
    outcome = changed.pull("contacts")
    assert (outcome.counts.updated, outcome.counts.deactivated) == (1, 1)
    assert (asked, changed.calls()) == (1, []), "staged rows are not requested again"
    after = rows(changed, *LOADED)
    assert [table for table in LOADED if after[table] == before[table]] == []


@pytest.mark.parametrize("table", ["qicworks.contact", "xero_sync.cursor"])
def test_no_part_of_a_load_is_visible_before_its_commit(changed: World, table: str) -> None:
    """A table lock stops the load at its beginning, or near its end; another session then sees the old state."""
    before = rows(changed, *LOADED)
    with locked(changed, table, "EXCLUSIVE") as wait_until_blocked:
        pulling = in_background(lambda: changed.pull("contacts"))
        wait_until_blocked()
        event = changed.event()
        seen, staged = rows(changed, *LOADED), changed.query("SELECT complete FROM xero_sync.staging")
    assert (event["status"], event["ended_at"]) == ("running", None)
    assert (seen, staged) == (before, [{"complete": True}])
    assert pulling.result().counts.updated == 1
    assert (changed.event()["status"], changed.query("SELECT 1 FROM xero_sync.staging")) == ("success", [])


def test_a_pay_date_is_served_only_with_its_balances(fresh: World) -> None:
    fresh.pull("staff")
    today = local_today(fresh, 0)
    fresh.query("UPDATE qicworks.organisation SET pay_frequency = 'weekly', next_pay_date = %s", today)
    fresh.query("UPDATE qicworks.staff SET balances_read_at = NULL")
    fresh.query("DELETE FROM qicworks.leave_balance")
    tables = ("qicworks.leave_balance", "qicworks.staff", "xero_sync.cursor", "xero_sync.due")
    before = rows(fresh, *tables)
    for change, when in [
        ("INSERT ON qicworks.leave_balance", "true"),
        ("UPDATE ON qicworks.staff", "NEW.balances_read_at IS NOT NULL"),
        ("INSERT ON xero_sync.due", "true"),
        END,
    ]:
        with refusing(fresh, change, when), pytest.raises(DatabaseFailed, match="not in this test"):
            fresh.pull("leave_balances")
        assert rows(fresh, *tables) == before, f"refused: {change}; the rest was written"
    fresh.calls()
    fresh.pull("leave_balances")
    assert not [call for call in fresh.calls() if call["path"].startswith(LIST)], "staged rows are not requested again"
    after = rows(fresh, *tables)
    assert [table for table in tables if after[table] == before[table]] == []


# -- settling


def test_a_response_that_fails_in_one_part_settles_nothing(books: Books) -> None:
    """Xero accepts one invoice and refuses the other. Both results, the request and the event are written together."""
    world = books.world
    good, bad = books.add("invoices", number="I-1"), books.add("invoices", number="I-2", contact=1)
    path = f"organisations/{world.sandbox.tenant()}/Contacts"
    [contact] = world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", books.contacts[1])
    world.sandbox.control("PATCH", f"{path}/{contact['xero_id']}", {"ContactStatus": "ARCHIVED"})
    settled = ("qicworks.invoice", "qicworks.document_line")
    told = "SELECT document, message FROM xero_sync.connection_event WHERE document IS NOT NULL"
    on_its_way: Rows = {}
    for change, when in [
        ("UPDATE ON qicworks.invoice", "NEW.push_state = 'pushed'"),
        ("UPDATE ON qicworks.invoice", "NEW.push_state = 'failed'"),
        ("UPDATE ON qicworks.document_line", "NEW.xero_line_id IS NOT NULL"),
        ("INSERT ON xero_sync.connection_event", "NEW.document IS NOT NULL"),
        ("UPDATE ON xero_sync.push_request", "NEW.closed_at IS NOT NULL"),
        ("UPDATE ON xero_sync.connection_event", "NEW.status = 'running' AND NEW.pushed > 0"),
    ]:
        with refusing(world, change, when), pytest.raises(DatabaseFailed, match="not in this test"):
            books.push("invoices")
        assert [row["push_state"] for row in books.rows("invoices")] == ["in_flight"] * 2, change
        on_its_way = on_its_way or rows(world, *settled)
        assert rows(world, *settled) == on_its_way, f"refused: {change}; the rest was settled"
        assert (len(books.requests()), world.query(told)) == (1, []), change
    books.push("invoices")
    assert (books.row("invoices", good)["push_state"], books.row("invoices", bad)["push_state"]) == ("pushed", "failed")
    assert [one["document"] for one in world.query(told)] == ["invoice I-2"]
    assert (len(books.in_xero("invoices")), books.requests()) == (1, [])


# -- claiming


@pytest.mark.parametrize("kind", ["invoices", "bills", "credit_notes", "purchase_orders"])
def test_a_request_is_committed_before_it_is_sent(books: Books, kind: str) -> None:
    """While Xero holds the request, another session reads its key, its body and when it was sent."""
    document = books.add(kind)
    version = books.row(kind, document)["push_version"]
    with books.world.sandbox.hold(DOCUMENTS, method="PUT") as wait_until_held:
        pushing = in_background(lambda: books.push(kind))
        wait_until_held()
        requests, row = books.requests(), books.row(kind, document)
        [sent] = books.writes()
    assert requests, "Xero has a request that QicWorks would not know about after a kill"
    [request] = requests
    assert request["idempotency_key"] == sent["headers"]["idempotency-key"]
    assert hashlib.sha256(request["body"].encode()).hexdigest() == sent["sha256"]
    assert (request["documents"], request["versions"]) == ([document], [version])
    assert request["first_sent_at"] is not None
    assert row["push_state"] == "in_flight"
    assert pushing.result().counts.pushed == 1
    books.assert_once(kind)


@pytest.mark.parametrize("kind", ["payroll", "leave_requests"])
def test_pay_and_leave_are_claimed_before_they_are_sent(world: World, kind: str) -> None:
    payroll = Payroll(world)
    employee = payroll.paid_by_the_hour()[0]
    table = {"payroll": "payroll_push", "leave_requests": "leave_request"}[kind]
    if kind == "payroll":
        payroll.pay_run("post")
        document = payroll.pay(employee, payroll.period(), PayLine(units="30"))
    else:
        document = payroll.leave(employee, payroll.start_of(5), payroll.start_of(5))
    with world.sandbox.hold("payroll", method="POST") as wait_until_held:
        pushing = in_background(lambda: payroll.push(kind))
        wait_until_held()
        requests = world.query("SELECT * FROM xero_sync.push_request WHERE closed_at IS NULL")
        owned = world.query("SELECT employee_xero_id FROM xero_sync.owned_earnings_line")
        state = payroll.row(table, document)["push_state"]
        [sent] = payroll.writes()
    assert requests, "Xero has a request that QicWorks would not know about after a kill"
    [request] = requests
    assert request["idempotency_key"] == sent["headers"]["idempotency-key"]
    assert (request["documents"], request["body"]) == ([document], None), "the outbox stores no pay"
    assert request["first_sent_at"] is not None
    assert state == "in_flight"
    assert owned == ([{"employee_xero_id": UUID(employee)}] if kind == "payroll" else []), (
        "the pay template line is claimed"
    )
    assert pushing.result().counts.pushed == 1
