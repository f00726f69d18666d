"""A row that is deleted and inserted again with its id, as an undo does it, is not cancelled."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import requests

from tests.support.calls import Forward, intercepted
from tests.support.cancelling import (
    CANCELLED,
    delete,
    deleted,
    deletions,
    differences,
    events,
    inserted,
    inserted_again,
    inserted_at_once,
    pushed,
    statuses,
)
from tests.support.followed import ACTS
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, Line
from tests.support.world import World
from xero.api import wire

LEAVE = "leave_requests"

#: How the row comes back: columns that are not as they were.
BACK: dict[str, dict[str, Any]] = {
    "as it was": {},
    "without its link": {"xero_id": None, "xero_status": None, "pushed_at": None},
    "as new": {"xero_id": None, "xero_status": None, "pushed_at": None, "push_state": "ready", "push_version": 1},
}


def assert_is_over(world: World) -> None:
    assert world.query("SELECT * FROM xero_sync.cancellation") == []
    assert differences(world) == []


@pytest.mark.parametrize("back", BACK)
def test_it_stays_in_xero_as_one_record(books: Books, back: str) -> None:
    for kind in PRICED:
        document = pushed(books, kind)
        xero_id = books.row(kind, document)["xero_id"]
        inserted_again(books.world, PRICED[kind][0], document, **BACK[back])
        books.writes()
        books.push(kind)
        assert books.writes() == [], kind
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_id"], row["xero_status"]) == ("pushed", xero_id, "DRAFT"), kind
        assert (set(statuses(books, kind)), books.left(kind)) == ({"DRAFT"}, 0), kind
    assert_is_over(books.world)


@pytest.mark.parametrize("again", [inserted_again, inserted_at_once])
def test_what_it_has_now_is_pushed(books: Books, again: Callable[..., None]) -> None:
    """Also under the version that was pushed, and as if it was pushed."""
    for kind in PRICED:
        document = pushed(books, kind)
        version = books.row(kind, document)["push_version"]
        again(books.world, PRICED[kind][0], document, issue_date="2026-10-06", push_version=version)
        assert books.row(kind, document)["push_version"] > version
        books.push(kind)
        [there] = [one for one in books.in_xero(kind) if one[PRICED[kind][3]] == books.row(kind, document)["number"]]
        assert (wire.date(there["Date"]), there["Status"]) == (date(2026, 10, 6), "DRAFT"), kind
    assert_is_over(books.world)


@pytest.mark.parametrize("status", [False, True])
def test_out_of_force_it_is_still_cancelled(books: Books, status: bool) -> None:
    for kind in PRICED:
        if status and kind not in CANCELLED:
            continue
        document = pushed(books, kind)
        inserted_again(
            books.world,
            PRICED[kind][0],
            document,
            **({"status": CANCELLED[kind]} if status else {"push_state": "draft"}),
        )
        books.writes()
        books.push(kind)
        assert (len(deletions(books)), books.row(kind, document)["xero_status"]) == (1, "DELETED"), kind
        said = "in QicWorks" if status else "taken back in QicWorks"
        assert any(said in message for _, message in events(books.world, document)), kind
        assert (books.left(kind), differences(books.world)) == (0, [])


def test_released_after_it_was_inserted_as_a_draft(books: Books) -> None:
    document = pushed(books, "bills")
    inserted_again(books.world, "bill", document, push_state="draft", xero_id=None)
    books.edit("bills", document, push_state="ready")
    books.push("bills")
    assert (books.row("bills", document)["push_state"], statuses(books, "bills")) == ("pushed", ["DRAFT"])
    assert_is_over(books.world)


@pytest.mark.parametrize("back", BACK)
def test_after_it_was_deleted_in_xero_it_is_said(books: Books, back: str) -> None:
    document = pushed(books, "bills")
    row = deleted(books.world, "bill", document)
    books.push("bills")
    assert statuses(books, "bills") == ["DELETED"]
    inserted(books.world, "bill", row | BACK[back])
    books.push("bills")
    assert "was deleted in Xero" in books.row("bills", document)["push_error"]
    assert statuses(books, "bills") == ["DELETED"]


def test_while_xero_is_read_nothing_is_deleted(books: Books) -> None:
    document = pushed(books, "bills")
    row = deleted(books.world, "bill", document)

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if not books.rows("bills"):
            inserted(books.world, "bill", row)
        return answer

    with intercepted(call):
        books.push("bills")
    assert statuses(books, "bills") == ["DRAFT"]
    assert_is_over(books.world)


@pytest.mark.parametrize(("one", "other"), [("bills", "expenses"), ("expenses", "bills"), ("purchase_orders", "bills")])
def test_its_id_in_another_table_is_another_document(books: Books, one: str, other: str) -> None:
    """As when a bill is made an expense, and an expense a bill. Each is pushed, followed and cancelled by itself."""
    document = pushed(books, one)
    row = deleted(books.world, PRICED[one][0], document)
    books.world.query("DELETE FROM qicworks.document_line WHERE parent_id = %s", document)
    books.add(other, Line("20"), id=document, number=f"{row['number']}-2")
    for kind in (other, one):
        books.push(kind)
        books.world.pull("document_status", books.organisation)
    there = {record["Status"]: record["Total"] for record in books.in_xero(one) + books.in_xero(other)}
    assert (set(there), float(there["DRAFT"])) == ({"DELETED", "DRAFT"}, 22.0)
    second = books.row(other, document)
    assert (second["push_state"], second["xero_id"] is None) == ("pushed", False)
    assert (books.left(one), books.left(other)) == (0, 0)
    assert differences(books.world) == []
    books.bookkeep("edit", **{ACTS[other]: str(second["xero_id"])}, fields={"Date": "2026-10-09"})
    books.world.pull("document_status", books.organisation)
    assert [one["document_kind"] for one in differences(books.world)] == [other], "it is compared"
    delete(books, other, document)
    books.push(other)
    assert {record["Status"] for record in books.in_xero(one) + books.in_xero(other)} == {"DELETED"}
    assert (books.left(one), books.left(other)) == (0, 0)


@pytest.mark.parametrize("back", BACK)
def test_leave_stays_in_xero_as_one_application(world: World, back: str) -> None:
    payroll = Payroll(world)
    monday = payroll.start_of(5)
    document = payroll.leave(payroll.paid_by_the_hour()[0], monday, monday)
    payroll.push(LEAVE)
    xero_id = payroll.row("leave_request", document)["xero_id"]
    version = payroll.row("leave_request", document)["push_version"]
    inserted_again(
        world, "leave_request", document, **BACK[back] | {"approved_version": BACK[back].get("push_version", version)}
    )
    payroll.writes()
    payroll.push(LEAVE)
    assert payroll.writes() == []
    row = payroll.row("leave_request", document)
    assert (row["push_state"], row["xero_id"], row["push_error"]) == ("pushed", xero_id, None)
    assert [one["LeavePeriods"][0]["LeavePeriodStatus"] for one in payroll.applications()] == ["SCHEDULED"]
    assert_is_over(world)


def test_leave_that_is_not_approved_is_still_cancelled(world: World) -> None:
    payroll = Payroll(world)
    monday = payroll.start_of(5)
    document = payroll.leave(payroll.paid_by_the_hour()[0], monday, monday)
    payroll.push(LEAVE)
    inserted_again(world, "leave_request", document, status="Requested")
    payroll.push(LEAVE)
    assert [one["LeavePeriods"][0]["LeavePeriodStatus"] for one in payroll.applications()] == ["REJECTED"]
