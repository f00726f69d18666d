"""What happens to a document in Xero after its push, and what QicWorks makes of it."""

from typing import Any
from uuid import UUID

import pytest

from tests.support.pushing import PRICED, Books, Line, Row
from xero.qicworks.database import session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import Difference

ACTS = {
    "invoices": "invoice",
    "bills": "invoice",
    "expenses": "invoice",
    "credit_notes": "credit",
    "purchase_orders": "purchase_order",
}


def sweep(books: Books, **how: Any) -> Any:
    return books.world.pull("document_status", books.organisation, **how)


def differing(books: Books, *, only_open: bool = True) -> list[Difference]:
    with session(books.world.engine) as db:
        return differences.listed(db, books.connection_id, only_open=only_open)


def do(books: Books, kind: str, document: UUID, act: str, **order: Any) -> Row:
    return books.bookkeep(act, **{ACTS[kind]: str(books.row(kind, document)["xero_id"])}, **order)


@pytest.mark.parametrize("kind", PRICED)
def test_nothing_happened(books: Books, kind: str) -> None:
    document = books.add(kind, Line("7.1234", "3"), Line(department=True))
    books.push(kind)
    print(sweep(books))
    assert differing(books) == []
    books.world.calls()
    again = sweep(books)
    print(again, [call["path"] for call in books.world.calls()])
    do(books, kind, document, "approve")
    print(sweep(books), books.row(kind, document), differing(books))
    assert 0
