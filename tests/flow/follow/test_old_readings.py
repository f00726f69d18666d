"""A record that is older than the last push, or of which Xero left a part out, decides nothing."""

from datetime import date
from uuid import UUID

import pytest

from tests.support.between import Between, Said
from tests.support.cancelling import CANCELLED
from tests.support.followed import LISTS, UNPAID, differing, do, record, set_conflicts, sweep
from tests.support.in_step import Steps, every_kind
from tests.support.pushing import PRICED, Books, Line
from tests.support.reconciling import compare
from tests.support.tying_out import tie
from xero.sync.follow.tie_out import State

PULLS = [*((kind, "document_status") for kind in PRICED), ("invoices", "invoice_payments")]


def reasons(books: Books, document: UUID) -> list[str]:
    return [one.reason.value for one in differing(books, document)]


def compared(books: Books) -> None:
    compare(books.world, books.organisation)


@pytest.mark.parametrize("mode", ["ask", "qicworks", "xero"])
@every_kind
def test_what_was_pushed_since_xero_was_read_is_not_reconciled_with_it(books: Books, kind: str, mode: str) -> Steps:
    set_conflicts(books, mode)
    document = books.add(kind, Line("100"))
    books.push(kind)
    yield sweep
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    books.push(kind)
    yield compared
    assert (books.row(kind, document)["push_state"], reasons(books, document)) == ("pushed", [])
    yield sweep
    yield compared
    assert (books.row(kind, document)["push_state"], reasons(books, document)) == ("pushed", [])


def test_an_old_record_makes_nothing_count_as_pushed(books: Books) -> None:
    """Xero has the second version; the third, which failed, is as the first was."""
    document = books.add("bills", Line("100"))
    books.push("bills")
    sweep(books)
    first = books.row("bills", document)["issue_date"]
    books.edit("bills", document, issue_date=date(2026, 10, 9))
    books.push("bills")
    do(books, "bills", document, "approve")
    books.edit("bills", document, issue_date=first)
    books.push("bills")
    assert books.row("bills", document)["push_state"] == "failed"
    compare(books.world, books.organisation)
    assert (books.row("bills", document)["push_state"], reasons(books, document)) == ("failed", ["approved_in_xero"])
    sweep(books)
    assert (books.row("bills", document)["push_state"], reasons(books, document)) == ("failed", ["approved_in_xero"])


def test_reconcile_leaves_every_document_compared(books: Books) -> None:
    documents = {kind: books.add(kind) for kind in PRICED}
    for kind in documents:
        books.push(kind)
    sweep(books)
    compared(books)
    states = {one.document.id: one.state for one in tie(books, again=False).documents}
    assert {kind: states.pop(document, None) for kind, document in documents.items()} == dict.fromkeys(
        PRICED, State.EQUAL
    )
    assert states == {}


def sweep_without_lines(books: Books) -> None:
    """Xero leaves them out of its lists."""

    def without_lines(answer: dict[str, list[dict[str, object]]]) -> None:
        for _, collection, *_ in PRICED.values():
            for one in answer.get(collection, ()):
                one.pop("LineItems", None)

    between = Between(books.world.sandbox)
    between.edit(without_lines, path="s?")  # not those of one record: its id is before the question mark
    try:
        sweep(books)
    finally:
        between.close()


@every_kind
def test_a_record_without_its_lines_settles_nothing(books: Books, kind: str) -> Steps:
    document = books.add(kind, Line("100"))
    books.push(kind)
    yield sweep
    lines = record(books, kind, document)["LineItems"]
    do(books, kind, document, "edit", fields={"LineItems": [{**lines[0], "Description": "Otherwise"}]})
    yield sweep
    assert reasons(books, document) == ["edited_in_xero"]
    do(books, kind, document, "edit", fields={"Date": str(books.row(kind, document)["issue_date"])[:10]})
    yield sweep_without_lines
    assert reasons(books, document) == ["edited_in_xero"]
    do(books, kind, document, "edit", fields={"LineItems": lines})
    yield sweep
    assert reasons(books, document) == []


@every_kind
def test_an_edit_that_waits_again_settles_nothing(books: Books, kind: str) -> Steps:
    document = books.add(kind, Line("100"))
    books.push(kind)
    do(books, kind, document, "approve")
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    books.push(kind)
    yield sweep
    [found] = differing(books, document)
    assert found.reason == "approved_in_xero"
    books.edit(kind, document, issue_date=date(2026, 10, 10))
    yield sweep
    [still] = differing(books, document)
    assert (books.row(kind, document)["push_state"], still.id) == ("ready", found.id)


@pytest.mark.parametrize(("kind", "pull"), PULLS)
def test_what_is_deleted_in_xero_during_a_sweep_keeps_its_status(books: Books, kind: str, pull: str) -> None:
    """The sweep has read the record as it was before."""
    document = books.add(kind, Line("100"), status=UNPAID[kind])
    books.push(kind)
    do(books, kind, document, "edit", fields={"Date": "2026-10-06"})
    between, pushed = Between(books.world.sandbox), []

    def push(method: str, path: str, answer: Said) -> None:
        if method == "GET" and LISTS[kind] in path and not pushed:
            pushed.append(path)
            books.edit(
                kind, document, **({"status": CANCELLED[kind]} if kind in CANCELLED else {"push_state": "draft"})
            )
            books.push(kind)

    between.change = push
    try:
        books.world.pull(pull, books.organisation)
    finally:
        between.close()
    assert pushed
    gone = record(books, kind, document)["Status"]
    assert gone == "DELETED"
    assert (books.row(kind, document)["xero_status"], reasons(books, document)) == (gone, [])
    sweep(books)
    assert (books.row(kind, document)["xero_status"], reasons(books, document)) == (gone, [])
