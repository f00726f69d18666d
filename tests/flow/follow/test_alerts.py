"""What is open is alerted once for each thing, reason and channel; what was over and comes back is new."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from psycopg.types.json import Jsonb

from tests.support.differing import seen_of
from tests.support.paying import Payroll
from tests.support.pushing import Books, File
from tests.support.role import under_role
from tests.support.waiting import until
from tests.support.world import World
from xero.datasets.declaration import Timing
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.database import Session
from xero.qicworks.follow import alerts, differences
from xero.qicworks.follow.alerts import Subject, mark, to_alert
from xero.qicworks.follow.differences import About, Found, Reason
from xero.sync.follow.alerts import find_new
from xero.sync.runs import schedule

EMAIL, SLACK = "email", "slack"
REFUSED = "UPDATE qicworks.bill SET push_state = 'failed', push_error = %s, push_correction = 'Fix it.' WHERE id = %s"
SYDNEY = "Australia/Sydney"
PAY_DATE = date(2026, 11, 25)


@pytest.fixture
def books(fresh: World) -> Books:
    return Books(fresh)


@pytest.fixture
def db(fresh: World) -> Iterator[Session]:
    with database.session(fresh.engine) as session:
        yield session


def new(db: Session, books: Books) -> list[str]:
    """What is alerted now, and noted as sent."""
    found = to_alert(db, books.connection_id, [EMAIL], {})
    mark(db, books.connection_id, found, EMAIL)
    return [alert.what for alert in found]


def differ(db: Session, books: Books, reason: Reason = Reason.EDITED_IN_XERO, date: str = "2026-10-06") -> About:
    about = About(books.connection_id, "bills", UUID(int=7), "bill B-1")
    differences.compare(db, about, [Found(reason, {"Date": "2026-10-05"}, {"Date": date})], tuple(Reason))
    return about


def test_a_refused_document_is_new_once_for_each_reason(db: Session, books: Books) -> None:
    world, bill = books.world, books.add("bills", number="B-1")
    assert new(db, books) == [], "it only waits"
    world.query(REFUSED, "not sent: it has no lines", bill)
    [alert] = to_alert(db, books.connection_id, [EMAIL], {})
    assert (alert.subject, alert.id, alert.about, alert.document_id) == (Subject.DOCUMENT, str(bill), "bills", bill)
    assert (alert.what, alert.correction, alert.payroll) == ("bill B-1: not sent: it has no lines.", "Fix it.", False)
    assert to_alert(db, books.connection_id, [EMAIL], {}) == [alert], "nobody was sent it yet"
    assert new(db, books) == [alert.what]
    assert new(db, books) == []
    world.query(REFUSED, "the account is archived", bill)
    assert new(db, books) == ["bill B-1: the account is archived."]
    world.query(REFUSED, "not sent: it has no lines", bill)
    assert new(db, books) == [], "of both reasons there was an alert, and it was never pushed"


@pytest.mark.parametrize("over", ["pushed", "skipped", "draft"])
def test_what_was_over_is_new_when_it_comes_back(db: Session, books: Books, over: str) -> None:
    world, bill = books.world, books.add("bills", number="B-1", files=[File()])
    world.query(REFUSED, "refused", bill)
    world.query(
        "UPDATE qicworks.attachment SET push_state = 'failed', push_error = 'too large' WHERE parent_id = %s", bill
    )
    both = ["bill B-1: refused.", "bill B-1, file job sheet.pdf: too large."]
    assert new(db, books) == both
    for state in ("ready", "in_flight"):
        for table, key in (("bill", "id"), ("attachment", "parent_id")):
            world.query(f"UPDATE qicworks.{table} SET push_state = %s WHERE {key} = %s", state, bill)
        assert new(db, books) == []
    failed = "UPDATE qicworks.attachment SET push_state = 'failed', push_error = 'too large' WHERE parent_id = %s"
    world.query(failed, bill)
    world.query(REFUSED, "refused", bill)
    assert new(db, books) == [], "it was tried again, and is no news"
    for table, key in (("bill", "id"), ("attachment", "parent_id")):
        world.query(f"UPDATE qicworks.{table} SET push_state = %s WHERE {key} = %s", over, bill)
    assert new(db, books) == []
    assert world.query("SELECT * FROM xero_sync.alerted") == [], "what is over is forgotten"
    world.query(failed, bill)
    world.query(REFUSED, "refused", bill)
    assert new(db, books) == both


def test_a_difference_is_new_once_and_none_while_it_is_acknowledged(db: Session, books: Books) -> None:
    about = differ(db, books)
    [open_one] = differences.listed(db)
    later = datetime.now(UTC) + timedelta(days=7)
    assert differences.acknowledge(db, open_one.id, "office", later, seen=seen_of(db, open_one.id))
    assert new(db, books) == []
    differ(db, books, date="2026-10-07")  # other values: no longer acknowledged
    assert new(db, books) == ["bill B-1: it was changed in Xero after it was pushed."]
    differ(db, books, date="2026-10-08")
    assert new(db, books) == [], "the same difference, with another value"
    assert differences.acknowledge(db, open_one.id, "office", later, seen=seen_of(db, open_one.id))
    assert new(db, books) == []
    assert differences.acknowledge(db, open_one.id, "office", None, seen=seen_of(db, open_one.id))
    assert new(db, books) == [], "acknowledging it does not make it new"
    differences.compare(db, about, [], tuple(Reason))
    differ(db, books, date="2026-10-08")
    assert new(db, books) == ["bill B-1: it was changed in Xero after it was pushed."], (
        "another one, although the same words"
    )
    differ(db, books, Reason.VOIDED_IN_XERO)
    assert new(db, books) == ["bill B-1: it was voided in Xero."]


def test_a_difference_is_new_when_the_time_is_over_for_which_it_was_acknowledged(db: Session, books: Books) -> None:
    differ(db, books)
    [open_one] = differences.listed(db)
    assert differences.acknowledge(
        db, open_one.id, "office", datetime.now(UTC) + timedelta(days=7), seen=seen_of(db, open_one.id)
    )
    assert new(db, books) == []
    over = "UPDATE xero_sync.difference SET acknowledged_until = clock_timestamp() - interval '1 minute'"
    books.world.query(over)
    assert new(db, books) == ["bill B-1: it was changed in Xero after it was pushed."]
    assert new(db, books) == []


def reject(world: World, books: Books, data_set: str, key: str, *reasons: str, held_back: bool = False) -> int:
    event = world.query(
        "INSERT INTO xero_sync.connection_event (connection_id, direction, data_set, status)"
        " VALUES (%s, 'pull', %s, 'running') RETURNING id",
        books.connection_id,
        data_set,
    )[0]["id"]
    [row] = world.query(
        "INSERT INTO xero_sync.rejection"
        " (connection_id, data_set, table_name, key, reasons, record, event_id, held_back)"
        " VALUES (%s, %s, 'staff', %s, %s, %s, %s, %s) RETURNING id",
        books.connection_id,
        data_set,
        key,
        list(reasons),
        Jsonb({"last_name": "Citizen"}),
        event,
        held_back,
    )
    return int(row["id"])


def test_a_rejected_record_is_new_once(db: Session, books: Books) -> None:
    world = books.world
    id = reject(world, books, "contacts", "a", "name is missing", "email is longer than 255 characters")
    reject(world, books, "contacts", "b", "name is missing", held_back=True)  # a run failed by it, and is reported
    assert new(db, books) == [
        "Contacts: a record could not be loaded: name is missing; email is longer than 255 characters."
    ]
    world.query(
        "UPDATE xero_sync.rejection SET reasons = ARRAY[reasons[2], reasons[1]], last_tried_at = now() WHERE id = %s",
        id,
    )
    assert new(db, books) == [], "the same reasons in another order"
    world.query("UPDATE xero_sync.rejection SET reasons = '{name is missing}' WHERE id = %s", id)
    assert new(db, books) == ["Contacts: a record could not be loaded: name is missing."]
    world.query("UPDATE xero_sync.rejection SET held_back = false")
    assert new(db, books) == ["Contacts: a record could not be loaded: name is missing."], "the other one"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'revoked'",
        "UPDATE xero_sync.token SET state = 'broken', broken_reason = 'revoked'",
    ],
)
def test_a_connection_is_new_when_it_has_to_be_reconnected(db: Session, books: Books, statement: str) -> None:
    world = books.world
    world.query(statement)
    assert new(db, books) == ["It needs to be connected again: revoked."]
    assert new(db, books) == []
    world.query("UPDATE xero_sync.connection SET state = 'connected'")
    world.query("UPDATE xero_sync.token SET state = 'ok', broken_reason = NULL")
    assert new(db, books) == []
    world.query(statement)
    assert new(db, books) == ["It needs to be connected again: revoked."]
    world.query("DELETE FROM xero_sync.alerted")
    world.query("UPDATE xero_sync.connection SET enabled = false")
    assert new(db, books) == [], "it was switched off on purpose"


def test_each_channel_is_owed_each_alert(db: Session, books: Books) -> None:
    books.world.query(REFUSED, "refused", books.add("bills"))
    id = books.connection_id
    [alert] = to_alert(db, id, [EMAIL, SLACK], {})
    assert set(alert.channels) == {EMAIL, SLACK}
    mark(db, id, [alert], EMAIL)
    mark(db, id, [alert], EMAIL)
    assert to_alert(db, id, [EMAIL], {}) == []
    [owed] = to_alert(db, id, [EMAIL, SLACK], {})
    assert owed.channels == (SLACK,)
    assert to_alert(db, id, [], {}) == []


def test_an_alert_is_of_one_organisation(db: Session, books: Books) -> None:
    books.world.query(REFUSED, "refused", books.add("bills"))
    other = Books(books.world, 1)
    assert new(db, other) == []
    assert len(new(db, books)) == 1
    books.world.query("UPDATE xero_sync.connection SET state = 'deleted'")
    books.world.query("DELETE FROM xero_sync.alerted")
    assert new(db, books) == []


def test_of_payroll_there_is_neither_an_amount_nor_a_name(fresh: World, db: Session) -> None:
    payroll = Payroll(fresh)
    words = "Jane Citizen is paid $ 9,999.00 for 7.6 hours"
    id = payroll.connection_id
    tables = {"payroll_push": "payroll", "leave_request": "leave_requests"}
    made = some_pay(payroll)
    assert set(made) == set(tables)
    for table, document in made.items():
        fresh.query(
            f"UPDATE qicworks.{table} SET push_state = 'failed', push_error = %s, push_correction = %s WHERE id = %s",
            words,
            words,
            document,
        )
        about = About(id, tables[table], document, words)
        differences.compare(db, about, [Found(Reason.PAY_DIFFERS, {"a": words}, {}, words)], tuple(Reason))
    reject(fresh, Books(fresh), "staff", words, words)
    found = to_alert(db, id, [EMAIL], {})
    assert [alert.subject for alert in found] == [*[Subject.DIFFERENCE] * 2, *[Subject.DOCUMENT] * 2, Subject.REJECTION]
    for alert in found:
        assert alert.payroll
        text = f"{alert.what} {alert.correction}"
        assert not any(word in text for word in ("Jane", "Citizen", "9,999", "7.6")), text
    assert {alert.document_id for alert in found if alert.document_id} == set(made.values())


def some_pay(payroll: Payroll) -> dict[str, UUID]:
    """A pay and a leave request, by their table."""
    employee = payroll.paid_by_the_hour()[0]
    leave = payroll.leave(employee, PAY_DATE, PAY_DATE)
    return {"payroll_push": payroll.pay(employee, payroll.period()), "leave_request": leave}


def test_the_most_harmful_comes_first_then_the_newest(db: Session, books: Books) -> None:
    world = books.world
    older, newer = books.add("bills", number="B-1", files=[File()]), books.add("invoices", number="INV-1")
    reject(world, books, "contacts", "a", "name is missing")
    world.query("UPDATE qicworks.attachment SET push_state = 'failed', push_error = 'too large'")
    world.query(REFUSED, "refused", older)
    world.query(
        "UPDATE qicworks.invoice SET push_state = 'failed', push_error = 'refused', reference = 'x' WHERE id = %s",
        newer,
    )
    world.query("UPDATE qicworks.bill SET updated_at = updated_at - interval '1 day'")
    differ(db, books)
    world.query("UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'revoked'")
    found = to_alert(db, books.connection_id, [EMAIL], {"leave_balances": PAY_DATE})
    assert [alert.subject for alert in found] == [
        Subject.CONNECTION,
        Subject.PAY_DATE,
        Subject.DIFFERENCE,
        Subject.DOCUMENT,
        Subject.DOCUMENT,
        Subject.ATTACHMENT,
        Subject.REJECTION,
    ]
    assert [alert.document_id for alert in found[3:5]] == [newer, older]


def payday(books: Books, frequency: str | None = "fortnightly", connected: str = "2026-01-01") -> None:
    books.world.query(
        "UPDATE qicworks.organisation SET time_zone = %s, pay_frequency = %s, next_pay_date = %s",
        SYDNEY,
        frequency,
        PAY_DATE,
    )
    books.world.query("UPDATE xero_sync.connection SET first_connected_at = %s", connected)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(SYDNEY))


def test_a_pay_date_is_missed_when_its_day_is_over(db: Session, books: Books) -> None:
    names = [name for name, dataset in DATASETS.items() if dataset.timing is Timing.PAY_DATE]
    assert names
    payday(books)
    find = schedule.find_missed_pay_dates
    id = books.connection_id
    previous = PAY_DATE - timedelta(days=14)
    assert find(db, id, local(25, 23, 59)) == dict.fromkeys(names, previous), "this one's day is not over"
    assert find(db, id, local(26, 0)) == dict.fromkeys(names, PAY_DATE)
    for name in names:
        schedule.due.serve(db, id, name, local(11, 0), local(11, 1))
    assert find(db, id, local(25, 23, 59)) == {}
    assert find(db, id, local(26, 0)) == dict.fromkeys(names, PAY_DATE)
    found = find_new(db, id, [EMAIL], local(26, 0))
    assert [alert.what for alert in found] == [
        f"{DATASETS[name].title}: not pulled on the pay date 2026-11-25, which is over." for name in names
    ]
    mark(db, id, found, EMAIL)
    for _ in range(2):
        assert find_new(db, id, [EMAIL], local(27, 0)) == []
    for name in names:
        schedule.due.serve(db, id, name, local(25, 0), local(27, 3))  # pulled late
    assert find(db, id, local(28, 0)) == {}
    assert find_new(db, id, [EMAIL], local(28, 0)) == []
    assert find(db, id, local(25, 0) + timedelta(days=15)) == dict.fromkeys(names, PAY_DATE + timedelta(days=14))


def test_a_pay_date_from_before_the_connection_was_not_missed(db: Session, books: Books) -> None:
    find, id = schedule.find_missed_pay_dates, books.connection_id
    payday(books, connected="2026-11-26")
    assert find(db, id, local(27, 12)) == {}
    payday(books, frequency="whenever")
    assert find(db, id, local(27, 12)) == {}, "when it is due is not known, which is reported by itself"
    payday(books)
    books.world.query("UPDATE qicworks.organisation SET time_zone = 'Australia/Nowhere'")
    assert find(db, id, local(27, 12)) == {}


def test_only_one_process_sends_at_a_time(fresh: World, books: Books) -> None:
    held, let_go, entered = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with database.session(fresh.engine) as session, alerts.sending(session, books.connection_id):
            held.set()
            let_go.wait(60)

    def second() -> None:
        with database.session(fresh.engine) as session, alerts.sending(session, books.connection_id):
            entered.set()

    both = [threading.Thread(target=work) for work in (first, second)]
    both[0].start()
    assert held.wait(60)
    both[1].start()
    waiting = (
        "SELECT 1 FROM pg_locks JOIN pg_database ON oid = database"
        " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    until(lambda: bool(fresh.query(waiting)))
    assert not entered.is_set()
    with database.session(fresh.engine) as session, alerts.sending(session, uuid4()):
        pass  # another organisation does not wait
    let_go.set()
    for thread in both:
        thread.join(60)
    assert entered.is_set()


def test_the_role_that_pulls_and_pushes_may_send(fresh: World, books: Books) -> None:
    fresh.query(REFUSED, "refused", books.add("bills"))
    with under_role(fresh) as role, database.session(role.engine) as session:
        with alerts.sending(session, books.connection_id):
            found = find_new(session, books.connection_id, [EMAIL])
            mark(session, books.connection_id, found, EMAIL)
        assert len(found) == 1
        assert find_new(session, books.connection_id, [EMAIL]) == []
        fresh.query("UPDATE qicworks.bill SET push_state = 'skipped'")
        assert find_new(session, books.connection_id, [EMAIL]) == []
        assert fresh.query("SELECT * FROM xero_sync.alerted") == []
