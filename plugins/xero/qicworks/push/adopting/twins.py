"""The records of Xero that new documents may be, and what was decided about them: what a push reads and writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier
from psycopg.types.json import Jsonb

from xero.documents.declaration import Kind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push.results import PushState, Result

QUERIES = sql.Statements("push/adopting")


class Decision(StrEnum):
    """What a person decided. The column has the same values: schema/0033."""

    LINK = "link"  # it is this record
    LEAVE = "leave"  # it is another document: push it
    SKIP = "skip"  # do not push it


@dataclass(frozen=True)
class Decided:
    """A decision that is not carried out. It holds for that version of the document, and for what was `seen`."""

    id: int
    document_id: UUID
    version: int
    xero_id: UUID
    decision: Decision
    seen: str
    decided_by: str


def run(session: Session, kind: Kind, name: str, **values: Any) -> list[dict[str, Any]]:
    """The rows of a statement about the documents of a kind."""
    statement = sql.template("push/adopting", name).format(table=Identifier(kind.table))
    cursor = session.execute(statement, {"kind": kind.name, "table": kind.table, **values})
    return cursor.fetchall() if cursor.description else []


def _stays(result: Result) -> bool:
    if result.adopting:
        return result.adopting.linked is not None
    return result.state is PushState.FAILED


class Twins:
    """Of the documents of one kind and connection."""

    def __init__(self, session: Session, connection: Connection, kind: Kind) -> None:
        self._session = session
        self._kind = kind
        self._of = {"connection_id": connection.id, "kind": kind.name}

    def maybe_sent(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these documents that Xero may have from an earlier push."""
        return {row["id"] for row in QUERIES.maybe_sent(self._session, ids=list(ids), **self._of)}

    def decided(self, ids: Sequence[UUID]) -> dict[UUID, list[Decided]]:
        found: dict[UUID, list[Decided]] = {}
        for row in QUERIES.decided(self._session, ids=list(ids), connection_id=self._of["connection_id"]):
            one = Decided(**row | {"decision": Decision(row["decision"])})
            found.setdefault(one.document_id, []).append(one)
        return found

    def left(self, id: UUID) -> set[UUID]:
        """The records that a person has said to be no record of this document."""
        rows = QUERIES.left(self._session, id=id, connection_id=self._of["connection_id"])
        return {row["xero_id"] for row in rows}

    def apart(self) -> set[tuple[UUID, UUID]]:
        """Documents and records that are not to be called second ones: a person has decided so, or is asked."""
        rows = run(self._session, self._kind, "apart", connection_id=self._of["connection_id"])
        return {(row["document_id"], row["xero_id"]) for row in rows}

    def keep(self, results: Sequence[tuple[UUID, int, Result]]) -> None:
        """Keeps what became of these documents (id, version and result), in the transaction that records it."""
        if not results:
            return
        known = {"connection_id": self._of["connection_id"]}
        # Of one that is linked, or failed for another reason, they stay: they are offered again.
        over = [id for id, _, result in results if not _stays(result)]
        QUERIES.forget_twins(self._session, ids=over, **known)
        adopting = [(id, version, result.adopting) for id, version, result in results if result.adopting]
        found = [(id, version, twin) for id, version, one in adopting for twin in one.twins]
        if found:
            QUERIES.keep_twins(
                self._session,
                ids=[id for id, _, _ in found],
                versions=[version for _, version, _ in found],
                xero_ids=[twin.xero_id for *_, twin in found],
                certain=[twin.is_certain for *_, twin in found],
                shown=[Jsonb(twin.shown) for *_, twin in found],
                seen=[twin.seen for *_, twin in found],
                **self._of,
            )
        if linked := [one.linked for *_, one in adopting if one.linked is not None]:
            QUERIES.linked(self._session, decisions=linked)
        if void := [decision for *_, one in adopting for decision in one.void]:
            QUERIES.void(self._session, decisions=void)
