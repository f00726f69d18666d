"""Every document stands in Xero exactly once, whatever is lost, cut, refused, edited or killed on the way.

`make histories` has the long version: every kind, every trouble, every moment.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
import requests

from tests.support.calls import Forward, intercepted, is_write
from tests.support.killing import (
    SKIPPED,
    Forked,
    assert_interrupted,
    kill_at,
    moments,
    of_writes,
    running,
    spread,
)
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.troubles import BEYOND, DOCUMENTS, TROUBLES, fill, lead_through
from xero.api.errors import RetryLater
from xero.documents.registry import KINDS
from xero.sync.runs.outcome import Skip
from xero.sync.runs.participants import select_connections_to_push


def test_each_kind_arrives_once(books: Books) -> None:
    """With its lines to four decimals and its files to the byte; also two bills of one number and contact."""
    for kind in PRICED:
        fill(books, kind)
        books.push(kind)
    fill(books, "bills", alike=True)
    books.push("bills")
    books.assert_once()
    seen = {kind: [row["xero_id"] for row in books.rows(kind)] for kind in PRICED}
    for kind in PRICED:
        books.push(kind)
    assert seen == {kind: [row["xero_id"] for row in books.rows(kind)] for kind in PRICED}
    assert len({id for ids in seen.values() for id in ids}) == 12
    assert len(books.writes()) == 6


#: trouble, kind, whether the next run comes when Xero has forgotten the key, switches
CASES: list[tuple[str, str, bool, dict[str, Any]]] = [
    ("the answer is lost", "invoices", False, {}),
    ("the answer is lost, and the run ends", "bills", False, {}),
    ("the answer is lost, and the run ends", "bills", True, {"max_page_size": 1}),
    ("the answer is lost, and the run ends", "expenses", True, {"urls_kept": False}),
    ("the answer is lost, and the run ends", "credit_notes", True, {"max_page_size": 1}),
    ("cut before it arrives", "purchase_orders", True, {}),
    ("500, kept under the key", "invoices", False, {}),
    ("500, but saved", "credit_notes", False, {}),
    ("503, but saved", "bills", False, {"element_order": "reversed"}),
    ("503", "expenses", False, {}),
    ("half of the answer", "purchase_orders", True, {}),
    ("half of the answer, in good form", "bills", False, {"element_order": "reversed"}),
    ("too slow for the client", "credit_notes", False, {}),
    ("429 for ten minutes", "expenses", False, {}),
    ("429 for the day", "invoices", True, {}),
    ("the token has expired", "bills", True, {}),
]


def test_what_goes_wrong_on_the_way(books: Books) -> None:
    for trouble, kind, beyond, switches in CASES:
        before = books.world.sandbox.control("GET", "settings")
        books.world.sandbox.settings(**switches)
        fill(books, kind)
        lead_through(books, kind, TROUBLES[trouble], beyond=beyond)
        assert {row["push_state"] for row in books.rows(kind)} == {"pushed"}, (trouble, kind)
        books.world.sandbox.settings(**{name: before[name] for name in switches})
    books.assert_once()


# Bills are looked for before they are created; of invoices only the outbox knows what may have arrived.
@pytest.mark.parametrize("kind", ["bills", "invoices"])
def test_killed_at_any_moment(books: Books, kind: str) -> None:
    """kill -9; the next run comes at once, or after minutes. It is not turned away, and one is enough."""
    fill(books, kind)
    books.push(kind)
    fill(books, kind)
    passed = moments(books.world, partial(books.push, kind))
    chosen = sorted({*of_writes(passed), *spread(len(passed), 7)})
    assert len(of_writes(passed)) == 2 * (1 + 2), "the request, and two attachments"
    met: list[int] = []
    for nth, moment in enumerate(chosen):
        fill(books, kind)
        assert kill_at(books.world, moment, partial(books.push, kind)), passed[moment - 1]
        left_open = running(books.world)
        if nth % 3 == 0:
            books.pass_time(BEYOND)
        books.push(kind)
        assert books.left(kind) == 0, f"killed at moment {moment}: {passed[moment - 1]}"
        assert_interrupted(books.world, left_open)
        met += left_open
    assert len(met) >= len(chosen) - 2, "all but those killed before their event was opened, or after it was closed"
    whole = [call for call in books.writes() if call["sha256"]]  # of one killed before its body, the head came alone
    assert {call["status"] for call in whole} == {200}, "what is sent again under its key is the same request"
    books.assert_once()


def test_two_at_once(books: Books) -> None:
    """Of one kind: the second is turned away. Of another kind: it works. All while Xero has the first one's request."""
    fill(books, "bills")
    fill(books, "expenses")
    with books.world.sandbox.hold(DOCUMENTS, method="PUT") as wait_until_held:
        first = Forked(books.world, partial(books.push, "bills"))
        wait_until_held()
        second, other = (Forked(books.world, partial(books.push, kind)) for kind in ("bills", "expenses"))
        assert (second.join(), other.join()) == (SKIPPED, 0)
        assert books.left("bills")
    assert first.join() == 0
    books.assert_once()


def in_the_air(books: Books, kind: str, edit: Callable[[], None]) -> None:
    """Pushes; the edit comes when Xero has the request and QicWorks has no response yet."""
    edits = [edit]

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        response = forward()
        if edits and is_write(request):
            edits.pop()()
        return response

    with intercepted(call):
        books.push(kind)
    assert not edits


@pytest.mark.parametrize("kind", ["invoices", "bills", "credit_notes", "purchase_orders"])
def test_edited_in_the_air(books: Books, kind: str) -> None:
    document = books.add(kind, Line("10", department=True), Line("20"), Line("30"), reference="PO 77", files=[File()])
    table = PRICED[kind][0]

    def lines(statement: str, *values: Any) -> None:
        books.world.query(f"{statement} parent_type = %s AND parent_id = %s", *values, table, document)
        books.reprice(kind, document)

    def add_a_line() -> None:
        books.add_line(kind, document, Line("40"), 4)
        books.reprice(kind, document)

    edits: list[Callable[[], None]] = [
        partial(books.edit, kind, document, number="N-2"),
        lambda: lines("UPDATE qicworks.document_line SET unit_price = 12.3456 WHERE line_number = 2 AND"),
        add_a_line,
        lambda: lines("DELETE FROM qicworks.document_line WHERE line_number = 2 AND"),
        lambda: lines("UPDATE qicworks.document_line SET tracking_option_id = NULL WHERE"),
        partial(books.edit, kind, document, reference=None),
        partial(books.edit, kind, document, contact_id=books.contacts[2]),
    ]
    for day, edit in enumerate(edits, 6):
        in_the_air(books, kind, edit)
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_status"]) == ("pushed", "DRAFT")
        books.assert_once()
        books.edit(kind, document, issue_date=date(2026, 10, day))  # it has to be pushed again
    assert len(books.in_xero(kind)) == 1
    if kind in ("invoices", "purchase_orders"):
        assert not books.in_xero(kind)[0]["Reference"]


def test_edited_in_the_air_and_the_answer_lost(books: Books) -> None:
    """What Xero has is found by the number that was sent, and gets the new one."""
    for kind in PRICED:
        document = books.add(kind, Line("10"))
        books.world.fault(kind="lost_answer", path=DOCUMENTS, method="PUT")
        with pytest.raises(Exception, match="no answer came"):
            books.push(kind, client={"backoff": ()})
        assert books.row(kind, document)["push_state"] == "in_flight"
        books.edit(kind, document, number=f"NEW-{kind}", contact_id=books.contacts[1])
        books.pass_time(400)
        books.push(kind)
    books.assert_once()


def test_killed_when_all_was_settled(books: Books) -> None:
    """Nothing waits but its event, which says that it runs: the next run comes for that, too, and closes it."""
    pushing = partial(books.push, "purchase_orders")
    fill(books, "purchase_orders")
    pushing()
    fill(books, "purchase_orders")
    moment = len(moments(books.world, pushing))
    while not running(books.world):
        fill(books, "purchase_orders")
        assert kill_at(books.world, moment, pushing)
        moment -= 1
    assert books.left("purchase_orders") == 0
    [one], *_ = select_connections_to_push(books.world.engine, KINDS["purchase_orders"])
    assert one["connection_id"] == str(books.connection_id)
    books.push("purchase_orders")
    killed, told = books.world.query("SELECT * FROM xero_sync.connection_event ORDER BY id DESC LIMIT 2")[::-1]
    assert killed["message"].startswith("interrupted")
    assert (told["status"], told["message"]) == ("success", "0 pushed")
    assert select_connections_to_push(books.world.engine, KINDS["purchase_orders"]) == ([], [], [])


def test_switched_off_in_the_air(books: Books) -> None:
    """What is on its way is settled, and nothing more is sent; on again, the rest follows."""
    books.add_many("invoices", 120)

    def switch(enabled: bool) -> None:
        books.world.query("UPDATE xero_sync.connection SET enabled = %s WHERE id = %s", enabled, books.connection_id)

    with pytest.raises(Skip, match="switched off in the meantime"):
        in_the_air(books, "invoices", partial(switch, False))
    assert Counter(row["push_state"] for row in books.rows("invoices")) == {"pushed": 50, "ready": 70}
    event = books.world.event()
    assert (event["status"], event["pushed"], len(books.writes())) == ("warning", 50, 1)
    switch(True)
    assert books.push("invoices").counts.pushed == 70
    books.assert_once()


def test_a_thousand_invoices_take_twenty_writes(books: Books) -> None:
    books.add_many("invoices", 1000)
    assert books.push("invoices").counts.pushed == 1000
    assert len(books.writes()) <= 20
    there = {record["InvoiceNumber"]: record for record in books.in_xero("invoices")}
    assert len(there) == len(books.in_xero("invoices")) == 1000
    for row in books.rows("invoices"):
        assert (row["push_state"], str(row["xero_id"])) == ("pushed", there[row["number"]]["InvoiceID"])
        assert str(row["total"]) == f"{there[row['number']]['Total']:.2f}"


def unreadable(document: Any, _real: Any = KINDS["invoices"].payload) -> Any:  # type: ignore[attr-defined]
    payload = _real(document)
    return {**payload, "DueDate": "soon"} if document.number == "BAD" else payload


def test_one_bad_of_fifty(books: Books) -> None:
    """Refused by itself, or making Xero refuse the whole batch: the other 49 are pushed."""
    kind: Any = KINDS["invoices"]
    for way in (replace(kind, checks=()), replace(kind, payload=unreadable)):
        books.add_many("invoices", 49)
        books.add("invoices", Line(tax="INPUT" if not way.checks else None), number="BAD")
        outcome = books.push(way)
        assert (outcome.counts.pushed, outcome.counts.failed) == (49, 1)
        [failed] = [row for row in books.rows("invoices") if row["push_state"] == "failed"]
        assert failed["number"] == "BAD"
        assert re.search("tax|DateTime", failed["push_error"], re.IGNORECASE), failed["push_error"]
        assert failed["push_correction"]
        assert len(books.in_xero("invoices")) == 49
        books.world.sandbox.control("POST", "reset")
        books.world.query("TRUNCATE qicworks.invoice CASCADE")


def test_one_of_two_alike_was_refused(books: Books) -> None:
    """Nothing tells the two apart, and only one is there: neither is guessed, and the next ones are not held up."""
    for line in (Line("50"), Line("50", tax="OUTPUT")):  # the second is no tax of this account
        books.add("credit_notes", line, number="CN-77", side="supplier")
    books.world.fault(kind="lost_answer", path=DOCUMENTS, method="PUT")
    unchecked: Any = replace(KINDS["credit_notes"], checks=())  # type: ignore[call-arg]
    with pytest.raises(RetryLater):
        books.push(unchecked, client={"backoff": ()})
    assert len(books.in_xero("credit_notes")) == 1
    books.pass_time(400)
    books.add("credit_notes", number="CN-78")
    books.push(unchecked)
    assert books.left("credit_notes") == 0
    assert len(books.in_xero("credit_notes")) == 2
    states = {row["number"]: (row["push_state"], row["push_error"]) for row in books.rows("credit_notes")}
    assert states["CN-78"] == ("pushed", None)
    assert states["CN-77"][0] == "failed"
    assert "check in Xero" in states["CN-77"][1]


def test_what_is_found_again_is_brought_up_to_date(books: Books) -> None:
    """Of a document that QicWorks has forgotten the id of, and edited, Xero gets the edit."""
    for kind in ("invoices", "bills", "expenses"):
        document = books.add(kind, Line("50", description="Two hours"))
        books.push(kind)
        books.edit(kind, document, xero_id=None)  # as from a backup
        books.world.query("DELETE FROM xero_sync.document_link")
        books.world.query(
            "UPDATE qicworks.document_line SET description = 'Three hours' WHERE parent_id = %s", document
        )
        assert books.row(kind, document)["push_state"] == "ready"
        books.push(kind)
    books.assert_once()
