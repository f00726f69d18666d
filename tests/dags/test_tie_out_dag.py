"""The tie-out's DAG: its asset is updated only if every organisation of the run was checked and is equal."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.pushing import Books
from tests.support.world import World
from xero.hooks import qicworks_engine

Tie = Callable[..., Any]


@pytest.fixture
def tie(dags: dict[str, Any], airflow_database: None, world: World, monkeypatch: pytest.MonkeyPatch) -> Tie:
    """Runs the DAG with these settings; the finished run."""
    world.sandbox.settings(limits=False)
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
    qicworks_engine.cache_clear()

    def run(**conf: Any) -> Any:
        return dags["tie_out"].test(run_conf={"connection": None, "period": "2026-10", "heal": False, **conf})

    return run


def task_states(run: Any, task_id: str) -> list[str]:
    return [str(one.state) for one in run.get_task_instances() if one.task_id == task_id]


def announced(run: Any) -> list[dict[str, Any]]:
    """What the asset's events of the run carry."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
        return [event.extra for event in found]


def test_a_month_end_can_wait_until_everything_is_checked_and_equal(tie: Tie, world: World) -> None:
    books = Books(world)
    document = books.add("invoices", number="IV-1")
    books.push("invoices")
    run = tie()
    assert run.state == "success"
    [extra] = announced(run)
    names = sorted(world.names())
    expected = {"period": "2026-10", "organisations": names, "documents": 1, "everyone": True}
    assert extra == {**expected, "not_part": ["payroll"]}, "who waits for it knows that pay was not compared"

    # A difference: the work was done, so the run is green, and whoever waits still waits.
    books.bookkeep("edit", invoice=str(books.row("invoices", document)["xero_id"]), fields={"Reference": "9"})
    run = tie()
    assert (run.state, task_states(run, "announce"), announced(run)) == ("success", ["skipped"], [])
    assert set(task_states(run, "tie_out")) == {"success"}
    found = world.query(
        "SELECT outcome, count(*) AS events FROM xero_sync.connection_event"
        " WHERE data_set = 'tie_out' AND run_id = %s GROUP BY outcome",
        run.run_id,
    )
    assert {row["outcome"]: row["events"] for row in found} == {"differs": 1, "done": len(names) - 1}

    # Of another organisation alone all is equal, and that is said.
    run = tie(connection=world.names()[1])
    [extra] = announced(run)
    expected = {"period": "2026-10", "organisations": [world.names()[1]], "documents": 0, "everyone": False}
    assert extra == {**expected, "not_part": ["payroll"]}


def test_who_must_be_connected_again_is_not_checked(tie: Tie, world: World) -> None:
    world.query("UPDATE xero_sync.connection SET state = 'needs_reconnect' WHERE id = %s", world.connection_id(1))
    run = tie()
    assert (run.state, task_states(run, "announce"), announced(run)) == ("success", ["skipped"], [])


def test_what_cannot_be_read_is_red(tie: Tie, world: World) -> None:
    books = Books(world)
    books.add("invoices")
    books.push("invoices")
    world.fault(kind="no_scope", path="/Invoices", tenant=world.sandbox.tenant(0), times=None)
    run = tie()
    assert (run.state, announced(run)) == ("failed", [])
    assert sorted(task_states(run, "tie_out")) == ["failed", *["success"] * (len(world.names()) - 1)]


def test_heal_is_passed_on(tie: Tie, world: World) -> None:
    books = Books(world)
    document = books.add("purchase_orders")
    books.push("purchase_orders")
    books.edit("purchase_orders", document, reference="Stage 2")
    world.query("UPDATE qicworks.purchase_order SET push_state = 'failed' WHERE id = %s", document)
    tie(connection=world.names()[0])
    assert books.row("purchase_orders", document)["push_state"] == "failed"
    tie(connection=world.names()[0], heal=True)
    assert books.row("purchase_orders", document)["push_state"] == "ready"


@pytest.mark.parametrize("period", ["2026-13", "", "October"])
def test_a_period_that_is_none_is_refused_before_xero_is_asked(tie: Tie, world: World, period: str) -> None:
    world.calls()
    run = tie(period=period)
    assert (run.state, announced(run), world.calls()) == ("failed", [], [])
    [event] = world.query("SELECT message FROM xero_sync.connection_event WHERE data_set = 'tie_out'")
    assert "is not a period: write a month" in event["message"]
