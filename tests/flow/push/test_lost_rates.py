"""A lost response of a document in another currency: the rate that Xero chose, or QicWorks sent, is no edit in Xero."""

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.support.calls import Forward, intercepted, is_write
from tests.support.followed import differing, set_conflicts, sweep
from tests.support.one_world import books_for_all
from tests.support.pushing import PRICED, Books, Line
from tests.support.trading import SEVERAL

LOOKED_UP = 1_000  # seconds after which a lost request is looked for
RATES: tuple[dict[str, Any], ...] = ({}, {"currency_rate": Decimal("0.7")})


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def books(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    with books_for_all(sandbox_url, postgres_url, template) as made:
        made.world.pull("currencies", SEVERAL)
        yield Books(made.world, SEVERAL)


def lose(books: Books, kind: str) -> None:
    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if is_write(request):
            raise Killed
        return answer

    with intercepted(call), suppress(Killed):
        books.push(kind)
    books.pass_time(LOOKED_UP)


@pytest.mark.parametrize("mode", ["ask", "xero"])
@pytest.mark.parametrize("kind", PRICED)
@pytest.mark.parametrize("made_before", [False, True])
def test_a_lost_response_is_no_edit(books: Books, kind: str, mode: str, made_before: bool) -> None:
    set_conflicts(books, mode)
    documents = [books.add(kind, Line("10"), currency="EUR", **rate) for rate in RATES]
    if made_before:
        books.push(kind)
        for document in documents:
            books.edit(kind, document, reference="one")
    lose(books, kind)
    for document in documents:
        books.edit(kind, document, reference="two")
    books.push(kind)
    sweep(books)
    for document, rate in zip(documents, RATES, strict=True):
        row = books.row(kind, document)
        assert (row["push_state"], row["reference"], row["push_error"]) == ("pushed", "two", None)
        assert row["currency_rate"] == rate.get("currency_rate")
        assert differing(books, document) == []
