"""What was cancelled in QicWorks after its push, and files that were removed: triggers write these rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.documents.declaration import Kind, PricedKind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.texts import fit

QUERIES = sql.Statements("push/cancellations")

AT_ONCE = 50  # cancellations that are read together


class How(StrEnum):
    """How a document was cancelled. The column has the same values: schema/0025."""

    CANCELLED = "cancelled"  # or archived, or rejected
    DRAFT = "draft"  # taken back
    DELETED = "deleted"  # or moved to another organisation
    BEFORE = "before"  # before this project sent cancellations: it is reported, not sent


class CancellationState(StrEnum):
    """How far the cancellation of a document is."""

    OPEN = "open"  # the next push deletes it in Xero
    DIFFERS = "differs"  # Xero does not delete it, or has it in force again: there is an open difference
    DONE = "done"  # Xero no longer has it


@dataclass(frozen=True)
class Cancellation:
    """A cancelled document. `xero_id`, `xero_status`, `total`: as its row has or had them; only `links` are trusted.

    `is_unclear`: no `xero_id` is known, and Xero may have it: an open difference says so, its push failed without
    knowing, or no request of it is known.
    """

    document_id: UUID
    number: str | None
    xero_id: UUID | None
    xero_status: str | None
    total: Decimal | None
    status: str | None  # what QicWorks calls it since then; None: its row is deleted; or that it moved
    push_version: int
    how: How
    links: Sequence[dict[str, Any]] | None
    is_unclear: bool = False


@dataclass(frozen=True)
class RemovedFile:
    """A file that was pushed, or perhaps was, and removed or renamed in QicWorks since."""

    id: int
    document_id: UUID
    file_name: str
    size: int | None  # bytes
    xero_id: UUID | None  # of the file; None: it was not sent, or Xero's response is not known
    number: str | None
    document_xero_id: UUID | None  # as its row has it, or had it; only a sealed link is trusted
    is_gone: bool  # the document is no longer in Xero
    is_recent: bool  # it was removed just now
    there_again: bool  # the document has a file of that name again
    others: Sequence[UUID]  # files that the document has in Xero
    links: Sequence[dict[str, Any]] | None


def state_of(session: Session, kind: Kind, document_id: UUID, organisation_id: UUID) -> CancellationState | None:
    """How far the cancellation of an organisation's document is; None if it is not cancelled, or never was in Xero."""
    of_it = {"kind": kind.name, "table": kind.table, "id": document_id, "organisation_id": organisation_id}
    found = QUERIES.state_of(session, **of_it)
    return CancellationState(found) if found else None


class CancelledDocuments:
    """The cancelled documents, and the removed files, of one kind and connection."""

    def __init__(self, session: Session, connection: Connection, kind: Kind) -> None:
        self._session = session
        self._kind = kind
        self._of = {
            "connection_id": connection.id,
            "organisation_id": connection.organisation_id,
            "kind": kind.name,
            "table": kind.table,
        }

    @property
    def _gone(self) -> list[str]:
        """The statuses of what is no longer in force in Xero."""
        return sorted(self._kind.gone)

    def _run(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        made = sql.template("push/cancellations", statement).format(table=Identifier(self._kind.table))
        cursor = self._session.execute(made, {**self._of, **values})
        return cursor.fetchall() if cursor.description else []

    def something(self) -> int:
        """How much a run would have to do."""
        return len(self.due(None)) + len(self.over()) + len(self.files_due(None))

    def due(self, wanted: Sequence[UUID] | None, seen: Collection[UUID] = ()) -> list[Cancellation]:
        """The next ones that Xero may still have, without those `seen`. `wanted`: only of these documents."""
        asked = {"wanted": wanted, "seen": list(seen), "gone": self._gone, "limit": AT_ONCE}
        return [_of(row) for row in self._run("due", **asked)]

    def of_document(self, id: UUID) -> Cancellation | None:
        return next((_of(row) for row in self._run("of_document", id=id)), None)

    def unlinked(self, id: UUID) -> Cancellation | None:
        """A document that is cancelled, and of which no record in Xero is known."""
        one = self.of_document(id) if self.is_open(id) else None
        known = one and (one.xero_id or any(link["xero_id"] for link in one.links or ()))
        return None if known else one

    def links_of(self, id: UUID) -> Sequence[dict[str, Any]] | None:
        """What is said of the links of a document, cancelled or not."""
        found: Sequence[dict[str, Any]] | None = QUERIES.links_of(self._session, id=id)
        return found

    def sent_as(self, id: UUID) -> list[dict[str, Any]]:
        """What it was known by in the requests that carried it; nothing while the last of them may still arrive."""
        rows = self._run("sent_as", id=id)
        return [] if any(row["is_recent"] for row in rows) else [row["identity"] for row in rows]

    def lock(self, one: Cancellation) -> bool:
        """Whether it may still be sent; then it is locked until the transaction ends."""
        return bool(QUERIES.lock(self._session, id=one.document_id, version=one.push_version, **self._of))

    def close(self, id: UUID, xero_status: str | None) -> None:
        """Xero no longer has it. `xero_status`: what its row says from then on; None: it stays."""
        QUERIES.close(self._session, id=id, **self._of)
        QUERIES.forget_content(self._session, id=id, **self._of)
        if xero_status:
            self._run("keep_status", id=id, status=fit(xero_status, 100))

    def is_open(self, id: UUID) -> bool:
        """Whether a document is cancelled, and a run will delete it in Xero."""
        return bool(QUERIES.is_open(self._session, id=id, **self._of))

    def over(self) -> list[tuple[UUID, str]]:
        """Open differences that are over, because the document is in force again: document and label."""
        return [(row["document_id"], row["label"]) for row in QUERIES.over(self._session, **self._of)]

    def files_due(self, wanted: Sequence[UUID] | None, recent_seconds: float = 0.0) -> list[RemovedFile]:
        """Removed files to look for in Xero, those of a document together; which of them were removed so recently."""
        if not isinstance(self._kind, PricedKind):
            return []
        rows = self._run("files_due", wanted=wanted, gone=self._gone, recent_seconds=recent_seconds)
        return [RemovedFile(**row) for row in rows]

    def close_files(self, ids: Sequence[int]) -> None:
        QUERIES.close_files(self._session, ids=list(ids))


def _of(row: dict[str, Any]) -> Cancellation:
    return Cancellation(**row | {"how": How(row["how"])})
