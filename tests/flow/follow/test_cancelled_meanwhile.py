"""What is cancelled in QicWorks while a pull waits for its row is cancelled; what was saved from an old form is not."""

from uuid import UUID

import psycopg
import pytest

from tests.flow.follow.test_document_status import UNPAID, differing, do, record, sweep
from tests.support.background import in_background
from tests.support.cancelling import CANCELLED
from tests.support.interrupting import wait_for_waiting
from tests.support.pushing import PRICED, Books, Line

PULLS = [(kind, "document_status") for kind in PRICED] + [("invoices", "invoice_payments")]
TAKES_BACK = "UPDATE qicworks.{} SET push_state = 'draft' WHERE id = %s"
CANCELS = "UPDATE qicworks.{} SET status = '{}' WHERE id = %s"


def approved(books: Books, kind: str) -> UUID:
    """Pushed, known to the pull, and since then approved in Xero, and paid in part if it can be. So the pull writes it."""
    document = books.add(kind, Line("100"), status=UNPAID[kind])
    books.push(kind)
    sweep(books)
    if kind == "purchase_orders":
        do(books, kind, document, "bill")
        return document
    do(books, kind, document, "approve")
    if kind != "credit_notes":
        do(books, kind, document, "pay", amount=10)
    return document


@pytest.mark.parametrize("way", ["by its status", "back to draft"])
@pytest.mark.parametrize(("kind", "pull"), PULLS)
def test_a_cancellation_during_a_pull_stays(books: Books, kind: str, pull: str, way: str) -> None:
    document, table = approved(books, kind), PRICED[kind][0]
    by_status = way == "by its status" and kind in CANCELLED
    statement = CANCELS.format(table, CANCELLED[kind]) if by_status else TAKES_BACK.format(table)
    with psycopg.connect(books.world.database_url) as office:
        office.execute(statement.encode(), [document])
        pulled = in_background(lambda: books.world.pull(pull, books.organisation))
        wait_for_waiting(books.world)
    pulled.result(timeout=60)
    status = CANCELLED[kind] if by_status else UNPAID[kind]
    assert books.row(kind, document)["status"] == status
    assert books.world.query("SELECT how FROM xero_sync.cancellation WHERE done_at IS NULL") == [
        {"how": "cancelled" if status in ("Cancelled", "Archived") else "draft"}
    ]
    books.push(kind)
    sweep(books)
    row = books.row(kind, document)
    assert (row["status"], row["xero_status"]) == (status, record(books, kind, document)["Status"])
    assert [one.reason for one in differing(books, document)] == ["cancelled_in_qicworks"]
