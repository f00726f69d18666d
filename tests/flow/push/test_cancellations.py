"""What is cancelled in QicWorks after its push is deleted in Xero, exactly once; or an open difference says why not."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from copy import copy
from functools import partial

import pytest
import requests

from tests.support.by_hand import decide, offer
from tests.support.calls import Forward, intercepted, is_write
from tests.support.cancelling import (
    CANCELLED,
    NAMED,
    WAYS,
    approve,
    back_to_draft,
    by_status,
    delete,
    deletions,
    differences,
    events,
    pushed,
    seen_long_ago,
    settled,
    statuses,
)
from tests.support.consenting import Consenting
from tests.support.killing import assert_interrupted, kill_at, moments, of_writes, running, spread
from tests.support.pushing import PRICED, Books, Line
from tests.support.troubles import BEYOND, DOCUMENTS, TROUBLES
from xero.api.errors import RetryLater, XeroError
from xero.documents.registry import KINDS
from xero.qicworks.push.adopting.twins import Decision
from xero.sync.runs.outcome import Outcome
from xero.sync.runs.participants import select_connections_to_push


@pytest.mark.parametrize("way", WAYS)
def test_each_kind_in_each_way(books: Books, way: str) -> None:
    """Once, with an event; another document of its kind stays."""
    for kind in PRICED:
        document, other = books.add(kind, Line("10")), books.add(kind, Line("20"))
        books.push(kind)
        xero_id = books.row(kind, document)["xero_id"]
        books.writes()
        WAYS[way](books, kind, document)
        assert books.left(kind), kind
        outcome = books.push(kind)
        assert len(deletions(books)) == 1, kind
        assert "1 cancelled in Xero" in outcome.message, kind
        there = {record[PRICED[kind][2]]: record["Status"] for record in books.in_xero(kind)}
        assert there[str(xero_id)] == "DELETED", kind
        assert there[str(books.row(kind, other)["xero_id"])] == "DRAFT", kind
        [(status, message), *_] = [one for one in events(books.world, document) if "deleted in Xero" in one[1]]
        assert (status, "in QicWorks" in message) == ("success", True)
        books.push(kind)
        assert (books.left(kind), deletions(books), books.requests()) == (0, [], [])
        if way != "deleted":
            row = books.row(kind, document)
            assert row["xero_status"] == "DELETED"
            state = {"back to draft": "draft", "edited and cancelled": "failed"}.get(way, "pushed")
            assert row["push_state"] == (state if kind in CANCELLED else "draft")
            assert "being sent" not in (row["push_error"] or "")
    assert differences(books.world) == []


# -- while it is being pushed


def in_the_air(books: Books, kind: str, cancel: Callable[[], None]) -> Outcome:
    """Pushes; the cancellation comes when Xero has the request and QicWorks has no response yet."""
    cancels = [cancel]

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        response = forward()
        if cancels and is_write(request):
            cancels.pop()()
        return response

    with intercepted(call):
        return books.push(kind)


@pytest.mark.parametrize("way", WAYS)
def test_while_it_is_being_pushed(books: Books, way: str) -> None:
    """It follows in the same run."""
    for kind in PRICED:
        document = books.add(kind, Line("10"))
        books.writes()
        outcome = in_the_air(books, kind, partial(WAYS[way], books, kind, document))
        assert (outcome.counts.pushed, outcome.counts.failed) == (1, 0), kind
        assert (statuses(books, kind)[0], len(deletions(books))) == ("DELETED", 1), kind
        messages = [message for _, message in events(books.world, document)]
        assert any(one.startswith("deleted in Xero, because it was ") for one in messages), messages
        assert not any("is still in Xero" in message for message in messages)
        if way == "edited and cancelled" and kind in CANCELLED:  # what was edited is not sent
            assert books.push(kind).counts.failed == 1
            assert "Nothing to do" in books.row(kind, document)["push_correction"]
        assert (books.left(kind), differences(books.world)) == (0, [])


@pytest.mark.parametrize("kind", ["bills", "invoices", "purchase_orders"])
def test_deleted_while_the_answer_is_lost(books: Books, kind: str) -> None:
    """The next run finds in Xero what it was, and deletes it there."""
    document = books.add(kind, Line("10"))
    books.world.fault(kind="lost_answer", path=DOCUMENTS, method="PUT", times=1)
    with pytest.raises(XeroError):
        books.push(kind, client={"backoff": ()})
    delete(books, kind, document)
    assert statuses(books, kind) == ["DRAFT"]
    books.push(kind)
    assert (statuses(books, kind), books.left(kind)) == (["DELETED"], 0)


# -- what goes wrong on the way


@pytest.mark.parametrize("way", ["by its status", "deleted"])
@pytest.mark.parametrize("kind", ["bills", "purchase_orders"])
def test_killed_at_any_moment(books: Books, kind: str, way: str) -> None:
    """kill -9; the next run is not turned away, and one is enough. Nothing else is touched."""
    stays = books.add(kind, Line("1"))

    def cancelled() -> None:
        document = books.add(kind, Line("10"))
        books.push(kind)
        WAYS[way](books, kind, document)

    cancelled()
    passed = moments(books.world, partial(books.push, kind))
    assert len(of_writes(passed)) == 2, passed
    assert len(passed) > 20
    chosen = sorted({*of_writes(passed), *spread(len(passed), 12)})
    for nth, moment in enumerate(chosen):
        cancelled()
        assert kill_at(books.world, moment, partial(books.push, kind)), passed[moment - 1]
        left_open = running(books.world)
        if nth % 3 == 0:
            books.pass_time(BEYOND)
        books.push(kind)
        assert (books.left(kind), books.requests()) == (0, []), f"killed at moment {moment}: {passed[moment - 1]}"
        assert_interrupted(books.world, left_open)
    assert statuses(books, kind) == ["DELETED"] * (1 + len(chosen)) + ["DRAFT"]
    assert books.row(kind, stays)["xero_status"] == "DRAFT"
    rows = books.world.query(
        "SELECT document_id, count(*) AS times FROM xero_sync.connection_event"
        " WHERE starts_with(message, 'deleted in Xero') GROUP BY document_id"
    )
    assert [row["times"] for row in rows] == [1] * (1 + len(chosen)), "one event for each"
    assert differences(books.world) == []


@pytest.mark.parametrize("trouble", [name for name in TROUBLES if "429" not in name])
def test_what_goes_wrong_on_the_way(books: Books, trouble: str) -> None:
    for kind in ("invoices", "credit_notes"):
        document = books.add(kind, Line("10"))
        books.push(kind)
        by_status(books, kind, document)
        about = TROUBLES[trouble]
        books.world.fault(kind=about.kind, path=DOCUMENTS, method="POST", **about.order)
        with nullcontext() if not about.impatient else intercepted(impatiently), suppress(XeroError):
            books.push(kind, client=about.client)
        [fault] = books.world.sandbox.control("GET", "faults")
        assert fault["hits"] >= 1, "nothing went wrong"
        books.world.sandbox.control("DELETE", "faults")
        if books.requests():  # what may be under way is left alone first
            with suppress(RetryLater):
                books.push(kind, quiet=60.0)
            assert books.requests() or statuses(books, kind) == ["DELETED"]
        books.drain(kind)
        assert statuses(books, kind) == ["DELETED"], kind
        assert books.row(kind, document)["xero_status"] == "DELETED"
        said = [message for _, message in events(books.world, document) if message.startswith("deleted in Xero")]
        assert len(said) == 1
        assert differences(books.world) == []


def impatiently(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
    return forward(timeout=(60.0, 0.05)) if is_write(request) else forward()


def test_where_xero_fails_each_time_it_is_reported_and_keeps_no_other(books: Books) -> None:
    document, other = books.add("bills", Line("10")), books.add("bills", Line("20"))
    books.push("bills")
    by_status(books, "bills", document)
    books.world.fault(kind="500", path=DOCUMENTS, method="POST", times=99)
    for _ in range(3):
        with pytest.raises(RetryLater):
            books.push("bills")
        assert differences(books.world) == []
    books.world.sandbox.control("DELETE", "faults")
    by_status(books, "bills", other)
    books.push("bills")
    [difference] = differences(books.world)
    assert (difference["document_id"], difference["theirs"]) == (document, {"status": "DRAFT"})
    [*_, (status, said)] = events(books.world, document)
    assert status == "warning"
    assert "each of the 3 times" in said
    assert statuses(books, "bills") == ["DELETED", "DRAFT"]
    assert books.left("bills") == 0, "it waits for a person"


# -- where Xero does not delete it


@pytest.mark.parametrize("way", WAYS)
def test_approved_is_an_open_difference_until_it_is_void(books: Books, way: str) -> None:
    for kind in PRICED:
        document = books.add(kind, Line("10"))
        books.push(kind)
        xero_id = approve(books, kind, document)
        books.writes()
        WAYS[way](books, kind, document)
        before = len(settled(books.world))
        outcome = books.push(kind)
        assert deletions(books) == [], kind
        assert "1 cancelled, but still in Xero" in outcome.message
        assert outcome.status == "warning"
        [difference] = differences(books.world)
        assert (difference["document_kind"], difference["document_id"]) == (kind, document)
        assert difference["theirs"] == {"status": "AUTHORISED"}
        if way == "edited and cancelled" and kind in CANCELLED:
            row = books.row(kind, document)
            assert row["push_state"] == "failed"
            assert "It is still in Xero" in row["push_correction"]
        assert books.left(kind) == 0, "it is not asked for again at once"
        seen_long_ago(books.world)
        assert books.left(kind)
        books.push(kind)
        assert [one["id"] for one in differences(books.world)] == [difference["id"]]
        said = [message for _, message in events(books.world, document) if "but is still in Xero" in message]
        assert len(said) == 1, "once"
        books.bookkeep("delete" if kind == "purchase_orders" else "void", **{NAMED.get(kind, "invoice"): xero_id})
        seen_long_ago(books.world)
        books.push(kind)
        assert (differences(books.world), settled(books.world)[before:]) == ([], ["cancelled"])
        if way != "deleted":
            assert books.row(kind, document)["xero_status"] in ("VOIDED", "DELETED")
        assert (books.left(kind), deletions(books)) == (0, [])


@pytest.mark.parametrize("way", WAYS)
def test_what_a_sweep_sees_void_is_settled_by_the_next_push(books: Books, way: str) -> None:
    """Without the three hours after which an open difference is looked at again. A sweep reads no deleted document."""
    for kind in PRICED:
        document = books.add(kind, Line("10"))
        books.push(kind)
        xero_id = approve(books, kind, document)
        WAYS[way](books, kind, document)
        books.push(kind)
        assert len(differences(books.world)) == 1, kind
        books.bookkeep("delete" if kind == "purchase_orders" else "void", **{NAMED.get(kind, "invoice"): xero_id})
        books.world.pull("document_status", books.organisation)
        if way == "deleted":
            seen_long_ago(books.world)
        books.push(kind)
        assert (differences(books.world), books.left(kind)) == ([], 0), kind


def test_a_table_that_is_emptied_is_one_deletion_for_each_row(books: Books) -> None:
    for kind in PRICED:
        books.add(kind, Line("10"))
        books.add(kind, Line("20"))
        books.push(kind)
        books.writes()
        books.world.query(f"TRUNCATE qicworks.{PRICED[kind][0]} CASCADE")
        books.push(kind)
        assert len(deletions(books)) == 2, kind
        assert set(statuses(books, kind)) == {"DELETED"}, kind
        assert (books.left(kind), differences(books.world)) == (0, []), kind


def test_lines_that_are_emptied_are_an_edit(books: Books) -> None:
    for kind in PRICED:
        books.add(kind, Line("10"))
        books.push(kind)
    books.world.query("TRUNCATE qicworks.document_line")
    assert all(books.left(kind) for kind in PRICED)


def test_paid_says_that_the_payment_goes_first(books: Books) -> None:
    document = books.add("bills", Line("10"))
    books.push("bills")
    xero_id = approve(books, "bills", document)
    books.bookkeep("pay", invoice=xero_id, amount=4)
    by_status(books, "bills", document)
    books.push("bills")
    [difference] = differences(books.world)
    assert difference["theirs"] == {"status": "AUTHORISED", "paid": "4.00"}
    [event] = books.world.query("SELECT * FROM xero_sync.connection_event WHERE document_id = %s", document)
    assert event["correction"].startswith("Remove the payments and credits of the bill")


def test_approved_between_reading_and_deleting(books: Books) -> None:
    """Xero refuses it then."""
    document = books.add("bills", Line("10"))
    books.push("bills")
    by_status(books, "bills", document)

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        if is_write(request):
            approve(books, "bills", document)
        return forward()

    with intercepted(call):
        books.push("bills")
    [difference] = differences(books.world)
    assert difference["theirs"] == {"status": "AUTHORISED"}
    assert "Xero refused it: " in events(books.world, document)[-1][1]
    assert books.requests() == []


def test_a_pull_does_not_undo_it(books: Books) -> None:
    """Xero's status of an invoice becomes QicWorks' own; not of one that was taken back."""
    document = pushed(books, "invoices")
    approve(books, "invoices", document)
    by_status(books, "invoices", document)
    books.push("invoices")
    books.world.pull("invoice_payments")
    row = books.row("invoices", document)
    assert (row["status"], row["xero_status"]) == ("Draft", "AUTHORISED")
    books.push("invoices")
    assert len(differences(books.world)) == 1


# -- undone


def test_in_force_again_before_the_run_nothing_is_deleted(books: Books) -> None:
    for kind in PRICED:
        document = books.add(kind, Line("10"))
        books.push(kind)
        back_to_draft(books, kind, document)
        books.edit(kind, document, push_state="ready")
        books.push(kind)
        assert set(statuses(books, kind)) == {"DRAFT"}, kind
        assert books.row(kind, document)["push_state"] == "pushed"
    books.edit("bills", document := books.rows("bills")[0]["id"], status="Cancelled")
    books.edit("bills", document, status="Unpaid")
    assert books.left("bills") == 0
    assert books.world.query("SELECT * FROM xero_sync.cancellation") == []


def test_in_force_again_settles_its_difference(books: Books) -> None:
    document = books.add("bills", Line("10"))
    books.push("bills")
    approve(books, "bills", document)
    by_status(books, "bills", document)
    books.push("bills")
    assert len(differences(books.world)) == 1
    books.edit("bills", document, status="Unpaid")
    assert books.left("bills")
    assert [one["connection_id"] for one in select_connections_to_push(books.world.engine, KINDS["bills"]).taken] == [
        str(books.connection_id)
    ]
    books.push("bills")
    assert (differences(books.world), settled(books.world)) == ([], ["agrees"])


def test_in_force_again_after_it_was_deleted_needs_a_new_number(books: Books) -> None:
    document = books.add("bills", Line("10"), number="B-1")
    books.push("bills")
    back_to_draft(books, "bills", document)
    books.push("bills")
    books.edit("bills", document, push_state="ready")
    books.push("bills")
    row = books.row("bills", document)
    assert "was deleted in Xero" in row["push_error"]
    assert "B-1A" in row["push_correction"]
    books.edit("bills", document, number="B-1A", push_state="ready")
    books.push("bills")
    assert statuses(books, "bills") == ["DELETED", "DRAFT"]
    assert books.row("bills", document)["push_state"] == "pushed"


def test_undone_while_xero_deletes_it_is_said(books: Books) -> None:
    document = books.add("bills", Line("10"))
    books.push("bills")
    by_status(books, "bills", document)
    books.world.fault(kind="lost_answer", path=DOCUMENTS, method="POST", times=1)
    with pytest.raises(XeroError):
        books.push("bills", client={"backoff": ()})
    books.edit("bills", document, status="Unpaid")
    books.push("bills")
    assert (books.requests(), books.row("bills", document)["xero_status"]) == ([], "DELETED")
    assert events(books.world, document)[-1] == (
        "warning",
        "it was deleted in Xero before the cancellation was undone in QicWorks",
    )


def test_undone_while_xero_is_read_nothing_is_deleted(books: Books) -> None:
    document = pushed(books, "bills")
    by_status(books, "bills", document)

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        books.edit("bills", document, status="Unpaid")
        return answer

    with intercepted(call):
        books.push("bills")
    assert (statuses(books, "bills"), books.requests(), books.left("bills")) == (["DRAFT"], [], 0)


def test_undone_while_the_answer_is_on_its_way_is_said(books: Books) -> None:
    document = pushed(books, "bills")
    by_status(books, "bills", document)

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if is_write(request):
            books.edit("bills", document, status="Unpaid")
        return answer

    with intercepted(call):
        books.push("bills")
    assert "before the cancellation was undone" in events(books.world, document)[-1][1]
    assert books.row("bills", document)["xero_status"] == "DELETED"


# -- whose record it is


def test_without_a_seal_only_what_names_the_document_is_deleted(books: Books) -> None:
    documents = {kind: books.add(kind, Line("10")) for kind in ("invoices", "purchase_orders")}
    for kind, document in documents.items():
        books.push(kind)
        books.world.query("DELETE FROM xero_sync.document_link")
        by_status(books, kind, document)
        books.push(kind)
    assert statuses(books, "invoices") == ["DELETED"]
    assert statuses(books, "purchase_orders") == ["DRAFT"]
    [difference] = differences(books.world)
    assert difference["document_id"] == documents["purchase_orders"]
    assert "cannot confirm" in events(books.world, documents["purchase_orders"])[-1][1]


@pytest.mark.parametrize("row_forgot_it", [False, True])
@pytest.mark.parametrize("kind", ["bills", "purchase_orders"])
def test_of_another_xero_organisation_it_stays_open(consenting: Consenting, kind: str, row_forgot_it: bool) -> None:
    """Cancelled while its organisation is matched to the wrong one, which does not have it: it is not called over."""
    consenting.sandbox.settings(limits=False)
    token_id = consenting.connected(0, 1)
    books = Books(consenting)
    document = books.add(kind, Line("10"))
    books.push(kind)
    right = consenting.live_at(0)
    consenting.match(token_id, {0: consenting.organisation("Elsewhere")})
    consenting.match(token_id, {1: right.organisation_id})
    wrong = copy(books)
    wrong.connection_id, wrong.organisation = consenting.live_at(1).id, 1
    if row_forgot_it:
        books.edit(kind, document, xero_id=None)
    by_status(books, kind, document)
    consenting.calls()
    for _ in range(2):
        wrong.push(kind)
    assert deletions(books) == []
    assert consenting.query("SELECT done_at FROM xero_sync.cancellation") == [{"done_at": None}]
    [difference] = differences(consenting)
    assert (difference["document_id"], difference["reason"]) == (document, "cancelled_in_qicworks")
    assert difference["theirs"] == {"status": "not known"}
    [(status, message, correction)] = [
        (one["status"], one["message"], one["correction"])
        for one in consenting.query("SELECT * FROM xero_sync.connection_event WHERE document_id = %s", document)
    ]
    assert (status, "cannot confirm that it is in this Xero organisation" in message) == ("warning", True)
    assert "is matched to the right Xero organisation" in correction
    assert books.row(kind, document)["xero_status"] == "DRAFT"
    consenting.match(token_id, {1: consenting.organisation("Elsewhere, too")})
    consenting.match(token_id, {0: right.organisation_id})
    assert len(consenting.query("SELECT document_id FROM xero_sync.waiting_cancellation")) == 1, "at once"
    assert books.left(kind)
    books.push(kind)
    assert (statuses(books, kind), differences(consenting), settled(consenting)) == (["DELETED"], [], ["cancelled"])
    assert [bool(one["done_at"]) for one in consenting.query("SELECT done_at FROM xero_sync.cancellation")] == [True]


def test_in_force_again_settles_what_was_found_in_another_xero_organisation(consenting: Consenting) -> None:
    consenting.sandbox.settings(limits=False)
    token_id = consenting.connected(0, 1)
    books = Books(consenting)
    document = pushed(books, "bills")
    right = consenting.live_at(0)
    consenting.match(token_id, {0: consenting.organisation("Elsewhere")})
    consenting.match(token_id, {1: right.organisation_id})
    wrong = copy(books)
    wrong.connection_id, wrong.organisation = consenting.live_at(1).id, 1
    by_status(books, "bills", document)
    wrong.push("bills")
    assert len(differences(consenting)) == 1
    consenting.match(token_id, {1: consenting.organisation("Elsewhere, too")})
    consenting.match(token_id, {0: right.organisation_id})
    books.edit("bills", document, status="Unpaid")
    books.push("bills")
    assert (statuses(books, "bills"), differences(consenting), settled(consenting)) == (["DRAFT"], [], ["agrees"])
    assert books.left("bills") == 0


def test_another_record_in_its_row_is_not_deleted(books: Books) -> None:
    document, other = books.add("bills", Line("10")), books.add("bills", Line("20"))
    books.push("bills")
    theirs = books.row("bills", other)["xero_id"]
    books.edit("bills", other, xero_id=None)
    books.edit("bills", document, xero_id=theirs)
    by_status(books, "bills", document)
    books.push("bills")
    there = {record["InvoiceID"]: record["Status"] for record in books.in_xero("bills")}
    assert there[str(theirs)] == "DRAFT"
    assert sorted(there.values()) == ["DELETED", "DRAFT"]


def test_entered_again_under_its_number_it_is_another_document(books: Books) -> None:
    """Of a supplier's credit note, whose number nobody can change."""
    about = {"side": "supplier", "number": "C-1"}
    delete(books, "credit_notes", pushed(books, "credit_notes", **about))
    again = books.add("credit_notes", Line("10"), **about)
    books.push("credit_notes")
    assert statuses(books, "credit_notes") == ["DELETED", "DRAFT"]
    assert books.row("credit_notes", again)["push_state"] == "pushed"


def test_entered_again_and_linked_to_its_record_it_is_over(books: Books) -> None:
    """What Xero did not delete is now the record of the document that was entered again."""
    about = {"side": "supplier", "number": "C-1"}
    document = pushed(books, "credit_notes", **about)
    approve(books, "credit_notes", document)
    delete(books, "credit_notes", document)
    books.push("credit_notes")
    assert len(differences(books.world)) == 1
    again = pushed(books, "credit_notes", **about)
    decide(books, "credit_notes", again, Decision.LINK, offer(books, "credit_notes", again).certain)
    books.push("credit_notes")
    assert books.row("credit_notes", again)["push_state"] == "pushed"
    seen_long_ago(books.world)
    books.push("credit_notes")
    assert (statuses(books, "credit_notes"), differences(books.world)) == (["AUTHORISED"], [])
    assert "is now that of credit note C-1" in events(books.world, document)[-1][1]


def test_what_a_bookkeeper_changed_is_deleted_and_said(books: Books) -> None:
    document = pushed(books, "invoices")
    path = f"organisations/{books.world.sandbox.tenant()}/Invoices/{books.row('invoices', document)['xero_id']}"
    books.world.sandbox.control("PATCH", path, {"Status": "SUBMITTED", "Total": 12})
    by_status(books, "invoices", document)
    books.push("invoices")
    [(status, said)] = events(books.world, document)
    assert status == "warning"
    assert "its status was SUBMITTED, and DRAFT when QicWorks last saw it" in said
    assert "its total was 12 in Xero, and 11.00 in QicWorks" in said
    assert statuses(books, "invoices") == ["DELETED"]


def test_gone_from_xero_already(books: Books) -> None:
    deleted, missing = pushed(books, "bills"), pushed(books, "bills")
    books.bookkeep("delete", invoice=str(books.row("bills", deleted)["xero_id"]))
    lost = f"organisations/{books.world.sandbox.tenant()}/Invoices/{books.row('bills', missing)['xero_id']}"
    books.world.sandbox.control("DELETE", lost)
    for document in (deleted, missing):
        by_status(books, "bills", document)
    books.writes()
    books.push("bills")
    assert (deletions(books), books.left("bills"), differences(books.world)) == ([], 0, [])
    for document in (deleted, missing):
        assert events(books.world, document)[-1] == (
            "success",
            "it was cancelled in QicWorks, and is deleted in Xero already",
        )
        assert books.row("bills", document)["xero_status"] == "DELETED"


def test_cancelled_before_there_were_cancellations_is_only_reported(books: Books) -> None:
    document = pushed(books, "bills")
    by_status(books, "bills", document)
    books.world.query("UPDATE xero_sync.cancellation SET how = 'before'")
    books.writes()
    books.push("bills")
    assert (deletions(books), len(differences(books.world))) == ([], 1)
    [event] = books.world.query("SELECT * FROM xero_sync.connection_event WHERE document_id = %s", document)
    assert event["correction"].startswith("Delete the bill")
    books.bookkeep("delete", invoice=str(books.row("bills", document)["xero_id"]))
    seen_long_ago(books.world)
    books.push("bills")
    assert (differences(books.world), settled(books.world)) == ([], ["cancelled"])
