"""Seals on matches: an organisation is synchronised only as *Connect to Xero* matched it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from xero.api.errors import NotMatched
from xero.api.settings import XeroApp
from xero.qicworks import sql
from xero.qicworks.connect import connections, switches
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session

QUERIES = sql.Statements("connections")


def seal(session: Session, app: XeroApp, connection_id: UUID) -> None:
    """Seals the row as it is now."""
    connection = connections.one(session, connection_id)
    made = Seals(app).seal(_facts(connection), connection.connected_at)
    QUERIES.seal(session, id=connection.id, seal=made)


def was_matched(connection: Connection, app: XeroApp) -> bool:
    """Whether the row is as it was matched; on, off or deleted."""
    seal = bytes(connection.seal or b"")
    return bool(Seals(app).made_at(seal, _facts(connection))) or connection.matched_before_seals


def holds(connection: Connection, app: XeroApp) -> bool:
    """Whether the row is as it was matched, and is on only if a user switched it on."""
    return was_matched(connection, app) and switches.holds(connection, app)


def check(connection: Connection, app: XeroApp) -> None:
    """Raises NotMatched if the row differs from what was matched, or another program wrote it."""
    if not was_matched(connection, app):
        raise NotMatched(
            f"The match of {connection.organisation} with {connection.tenant_name} in Xero has no seal of Connect to "
            "Xero that one of the token_keys opens: another program wrote it, or token_keys changed.",
            "Put a lost key back into token_keys, or connect to Xero again and save the match. If no one has changed "
            "the keys, find out which program writes to the database.",
        )
    switches.check(connection, app)


def _facts(connection: Connection) -> dict[str, Any]:
    """The sealed columns: which organisation belongs to which, and with which authorisation."""
    return {
        "table": "xero_sync.connection",
        "id": str(connection.id),
        "organisation": str(connection.organisation_id),
        "tenant": connection.tenant_id,
        "token": str(connection.token_id),
        "app": connection.airflow_conn_id,
    }
