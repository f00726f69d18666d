"""A change whose response was lost, and what either side does before it is known whether the change arrived."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import requests

from tests.support.both_sides import fields_that_differ
from tests.support.calls import Forward, intercepted, is_write
from tests.support.followed import differing, do, record, set_conflicts, sweep
from tests.support.one_world import books_for_all
from tests.support.pushing import ISSUED, PRICED, Books, Line, Row

MODES = ("ask", "qicworks", "xero")
REPLAYED, LOOKED_UP = 0, 400  # seconds until the next push: the request is sent again under its key, or looked up
Act = Callable[[Books, str, UUID], None]


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def books(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    with books_for_all(sandbox_url, postgres_url, template) as made:
        yield made


@contextmanager
def killed(*, arrives: bool) -> Iterator[None]:
    """At the first write, after Xero has it or before."""

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        if not is_write(request):
            return forward()
        if arrives:
            forward()
        raise Killed

    with intercepted(call), suppress(Killed):
        yield


def edit_line(books: Books, kind: str, document: UUID) -> None:
    [*_, line] = books.lines(kind, document)
    words = "description = left(description, 30) || 'e', unit_price = unit_price + 1"
    books.world.query(f"UPDATE qicworks.document_line SET {words} WHERE id = %s", line["id"])
    books.reprice(kind, document)


def add_line(books: Books, kind: str, document: UUID) -> None:
    lines = books.lines(kind, document)
    books.add_line(kind, document, Line(f"{len(lines)}7"), lines[-1]["line_number"] + 1)
    books.reprice(kind, document)


def remove_line(books: Books, kind: str, document: UUID) -> None:
    [*_, line] = books.lines(kind, document)
    books.world.query("DELETE FROM qicworks.document_line WHERE id = %s", line["id"])
    books.reprice(kind, document)


def redate(books: Books, kind: str, document: UUID) -> None:
    books.edit(kind, document, issue_date=books.row(kind, document)["issue_date"] + timedelta(days=1))


def renumber(books: Books, kind: str, document: UUID) -> None:
    books.edit(kind, document, number=f"{books.row(kind, document)['number']}-1")


#: The change whose response is lost, and the next one.
HISTORIES: tuple[tuple[Act, Act], ...] = (
    *((edit_line, then) for then in (edit_line, add_line, remove_line)),
    *((add_line, then) for then in (edit_line, add_line, remove_line, renumber)),
    (remove_line, add_line),
    (remove_line, remove_line),
    (redate, redate),
    (redate, remove_line),
    (renumber, renumber),
)


def pushed(books: Books, kind: str) -> UUID:
    return books.add(kind, Line("10"), Line("20"), Line("30", department=True))


def ours(books: Books, kind: str, document: UUID) -> tuple[Row, list[Row]]:
    row, lines = books.row(kind, document), books.lines(kind, document)
    names = ("number", "issue_date", "sub_total", "total_tax", "total")
    of_line = ("id", "description", "quantity", "unit_price")
    return {name: row[name] for name in names}, [{name: line[name] for name in of_line} for line in lines]


def differ(books: Books, kind: str, document: UUID) -> set[str]:
    return set(fields_that_differ(books, kind, books.row(kind, document), record(books, kind, document)))


def messages(books: Books, document: UUID) -> str:
    found = books.world.query("SELECT message FROM xero_sync.connection_event WHERE document_id = %s", document)
    return "; ".join(row["message"] for row in found)


def lose(books: Books, kind: str, seconds: float, *, arrives: bool) -> None:
    with killed(arrives=arrives):
        books.push(kind)
    books.pass_time(seconds)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", PRICED)
def test_what_arrived_is_no_edit_in_xero(books: Books, kind: str, mode: str) -> None:
    set_conflicts(books, mode)
    histories = {pushed(books, kind): history for history in HISTORIES}
    books.push(kind)
    for document, (first, _) in histories.items():
        first(books, kind, document)
    lose(books, kind, LOOKED_UP, arrives=True)
    for document, (_, then) in histories.items():
        then(books, kind, document)
    edited = {document: ours(books, kind, document) for document in histories}
    books.push(kind)
    sweep(books)
    for document, (first, then) in histories.items():
        history = f"{first.__name__}, {then.__name__}"
        assert ours(books, kind, document) == edited[document], history
        assert "changed in Xero" not in messages(books, document), history
        assert (differing(books, document), differ(books, kind, document)) == ([], set()), history
        assert books.row(kind, document)["push_state"] == "pushed", history


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", PRICED)
def test_what_a_search_found_is_no_edit_in_xero(books: Books, kind: str, mode: str) -> None:
    set_conflicts(books, mode)
    documents = {pushed(books, kind): act for act in (edit_line, remove_line, redate)}
    lose(books, kind, LOOKED_UP, arrives=True)
    for document, then in documents.items():
        then(books, kind, document)
    edited = {document: ours(books, kind, document) for document in documents}
    books.push(kind)
    for document in documents:
        assert ours(books, kind, document) == edited[document]
        assert "changed in Xero" not in messages(books, document)
        assert (books.row(kind, document)["push_state"], differ(books, kind, document)) == ("pushed", set())


@pytest.mark.parametrize("seconds", [REPLAYED, LOOKED_UP])
@pytest.mark.parametrize("kind", ["invoices", "credit_notes", "purchase_orders"])
def test_lines_that_arrived_are_known_though_the_next_change_is_refused(
    books: Books, kind: str, seconds: float
) -> None:
    set_conflicts(books, "ask")
    document, other = pushed(books, kind), pushed(books, kind)
    books.push(kind)
    add_line(books, kind, document)
    lose(books, kind, seconds, arrives=True)
    taken = books.row(kind, other)["number"]
    books.edit(kind, other, number=f"{taken}-free", push_state="skipped")
    books.edit(kind, document, number=taken)
    books.push(kind)
    assert books.row(kind, document)["push_state"] == "failed", "its number is another one's"
    sweep(books)
    [one] = differing(books, document)
    assert set(one.ours) == differ(books, kind, document) == {"number"}
    books.edit(kind, document, number=f"{taken}-own")
    books.push(kind)
    assert books.row(kind, document)["push_state"] == "pushed"
    assert differ(books, kind, document) == set()


@pytest.mark.parametrize("seconds", [REPLAYED, LOOKED_UP])
@pytest.mark.parametrize("kind", PRICED)
def test_a_line_that_arrived_and_was_edited_in_xero_is_not_doubled(books: Books, kind: str, seconds: float) -> None:
    set_conflicts(books, "xero")
    document = pushed(books, kind)
    books.push(kind)
    add_line(books, kind, document)
    lose(books, kind, seconds, arrives=True)
    redate(books, kind, document)
    edit_in_xero(books, kind, document)
    for _ in range(2):
        books.push(kind)
        sweep(books)
    assert [line["unit_price"] for line in books.lines(kind, document)] == [10, 20, 30, 99]
    assert books.row(kind, document)["issue_date"] == ISSUED + timedelta(days=1)
    assert (differing(books, document), differ(books, kind, document)) == ([], set())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", PRICED)
def test_a_change_that_did_not_arrive_does_not_overwrite_what_was_edited_in_xero_since(
    books: Books, kind: str, mode: str
) -> None:
    set_conflicts(books, mode)
    document = pushed(books, kind)
    books.push(kind)
    redate(books, kind, document)
    lose(books, kind, REPLAYED, arrives=False)
    edit_in_xero(books, kind, document)
    books.push(kind)
    sweep(books)
    price = Decimal(str(record(books, kind, document)["LineItems"][-1]["UnitAmount"]))
    named = {name for one in differing(books, document) for name in one.ours}
    assert named == differ(books, kind, document)
    if mode == "ask":
        assert (price, "line 3 unit price" in named) == (99, True)
    elif mode == "xero":
        assert (price, books.lines(kind, document)[-1]["unit_price"]) == (99, 99)
    else:
        assert (price, named) == (30, set())
        assert "tries to overwrite what was changed in Xero" in messages(books, document)


@pytest.mark.parametrize("kind", PRICED)
def test_a_document_that_is_edited_during_its_push_knows_its_lines(books: Books, kind: str) -> None:
    document = pushed(books, kind)

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        if is_write(request):
            redate(books, kind, document)
        return forward()

    with intercepted(call):
        books.push(kind)
    there = [line["LineItemID"] for line in record(books, kind, document)["LineItems"]]
    assert [str(line["xero_line_id"]) for line in books.lines(kind, document)] == there


def edit_in_xero(books: Books, kind: str, document: UUID) -> None:
    """The price of its last line."""
    lines = [{"LineItemID": line["LineItemID"]} for line in record(books, kind, document)["LineItems"]]
    do(books, kind, document, "edit", fields={"LineItems": [*lines[:-1], {**lines[-1], "UnitAmount": 99}]})


@pytest.mark.parametrize("mode", MODES)
def test_a_field_that_is_emptied_and_cannot_be_sent_is_named(books: Books, mode: str) -> None:
    """An approved document that Xero keeps as it is."""
    set_conflicts(books, mode)
    for kind in PRICED:
        document = books.add(kind, Line("10"), reference="PO 7")
        books.push(kind)
        if "reference" not in differ_if_emptied(books, kind, document):
            continue  # Xero has no reference of this kind
        do(books, kind, document, "approve")
        books.push(kind)
        sweep(books)
        row = books.row(kind, document)
        named = {name for one in differing(books, document) for name in one.ours}
        assert (row["push_state"] == "pushed") == (not differ(books, kind, document)), kind
        assert named == differ(books, kind, document), kind


def differ_if_emptied(books: Books, kind: str, document: UUID) -> set[str]:
    books.edit(kind, document, reference=None)
    return differ(books, kind, document)
