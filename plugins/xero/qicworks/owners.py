"""Whose documents are whose, over all organisations."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.sql import SQL, Identifier

from xero.documents.declaration import Kind
from xero.qicworks.database import Session

NAMED = SQL(
    """
    SELECT id, {label}::text AS label, organisation_id, push_state FROM qicworks.{table}
     WHERE id::text = ANY(%(names)s) OR {label}::text = ANY(%(names)s)
     ORDER BY created_at, id
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
        return name in (str(self.id), self.label)


def named(session: Session, kind: Kind, names: Sequence[str]) -> list[Owned]:
    """The documents that are called so, by id or number, in whatever organisation."""
    label = Identifier("id" if kind.payroll else "number")
    found = session.execute(NAMED.format(table=Identifier(kind.table), label=label), {"names": list(names)})
    return [Owned(**row) for row in found]


def with_failed(session: Session, kind: Kind) -> set[UUID]:
    """The organisations that have documents that failed."""
    return {row["organisation_id"] for row in session.execute(FAILED.format(table=Identifier(kind.table)))}
