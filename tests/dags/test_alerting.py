"""A run that failed or is late is told once, with what to do: to a mail server and a webhook that are really there."""

import asyncio
import json
import logging
import math
import os
import sys

import pytest

from tests.support.alerts import TOKEN, Told
from tests.support.world import World
from xero import settings
from xero.dags import alerting, extras, prune_dag, pull_dag
from xero.dags.alert_text import MAX_LINE_LENGTH, MAX_ORGANISATIONS, failed, late
from xero.hooks import qicworks_engine
from xero.qicworks.views.dag_runs import End


def test_one_message_of_a_failed_run_and_one_of_a_late_one(
    airflow_database: None, world: World, told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
    qicworks_engine.cache_clear()
    # What an organisation is called is anybody's: it must be neither a template, nor HTML, nor Slack's own markup.
    hostile = "{{ 7 * 7 }} <!channel> & Co"
    world.query("UPDATE qicworks.organisation SET name = %s WHERE name = %s", hostile, world.names()[0])
    world.fault(kind="revoked", tenant=world.sandbox.organisations[0]["tenant"], times=None)
    dag = pull_dag("contacts", "")
    assert dag.deadline, "the configuration asks for it"

    run = dag.test(run_conf={"connection": hostile})
    assert run.state == "failed"
    [mail] = told.mails
    assert (mail["To"], mail["From"]) == ("day@example.com, night@example.com", "airflow@example.com")
    assert mail["Subject"] == "pull_contacts failed for 1 of 1 organisations"
    assert "<li>{{ 7 * 7 }} &lt;!channel&gt; &amp; Co, contacts: " in told.html()
    event = world.query("SELECT * FROM xero_sync.connection_event WHERE status = 'error'")[0]
    assert event["message"] in told.html()
    assert event["correction"] in told.html()
    assert run.run_id.split("+")[0] in told.html()
    assert "http://airflow.test/dags/pull_contacts/runs/" in told.html()
    [(path, post)] = told.posts
    assert path == f"/{TOKEN}"
    assert "{{ 7 * 7 }} &lt;!channel&gt; &amp; Co, contacts: " in post["text"]
    assert event["correction"] in post["text"]

    told.mails.clear()
    told.posts.clear()
    world.query(
        "INSERT INTO xero_sync.connection_event (connection_id, direction, data_set, status, dag_id, run_id)"
        " VALUES (%s, 'pull', 'contacts', 'running', 'pull_contacts', 'late')",
        world.query("SELECT id FROM xero_sync.connection ORDER BY tenant_name LIMIT 1")[0]["id"],
    )
    # What Airflow's triggerer is given, and does.
    dag_run = {"dag_id": "pull_contacts", "dag_run_id": "late", "queued_at": "2026-11-02T02:00:01.234567Z"}
    asyncio.run(alerting.tell_late(context={"dag_run": {**dag_run, "state": "failed"}, "deadline": {}}))
    assert not told.mails, "it has ended, and was told when it did"
    asyncio.run(alerting.tell_late(context={"dag_run": {**dag_run, "state": "running"}, "deadline": {}}))
    assert told.mails[0]["Subject"] == "pull_contacts is late"
    assert "queued at 2026-11-02T02:00:01 UTC, has not ended after 45 minutes" in told.html()
    assert "running" in told.posts[0][1]["text"]

    # Without QicWorks' database, and with Slack down: the mail goes all the same, and says so.
    told.mails.clear()
    told.slack_is_down = True
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", "postgresql://nobody:s3cret-db@127.0.0.1:1/gone")
    qicworks_engine.cache_clear()
    with pytest.raises(ExceptionGroup):
        alerting.tell_failed({"dag": dag, "run_id": run.run_id, "reason": "task_failure"})
    assert "is not available (OperationalError)" in told.html()
    assert TOKEN not in caplog.text
    assert "s3cret-db" not in caplog.text + told.html()
    qicworks_engine.cache_clear()


def test_nobody_is_told_until_somebody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert alerting.callbacks() == {}
    dag = prune_dag("")
    assert not dag.on_failure_callback
    assert not dag.deadline
    monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_EMAIL", "day@example.com")
    assert set(alerting.callbacks()) == {"on_failure_callback"}, "and nothing is late until it is said when"


@pytest.mark.parametrize(
    ("module", "settings_of_it", "extra"),
    [
        ("airflow.providers.slack", {"XERO__ALERT_SLACK_CONN_ID": "slack_alerts"}, "slack"),
        ("statsd", {"METRICS__STATSD_ON": "True"}, "metrics"),
        ("datadog", {"METRICS__STATSD_ON": "True", "METRICS__STATSD_DATADOG_ENABLED": "True"}, "metrics"),
        ("airflow.providers.celery", {"CORE__EXECUTOR": "LocalExecutor,CeleryExecutor"}, "celery"),
    ],
)
def test_what_is_configured_and_not_installed_is_said_when_dags_are_parsed(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: str,
    settings_of_it: dict[str, str],
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    extras.warn_of_missing.cache_clear()
    prune_dag("")
    assert "is not installed here" not in caplog.text, "nothing asks for it"
    for name, value in settings_of_it.items():
        monkeypatch.setenv(f"AIRFLOW__{name}", value)
    extras.warn_of_missing.cache_clear()
    for _ in range(2):
        prune_dag("")
    told = [record for record in caplog.records if "is not installed here" in record.message]
    assert [record.levelname for record in told] == ["WARNING"], "once, not with each DAG"
    assert f"needs the Python package {module}, " in told[0].message
    assert f"pip install 'qicworks-xero[{extra}]'" in told[0].message
    monkeypatch.delitem(sys.modules, module)
    extras.warn_of_missing.cache_clear()


def test_an_alert_that_needs_slack_says_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.slack", None)
    monkeypatch.setenv("AIRFLOW__XERO__ALERT_SLACK_CONN_ID", "slack_alerts")
    with pytest.raises(ExceptionGroup) as raised:
        alerting.send(failed("a_dag", "a run", [], ""))
    assert "pip install 'qicworks-xero[slack]'" in str(raised.value.exceptions[0])


def test_a_wrong_setting_is_told_in_the_log_and_stops_no_dag(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_EMAIL", "day@example.com")
    for wrong in ("60 minutes", "", "1e15", "1e10", "inf", "nan", "-5"):
        monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_DEADLINE_MINUTES", wrong)
        caplog.clear()
        dag = prune_dag("")
        assert dag.on_failure_callback, wrong
        assert not dag.deadline, wrong
        assert "[xero] alert_deadline_minutes = " in caplog.text, wrong
    monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_DEADLINE_MINUTES", "90")
    assert prune_dag("").deadline
    for said, days in ((None, 400), ("30", 30), ("0", 0), ("inf", math.inf), ("nan", 0), ("-1", 0), ("30 days", 0)):
        if said is not None:
            monkeypatch.setitem(os.environ, "AIRFLOW__XERO__KEEP_EVENTS_DAYS", said)
        assert settings.number("keep_events_days", 400, instead="they are kept for good") == days
    assert "keep_events_days = '30 days' is not a number of 0 or more: they are kept for good" in caplog.text


def test_names_of_any_length_fit_a_message() -> None:
    """Slack keeps 40,000 characters, and each `&` is five of them there; a subject is one line of a header."""
    hostile = [End("pull", "contacts", "&" * 9_999 + f"{number}", "running", None, None) for number in range(50)]
    for message in (failed("a_dag", "r" * 250, hostile, ""), late("a_dag", "r" * 250, "2026", 45, hostile, "")):
        assert max(map(len, message.lines)) == MAX_LINE_LENGTH
        assert len(message.lines) == MAX_ORGANISATIONS + 1
        assert len(message.slack) < 40_000
        assert message.slack.endswith("|Details>")
        assert len(message.subject) < 250


def test_pay_is_not_told_nor_more_than_fits() -> None:
    pay = End("push", "payroll", "Harbour", "error", "Jane Citizen is paid $ 9,999", "Connect again.")
    killed = End("pull", "contacts", "Harbour", "running", None, None)
    done = End("pull", "contacts", "Barossa", "success", "fine", None)
    long = End("pull", "contacts", "Kimberley", "error", "x" * 9_999, None)
    message = failed("a_dag", "a run/1", [pay, killed, done, *[long] * 50], "")
    for said in (message.html, message.slack):
        assert "Citizen" not in said
        assert "Connect again." in said
        assert "its process was killed" in said
        assert "Barossa" not in said
        assert "a%20run%2F1" in said
    assert len(message.lines) == MAX_ORGANISATIONS + 1
    assert max(map(len, message.lines)) == MAX_LINE_LENGTH
    assert message.lines[-1] == "and 32 more"
    assert "failed without an event" in failed("a_dag", "r", [done], "Airflow says: task_failure.").message
