"""Which pushed documents have to be compared with their records in Xero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.sql import Composed, Identifier

from xero.documents.declaration import PricedKind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

QUERIES = sql.Statements("follow/priced")

AT_ONCE = 200  # documents that are read together


@dataclass(frozen=True)
class Followed:
    """A document, and its record in Xero as JSON.

    `missing`: Xero has no such record any more. `cancelled`: QicWorks has. `waits`: its edit is still to be pushed.
    `pushed_at`: when it was last sent. `compared`: a hash of both sides.
    """

    id: UUID
    push_state: str
    push_version: int
    xero_id: UUID
    content: str
    missing: bool
    cancelled: bool
    waits: bool
    pushed_at: str | None
    compared: str


@dataclass(frozen=True)
class Paid:
    """What is paid of a document: in QicWorks, in Xero's record, and the sum of the payments that Xero lists.

    `is_known`: Xero has the record, and says what is paid of it.
    """

    id: UUID
    number: str | None
    is_known: bool
    paid_to_date: Decimal
    amount_paid: Decimal
    payments: Decimal


class FollowedDocuments:
    """The pushed documents of one kind and connection."""

    def __init__(self, session: Session, connection: Connection, kind: PricedKind) -> None:
        self._session = session
        self._kind = kind
        whose = {"connection_id": connection.id, "organisation_id": connection.organisation_id}
        self._of = {**whose, "kind": kind.name, "table": kind.table}

    def to_compare(self, conflicts: str, *, reading: str, followed: str) -> Iterator[list[Followed]]:
        """Those of which one side has changed since they were compared, some at a time.

        What was pushed after Xero was read is left to the next reading. `reading`: the data set that is loaded now;
        `followed`: the one that reads the records.
        """
        asked = {"conflicts": conflicts, "reading": reading, "followed": followed, "documents": AT_ONCE}
        after = None
        while some := [Followed(**row) for row in self._run("to_compare", **asked, after=after)]:
            yield some
            after = some[-1].id

    def compared(self, documents: Sequence[Followed]) -> None:
        ids, hashes = [one.id for one in documents], [one.compared for one in documents]
        QUERIES.keep_compared(self._session, ids=ids, compared=hashes, **self._of)

    def paid_otherwise(self) -> list[Paid]:
        """Documents whose amounts paid differ, or differed until now."""
        return [Paid(**row) for row in self._run("paid_otherwise")]

    def push_again(self, ids: Sequence[UUID]) -> None:
        list(self._run("push_again", ids=list(ids)))

    def removed(self) -> list[tuple[UUID, str]]:
        """Documents with open differences that no longer exist, or are no longer linked to Xero: id and label."""
        return [(row["id"], row["label"]) for row in self._run("removed")]

    def _run(self, name: str, **values: Any) -> Iterator[dict[str, Any]]:
        names = {"table": Identifier(self._kind.table), "records": Identifier(self._kind.records)}
        statement: Composed = sql.template("follow/priced", name).format(**names)
        cursor = self._session.execute(statement, {**self._of, **values})
        yield from cursor.fetchall() if cursor.description else ()
