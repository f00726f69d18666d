"""The dry run of the first day is done only of what was checked, since the last change of what it depends on."""

import re
from collections.abc import Iterator

import pytest

from tests.pages.test_first_day import _states, loaded, path, step
from tests.support.own_contacts import OwnBooks
from tests.support.pages import Client
from tests.support.pushing import Books
from xero.documents.registry import KINDS
from xero.pages.first_day import dry_run
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

__all__ = ["loaded", "path"]
pytestmark = pytest.mark.usefixtures("loaded", "airflow_dags")


@pytest.fixture(autouse=True)
def nothing_ready(books: Books) -> Iterator[None]:
    for table in ("invoice", "bill", "contact"):
        books.world.query(f"UPDATE qicworks.{table} SET push_state = 'skipped' WHERE push_state IN ('ready', 'failed')")
    books.world.query("DELETE FROM xero_sync.standing WHERE direction = 'maintenance'")
    yield
    books.world.query("DELETE FROM xero_sync.setting")


def is_done(html: str) -> bool:
    return _states(html)["Dry run"] == "done"


def test_not_done_while_only_the_oldest_were_checked(
    browser: Client, books: Books, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "MAX_CHECKED", 2)
    for number in range(5):
        books.add("invoices", number=f"FD-{number}")
    admin = browser("admin")
    asked = admin.press(f"{path}/dry-run")
    assert "2 of 5 checked, 2 would be sent" in step(asked.text, 4)
    assert not is_done(asked.text)
    assert "dry run by admin: 2 of 5 documents, of which 2 would be sent" in step(admin.read(path), 4)
    monkeypatch.setattr(dry_run, "MAX_CHECKED", 5)
    assert is_done(admin.press(f"{path}/dry-run").text)


def test_each_kind_counts_by_itself(browser: Client, books: Books, path: str) -> None:
    books.add("bills", number="FD-B")
    books.add("invoices", number="FD-I")
    admin = browser("admin")
    with database.session(books.world.engine) as session:
        one = connections.one(session, books.connection_id)
        dry_run.dry_run(books.world.engine, session, one, [KINDS["bills"]], "who may push bills only")
    page = admin.read(path)
    assert not is_done(page)
    assert "Not checked yet: Invoices." in step(page, 4)
    assert is_done(admin.press(f"{path}/dry-run").text)


def test_not_done_once_settings_or_set_up_changed(browser: Client, books: Books, path: str) -> None:
    own, admin = OwnBooks.of_books(books), browser("admin")
    books.add("invoices", number="FD-S")

    def settings() -> None:
        own.setting("ask", **{"invoices.status": "AUTHORISED"})

    def set_up() -> None:
        with database.session(books.world.engine) as session:
            id = events.open_event(session, books.connection_id, Direction.PULL, "chart_of_accounts", Origin())
            counts = Counts(read=9, deactivated=1)
            events.close_event(session, id, Status.SUCCESS, EventOutcome.DONE, counts, "1 account was archived")

    def contacts() -> None:
        own.contact("Somebody New Pty Ltd", state="draft")

    def links() -> None:
        books.world.query(
            "INSERT INTO xero_sync.link_decision (connection_id, what, own_id, xero_id, decision)"
            " VALUES (%s, 'contact', gen_random_uuid(), gen_random_uuid(), 'not same')",
            books.connection_id,
        )

    for change in (settings, set_up, contacts, links):
        assert is_done(admin.press(f"{path}/dry-run").text), change
        assert is_done(admin.read(path)), change
        change()
        page = admin.read(path)
        assert not is_done(page), change
        assert "Settings, set-up data, contacts or links changed since the last dry run." in step(page, 4)


def test_a_change_while_it_is_checked_counts(
    browser: Client, books: Books, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, admin, before = OwnBooks.of_books(books), browser("admin"), dry_run._check
    books.add("invoices", number="FD-M")

    def changed_meanwhile(*given: object) -> object:
        found = before(*given)  # type: ignore[arg-type]
        own.setting("ask", **{"invoices.status": "AUTHORISED"})
        return found

    monkeypatch.setattr(dry_run, "_check", changed_meanwhile)
    asked = admin.press(f"{path}/dry-run")
    assert "Something changed meanwhile. Check again." in step(asked.text, 4)
    assert not is_done(admin.read(path))


@pytest.mark.parametrize("setting", ["off", "ask"])
def test_a_document_whose_contact_is_not_sent_waits(browser: Client, books: Books, path: str, setting: str) -> None:
    own = OwnBooks.of_books(books)
    own.setting(setting)
    books.add("invoices", number=f"FD-{setting}", contact_id=own.contact(f"Nobody Like {setting} Pty Ltd"))
    with database.session(books.world.engine) as session:
        one = connections.one(session, books.connection_id)
        [found] = dry_run.dry_run(books.world.engine, session, one, [KINDS["invoices"]], "who may not see contacts")
    assert (found.with_contact, found.without_contact, found.is_fine) == (0, 1, False)
    asked = browser("admin").press(f"{path}/dry-run")
    assert "1 checked, 1 would wait: their new contact is not sent" in step(asked.text, 4)
    assert not re.search("sent after their new contact", step(asked.text, 4))
    assert not is_done(asked.text)
