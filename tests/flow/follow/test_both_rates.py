"""Currency and rate, edited on either side or on both: afterwards both are equal, or a difference is open. No rate is
with a currency that nobody gave it.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from tests.support.followed import choose, differing, do, record, set_conflicts, sweep
from tests.support.one_world import books_for_all
from tests.support.pushing import Books, Line
from tests.support.trading import OF_THE_DAY, SEVERAL, set_base_currency

Pair = tuple[str, Decimal | None]
SEVEN, ONE = Decimal("0.7"), Decimal(1)
BEFORE: tuple[Pair, ...] = (("EUR", SEVEN), ("EUR", None), ("AUD", None), ("AUD", ONE), ("", None))
OURS: tuple[dict[str, Any], ...] = (
    {},
    {"currency_rate": Decimal("0.71")},
    {"currency_rate": None},
    {"currency": "NZD", "currency_rate": Decimal("1.1")},
    {"currency": "NZD", "currency_rate": None},
    {"currency": "AUD"},
    {"currency": ""},
    {"reference": "edited"},
)
THEIRS: tuple[dict[str, Any], ...] = (
    {},
    {"CurrencyRate": "0.65"},
    {"CurrencyCode": "NZD"},
    {"CurrencyCode": "NZD", "CurrencyRate": "0.7"},
    {"CurrencyCode": "AUD"},
    {"CurrencyCode": "EUR", "CurrencyRate": "1"},
)


class Case(NamedTuple):
    """What was there before, and what was edited on each side."""

    before: Pair
    ours: dict[str, Any]
    theirs: dict[str, Any]


@pytest.fixture(scope="module")
def books(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    with books_for_all(sandbox_url, postgres_url, template) as made:
        made.world.pull("currencies", SEVERAL)
        yield Books(made.world, SEVERAL)


def settle(books: Books, kind: str) -> None:
    for _ in range(2):
        books.push(kind)
        sweep(books)


@pytest.mark.parametrize(
    ("kind", "mode", "own"),
    [
        ("bills", "ask", "AUD"),
        ("credit_notes", "qicworks", "AUD"),
        ("invoices", "xero", "AUD"),
        ("purchase_orders", "ask", "NZD"),
        ("expenses", "xero", "NZD"),
    ],
)
def test_both_are_equal_or_a_difference_is_open(books: Books, kind: str, mode: str, own: str) -> None:
    set_conflicts(books, mode)
    set_base_currency(books, own)
    cases = [Case(*one) for one in product(BEFORE, OURS, THEIRS)]
    made = [books.add(kind, Line("10"), currency=one.before[0], currency_rate=one.before[1]) for one in cases]
    books.push(kind)
    pushed = [_shown(record(books, kind, document)) for document in made]
    for document, case, was in zip(made, cases, pushed, strict=True):
        theirs = {**case.theirs, **({"CurrencyRate": "1"} if case.theirs.get("CurrencyCode") == own else {})}
        if case.theirs and not (theirs.get("CurrencyCode", was[0]) == own and theirs.get("CurrencyRate") != "1"):
            do(books, kind, document, "edit", fields=theirs)
    edited = [_shown(record(books, kind, document)) for document in made]
    for document, case in zip(made, cases, strict=True):
        if case.ours:
            books.edit(kind, document, **case.ours)
    settle(books, kind)
    _check(books, kind, own, made, cases, edited)
    for place, document in enumerate(made):
        if len(differing(books, document)) == 1:
            choose(books, document, ("qicworks", "xero")[place % 2])
            books.edit(kind, document, push_state="ready")
    settle(books, kind)
    _check(books, kind, own, made, cases, edited)


def _shown(there: dict[str, Any]) -> Pair:
    return there["CurrencyCode"], Decimal(str(there["CurrencyRate"]))


def _check(books: Books, kind: str, own: str, made: list[UUID], cases: list[Case], edited: list[Pair]) -> None:
    for document, case, was in zip(made, cases, edited, strict=True):
        row, there = books.row(kind, document), _shown(record(books, kind, document))
        ours = (row["currency"].strip() or own, row["currency_rate"])
        after = {"currency": case.before[0], "currency_rate": case.before[1], **case.ours}
        entered = [
            (code.strip() or own, rate) for code, rate in (case.before, (after["currency"], after["currency_rate"]))
        ]
        said = (*case, "QicWorks", ours, "Xero", there, row["push_state"], row["push_error"])
        # Whose pair it is.
        left = (ours[0], None)
        assert ours in [*entered, was, left], said
        if ours == left and ours not in entered:
            assert ours[0] == own or None in (entered[0][1], entered[1][1]), said
        of_the_day = [(code, Decimal(str(OF_THE_DAY.get(code, 1)))) for code, rate in entered]
        assert there in [*entered, was, *of_the_day, *((code, ONE) for code, _ in entered if code == own)], said
        # Equal, or named.
        is_equal = ours[0] == there[0] and (ours[0] == own or ours[1] in (None, there[1]))
        if is_equal and row["push_state"] == "pushed":
            assert not differing(books, document), said
        else:
            assert differing(books, document), said
