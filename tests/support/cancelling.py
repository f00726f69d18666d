"""Documents of QicWorks that are cancelled after their push, in each way that there is, and what became of them."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.support.pushing import PRICED, Books, Line
from tests.support.world import World

Row = dict[str, Any]

#: kind → the status by which QicWorks takes a document of it out of force; invoices can only be taken back to draft
CANCELLED = {
    "bills": "Cancelled",
    "expenses": "Cancelled",
    "credit_notes": "Archived",
    "purchase_orders": "Archived",
}


def pushed(books: Books, kind: str, **columns: Any) -> UUID:
    document = books.add(kind, Line("10"), **columns)
    books.push(kind)
    return document


def by_status(books: Books, kind: str, document: UUID) -> None:
    if kind in CANCELLED:
        books.edit(kind, document, status=CANCELLED[kind])
    else:
        back_to_draft(books, kind, document)


def back_to_draft(books: Books, kind: str, document: UUID) -> None:
    books.edit(kind, document, push_state="draft")


def delete(books: Books, kind: str, document: UUID) -> None:
    books.world.query("DELETE FROM qicworks.document_line WHERE parent_id = %s", document)
    books.world.query(f"DELETE FROM qicworks.{PRICED[kind][0]} WHERE id = %s", document)


def deleted(world: World, table: str, document: UUID) -> Row:
    """The row that was deleted."""
    statement = f"DELETE FROM qicworks.{table} WHERE id = %s RETURNING to_jsonb({table}) AS row"
    row: Row = world.query(statement, document)[0]["row"]
    return row


def inserted(world: World, table: str, row: Row) -> None:
    statement = f"INSERT INTO qicworks.{table} SELECT * FROM jsonb_populate_record(NULL::qicworks.{table}, %s)"
    world.query(statement, Jsonb(row, dumps=partial(json.dumps, default=str)))


def inserted_again(world: World, table: str, document: UUID, **columns: Any) -> None:
    """Its row is deleted and inserted again with its id, as by an undo; `columns` are not as they were."""
    inserted(world, table, deleted(world, table, document) | columns)


def inserted_at_once(world: World, table: str, document: UUID, **columns: Any) -> None:
    """The same by one statement."""
    changed = Jsonb(columns, dumps=partial(json.dumps, default=str))
    world.query(
        f"WITH gone AS (DELETE FROM qicworks.{table} WHERE id = %s RETURNING to_jsonb({table}) AS row)"
        f" INSERT INTO qicworks.{table}"
        f" SELECT back.* FROM gone, jsonb_populate_record(NULL::qicworks.{table}, gone.row || %s) AS back",
        document,
        changed,
    )


def edited_and_cancelled(books: Books, kind: str, document: UUID) -> None:
    books.edit(kind, document, reference="another")
    by_status(books, kind, document)


Way = Callable[[Books, str, UUID], None]
WAYS: dict[str, Way] = {
    "by its status": by_status,
    "back to draft": back_to_draft,
    "deleted": delete,
    "edited and cancelled": edited_and_cancelled,
}


#: kind → what the sandbox's bookkeeping calls it
NAMED = {"credit_notes": "credit", "purchase_orders": "purchase_order"}


def approve(books: Books, kind: str, document: UUID) -> str:
    """As somebody in Xero does it. Its id there."""
    xero_id = str(books.row(kind, document)["xero_id"])
    books.bookkeep("approve", **{NAMED.get(kind, "invoice"): xero_id})
    return xero_id


def statuses(books: Books, kind: str) -> list[str]:
    """Of what stands in Xero, and was not there at the beginning."""
    return sorted(record["Status"] for record in books.in_xero(kind))


def deletions(books: Books) -> list[Row]:
    """The POSTs of documents since the calls were last asked for."""
    return [call for call in books.writes() if call["method"] == "POST"]


def differences(world: World) -> list[Row]:
    """The open ones."""
    return world.query("SELECT * FROM xero_sync.difference WHERE settled_at IS NULL ORDER BY id")


def settled(world: World) -> list[str]:
    """How those that are settled were."""
    rows = world.query("SELECT settled_how FROM xero_sync.difference WHERE settled_at IS NOT NULL ORDER BY id")
    return [row["settled_how"] for row in rows]


def events(world: World, document: UUID) -> list[tuple[str, str]]:
    """Status and message of a document's events."""
    rows = world.query(
        "SELECT status, message FROM xero_sync.connection_event WHERE document_id = %s ORDER BY id", document
    )
    return [(row["status"], row["message"]) for row in rows]


def removed_long_ago(world: World) -> None:
    """Files were removed so long ago that none of them is on its way any more."""
    world.query("UPDATE xero_sync.removed_file SET removed_at = removed_at - interval '1 hour'")


def seen_long_ago(world: World) -> None:
    """The open differences were last seen yesterday, so they are looked at again."""
    world.query(
        "UPDATE xero_sync.difference SET last_seen_at = last_seen_at - interval '2 days' WHERE settled_at IS NULL"
    )
