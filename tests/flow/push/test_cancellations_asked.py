"""Cancellations that are asked for by name, previewed, forged, or pushed under the role of pull and push."""

from uuid import UUID

import pytest

from tests.support.cancelling import (
    WAYS,
    approve,
    back_to_draft,
    by_status,
    delete,
    differences,
    pushed,
    statuses,
)
from tests.support.pushing import PRICED, Books, File
from tests.support.role import under_role
from tests.support.troubles import DOCUMENTS
from xero.api.errors import RetryLater, XeroError
from xero.composition import opener
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.push.cancellations import CancellationState, state_of
from xero.qicworks.push.outbox import Outbox, Purpose
from xero.sync.push.flow import preview
from xero.sync.push.strategies import Preview
from xero.sync.runs.participants import select_connections_to_push
from xero.sync.runs.requested import Answer, Reply, now


def shown(books: Books, kind: str, documents: list[str] | None = None) -> list[Preview]:
    engine, app = books.world.engine, books.world.app
    asked = {"engine": engine, "open_client": opener(engine, app), "documents": documents}
    return list(preview(KINDS[kind], books.connection_id, **asked))  # type: ignore[arg-type]


def push_by_name(books: Books, kind: str, name: str) -> list[Reply]:
    """As a run does that was asked for a document."""
    found = select_connections_to_push(books.world.engine, KINDS[kind], documents=[name])
    assert found.undone == []
    [one] = found.taken
    books.push(kind, documents=one["documents"])
    return now(books.world.engine, KINDS[kind], one["connection_id"], one["documents"], one["pushed_before"])


# -- asked for


@pytest.mark.parametrize("way", WAYS)
def test_by_its_number(books: Books, way: str) -> None:
    for kind in ("invoices", "bills"):
        document, other = pushed(books, kind, number="N-1"), pushed(books, kind, number="N-2")
        for one in (document, other):
            WAYS[way](books, kind, one)
        [reply] = push_by_name(books, kind, "N-1")
        assert reply.answer is Answer.CANCELLED, kind
        assert sorted(statuses(books, kind)) == ["DELETED", "DRAFT"], "only this one"
        books.push(kind)


def test_by_its_number_where_xero_does_not_delete_it(books: Books) -> None:
    document = pushed(books, "bills", number="N-1")
    xero_id = approve(books, "bills", document)
    by_status(books, "bills", document)
    [reply] = push_by_name(books, "bills", "N-1")
    assert (reply.answer, len(differences(books.world))) == (Answer.FAILED, 1)
    books.bookkeep("void", invoice=xero_id)
    [reply] = push_by_name(books, "bills", "N-1")
    assert reply.answer is Answer.CANCELLED, "asked for, it is looked at at once"


def test_a_preview_shows_what_would_be_deleted(books: Books) -> None:
    taken, kept = pushed(books, "bills", number="N-1"), pushed(books, "bills", number="N-2")
    approve(books, "bills", kept)
    for document in (taken, kept):
        by_status(books, "bills", document)
    books.writes()
    found = shown(books, "bills")
    assert [(one.documents, one.path) for one in found if one.body] == [
        (("the cancellation of bill N-1",), "/api.xro/2.0/Invoices")
    ]
    assert [one.refused[0][0] for one in found if one.refused] == ["bill N-2"]
    assert (books.writes(), differences(books.world), len(shown(books, "bills", ["N-1"]))) == ([], [], 1)


def test_how_far_it_is(books: Books) -> None:
    taken, kept, other = (pushed(books, "bills") for _ in range(3))
    approve(books, "bills", kept)
    for document in (taken, kept):
        by_status(books, "bills", document)
    with database.session(books.world.engine) as session:
        assert state_of(session, KINDS["bills"], taken, books.organisation_id) is CancellationState.OPEN
        books.push("bills")
        found = [state_of(session, KINDS["bills"], one, books.organisation_id) for one in (taken, kept, other)]
    assert found == [CancellationState.DONE, CancellationState.DIFFERS, None]


def test_only_an_organisation_with_a_cancellation_is_chosen(books: Books) -> None:
    engine = books.world.engine
    document = pushed(books, "bills")
    assert select_connections_to_push(engine, KINDS["bills"]).taken == []
    delete(books, "bills", document)
    [one] = select_connections_to_push(engine, KINDS["bills"]).taken
    assert one["connection_id"] == str(books.connection_id)
    assert select_connections_to_push(engine, KINDS["expenses"]).taken == []


# -- requests of two purposes


def left_open(books: Books, kind: str, document: UUID) -> None:
    """A cancellation whose answer was lost before Xero had it."""
    by_status(books, kind, document)
    books.world.fault(kind="cut", path=DOCUMENTS, method="POST", times=1)
    with pytest.raises(XeroError):
        books.push(kind, client={"backoff": ()})
    assert len(books.requests()) == 1


def test_neither_takes_up_the_requests_of_the_other(books: Books) -> None:
    document = pushed(books, "bills")
    left_open(books, "bills", document)
    with database.session(books.world.engine) as session:
        outbox = Outbox(session, connections.one(session, books.connection_id), KINDS["bills"])
        assert outbox.open_requests() == []
        assert len(outbox.open_requests(Purpose.CANCEL)) == 1
        assert outbox.waiting(10, None, []) == []
    with pytest.raises(RetryLater):
        books.push("bills", quiet=60.0)
    assert (len(books.requests()), statuses(books, "bills")) == (1, ["DRAFT"]), "it waits until Xero is done"
    books.push("bills")
    assert (books.requests(), statuses(books, "bills")) == ([], ["DELETED"])


@pytest.mark.parametrize("column", ["documents", "identities", "purpose", "body"])
def test_a_request_that_was_tampered_with_deletes_nothing_else(books: Books, column: str) -> None:
    """Only what is sealed, or what the links of its document say, is looked at."""
    document, other = pushed(books, "bills"), pushed(books, "bills")
    left_open(books, "bills", document)
    theirs = books.row("bills", other)["xero_id"]
    values = {
        "documents": f"ARRAY['{other}'::uuid]",
        "identities": f'\'[{{"xero_id": "{theirs}"}}]\'::jsonb',
        "purpose": "'push'",
        "body": f"replace(body, '{books.row('bills', document)['xero_id']}', '{theirs}')",
    }
    books.world.query(f"UPDATE xero_sync.push_request SET {column} = {values[column]} WHERE closed_at IS NULL")
    books.drain("bills")
    there = {record["InvoiceID"]: record["Status"] for record in books.in_xero("bills")}
    assert there == {str(books.row("bills", document)["xero_id"]): "DELETED", str(theirs): "DRAFT"}
    warned = books.world.query("SELECT message FROM xero_sync.connection_event WHERE document IS NULL")
    assert any("without the seal" in row["message"] for row in warned)


def test_under_the_role_of_pull_and_push(books: Books) -> None:
    """Whoever pushes can neither cancel a document nor undo a cancellation."""
    approved = pushed(books, "invoices")
    approve(books, "invoices", approved)
    documents = {kind: pushed(books, kind, files=[File()]) for kind in PRICED}
    for kind, document in documents.items():
        books.world.query("DELETE FROM qicworks.attachment WHERE parent_id = %s", document)
        back_to_draft(books, kind, document)
    by_status(books, "invoices", approved)
    with under_role(books.world) as sync:
        owner, books.world = books.world, sync
        for kind in documents:
            books.push(kind)
        books.world = owner
        for statement in (
            "INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, push_version, how)"
            f" VALUES ('{approved}', 'invoice', '{books.organisation_id}', 1, 'deleted')",
            "UPDATE xero_sync.cancellation SET how = 'deleted'",
            "DELETE FROM xero_sync.cancellation",
            "DELETE FROM xero_sync.removed_file",
        ):
            with pytest.raises(Exception, match="permission denied"):
                sync.sql(statement)
    for kind in documents:
        assert "DELETED" in statuses(books, kind)
        assert books.left(kind) == 0
    assert [row["document_id"] for row in differences(books.world)] == [approved]
