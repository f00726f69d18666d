"""Files that were removed or renamed in QicWorks after their push: open differences until they are known to be gone."""

from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from tests.support.calls import Forward, intercepted, response
from tests.support.cancelling import delete, deletions, differences, events, seen_long_ago, settled, statuses
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.world import World


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)


def pushed(books: Books, kind: str, **more: Any) -> UUID:
    document = books.add(kind, Line("10"), **more)
    books.push(kind)
    return document


def removed(books: Books, document: UUID, name: str) -> None:
    statement = "DELETE FROM qicworks.attachment WHERE parent_id = %s AND file_name = %s"
    books.world.query(statement, document, name)


def test_a_removed_file_is_an_open_difference_until_it_is_attached_again(books: Books) -> None:
    for kind in PRICED:
        document = pushed(books, kind, files=[File("a.pdf"), File("b.pdf")])
        removed(books, document, "a.pdf")
        assert books.left(kind), kind
        outcome = books.push(kind)
        assert outcome.status == "warning"
        [difference] = differences(books.world)
        assert (difference["reason"], difference["subject"]) == ("file_left_in_xero", "a.pdf")
        assert (difference["document_kind"], difference["document_id"]) == (kind, document)
        [(_, said)] = events(books.world, document)
        assert said.endswith("a.pdf")
        books.world.calls()
        assert books.left(kind) == 0, "once a day"
        books.push(kind)
        assert books.world.calls() == []
        seen_long_ago(books.world)
        books.push(kind)
        assert len(books.world.calls()) == 1
        assert len(events(books.world, document)) == 1, "the event is written once"
        books.attach(kind, document, File("A.pdf"))
        seen_long_ago(books.world)
        books.push(kind)
        books.push(kind)
        assert differences(books.world) == [], kind
        assert books.left(kind) == 0


def test_a_renamed_file_is_left_under_its_old_name(books: Books) -> None:
    document = pushed(books, "bills", files=[File("a.pdf")])
    books.world.query("UPDATE qicworks.attachment SET file_name = 'b.pdf'")
    books.push("bills")
    assert [one["subject"] for one in differences(books.world)] == ["a.pdf"]
    removed(books, document, "b.pdf")
    books.push("bills")
    assert [one["subject"] for one in differences(books.world)] == ["a.pdf", "b.pdf"]
    delete(books, "bills", document)
    seen_long_ago(books.world)
    books.push("bills")
    assert (differences(books.world), settled(books.world)) == ([], ["agrees", "agrees"]), "its record is gone"
    assert (statuses(books, "bills"), books.left("bills")) == (["DELETED"], 0)


def test_a_file_that_xero_no_longer_lists_is_over(books: Books) -> None:
    one, two = (pushed(books, "invoices", files=[File("a.pdf")]) for _ in range(2))
    for document in (one, two):
        removed(books, document, "a.pdf")
    books.push("invoices")
    assert len(differences(books.world)) == 2
    lost = f"organisations/{books.world.sandbox.tenant()}/Invoices/{books.row('invoices', two)['xero_id']}"
    books.world.sandbox.control("DELETE", lost)  # with all that it had

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        is_of_one = str(books.row("invoices", one)["xero_id"]) in (request.url or "")
        return response(200, "application/json", '{"Attachments": []}') if is_of_one else forward()

    seen_long_ago(books.world)
    with intercepted(call):
        books.push("invoices")
    assert (differences(books.world), books.left("invoices")) == ([], 0)
    assert deletions(books) == []


def responding(books: Books, document: UUID, status: int) -> AbstractContextManager[None]:
    """Xero responds so to everyone who asks for the files of that record."""
    path = f"/{books.row('invoices', document)['xero_id']}/Attachments"

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        said = '{"Message": "Not today"}'
        return response(status, "application/json", said) if (request.url or "").endswith(path) else forward()

    return intercepted(call)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_whether_a_file_is_left_is_not_known_without_a_list_of_files(books: Books, status: int) -> None:
    document = pushed(books, "invoices", files=[File("a.pdf"), File("b.pdf")])
    removed(books, document, "a.pdf")
    with responding(books, document, status):
        assert books.push("invoices", client={"backoff": ()}).status == "warning"
        assert books.left("invoices") == 0, "it is looked at again after a day"
    [difference] = differences(books.world)
    assert (difference["subject"], difference["theirs"]) == ("a.pdf", {"file": "not known"})
    [(_, said)] = events(books.world, document)
    assert "is not known" in said
    assert "still in Xero, which" not in said
    seen_long_ago(books.world)
    removed(books, document, "b.pdf")
    books.push("invoices")
    assert [one["theirs"] for one in differences(books.world)] == [{"file": "a.pdf"}, {"file": "b.pdf"}]


@pytest.mark.parametrize("how", ["another organisation", "no id", "deleted in QicWorks"])
def test_a_record_that_is_not_certainly_the_documents_proves_nothing(books: Books, how: str) -> None:
    """Nor is a file gone that is missing there. What has the file's own id is it."""
    document, other = (pushed(books, kind, files=[File("a.pdf")]) for kind in ("bills", "expenses"))
    there = books.row("bills", document)["xero_id"]
    removed(books, document, "a.pdf")
    books.world.query("DELETE FROM xero_sync.document_link WHERE document_id = %s", document)
    unsealed = {"another organisation": uuid4(), "no id": None, "deleted in QicWorks": uuid4()}[how]
    books.edit("bills", document, xero_id=unsealed)
    if how == "deleted in QicWorks":
        delete(books, "bills", document)
    for xero_id in (unsealed, books.row("expenses", other)["xero_id"]):
        if how != "deleted in QicWorks":
            books.edit("bills", document, xero_id=xero_id)
        books.push("bills")
        found = [one for one in differences(books.world) if one["reason"] == "file_left_in_xero"]
        assert [(one["document_id"], one["theirs"]) for one in found] == [(document, {"file": "not known"})]
        seen_long_ago(books.world)
    if how != "deleted in QicWorks":
        books.edit("bills", document, xero_id=there)
        books.push("bills")
        [difference] = differences(books.world)
        assert difference["theirs"] == {"file": "a.pdf"}
