"""What becomes of open differences when the setting changes that says whose version stays."""

from datetime import date
from uuid import UUID

import pytest

from tests.support.followed import differing, do, record, sweep
from tests.support.in_step import Steps, every_kind
from tests.support.pushing import ISSUED, Books
from xero.api import wire
from xero.qicworks.connect import settings
from xero.qicworks.database import session

IN_XERO, LATER = date(2026, 10, 8), date(2026, 10, 12)


def change(books: Books, mode: str) -> None:
    with session(books.world.engine) as db:
        settings.change(db, books.connection_id, {"conflicts": mode}, "office")


def dates(books: Books, kind: str, document: UUID) -> tuple[date, date | None]:
    """In QicWorks, and in Xero."""
    return books.row(kind, document)["issue_date"], wire.date(record(books, kind, document)["Date"])


def states(books: Books, kind: str, *documents: UUID) -> list[str]:
    return [books.row(kind, document)["push_state"] for document in documents]


@pytest.mark.parametrize("mode", ["qicworks", "xero"])
@every_kind
def test_it_decides_about_what_was_only_edited_in_xero_and_not_about_what_failed(
    books: Books, kind: str, mode: str
) -> Steps:
    in_xero, in_both = books.add(kind), books.add(kind)
    books.push(kind)
    for document in (in_xero, in_both):
        do(books, kind, document, "edit", fields={"Date": IN_XERO.isoformat()})
    books.edit(kind, in_both, issue_date=date(2026, 10, 9))
    books.push(kind)
    yield sweep
    assert states(books, kind, in_xero, in_both) == ["pushed", "failed"]
    assert [one.document_id for each in (in_xero, in_both) for one in differing(books, each)] == [in_xero, in_both]

    change(books, mode)
    books.world.calls()
    books.push(kind)
    assert books.writes() == [], "it decides from the next sweep on"
    yield sweep
    assert states(books, kind, in_xero, in_both) == ["ready", "failed"]
    books.push(kind)
    yield sweep
    kept = {"qicworks": ISSUED, "xero": IN_XERO}[mode]
    assert (dates(books, kind, in_xero), differing(books, in_xero)) == ((kept, kept), [])
    assert states(books, kind, in_xero, in_both) == ["pushed", "failed"], "a person saw both versions of what failed"
    assert dates(books, kind, in_both) == (date(2026, 10, 9), IN_XERO)
    assert [one.reason for one in differing(books, in_both)] == ["edited_in_xero"]

    books.edit(kind, in_both, issue_date=LATER)
    books.push(kind)
    yield sweep
    kept = {"qicworks": LATER, "xero": IN_XERO}[mode]
    assert (dates(books, kind, in_both), differing(books)) == ((kept, kept), [])


@every_kind
def test_qicworks_version_does_not_overwrite_what_was_approved(books: Books, kind: str) -> Steps:
    document = books.add(kind)
    books.push(kind)
    do(books, kind, document, "edit", fields={"Date": IN_XERO.isoformat()})
    do(books, kind, document, "approve")
    yield sweep
    change(books, "qicworks")
    yield sweep
    assert (states(books, kind, document), dates(books, kind, document)) == (["pushed"], (ISSUED, IN_XERO))
    assert [one.reason for one in differing(books, document)] == ["edited_in_xero"]
