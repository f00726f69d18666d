"""The rate of a document in another currency: what was changed in Xero is named, and taken over or overwritten."""

from decimal import Decimal
from uuid import UUID

import pytest

from tests.support.between import Between
from tests.support.followed import choose, differing, do, record, set_conflicts, sweep
from tests.support.pushing import PRICED, Books
from tests.support.trading import SEVERAL, books_of, shown
from tests.support.tying_out import tie
from tests.support.world import World

each = pytest.mark.parametrize("kind", PRICED)
EUR = {"currency": "EUR", "currency_rate": Decimal("0.7")}


def rate(books: Books, kind: str, document: UUID) -> tuple[str, Decimal | None]:
    row = books.row(kind, document)
    return row["currency"], row["currency_rate"]


@each
def test_a_rate_that_was_changed_in_xero_is_a_difference_until_a_side_is_chosen(world: World, kind: str) -> None:
    books = books_of(world, SEVERAL)
    kept, taken, within, left = (books.add(kind, **EUR) for _ in range(4))
    unset = books.add(kind, currency="EUR")
    books.push(kind)
    for document in (kept, taken, unset):
        do(books, kind, document, "edit", fields={"CurrencyRate": "0.65"})
    do(books, kind, within, "edit", fields={"CurrencyRate": "0.7000004"})
    sweep(books)
    for document in (kept, taken):
        [found] = differing(books, document)
        assert (found.reason, found.ours, found.theirs) == (
            "edited_in_xero",
            {"currency rate": "0.7"},
            {"currency rate": "0.65"},
        )
    assert not any(differing(books, one) for one in (within, left, unset)), "QicWorks leaves the rate to Xero"
    tied = tie(books)
    assert {one.document.id: one.state.value for one in tied.documents} == {
        kept: "differs",
        taken: "differs",
        within: "equal",
        left: "equal",
        unset: "equal",
    }
    for document, side in ((kept, "qicworks"), (taken, "xero")):
        choose(books, document, side)
        books.edit(kind, document, push_state="ready")
    books.push(kind)
    sweep(books)
    assert (shown(books, kind, kept), rate(books, kind, kept)) == (("EUR", 0.7), ("EUR", Decimal("0.7")))
    assert (shown(books, kind, taken), rate(books, kind, taken)) == (("EUR", 0.65), ("EUR", Decimal("0.65")))
    assert tie(books).is_green


@each
def test_a_rate_is_taken_over_with_its_currency_only(world: World, kind: str) -> None:
    books = books_of(world, SEVERAL)
    set_conflicts(books, "xero")
    to_own, of_own, unset, unlike = (
        books.add(kind, **columns) for columns in (EUR, {"currency_rate": Decimal(1)}, {"currency": "EUR"}, EUR)
    )
    books.push(kind)
    do(books, kind, to_own, "edit", fields={"CurrencyCode": "AUD"})
    do(books, kind, of_own, "edit", fields={"CurrencyCode": "NZD", "CurrencyRate": "1.2"})
    do(books, kind, unset, "edit", fields={"CurrencyCode": "NZD"})
    do(books, kind, unlike, "edit", fields={"CurrencyRate": "0.65"})
    books.edit(kind, unlike, currency="NZD", currency_rate=Decimal("1.1"))
    before = {one: record(books, kind, one) for one in (to_own, of_own, unset)}
    sweep(books)
    books.push(kind)
    sweep(books)
    assert rate(books, kind, to_own) == ("AUD", 1)
    assert rate(books, kind, of_own) == ("NZD", Decimal("1.2")), "the rate of before is none of NZD"
    assert rate(books, kind, unset) == ("NZD", None)
    for document, there in before.items():
        assert record(books, kind, document) == there
        assert (books.row(kind, document)["push_state"], differing(books, document)) == ("pushed", [])
    row = books.row(kind, unlike)
    assert row["push_state"] == "failed"
    assert "its currency rate in Xero is one of another currency" in row["push_error"]
    assert rate(books, kind, unlike) == ("NZD", Decimal("1.1"))


def test_a_record_without_its_rate_settles_nothing(world: World) -> None:
    books = books_of(world, SEVERAL)
    document = books.add("bills", **EUR)
    books.push("bills")
    do(books, "bills", document, "edit", fields={"CurrencyRate": "0.65"})
    sweep(books)
    assert len(differing(books, document)) == 1
    do(books, "bills", document, "edit", fields={"CurrencyRate": "0.7", "Date": "2026-10-05"})
    between = Between(world.sandbox)
    between.edit(lambda answer: [one.pop("CurrencyRate") for one in answer["Invoices"]] and None, path="/Invoices")
    sweep(books)
    assert len(differing(books, document)) == 1, "what a server leaves out is not known"
    between.honest()
    sweep(books, full=True)
    assert not differing(books, document)
