"""What was last pushed of each document, hashed by field. Only what is sealed counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.push.results import PushedContent

STATEMENTS = sql.Statements("push/content")


class Contents:
    """Of the documents of one connection. Without `seals` nothing is known."""

    def __init__(self, connection: Connection, seals: Seals | None) -> None:
        self._connection = connection
        self._seals = seals

    def read(self, session: Session, records: Mapping[UUID, UUID | None]) -> dict[UUID, PushedContent]:
        """What was last pushed of these documents as the records that they are in Xero (document → record)."""
        if self._seals is None or not records:
            return {}
        rows = STATEMENTS.contents(session, ids=list(records), connection_id=self._connection.id)
        found = {}
        for row in rows:
            content = PushedContent(row["payload"], row["sent"], row["answered"], row["agreed"])
            facts = self._facts(row["document_id"], row["xero_id"], content)
            if row["xero_id"] == records[row["document_id"]] and self._seals.made_at(bytes(row["seal"]), facts):
                found[row["document_id"]] = content
        return found

    def keep(self, session: Session, pushed: Sequence[tuple[UUID, UUID, PushedContent]]) -> None:
        """Document, record and content of each."""
        if not pushed:
            return
        assert self._seals, "only who may seal may push"
        now = datetime.now(UTC)
        STATEMENTS.keep(
            session,
            connection_id=self._connection.id,
            ids=[id for id, _, _ in pushed],
            xero_ids=[xero_id for _, xero_id, _ in pushed],
            payloads=[content.payload for *_, content in pushed],
            sent=[Jsonb(content.sent) for *_, content in pushed],
            answered=[Jsonb(content.answered) for *_, content in pushed],
            agreed=[content.agreed for *_, content in pushed],
            seals=[self._seals.seal(self._facts(*one), now) for one in pushed],
        )

    def keep_agreed(
        self, session: Session, id: UUID, xero_id: UUID, content: PushedContent, pushed_at: str | None
    ) -> None:
        """What both sides were found to have, though nothing was sent; not if it was pushed after `pushed_at`."""
        assert self._seals, "only who may seal may follow"
        STATEMENTS.keep_agreed(
            session,
            id=id,
            connection_id=self._connection.id,
            xero_id=xero_id,
            payload=content.payload,
            sent=Jsonb(content.sent),
            answered=Jsonb(content.answered),
            agreed=content.agreed,
            seal=self._seals.seal(self._facts(id, xero_id, content), datetime.now(UTC)),
            pushed_at=pushed_at,
        )

    def _facts(self, id: UUID, xero_id: UUID, content: PushedContent) -> dict[str, Any]:
        return {
            "table": "xero_sync.pushed_content",
            "document": str(id),
            "tenant": self._connection.tenant_id,
            "xero_id": str(xero_id),
            "payload": content.payload,
            "sent": content.sent,
            "answered": content.answered,
            "agreed": content.agreed,
        }
