"""Files whose rows are deleted and inserted again: what they hold now is sent."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.cancelling import differences, inserted_again, inserted_at_once
from tests.support.pushing import PRICED, Books, File, Line

#: How the row comes back: columns that are not as they were.
BACK: dict[str, dict[str, Any]] = {
    "as it was": {},
    "under its old version": {"push_version": 1},
    "without its link": {"xero_id": None, "pushed_at": None},
    "as new": {"xero_id": None, "pushed_at": None, "push_state": "ready", "push_version": 1},
    "failed": {"push_state": "failed", "push_error": "of before"},
}


def pushed(books: Books, kind: str) -> UUID:
    document = books.add(kind, Line("10"), files=[File("a.pdf", content=b"one")])
    books.push(kind)
    return document


def assert_is_sent(books: Books, kind: str, document: UUID, content: File) -> None:
    for _ in range(2):
        books.push(kind)
    [row] = books.files(kind, document)
    [there] = books.attached(books.row(kind, document)["xero_id"])
    assert (row["push_state"], row["push_error"], row["sha256"]) == ("pushed", None, there["sha256"])
    assert there["ContentLength"] == len(content.content)
    assert (books.left(kind), differences(books.world)) == (0, [])


@pytest.mark.parametrize("back", BACK)
@pytest.mark.parametrize("again", [inserted_again, inserted_at_once])
def test_another_content_under_its_id_is_sent(books: Books, back: str, again: Any) -> None:
    kinds = PRICED if back == "as it was" else ["bills"]
    for kind in kinds:
        document = pushed(books, kind)
        [row] = books.files(kind, document)
        again(books.world, "attachment", row["id"], content="\\x74776f32", **BACK[back])
        assert books.left(kind), kind
        assert_is_sent(books, kind, document, File("a.pdf", content=b"two2"))


def test_a_copy_of_its_row_under_another_id_is_sent(books: Books) -> None:
    """Of the same size: the file in Xero counts as ours, and is not taken for it."""
    document = pushed(books, "bills")
    [row] = books.files("bills", document)
    inserted_again(books.world, "attachment", row["id"], id=uuid4(), content="\\x74776f")
    assert_is_sent(books, "bills", document, File("a.pdf", content=b"two"))


def test_inserted_again_while_the_first_is_sent_it_is_sent_once_more(books: Books) -> None:
    document = books.add("bills", Line("10"), files=[File("a.pdf", content=b"one")])
    books.push("bills")
    [row] = books.files("bills", document)
    books.world.query("UPDATE qicworks.attachment SET content = 'three'")
    version = books.files("bills", document)[0]["push_version"]
    inserted_again(books.world, "attachment", row["id"], content="\\x74776f", push_version=version)
    [again] = books.files("bills", document)
    assert again["push_version"] > version, "a result for the other one does not count for it"
    assert_is_sent(books, "bills", document, File("a.pdf", content=b"two"))


@pytest.mark.parametrize("again", [inserted_again, inserted_at_once])
def test_inserted_at_another_document_it_is_sent_there(books: Books, again: Any) -> None:
    """And named as left at the first."""
    document, to = pushed(books, "bills"), books.add("bills", Line("20"))
    books.push("bills")
    [row] = books.files("bills", document)
    again(books.world, "attachment", row["id"], parent_id=to)
    for _ in range(2):
        books.push("bills")
    assert [one["FileName"] for one in books.attached(books.row("bills", to)["xero_id"])] == ["a.pdf"]
    [file] = books.files("bills", to)
    assert (file["push_state"], books.left("bills")) == ("pushed", 0)
    assert [one["document_id"] for one in differences(books.world)] == [document]
