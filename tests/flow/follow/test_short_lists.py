"""A full list that lacks records says nothing about them: Xero is asked for each by its id."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.support.between import Between
from tests.support.followed import differing, do, sweep
from tests.support.pushing import PRICED, Books, Line
from tests.support.tying_out import tie
from xero.sync.follow.tie_out import State

RECORDS = {"credit_notes": "credit_note_record", "purchase_orders": "purchase_order_record"}


@pytest.fixture
def between(books: Books) -> Iterator[Between]:
    made = Between(books.world.sandbox)
    yield made
    made.close()


def shorten(between: Between, envelope: str, keep: Callable[[dict[str, Any]], bool]) -> None:
    """Every list has only these; a record by its id is answered as Xero does."""

    def edit(answer: dict[str, Any]) -> None:
        if "pagination" in answer:
            answer[envelope] = [one for one in answer[envelope] if keep(one)]
            answer["pagination"]["itemCount"] = len(answer[envelope])

    between.edit(edit, path=f"/{envelope}")


def is_first(books: Books, kind: str, documents: list[UUID], count: int) -> Callable[[dict[str, Any]], bool]:
    key = f"{PRICED[kind][1].removesuffix('s')}ID"
    kept = {str(books.row(kind, one)["xero_id"]) for one in documents[:count]}
    return lambda one: one[key] in kept


def missing(books: Books, kind: str) -> int:
    table = RECORDS.get(kind, "invoice_record")
    [row] = books.world.query(f"SELECT count(*) FROM qicworks.{table} WHERE missing_since IS NOT NULL OR NOT is_active")
    return int(row["count"])


def pushed(books: Books) -> dict[str, list[UUID]]:
    """Eight documents of each kind, which the pull knows."""
    made = {kind: [books.add(kind, Line("100")) for _ in range(8)] for kind in PRICED}
    for kind in made:
        books.push(kind)
    sweep(books)
    return made


def shorten_all(between: Between, books: Books, made: dict[str, list[UUID]], count: int) -> None:
    """The list of each kind has only so many of its documents."""
    kept = [(PRICED[kind][1], is_first(books, kind, documents, count)) for kind, documents in made.items()]

    def edit(answer: dict[str, Any]) -> None:
        for envelope in {envelope for envelope, _ in kept if envelope in answer and "pagination" in answer}:
            keep = [of_kind for of, of_kind in kept if of == envelope]
            answer[envelope] = [one for one in answer[envelope] if any(of_kind(one) for of_kind in keep)]
            answer["pagination"]["itemCount"] = len(answer[envelope])

    between.edit(edit, path="/")


def test_half_a_list_makes_nothing_missing(books: Books, between: Between) -> None:
    made = pushed(books)
    shorten_all(between, books, made, 5)
    for kind, documents in made.items():
        do(books, kind, documents[-1], "approve")
    sweep(books, full=True)
    assert ({kind: missing(books, kind) for kind in made}, differing(books)) == (dict.fromkeys(made, 0), [])
    for kind, documents in made.items():
        assert books.row(kind, documents[-1])["xero_status"] == "AUTHORISED", f"{kind}: it was read by its id"
    tied = tie(books)
    everything = [one for documents in made.values() for one in documents]
    assert {one.document.id: one.state for one in tied.documents} == dict.fromkeys(everything, State.EQUAL)


def test_what_xero_has_neither_in_its_list_nor_by_its_id_is_missing(books: Books, between: Between) -> None:
    made = pushed(books)
    shorten_all(between, books, made, 7)
    gone = [str(books.row(kind, documents[-1])["xero_id"]) for kind, documents in made.items()]
    between.instead = lambda method, path: (404, b"") if any(one in path for one in gone) else None
    sweep(books, full=True)
    found = {kind: [one for one in differing(books) if one.document_id in of] for kind, of in made.items()}
    assert {kind: [(one.document_id, one.reason.value) for one in of] for kind, of in found.items()} == {
        kind: [(documents[-1], "missing_in_xero")] for kind, documents in made.items()
    }
    assert len(differing(books)) == len(made)
    between.honest()
    sweep(books, full=True)
    assert differing(books) == []


def test_what_was_not_asked_for_is_not_said_to_be_equal(books: Books, between: Between) -> None:
    """A pull asks for a hundred records by their ids at most."""
    documents = [books.add("bills", Line("100")) for _ in range(210)]
    books.push("bills")
    sweep(books)
    shorten(between, "Invoices", is_first(books, "bills", documents, 107))
    outcome = sweep(books, full=True)
    assert "3 known invoice records did not come with Xero's list and were kept" in outcome.message
    assert (missing(books, "bills"), differing(books)) == (0, [])
    tied = tie(books)
    assert not tied.is_green
    assert {one.title for one in tied.unchecked} == {"Document status"}
    assert {one.state for one in tied.documents} == {State.NOT_CHECKED}
    gone = {str(books.row("bills", one)["xero_id"]) for one in documents[-2:]}
    between.instead = lambda method, path: (404, b"") if path.split("?")[0].rsplit("/", 1)[-1] in gone else None
    for _ in range(20):  # each reading asks for others
        sweep(books, full=True)
        if len(differing(books)) == 2:
            break
    assert {one.document_id for one in differing(books)} == set(documents[-2:])
    between.honest()
    assert "did not come" not in sweep(books, full=True).message
    assert tie(books).is_green


@pytest.mark.parametrize("data_set", ["document_status", "invoice_payments"])
def test_half_of_the_payments_makes_none_inactive(books: Books, data_set: str, between: Between) -> None:
    documents = [books.add("invoices", Line("100")) for _ in range(8)]
    books.push("invoices")
    for one in documents:
        do(books, "invoices", one, "approve")
        do(books, "invoices", one, "pay")
    for name in ("document_status", "invoice_payments"):
        books.world.pull(name, books.organisation)

    def state() -> list[Any]:
        payments = books.world.query(
            "SELECT xero_id, is_active, missing_since FROM qicworks.invoice_payment ORDER BY 1"
        )
        balances = books.world.query(
            "SELECT xero_id, is_active, missing_since FROM qicworks.invoice_balance ORDER BY 1"
        )
        return [*payments, *balances, *({**books.row("invoices", one)} for one in documents)]

    before = state()
    kept = is_first(books, "invoices", documents, 5)
    shorten(between, "Payments", lambda one: kept(one["Invoice"]))
    books.world.pull(data_set, books.organisation, full=True)
    assert (state(), differing(books)) == (before, [])
    shorten(between, "Invoices", kept)
    books.world.pull(data_set, books.organisation, full=True)
    assert (state(), differing(books)) == (before, [])
