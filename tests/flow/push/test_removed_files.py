"""Files that were removed or renamed in QicWorks after their push: open differences until they are known to be gone."""

import json
from contextlib import AbstractContextManager, suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from tests.support.calls import Forward, intercepted, response
from tests.support.cancelling import (
    back_to_draft,
    delete,
    deletions,
    differences,
    events,
    removed_long_ago,
    seen_long_ago,
    settled,
    statuses,
)
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.troubles import DOCUMENTS
from xero.api.errors import RetryLater
from xero.composition import opener
from xero.qicworks import database
from xero.qicworks.connect import connections


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
        books.attach(kind, document, File("a.pdf"))
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


def test_a_file_that_moves_to_another_document_is_left_at_the_first_and_sent_to_the_other(books: Books) -> None:
    for kind in PRICED:
        document, other = pushed(books, kind, files=[File("a.pdf")]), pushed(books, kind)
        books.world.query("UPDATE qicworks.attachment SET parent_id = %s WHERE parent_id = %s", other, document)
        for _ in range(2):
            books.push(kind)
        there = [books.attached(books.row(kind, one)["xero_id"]) for one in (document, other)]
        assert [[file["FileName"] for file in files] for files in there] == [["a.pdf"], ["a.pdf"]], kind
        [row] = books.files(kind, other)
        assert (row["push_state"], row["xero_id"] is None) == ("pushed", False)
        found = [one for one in differences(books.world) if one["document_kind"] == kind]
        assert [(one["document_id"], one["subject"]) for one in found] == [(document, "a.pdf")]
        assert books.left(kind) == 0


def test_a_file_that_moves_does_not_overwrite_another_of_its_name(books: Books) -> None:
    one = pushed(books, "bills", files=[File("a.pdf")])
    other = pushed(books, "bills", files=[File("a.pdf", content=b"another")])
    books.world.query("DELETE FROM qicworks.attachment WHERE parent_id = %s", other)
    books.world.query("UPDATE qicworks.attachment SET parent_id = %s WHERE parent_id = %s", other, one)
    books.push("bills")
    [row] = books.files("bills", other)
    assert (row["push_state"], "another file with this name" in row["push_error"]) == ("failed", True)


@pytest.mark.parametrize("keeps_both", [True, False])
def test_a_change_of_case_is_a_difference_if_xero_keeps_both(books: Books, keeps_both: bool) -> None:
    document = pushed(books, "bills", files=[File("a.pdf")])
    xero_id = books.row("bills", document)["xero_id"]
    books.world.query("UPDATE qicworks.attachment SET file_name = 'A.PDF'")

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if keeps_both or not (request.url or "").endswith("/Attachments"):
            return answer
        files = [one for one in answer.json()["Attachments"] if one["FileName"] == "A.PDF"]
        return response(200, "application/json", json.dumps({"Attachments": files}))

    with intercepted(call):
        for _ in range(2):
            books.push("bills")
    assert sorted(one["FileName"] for one in books.attached(xero_id)) == ["A.PDF", "a.pdf"]
    assert [one["theirs"] for one in differences(books.world)] == [{"file": "a.pdf"}] * keeps_both
    assert books.left("bills") == 0


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


# -- without an answer yet


def during_a_put(books: Books, document: UUID, *, answers: bool) -> AbstractContextManager[None]:
    """The document's files are removed while one is sent; Xero has it, whether or not the response comes."""

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if request.method == "PUT" and "/Attachments/" in (request.url or ""):
            books.world.query("DELETE FROM qicworks.attachment WHERE parent_id = %s", document)
            if not answers:
                raise requests.ConnectionError("lost")
        return answer

    return intercepted(call)


@pytest.mark.parametrize("answers", [True, False])
def test_a_file_that_is_removed_while_it_is_sent_is_noticed(books: Books, answers: bool) -> None:
    for kind in PRICED:
        document = books.add(kind, Line("10"), files=[File("a.pdf")])
        with during_a_put(books, document, answers=answers), suppress(RetryLater):
            books.push(kind, client={"backoff": ()})
        books.push(kind)
        found = {one["document_kind"]: (one["document_id"], one["theirs"]) for one in differences(books.world)}
        assert found[kind] == (document, {"file": "a.pdf"})


@pytest.mark.parametrize("comes", [True, False])
def test_a_file_that_is_removed_while_it_is_sent_may_come_later(books: Books, comes: bool) -> None:
    """Xero carries the request out only after a push has looked for the file in vain."""
    held: list[tuple[requests.PreparedRequest, Forward]] = []

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        if request.method == "PUT" and "/Attachments/" in (request.url or ""):
            held.append((request, forward))
            books.world.query("DELETE FROM qicworks.attachment")
            raise requests.ConnectionError("lost")
        return forward()

    for kind in PRICED:
        books.add(kind, Line("10"), files=[File("a.pdf")])
        with intercepted(call), suppress(RetryLater):
            books.push(kind, client={"backoff": ()})
        books.push(kind)
        assert (books.left(kind), differences(books.world)) == (1, []), "it is looked for again"
        if comes:
            request, forward = held[-1]
            request.body.seek(0)
            assert forward().status_code == 200
        removed_long_ago(books.world)
        books.push(kind)
        found = [one["theirs"] for one in differences(books.world)]
        assert (books.left(kind), found) == (0, [{"file": "a.pdf"}] * comes), kind
        books.world.query("DELETE FROM xero_sync.difference")


@pytest.mark.parametrize("sent", [True, False])
def test_a_file_that_is_removed_while_its_document_is_in_flight(books: Books, sent: bool) -> None:
    """`sent`: it was, before its document was changed, but the response was lost. Otherwise the document is new."""
    document = books.add("bills", Line("10"), files=[File("a.pdf")])
    if sent:
        books.world.fault(kind="lost_answer", method="PUT", path="/Attachments/")
        with pytest.raises(RetryLater):
            books.push("bills", client={"backoff": ()})
        books.world.query("UPDATE qicworks.document_line SET unit_price = 2 WHERE parent_id = %s", document)
        books.reprice("bills", document)
    books.world.fault(kind="lost_answer", method="POST" if sent else "PUT", path=DOCUMENTS)
    with pytest.raises(RetryLater):
        books.push("bills", client={"backoff": ()})
    assert books.row("bills", document)["push_state"] == "in_flight"
    removed(books, document, "a.pdf")
    assert len(books.world.query("SELECT id FROM xero_sync.removed_file")) == 1
    books.push("bills")
    assert books.row("bills", document)["push_state"] == "pushed"
    removed_long_ago(books.world)
    books.push("bills")
    assert [one["theirs"] for one in differences(books.world)] == [{"file": "a.pdf"}] * sent
    assert books.left("bills") == 0


def test_a_file_that_was_never_in_xero_is_over(books: Books) -> None:
    """Its document was not pushed, or Xero has another file of its name."""
    draft, skipped = (books.add("bills", files=[File("a.pdf")]) for _ in range(2))
    back_to_draft(books, "bills", draft)
    books.edit("bills", skipped, push_state="skipped")
    document = pushed(books, "invoices")
    xero_id = books.row("invoices", document)["xero_id"]
    path = f"/api.xro/2.0/Invoices/{xero_id}/Attachments/a.pdf"
    with database.session(books.world.engine) as session:
        client = opener(books.world.engine, books.world.app)(connections.one(session, books.connection_id), True)
    client.write("PUT", path, b"somebody else's", key="theirs", content_type="application/pdf")
    books.attach("invoices", document, File("a.pdf"))
    books.push("invoices")
    for one in (draft, skipped, document):
        removed(books, one, "a.pdf")
    waiting = books.world.query("SELECT document_id FROM xero_sync.removed_file WHERE done_at IS NULL")
    assert {row["document_id"] for row in waiting} == {skipped, document}
    books.world.calls()
    removed_long_ago(books.world)
    for kind in ("bills", "invoices"):
        books.push(kind)
        assert (books.left(kind), differences(books.world)) == (0, [])
    files = [call["path"] for call in books.world.calls() if "Attachments" in call["path"]]
    assert files == [f"/api.xro/2.0/Invoices/{xero_id}/Attachments"], "the other is asked for nothing"
