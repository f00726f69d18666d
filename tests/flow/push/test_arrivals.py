"""The status in which documents arrive in Xero, and all that follows if one arrives approved."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.flow.push.test_defaults import choose, in_xero, release, row
from tests.support.cancelling import by_status
from tests.support.pushing import PRICED, Books
from tests.support.world import World
from xero.documents.parts.arriving import Arrival

OPEN = "SELECT reason FROM xero_sync.difference WHERE settled_at IS NULL"
POSTING = [kind for kind in PRICED if kind != "purchase_orders"]


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def follow(books: Books) -> list[dict[str, Any]]:
    books.world.pull("document_status", full=True)
    return books.world.query(OPEN)


def status(books: Books, kind: str, document: UUID) -> str:
    return str(in_xero(books, kind, document)["Status"])


def lock(books: Books, day: date | None) -> None:
    books.world.query("UPDATE qicworks.organisation SET period_lock_date = %s, end_of_year_lock_date = NULL", day)


@pytest.mark.parametrize("arrival", Arrival)
@pytest.mark.parametrize("kind", PRICED)
def test_a_document_arrives_in_the_chosen_status_and_is_changed_and_taken_back_there(
    books: Books, kind: str, arrival: Arrival
) -> None:
    choose(books, **{f"{kind}__status": arrival})
    document, other = books.add(kind), books.add(kind)
    assert books.push(kind).counts.failed == 0
    assert status(books, kind, document) == arrival
    assert row(books, kind, document)["xero_status"] == arrival
    assert follow(books) == [], "QicWorks itself chose the status"
    books.edit(kind, document, reference="edited", issue_date=date(2026, 10, 6))
    assert books.push(kind).counts.failed == 0
    record = in_xero(books, kind, document)
    assert (record["Status"], row(books, kind, document)["push_state"]) == (arrival, "pushed")
    assert "2026-10-06" in str(record.get("DateString") or "2026-10-06")
    assert follow(books) == []
    by_status(books, kind, other)
    books.push(kind)
    gone = "VOIDED" if arrival is Arrival.AUTHORISED and kind != "purchase_orders" else "DELETED"
    assert status(books, kind, other) == gone
    assert books.world.query(OPEN) == []
    assert row(books, kind, other)["xero_status"] == gone
    choose(books, **{f"{kind}__status": "DRAFT"})
    release(books, kind, document)
    books.writes()
    books.push(kind)
    assert books.writes() == [], "another status alone sends nothing"


@pytest.mark.parametrize("kind", POSTING)
def test_an_approved_document_of_a_closed_period_is_refused_before_a_call_and_not_sent_as_a_draft(
    books: Books, kind: str
) -> None:
    lock(books, date(2026, 10, 31))
    choose(books, **{f"{kind}__status": "AUTHORISED"})
    document = books.add(kind)
    books.world.calls()
    books.push(kind)
    failed = row(books, kind, document)
    assert failed["push_state"] == "failed"
    assert "is not after the period lock date 2026-10-31 in Xero, so Xero does not approve it" in failed["push_error"]
    assert "lock date" in failed["push_correction"]
    assert [call for call in books.world.calls() if "Organisation" not in call["path"]] == []
    lock(books, None)
    release(books, kind, document)
    books.push(kind)
    assert status(books, kind, document) == "AUTHORISED"


def test_an_approved_invoice_needs_a_due_date(books: Books) -> None:
    choose(books, invoices__status="AUTHORISED")
    document = books.add("invoices", due_date=None)
    books.push("invoices")
    assert "it has no due date, so Xero does not approve it" in row(books, "invoices", document)["push_error"]
    choose(books, invoices__status="DRAFT")
    release(books, "invoices", document)
    books.push("invoices")
    assert status(books, "invoices", document) == "DRAFT"


def test_what_a_user_of_xero_approved_is_still_not_changed_and_not_voided(books: Books) -> None:
    document = books.add("invoices")
    books.push("invoices")
    choose(books, invoices__status="AUTHORISED")
    books.world.sandbox.change("Invoices", str(row(books, "invoices", document)["xero_id"]), Status="AUTHORISED")
    books.edit("invoices", document, reference="edited")
    books.push("invoices")
    assert row(books, "invoices", document)["push_state"] == "failed"
    assert {one["reason"] for one in books.world.query(OPEN)} == {"approved_in_xero"}
    by_status(books, "invoices", document)
    books.push("invoices")
    assert status(books, "invoices", document) == "AUTHORISED"
    assert "cancelled_in_qicworks" in {one["reason"] for one in books.world.query(OPEN)}


def test_an_approved_one_whose_response_was_lost_is_taken_back_by_voiding_it(books: Books) -> None:
    choose(books, invoices__status="AUTHORISED")
    document = books.add("invoices")
    books.world.fault(kind="lost_answer", method="PUT", path="/Invoices", times=9)
    with pytest.raises(Exception, match=r"."):
        books.push("invoices")
    books.world.sandbox.control("DELETE", "faults")
    books.pass_time(1_000)
    books.drain("invoices")
    number = row(books, "invoices", document)["number"]
    assert [one["InvoiceNumber"] for one in books.in_xero("invoices")].count(number) == 1
    assert status(books, "invoices", document) == "AUTHORISED"
    by_status(books, "invoices", document)
    books.push("invoices")
    assert status(books, "invoices", document) == "VOIDED"
