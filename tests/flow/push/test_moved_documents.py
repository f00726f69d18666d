"""A document that is moved to another organisation is taken back in the Xero of the one that it has left."""

from uuid import UUID

import pytest

from tests.support.cancelling import (
    CANCELLED,
    WAYS,
    approve,
    deletions,
    differences,
    events,
    inserted_again,
    pushed,
    removed_long_ago,
    statuses,
)
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.tying_out import tie

MOVED = "moved to another organisation"


def moved(books: Books, to: Books, kind: str, document: UUID) -> None:
    """With its lines, as QicWorks would do it."""
    account, tax = ("200", "OUTPUT") if kind in ("invoices", "credit_notes") else ("429", "INPUT")
    books.world.query(
        "UPDATE qicworks.document_line SET account_id = %s, tax_code_id = %s, tracking_option_id = NULL"
        " WHERE parent_id = %s",
        *(to.accounts[account], to.tax_codes[tax], document),
    )
    books.edit(kind, document, organisation_id=to.organisation_id, contact_id=to.contacts[0])


@pytest.fixture
def other(books: Books) -> Books:
    return Books(books.world, 1)


def test_it_is_deleted_in_the_xero_that_it_has_left(books: Books, other: Books) -> None:
    """And stands in the new one alone."""
    for kind in PRICED:
        document = pushed(books, kind)
        moved(books, other, kind, document)
        assert books.left(kind), kind
        other.push(kind)
        assert (other.row(kind, document)["push_state"], statuses(other, kind)[-1]) == ("pushed", "DRAFT"), kind
        books.writes()
        books.push(kind)
        assert len(deletions(books)) == 1, kind
        assert set(statuses(books, kind)) == {"DELETED"}, kind
        assert "DELETED" not in statuses(other, kind)
        assert any(f"because it was {MOVED} in QicWorks" in said for _, said in events(books.world, document)), kind
        row = other.row(kind, document)
        assert (row["xero_status"], row["push_state"]) == ("DRAFT", "pushed"), "it is free in the new one"
        other.push(kind)
        assert (books.left(kind), other.left(kind), deletions(books)) == (0, 0, [])
    assert [one for one in differences(books.world) if one["connection_id"] == books.connection_id] == []


def test_until_it_is_gone_there_its_tie_out_is_not_green(books: Books, other: Books) -> None:
    document = pushed(books, "bills")
    xero_id = approve(books, "bills", document)
    moved(books, other, "bills", document)
    assert not tie(books).is_green, "it waits"
    books.push("bills")
    [difference] = differences(books.world)
    assert (difference["connection_id"], difference["document_id"]) == (books.connection_id, document)
    assert (difference["ours"], difference["theirs"]) == ({"status": MOVED}, {"status": "AUTHORISED"})
    assert not tie(books).is_green
    books.bookkeep("void", invoice=xero_id)
    books.world.query("UPDATE xero_sync.difference SET last_seen_at = '2026-01-01'")
    books.push("bills")
    assert differences(books.world) == []
    assert tie(books).is_green


def test_moved_back_before_a_push_nothing_is_deleted(books: Books, other: Books) -> None:
    for kind in ("bills", "purchase_orders"):
        document = pushed(books, kind)
        moved(books, other, kind, document)
        moved(other, books, kind, document)
        books.push(kind)
        assert (books.row(kind, document)["push_state"], statuses(books, kind)) == ("pushed", ["DRAFT"])
        assert (books.left(kind), other.left(kind)) == (0, 0), "it never was in the other"
    assert books.world.query("SELECT * FROM xero_sync.cancellation") == []


def test_what_was_never_pushed_is_free(books: Books, other: Books) -> None:
    document = books.add("bills", Line("10"))
    moved(books, other, "bills", document)
    other.push("bills")
    assert (other.row("bills", document)["push_state"], books.left("bills")) == ("pushed", 0)


@pytest.mark.parametrize("way", WAYS)
def test_cancelled_before_it_was_pushed_there_nothing_waits_in_the_new_one(
    books: Books, other: Books, way: str
) -> None:
    for kind in PRICED:
        document = pushed(books, kind)
        moved(books, other, kind, document)
        WAYS[way](other, kind, document)
        other.push(kind)
        books.push(kind)
        assert (statuses(other, kind), set(statuses(books, kind))) == ([], {"DELETED"}), kind
        assert (books.left(kind), other.left(kind), differences(books.world)) == (0, 0, []), kind
    assert tie(books).is_green


@pytest.mark.parametrize("way", WAYS)
def test_cancelled_after_it_was_pushed_there_it_is_deleted_in_both(books: Books, other: Books, way: str) -> None:
    for kind in PRICED:
        document = pushed(books, kind)
        moved(books, other, kind, document)
        other.push(kind)
        WAYS[way](other, kind, document)
        other.push(kind)
        books.push(kind)
        assert (set(statuses(other, kind)), set(statuses(books, kind))) == ({"DELETED"}, {"DELETED"}), kind
        assert (books.left(kind), other.left(kind), differences(books.world)) == (0, 0, []), kind


@pytest.mark.parametrize("kind", CANCELLED)
def test_moved_and_cancelled_at_once(books: Books, other: Books, kind: str) -> None:
    document = pushed(books, kind)
    to = {"organisation_id": other.organisation_id, "contact_id": other.contacts[0]}
    books.edit(kind, document, status=CANCELLED[kind], **to)
    for one in (other, books):
        one.push(kind)
    assert (statuses(other, kind), statuses(books, kind)) == ([], ["DELETED"])
    assert (books.left(kind), other.left(kind), differences(books.world)) == (0, 0, [])


def test_its_files_move_with_it(books: Books, other: Books) -> None:
    for kind in PRICED:
        document = pushed(books, kind, files=[File("a.pdf")])
        moved(books, other, kind, document)
        other.push(kind)
        [file] = other.files(kind, document)
        assert (file["organisation_id"], file["push_state"]) == (other.organisation_id, "pushed"), kind
        assert [one["FileName"] for one in other.attached(other.row(kind, document)["xero_id"])] == ["a.pdf"], kind
        books.push(kind)
        assert (set(statuses(books, kind)), books.left(kind), other.left(kind)) == ({"DELETED"}, 0, 0), kind


@pytest.mark.parametrize("pushed_there", [False, True])
def test_moved_there_and_back_it_stands_in_the_first_alone(books: Books, other: Books, pushed_there: bool) -> None:
    for kind in PRICED:
        document = pushed(books, kind, files=[File("a.pdf")])
        xero_id = books.row(kind, document)["xero_id"]
        moved(books, other, kind, document)
        if pushed_there:
            other.push(kind)
        moved(other, books, kind, document)
        for one in (books, other):
            one.push(kind)
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_id"], row["push_error"]) == ("pushed", xero_id, None), kind
        assert (set(statuses(books, kind)), set(statuses(other, kind)) <= {"DELETED"}) == ({"DRAFT"}, True), kind
        assert [one["FileName"] for one in books.attached(xero_id)] == ["a.pdf"], kind
        assert (books.left(kind), other.left(kind), differences(books.world)) == (0, 0, []), kind


@pytest.mark.parametrize("pushed_there", [False, True])
def test_a_file_that_is_removed_while_it_is_away_is_named_when_it_is_back(
    books: Books, other: Books, pushed_there: bool
) -> None:
    document = pushed(books, "bills", files=[File("a.pdf")])
    moved(books, other, "bills", document)
    if pushed_there:
        other.push("bills")
    books.world.query("DELETE FROM qicworks.attachment WHERE parent_id = %s", document)
    moved(other, books, "bills", document)
    removed_long_ago(books.world)
    for one in (books, other):
        one.push("bills")
    [difference] = differences(books.world)
    assert (difference["connection_id"], difference["reason"]) == (books.connection_id, "file_left_in_xero")
    assert not tie(books).is_green


def test_what_was_paid_in_the_xero_that_it_has_left_is_not_paid_in_the_new_one(books: Books, other: Books) -> None:
    document = pushed(books, "bills")
    xero_id = approve(books, "bills", document)
    books.bookkeep("pay", invoice=xero_id, amount=11)
    books.world.pull("document_status", books.organisation)
    assert books.row("bills", document)["status"] == "Paid"
    moved(books, other, "bills", document)
    row = books.row("bills", document)
    assert (row["status"], row["paid_to_date"], row["balance"], row["fully_paid_on"]) == ("Unpaid", 0, None, None)


def test_inserted_in_another_organisation_with_all_its_columns_it_is_new_there(books: Books, other: Books) -> None:
    for kind in PRICED:
        document = pushed(books, kind, files=[File("a.pdf")])
        to = {"organisation_id": other.organisation_id, "contact_id": other.contacts[0]}
        inserted_again(books.world, PRICED[kind][0], document, **to)
        moved(other, other, kind, document)
        other.push(kind)
        row = other.row(kind, document)
        assert (row["push_state"], row["push_error"], row["xero_status"]) == ("pushed", None, "DRAFT"), kind
        assert [one["FileName"] for one in other.attached(row["xero_id"])] == ["a.pdf"], kind
        books.push(kind)
        assert set(statuses(books, kind)) == {"DELETED"}, kind
        assert (books.left(kind), other.left(kind), differences(books.world)) == (0, 0, []), kind


def test_back_to_draft_without_its_link_the_tie_out_says_that_it_is_still_there(books: Books, other: Books) -> None:
    for kind in PRICED:
        document = pushed(books, kind)
        moved(books, other, kind, document)
        moved(other, books, kind, document)
        books.edit(kind, document, push_state="draft")
        assert not tie(books).is_green, kind
        books.push(kind)
        assert tie(books).is_green, kind
