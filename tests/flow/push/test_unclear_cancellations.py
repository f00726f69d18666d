"""What is cancelled in QicWorks while nobody knows whether its push arrived stays an open difference."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from tests.support.calls import Forward, intercepted, is_write, response
from tests.support.cancelling import back_to_draft, by_status, delete, differences, events, seen_long_ago, settled
from tests.support.followed import ACTS
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, Line
from tests.support.troubles import DOCUMENTS
from tests.support.tying_out import tie
from tests.support.world import World
from xero.api.errors import XeroError
from xero.composition import opener
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.sync.push.flow import preview

LEAVE = "leave_requests"
APPLICATIONS = "/payroll.xro/1.0/LeaveApplications"
WAYS = {"by its status": by_status, "back to draft": back_to_draft, "deleted": delete}


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


def lost(books: Books, kind: str, fault: str, **columns: Any) -> UUID:
    """A document whose push got no response: with "cut", Xero never had it."""
    document = books.add(kind, Line("10"), **columns)
    books.world.fault(kind=fault, path=DOCUMENTS, method="PUT", times=1)
    with pytest.raises(XeroError):
        books.push(kind, client={"backoff": ()})
    assert len(books.requests()) == 1
    return document


def assert_unclear(world: World, document: UUID, push: Callable[[], Any]) -> None:
    """It stays open until it is in force again, and is said once."""
    [difference] = differences(world)
    assert (difference["document_id"], difference["reason"]) == (document, "cancelled_in_qicworks")
    assert difference["theirs"] == {"status": "not known"}
    assert world.query("SELECT done_at FROM xero_sync.cancellation") == [{"done_at": None}]
    seen_long_ago(world)
    push()
    assert [one["id"] for one in differences(world)] == [difference["id"]]
    said = [(status, one) for status, one in events(world, document) if "may still be in Xero" in one]
    assert [status for status, _ in said] == ["warning"], said
    [event] = world.query(
        "SELECT correction FROM xero_sync.connection_event WHERE document_id = %s AND status = 'warning'", document
    )
    assert event["correction"].startswith("Look for the ")


def copied(books: Books, kind: str, document: UUID, **fields: Any) -> None:
    """A record that is like a document, but is not known to be it."""
    _, collection, key, number, _ = PRICED[kind]
    name = books.row(kind, document)["number"]
    found = next(one for one in books.in_xero(kind) if one[number] == name)
    copy = {field: value for field, value in found.items() if field != key}
    books.world.sandbox.control(
        "POST", f"organisations/{books.world.sandbox.tenant()}/{collection}", {**copy, **fields}
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["purchase_orders", "credit_notes"])
def test_where_several_records_match(books: Books, kind: str, way: str) -> None:
    document = lost(books, kind, "lost_answer")
    copied(books, kind, document)
    books.pass_time(3600)
    WAYS[way](books, kind, document)
    assert differences(books.world) == []
    outcome = books.push(kind)
    assert "1 cancelled, but still in Xero" in outcome.message
    assert_unclear(books.world, document, partial(books.push, kind))
    seen_long_ago(books.world)
    asked = {"engine": books.world.engine, "open_client": opener(books.world.engine, books.world.app)}
    [shown] = preview(KINDS[kind], books.connection_id, **asked)  # type: ignore[arg-type]
    assert "no record in Xero is certainly this document" in shown.refused[0][1]
    if way == "back to draft":
        books.edit(kind, document, push_state="ready")
        books.push(kind)
        assert (differences(books.world), settled(books.world)) == ([], ["agrees"])


@pytest.mark.parametrize("way", WAYS)
def test_where_a_record_may_be_it(books: Books, way: str) -> None:
    """It has its number, contact, day and total, and another address."""
    other = books.add("bills", Line("10"))
    books.push("bills")
    [found] = books.in_xero("bills")
    document = lost(books, "bills", "cut", number="B-1")
    copied(books, "bills", other, InvoiceNumber="B-1", Url=found["Url"].replace(str(other), str(uuid4())))
    books.pass_time(3600)
    WAYS[way](books, "bills", document)
    books.push("bills")
    assert_unclear(books.world, document, partial(books.push, "bills"))


@pytest.mark.parametrize("way", WAYS)
def test_where_its_record_is_linked_to_another_document(books: Books, way: str) -> None:
    document, other = lost(books, "bills", "lost_answer", number="B-1"), books.add("bills", Line("10"), state="draft")
    [found] = books.in_xero("bills")
    books.edit("bills", other, xero_id=found["InvoiceID"])
    books.pass_time(3600)
    WAYS[way](books, "bills", document)
    books.push("bills")
    assert_unclear(books.world, document, partial(books.push, "bills"))


@pytest.mark.parametrize("way", WAYS)
def test_where_the_request_is_without_a_seal(books: Books, way: str) -> None:
    document = lost(books, "bills", "lost_answer")
    books.world.query("UPDATE xero_sync.push_request SET seal = NULL")
    books.edit("bills", document, reference="another")  # what was sent is not known
    WAYS[way](books, "bills", document)
    books.push("bills")
    assert books.requests() == []
    assert_unclear(books.world, document, partial(books.push, "bills"))


@pytest.mark.parametrize("kind", ["invoices", "bills"])
def test_where_no_request_of_it_is_known(books: Books, kind: str) -> None:
    """Its state was changed by hand, or its request is that of another Xero organisation."""
    books.add(kind, Line("20"))
    books.push(kind)
    document = books.add(kind, Line("10"))
    books.world.query(f"UPDATE qicworks.{PRICED[kind][0]} SET push_state = 'in_flight' WHERE id = %s", document)
    back_to_draft(books, kind, document)
    books.push(kind)
    assert_unclear(books.world, document, partial(books.push, kind))


def move(books: Books, kind: str, document: UUID) -> None:
    other = Books(books.world, 1)
    books.edit(kind, document, organisation_id=other.organisation_id, contact_id=other.contacts[0])


def failed_unclear(books: Books, kind: str) -> UUID:
    """Several records in Xero match it: a person is to check in Xero."""
    document = lost(books, kind, "lost_answer")
    copied(books, kind, document)
    books.pass_time(3600)
    books.push(kind)
    row = books.row(kind, document)
    assert (row["push_state"], row["xero_id"]) == ("failed", None)
    return document


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("invoices", "deleted"),
        ("invoices", "moved"),
        ("bills", "deleted"),
        ("expenses", "by its status"),
        ("credit_notes", "back to draft"),
        ("purchase_orders", "moved"),
    ],
)
def test_what_failed_before_without_anybody_knowing(books: Books, kind: str, way: str) -> None:
    document = failed_unclear(books, kind)
    assert differences(books.world) == []
    (WAYS | {"moved": move})[way](books, kind, document)
    assert books.left(kind) == 1, "it waits"
    outcome = books.push(kind)
    assert "1 cancelled, but still in Xero" in outcome.message
    assert_unclear(books.world, document, partial(books.push, kind))


def test_what_failed_so_before_this_was_kept(books: Books) -> None:
    """A migration fills it in; not of what was edited since, or was refused."""
    document, edited = failed_unclear(books, "bills"), failed_unclear(books, "purchase_orders")
    books.edit("purchase_orders", edited, reference="another")
    books.world.query("UPDATE qicworks.purchase_order SET push_state = 'failed'")
    books.world.query("DELETE FROM xero_sync.unclear_push")
    migration = (sql.folder() / "schema" / "0028.unclear-outcomes.sql").read_text("utf-8")
    books.world.query(migration[migration.index("INSERT INTO") :])
    kept = books.world.query("SELECT document_id, connection_id FROM xero_sync.unclear_push")
    assert kept == [{"document_id": document, "connection_id": books.connection_id}]


def test_what_failed_without_anybody_knowing_and_is_known_since(books: Books) -> None:
    """Somebody has deleted both in Xero, and pushes it again: Xero refuses it, so it certainly has none."""
    document = failed_unclear(books, "purchase_orders")
    organisation = f"organisations/{books.world.sandbox.tenant()}"
    for record in books.in_xero("purchase_orders"):
        books.world.sandbox.control("DELETE", f"{organisation}/PurchaseOrders/{record['PurchaseOrderID']}")
    [contact] = books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", books.contacts[0])
    books.world.sandbox.control("PATCH", f"{organisation}/Contacts/{contact['xero_id']}", {"ContactStatus": "ARCHIVED"})
    books.push("purchase_orders", documents=[str(document)])
    assert books.row("purchase_orders", document)["push_state"] == "failed"
    delete(books, "purchase_orders", document)
    assert (books.left("purchase_orders"), differences(books.world)) == (0, [])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["invoices", "purchase_orders"])
def test_what_certainly_did_not_arrive_is_over(books: Books, kind: str, way: str) -> None:
    document = lost(books, kind, "cut")
    books.pass_time(3600)
    WAYS[way](books, kind, document)
    books.push(kind)
    assert (differences(books.world), books.left(kind), books.in_xero(kind)) == ([], 0, [])
    assert any("knows of no record of it in Xero" in message for _, message in events(books.world, document))


# -- leave


def lost_leave(payroll: Payroll, fault: str) -> UUID:
    monday = payroll.start_of(5)
    document: UUID = payroll.leave(payroll.paid_by_the_hour()[0], monday, monday)
    payroll.world.fault(kind=fault, method="POST", path="/LeaveApplications$", times=1)
    with pytest.raises(XeroError):
        payroll.push(LEAVE)
    return document


def delete_leave(payroll: Payroll, document: UUID) -> None:
    payroll.world.query("DELETE FROM qicworks.leave_request WHERE id = %s", document)


def reject(payroll: Payroll, document: UUID) -> None:
    payroll.edit("leave_request", document, status="Rejected")


LEAVE_WAYS = {"deleted": delete_leave, "rejected": reject}


@pytest.mark.parametrize("way", LEAVE_WAYS)
@pytest.mark.parametrize(
    "why", ["only approved is listed", "several match", "one is alike", "it is another's", "no seal"]
)
def test_leave_of_which_nobody_knows(payroll: Payroll, way: str, why: str) -> None:
    payroll.world.sandbox.settings(leave_created_as="REQUESTED", overlapping_leave_refused=False)
    document = lost_leave(payroll, "lost_answer")
    LEAVE_WAYS[way](payroll, document)
    collection = f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications"
    [found] = payroll.applications()
    match why:
        case "only approved is listed":
            payroll.world.fault(kind="500", method="GET", path=f"{APPLICATIONS}/v2", times=None)
        case "several match":
            copy = {name: value for name, value in found.items() if name != "LeaveApplicationID"}
            payroll.world.sandbox.control("POST", collection, copy)
        case "one is alike":
            payroll.world.sandbox.control(
                "PATCH", f"{collection}/{found['LeaveApplicationID']}", {"Description": "by hand"}
            )
        case "it is another's":
            other = payroll.leave(payroll.paid_by_the_hour()[1], payroll.start_of(9), payroll.start_of(9))
            linked = {"xero_id": found["LeaveApplicationID"], "push_state": "pushed"}
            payroll.edit("leave_request", other, **linked)
        case "no seal":
            payroll.world.query("UPDATE xero_sync.push_request SET seal = NULL")
    payroll.push(LEAVE)
    assert_unclear(payroll.world, document, partial(payroll.push, LEAVE))


@pytest.mark.parametrize("way", LEAVE_WAYS)
def test_leave_that_failed_before_without_anybody_knowing(payroll: Payroll, way: str) -> None:
    document = lost_leave(payroll, "lost_answer")
    collection = f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications"
    [found] = payroll.applications()
    copy = {name: value for name, value in found.items() if name != "LeaveApplicationID"}
    payroll.world.sandbox.control("POST", collection, copy)
    payroll.push(LEAVE)
    assert payroll.world.query("SELECT push_state, xero_id FROM qicworks.leave_request WHERE id = %s", document) == [
        {"push_state": "failed", "xero_id": None}
    ]
    LEAVE_WAYS[way](payroll, document)
    payroll.push(LEAVE)
    assert_unclear(payroll.world, document, partial(payroll.push, LEAVE))


@pytest.mark.parametrize("why", ["Xero refuses it", "it was changed there"])
def test_leave_that_is_not_approved_and_is_deleted_meanwhile(payroll: Payroll, why: str) -> None:
    """Nothing but the response has its id."""
    payroll.world.sandbox.settings(leave_created_as="REQUESTED")
    monday = payroll.start_of(5)
    document: UUID = payroll.leave(payroll.paid_by_the_hour()[0], monday, monday)

    def call(sent: requests.PreparedRequest, forward: Forward) -> requests.Response:
        if is_write(sent) and str(sent.url).endswith("/approve"):
            return response(400, "application/json", '{"Message": "No", "Type": "ValidationException"}')
        answer = forward()
        if is_write(sent):
            delete_leave(payroll, document)
        if is_write(sent) and why == "it was changed there":
            [found] = payroll.applications()
            path = f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications/{found['LeaveApplicationID']}"
            payroll.world.sandbox.control("PATCH", path, {"Description": "by hand"})
        return answer

    with intercepted(call):
        payroll.push(LEAVE)
    assert_unclear(payroll.world, document, partial(payroll.push, LEAVE))


@pytest.mark.parametrize("way", LEAVE_WAYS)
def test_leave_that_certainly_did_not_arrive_is_over(payroll: Payroll, way: str) -> None:
    document = lost_leave(payroll, "cut")
    LEAVE_WAYS[way](payroll, document)
    payroll.push(LEAVE)
    assert (differences(payroll.world), payroll.left(LEAVE), payroll.applications()) == ([], 0, [])


def test_what_failed_without_anybody_knowing_and_is_in_xero_no_more(books: Books) -> None:
    """Cancelled here, and deleted there by hand: once nothing in Xero is like what was sent, it is over."""
    for kind in ("purchase_orders", "credit_notes"):
        document = failed_unclear(books, kind)
        delete(books, kind, document)
        books.push(kind)
        assert len(differences(books.world)) == 1, kind
        for record in books.in_xero(kind):
            books.bookkeep("delete", **{ACTS[kind]: record[PRICED[kind][2]]})
        seen_long_ago(books.world)
        books.pass_time(1_000)
        books.push(kind)
        assert (differences(books.world), books.left(kind)) == ([], 0), kind


def test_renumbered_what_was_unclear_is_named_by_the_tie_out(books: Books) -> None:
    """The records that it may have had before are its own by the number under which it was sent."""
    for kind in ("purchase_orders", "credit_notes"):
        document = failed_unclear(books, kind)
        before = {record[PRICED[kind][2]] for record in books.in_xero(kind)}
        books.edit(kind, document, number="NEW-9", push_state="ready")
        books.push(kind)
        assert not tie(books).is_green, kind
        found = [one for one in differences(books.world) if one["document_id"] == document]
        assert {one["theirs"]["record"] for one in found} == before, kind
