"""Promises that end at a number: just before it, at it, just after it."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.clock import stop
from tests.support.database_clock import DatabaseClock
from tests.support.employees import LIST, read_by_id
from tests.support.expected_accounting import instant
from tests.support.paying import Line, Payroll
from tests.support.pushing import Books, File
from tests.support.world import World
from xero.api.client import XeroClient
from xero.api.errors import ConsentFailed, RetryLater
from xero.api.settings import XeroApp
from xero.composition import opener
from xero.datasets.declaration import Timing
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database, sql
from xero.qicworks.admin import retention
from xero.qicworks.connect import connections, oauth_states
from xero.qicworks.database import Session
from xero.qicworks.pull import staging as stagings
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome
from xero.qicworks.views import dag_runs, gauges
from xero.qicworks.views import status as pages
from xero.sync.connect import organisation
from xero.sync.follow.comparison import Comparison
from xero.sync.push import lookup
from xero.sync.push.deadlines import QUIET_SECONDS
from xero.sync.push.payroll.pay_runs import PayRuns
from xero.sync.runs import schedule
from xero.sync.runs.outcome import Skip
from xero.sync.runs.run import Run, run

INSTANT = 0.000_001  # seconds: the least that PostgreSQL tells apart
HOUR, DAY = 3_600, 86_400
TOKENS = sql.Statements("tokens")


@pytest.fixture
def clock(database_clock: DatabaseClock, world: World, monkeypatch: pytest.MonkeyPatch) -> DatabaseClock:
    """At a whole second, which is all that seals tell apart."""
    world.sandbox.settings(limits=False, access_token_seconds=1e9)
    database_clock.set(database_clock.at.replace(microsecond=0) + timedelta(seconds=1))
    return database_clock


@pytest.fixture
def session(clock: DatabaseClock, world: World) -> Iterator[Session]:
    with database.session(world.engine) as session:
        yield session


@pytest.fixture
def books(furnished_template: str, furnished: Books, clock: DatabaseClock, world: World) -> Books:
    return furnished.copied(world)


# -- requests of which nobody knows what became


def leave_open(books: Books, kind: str, fault: str) -> str:
    """A document whose request failed like that, and was not saved. Returns the request's key."""
    books.add(kind)
    books.world.fault(kind=fault, method="PUT", path=KINDS[kind].path)  # type: ignore[attr-defined]
    with pytest.raises(RetryLater):
        books.push(kind, client={"backoff": ()})
    [request] = books.requests()
    books.world.calls()
    return str(request["idempotency_key"])


def keys(books: Books) -> list[str]:
    return [call["headers"]["idempotency-key"] for call in books.writes()]


@pytest.mark.parametrize("kind", ["bills", "invoices", "purchase_orders"])
@pytest.mark.parametrize("age", [0, 300 - INSTANT, 300, 300 + INSTANT])
def test_a_key_is_trusted_for_five_minutes(books: Books, clock: DatabaseClock, kind: str, age: float) -> None:
    """Then it is looked up, not found, and sent anew."""
    key = leave_open(books, kind, "cut")
    clock.advance(age)
    assert books.push(kind, quiet=QUIET_SECONDS).counts.pushed == 1
    [sent] = keys(books)
    assert (sent == key) == (age < 300)
    books.assert_once(kind)


@pytest.mark.parametrize("kind", ["bills", "invoices"])
@pytest.mark.parametrize("fault", ["cut", "lost_answer"])
@pytest.mark.parametrize(("age", "back"), [(0, INSTANT), (0, 60), (30, DAY), (4 * DAY, 5 * DAY)])
def test_a_request_of_a_time_to_come_is_looked_up_after_a_minute_from_now(
    books: Books, clock: DatabaseClock, kind: str, fault: str, age: float, back: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody put the clock back. How long ago it was sent is not known, and its key is not trusted."""
    key = leave_open(books, kind, fault)
    clock.advance(age)
    clock.advance(-back)
    # Calls that were granted in a time to come would be waited for, and this clock stands still.
    books.world.query("DELETE FROM xero_sync.call_budget")
    for seconds in (60, INSTANT):
        with pytest.raises(RetryLater) as raised:
            books.push(kind, quiet=QUIET_SECONDS)
        assert raised.value.seconds == pytest.approx(seconds, rel=0.01)
        assert books.world.calls() == []
        clock.advance(60 - INSTANT if seconds == 60 else INSTANT)
    assert books.push(kind, quiet=QUIET_SECONDS).counts.pushed == 1
    sent = keys(books)
    assert len(sent) == (fault == "cut")
    assert key not in sent
    books.assert_once(kind)
    assert caplog.text.count("clock was put back") == 1


@pytest.mark.parametrize("kind", ["bills", "invoices"])
@pytest.mark.parametrize("age", [0, 60 - INSTANT, 60, 60 + INSTANT])
def test_a_request_over_which_xero_failed_is_left_alone_for_a_minute(
    books: Books, clock: DatabaseClock, kind: str, age: float
) -> None:
    leave_open(books, kind, "500")
    clock.advance(age)
    if age < 60:
        with pytest.raises(RetryLater) as raised:
            books.push(kind, quiet=QUIET_SECONDS)
        assert raised.value.seconds == pytest.approx(60 - age, abs=INSTANT / 10)
        assert books.world.calls() == []
    else:
        assert books.push(kind, quiet=QUIET_SECONDS).counts.pushed == 1
        books.assert_once(kind)


@pytest.mark.parametrize("kind", ["payroll", "leave_requests"])
@pytest.mark.parametrize("back", [0, DAY])
@pytest.mark.parametrize("age", [60 - INSTANT, 60])
def test_so_is_one_of_payroll(clock: DatabaseClock, world: World, kind: str, age: float, back: float) -> None:
    """Where the clock was put back, from then on."""
    payroll = Payroll(world)
    payroll.pay_run("post")
    employee = payroll.paid_by_the_hour()[0]
    if kind == "payroll":
        payroll.pay(employee, payroll.period(), Line())
    else:
        payroll.leave(employee, payroll.start_of(5), payroll.start_of(5))
    world.fault(kind="500", method="POST", path="/payroll.xro/1.0/")
    with pytest.raises(RetryLater):
        payroll.push(kind)
    world.calls()
    if back:
        clock.advance(-back)
        world.query("DELETE FROM xero_sync.call_budget")
        with pytest.raises(RetryLater) as raised:
            payroll.push(kind, quiet=QUIET_SECONDS)
        assert raised.value.seconds == 60
    clock.advance(age)
    if age < 60:
        with pytest.raises(RetryLater) as raised:
            payroll.push(kind, quiet=QUIET_SECONDS)
        assert raised.value.seconds == pytest.approx(INSTANT, rel=0.01)
        assert world.calls() == []
    else:
        assert payroll.push(kind, quiet=QUIET_SECONDS).message == "1 pushed"
        assert len(payroll.writes()) == 1


def test_what_is_sent_again_is_sent_no_later_than_its_key_is_trusted(
    books: Books, clock: DatabaseClock, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is told for how long, from the first time that it left; leave and what is looked for first: once."""
    allowed: list[float] = []
    write = XeroClient.write

    def noted(client: XeroClient, *sent: Any, **how: Any) -> Any:
        allowed.append(how["replay_window"])
        return write(client, *sent, **how)

    monkeypatch.setattr(XeroClient, "write", noted)
    leave_open(books, "invoices", "cut")
    clock.advance(120)
    books.push("invoices")
    books.attach("invoices", books.rows("invoices")[0]["id"], File())
    books.push("invoices")
    leave_open(books, "bills", "cut")
    clock.advance(120)
    books.push("bills")
    payroll = Payroll(world)
    payroll.pay_run("post")
    employee = payroll.paid_by_the_hour()[0]
    payroll.pay(employee, payroll.period(), Line())
    payroll.leave(employee, payroll.start_of(5), payroll.start_of(5))
    payroll.push("payroll")
    payroll.push("leave_requests")
    assert allowed == [300, 180, 300, 0, 0, 300, 0]


@pytest.mark.parametrize(("age", "reads"), [(60 - INSTANT, 2), (60, 3)])
def test_a_look_at_the_pay_runs_is_good_for_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch, age: float, reads: int
) -> None:
    """One before, one after all was written, and one more where the first has grown old."""
    payroll = Payroll(world)
    payroll.pay_run("post")
    payroll.pay(payroll.paid_by_the_hour()[0], payroll.period(), Line())
    monkeypatch.setattr(PayRuns, "age", age)
    world.calls()
    assert payroll.push("payroll").message == "1 pushed"
    assert sum(call["path"].endswith("/PayRuns") for call in world.calls()) == reads


def test_xeros_clock_may_be_ten_minutes_behind() -> None:
    """A namesake that was changed earlier, as Xero says it, than we sent ours, is not ours."""
    kind: Any = KINDS["invoices"]
    at = datetime.fromisoformat("2026-11-29T10:00:00+00:00")
    identity = {"InvoiceNumber": "I-1", "ContactID": "c", "Date": "2026-11-29", "Type": "ACCREC", "Totals": ["1.00"]}
    found = {}
    for milliseconds in (-1, 0):
        changed = int((at - timedelta(seconds=90, minutes=10)).timestamp() * 1000) + milliseconds
        record = {
            "InvoiceID": "1", "InvoiceNumber": "I-1", "Contact": {"ContactID": "c"}, "Date": "2026-11-29",
            "Type": "ACCREC", "Total": 1, "Status": "DRAFT", "UpdatedDateUTC": f"/Date({changed}+0000)/",
        }  # fmt: skip
        assert kind.likeness(identity, record) is lookup.Likeness.PERHAPS
        found[milliseconds] = lookup.candidates(kind, identity, lookup.LookupResult((record,), at), sent_seconds_ago=90)
    assert [len(found[-1]), len(found[0])] == [0, 1]


# -- reading


def test_an_interrupted_reading_goes_on_for_an_hour(session: Session, clock: DatabaseClock, world: World) -> None:
    how = {"full": True, "since": None}
    pair = (session, UUID(world.connection_id()), DATASETS["contacts"])
    first = stagings.begin(*pair, **how)
    clock.advance(HOUR - INSTANT)
    assert stagings.begin(*pair, **how).id == first.id
    clock.advance(INSTANT)
    second = stagings.begin(*pair, **how)
    assert second.id != first.id
    clock.advance(-INSTANT)  # it was put back: how old the reading is, nobody knows
    assert stagings.begin(*pair, **how).id != second.id


def test_a_full_refresh_wins_also_after_the_clock_was_put_back(clock: DatabaseClock, world: World) -> None:
    world.pull("contacts")
    gone, renamed = (one["ContactID"] for one in world.sandbox.truth("Contacts")[:2])
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant()}/Contacts/{gone}")
    world.sandbox.change("Contacts", renamed, Name="Renamed")
    world.query("UPDATE qicworks.contact SET xero_updated_at = '2099-01-01' WHERE xero_id = %s", renamed)
    clock.advance(-DAY)
    world.query("DELETE FROM xero_sync.call_budget")  # by which the last calls are yet to come
    world.pull("contacts", full=True)
    rows = world.rows("contact")
    assert not rows[gone]["is_active"]
    assert rows[renamed]["name"] == "Renamed"


@pytest.mark.parametrize(("name", "path", "hours"), [("staff", LIST, 20), ("contacts", "Contacts", 6 * 24 + 20)])
def test_everything_is_read_again_after_a_time(
    clock: DatabaseClock, world: World, name: str, path: str, hours: int
) -> None:
    """In between what changed since two minutes before the newest that was seen; where the database's clock was put
    back, at once."""
    collection = "Employees" if name == "staff" else "Contacts"
    newest = max(instant(one["UpdatedDateUTC"]) for one in world.sandbox.truth(collection))  # type: ignore[type-var]
    since = []
    world.pull(name)
    for seconds in (hours * HOUR - INSTANT, INSTANT, -1):
        clock.advance(seconds)
        world.query("DELETE FROM xero_sync.call_budget")  # by which the last calls are yet to come
        world.calls()
        world.pull(name)
        first = next(call for call in world.calls() if path in call["path"])
        since.append(first["headers"].get("if-modified-since"))
    assert newest is not None
    assert since == [f"{newest - timedelta(minutes=2):%Y-%m-%dT%H:%M:%S}", None, None]


def test_leave_balances_are_good_for_a_quarter_of_an_hour(clock: DatabaseClock, world: World) -> None:
    world.pull("staff")
    world.query("UPDATE qicworks.staff SET balances_read_at = %s", clock.at)
    read = []
    for seconds in (15 * 60, INSTANT, -60):  # then it is put back
        clock.advance(seconds)
        world.query("DELETE FROM xero_sync.call_budget")  # by which the last calls are yet to come
        world.calls()
        world.pull("leave_balances")
        read.append(read_by_id(world).total())
    active = sum(one["Status"] == "ACTIVE" for one in world.sandbox.truth("Employees"))
    assert read == [0, active, active]
    [last] = world.query("SELECT max(balances_read_at) AS read_at FROM qicworks.staff")
    assert last["read_at"] <= clock.at


def test_what_xero_says_of_the_organisation_is_good_for_a_day(
    session: Session, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connections.one(session, UUID(world.connection_id()))
    read_at = connection.organisation_read_at
    assert read_at is not None
    for age, stale in ((DAY, False), (DAY + INSTANT, True)):
        now = read_at + timedelta(seconds=age)
        stop(monkeypatch, organisation, lambda now=now: now)
        assert organisation.is_stale(connection) == stale
    assert organisation.is_stale(dataclasses.replace(connection, organisation_read_at=None))


def test_a_nightly_pull_is_late_after_a_day_and_a_half(session: Session, clock: DatabaseClock, world: World) -> None:
    """If something has changed in Xero since."""
    world.pull("contacts")
    connection, dataset = connections.one(session, UUID(world.connection_id())), DATASETS["contacts"]
    client = opener(world.engine, world.app)(connection, True)

    def says() -> list[str]:
        return list(Comparison(session, client, connection, dataset, dataset.sources[0]).run())

    clock.advance(36 * HOUR + INSTANT)
    assert says() == []
    world.sandbox.control("POST", f"organisations/{world.sandbox.tenant()}/Contacts/touch", {"count": 1})
    [late] = says()
    assert "the last pull of" in late
    clock.advance(-INSTANT)
    assert says() == []


# -- waiting, and trying again


@pytest.mark.parametrize(
    ("seconds", "status", "raised"), [(300, "error", RetryLater), (300 + INSTANT, "warning", Skip)]
)
def test_no_task_waits_longer_than_five_minutes(
    world: World, seconds: float, status: str, raised: type[Exception]
) -> None:
    def wait(it: Run) -> Any:
        raise RetryLater(seconds, "minute")

    about = world.engine, world.connection_id(), Direction.PULL, "contacts", Origin()
    with pytest.raises(raised):
        run(*about, opener(world.engine, world.app), wait, again="Pull again")
    assert world.event()["status"] == status


def test_who_failed_may_try_again_after_half_an_hour_and_then_twice_as_long(
    session: Session, clock: DatabaseClock, world: World
) -> None:
    id = UUID(world.connection_id())
    moment = clock.at.replace(hour=0, minute=0, second=0)
    session.execute("UPDATE qicworks.organisation SET time_zone = 'UTC'")
    session.execute("UPDATE xero_sync.connection SET first_connected_at = %s", (moment,))
    connection = connections.one(session, id)
    assert not schedule.check_due(session, connection, "invoice_payments", Timing.MIDNIGHT, clock.at).due, (
        "not due before"
    )
    session.execute("UPDATE xero_sync.connection SET first_connected_at = %s", (moment - timedelta(microseconds=1),))
    connection = connections.one(session, id)
    now = moment
    assert schedule.claim_if_due(session, connection, "invoice_payments", Timing.MIDNIGHT, now).due
    for hours in (0.5, 1, 2, 4, 6, 6):
        now += timedelta(hours=hours)
        early = now - timedelta(microseconds=1)
        assert not schedule.claim_if_due(session, connection, "invoice_payments", Timing.MIDNIGHT, early).due
        assert schedule.claim_if_due(session, connection, "invoice_payments", Timing.MIDNIGHT, now).due


# -- what somebody has to act on


def test_a_request_is_counted_after_a_quarter_of_an_hour_and_shown_after_an_hour(
    session: Session, clock: DatabaseClock, world: World
) -> None:
    session.execute(
        "INSERT INTO xero_sync.push_request (connection_id, kind, idempotency_key, method, path, documents, versions)"
        " VALUES (%s, 'bills', 'k', 'PUT', '/', '{}', '{}')",
        (world.connection_id(),),
    )
    told = []
    for seconds in (15 * 60, INSTANT, HOUR - 15 * 60 - INSTANT, INSTANT):
        clock.advance(seconds)
        stuck = pages.needs_attention(session).stuck
        told.append((gauges.measure(session)["requests_open"][""], [row["requests"] for row in stuck]))
    assert told == [(0, []), (1, []), (1, []), (1, [1])]


def test_a_data_set_is_overdue_after_a_night_and_two_hours(
    session: Session, clock: DatabaseClock, world: World
) -> None:
    session.execute("UPDATE xero_sync.connection SET connected_at = clock_timestamp()")
    clock.advance(26 * HOUR)
    assert not pages.needs_attention(session).overdue
    clock.advance(INSTANT)
    assert {row["data_set"] for row in pages.needs_attention(session).overdue} >= {"contacts", "staff"}
    world.pull("contacts")
    assert "contacts" not in {
        row["data_set"] for row in pages.needs_attention(session).overdue if row["organisation"] == world.names()[0]
    }


def test_what_is_left_of_a_day_is_told_for_a_day(session: Session, clock: DatabaseClock, world: World) -> None:
    session.execute("DELETE FROM xero_sync.call_budget")
    session.execute(
        "INSERT INTO xero_sync.call_budget (app, tenant_id, day_remaining, day_limit, day_seen_at)"
        " VALUES ('a', %s, 7, 1000, clock_timestamp())",
        (world.sandbox.tenant(),),
    )
    told = []
    for seconds in (DAY - INSTANT, INSTANT):
        clock.advance(seconds)
        left = gauges.measure(session).get("calls_left_today")
        told.append((left and left[""], pages.get_status(session, UUID(world.connection_id())).calls_left))
    assert told == [(7, 7), (None, None)]


def test_airflows_clock_may_be_five_minutes_off(session: Session, clock: DatabaseClock, world: World) -> None:
    made = clock.at
    origin = Origin(dag_id="pull_contacts", run_id="r", task_id="pull")
    for seconds in (-300 - INSTANT, INSTANT, 600, INSTANT):
        clock.advance(seconds)
        id = events.open_event(session, UUID(world.connection_id()), "pull", "contacts", origin)
        events.close_event(
            session, id, "success", EventOutcome.DONE, Counts(), f"{(clock.at - made) / timedelta(seconds=1)}"
        )
    found = dag_runs.events_of(session, "pull", "contacts", "pull_contacts", "r", made, made, 10)
    assert [row["message"] for row in found] == ["-300.0", "300.0"]
    session.execute("DELETE FROM xero_sync.connection_event WHERE message LIKE '300%%'")
    assert [end.message for end in dag_runs.ends(session, "pull_contacts", "r", made)] == ["-300.0"]
    assert dag_runs.ends(session, "pull_contacts", "r", made + timedelta(microseconds=1)) == []


def test_a_run_remembers_for_a_week_what_it_has_done(session: Session, clock: DatabaseClock, world: World) -> None:
    id, run = UUID(world.connection_id()), ("pull_contacts", "r", "pull", "contacts")
    origin = Origin(dag_id="pull_contacts", run_id="r", task_id="pull", try_number=1)
    event = events.open_event(session, id, "pull", "contacts", origin)
    events.close_event(session, event, "success", EventOutcome.DONE, Counts(), "loaded")
    clock.advance(7 * DAY - INSTANT)
    assert list(events.done_in_run(session, *run, [id], 1)) == [id]
    clock.advance(INSTANT)
    assert events.done_in_run(session, *run, [id], 1) == {}


# -- authorisations

APP = XeroApp("client", "secret", grant_type="client_credentials")


def test_a_consent_may_take_ten_minutes(session: Session, clock: DatabaseClock) -> None:
    states = [oauth_states.issue(session, "kim", "xero_default", APP) for _ in range(2)]
    clock.advance(600 - INSTANT)
    assert oauth_states.use_once(session, "kim", states[0]) == "xero_default"
    clock.advance(INSTANT)
    with pytest.raises(ConsentFailed, match="longer than ten minutes"):
        oauth_states.use_once(session, "kim", states[1])
    count = "SELECT count(*) AS n FROM xero_sync.oauth_state"
    clock.advance(DAY - 600)
    oauth_states.issue(session, "kim", "xero_default", APP)
    assert session.execute(count).fetchone() == {"n": 3}
    clock.advance(INSTANT)
    oauth_states.issue(session, "kim", "xero_default", APP)
    assert session.execute(count).fetchone() == {"n": 2}


def test_an_authorisation_lies_idle_after_thirty_days(session: Session, clock: DatabaseClock) -> None:
    session.execute("UPDATE xero_sync.token SET renewed_at = clock_timestamp()")
    clock.advance(30 * DAY)
    assert list(TOKENS.idle(session)) == []
    clock.advance(INSTANT)
    assert len(list(TOKENS.idle(session))) == 1


def test_a_new_authorisation_is_not_dropped_within_the_hour_nor_wiped_within_the_day(
    session: Session, clock: DatabaseClock
) -> None:
    """One that nothing is matched to yet."""
    made = [
        session.execute(
            "INSERT INTO xero_sync.token (airflow_conn_id, secret, expires_at, xero_user_id)"
            " VALUES (%s, 'x', now(), 'kim') RETURNING id",
            (name,),
        ).fetchone()
        for name in ("its_own", "another")
    ]
    own, other = (row["id"] for row in made if row)

    def would_be_dropped() -> list[str]:
        found = TOKENS.would_be_dropped(session, token_id=own, xero_user_id="kim")
        return [row["airflow_conn_id"] for row in found if row["airflow_conn_id"] != "xero_default"]

    def is_wiped() -> bool:
        how = {"replaced": [], "keep": own, "airflow_conn_id": "another", "reason": "replaced"}
        TOKENS.wipe_replaced(session, **how)
        row = session.execute("SELECT secret = '' AS wiped FROM xero_sync.token WHERE id = %s", (other,)).fetchone()
        return bool(row and row["wiped"])

    clock.advance(HOUR - INSTANT)
    assert would_be_dropped() == ["another"]
    clock.advance(INSTANT)
    assert would_be_dropped() == []
    clock.advance(DAY - HOUR)
    assert not is_wiped()
    clock.advance(INSTANT)
    assert is_wiped()


# -- what is old


OLD = {
    "consents": (1, """
        INSERT INTO xero_sync.oauth_state (state_hash, user_id, airflow_conn_id, expires_at)
        VALUES ('x', 'kim', 'a', now())
    """),
    "call_budgets": (7, """
        INSERT INTO xero_sync.call_budget (app, tenant_id, calls) VALUES ('a', 't', ARRAY[now()])
    """),
    "staging": (2, """
        INSERT INTO xero_sync.staging (connection_id, data_set, declaration, whole, everything)
        SELECT id, 'contacts', '', true, false FROM xero_sync.connection LIMIT 1
    """),
    "rejections": (90, """
        INSERT INTO xero_sync.rejection
               (connection_id, data_set, table_name, key, reasons, record, event_id, held_back, closed_at)
        SELECT connection_id, 'contacts', 'contact', 'k', '{}', '{}', id, false, now()
          FROM xero_sync.connection_event ORDER BY id DESC LIMIT 1
    """),
}  # fmt: skip


@pytest.mark.parametrize("what", OLD)
def test_what_is_kept_so_many_days_goes_an_instant_later(
    session: Session, clock: DatabaseClock, world: World, what: str
) -> None:
    days, made = OLD[what]
    for table in ("call_budget", "oauth_state", "rejection", "staging"):
        session.execute(f"DELETE FROM xero_sync.{table}".encode())
    events.record(session, UUID(world.connection_id()), "pull", "contacts", "success", EventOutcome.DONE, "", Origin())
    session.execute(made.encode())
    assert getattr(retention.Retention(), what) == days
    clock.advance(days * DAY)
    assert (retention.count(session, what, days), retention.prune(session, what, days)) == (0, 0)
    clock.advance(INSTANT)
    assert (retention.count(session, what, days), retention.prune(session, what, days)) == (1, 1)


def test_traffic_is_kept_by_whole_days(session: Session, clock: DatabaseClock, world: World) -> None:
    session.execute("DELETE FROM xero_sync.traffic")
    events.record(session, UUID(world.connection_id()), "pull", "contacts", "success", EventOutcome.DONE, "", Origin())
    midnight = clock.at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    clock.set(midnight + timedelta(days=1100) - timedelta(microseconds=1))
    assert retention.count(session, "traffic", 1100) == 0
    clock.advance(INSTANT)
    assert retention.count(session, "traffic", 1100) == 1
