"""Documents of the books in Xero as people there change them, and the differences that follow."""

from typing import Any
from uuid import UUID

from tests.support.kept_session import kept_session
from tests.support.pushing import PRICED, Books, Row
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import Difference

#: By which name a bookkeeper's act takes the id of a document of this kind.
ACTS = {
    "invoices": "invoice",
    "bills": "invoice",
    "expenses": "invoice",
    "credit_notes": "credit",
    "purchase_orders": "purchase_order",
}
INVOICES = ("invoices", "bills", "expenses")
UNPAID = {
    "invoices": "Un-paid",
    "bills": "Unpaid",
    "expenses": "Unpaid",
    "credit_notes": "Issued",
    "purchase_orders": "Issued",
}
#: What is in the path of a call that lists documents of this kind.
LISTS = {
    **dict.fromkeys(INVOICES, "/Invoices?"),
    "credit_notes": "/CreditNotes?",
    "purchase_orders": "/PurchaseOrders?",
}


def do(books: Books, kind: str, document: UUID, act: str, **order: Any) -> Row:
    """What a bookkeeper does with it in Xero."""
    return books.bookkeep(act, **{ACTS[kind]: str(books.row(kind, document)["xero_id"])}, **order)


def record(books: Books, kind: str, document: UUID) -> Row:
    xero_id = str(books.row(kind, document)["xero_id"])
    return books.world.sandbox.record(PRICED[kind][1], xero_id, books.organisation)


def sweep(books: Books, **how: Any) -> Any:
    return books.world.pull("document_status", books.organisation, **how)


def sweep_fully(books: Books) -> None:
    sweep(books, full=True)


def differing(books: Books, document: UUID | None = None, *, only_open: bool = True) -> list[Difference]:
    documents = None if document is None else [document]
    with kept_session(books.world.engine) as db:
        return differences.listed(db, books.connection_id, only_open=only_open, documents=documents)


def choose(books: Books, document: UUID, side: str) -> None:
    """What a user decides about its only difference."""
    [one] = differing(books, document)
    with kept_session(books.world.engine) as db:
        assert differences.choose(db, one.id, "office", side, seen=one.seen)


def set_conflicts(books: Books, mode: str) -> None:
    """Whose version stays, as if it had always been that."""
    books.world.query("DELETE FROM xero_sync.connection_setting")
    books.world.query(
        "INSERT INTO xero_sync.connection_setting (connection_id, conflicts) VALUES (%s, %s)", books.connection_id, mode
    )
