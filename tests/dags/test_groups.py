"""More organisations than Airflow maps over: several to a task, and each still by itself."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from sqlalchemy import Engine

from tests.support.dag_runs import asset_events
from tests.support.pushing import Books
from tests.support.sandbox import CLIENT, Sandbox
from tests.support.world import World
from xero import hooks
from xero.api import limits
from xero.api.errors import ReconnectNeeded, RetryLater
from xero.dags.groups import grouped
from xero.dags.retrying import WaitAsTold
from xero.hooks import qicworks_engine
from xero.sync.runs.sequentially import BRIEF_WAIT_SECONDS, SomeFailed, run_sequentially
from xero_sandbox.launch import launched

MANY = 10


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    secret = ("--client-id", CLIENT[0], "--client-secret", CLIENT[1])
    with launched("--profile", "many", "--organisations", str(MANY), *secret) as url:
        yield url


@pytest.fixture
def world(
    url: str, engine: Engine, database_url: str, airflow_database: None, monkeypatch: pytest.MonkeyPatch
) -> World:
    """Ten organisations, where Airflow maps over four."""
    sandbox = Sandbox(url)
    sandbox.reset(profile="many")
    world = World(sandbox, engine, database_url)
    assert world.connect() == 0
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", database_url)
    monkeypatch.setitem(os.environ, "AIRFLOW__CORE__MAX_MAP_LENGTH", "4")
    monkeypatch.setattr(hooks, "open_client", partial(hooks.open_client, backoff=()))  # an outage lasts no seconds
    qicworks_engine.cache_clear()
    return world


def members(run: Any, task_id: str) -> Counter[str]:
    """The states of the mapped instances."""
    return Counter(str(one.state) for one in run.get_task_instances() if one.task_id == task_id)


def told(world: World, run: Any) -> dict[str, list[str]]:
    """Organisation → how its events of this run ended."""
    found: dict[str, list[str]] = {}
    for row in world.query(
        "SELECT tenant_name, status FROM xero_sync.connection_event AS event"
        "  JOIN xero_sync.connection ON connection.id = connection_id"
        " WHERE run_id = %s AND document IS NULL ORDER BY event.id",
        run.run_id,
    ):
        found.setdefault(row["tenant_name"], []).append(row["status"])
    return found


def test_a_pull_of_groups(world: World, dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run_pull = partial(dags["pull_tax_codes"].test, run_conf={"connection": None, "full_refresh": False})
    organisations = world.sandbox.organisations
    refused = min(organisations, key=lambda one: one["name"])
    world.fault(path="/TaxRates", kind="no_scope", tenant=refused["tenant"], times=None)
    run = run_pull()
    assert run.state == "failed"
    assert members(run, "pull") == {"success": 3, "failed": 1}, "three to a task, and one alone"
    others = {one["name"]: ["success"] for one in organisations if one is not refused}
    assert told(world, run) == {**others, refused["name"]: ["error"]}
    counted = world.query("SELECT DISTINCT connection_id FROM qicworks.tax_code")
    assert len(counted) == MANY - 1
    assert asset_events(run) == ["qicworks://tax_code"], "what changed beside the failure is announced"

    # An outage that lasts two calls: one while others have their turn, one at the end of the task.
    world.sandbox.control("DELETE", "faults")
    unlucky = sorted(one["name"] for one in organisations)[1]
    tenant = next(one["tenant"] for one in organisations if one["name"] == unlucky)
    world.fault(path="/TaxRates", kind="503", tenant=tenant, times=2)
    monkeypatch.setitem(limits.DEFAULT_WAIT, "outage", 0.001)
    world.calls()
    run = run_pull()
    assert run.state == "success"
    everybody = {one["name"]: ["success"] for one in organisations}
    assert told(world, run) == {**everybody, unlucky: ["error", "error", "success"]}
    asked = [call["tenant"] for call in world.calls() if "TaxRates" in call["path"]]
    assert Counter(asked) == {one["tenant"]: 3 if one["name"] == unlucky else 1 for one in organisations}
    assert asked.index(tenant) < len(asked) - 1 - asked[::-1].index(tenant), "the others had their turn meanwhile"


def test_a_push_and_a_comparison_of_groups(world: World, dags: dict[str, Any]) -> None:
    all_books = [Books(world, number) for number in range(MANY)]
    ids = [books.add("invoices", number=f"INV-{number}") for number, books in enumerate(all_books)]
    failing = world.sandbox.organisations[3]["tenant"]
    world.fault(path="/Invoices", kind="no_scope", tenant=failing, times=None)
    run = dags["push_invoices"].test(run_conf={"connection": None, "document_ids": None, "dry_run": False})
    assert run.state == "failed"
    assert members(run, "push") == {"success": 3, "failed": 1}
    states = Counter(books.row("invoices", id)["push_state"] for books, id in zip(all_books, ids, strict=True))
    assert states == {"pushed": MANY - 1, "ready": 1}
    assert Counter(end for ends in told(world, run).values() for end in ends) == {"success": MANY - 1, "error": 1}

    world.fault(path="xro", kind="revoked", tenant=failing, times=None)
    run = dags["reconcile"].test(run_conf={"connection": None})
    assert run.state == "failed"
    assert members(run, "reconcile") == {"success": 3, "failed": 1}
    assert len(told(world, run)) == MANY


def test_a_limit_of_none_is_a_limit_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = [{"connection_id": name, "organisation": name} for name in "abc"]
    for most in ("0", "-1"):
        monkeypatch.setitem(os.environ, "AIRFLOW__CORE__MAX_MAP_LENGTH", most)
        [group] = grouped(everybody)
        assert group["members"] == everybody


def test_a_group_of_long_names_has_a_label_that_airflow_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW__CORE__MAX_MAP_LENGTH", "1")
    [group] = grouped([{"connection_id": name, "organisation": name * 300} for name in "äb"])
    assert len(group["organisation"]) <= 250
    assert group["organisation"] == "ä" * 119 + "… – " + "b" * 119 + "…", "both ends are told"
    assert group["members"][0]["organisation"] == "ä" * 300


def test_who_waits_comes_last_and_then_waits_as_long_as_it_takes() -> None:
    asked: list[tuple[str, float | None]] = []

    def work(member: Any, max_wait_seconds: float | None) -> dict[str, Any]:
        asked.append((member["organisation"], max_wait_seconds))
        if member["organisation"] == "a" and max_wait_seconds == BRIEF_WAIT_SECONDS:
            raise RetryLater(30, "minute")
        if member["organisation"] == "b":
            raise ReconnectNeeded("Broken.", "Connect again.")
        return {"status": "warning" if member["organisation"] == "c" else "success", "changed": False, "read": 2}

    everybody = [{"connection_id": name, "organisation": name} for name in "abcd"]
    done = {"d": {"status": "success", "changed": True, "read": 5}}
    whole, failures, skipped = run_sequentially(everybody, work, done)
    assert asked == [("a", BRIEF_WAIT_SECONDS), ("b", BRIEF_WAIT_SECONDS), ("c", BRIEF_WAIT_SECONDS), ("a", None)]
    assert whole == {"status": "warning", "changed": True, "read": 9}
    assert list(failures) == ["b"]
    assert skipped == []


def test_a_group_is_tried_again_where_that_helps_one() -> None:
    never, soon, late = ReconnectNeeded("m", "c"), RetryLater(20, "minute"), RetryLater(40, "minute")

    def decided(*failures: Exception) -> tuple[RetryAction, float | None]:
        found = WaitAsTold().evaluate(SomeFailed(dict(zip("abc", failures, strict=False)), 5), 1, 3)
        return found.action, found.retry_delay and found.retry_delay.total_seconds()

    assert decided(never, never) == (RetryAction.FAIL, None)
    assert decided(never, late, soon) == (RetryAction.RETRY, 40)
    assert decided(never, OSError("gone")) == (RetryAction.DEFAULT, None)


def test_what_a_task_returns_travels_as_one(dags: dict[str, Any]) -> None:
    """Airflow would make a request of each count, by the return type: more work than the task itself."""
    mapped = [task for dag in dags.values() for task in dag.tasks if task.is_mapped]
    assert len(mapped) > 10
    assert [task.dag_id for task in mapped if task.multiple_outputs] == []
