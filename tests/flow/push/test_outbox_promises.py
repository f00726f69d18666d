"""One test for each guard of the outbox: nothing is sent twice or looked up too early, and no edit is lost."""

import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.support.background import in_background
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.refusing import acting
from tests.support.troubles import DOCUMENTS
from tests.support.world import World
from xero.api.client import XeroClient
from xero.api.errors import RetryLater
from xero.documents.registry import KINDS
from xero.sync.push.deadlines import QUIET_SECONDS
from xero.sync.runs.outcome import Skip

PUT = {"path": DOCUMENTS, "method": "PUT"}
LOST = {"kind": "lost_answer", **PUT}
A_FULL_DAY = {"kind": "429", "problem": "day", "retry_after": 4000, **PUT}
ONE_TRY: dict[str, Any] = {"backoff": ()}
SENDING = ("AFTER UPDATE ON xero_sync.push_request", "OLD.first_sent_at IS NULL AND NEW.first_sent_at IS NOT NULL")
LEAVE = "/payroll.xro/1.0/LeaveApplications"


# -- sent once


@pytest.mark.parametrize("kind", ["invoices", "purchase_orders"])
def test_a_replayed_request_is_identical(books: Books, kind: str) -> None:
    """Xero accepts no other request under the same key, and repeats the response that was lost."""
    books.add(kind)
    books.world.fault(**LOST)
    with pytest.raises(RetryLater):
        books.push(kind, client=ONE_TRY)
    assert books.push(kind).counts.pushed == 1
    first, again = books.writes()
    assert again["replayed"], "Xero did not recognise it"
    for said in ("method", "path", "query", "sha256"):
        assert first[said] == again[said]
    books.assert_once(kind)


@pytest.mark.parametrize("kind", ["invoices", "purchase_orders"])
def test_a_document_in_an_open_request_is_not_sent_again(books: Books, kind: str) -> None:
    """It is edited in flight and the response is lost: the edit waits until the first request is settled."""
    document = books.add(kind)
    edit = f"UPDATE qicworks.{PRICED[kind][0]} SET job_name = 'edited' WHERE id = '{document}'"
    books.world.fault(**LOST)
    with acting(books.world, SENDING[0], edit, SENDING[1]), pytest.raises(RetryLater):
        books.push(kind, client=ONE_TRY)
    assert (books.row(kind, document)["push_state"], len(books.requests())) == ("ready", 1)
    assert len(books.writes()) == 1, "it was sent a second time, though Xero may have it"
    books.drain(kind)
    books.assert_once(kind)


@pytest.mark.parametrize("kind", ["bills", "credit_notes"])
def test_what_xero_would_accept_twice_is_not_replayed_by_the_same_run(books: Books, kind: str) -> None:
    """Its key alone is not trusted: Xero is searched first."""
    books.add(kind)
    books.world.fault(**LOST)
    with pytest.raises(RetryLater):
        books.push(kind)
    assert len(books.writes()) == 1
    books.drain(kind)
    books.assert_once(kind)


def test_a_key_under_which_xero_keeps_a_500_is_not_used_again(books: Books) -> None:
    books.add("invoices")
    books.world.fault(kind="500", **PUT)
    with pytest.raises(RetryLater):
        books.push("invoices", client=ONE_TRY)
    assert books.push("invoices").counts.pushed == 1
    failed, accepted = (call["headers"]["idempotency-key"] for call in books.writes())
    assert failed != accepted
    books.assert_once("invoices")


def test_a_replay_stops_when_its_key_expires(books: Books) -> None:
    """Xero keeps a key for six minutes from the first attempt; here 50 seconds of our five minutes are left."""
    books.add("invoices")
    books.world.fault(**LOST)
    with pytest.raises(RetryLater):
        books.push("invoices", client=ONE_TRY)
    books.pass_time(250)
    books.world.fault(kind="cut", **PUT)
    pauses: list[float] = []
    with pytest.raises(RetryLater):
        books.push("invoices", client={"backoff": (60.0,), "sleep": pauses.append})
    assert (pauses, len(books.writes())) == ([], 2)


def test_a_key_expires_five_minutes_after_its_first_attempt(books: Books) -> None:
    books.add("invoices")
    for _ in range(2):
        books.world.fault(**LOST)
        with pytest.raises(RetryLater):
            books.push("invoices", client=ONE_TRY)
    sent = "SELECT last_sent_at > first_sent_at + interval '200 seconds' AS again FROM xero_sync.push_request"
    books.pass_time(200)
    books.world.fault(**LOST)
    with pytest.raises(RetryLater):
        books.push("invoices", client=ONE_TRY)
    assert books.world.query(sent) == [{"again": True}]
    assert len(books.writes()) == 3
    books.pass_time(150)
    books.push("invoices")
    assert books.writes() == [], "it is looked up"
    books.assert_once("invoices")


def test_a_replay_that_xero_turns_away_leaves_the_request_open(books: Books) -> None:
    """A day's limit says nothing about the first attempt, which did arrive."""
    document = books.add("invoices")
    books.world.fault(**LOST)
    with pytest.raises(RetryLater):
        books.push("invoices", client=ONE_TRY)
    books.world.fault(**A_FULL_DAY)
    with pytest.raises(Skip):
        books.push("invoices")
    assert (books.row("invoices", document)["push_state"], len(books.requests())) == ("in_flight", 1)
    books.world.query("UPDATE xero_sync.call_budget SET not_before = NULL, closed_by = NULL")
    assert books.push("invoices").counts.pushed == 1
    assert len({call["headers"]["idempotency-key"] for call in books.writes()}) == 1
    books.assert_once("invoices")


def test_a_request_that_arrived_in_part_is_left_alone_until_xero_has_finished(books: Books) -> None:
    documents = [books.add("bills"), books.add("bills", contact=1)]
    books.world.fault(kind="cut", **PUT)
    with pytest.raises(RetryLater):
        books.push("bills", client=ONE_TRY)
    [request] = books.requests()
    saved(books, json.loads(request["body"])["Invoices"][0])
    books.world.calls()
    with pytest.raises(RetryLater, match="still be processing"):
        books.push("bills", quiet=QUIET_SECONDS)
    assert books.writes() == [], "the second may still arrive"
    assert [books.row("bills", one)["push_state"] for one in documents] == ["in_flight"] * 2
    books.pass_time(QUIET_SECONDS)
    assert books.push("bills", quiet=QUIET_SECONDS).counts.pushed == 2
    books.assert_once("bills")


def saved(books: Books, element: dict[str, Any]) -> None:
    """As Xero saves one of the documents of a request."""
    sandbox = books.world.sandbox
    headers = {"Authorization": f"Bearer {sandbox.token}", "xero-tenant-id": sandbox.tenant()}
    made = sandbox.session.put(
        f"{sandbox.url}/api.xro/2.0/Invoices?unitdp=4", json={"Invoices": [element]}, headers=headers
    )
    assert made.status_code == 200, made.text


def test_a_record_that_two_documents_could_be_is_linked_to_neither(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Xero saves one of two alike, refuses the other, and its response names neither."""
    alike: dict[str, Any] = {"number": "CN-1", "side": "supplier"}
    documents = [books.add("credit_notes", Line("50", tax=tax), **alike) for tax in (None, "OUTPUT")]
    unchecked: Any = replace(KINDS["credit_notes"], checks=())  # type: ignore[call-arg]
    write = XeroClient.write

    def silent(client: XeroClient, *request: Any, **how: Any) -> Any:
        return replace(write(client, *request, **how), data={"CreditNotes": []})

    monkeypatch.setattr(XeroClient, "write", silent)
    assert books.push(unchecked).counts.failed == 2
    assert len(books.in_xero("credit_notes")) == 1
    rows = [books.row("credit_notes", document) for document in documents]
    assert [(row["push_state"], row["xero_id"]) for row in rows] == [("failed", None)] * 2
    assert all("check in Xero" in row["push_error"] for row in rows)


def test_an_open_request_of_another_organisation_is_left_alone(world: World) -> None:
    ours, theirs = Books(world), Books(world, 1)
    theirs.add("invoices")
    world.fault(**LOST)
    with pytest.raises(RetryLater):
        theirs.push("invoices", client=ONE_TRY)
    before = theirs.requests()
    world.calls()
    ours.push("invoices")
    assert (world.calls(), theirs.requests(), ours.in_xero("invoices")) == ([], before, [])
    assert theirs.push("invoices").counts.pushed == 1
    theirs.assert_once("invoices")


# -- looked up late enough


@pytest.mark.parametrize("kind", ["invoices", "credit_notes"])
def test_a_request_is_looked_up_only_after_a_quiet_minute(books: Books, kind: str) -> None:
    """Xero may still be saving it: a record that is missing now may appear a moment later."""
    document = books.add(kind)
    books.world.fault(kind="500_saved", **PUT)
    with pytest.raises(RetryLater):
        books.push(kind, client=ONE_TRY)
    books.pass_time(30)
    before = books.requests()
    books.world.calls()
    with pytest.raises(RetryLater, match="still be processing") as caught:
        books.push(kind, quiet=QUIET_SECONDS)
    assert 0 < caught.value.seconds <= 30
    assert (books.world.calls(), books.requests()) == ([], before)
    assert books.row(kind, document)["push_state"] == "in_flight"
    books.pass_time(30)
    assert books.push(kind, quiet=QUIET_SECONDS).counts.pushed == 1
    assert books.writes() == [], "it was found, so nothing is sent"
    books.assert_once(kind)


# -- edits in flight


@pytest.mark.parametrize("state", ["draft", "skipped"])
def test_a_document_withdrawn_before_its_claim_is_not_sent(books: Books, state: str) -> None:
    """While Xero is searched for it."""
    withdrawn, other = books.add("bills"), books.add("bills", contact=1)
    with books.world.sandbox.hold("/Invoices", method="GET") as wait_until_held:
        pushing = in_background(lambda: books.push("bills"))
        wait_until_held()
        books.edit("bills", withdrawn, push_state=state)
    assert pushing.result().counts.pushed == 1
    assert [str(books.row("bills", other)["xero_id"])] == [one["InvoiceID"] for one in books.in_xero("bills")]
    assert books.row("bills", withdrawn)["push_state"] == state


def test_a_document_withdrawn_in_flight_stays_withdrawn(books: Books) -> None:
    """Xero's limit turns its request away: only what is still in flight becomes ready again."""
    withdrawn, other = books.add("invoices"), books.add("invoices")
    withdraw = f"UPDATE qicworks.invoice SET push_state = 'draft' WHERE id = '{withdrawn}'"
    books.world.fault(**A_FULL_DAY)
    with acting(books.world, SENDING[0], withdraw, SENDING[1]), pytest.raises(Skip):
        books.push("invoices")
    assert books.row("invoices", withdrawn)["push_state"] == "draft"
    assert (books.row("invoices", other)["push_state"], books.requests()) == ("ready", [])


def test_a_document_that_a_user_is_saving_waits_for_the_next_run(books: Books) -> None:
    """Neither sent as it was, nor waited for."""
    edited = books.add("invoices", job_name="before")
    books.add("invoices")
    with psycopg.connect(books.world.database_url) as user:
        user.execute("UPDATE qicworks.invoice SET reference = 'after' WHERE id = %s", (edited,))
        pushing = in_background(lambda: books.push("invoices"))
        assert pushing.result(timeout=60).counts.pushed == 1
        assert books.row("invoices", edited)["push_state"] == "ready"
    assert books.push("invoices").counts.pushed == 1
    assert {one["Reference"] for one in books.in_xero("invoices")} == {"after", ""}
    books.assert_once("invoices")


def test_an_edit_made_while_a_refused_request_is_halved_is_sent(books: Books) -> None:
    """Xero refuses both because of one. The other is sent by itself, first as claimed and then as edited."""
    invoices: Any = KINDS["invoices"]
    unreadable = replace(
        invoices,
        payload=lambda one: {**invoices.payload(one), **({"DueDate": "soon"} if one.number == "BAD" else {})},
    )
    good, bad = books.add("invoices"), books.add("invoices", number="BAD")
    with books.world.sandbox.hold(DOCUMENTS, method="PUT") as wait_until_held:
        pushing = in_background(lambda: books.push(unreadable))
        wait_until_held()
        books.edit("invoices", good, reference="edited")
    pushing.result()
    assert (books.row("invoices", good)["push_state"], books.row("invoices", bad)["push_state"]) == ("pushed", "failed")
    assert [one["Reference"] for one in books.in_xero("invoices")] == ["edited"]
    assert books.requests() == []


def test_an_attachment_that_changes_in_flight_is_sent_again(books: Books) -> None:
    document = books.add("invoices", files=[File(content=b"old")])
    with books.world.sandbox.hold("/Attachments/", method="PUT", done=True) as wait_until_held:
        pushing = in_background(lambda: books.push("invoices"))
        wait_until_held()
        books.world.query("UPDATE qicworks.attachment SET content = 'new'")
    pushing.result()
    [file] = books.files("invoices", document)
    assert file["push_state"] == "ready", "Xero has only the old content"
    books.push("invoices")
    books.assert_once("invoices")


def test_a_refusal_applies_only_to_the_version_that_was_refused(world: World) -> None:
    """Leave is changed after its push, then changed back while Xero is asked for its record."""
    payroll = Payroll(world)
    day = payroll.start_of(5)
    request = payroll.leave(payroll.paid_by_the_hour()[0], day, day, "7.6")
    payroll.push("leave_requests")
    payroll.edit("leave_request", request, hours="3.8")
    payroll.ready("leave_request", request)
    with world.sandbox.hold(f"{LEAVE}/", method="GET") as wait_until_held:
        pushing = in_background(lambda: payroll.push("leave_requests"))
        wait_until_held()
        payroll.edit("leave_request", request, hours="7.6")
        payroll.ready("leave_request", request)
    pushing.result()
    row = payroll.row("leave_request", request)
    assert (row["push_state"], row["push_error"]) == ("pushed", None)
