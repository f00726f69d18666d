"""Who takes no part until a person does something is said: in the run, on the overview, and each morning."""

import json
import os
from typing import Any
from uuid import uuid4

import pytest

from tests.support.alerts import Told
from tests.support.differing import EDITED, VOIDED, differ, put_off
from tests.support.pushing import Books, Row
from tests.support.world import World
from xero.dags import digest_dag
from xero.dags.alert_text import MAX_DIGEST_NAMES, digest
from xero.hooks import qicworks_engine
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.runs import events
from xero.qicworks.runs.events import DocumentName, Origin
from xero.qicworks.runs.outcome import EventOutcome
from xero.qicworks.views.status import NeedsAttention
from xero.sync.runs import non_participants
from xero.sync.runs.non_participants import MAX_NAMES

OFF = "UPDATE xero_sync.connection SET enabled = false"
LOST = "UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'revoked'"
GONE = "UPDATE xero_sync.connection SET state = 'deleted'"
AT_NIGHT = Origin(dag_id="pull_contacts", run_id="scheduled__1", manual=False)


@pytest.fixture
def airflow(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
    qicworks_engine.cache_clear()
    return world


def of_all(world: World) -> list[Row]:
    """The events of no organisation."""
    return world.query(
        "SELECT direction, data_set, status, message, correction FROM xero_sync.connection_event"
        " WHERE connection_id IS NULL AND direction <> 'connect' ORDER BY id"
    )


STATES = {
    "nobody is connected": (GONE, "No organisation is connected"),
    "all are off": (OFF, "All 3 organisations are switched off"),
    "all are lost": (LOST, "3 of 3 organisations need to be reconnected"),
    "one is lost": (
        f"{LOST} WHERE id = (SELECT min(id::text)::uuid FROM xero_sync.connection)",
        "1 of 3 organisations",
    ),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("dag_id", ["pull_tax_codes", "reconcile"])
def test_a_run_says_who_takes_no_part(
    dags: dict[str, Any], airflow_database: None, airflow: World, state: str, dag_id: str
) -> None:
    statement, says = STATES[state]
    airflow.query(statement)
    params = {name: None if name == "connection" else False for name in dags[dag_id].params}
    assert dags[dag_id].test(run_conf=params).state == "success"
    [event] = of_all(airflow)
    data_set = dag_id.removeprefix("pull_")
    assert (event["direction"], event["data_set"], event["status"]) == ("pull", data_set, "warning")
    assert says in event["message"]
    assert "under Connections" in event["correction"]


@pytest.mark.parametrize("state", ["all are off", "all are lost"])
def test_so_does_a_push_of_what_waits(dags: dict[str, Any], airflow_database: None, airflow: World, state: str) -> None:
    statement, says = STATES[state]
    run = dags["push_bills"].test
    conf = {"connection": None, "document_ids": None, "dry_run": False}
    books = Books(airflow)
    airflow.query(statement)
    run(run_conf=conf)
    assert of_all(airflow) == [], "nothing waits"
    books.add("bills")
    run(run_conf=conf)
    [event] = of_all(airflow)
    assert (event["direction"], event["data_set"], says in event["message"]) == ("push", "bills", True)


def test_that_nobody_is_connected_is_told_by_pushes_and_each_morning(
    dags: dict[str, Any], airflow_database: None, airflow: World, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_DEADLINE_MINUTES", "0")
    airflow.query(GONE)
    dags["push_bills"].test(run_conf={"connection": None, "document_ids": None, "dry_run": False})
    [event] = of_all(airflow)
    assert "No organisation is connected" in event["message"]
    digest_dag("").test()
    assert "no organisation is connected: nothing is pulled or pushed" in told.html()


def test_of_a_document_that_is_unknown_nobody_takes_it_for_said(world: World) -> None:
    """What is told of no organisation, of a document."""
    world.query(LOST)
    with database.session(world.engine) as session:
        how = "push", "bills", "error", EventOutcome.UNKNOWN
        events.record(session, None, *how, "no", AT_NIGHT, document=DocumentName("bill B-9", "bills", None))
        events.record(session, None, *how, "there is no setting 'x'", AT_NIGHT)
    non_participants.warn(world.engine, "push", "bills", AT_NIGHT)
    assert [one["status"] for one in of_all(world)] == ["error", "error", "warning"]


def test_by_the_clock_it_is_said_once_a_day(world: World) -> None:
    world.query(OFF)
    for _ in range(3):
        non_participants.warn(world.engine, "pull", "contacts", AT_NIGHT)
    assert len(of_all(world)) == 1
    non_participants.warn(world.engine, "pull", "contacts", Origin())
    assert len(of_all(world)) == 2, "who presses Trigger is told each time"
    non_participants.warn(world.engine, "pull", "staff", AT_NIGHT)
    assert len(of_all(world)) == 3
    world.query("UPDATE xero_sync.connection_event SET started_at = started_at - interval '21 hours'")
    non_participants.warn(world.engine, "pull", "contacts", AT_NIGHT)
    assert len(of_all(world)) == 4
    world.query("UPDATE xero_sync.connection SET enabled = true")
    world.query("UPDATE xero_sync.connection_event SET started_at = started_at - interval '21 hours'")
    non_participants.warn(world.engine, "pull", "contacts", AT_NIGHT)
    assert len(of_all(world)) == 4, "it is over"


def test_many_are_told_by_number(world: World) -> None:
    with database.session(world.engine) as session:
        known = list(connections.every(session)) * (MAX_NAMES + 1)
    assert non_participants.find_problem(known) is None
    lost = [type(one)(**{**one.__dict__, "state": "needs_reconnect"}) for one in known]
    said = non_participants.find_problem(lost)
    assert said is not None
    assert f" and {len(lost) - MAX_NAMES} more." in said[1]


def test_every_morning_until_it_is_over(
    airflow_database: None, airflow: World, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW__XERO__ALERT_DEADLINE_MINUTES", "0")  # of one run a DAG has a deadline
    assert digest_dag("").schedule == "0 20 * * *"
    assert digest_dag("").test().state == "success"
    assert told.mails == [], "nothing needs a hand"
    airflow.query(LOST)
    books = Books(airflow)
    books.add("bills", state="failed")
    for _ in range(2):
        told.mails.clear()
        digest_dag("").test()
        [mail] = told.mails
        assert mail["Subject"] == "QicWorks and Xero: 4 need attention"
        assert f"to be reconnected: {', '.join(sorted(airflow.names()))}".replace("&", "&amp;") in told.html()
        assert f"failed documents: {airflow.names()[0]} (bills)".replace("&", "&amp;") in told.html()
        assert "http://airflow.test/plugin/xero" in told.html()
        assert "differ" not in told.html()
    assert "to be reconnected" in told.posts[-1][1]["text"]
    told.mails.clear()
    airflow.query("UPDATE xero_sync.connection SET state = 'connected'")
    airflow.query("UPDATE qicworks.bill SET push_state = 'skipped'")
    digest_dag("").test()
    assert told.mails == []

    [first, second] = differ(books, "purchase_orders", uuid4(), "purchase order P-1", EDITED, VOIDED)
    put_off(books, first.id)
    digest_dag("").test()
    assert "QicWorks and Xero: 1 need attention" in told.mails[0]["Subject"]
    differing = f"QicWorks and Xero differ: {airflow.names()[0]} (purchase orders: 1)".replace("&", "&amp;")
    assert differing in told.html()
    assert "open differences that were acknowledged for now: 1" in told.html()
    told.mails.clear()
    put_off(books, second.id)
    digest_dag("").test()
    assert told.mails == [], "somebody has seen both"


def test_a_digest_has_no_more_than_can_be_read() -> None:
    rows = [{"organisation": f"Org {number}", "data_set": "tax_codes"} for number in range(300)]
    needs = NeedsAttention(
        none_connected=False, off=[], reconnect=[], failing=[], overdue=rows, documents=[], rejections=[], stuck=[],
        cancellations=[{"organisation": "Org 1", "kind": "purchase_orders"}], differences=[], acknowledged=0,
        unlinked=[],
    )  # fmt: skip
    waiting, line = digest(needs).lines
    assert waiting == "cancellations not sent for more than an hour: Org 1 (purchase orders)"
    assert line.startswith("overdue: Org 0 (tax codes), ")
    assert line.endswith(f" and {300 - MAX_DIGEST_NAMES} more")
