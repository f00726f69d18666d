"""The rate of a document in another currency: what was changed in Xero is named, and taken over or overwritten."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.support.between import Between
from tests.support.followed import LISTS, choose, differing, do, record, set_conflicts, sweep
from tests.support.kept_session import kept_session
from tests.support.pushing import PRICED, Books
from tests.support.trading import OF_THE_DAY, SEVERAL, books_of, change, set_base_currency, shown
from tests.support.tying_out import tie
from tests.support.world import World
from xero.documents.registry import KINDS
from xero.qicworks.connect import connections
from xero.qicworks.push.takeovers import Takeovers

each = pytest.mark.parametrize("kind", PRICED)
EUR = {"currency": "EUR", "currency_rate": Decimal("0.7")}


def rate(books: Books, kind: str, document: UUID) -> tuple[str, Decimal | None]:
    row = books.row(kind, document)
    return row["currency"], row["currency_rate"]


def warned(books: Books, document: UUID) -> str:
    found = books.world.query(
        "SELECT message FROM xero_sync.connection_event WHERE document_id = %s AND status = 'warning'", document
    )
    return "; ".join(row["message"] for row in found)


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
    assert rate(books, kind, to_own) == ("AUD", None), "the own currency has no rate"
    assert rate(books, kind, of_own) == ("NZD", Decimal("1.2")), "the rate of before is none of NZD"
    assert "currency rate 0.7 → nothing" in warned(books, to_own)
    assert "currency rate 1 → 1.2" in warned(books, of_own)
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


@each
@pytest.mark.parametrize("own", ["AUD", "NZD"])
def test_the_own_currency_that_a_person_chooses_empties_the_rate(world: World, kind: str, own: str) -> None:
    """A rate of 1 that Xero shows is none that a document in another currency could be sent with later."""
    books = books_of(world, SEVERAL)
    set_base_currency(books, own)
    document, other = books.add(kind, **EUR), books.add(kind, currency="NZD" if own == "AUD" else "AUD")
    books.push(kind)
    do(books, kind, document, "edit", fields={"CurrencyCode": own})
    sweep(books)
    [found] = differing(books, document)
    assert (found.ours, found.theirs) == (
        {"currency": "EUR", "currency rate": "0.7"},
        {"currency": own, "currency rate": ""},
    )
    choose(books, document, "xero")
    books.edit(kind, document, push_state="ready")
    there = record(books, kind, document)
    books.push(kind)
    assert (books.row(kind, document)["push_state"], rate(books, kind, document)) == ("pushed", (own, None))
    assert "currency rate 0.7 → nothing" in warned(books, document)
    sweep(books)
    assert (record(books, kind, document), differing(books, document)) == (there, [])
    assert tie(books).is_green
    books.edit(kind, document, currency="EUR")
    books.push(kind)
    assert shown(books, kind, document) == ("EUR", OF_THE_DAY["EUR"])

    # A rate of 1 in a currency that is not the own one is a rate.
    foreign = rate(books, kind, other)[0]
    books.edit(kind, other, currency_rate=Decimal("0.9"))
    books.push(kind)
    change(books, kind, other, CurrencyRate=1)
    sweep(books)
    [found] = differing(books, other)
    assert (foreign != own, found.ours, found.theirs) == (True, {"currency rate": "0.9"}, {"currency rate": "1"})


@each
def test_what_is_no_rate_or_no_currency_in_xero_is_not_taken_over(world: World, kind: str) -> None:
    books = books_of(world, SEVERAL)
    set_conflicts(books, "xero")
    wrong: dict[str, dict[str, object]] = {
        "its currency rate in Xero is 0,": {"CurrencyRate": 0},
        "its currency rate in Xero is -0.5,": {"CurrencyRate": -0.5},
        "its currency rate in Xero is 1E-9,": {"CurrencyRate": 1e-9},
        "its currency rate in Xero is 10000000000000,": {"CurrencyRate": 10**13},
        "its currency rate in Xero is NaN,": {"CurrencyRate": "NaN"},
        "Xero does not say its currency rate": {"CurrencyCode": "NZD", "CurrencyRate": None},
        "its currency in Xero is 'EURO', which is no code": {"CurrencyCode": "EURO"},
    }
    made = {said: books.add(kind, **EUR) for said in wrong}
    books.push(kind)
    for said, document in made.items():
        change(books, kind, document, **wrong[said])
    there = {document: record(books, kind, document) for document in made.values()}
    sweep(books)
    books.push(kind)
    for said, document in made.items():
        row = books.row(kind, document)
        assert row["push_state"] == "failed", said
        assert "what was changed in Xero could not be taken over: " in row["push_error"]
        assert said in row["push_error"]
        assert rate(books, kind, document) == ("EUR", Decimal("0.7"))
        assert record(books, kind, document) == there[document]
        assert differing(books, document), said


@each
def test_a_rate_that_cannot_be_read_says_nothing_where_xero_chooses_it(world: World, kind: str) -> None:
    books = books_of(world, SEVERAL)
    plural = PRICED[kind][1]
    between = Between(world.sandbox)

    def odd(answer: Any) -> None:
        for one in answer[plural]:
            one["CurrencyRate"] = "one"

    between.edit(odd, path=f"/{plural}", method="PUT")
    own, unset, of_own, foreign = (
        books.add(kind, **columns) for columns in ({}, {"currency": "EUR"}, {"currency_rate": Decimal(2)}, EUR)
    )
    books.push(kind)
    between.edit(odd, path=f"/{plural}")
    sweep(books)
    for document in (own, unset, of_own):
        row = books.row(kind, document)
        assert (row["push_state"], row["push_error"], warned(books, document)) == ("pushed", None, "")
        assert differing(books, document) == []
    [found] = differing(books, foreign)
    assert (found.ours, found.theirs) == ({"currency rate": "0.7"}, {"currency rate": "one"})
    books.edit(kind, own, reference="edited")
    between.honest()
    books.push(kind)
    assert books.row(kind, own)["push_state"] == "pushed"
    assert differing(books, own) == []


def test_without_the_own_currency_no_rate_is_taken_over(world: World) -> None:
    books = books_of(world, SEVERAL)
    set_conflicts(books, "xero")
    document, without = books.add("bills", **EUR), books.add("bills", currency="EUR")
    books.push("bills")
    for one in (document, without):
        do(books, "bills", one, "edit", fields={"CurrencyCode": "AUD"})
    set_base_currency(books, None)
    sweep(books)
    books.push("bills")
    assert "the organisation's own currency is not known" in books.row("bills", document)["push_error"]
    assert [rate(books, "bills", one) for one in (document, without)] == [("EUR", Decimal("0.7")), ("AUD", None)]
    set_base_currency(books, "AUD")
    books.push("bills", documents=[str(document)])
    assert (books.row("bills", document)["push_state"], rate(books, "bills", document)) == ("pushed", ("AUD", None))


@each
def test_a_rate_that_a_worker_of_the_version_before_has_left_is_said_by_the_next_sweep(world: World, kind: str) -> None:
    """It knows of no rates: neither of a document, nor of a record that it reads."""
    books = books_of(world, SEVERAL)
    document = books.add(kind, **EUR)
    books.push(kind)
    do(books, kind, document, "edit", fields={"CurrencyCode": "NZD"})
    sweep(books)
    choose(books, document, "xero")
    version, table = books.row(kind, document)["push_version"], PRICED[kind][0]
    with kept_session(world.engine) as db:
        known = Takeovers(db, connections.one(db, books.connection_id))
        assert not known.write(table, document, version, {"currency": "NZD"}, [], [])
        assert known.write(table, document, version, {"reference": "taken"}, [], [])
    assert rate(books, kind, document) == ("EUR", Decimal("0.7"))

    # It has compared all but the rate, and so called it equal.
    do(books, kind, document, "edit", fields={"CurrencyCode": "EUR", "CurrencyRate": "0.65"})
    sweep(books)
    world.query("UPDATE xero_sync.difference SET settled_at = now(), settled_how = 'agrees'")
    records = KINDS[kind].records
    world.query(f"UPDATE qicworks.{records} SET content = content::jsonb - 'CurrencyRate', row_hash = ''")
    world.query("UPDATE xero_sync.followed_document SET compared = 'by it'")
    plural = PRICED[kind][1]
    Between(world.sandbox).edit(lambda answer: answer[plural].clear(), path=LISTS[kind])  # it was not changed since
    sweep(books)
    assert any("currency rate" in one.theirs for one in differing(books, document))
