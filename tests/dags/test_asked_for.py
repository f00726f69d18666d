"""What somebody asks for by name is done, or the run says what was not: by its state, an event and an XCom."""

import json
import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.support.dag_runs import asset_events
from tests.support.pushing import Books, Row
from tests.support.world import World
from xero.dags import pushing
from xero.dags.alert_text import failed
from xero.dags.asking import asked, by_name
from xero.dags.pulling import changed_tables
from xero.hooks import qicworks_engine
from xero.qicworks import database
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.views import dag_runs
from xero.sync.runs.sequentially import add_up

Run = Callable[..., Any]
OF_OUR_OWN = ("prune", "measure", "digest")  # they bring nothing from Xero, nor to it


@pytest.fixture
def run(dags: dict[str, Any], airflow_database: None, world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a DAG with these settings; the finished run."""
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
    qicworks_engine.cache_clear()
    defaults = {"connection": None, "document_ids": None, "full_refresh": False, "dry_run": False}

    def run(dag_id: str, **conf: Any) -> Any:
        # All every time: what one call sets stays set on the DAG.
        known = {name: value for name, value in defaults.items() if name in dags[dag_id].params}
        return dags[dag_id].test(run_conf=known | conf)

    return run


def asked_of(run: Any) -> dict[str, str]:
    """The answers of all tasks, as XCom tells them."""
    found: list[dict[str, str]] = []
    for task in run.get_task_instances():
        found += task.xcom_pull(task_ids=task.task_id, key="asked", map_indexes=task.map_index) or []
    return {one["name"]: one["answer"] for one in found}


def told(world: World) -> list[Row]:
    """The events of documents, and of none of the connections, each once."""
    return world.query(
        "SELECT DISTINCT status, coalesce(document, '') AS document, correction IS NOT NULL AS corrected"
        "  FROM xero_sync.connection_event"
        " WHERE direction = 'push' AND (document IS NOT NULL OR read = 0 AND pushed = 0)"
        " ORDER BY 2, 1"
    )


STATES = {
    "ready": ({}, "pushed", None),
    "ready, and wrong": ({"currency": "USD"}, "failed", "error"),
    "failed": ({"state": "failed"}, "pushed", None),
    "draft": ({"state": "draft"}, "not ready", "error"),
    "skipped": ({"state": "skipped"}, "not ready", "error"),
}


@pytest.mark.parametrize("state", STATES)
def test_of_a_document_the_run_says_what_became_of_it(run: Run, world: World, state: str) -> None:
    columns, answer, status = STATES[state]
    books = Books(world)
    books.add("bills", number="B-1", **columns)
    other = books.add("bills", number="B-2")
    ran = run("push_bills", document_ids=["B-1"])
    assert (ran.state, asked_of(ran)) == ("success" if answer == "pushed" else "failed", {"bill B-1": answer})
    events = [] if status is None else [{"status": status, "document": "bill B-1", "corrected": True}]
    assert [one for one in told(world) if one["document"]] == events
    assert books.row("bills", other)["push_state"] == "ready"


def test_what_was_pushed_before_is_said_and_is_no_failure(run: Run, world: World) -> None:
    books = Books(world)
    books.add("bills", number="B-1")
    assert run("push_bills", document_ids=["B-1"]).state == "success"
    world.calls()
    ran = run("push_bills", document_ids=["B-1"])
    assert (ran.state, asked_of(ran)) == ("success", {"bill B-1": "pushed before"})
    assert [call for call in world.calls() if call["method"] != "GET"] == []
    assert [one["status"] for one in told(world) if one["document"]] == ["success"]


def test_one_that_cannot_be_done_does_not_keep_the_others(run: Run, world: World) -> None:
    first, second = Books(world, 0), Books(world, 1)
    good, twice = first.add("bills", number="B-1"), first.add("bills", number="B-2")
    second.add("bills", number="B-2")
    nobody = str(uuid.uuid4())
    ran = run("push_bills", document_ids=[str(good).upper(), "B-2", "B-9", nobody])
    assert ran.state == "failed"
    assert asked_of(ran) == {
        "bill B-1": "pushed",
        "bill B-2": "of several organisations",
        "bill B-9": "unknown",
        f"bill {nobody}": "unknown",
    }
    assert [first.row("bills", id)["push_state"] for id in (good, twice)] == ["pushed", "ready"]
    assert {one["document"] for one in told(world)} == {"bill B-2", "bill B-9", f"bill {nobody}"}
    assert all(one["corrected"] for one in told(world))
    mine = run("push_bills", connection=world.names()[0], document_ids="B-2,B-9")
    assert (mine.state, asked_of(mine)) == ("failed", {"bill B-2": "pushed", "bill B-9": "unknown"})


LEFT_OUT = {
    "switched off": "UPDATE xero_sync.connection SET enabled = false",
    "to be connected again": "UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'revoked'",
}


@pytest.mark.parametrize("why", LEFT_OUT)
@pytest.mark.parametrize("ask", ["document", "organisation"])
def test_of_an_organisation_that_is_left_out(run: Run, world: World, why: str, ask: str) -> None:
    books, name = Books(world), world.names()[0]
    books.add("bills", number="B-1")
    world.query(LEFT_OUT[why])
    if why == "to be connected again" and ask == "organisation":
        # Named, it is tried: it may be connected again by now.
        assert run("push_bills", connection=name).state == "success"
        [connection] = world.query("SELECT state FROM xero_sync.connection WHERE id = %s", books.connection_id)
        assert connection["state"] == "connected", "Xero has answered"
        return
    ran = run("push_bills", **({"document_ids": ["B-1"]} if ask == "document" else {"connection": name}))
    assert (ran.state, asked_of(ran)) == ("failed", {"bill B-1" if ask == "document" else name: "left out"})
    assert len(told(world)) == 1
    assert [row["push_state"] for row in books.rows("bills")] == ["ready"]


def test_the_alert_of_such_a_run_says_what_was_not_done(run: Run, world: World) -> None:
    books = Books(world)
    books.add("bills", number="B-1", state="draft")
    books.add("bills", number="B-2", currency="USD")
    for conf, words in (
        ({"document_ids": ["B-1"]}, ["bill B-1 is draft"]),
        ({"document_ids": ["B-2", "B-9"]}, ["not subscribed to currency USD", "has bill B-9"]),
        ({"connection": "Nobody"}, ["no connection is called 'Nobody'"]),
        ({"dryrun": True}, ["there is no setting 'dryrun'"]),
    ):
        ran = run("push_bills", **conf)
        with database.session(world.engine) as session:
            ends = dag_runs.ends(session, "push_bills", ran.run_id, datetime.now(UTC) - timedelta(hours=1))
        message = failed("push_bills", ran.run_id, ends, "Airflow says: task_failure.")
        assert "failed without an event" not in message.message
        assert all(any(word in line for line in message.lines) for word in words), message.lines


def test_a_pull_of_an_organisation_that_is_off_is_red(run: Run, world: World) -> None:
    world.query("UPDATE xero_sync.connection SET enabled = false")
    for dag_id, data_set in (("pull_tax_codes", "tax_codes"), ("reconcile", "reconcile"), ("tie_out", "tie_out")):
        ran = run(dag_id, connection=world.names()[0])
        assert (ran.state, asked_of(ran)) == ("failed", {world.names()[0]: "left out"})
        [event] = world.query(
            "SELECT status, message, correction FROM xero_sync.connection_event WHERE data_set = %s", data_set
        )
        assert (event["status"], "switched off" in event["message"]) == ("error", True)
        assert "Switch it on" in event["correction"]


def test_a_dry_run_says_it_too_and_writes_nothing(run: Run, world: World) -> None:
    books = Books(world)
    books.add("bills", number="B-1", state="draft")
    ran = run("push_bills", document_ids=["B-1", "B-9"], dry_run=True)
    assert (ran.state, asked_of(ran)) == ("failed", {"bill B-1": "not ready", "bill B-9": "unknown"})
    assert told(world) == []
    books.add("bills", number="B-3", contact_id=None)
    assert run("push_bills", document_ids=["B-3"], dry_run=True).state == "failed", "it would be refused"
    assert told(world) == []


NOTHING = ([""], "", [], " , \n", [" "])


@pytest.mark.parametrize("names", NOTHING)
def test_names_that_name_nothing_push_nothing(run: Run, world: World, names: Any) -> None:
    books = Books(world)
    books.add("bills", number="B-1")
    assert run("push_bills", document_ids=names).state == "failed"
    assert [row["push_state"] for row in books.rows("bills")] == ["ready"]


@pytest.mark.parametrize("dag_id", ["push_bills", "pull_tax_codes", "reconcile", "tie_out"])
def test_an_empty_name_is_no_organisation(run: Run, world: World, dag_id: str) -> None:
    world.calls()
    assert run(dag_id, connection=" ").state == "failed"
    assert world.calls() == []


def context(conf: dict[str, Any] | None, **params: Any) -> dict[str, Any]:
    """Of a DAG that has these settings."""
    return {
        "params": params | (conf or {}),
        "dag_run": SimpleNamespace(conf=conf),
        "dag": SimpleNamespace(params=params),
    }


def test_a_setting_that_there_is_not_is_refused() -> None:
    known = {"connection": None, "dry_run": False}
    assert asked(context(None, **known)) == known
    assert asked(context({"dry_run": True}, **known)) == {"connection": None, "dry_run": True}
    for misspelt in ({"dryrun": True}, {"conection": "X", "dry_run": True}, {"Connection": "X"}, {"": 1}):
        with pytest.raises(AirflowFailException, match=r"there is no setting .+connection, dry_run"):
            asked(context(misspelt, **known))
    with pytest.raises(AirflowFailException, match="The settings are: none"):
        asked(context({"dry_run": True}))


def test_what_airflow_does_not_pass_on_is_refused(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is where an Airflow lets no run override params: a dry run would send."""
    books = Books(world)
    books.add("bills", number="B-1")
    monkeypatch.setenv("AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS", "False")
    ran = run("push_bills", dry_run=True)
    assert ran.state == "failed"
    assert [row["push_state"] for row in books.rows("bills")] == ["ready"]
    [event] = world.query("SELECT message, correction FROM xero_sync.connection_event WHERE status = 'error'")
    assert "did not pass on the setting" in event["message"]
    assert "'dry_run'" in event["message"]
    assert "dag_run_conf_overrides_params" in event["correction"]


def test_a_data_set_that_xero_does_not_offer_is_red_where_one_organisation_was_named(run: Run, world: World) -> None:
    world.sandbox.settings(payroll_role=False)
    assert run("pull_staff", connection=world.names()[0]).state == "failed"
    assert run("pull_staff").state == "success"


def test_all_are_off_and_a_full_refresh_was_asked_for(run: Run, world: World) -> None:
    world.query("UPDATE xero_sync.connection SET enabled = false")
    assert run("pull_tax_codes", full_refresh=True).state == "failed"
    assert run("pull_tax_codes").state == "success", "the clock asked, and an event says it"


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [("draft", "ready", "pushed"), ("ready", "draft", "not ready"), ("pushed", "edited", "pushed")],
)
def test_push_looks_again_at_what_was_asked_for(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch, before: str, after: str, answer: str
) -> None:
    """What `connections` found may be another matter when `push` runs, or is cleared."""
    books = Books(world)
    document = books.add("bills", number="B-1", **({} if before == "pushed" else {"state": before}))
    if before == "pushed":
        assert run("push_bills", document_ids=["B-1"]).state == "success"

    def meanwhile(everybody: list[Any], beside: int = 0) -> list[Any]:
        if after == "edited":
            books.edit("bills", document, reference="another")
            world.query("UPDATE qicworks.bill SET push_state = 'ready' WHERE id = %s", document)
        else:
            world.query("UPDATE qicworks.bill SET push_state = %s WHERE id = %s", after, document)
        return everybody

    monkeypatch.setattr(pushing, "grouped", meanwhile)
    ran = run("push_bills", document_ids=["B-1"])
    assert (ran.state, asked_of(ran)) == ("success" if answer == "pushed" else "failed", {"bill B-1": answer})


def test_a_dry_run_says_of_each_what_would_become_of_it(run: Run, world: World) -> None:
    books = Books(world)
    books.add("bills", number="B-1")
    books.add("bills", number="B-2", contact_id=None)
    books.add("bills", number="B-3", state="in_flight")
    ran = run("push_bills", document_ids=["B-1"], dry_run=True)
    assert (ran.state, asked_of(ran)) == ("success", {"bill B-1": "would be sent"})
    ran = run("push_bills", document_ids=["B-1", "B-2"], dry_run=True)
    assert asked_of(ran) == {"bill B-1": "would be sent", "bill B-2": "would be refused"}
    assert ran.state == "failed"
    ran = run("push_bills", document_ids=["B-3"], dry_run=True)
    assert (ran.state, asked_of(ran)) == ("failed", {"bill B-3": "waits"})
    assert told(world) == []


def test_a_dry_run_answers_for_each_of_one_number(run: Run, world: World) -> None:
    books = Books(world)
    good = books.add("bills", number="B-1")
    bad = books.add("bills", number="B-1", contact_id=None)
    ran = run("push_bills", document_ids=["B-1"], dry_run=True)
    [task] = [one for one in ran.get_task_instances() if one.task_id == "push"]
    answers = task.xcom_pull(task_ids="push", key="asked", map_indexes=0)
    assert {one["id"]: one["answer"] for one in answers} == {str(good): "would be sent", str(bad): "would be refused"}


def test_one_that_was_deleted_meanwhile_keeps_no_other(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    books = Books(world)
    gone, other = books.add("bills", number="B-1"), books.add("bills", number="B-2")

    def meanwhile(everybody: list[Any], beside: int = 0) -> list[Any]:
        world.query("DELETE FROM qicworks.bill WHERE id = %s", gone)
        return everybody

    monkeypatch.setattr(pushing, "grouped", meanwhile)
    ran = run("push_bills", document_ids=["B-1", "B-2"])
    assert (ran.state, books.row("bills", other)["push_state"]) == ("failed", "pushed")
    assert asked_of(ran) == {f"bill {gone}": "unknown", "bill B-2": "pushed"}


def test_a_cleared_task_is_refused_where_airflow_no_longer_passes_settings_on(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`connections` ran before: a dry run would send now."""
    books = Books(world)
    books.add("bills", number="B-1")

    def meanwhile(everybody: list[Any], beside: int = 0) -> list[Any]:
        monkeypatch.setenv("AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS", "False")
        return everybody

    monkeypatch.setattr(pushing, "grouped", meanwhile)
    assert run("push_bills", document_ids=["B-1"], dry_run=True).state == "failed"
    assert [row["push_state"] for row in books.rows("bills")] == ["ready"]


def test_one_mapped_task_is_enough(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    books = Books(world)
    books.add("bills", number="B-1")
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "1")
    ran = run("push_bills", document_ids=["B-1", "B-9"])
    assert (ran.state, asked_of(ran)) == ("failed", {"bill B-1": "pushed", "bill B-9": "unknown"})


def test_an_answer_is_true(run: Run, world: World) -> None:
    name = world.names()[0]
    for conf in ({"connection": name, "document_ids": [""]}, {"connection": name, "misspelt": 1}):
        ran = run("push_bills", **conf)
        assert asked_of(ran) == {name: "refused"}, "the organisation is known"
    assert asked_of(run("push_bills", connection="Nobody")) == {"Nobody": "unknown"}


def test_who_asks_for_just_this() -> None:
    known = {"connection": None, "document_ids": None, "full_refresh": False}
    assert not by_name(context(None, **known))
    for name, value in (("connection", "X"), ("document_ids", ["1"]), ("document_ids", []), ("full_refresh", True)):
        assert by_name(context({name: value}, **known)), name
    assert not by_name(context(None))


@pytest.mark.parametrize(
    "dag_id", ["pull_tax_codes", "push_bills", "reconcile", "tie_out", "prune", "measure", "digest"]
)
def test_no_run_takes_a_setting_that_it_has_not(run: Run, world: World, dag_id: str) -> None:
    assert run(dag_id, misspelt=True).state == "failed"
    told = world.query("SELECT message FROM xero_sync.connection_event WHERE status = 'error'")
    assert ["there is no setting 'misspelt'" in one["message"] for one in told] == [True] * (dag_id not in OF_OUR_OWN)


def test_two_of_one_number_are_told_apart(run: Run, world: World) -> None:
    """A supplier's number may repeat."""
    books = Books(world)
    first = books.add("bills", number="B-1")
    assert run("push_bills", document_ids=["B-1"]).state == "success"
    second = books.add("bills", number="B-1", currency="USD")
    ran = run("push_bills", document_ids=["B-1"])
    [task] = [one for one in ran.get_task_instances() if one.task_id == "push"]
    told = task.xcom_pull(task_ids="push", key="asked", map_indexes=0)
    assert {one["id"]: one["answer"] for one in told} == {str(first): "pushed before", str(second): "failed"}


def test_what_could_not_even_begin_has_an_answer_too(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    books = Books(world)
    books.add("bills", number="B-1")
    monkeypatch.delenv("AIRFLOW_CONN_XERO_DEFAULT")
    ran = run("push_bills", document_ids=["B-1"])
    assert (ran.state, asked_of(ran)) == ("failed", {"bill B-1": "waits"})


def test_only_tables_in_which_something_changed_are_announced(run: Run, world: World) -> None:
    assert set(asset_events(run("pull_pay_codes"))) == {"qicworks://pay_code", "qicworks://payroll_calendar"}
    calendar, *_ = world.sandbox.truth("PayrollCalendars")
    world.sandbox.change("PayrollCalendars", calendar["PayrollCalendarID"], Name="Renamed")
    assert asset_events(run("pull_pay_codes")) == ["qicworks://payroll_calendar"]
    assert asset_events(run("pull_pay_codes")) == []


def test_what_an_earlier_try_has_changed_is_announced_by_the_later_one(world: World) -> None:
    """Its event does not say in which tables: in all, rather than in none."""
    origin = Origin(dag_id="pull_pay_codes", run_id="a run", try_number=1)
    world.pull("pay_codes", origin=origin)
    with database.session(world.engine) as session:
        done = events.done_in_run(session, "pull_pay_codes", "a run", "pull", "pay_codes", [world.connection_id()], 1)
    later = world.pull("pay_codes", 1).to_dict() | {"changed": False, "tables": []}
    whole = add_up([*done.values(), later])
    assert whole["changed"]
    assert changed_tables([whole], ["pay_code", "payroll_calendar"]) == ["pay_code", "payroll_calendar"]
    assert changed_tables([later | {"tables": ["pay_code"]}], ["pay_code", "payroll_calendar"]) == ["pay_code"]
    assert changed_tables([later], ["pay_code"]) == []


@pytest.mark.parametrize("conn_id", ["qicworks_default", "xero_default"])
@pytest.mark.parametrize("value", [None, "not an address", '{"conn_type": "xero", "login":'])
def test_an_airflow_connection_that_is_not_there_is_told_by_name_and_not_tried_again(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch, conn_id: str, value: str | None
) -> None:
    name = f"AIRFLOW_CONN_{conn_id.upper()}"
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    ran = run("pull_tax_codes")
    assert ran.state == "failed"
    tried = {task.task_id: task.try_number for task in ran.get_task_instances()}
    assert set(tried.values()) <= {0, 1}
    if conn_id == "xero_default":
        [event] = world.query(
            "SELECT DISTINCT status, message, correction FROM xero_sync.connection_event WHERE direction = 'pull'"
        )
        assert event["status"] == "error"
        assert ("xero_default" if value != "not an address" else "client id") in event["message"]
        assert "Airflow" in event["correction"]
