"""Whose documents are whose, over all organisations."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.sql import SQL, Identifier

from xero.documents.declaration import Delivery, Kind
from xero.qicworks.database import Session

NAMED = SQL(
    """
    SELECT id, {label}::text AS label, organisation_id, push_state FROM qicworks.{table}
     WHERE id::text = ANY(%(ids)s) OR {label}::text = ANY(%(names)s)
     ORDER BY created_at, id
    """
)
# Whoever may have something to push, and perhaps some more: the outbox of each says it exactly.
BUSY = SQL(
    """
    SELECT organisation_id FROM qicworks.{table} WHERE push_state IN ('ready', 'in_flight')
     UNION
    SELECT connection.organisation_id
      FROM xero_sync.push_request JOIN xero_sync.connection ON connection.id = push_request.connection_id
     WHERE kind = %(kind)s AND closed_at IS NULL
     UNION
    SELECT organisation_id FROM qicworks.attachment WHERE parent_type = %(table)s AND push_state = 'ready'
    """
)
FAILED = SQL("SELECT DISTINCT organisation_id FROM qicworks.{table} WHERE push_state = 'failed'")


@dataclass(frozen=True)
class Owned:
    """A document, and whose it is."""

    id: UUID
    label: str | None
    organisation_id: UUID
    push_state: str

    def is_called(self, name: str) -> bool:
        return name == self.label or name.lower() == str(self.id)


def named(session: Session, kind: Kind, names: Sequence[str]) -> list[Owned]:
    """The documents that are called so, by id or number, in whatever organisation."""
    label = Identifier("id" if kind.payroll else "number")
    wanted = {"names": list(names), "ids": [name.lower() for name in names]}
    found = session.execute(NAMED.format(table=Identifier(kind.table), label=label), wanted)
    return [Owned(**row) for row in found]


def perhaps_busy(session: Session, kind: Kind) -> set[UUID] | None:
    """The organisations that may have something to push, asked at once; None: it takes a look at each.

    Pay templates are to be emptied, too, of what no document mentions any more.
    """
    if kind.delivery is Delivery.PAY_TEMPLATE:
        return None
    names = {"kind": kind.name, "table": kind.table}
    return {row["organisation_id"] for row in session.execute(BUSY.format(table=Identifier(kind.table)), names)}


def with_failed(session: Session, kind: Kind) -> set[UUID]:
    """The organisations that have documents that failed."""
    return {row["organisation_id"] for row in session.execute(FAILED.format(table=Identifier(kind.table)))}
