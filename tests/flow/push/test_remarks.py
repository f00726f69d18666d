"""What stands in Xero and is odd all the same: it is pushed, and the event says what to look at."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.support.pushing import Books, Line
from xero.documents.registry import KINDS

DATES = {"invoices": "due_date", "bills": "due_date", "expenses": "due_date", "purchase_orders": "delivery_date"}
IN_XERO = {"due_date": "DueDate", "delivery_date": "DeliveryDate"}


def remarks(books: Books, kind: str, document: UUID) -> list[str]:
    told = books.world.query(
        "SELECT message FROM xero_sync.connection_event WHERE document = %s AND status = 'warning' ORDER BY id",
        KINDS[kind].called(books.row(kind, document)["number"], document),
    )
    return [one["message"] for one in told]


@pytest.mark.parametrize("null_empties", [True, False])
@pytest.mark.parametrize("kind", DATES)
def test_a_date_that_was_taken_away_is_taken_away_in_xero_or_said(books: Books, kind: str, null_empties: bool) -> None:
    books.world.sandbox.settings(null_empties_dates=null_empties)
    column = DATES[kind]
    document = books.add(kind, **{column: date(2026, 12, 20)})
    assert books.push(kind).status == "success"
    books.edit(kind, document, **{column: None})
    outcome = books.push(kind)
    assert books.row(kind, document)["push_state"] == "pushed"
    [record] = books.in_xero(kind)
    there: Any = record.get(IN_XERO[column])
    if null_empties:
        assert (outcome.status, there) == ("success", None)
    else:
        assert (outcome.status, bool(there)) == ("warning", True)
        assert remarks(books, kind, document)[-1].endswith("date none in QicWorks, 2026-12-20 in Xero")
    counts = "SELECT last_success_at = last_ended_at AS counts FROM xero_sync.standing WHERE direction = 'push'"
    assert books.world.query(counts) == [{"counts": True}]


@pytest.mark.parametrize(
    ("kind", "other", "columns"),
    [
        ("bills", "bills", {}),
        ("bills", "expenses", {}),
        ("expenses", "bills", {}),
        ("credit_notes", "credit_notes", {"side": "supplier"}),
    ],
)
def test_two_of_one_contact_number_and_amount_are_both_pushed_and_the_second_is_said(
    books: Books, kind: str, other: str, columns: dict[str, Any]
) -> None:
    first = books.add(other, Line("100"), number="4711", **columns)
    if kind == "bills":  # of the others a number is there once
        books.add(kind, Line("90"), number="4711", **columns)  # another amount
        books.add(kind, Line("100"), number="4711", contact=1, **columns)  # another supplier
    books.add(kind, Line("100"), number="4712", **columns)
    for one in {kind, other}:
        assert books.push(one).status == "success"
    second = books.add(kind, Line("100"), number=" 4711", **columns)
    assert books.push(kind).status == "warning"
    assert "of this contact, number and amount" in remarks(books, kind, second)[0]
    assert {books.row(other, first)["push_state"], books.row(kind, second)["push_state"]} == {"pushed"}
