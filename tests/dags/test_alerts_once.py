"""What is newly open of an organisation is sent once, after its task, to a mail server and a webhook."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.alerts import Told
from tests.support.paying import Payroll
from tests.support.ports import reserved_ports
from tests.support.pushing import Books
from tests.support.waiting import until
from tests.support.world import World
from xero.dags import digest_dag, pull_dag
from xero.dags.alert_text import MAX_ALERTS, MAX_LINE_LENGTH, organisation
from xero.dags.alerting import AlertsOnce
from xero.hooks import qicworks_engine
from xero.qicworks import database
from xero.qicworks.connect import settings
from xero.qicworks.follow.alerts import Alert, Subject

PUSH = {"connection": None, "document_ids": None, "dry_run": False}
LOST = "UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'revoked' WHERE id = %s"
NO_PARAMS: dict[str, Any] = {"params": {}}


@pytest.fixture
def books(airflow_database: None, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
    qicworks_engine.cache_clear()
    yield Books(world)
    qicworks_engine.cache_clear()


def marked(world: World) -> list[tuple[str, str]]:
    return sorted((row["subject"], row["channel"]) for row in world.query("SELECT * FROM xero_sync.alerted"))


def refuse(books: Books, number: str = "B-1", why: str = "refused") -> Any:
    bill = books.add("bills", number=number)
    books.world.query("UPDATE qicworks.bill SET push_state = 'failed', push_error = %s WHERE id = %s", why, bill)
    return bill


def send(books: Books) -> None:
    AlertsOnce(NO_PARAMS).send([(str(books.connection_id), books.world.names()[0])])


def test_the_settings_of_an_organisation_name_who_is_alerted_about_it(books: Books, told: Told) -> None:
    def choose(alerts: str) -> None:
        with database.session(books.world.engine) as session:
            settings.change(session, books.connection_id, {"alerts": alerts}, "office")

    choose("manager@example.com, books@example.com")
    refuse(books, "B-1")
    send(books)
    [mail] = told.mails
    assert mail["To"] == "manager@example.com, books@example.com"
    choose("")
    refuse(books, "B-2")
    send(books)
    assert "manager@example.com" not in str(told.mails[-1]["To"])
    assert len(told.mails) == 2


@pytest.mark.parametrize(
    ("kept", "recipients"),
    [
        ("büro@smith.example, books@example.com", ["books@example.com"]),
        ("büro@smith.example", ["day@example.com, night@example.com"]),
    ],
)
def test_an_address_that_cannot_be_sent_to_silences_no_other(
    books: Books, told: Told, kept: str, recipients: list[str]
) -> None:
    """As an earlier version kept them."""
    setting = "INSERT INTO xero_sync.setting (connection_id, name, value) VALUES (%s, 'alerts', %s)"
    books.world.query(setting, books.connection_id, kept)
    refuse(books, "B-1")
    send(books)
    send(books)
    assert [mail["To"] for mail in told.mails] == recipients
    [event] = books.world.query(
        "SELECT * FROM xero_sync.connection_event WHERE status = 'warning' AND data_set = 'connection'"
    )
    assert "1 of the" in event["message"]
    assert "smith" not in event["message"]


def test_a_refused_document_of_a_green_run_is_one_alert(dags: dict[str, Any], books: Books, told: Told) -> None:
    bill = books.add("bills", number="B-1", contact_id=None)
    assert dags["push_bills"].test(run_conf=PUSH).state == "success"
    [mail] = told.mails
    name = books.world.names()[0]
    assert mail["Subject"] == f"{name}: 1 to look at in QicWorks or Xero"
    page = f"http://airflow.test/plugin/xero/xero/documents/bills/{bill}"
    line = "bill B-1: not sent: it has no contact. Choose a customer or supplier on the bill B-1"
    assert f"<li>{line}" in told.html()
    assert f'<a href="{page}">Open</a></li>' in told.html()
    [(_, post)] = told.posts
    assert f"• {line}" in post["text"]
    assert f" <{page}|Open>" in post["text"]
    assert marked(books.world) == [("document", "email"), ("document", "slack")]

    told.mails.clear()
    books.edit("bills", bill, reference="again")  # it is sent, and refused, again
    dags["push_bills"].test(run_conf=PUSH)
    dags["pull_tax_codes"].test(run_conf={"connection": None, "full_refresh": False})
    assert books.row("bills", bill)["push_state"] == "failed"
    assert told.mails == [], "the same document and the same reason"
    books.edit("bills", bill, contact_id=books.contacts[0], issue_date=None)
    dags["push_bills"].test(run_conf=PUSH | {"document_ids": str(bill)})  # a red run: it was asked for by name
    assert "bill B-1: not sent: it has no date. " in told.html()


def test_one_that_is_lost_is_reported_by_the_run_that_failed_or_by_the_next_one(
    books: Books, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by both. One without a task is reported, too."""
    monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_DEADLINE_MINUTES", "0")  # of one run a DAG has a deadline
    world = books.world
    names = world.names()
    pull_tax_codes = pull_dag("tax_codes", "")
    everybody = {"connection": None, "full_refresh": False}
    world.query(LOST, world.connection_id(1))
    world.fault(kind="revoked", tenant=world.sandbox.organisations[0]["tenant"], times=None)
    refuse(books)
    assert pull_tax_codes.test(run_conf=everybody).state == "failed"
    subjects = [mail["Subject"] for mail in told.mails]
    assert sorted(subjects) == sorted(
        [*(f"{name}: 1 to look at in QicWorks or Xero" for name in names[:2]), subjects[-1]]
    )
    assert subjects[-1].startswith("pull_tax_codes failed for 1 of ")
    texts = [post["text"] for _, post in told.posts]
    lost = [
        text for text in texts if "It needs to be connected again: revoked. Reconnect it under Connections." in text
    ]
    assert len(lost) == 1
    assert f"http://airflow.test/plugin/xero/xero/connections/{world.connection_id(1)}|Open>" in lost[0]
    told.mails.clear()
    assert pull_tax_codes.test(run_conf=everybody).state == "success", "neither takes part"
    assert told.mails == []

    world.query(
        "DELETE FROM xero_sync.alerted WHERE subject = 'connection'"
    )  # as if that run's alert had not been sent
    pull_tax_codes.test(run_conf=everybody)
    assert sorted(mail["Subject"] for mail in told.mails) == sorted(
        f"{name}: 1 to look at in QicWorks or Xero" for name in names[:2]
    )


def test_a_channel_that_is_down_gets_it_later_and_the_other_one_once(
    dags: dict[str, Any], books: Books, told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(books)
    smtp = os.environ["AIRFLOW_CONN_SMTP_DEFAULT"]
    pull = {"connection": books.world.names()[0], "full_refresh": False}
    with reserved_ports(1) as [port]:
        down = f"smtp://127.0.0.1:{port}/?disable_ssl=true&disable_tls=true&from_email=a%40example.com&retry_limit=0"
        monkeypatch.setitem(os.environ, "AIRFLOW_CONN_SMTP_DEFAULT", down)
        assert dags["pull_tax_codes"].test(run_conf=pull).state == "success", "the pull does not fail by it"
        send(books)
    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert (
        len([one for one in errors if one.endswith("\nbill B-1: refused. The page has the reason and the fix.")]) == 2
    )
    assert "not sent by email (ConnectionRefusedError); the next run tries again: " in errors[0]
    assert (len(told.mails), len(told.posts)) == (0, 1)
    assert marked(books.world) == [("document", "slack")]
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_SMTP_DEFAULT", smtp)
    for _ in range(2):
        send(books)
    assert (len(told.mails), len(told.posts)) == (1, 1)


def test_a_channel_that_failed_is_left_alone_for_the_rest_of_the_task(books: Books, told: Told) -> None:
    refuse(books)
    other = Books(books.world, 1)
    refuse(other)
    told.slack_is_down = True
    AlertsOnce(NO_PARAMS).send([(str(books.connection_id), "one")])
    attempts = len(told.posts)
    assert attempts
    AlertsOnce(NO_PARAMS).send([(str(one.connection_id), "one of two") for one in (books, other)])
    assert len(told.posts) == 2 * attempts, "an organisation more, and no attempt more"
    assert len(told.mails) == 2
    assert marked(books.world) == [("document", "email")] * 2


def test_two_at_once_send_it_once(books: Books, told: Told) -> None:
    refuse(books)
    deliver = told.handle_DATA
    waiting = (
        "SELECT 1 FROM pg_locks JOIN pg_database ON oid = database"
        " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    with ThreadPoolExecutor(2) as pool:

        async def deliver_late(*what: Any) -> str:
            """When the other one has come as far as it can."""
            other = lambda: bool(books.world.query(waiting)) or any(one.done() for one in both)  # noqa: E731
            await asyncio.to_thread(until, other)
            return await deliver(*what)

        told.handle_DATA = deliver_late  # type: ignore[method-assign]
        both = [pool.submit(send, books) for _ in range(2)]
        wait(both)
        assert [one.result() for one in both] == [None, None]
    assert (len(told.mails), len(told.posts)) == (1, 1)


def test_a_dry_run_sends_nothing(dags: dict[str, Any], books: Books, told: Told) -> None:
    refuse(books)
    books.add("bills")
    assert dags["push_bills"].test(run_conf=PUSH | {"dry_run": True}).state == "success"
    assert (told.mails, marked(books.world)) == ([], [])


def test_nothing_is_sent_or_noted_until_a_channel_is_configured(
    dags: dict[str, Any], books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(books)
    run = dags["pull_tax_codes"].test(run_conf={"connection": None, "full_refresh": False})
    assert run.state == "success"
    assert marked(books.world) == []


def test_thousands_that_failed_before_are_one_message(books: Books, told: Told) -> None:
    books.add_many("bills", 2000)
    books.world.query("UPDATE qicworks.bill SET push_state = 'failed', push_error = 'the account is archived'")
    for _ in range(2):
        send(books)
    [mail] = told.mails
    assert mail["Subject"].endswith(": 2000 to look at in QicWorks or Xero")
    assert told.html().count("<li>") == MAX_ALERTS + 1
    assert f"<li>and {2000 - MAX_ALERTS} more</li>" in told.html()
    assert len(told.posts) == 1
    assert len(marked(books.world)) == 2 * 2000


def test_without_the_database_nothing_fails(
    told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", "postgresql://nobody:s3cret-db@127.0.0.1:1/gone")
    qicworks_engine.cache_clear()
    AlertsOnce(NO_PARAMS).send([(str(uuid4()), "Harbour")])
    assert "the alerts of Harbour wait for the next run: OperationalError" in caplog.text
    assert "s3cret-db" not in caplog.text
    qicworks_engine.cache_clear()


def test_a_missed_pay_date_is_in_the_digest_until_it_is_pulled(
    books: Books, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_DEADLINE_MINUTES", "0")  # of one run a DAG has a deadline
    day = datetime.now(UTC).date() - timedelta(days=3)
    books.world.query("UPDATE xero_sync.connection SET first_connected_at = '2020-01-01'")
    books.world.query(
        "UPDATE qicworks.organisation SET next_pay_date = %s, pay_frequency = 'fortnightly' WHERE id = %s",
        day,
        books.organisation_id,
    )
    for _ in range(2):
        told.mails.clear()
        digest_dag("").test()
        assert told.mails[0]["Subject"] == "QicWorks and Xero: 1 need attention"
        line = f"pay dates missed: {books.world.names()[0]} (leave balances of {day})"
        assert f"<li>{line.replace('&', '&amp;')}</li>" in told.html()
    books.world.pull("leave_balances")
    told.mails.clear()
    digest_dag("").test()
    assert told.mails == []


def test_of_pay_a_message_has_neither_an_amount_nor_a_name(books: Books, told: Told) -> None:
    payroll = Payroll(books.world)
    pay = payroll.pay(payroll.paid_by_the_hour()[0], payroll.period())
    words = "Jane Citizen is paid $ 9,999.00"
    books.world.query(
        "UPDATE qicworks.payroll_push SET push_state = 'failed', push_error = %s, push_correction = %s WHERE id = %s",
        words,
        words,
        pay,
    )
    send(books)
    for text in (told.html(), told.posts[0][1]["text"]):
        assert f"documents/payroll/{pay}" in text
        assert "Payroll: a pay was not pushed. The page has the reason and the fix." in text
        assert "Citizen" not in text
        assert "9,999" not in text


def an_alert(what: str, **others: Any) -> Alert:
    made: dict[str, Any] = {"correction": "Fix it.", "about": "contacts", "document_id": None, "payroll": False}
    return Alert(Subject.REJECTION, "1", "", what, channels=("email",), **made | others)


def test_equal_lines_are_one_and_all_of_them_fit() -> None:
    id = uuid4()
    message = organisation(id, "Harbour", [an_alert("name is missing.")] * 30 + [an_alert("odd.")])
    assert message.lines == ("30 times: name is missing. Fix it.", "odd. Fix it.")
    assert message.links == (f"http://airflow.test/plugin/xero/xero/rejections?connection={id}",) * 2
    hostile = "{{ 7 * 7 }} <!channel>\n" + "&" * 9_999
    message = organisation(id, hostile, [an_alert(f"{number} {hostile}") for number in range(50)])
    assert len(message.lines) == MAX_ALERTS + 1
    assert message.lines[-1] == f"and {50 - MAX_ALERTS} more"
    assert max(map(len, message.lines)) == MAX_LINE_LENGTH
    assert len(message.slack) < 40_000
    assert len(message.subject) < 250
    assert "\n" not in message.subject
    for text in (message.html, message.slack):
        assert "<!channel>" not in text
