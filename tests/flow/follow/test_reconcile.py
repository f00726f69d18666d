"""Reconcile finds what a pull would not see, says it in an event, and calls nothing a difference that is none."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support import pushing
from tests.support.calls import sent_twice
from tests.support.following import own_leave
from tests.support.ledger import Books
from tests.support.paying import Payroll
from tests.support.pushing import PRICED
from tests.support.reconciling import compare
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.follow import differences as open_differences
from xero.qicworks.runs import events, lease
from xero.qicworks.runs.events import Origin
from xero.sync.follow.reconcile import reconcile
from xero.sync.pull.flow import Skip


@pytest.fixture
def pulled(world: World) -> World:
    world.sandbox.settings(limits=False)
    Books(world).raised()
    # Only their payments are of interest here: QicWorks does not have what they say.
    world.query("UPDATE qicworks.invoice SET push_state = 'skipped'")
    for name in DATASETS:
        world.pull(name)
    world.calls()
    return world


def differences(world: World) -> dict[str, str]:
    """What was said of each data set since the last time this was asked."""
    found = world.query(
        "DELETE FROM xero_sync.connection_event WHERE starts_with(message, 'reconcile: ')"
        " RETURNING data_set, status, message"
    )
    assert all(event["status"] == "warning" for event in found)
    said: dict[str, str] = {}
    for event in found:
        said[event["data_set"]] = "; ".join(filter(None, (said.get(event["data_set"]), event["message"])))
    return said


def change(world: World, path: str, method: str = "PATCH", **fields: Any) -> None:
    world.sandbox.control(method, f"organisations/{world.sandbox.tenant()}/{path}", fields or None)


def test_what_is_in_step_is_found_so_for_a_handful_of_calls(pulled: World) -> None:
    outcome = compare(pulled)
    assert (outcome.status, outcome.message) == ("success", "no differences")
    assert differences(pulled) == {}
    calls = pulled.calls()
    assert outcome.counts.calls == len(calls) <= 13
    assert sum(call["bytes"] for call in calls) < 50_000


def test_every_kind_of_difference_is_an_event(pulled: World) -> None:
    collections = ("Contacts", "TaxRates", "LeaveTypes", "Employees", "Accounts")
    xero = {name: pulled.sandbox.truth(name) for name in collections}
    # Lost here, gone there, changed without a stamp: what no pull of changes would see.
    lost = str(xero["Contacts"][3]["ContactID"])
    pulled.query("DELETE FROM qicworks.contact WHERE xero_id = %s", lost)
    pulled.query("DELETE FROM qicworks.tax_code WHERE tax_type = %s", xero["TaxRates"][2]["TaxType"])
    pulled.query("DELETE FROM qicworks.leave_balance")
    pulled.query("DELETE FROM qicworks.pay_template_line")
    pulled.query("DELETE FROM qicworks.staff WHERE xero_id = %s", xero["Employees"][1]["EmployeeID"])
    asleep = xero["Employees"][2]["EmployeeID"]
    pulled.query("UPDATE qicworks.staff SET is_active = NOT is_active, row_hash = '' WHERE xero_id = %s", asleep)
    [unpaid] = pulled.query("DELETE FROM qicworks.invoice_payment WHERE ctid = (SELECT max(ctid)"
                            " FROM qicworks.invoice_payment) RETURNING xero_id")  # fmt: skip
    undeleted = next(iter(pulled.rows("invoice_payment")))
    pulled.query("UPDATE qicworks.invoice_payment SET is_active = NOT is_active, row_hash = '' WHERE xero_id = %s",
                 undeleted)  # fmt: skip
    [gone] = pulled.query("UPDATE qicworks.invoice_payment SET xero_id = gen_random_uuid() WHERE ctid ="
                          " (SELECT max(ctid) FROM qicworks.invoice_payment WHERE is_active AND xero_id <> %s)"
                          " RETURNING xero_id", undeleted)  # fmt: skip
    [balance] = pulled.query("DELETE FROM qicworks.invoice_balance WHERE ctid = (SELECT max(ctid)"
                             " FROM qicworks.invoice_balance) RETURNING xero_id")  # fmt: skip
    pulled.query("DELETE FROM qicworks.tracking_option WHERE ctid = (SELECT max(ctid) FROM qicworks.tracking_option)")
    [leave, *_] = own_leave(pulled)
    pulled.pull("leave_applications")
    pulled.query("DELETE FROM qicworks.leave_application WHERE xero_id = %s", leave)
    change(pulled, "Currencies", "POST", Code="NZD", Description="New Zealand Dollar")
    change(pulled, f"LeaveTypes/{xero['LeaveTypes'][0]['LeaveTypeID']}", "DELETE")
    change(pulled, f"Accounts/{xero['Accounts'][0]['AccountID']}", "DELETE")

    outcome = compare(pulled)

    assert outcome.status == "warning"
    found = differences(pulled)
    assert found.keys() == {*DATASETS} - {"leave_balances"}
    count = len(xero["Contacts"])
    assert found["contacts"] == f"reconcile: Xero has {count} records, QicWorks {count - 1}"
    assert "1 records of Xero are not in tax_code" in found["tax_codes"]
    assert f"1 records of Xero are not in staff ({xero['Employees'][1]['EmployeeID']})" in found["staff"]
    assert f"1 rows of staff are active in only one of QicWorks and Xero ({asleep})" in found["staff"]
    assert "1 records of Xero are not in tracking_option" in found["tracking_categories"]
    assert "1 records of Xero are not in currency (nzd)" in found["currencies"]
    paid = found["invoice_payments"]
    assert "2 records of Xero are not in invoice_payment (" in paid
    assert str(unpaid["xero_id"]) in paid
    assert f"1 rows of invoice_payment are not in Xero ({gone['xero_id']})" in paid
    assert f"active in only one of QicWorks and Xero ({undeleted})" in paid
    assert f"1 documents that QicWorks pushed are not in invoice_balance ({balance['xero_id']})" in paid
    assert f"1 documents that QicWorks pushed are not in leave_application ({leave})" in found["leave_applications"]
    assert "1 rows of pay_code are not in Xero" in found["pay_codes"]
    assert xero["Accounts"][0]["AccountID"] in found["chart_of_accounts"]

    pulled.query("UPDATE qicworks.leave_request SET push_state = 'skipped'")  # its own differences are not this test's
    for name in DATASETS:
        pulled.pull(name, full=True)
    outcome = compare(pulled)
    assert outcome.status == "success", f"a full refresh settles it: {outcome.message}"


def test_what_has_changed_since_the_last_pull_is_no_difference(pulled: World) -> None:
    for name in ("Contacts", "Accounts", "Employees"):
        change(pulled, f"{name}/touch", "POST", count=2)
    change(pulled, "Contacts", "POST", Name="New since", ContactStatus="ACTIVE")
    books = Books(pulled)
    since = books.open()
    books.raised(since, pushed_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
    books.pay(since)
    books.do("delete_payment", payment=next(key for key, row in pulled.rows("invoice_payment").items()
                                            if row["is_active"] and not row["batch_payment_xero_id"]))  # fmt: skip
    assert compare(pulled).status == "success"

    pulled.query("UPDATE xero_sync.cursor SET completed_at = completed_at - interval '3 days'")
    [loaded] = pulled.query(
        "SELECT completed_at FROM xero_sync.cursor WHERE data_set = 'contacts' AND connection_id = %s",
        pulled.connection_id(),
    )
    assert compare(pulled).status == "warning"
    found = differences(pulled)
    assert found.keys() == {"contacts", "chart_of_accounts", "staff", "invoice_payments", "document_status"}
    assert f"the last pull of {loaded['completed_at']:%Y-%m-%d %H:%M:%S} UTC" in found["contacts"]


def test_what_is_rejected_is_known(pulled: World) -> None:
    key = pulled.sandbox.truth("Contacts")[0]["ContactID"]
    change(pulled, "Contacts", "POST", Name="", ContactStatus="ACTIVE")
    change(pulled, f"Contacts/{key}", Name="Renamed")
    assert pulled.pull("contacts").counts.rejected == 1
    assert compare(pulled).status == "success"


def test_what_is_not_available_or_not_pulled_yet_is_said_and_is_no_difference(world: World) -> None:
    for name in ("contacts", "chart_of_accounts", "tax_codes"):
        world.pull(name, 2)
    for refusal in ("403 AuthorizationUnsuccessful", "403 AuthenticationUnsuccessful"):
        world.sandbox.settings(payroll_refusal=refusal)
        outcome = compare(world, 2)
        left = "not pulled yet: Currencies, Tracking categories; not available: Pay codes, Staff"
        assert outcome.message == f"no differences; {left}"
        assert (outcome.status, differences(world)) == ("success", {})

    # The first organisation has really disconnected: the others are compared all the same.
    first, second, third = world.names()
    world.fault(kind="revoked", tenant=world.sandbox.tenant(0), times=None)
    result = world.main("reconcile")
    assert result.returncode == 1
    assert f"{first}: failed: " in result.stderr
    assert first not in result.stdout
    assert f"{second}: no differences; not pulled yet: " not in result.stdout
    assert f"{second}: not pulled yet: " in result.stdout
    assert f"{third}: no differences; not pulled yet: Currencies, Tracking categories" in result.stdout
    closed = world.query("SELECT status FROM xero_sync.connection_event WHERE data_set = 'reconcile' ORDER BY id")
    assert sorted(event["status"] for event in closed[-3:]) == ["error", "success", "success"]


def test_before_the_first_pull_there_is_nothing_to_compare(world: World) -> None:
    outcome = compare(world)
    assert outcome.status == "success"
    assert outcome.message.partition("; ")[0].startswith("not pulled yet: ")
    assert "no differences" not in outcome.message, "what was not compared is not said to be equal"
    # What starts with the first push has nothing to pull yet.
    every = [
        one.title
        for one in DATASETS.values()
        if not one.timing.of_a_day and not any(source.starts_at for source in one.sources)
    ]
    assert len(every) > 5
    assert all(title in outcome.message for title in every)
    assert differences(world) == {}
    # One pulled, one that cannot be compared as equal, the rest not.
    world.pull("contacts")
    world.query("DELETE FROM qicworks.contact WHERE ctid = (SELECT min(ctid) FROM qicworks.contact)")
    outcome = compare(world)
    assert (outcome.status, outcome.message.partition("; ")[0]) == ("warning", "differences found in: Contacts")
    assert "; not pulled yet: " in outcome.message
    assert differences(world).keys() == {"contacts"}


def test_one_at_a_time_and_no_event_stays_open(world: World) -> None:
    def said() -> list[tuple[str, str]]:
        found = world.query(
            "DELETE FROM xero_sync.connection_event WHERE data_set = 'reconcile' RETURNING id, status, message"
        )
        return [(event["status"], event["message"]) for event in sorted(found, key=lambda event: event["id"])]

    def fail(connection: object, manual: bool) -> Any:
        raise RuntimeError("no such thing")

    connection_id = UUID(world.connection_id())
    with database.session(world.engine) as another:
        assert lease.acquire(another, connection_id, "pull", "reconcile")
        events.open_event(another, connection_id, "pull", "reconcile", Origin())
        with pytest.raises(Skip, match="already running in a command line"):
            compare(world)
        assert world.main("reconcile", "--connection", world.names()[0]).returncode == 1
    with pytest.raises(RuntimeError, match="no such thing"):
        reconcile(connection_id, engine=world.engine, open_client=fail, origin=Origin())
    assert [status for status, _ in said()] == ["error", "warning", "warning", "error"]
    with pytest.raises(RuntimeError, match="no such thing"):
        reconcile(connection_id, engine=world.engine, open_client=fail, origin=Origin())
    assert said() == [("error", "RuntimeError: no such thing")]


# -- what was sent twice all the same


@pytest.mark.parametrize("kind", ["bills", "expenses", "credit_notes"])
def test_a_document_that_stands_in_xero_twice_is_named(world: World, kind: str) -> None:
    world.sandbox.settings(limits=False)
    books = pushing.Books(world)
    sound, twice = (books.add(kind, **({"side": "supplier"} if kind == "credit_notes" else {})) for _ in range(2))
    books.push(kind, documents=[str(sound)])
    with sent_twice():
        books.push(kind)
    row = books.row(kind, twice)
    [other] = {one[PRICED[kind][2]] for one in books.in_xero(kind)} - {
        str(books.row(kind, one)["xero_id"]) for one in (sound, twice)
    }
    assert compare(world).status == "warning"
    [said] = [one for name, one in differences(world).items() if name == kind]
    assert f"{row['number']} as {other}" in said
    assert books.row(kind, sound)["number"] not in said
    # Deleted there, it is no difference any more; neither is one that is just on its way.
    books.bookkeep("delete", **{"credit" if kind == "credit_notes" else "invoice": other})
    compare(world)
    assert kind not in differences(world)


def test_leave_that_no_request_is_linked_to_is_named(world: World) -> None:
    world.sandbox.settings(limits=False)
    payroll = Payroll(world)
    document = payroll.leave(payroll.paid_by_the_hour()[0], date(2026, 12, 7), date(2026, 12, 7))
    payroll.push("leave_requests")
    compare(world)
    assert "leave_requests" not in differences(world)
    other = payroll.row("leave_request", document)["xero_id"]
    payroll.edit("leave_request", document, xero_id=uuid4())
    assert compare(world).status == "warning"
    assert f"{document} as {other}" in differences(world)["leave_requests"]


# -- what it finds lasts


def held(world: World) -> list[tuple[str, Any, str, str]]:
    """The open differences: data set or kind, document, subject, reason."""
    with database.session(world.engine) as db:
        found = open_differences.listed(db, UUID(world.connection_id()))
    return [(one.document_kind, one.document_id, one.subject, one.reason.value) for one in found]


def test_records_that_differ_stay_a_difference_of_their_source_until_they_agree(pulled: World) -> None:
    assert held(pulled) == []
    pulled.query("DELETE FROM qicworks.tracking_option WHERE ctid = (SELECT max(ctid) FROM qicworks.tracking_option)")
    pulled.query("DELETE FROM qicworks.invoice_payment WHERE ctid = (SELECT max(ctid) FROM qicworks.invoice_payment)")
    for _ in range(2):
        compare(pulled)
        assert held(pulled) == [
            ("document_status", None, "payments", "records_differ"),
            ("invoice_payments", None, "invoice_payments", "records_differ"),
            ("tracking_categories", None, "tracking_categories", "records_differ"),
        ]
    with database.session(pulled.engine) as db:
        [*_, tracking] = open_differences.listed(db, UUID(pulled.connection_id()))
    assert (tracking.label, tracking.ours) == ("Tracking categories", {})
    assert tracking.theirs["found"].startswith("1 records of Xero are not in tracking_option")
    pulled.pull("tracking_categories", full=True)
    assert len(held(pulled)) == 3, "only a comparison settles it"
    compare(pulled)
    assert {kind for kind, *_ in held(pulled)} == {"document_status", "invoice_payments"}
    settled = pulled.query("SELECT settled_how FROM xero_sync.difference WHERE settled_at IS NOT NULL")
    assert [row["settled_how"] for row in settled] == ["agrees"]


def test_a_source_that_is_not_compared_completely_settles_nothing(
    pulled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled.query("DELETE FROM qicworks.invoice_payment WHERE ctid = (SELECT max(ctid) FROM qicworks.invoice_payment)")
    compare(pulled)
    before = held(pulled)
    assert ("invoice_payments", None, "invoice_payments", "records_differ") in before
    monkeypatch.setattr("xero.sync.follow.comparison.Comparison._read_changes", lambda self, since: ([], False))
    compare(pulled)
    assert held(pulled) == before


def test_a_second_record_and_an_unproven_push_stay_with_their_documents(world: World) -> None:
    world.sandbox.settings(limits=False)
    books = pushing.Books(world)
    twice = books.add("invoices", number="IV-1")
    books.push("invoices")
    record = books.row("invoices", twice)["xero_id"]
    books.world.query("UPDATE qicworks.invoice SET xero_id = gen_random_uuid() WHERE id = %s", twice)
    for _ in range(2):
        compare(world)
        assert held(world) == [
            ("invoices", twice, str(record), "ambiguous_match"),
            ("invoices", twice, "", "unproven_push"),
        ]
    books.world.query("UPDATE qicworks.invoice SET xero_id = %s WHERE id = %s", record, twice)
    compare(world)
    assert held(world) == []
