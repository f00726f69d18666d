"""Events: what is listed and exported, and what becomes of texts that others wrote."""

import csv
import io
import json
import os
from unittest import mock

from tests.support.pages import Client
from tests.support.pooler import pooled
from tests.support.pushing import Books

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
            assert "does not answer" in viewer.read("events.csv", 503)
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


def test_only_the_web_is_linked_to(browser: Client, books: Books) -> None:
    good = event(books, log_url="https://airflow.test/dags/1")
    bad = event(books, log_url="javascript:alert(1)")
    viewer = browser("viewer")
    for page in viewer.read("events"), viewer.read(f"events/{good}"), viewer.read(f"events/{bad}"):
        assert "javascript:" not in page
    assert 'href="https://airflow.test/dags/1"' in viewer.read(f"events/{good}")
