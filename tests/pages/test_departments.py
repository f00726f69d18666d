"""The page Settings: departments that Xero lacks are created there once, by who may, and documents are then sent."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.page_runs import words
from tests.support.pages import Browser, Client
from tests.support.pushing import Books, Line

KEPT = "DELETE FROM xero_sync.setting"


@pytest.fixture
def category(books: Books) -> Iterator[str]:
    books.world.pull("tracking_categories")
    [found] = books.world.query("SELECT xero_id::text AS id FROM qicworks.tracking_category WHERE name = 'Region'")
    books.world.query(
        "INSERT INTO xero_sync.setting (connection_id, name, value) VALUES (%s, 'departments', %s)",
        *(books.connection_id, found["id"]),
    )
    yield found["id"]
    books.world.query(KEPT)


def path(books: Books) -> str:
    return f"connections/{books.connection_id}/settings"


def create(browser: Client, books: Books, department: str, category: str, **how: Any) -> Any:
    fields = {"department": department, "category": category}
    return browser.press(f"{path(books)}/departments", fields, **how)


def options(books: Books, category: str) -> list[str]:
    found = books.world.sandbox.truth("TrackingCategories", books.organisation)
    [one] = [one for one in found if one["TrackingCategoryID"] == category]
    return [option["Name"] for option in one["Options"]]


def test_a_department_is_created_once_and_its_documents_are_sent(
    browser: Browser, books: Books, category: str, airflow_dags: None
) -> None:
    admin = browser("admin")
    document = books.add("invoices", Line(columns={"department": "  New depot"}))
    books.push("invoices")
    assert "no active option for department 'New depot'" in books.row("invoices", document)["push_error"]
    assert "New depot" in words(admin.read(path(books)))
    viewer = browser("viewer")
    assert "New depot" in words(viewer.read(path(books)))
    assert "<form" not in viewer.read(path(books))
    assert create(viewer, books, "New depot", category).status_code == 403
    assert create(admin, books, "New depot", category, form_token="forged").status_code == 403
    assert create(admin, books, "Another", category).status_code == 422
    assert create(admin, books, "New depot", "00000000-0000-0000-0000-000000000000").status_code == 409
    assert "New depot" not in options(books, category)
    done = create(admin, books, "New depot", category)
    assert "was created in Region in Xero by admin" in words(admin.get(done.headers["location"]).text).replace(
        "&#39;", "'"
    )
    assert options(books, category).count("New depot") == 1
    assert "Departments that Xero lacks" not in admin.read(path(books))
    books.push("invoices")
    assert books.row("invoices", document)["push_state"] == "pushed", "ready again by itself"
    assert "New depot" in words(browser("viewer").read(f"documents/invoices/{document}"))


def test_a_lost_response_makes_no_second_option(
    browser: Browser, books: Books, category: str, airflow_dags: None
) -> None:
    admin = browser("admin")
    books.add("invoices", Line(columns={"department": "Lost depot"}))
    books.world.fault(kind="lost_answer", method="PUT", path="/TrackingCategories", times=9)
    lost = create(admin, books, "Lost depot", category)
    books.world.sandbox.control("DELETE", "faults")
    assert lost.status_code == 409
    assert "not known whether the option was created" in words(lost.text)
    assert options(books, category).count("Lost depot") == 1
    done = create(admin, books, "Lost depot", category)
    assert "is already in Region in Xero" in words(admin.get(done.headers["location"]).text)
    assert options(books, category).count("Lost depot") == 1


def test_what_xero_would_refuse_is_said_before_it_is_sent(
    browser: Browser, books: Books, category: str, airflow_dags: None
) -> None:
    admin = browser("admin")
    books.add("invoices", Line(columns={"department": "old DEPOT"}), Line(columns={"department": "x" * 101}))
    books.writes()
    for name, why in (("old DEPOT", "an archived option has this name"), ("x" * 101, "longer than 100 characters")):
        done = create(admin, books, name, category)
        assert why in words(admin.get(done.headers["location"]).text)
    assert books.writes() == []
