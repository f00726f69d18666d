"""The page Settings: what it offers, what it refuses, and who may change it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from tests.support.page_runs import words
from tests.support.pages import Browser, Client
from tests.support.pushing import Books
from xero.qicworks.connect.settings import SETTINGS


class Form(HTMLParser):
    """The fields of a page's form with their values, and what each drop-down offers."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.offered: dict[str, list[str]] = {}
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "select":
            self._select = found["name"]
            self.offered[self._select] = []
        elif tag == "option":
            self.offered[self._select].append(found["value"])
            if "selected" in found:
                self.values[self._select] = found["value"]
        elif tag == "input" and found.get("name", "form_token") != "form_token":
            self.values[found["name"]] = found["value"]


@pytest.fixture
def path(books: Books) -> Iterator[str]:
    yield f"connections/{books.connection_id}/settings"
    books.world.query("DELETE FROM xero_sync.setting")
    books.world.query("UPDATE qicworks.account SET is_active = true WHERE code IN ('200', '429')")


def form_of(browser: Browser, path: str) -> Form:
    return Form(browser.read(path))


def account(books: Books, code: str) -> str:
    found = books.world.query("SELECT xero_id FROM qicworks.account WHERE code = %s AND is_active", code)
    return str(found[0]["xero_id"])


def test_each_setting_is_chosen_from_what_was_pulled_and_is_active(
    browser: Client, books: Books, path: str, airflow_dags: None
) -> None:
    admin = browser("admin")
    shown = form_of(admin, path)
    assert set(shown.values) - {"seen"} | set(shown.offered) == set(SETTINGS)
    active = books.world.query(
        "SELECT xero_id::text AS id FROM qicworks.account WHERE is_active AND code IS NOT NULL AND type <> 'BANK'"
        " AND coalesce(system_account, '') NOT IN ('DEBTORS', 'CREDITORS', 'RETAINEDEARNINGS', 'HISTORICAL')"
    )
    assert set(shown.offered["invoices.account"]) == {"", *(row["id"] for row in active)}
    assert "TAX003" not in shown.offered["bills.tax_code"], "it is archived"
    chosen = {"invoices.account": account(books, "200"), "invoices.tax_code": "OUTPUT", "night_hour": "4"}
    saved = admin.press(path, {**shown.values, **chosen, "alerts": "office@example.com"})
    assert saved.status_code == 303
    again = form_of(admin, path)
    assert {name: again.values[name] for name in chosen} == chosen
    assert again.values["alerts"] == "office@example.com"
    event = books.world.event()["message"]
    assert event.startswith("settings changed by admin: ")
    assert "invoices.tax_code from none to OUTPUT" in event
    assert "office@example.com" not in event
    assert "Nothing to save" in admin.get(admin.press(path, again.values).headers["location"]).text


def test_what_was_not_offered_is_refused_and_nothing_is_saved(
    browser: Client, books: Books, path: str, airflow_dags: None
) -> None:
    admin = browser("admin")
    seen = form_of(admin, path).values
    [bank, *_] = books.world.query("SELECT xero_id::text AS id FROM qicworks.account WHERE type = 'BANK'")
    for name, value in (
        ("invoices.account", bank["id"]),
        ("invoices.account", "200"),  # a code is not what the page offers
        ("invoices.status", "PAID"),
        ("bills.tax_code", "TAX003"),
        ("departments", "00000000-0000-0000-0000-000000000000"),
        ("night_hour", "24"),
        ("colour", "red"),
    ):
        assert admin.press(path, {**seen, name: value}).status_code == 422, name
    wrong = admin.press(path, {**seen, "bills.account": account(books, "429"), "bills.tax_code": "OUTPUT"})
    assert wrong.status_code == 422
    assert "cannot be used with account" in words(wrong.text)
    assert Form(wrong.text).values["bills.tax_code"] == "OUTPUT", "what was chosen is still there to be corrected"
    assert "is not an email address" in words(admin.press(path, {**seen, "alerts": "<b>nobody</b>"}).text)
    assert books.world.query("SELECT * FROM xero_sync.setting") == []


def test_a_viewer_sees_settings_and_cannot_change_them(
    browser: Client, books: Books, path: str, airflow_dags: None
) -> None:
    admin = browser("admin")
    seen = form_of(admin, path).values
    admin.press(path, {**seen, "conflicts": "xero"})
    for role in ("viewer", "user"):
        shown = browser(role).read(path)
        assert "Xero's version" in words(shown).replace("&#39;", "'")
        assert Form(shown).offered == {}
        assert "<form" not in shown
        assert browser(role).press(path, {**seen, "conflicts": "ask"}).status_code == 403
    assert admin.press(path, seen, form_token="forged").status_code == 403
    stale = admin.press(path, {**seen, "conflicts": "qicworks"})
    assert stale.status_code == 409, "another user has changed them since the page was loaded"
    assert [row["value"] for row in books.world.query("SELECT value FROM xero_sync.setting")] == ["xero"]


def test_what_no_longer_fits_is_shown_and_stops_no_other_change(
    browser: Client, books: Books, path: str, airflow_dags: None
) -> None:
    admin = browser("admin")
    admin.press(path, {**form_of(admin, path).values, "bills.account": account(books, "429")})
    books.world.query("UPDATE qicworks.account SET is_active = false WHERE code = '429'")
    shown = admin.read(path)
    assert "is archived or deleted in Xero" in words(shown)
    assert shown.count('aria-invalid="true"') == 1
    assert admin.press(path, {**Form(shown).values, "night_hour": "5"}).status_code == 303
    assert "is archived or deleted in Xero" in words(browser("viewer").read(path))


def test_every_field_has_a_label_and_its_help(browser: Client, path: str, airflow_dags: None) -> None:
    html = browser("admin").read(path)
    fields = re.findall(r'<(?:select|input type="text")[^>]*>', html)
    assert len(fields) == len(SETTINGS)
    for field in fields:
        id = re.search(r' id="([^"]+)"', field)
        described = re.search(r'aria-describedby="([^"]+)"', field)
        assert id is not None, field
        assert described is not None, field
        assert f'for="{id[1]}"' in html
        assert f'id="{described[1]}"' in html


def test_settings_are_linked_from_connections(browser: Client, books: Books, path: str, airflow_dags: None) -> None:
    for page in ("connections", f"connections/{books.connection_id}"):
        assert f'href="/xero/{path}"' in browser("viewer").read(page)
