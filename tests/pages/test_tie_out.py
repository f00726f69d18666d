"""The page of the tie-out: equal only if it was checked, its button, its CSV, and who sees what."""

import csv
import io
from datetime import date

import pytest

from tests.support.page_runs import run_of, words
from tests.support.pages import Browser, Client
from tests.support.pushing import Books
from tests.support.tying_out import tie


@pytest.fixture
def path(books: Books) -> str:
    return f"tie-out?connection={books.connection_id}&period=2026-10"


def test_equal_is_only_said_of_what_was_checked(browser: Client, books: Books, path: str) -> None:
    viewer = browser("viewer")
    document = books.add("invoices", number="TIE-1")
    books.push("invoices")
    assert "Not checked yet" in words(viewer.read(path))
    tie(books)
    shown = words(viewer.read(path))
    assert "Checked, and equal." in shown
    assert "Not part of the tie-out yet: Payroll." in shown
    assert "Not equal:" not in shown
    row = books.row("invoices", document)
    total = f"{row['total']:,.2f} AUD"
    assert f"Invoices 1 {total} 1 {total} 0.00 AUD 0.00 AUD 1 0" in shown

    books.edit("invoices", document, due_date=date(2026, 12, 24))
    assert "TIE-1 : waits for the next push" in words(viewer.read(path))
    books.push("invoices")
    books.bookkeep("edit", invoice=str(row["xero_id"]), fields={"Reference": "=1+1"})
    tie(books)
    shown = words(viewer.read(path))
    assert "Not equal: 1 documents" in shown
    assert "invoice TIE-1" in shown
    assert "Checked, and equal." not in shown
    assert "Not equal: " not in words(viewer.read(path.replace("2026-10", "2026-09")))

    answer = viewer.get(f"/xero/{path.replace('tie-out?', 'tie-out.csv?')}")
    assert answer.headers["content-disposition"] == 'attachment; filename="tie-out-2026-10.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["field"]: row["Xero"] for row in rows}["reference"] == "'=1+1"

    books.edit("invoices", document, push_state="skipped")
    books.world.query("UPDATE xero_sync.difference SET settled_at = now(), settled_how = 'skipped'")
    shown = words(viewer.read(path))
    assert "Left out on request: 1 documents" in shown
    assert "Left out on request invoice TIE-1" in shown

    books.edit("invoices", document, push_state="ready")
    books.world.fault(kind="no_scope", path="/Invoices", times=1)
    tie(books)
    assert "Not everything could be checked by the last tie-out" in words(viewer.read(path))


def test_the_button_starts_the_dag(browser: Client, books: Books, airflow_dags: None, path: str) -> None:
    fields = {"connection": str(books.connection_id), "period": "2026-10"}
    assert "Tie out now" not in browser("viewer").read(path)
    assert browser("viewer").press("tie-out", fields).status_code == 403
    user = browser("user")
    assert "Tie out now" in user.read(path)
    for heal in ({}, {"heal": "yes"}):
        answer = user.press("tie-out", {**fields, **heal})
        assert answer.status_code == 303
        dag_id, run_id = run_of(answer.headers["location"])
        assert dag_id == "tie_out"
        conf = user.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}").json()["conf"]
        assert conf == {"connection": str(books.connection_id), "period": "2026-10", "heal": bool(heal)}
        followed = answer.headers["location"].removeprefix("/xero/").partition("?")[0]
        assert "Tie-out queued" in words(user.read(followed))
    assert "is not a period" in words(user.read(f"{path}-x", 422))
    assert user.press("tie-out", {**fields, "period": "soon"}).status_code == 422


def test_who_may_not_read_the_dag_sees_nothing(clerk: Browser, stranger: Browser, books: Books, path: str) -> None:
    for browser in (clerk, stranger):
        browser.read(path, 403)
        browser.read(path.replace("tie-out?", "tie-out.csv?"), 403)
