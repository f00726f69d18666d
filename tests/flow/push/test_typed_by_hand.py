"""Hundreds of documents that an office has typed into Xero, too: all are offered, none is pushed twice, whatever goes
wrong. `MANY_DOCUMENTS=300` for more of them."""

import os
from functools import partial
from typing import Any

import pytest
import requests

from tests.support.by_hand import numbered, offers, typed
from tests.support.calls import Forward, intercepted
from tests.support.followed import differing, sweep
from tests.support.kept_session import kept_session
from tests.support.killing import Forked, kill_at, moments, spread
from tests.support.pushing import PRICED, Books
from tests.support.tying_out import tie
from xero.api.errors import XeroError
from xero.documents.registry import KINDS
from xero.qicworks.follow.differences import Reason
from xero.qicworks.push.adopting import decisions
from xero.qicworks.push.adopting.twins import Decision
from xero.sync.runs.outcome import Skip

MANY = int(os.environ.get("MANY_DOCUMENTS", "60"))  # of each kind
NEW = 10  # of each kind that nobody has typed


def link_all(books: Books, kind: str) -> int:
    with kept_session(books.world.engine) as session:
        found = decisions.offered(session, KINDS[kind], books.connection_id, limit=None)
        return len(decisions.link_certain(session, KINDS[kind], found, "Ann"))


def leave_all(books: Books, kind: str) -> None:
    with kept_session(books.world.engine) as session:
        for one in decisions.offered(session, KINDS[kind], books.connection_id, limit=None):
            decisions.decide(session, KINDS[kind], one, Decision.LEAVE, None, "Ann")


def once_each(books: Books, kind: str) -> None:
    """Each number is there once, and of a document that is pushed it is that record."""
    key = PRICED[kind][2]
    for row in books.rows(kind):
        [there] = numbered(books, kind, row["number"])
        assert row["push_state"] != "pushed" or there[key] == str(row["xero_id"]), row["number"]


@pytest.mark.parametrize("kind", ["invoices", "bills"])
def test_all_are_offered_and_none_is_pushed_twice(books: Books, kind: str) -> None:
    books.add_many(kind, MANY)
    hand = [row["id"] for row in books.rows(kind)]
    typed(books, kind, hand)
    new = {books.add(kind) for _ in range(NEW)}
    books.push(kind)
    calls = books.world.calls()
    batches = -(-(MANY + NEW) // 50)
    assert len([call for call in calls if call["method"] == "GET"]) <= batches
    assert len([call for call in calls if call["method"] != "GET"]) <= batches
    assert {one.id for one in offers(books, kind)} == set(hand)
    assert {row["id"] for row in books.rows(kind) if row["push_state"] == "pushed"} == new
    once_each(books, kind)
    books.push(kind)
    assert books.world.calls() == [], "nothing is ready, so nothing is asked"
    assert link_all(books, kind) == MANY
    books.world.calls()
    books.push(kind)
    calls = books.world.calls()
    assert {call["method"] for call in calls} == {"GET"}
    assert len(calls) <= -(-MANY // 50)
    assert {row["push_state"] for row in books.rows(kind)} == {"pushed"}
    once_each(books, kind)
    for _ in range(-(-MANY // 100)):  # records that no list has are read by their id, a hundred at a time
        sweep(books)
    assert differing(books) == []


@pytest.mark.parametrize("kind", PRICED)
def test_killed_at_any_moment(books: Books, kind: str) -> None:
    """While it holds back, links, and pushes what a person has left."""
    side = {"side": "supplier"} if kind == "credit_notes" else {}
    books.push(kind)  # the first work may have to renew the token

    def ready(nth: str) -> list[Any]:
        made = [books.add(kind, number=f"{kind[:3]}-{nth}-{each}", **side) for each in "abc"]
        typed(books, kind, made[:2])
        return made

    ready("first")
    passed = moments(books.world, partial(books.push, kind))
    for nth, moment in enumerate(spread(len(passed), 5)):
        ready(f"held{nth}")
        kill_at(books.world, moment, partial(books.push, kind))
        books.pass_time(1200)
        books.drain(kind)
    once_each(books, kind)
    held = len(offers(books, kind))
    assert link_all(books, kind) == held == 12
    for nth in range(4):
        kill_at(books.world, 1 + nth * len(passed) // 4, partial(books.push, kind))
    books.drain(kind)
    assert {row["push_state"] for row in books.rows(kind)} == {"pushed"}
    once_each(books, kind)


@pytest.mark.parametrize("kind", ["bills", "credit_notes"])
def test_what_was_left_is_sent_once_though_the_answer_is_lost(books: Books, kind: str) -> None:
    """Neither is it sent again, nor taken for the record that it was said not to be."""
    side = {"side": "supplier"} if kind == "credit_notes" else {}
    for arrives in (True, False):
        document = books.add(kind, **side)
        [left] = typed(books, kind, [document])
        books.push(kind)
        leave_all(books, kind)

        def lose(request: requests.PreparedRequest, forward: Forward, arrives: bool = arrives) -> requests.Response:
            if request.method != "PUT":
                return forward()
            if arrives:
                forward()
            raise requests.ConnectionError("lost")

        with intercepted(lose), pytest.raises(XeroError):
            books.push(kind)
        books.pass_time(1200)
        books.drain(kind)
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_id"] != left) == ("pushed", True)
        assert len(numbered(books, kind, row["number"])) == 2


def test_two_runs_at_once(books: Books) -> None:
    books.add_many("bills", 10)
    typed(books, "bills", [row["id"] for row in books.rows("bills")])
    for _ in range(2):
        others = [Forked(books.world, partial(books.push, "bills")) for _ in range(2)]
        for one in others:
            assert one.join() in (0, 3)
        link_all(books, "bills")
    books.drain("bills")
    assert {row["push_state"] for row in books.rows("bills")} == {"pushed"}
    assert books.writes() == []
    once_each(books, "bills")


@pytest.mark.parametrize("kind", PRICED)
def test_servers_that_ignore_a_filter_or_answer_304(books: Books, kind: str) -> None:
    """The first finds it; of the second nothing is known, so nothing is sent."""
    side = {"side": "supplier"} if kind == "credit_notes" else {}
    document = books.add(kind, **side)
    [record] = typed(books, kind, [document])

    def unfiltered(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        assert request.url
        path, _, query = request.url.partition("?")
        kept = [part for part in query.split("&") if not part.startswith(("InvoiceNumbers", "where", "Date"))]
        request.url = f"{path}?{'&'.join(kept)}"
        return forward()

    def unchanged(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        response = forward()
        if request.method == "GET":
            response.status_code, response._content = 304, b""
        return response

    with intercepted(unchanged), pytest.raises((XeroError, Skip)):
        books.push(kind)
    assert books.writes() == []
    with intercepted(unfiltered):
        books.push(kind)
    assert books.writes() == []
    assert [one.certain for one in offers(books, kind)] == [record]


@pytest.mark.parametrize("kind", ["bills", "credit_notes"])
def test_neither_an_adopted_nor_a_left_record_is_a_second_one(books: Books, kind: str) -> None:
    side = {"side": "supplier"} if kind == "credit_notes" else {}
    adopted, left = (books.add(kind, **side) for _ in range(2))
    typed(books, kind, [adopted, left])
    books.push(kind)
    tie(books)
    assert differing(books) == [], "it is offered, and not called a second record besides"
    with kept_session(books.world.engine) as session:
        found = {one.id: one for one in decisions.offered(session, KINDS[kind], books.connection_id)}
        decisions.decide(session, KINDS[kind], found[left], Decision.LEAVE, None, "Ann")
    link_all(books, kind)
    books.push(kind)
    tie(books)
    assert {row["push_state"] for row in books.rows(kind)} == {"pushed"}
    assert [one for one in differing(books) if one.reason is Reason.AMBIGUOUS_MATCH] == []
    typed(books, kind, [adopted])
    tie(books)
    assert [one.document_id for one in differing(books) if one.reason is Reason.AMBIGUOUS_MATCH] == [adopted]
