"""What is cancelled while a pull waits for its row stays cancelled; an old form of an invoice cancels nothing."""

from uuid import UUID

import psycopg
import pytest

from tests.support.background import in_background
from tests.support.cancelling import CANCELLED
from tests.support.followed import UNPAID, differing, do, record, sweep
from tests.support.interrupting import wait_for_waiting
from tests.support.pushing import PRICED, Books, Line

PULLS = [(kind, "document_status") for kind in PRICED] + [("invoices", "invoice_payments")]
TAKES_BACK = "UPDATE qicworks.{} SET push_state = 'draft' WHERE id = %s"
CANCELS = "UPDATE qicworks.{} SET status = '{}' WHERE id = %s"


def approved(books: Books, kind: str) -> UUID:
    """Pushed, known to the pull, and changed in Xero since then, so the next pull writes its row."""
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


@pytest.mark.parametrize("pull", ["document_status", "invoice_payments"])
def test_a_form_that_was_opened_before_the_pull_cancels_no_invoice(books: Books, pull: str) -> None:
    """It saves all columns, and so the status that the pull has changed since."""
    document = books.add("invoices", Line("100"))
    books.push("invoices")
    form = books.row("invoices", document)["status"]
    books.world.pull(pull, books.organisation)
    assert (form, books.row("invoices", document)["status"]) == ("Draft", "Un-paid")
    books.edit("invoices", document, status=form, job_name="saved with all columns")
    assert books.world.query("SELECT * FROM xero_sync.cancellation") == []
    books.push("invoices")
    assert record(books, "invoices", document)["Status"] == "DRAFT"
    sweep(books)
    assert (books.row("invoices", document)["status"], differing(books)) == ("Un-paid", [])


def test_an_invoice_whose_status_is_draft_can_be_taken_back_and_released(books: Books) -> None:
    document = books.add("invoices", Line("100"))
    books.push("invoices")
    for state in ("draft", "ready", "draft"):
        books.edit("invoices", document, push_state=state)
        left = books.world.query("SELECT how FROM xero_sync.cancellation")
        assert left == ([{"how": "draft"}] if state == "draft" else [])
    books.push("invoices")
    assert record(books, "invoices", document)["Status"] == "DELETED"
