"""Xero's version is kept: what of QicWorks' it is written over, and what it leaves alone."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from tests.support.followed import differing, do, record, set_conflicts, sweep
from tests.support.pushing import PRICED, Books, Line, Row
from xero.qicworks.database import session
from xero.qicworks.follow import differences

LINES = (Line("100"), Line("50", "2", "Cable"))


def pushed(books: Books, kind: str) -> UUID:
    document = books.add(kind, *LINES)
    books.push(kind)
    sweep(books)
    return document


def choose(books: Books, document: UUID, side: str) -> None:
    [one] = differing(books, document)
    with session(books.world.engine) as db:
        assert differences.choose(db, one.id, "office", side, seen=one.seen)


def keep_xeros(books: Books, document: UUID, mode: str) -> None:
    """By a user, or by the setting."""
    if mode == "ask":
        choose(books, document, "xero")


def edit_line(books: Books, kind: str, document: UUID, place: int, **columns: object) -> None:
    """As the office does it."""
    sets = ", ".join(f"{name} = %s" for name in columns)
    books.world.query(
        f"UPDATE qicworks.document_line SET {sets} WHERE parent_id = %s AND line_number = %s",
        *columns.values(),
        document,
        place,
    )
    books.reprice(kind, document)


def assert_agree(books: Books, kind: str, document: UUID) -> Row:
    """Both sides have the same, to the cent."""
    books.push(kind)
    sweep(books)
    row = books.row(kind, document)
    assert (row["push_state"], differing(books, document)) == ("pushed", [])
    ours, theirs = books.as_in_qicworks(kind, row), record(books, kind, document)
    assert ours["amounts"][2] == Decimal(str(theirs["Total"]))
    lines = [(line["Description"], Decimal(str(line["Quantity"]))) for line in theirs["LineItems"]]
    assert [(line["description"], line["quantity"]) for line in books.lines(kind, document)] == lines
    return row


@pytest.mark.parametrize("mode", ["ask", "xero"])
@pytest.mark.parametrize("kind", PRICED)
def test_totals_are_not_taken_over_without_the_lines(books: Books, kind: str, mode: str) -> None:
    set_conflicts(books, mode)
    document = pushed(books, kind)
    edit_line(books, kind, document, 2, quantity=9)
    totals = [books.row(kind, document)[name] for name in ("sub_total", "total_tax", "total")]
    do(books, kind, document, "edit", fields={"Date": "2026-10-08"})
    sweep(books)
    keep_xeros(books, document, mode)
    books.push(kind)
    row = assert_agree(books, kind, document)
    assert [row[name] for name in ("sub_total", "total_tax", "total")] == totals
    assert row["issue_date"] == date(2026, 10, 8)
