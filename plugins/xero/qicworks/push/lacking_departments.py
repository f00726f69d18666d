"""Documents that were not sent because a department of theirs has no option in Xero, until it has one."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg.sql import Identifier

from xero.documents.declaration import PricedKind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

STATEMENTS = sql.Statements("push/lacking_departments")


def keep(session: Session, kind: PricedKind, settled: Sequence[UUID], lacking: Mapping[UUID, int]) -> None:
    """Records which of the documents that have a result lack an option, and in which version."""
    STATEMENTS.keep(session, kind=kind.name, ids=list(settled), lacking=list(lacking), versions=list(lacking.values()))


def release(session: Session, connection: Connection, kind: PricedKind, wanted: Sequence[UUID] | None) -> int:
    """Makes those ready again whose departments have an option now; returns how many. `wanted`: None for all."""
    statement = sql.template("push/lacking_departments", "release").format(table=Identifier(kind.table))
    asked = {"connection_id": connection.id, "organisation_id": connection.organisation_id, "wanted": wanted}
    return len(session.execute(statement, {**asked, "kind": kind.name, "table": kind.table}).fetchall())
