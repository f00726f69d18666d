"""Documents that were not sent because their organisation lacks their currency in Xero, until it has it."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.sql import Identifier

from xero.documents.declaration import Kind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

STATEMENTS = sql.Statements("push/lacking_currencies")


def keep(session: Session, connection: Connection, kind: Kind, lacking: Sequence[tuple[UUID, int, str]]) -> None:
    """Records document, its version and the currency of each."""
    if not lacking:
        return
    ids, versions, currencies = map(list, zip(*lacking, strict=True))
    of_kind = {"connection_id": connection.id, "kind": kind.name}
    STATEMENTS.keep(session, ids=ids, versions=versions, currencies=currencies, **of_kind)


def release(session: Session, connection: Connection, kind: Kind, wanted: Sequence[UUID] | None) -> int:
    """Makes those ready again whose currency is there now; returns how many. `wanted`: only these; None: all."""
    statement = sql.template("push/lacking_currencies", "release").format(table=Identifier(kind.table))
    asked = {"connection_id": connection.id, "organisation_id": connection.organisation_id, "kind": kind.name}
    return len(session.execute(statement, {**asked, "wanted": wanted}).fetchall())
