"""One test for each guard of the outbox: nothing is sent twice or looked up too early, and no edit is lost."""

import pytest

from tests.support.background import in_background
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File
from tests.support.refusing import acting
from tests.support.troubles import DOCUMENTS
from tests.support.world import World
from xero.api.errors import RetryLater
from xero.sync.batch import QUIET

LOST = {"kind": "lost_answer", "path": DOCUMENTS, "method": "PUT"}
ONE_TRY = {"backoff": ()}
LEAVE = "/payroll.xro/1.0/LeaveApplications"


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)


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
    with (
        acting(books.world, "AFTER UPDATE ON xero_sync.push_request", edit, "OLD.first_sent_at IS NULL"),
        pytest.raises(RetryLater),
    ):
        books.push(kind, client=ONE_TRY)
    assert (books.row(kind, document)["push_state"], len(books.requests())) == ("ready", 1)
    assert len(books.writes()) == 1, "it was sent a second time, though Xero may have it"
    books.drain(kind)
    books.assert_once(kind)


# -- looked up late enough


@pytest.mark.parametrize("kind", ["invoices", "credit_notes"])
def test_a_request_is_looked_up_only_after_a_quiet_minute(books: Books, kind: str) -> None:
    """Xero may still be saving it: a record that is missing now may appear a moment later."""
    document = books.add(kind)
    books.world.fault(kind="500_saved", path=DOCUMENTS, method="PUT")
    with pytest.raises(RetryLater):
        books.push(kind, client=ONE_TRY)
    books.pass_time(30)
    before = books.requests()
    books.world.calls()
    with pytest.raises(RetryLater, match="still be at work") as caught:
        books.push(kind, quiet=QUIET)
    assert 0 < caught.value.seconds <= 30
    assert (books.world.calls(), books.requests()) == ([], before)
    assert books.row(kind, document)["push_state"] == "in_flight"
    books.pass_time(30)
    assert books.push(kind, quiet=QUIET).counts.pushed == 1
    assert books.writes() == [], "it was found, so nothing is sent"
    books.assert_once(kind)


# -- edits in flight


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
