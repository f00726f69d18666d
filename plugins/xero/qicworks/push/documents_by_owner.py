"""Finds documents, and the organisations that have some to push, over all organisations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.documents.declaration import Kind
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.push.cancellations import CancellationState

QUERIES = sql.Statements("push/documents")


@dataclass(frozen=True)
class DocumentOwner:
    """A document, and the organisation that it belongs to."""

    id: UUID
    label: str | None
    organisation_id: UUID
    push_state: str  # or deleted: it is still to be deleted in Xero
    push_version: int
    cancellation: CancellationState | None  # None: it is not cancelled, or never was in Xero

    def is_called(self, name: str) -> bool:
        return name == self.label or name.lower() == str(self.id)


def named(session: Session, kind: Kind, names: Sequence[str]) -> list[DocumentOwner]:
    """The documents of these ids or numbers, in every organisation."""
    statement = sql.template("push/owners", "called").format(
        table=Identifier(kind.table), label=Identifier(kind.label_column)
    )
    asked: dict[str, Any] = {"names": list(names), "ids": [name.lower() for name in names]}
    asked |= {"kind": kind.name, "table": kind.table}
    return [_owner(row) for row in session.execute(statement, asked)]


def _owner(row: dict[str, Any]) -> DocumentOwner:
    cancellation = CancellationState(row["cancellation"]) if row["cancellation"] else None
    return DocumentOwner(**row | {"cancellation": cancellation})


def unsent_files(session: Session, kind: Kind, ids: Sequence[str]) -> dict[str, bool]:
    """Of these documents, those with attachments that are not in Xero: id → whether one of them failed."""
    found = QUERIES.unsent_files(session, table=kind.table, ids=list(ids))
    return {str(row["parent_id"]): row["failed"] for row in found}


def perhaps_busy(session: Session, kind: Kind) -> set[UUID] | None:
    """The organisations that may have something to push, in one query; None if each has to be asked by itself."""
    if kind.also_due and not kind.due_anywhere:
        return None
    statement = sql.template("push/owners", "perhaps_busy").format(table=Identifier(kind.table))
    busy = _organisations(session.execute(statement, {"kind": kind.name, "table": kind.table}))
    if kind.also_due:
        busy |= _organisations(session.execute(sql.template(*kind.also_due), {"connection_id": None}))
    return busy


def with_failed(session: Session, kind: Kind) -> set[UUID]:
    """The organisations that have documents that failed."""
    return _organisations(
        session.execute(sql.template("push/owners", "with_failed").format(table=Identifier(kind.table)))
    )


def _organisations(rows: Any) -> set[UUID]:
    return {row["organisation_id"] for row in rows}
