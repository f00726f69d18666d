"""The contacts DAG, run by Airflow against the sandbox and a real database."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import requests
from airflow.models.taskinstance import TaskInstance
from cryptography.fernet import Fernet
from psycopg.rows import dict_row
from sqlalchemy import Engine

from tests.support.dag_runs import asset_events
from xero.api.settings import XeroApp
from xero.composition import opener
from xero.hooks import qicworks_engine
from xero.sync.connect.connect_all import connect_all
from xero_sandbox.launch import launched

CLIENT = ("test-client", "test-secret-0000000000000000")
Ask = Callable[[str], list[dict[str, Any]]]
RunPull = Callable[..., Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with launched("--profile", "small", "--client-id", CLIENT[0], "--client-secret", CLIENT[1]) as url:
        yield url


@pytest.fixture
def ask(database_url: str) -> Ask:
    """Rows of the QicWorks database, as dicts."""

    def rows(statement: str) -> list[dict[str, Any]]:
        with psycopg.connect(database_url, row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()

    return rows


@pytest.fixture
def connected(sandbox: str, database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every organisation of a fresh sandbox, connected; and the two Airflow connections that lead there."""
    requests.post(f"{sandbox}/sandbox/reset", json={"profile": "small"}, timeout=30).raise_for_status()
    xero = {
        "conn_type": "xero",
        "login": CLIENT[0],
        "password": CLIENT[1],
        "host": sandbox,
        "extra": {
            "identity_host": sandbox,
            "grant_type": "client_credentials",
            "token_keys": Fernet.generate_key().decode(),
        },
    }
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(xero))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", database_url)
    qicworks_engine.cache_clear()
    from airflow.sdk import Connection

    app = XeroApp.from_connection(Connection.from_json(json.dumps(xero)))
    assert connect_all(engine, app, "xero_default", opener(engine, lambda conn_id: app), print) == 0


@pytest.fixture
def run_pull(dags: dict[str, Any], airflow_database: None, connected: None) -> RunPull:
    """Runs pull_contacts with these params; the finished run."""

    def run(connection: str | None = None, full_refresh: bool = False) -> Any:
        # Both every time: what one call sets stays set on the DAG.
        return dags["pull_contacts"].test(run_conf={"connection": connection, "full_refresh": full_refresh})

    return run


def states(run: Any) -> dict[str, str]:
    """Task id, with the organisation where mapped → state."""
    return {
        f"{instance.task_id} {instance.rendered_map_index or ''}".strip(): str(instance.state)
        for instance in run.get_task_instances()
    }


def test_pulls_every_organisation_then_finds_nothing_new(run_pull: RunPull, ask: Ask) -> None:
    organisations = {row["name"] for row in ask("SELECT name FROM qicworks.organisation")}
    assert len(organisations) > 1

    first = run_pull()
    assert first.state == "success"
    assert states(first) == {
        "connections": "success",
        **{f"pull {name}": "success" for name in organisations},
        "announce": "success",
        "watcher": "skipped",
    }
    assert asset_events(first) == ["qicworks://contact"]
    assert ask("SELECT count(*) AS count FROM qicworks.contact")[0]["count"] > len(organisations)

    events = ask("SELECT * FROM xero_sync.connection_event WHERE direction = 'pull' ORDER BY map_index")
    assert [event["map_index"] for event in events] == list(range(len(organisations)))
    for event in events:
        assert (event["dag_id"], event["run_id"], event["task_id"]) == ("pull_contacts", first.run_id, "pull")
        assert event["try_number"] >= 1
        assert event["log_url"].startswith("http://airflow.test/dags/pull_contacts/runs/")

    second = run_pull()
    assert second.state == "success"
    assert states(second)["announce"] == "skipped", "nothing changed, so there is nothing to announce"
    assert asset_events(second) == []

    full = run_pull(full_refresh=True)
    read = ask("SELECT run_id, sum(read) AS read FROM xero_sync.connection_event WHERE dag_id IS NOT NULL GROUP BY 1")
    by_run = {row["run_id"]: row["read"] for row in read}
    assert by_run[full.run_id] == by_run[first.run_id] > by_run[second.run_id], "everything is read again"


def test_a_name_of_any_length_is_a_label_that_airflow_keeps(run_pull: RunPull, engine: Engine) -> None:
    """SQLite takes any; PostgreSQL fails what is longer, when the work is done."""
    longest = TaskInstance.__table__.c.rendered_map_index.type.length
    names = ["N" * 251, "Ü🛠" * 800]
    with engine.begin() as connection:
        for number, name in enumerate(names):
            connection.exec_driver_sql(
                "UPDATE qicworks.organisation SET name = %s WHERE id ="
                " (SELECT organisation_id FROM xero_sync.connection ORDER BY tenant_name OFFSET %s LIMIT 1)",
                (name, number),
            )
    run = run_pull()
    assert run.state == "success"
    labels = [one.rendered_map_index for one in run.get_task_instances() if one.task_id == "pull"]
    assert {name[: longest - 1] + "…" for name in names} <= set(labels)
    assert all(0 < len(label) <= longest for label in labels)


def test_one_organisation_alone(run_pull: RunPull, ask: Ask) -> None:
    name = ask("SELECT name FROM qicworks.organisation ORDER BY name")[0]["name"]
    run = run_pull(connection=name)
    assert [task for task in states(run) if task.startswith("pull")] == [f"pull {name}"]


def test_a_revoked_organisation_fails_alone_and_fails_the_run(run_pull: RunPull, ask: Ask, sandbox: str) -> None:
    connections = ask("SELECT tenant_id, tenant_name FROM xero_sync.connection ORDER BY tenant_name")
    revoked, *others = connections
    fault = {"path": "/Contacts", "tenant": revoked["tenant_id"], "times": 100, "kind": "revoked"}
    requests.post(f"{sandbox}/sandbox/faults", json=fault, timeout=30).raise_for_status()

    run = run_pull()

    assert run.state == "failed"
    assert states(run) == {
        "connections": "success",
        f"pull {revoked['tenant_name']}": "failed",
        **{f"pull {other['tenant_name']}": "success" for other in others},
        "announce": "success",
        "watcher": "failed",
    }
    (event,) = ask("SELECT * FROM xero_sync.connection_event WHERE status = 'error'")
    assert event["message"]
    assert event["correction"]


def test_an_unknown_organisation_is_refused_with_a_hint(
    run_pull: RunPull, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run = run_pull(connection="No Such Pty Ltd")
    assert run.state == "failed"
    assert states(run)["connections"] == "failed"
    logged = "".join(capfd.readouterr()) + caplog.text
    assert "no connection is called 'No Such Pty Ltd'; `python -m xero connections` lists them" in logged


def test_no_organisation_at_all_is_no_failure(run_pull: RunPull, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE xero_sync.connection SET enabled = false")
    run = run_pull()
    assert run.state == "success"
    assert states(run)["announce"] == "skipped"
