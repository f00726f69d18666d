"""Documents that were not sent because their organisation lacks their currency in Xero, until it has it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg.sql import Identifier

from xero.documents.declaration import Kind
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

STATEMENTS = sql.Statements("push/lacking_currencies")


def keep(session: Session, kind: Kind, lacking: Mapping[UUID, str]) -> None:
    """Records the currency that each of these documents lacks."""
    if lacking:
        STATEMENTS.keep(session, ids=list(lacking), currencies=list(lacking.values()), kind=kind.name)


def release(session: Session, connection: Connection, kind: Kind, wanted: Sequence[UUID] | None) -> int:
    """Makes those ready again whose currency is there now; returns how many. `wanted`: only these; None: all."""
    statement = sql.template("push/lacking_currencies", "release").format(table=Identifier(kind.table))
    asked = {"connection_id": connection.id, "organisation_id": connection.organisation_id, "kind": kind.name}
    return len(session.execute(statement, {**asked, "wanted": wanted}).fetchall())
