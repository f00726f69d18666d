"""Synchronise: what is offered to whom, what is started, and what one sees of it until it is over."""

import re
from pathlib import Path

import pytest
from airflow.models.dag import DagModel
from airflow.utils.session import create_session

from tests.support.page_runs import become, origin, parse_dags, run_of, words
from tests.support.pages import Client
from tests.support.pushing import Books
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts
from xero.qicworks.runs.outcome import EventOutcome


def test_what_is_offered(browser: Client, books: Books, airflow_dags: None) -> None:
    user, viewer = browser("user"), browser("viewer")
    chosen = user.read(f"synchronise?connection={books.connection_id}&data_set=contacts")
    offered = re.findall(r'name="data_set" value="(\w+)"', chosen)
    assert sorted(offered) == sorted(DATASETS)
    overnight = {"leave_balances", "leave_applications", "invoice_payments"}
    assert set(offered[-3:]) == overnight, "what comes overnight stands last"
    assert re.search(r'value="contacts"[^>]* checked', chosen)
    assert all(one.title in words(chosen) for one in DATASETS.values())
    assert "Choose an organisation" in words(user.read("synchronise"))
    assert "do not have permission to pull" in words(viewer.read(f"synchronise?connection={books.connection_id}"))
    assert "Choose an organisation first: there is no such connection." in words(
        user.read("synchronise?connection=made-up", 404)
    )
    refused = viewer.press("synchronise", {"connection": books.connection_id, "data_set": "contacts"})
    assert refused.status_code == 403
    for wrong, status in ({}, 422), ({"data_set": "made_up"}, 404):
        assert user.press("synchronise", {"connection": books.connection_id, **wrong}).status_code == status


def test_a_pull_is_seen_from_its_queue_to_its_end(browser: Client, books: Books, airflow_dags: None) -> None:
    user = browser("user")
    answer = user.press(
        "synchronise", {"connection": books.connection_id, "data_set": "tax_codes", "full_refresh": "yes"}
    )
    assert answer.status_code == 303
    run = run_of(answer.headers["location"])
    assert run[0] == "pull_tax_codes"
    assert user.get(f"/api/v2/dags/{run[0]}/dagRuns/{run[1]}").json()["conf"] == {
        "connection": str(books.connection_id),
        "full_refresh": True,
    }
    path = answer.headers["location"].removeprefix("/xero/").partition("?")[0]
    queued = browser("viewer").read(path)
    begun = "Pull: Tax codes queued Run in Airflow Waiting to start, started by user Queued."
    assert begun in words(queued)
    [poll] = re.findall(r'hx-get="/xero/([^"]+)"', queued)
    poll = poll.replace("&amp;", "&")
    same = user.get(f"/xero/{poll}")
    assert same.headers["hx-reswap"] == "none", "what did not change is not shown anew"

    with database.session(books.world.engine) as session:
        id = events.open_event(session, books.connection_id, "pull", "tax_codes", origin(run, "pull"))
        events.count(session, id, Counts(read=1234, calls=2))
    become(run, "running")
    changed = user.get(f"/xero/{poll}")
    assert "hx-reswap" not in changed.headers
    assert "1,234 read" in words(changed.text)
    assert 'hx-trigger="every 1s"' in changed.text
    with database.session(books.world.engine) as session:
        events.close_event(
            session, id, "warning", EventOutcome.DONE_WITH_REMARKS, Counts(read=1234), "<b>odd</b>", "Look into it."
        )
    become(run, "success")
    over = user.read(path)
    assert "&lt;b&gt;odd&lt;/b&gt;" in over
    assert "odd Look into it." in words(over.replace("&lt;b&gt;odd&lt;/b&gt;", "odd"))
    assert "hx-trigger" not in over, "what is over is not asked for again"
    assert f"/dags/{run[0]}/runs/" in over
    assert "/tasks/pull/mapped/0?try_number=1" in over
    assert "no DAG" in user.read("synchronise/example_dag/some", 404)
    assert "Airflow refuses (404)" in user.read("synchronise/pull_tax_codes/made-up", 404)


def test_several_at_once(browser: Client, books: Books, airflow_dags: None) -> None:
    with create_session() as session:
        session.query(DagModel).filter_by(dag_id="pull_staff").update({"is_paused": True})
    user = browser("user")
    assert "This data set is paused in Airflow" in words(user.read(f"synchronise?connection={books.connection_id}"))
    answer = user.press("synchronise", {"connection": books.connection_id, "every": "set-up"})
    assert answer.headers["location"].count("pull_") == 7
    shown = user.read(answer.headers["location"].removeprefix("/xero/"))
    assert shown.count("hx-trigger") == 7
    assert words(shown).count("pull_staff is paused in Airflow") == 1
    for run in re.findall(r"run=(\w+)~([^&]+)", answer.headers["location"]):
        become((run[0], run[1].replace("%3A", ":").replace("%2B", "+")), "failed")
    assert words(user.read(answer.headers["location"].removeprefix("/xero/"))).count("Nothing was pulled") == 7


def test_dag_ids_with_a_prefix(
    browser: Client, books: Books, airflow_dags: None, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__XERO__DAG_ID_PREFIX", "acme_")
    parse_dags(root)
    with create_session() as session:
        session.query(DagModel).filter_by(dag_id="acme_pull_staff").update({"is_paused": True})
    user = browser("user")
    assert "/dags/acme_pull_staff" in user.read(f"synchronise?connection={books.connection_id}")
    answer = user.press("synchronise", {"connection": books.connection_id, "data_set": "tax_codes"})
    run = run_of(answer.headers["location"])
    assert run[0] == "acme_pull_tax_codes"
    with database.session(books.world.engine) as session:
        events.open_event(session, books.connection_id, "pull", "tax_codes", origin(run, "pull"))
    become(run, "running")
    path = answer.headers["location"].removeprefix("/xero/").partition("?")[0]
    shown = user.read(path)
    assert "Pull: Tax codes running" in words(shown)
    assert "/dags/acme_pull_tax_codes/runs/" in shown
    assert "Running… Task log of" in words(shown), "its event is found"
    become(run, "success")
    user.read(path.replace("acme_", ""), 404)


def test_who_is_off_is_not_pulled(browser: Client, books: Books, airflow_dags: None) -> None:
    user = browser("user")
    books.world.query("UPDATE xero_sync.connection SET enabled = false WHERE id = %s", books.connection_id)
    try:
        shown = user.read(f"synchronise?connection={books.connection_id}")
        refused = user.press("synchronise", {"connection": books.connection_id, "data_set": "contacts"})
    finally:
        books.world.query("UPDATE xero_sync.connection SET enabled = true WHERE id = %s", books.connection_id)
    assert "is switched off, so nothing is pulled" in words(shown)
    assert refused.status_code == 409
    assert "is switched off. Switch it on under Connections first." in words(refused.text)
