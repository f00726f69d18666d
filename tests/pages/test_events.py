"""Events: what is listed and exported, and what becomes of texts that others wrote."""

import csv
import io
import json
import os
import re
from html import unescape
from unittest import mock
from urllib.parse import quote

import pytest

from tests.support.page_runs import words
from tests.support.pages import Client
from tests.support.pooler import pooled
from tests.support.pushing import Books
from xero.documents.registry import KINDS

FORMULAS = ("=1+1", "\n =1+1", "\u00a0+1", "\ufeff@SUM(1)", "＝1+1", " －1", "\ttab")
HARMLESS = ("1=1", "Payment -5", "", " a")


def event(books: Books, **columns: str) -> int:
    values = {"direction": "pull", "data_set": "contacts", "status": "success", **columns}
    [row] = books.world.query(
        f"INSERT INTO xero_sync.connection_event (connection_id, ended_at, {', '.join(values)})"
        f" VALUES (%s, now(), {', '.join(['%s'] * len(values))}) RETURNING id",
        *(books.connection_id, *values.values()),
    )
    return int(row["id"])


def test_an_export_runs_nothing_in_a_spreadsheet(browser: Client, books: Books) -> None:
    for message in FORMULAS + HARMLESS:
        event(books, message=message, data_set="staff")
    answer = browser("viewer").get("/xero/events.csv?data_set=staff")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert sorted(row["message"] for row in rows) == sorted([*(f"'{said}" for said in FORMULAS), *HARMLESS])


def test_an_export_that_fails_says_so(browser: Client, books: Books) -> None:
    viewer = browser("viewer")
    nowhere = json.dumps({"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "login": "x", "schema": "x"})
    from xero.hooks import qicworks_engine

    qicworks_engine.cache_clear()
    try:
        with mock.patch.dict(os.environ, AIRFLOW_CONN_QICWORKS_DEFAULT=nowhere):
            assert "is not working" in viewer.read("events.csv", 503)
    finally:
        qicworks_engine.cache_clear()
    assert "started_at" in viewer.read("events.csv?data_set=never"), "no events, but their columns"


def test_a_pooler_that_takes_the_session_away_is_refused_in_words(browser: Client, books: Books) -> None:
    from xero.hooks import qicworks_engine

    with pooled(books.world.database_url, "transaction") as url:
        qicworks_engine.cache_clear()
        try:
            with mock.patch.dict(os.environ, AIRFLOW_CONN_QICWORKS_DEFAULT=url):
                for path in ("", "connections", "events"):
                    answer = browser("admin").get(f"/xero/{path}", follow_redirects=False)
                    assert answer.status_code >= 400, path
                    assert "connection pooler in transaction or statement mode" in answer.text, path
        finally:
            qicworks_engine.cache_clear()


def test_an_event_of_a_document_leads_to_its_page(browser: Client, books: Books) -> None:
    """Also if a pull has written it."""
    documents = {kind: books.add(kind, number="EV-1") for kind in ("invoices", "expenses")}
    for kind, document in documents.items():
        of = {"document": KINDS[kind].called("EV-1", document), "document_kind": kind, "document_id": str(document)}
        id = event(books, direction="pull", data_set="contacts", message="seen", **of)
        path = f'href="/xero/documents/{kind}/{document}"'
        for page in (f"events/{id}", "events?data_set=contacts"):
            assert path in browser("viewer").read(page), (kind, page)
        happened = browser("viewer").read(f"documents/{kind}/{document}").partition("What happened")[2]
        assert f"/xero/events/{id}" in happened
        [every] = re.findall(r'href="/xero/(events\?[^"]*)">All events', happened)
        assert f'href="/xero/events/{id}"' in browser("viewer").read(unescape(every))


def test_an_event_says_by_what_xero_finds_it_and_both_sizes(browser: Client, books: Books) -> None:
    id = event(books, correlation_id="6de30c6b-e36f", bytes_received="2048", bytes_unpacked="1048576", data_set="staff")
    viewer = browser("viewer")
    shown = words(viewer.read(f"events/{id}"))
    assert "Xero-Correlation-Id 6de30c6b-e36f" in shown
    assert "Received, compressed 2 kB Unpacked 1.0 MB" in shown
    [row] = [
        one
        for one in csv.DictReader(io.StringIO(viewer.get("/xero/events.csv?data_set=staff").text, newline=""))
        if one["id"] == str(id)
    ]
    assert (row["correlation_id"], row["bytes_unpacked"]) == ("6de30c6b-e36f", "1048576")


@pytest.mark.usefixtures("airflow_dags")
def test_a_log_is_where_airflow_has_it_as_long_as_it_has_it(browser: Client, books: Books) -> None:
    """Whatever address is stored. After the run was cleaned away there, the event says so."""
    admin, viewer = browser("admin"), browser("viewer")
    made = admin.post("/api/v2/dags/pull_contacts/dagRuns", json={"logical_date": None})
    run = made.json()["dag_run_id"]
    ran = {"dag_id": "pull_contacts", "task_id": "pull", "log_url": "https://elsewhere.test/"}
    there, gone = event(books, run_id=run, **ran), event(books, run_id="manual__2020", **ran)
    own = event(books, log_url="javascript:alert(1)")
    assert (
        viewer.get(f"/xero/events/{there}/log", follow_redirects=False)
        .headers["location"]
        .endswith(f"/dags/pull_contacts/runs/{quote(run, safe='')}/tasks/pull")
    )
    assert f"/xero/events/{there}/log" in viewer.read(f"events/{there}")
    said = viewer.get(f"/xero/events/{gone}/log", follow_redirects=False)
    assert f"/xero/events/{gone}?said=" in said.headers["location"]
    page = viewer.read(f"events/{gone}")
    assert "no longer has this run" in page
    assert "/log" not in page
    assert "Nothing of this event ran in Airflow" in viewer.read(f"events/{own}/log", 404)
    for page in (viewer.read("events"), *(viewer.read(f"events/{id}") for id in (there, gone, own))):
        assert "javascript:" not in page
        assert "elsewhere.test" not in page
