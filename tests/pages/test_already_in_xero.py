"""Documents that may be in Xero already, on the pages: both sides, the choice, all certain ones at once, and undo."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.by_hand import offer, typed
from tests.support.page_runs import words
from tests.support.pages import Client
from tests.support.pushing import Books, Line


def fields(shown: str, decision: str) -> dict[str, str]:
    """Of the form with that decision."""
    for form in re.findall(r"<form.*?</form>", shown, re.DOTALL):
        found = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if found.get("decision") == decision:
            found.pop("form_token")
            return found
    raise AssertionError(f"no form decides {decision}")


def held(books: Books, kind: str, how_many: int, **otherwise: Any) -> tuple[list[UUID], list[UUID]]:
    """Documents that are held back, and their records in Xero."""
    side = {"side": "supplier"} if kind == "credit_notes" else {}
    documents = [books.add(kind, Line("10"), **side) for _ in range(how_many)]
    records = typed(books, kind, documents, **otherwise)
    books.push(kind)
    return documents, records


def test_a_user_links_one_and_undoes_it(browser: Client, books: Books, airflow_dags: None) -> None:
    [document], [record] = held(books, "bills", 1)
    number = books.row("bills", document)["number"]
    viewer, user = browser("viewer"), browser("user")
    path = f"documents/bills/{document}"
    shown = viewer.read(path)
    assert "Already in Xero?" in words(shown)
    assert "<button>Link to the record in Xero" not in shown, "who may not push decides nothing"
    shown = user.read(path)
    assert words(shown).count(number) >= 2, "both sides"
    seen = fields(shown, "link")
    decide = f"{path}/already-in-xero"
    for status, sent in (
        (422, {**seen, "xero_id": str(uuid4())}),
        (422, {**seen, "decision": "delete"}),
        (422, {**seen, "xero_id": ""}),
        (422, {**seen, "decision": "leave"}),
        (404, {**seen, "version": "99"}),
        (404, {**seen, "seen": "another"}),
    ):
        assert user.press(decide, sent).status_code == status, sent
    assert viewer.press(decide, seen).status_code == 403
    assert user.press(decide, seen).status_code == 303
    assert user.press(decide, seen).status_code == 404, "it is decided"
    books.push("bills")
    assert books.row("bills", document)["xero_id"] == record
    shown = user.read(path)
    assert "Linked to a record that was already in Xero: decided by" in words(shown)
    taken_back = {"decision": re.findall(r'name="decision" value="(\d+)"', shown)[0]}
    assert viewer.press(f"{path}/undo", taken_back).status_code == 403
    assert user.press(f"{path}/undo", {"decision": "0"}).status_code == 404
    books.world.query("UPDATE qicworks.bill SET push_state = 'in_flight' WHERE id = %s", document)
    assert user.press(f"{path}/undo", taken_back).status_code == 409
    books.world.query("UPDATE qicworks.bill SET push_state = 'pushed' WHERE id = %s", document)
    assert user.press(f"{path}/undo", taken_back).status_code == 303
    assert user.press(f"{path}/undo", taken_back).status_code == 404
    assert books.row("bills", document)["xero_id"] is None
    assert "Already in Xero?" in words(user.read(path))


def test_left_and_skipped(browser: Client, books: Books, airflow_dags: None) -> None:
    (left, skipped), _ = held(books, "credit_notes", 2)
    user = browser("user")
    for document, decision in ((left, "leave"), (skipped, "skip")):
        path = f"documents/credit_notes/{document}"
        assert user.press(f"{path}/already-in-xero", fields(user.read(path), decision)).status_code == 303
    books.push("credit_notes")
    assert books.row("credit_notes", left)["push_state"] == "pushed"
    assert books.row("credit_notes", skipped)["push_state"] == "skipped"
    shown = user.read(f"documents/credit_notes/{skipped}")
    assert "Not pushed, because it is in Xero already" in words(shown)
    [[invoice], _] = held(books, "invoices", 1)
    with pytest.raises(AssertionError):
        fields(user.read(f"documents/invoices/{invoice}"), "leave")


def test_all_certain_ones_at_once(browser: Client, books: Books, airflow_dags: None) -> None:
    documents, records = held(books, "purchase_orders", 3)
    lines = [{"Description": "otherwise", "Quantity": 1, "UnitAmount": 1, "AccountCode": "429"}]
    [[perhaps], _] = held(books, "purchase_orders", 1, LineItems=lines)
    viewer, user = browser("viewer"), browser("user")
    assert "4 purchase orders are or may be in Xero already" in words(viewer.read("documents?kind=purchase_orders"))
    path = f"documents/already-in-xero?kind=purchase_orders&connection={books.connection_id}"
    assert "Link all certain ones" not in viewer.read(path)
    shown = user.read(path)
    assert "Link all certain ones (3)" in words(shown)
    seen = re.findall(r'name="seen" value="(\w+)"', shown.split("Link all certain ones")[0])[-1]
    sent = {"kind": "purchase_orders", "connection": str(books.connection_id), "seen": seen}
    link = "documents/already-in-xero/link"
    assert viewer.press(link, sent).status_code == 403
    for status, other in (
        (404, {**sent, "seen": "another"}),
        (422, {**sent, "connection": str(uuid4())}),
        (404, {**sent, "kind": "contacts"}),
        (404, {**sent, "kind": "leave_requests"}),
    ):
        assert user.press(link, other).status_code == status, other
    assert user.press(link, sent).status_code == 303
    books.push("purchase_orders")
    assert [books.row("purchase_orders", document)["xero_id"] for document in documents] == records
    assert books.row("purchase_orders", perhaps)["push_state"] == "failed"
    assert offer(books, "purchase_orders", perhaps).certain is None
    shown = user.read(path)
    assert "Link all certain ones" not in shown
    assert words(shown).count("decided by") == 3
    assert "There is no connection" in words(user.read("documents/already-in-xero?connection=x", 404))
