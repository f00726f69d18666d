"""No file is sent to a document that is cancelled, nor one that was removed while others were sent."""

from collections.abc import Callable
from uuid import UUID

import pytest
import requests

from tests.support.calls import Forward, intercepted
from tests.support.cancelling import approve, by_status, differences, removed_long_ago
from tests.support.pushing import PRICED, Books, File, Line


def states(books: Books, kind: str, document: UUID) -> list[str]:
    return [file["push_state"] for file in books.files(kind, document)]


def test_no_file_is_sent_to_a_document_that_is_cancelled_and_stands_in_xero(books: Books) -> None:
    """It is approved there. In force again, it gets its files."""
    for kind in PRICED:
        document = books.add(kind, Line("10"))
        books.push(kind)
        xero_id, status = approve(books, kind, document), books.row(kind, document)["status"]
        books.attach(kind, document, File())
        by_status(books, kind, document)
        books.push(kind)
        assert [one["document_id"] for one in differences(books.world)] == [document]
        books.push(kind, documents=[str(document)])
        assert (books.attached(xero_id), states(books, kind, document), books.left(kind)) == ([], ["ready"], 0), kind
        books.edit(kind, document, status=status, push_state="pushed")
        assert books.left(kind), kind
        books.push(kind)
        assert (len(books.attached(xero_id)), states(books, kind, document)) == (1, ["pushed"]), kind
        assert differences(books.world) == []


def removed(books: Books, document: UUID) -> None:
    books.world.query("DELETE FROM qicworks.attachment WHERE parent_id = %s AND file_name = 'b.pdf'", document)


def cancelled(books: Books, document: UUID) -> None:
    by_status(books, "bills", document)


@pytest.mark.parametrize("do", [removed, cancelled])
def test_what_happens_while_another_file_is_sent_counts(books: Books, do: Callable[[Books, UUID], None]) -> None:
    document = books.add("bills", Line("10"), files=[File("a.pdf"), File("b.pdf")])
    puts: list[str] = []

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        if request.method == "PUT" and "/Attachments/" in (request.url or ""):
            if not puts:
                do(books, document)
            puts.append((request.url or "").rpartition("/")[2])
        return forward()

    with intercepted(call):
        books.push("bills")
    assert puts == ["a.pdf"]
    assert states(books, "bills", document) == {removed: ["pushed"], cancelled: ["pushed", "ready"]}[do]
    removed_long_ago(books.world)
    books.push("bills")
    assert (books.left("bills"), differences(books.world)) == (0, [])
