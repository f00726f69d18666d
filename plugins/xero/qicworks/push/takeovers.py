"""Documents of QicWorks' that take over what was changed in Xero."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

STATEMENTS = sql.Statements("push/takeover")
DUMPS = msgspec.json.Encoder(decimal_format="string").encode


class Takeovers:
    """Of one connection: what Xero's ids are in QicWorks, and the writing itself."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self._session = session
        self._of = {"connection_id": connection.id}

    def contact(self, xero_id: UUID | None) -> UUID | None:
        found: UUID | None = STATEMENTS.contact(self._session, xero_id=xero_id, **self._of)
        return found

    def contact_names(self, xero_ids: Collection[str]) -> dict[str, str]:
        """By Xero's id."""
        rows = STATEMENTS.contact_names(self._session, xero_ids=list(xero_ids), **self._of) if xero_ids else ()
        return {row["xero_id"]: row["name"] for row in rows}

    def account(self, xero_id: UUID | None) -> UUID | None:
        found: UUID | None = STATEMENTS.account(self._session, xero_id=xero_id, **self._of)
        return found

    def tax_code(self, tax_type: str | None) -> UUID | None:
        found: UUID | None = STATEMENTS.tax_code(self._session, tax_type=tax_type, **self._of)
        return found

    def tracking_option(self, xero_id: UUID | None) -> UUID | None:
        found: UUID | None = STATEMENTS.tracking_option(self._session, xero_id=xero_id, **self._of)
        return found

    def write(
        self,
        table: str,
        id: UUID,
        version: int,
        header: Mapping[str, Any],
        lines: Sequence[Mapping[str, Any]],
        removed: Sequence[UUID],
    ) -> bool:
        """Writes these columns of a document and its lines (without an id: a new one). False if it may not, or was
        edited since."""
        written: bool = STATEMENTS.take_over(
            self._session,
            table=table,
            id=id,
            version=version,
            header=Jsonb(header, dumps=DUMPS),
            lines=Jsonb(list(lines), dumps=DUMPS),
            removed=list(removed),
        )
        return written
