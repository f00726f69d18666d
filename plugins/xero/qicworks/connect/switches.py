"""Switching connections: anyone may switch one off; to switch one on takes the token keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from xero.api.errors import NotMatched
from xero.api.settings import XeroApp
from xero.qicworks import sql
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

QUERIES = sql.Statements("connections")


def switch(session: Session, app: XeroApp, id: UUID, enabled: bool, user: str) -> str:
    """Switches a connection on or off. If it is off, it stays connected and runs skip it. Returns a sentence.

    Writes no event if nothing changes. Raises LookupError if there is no such connection, or it is deleted.
    """
    with session.transaction():
        QUERIES.lock(session, id=id)
        connection = connections.one(session, id)
        if connection.state == "deleted":
            raise LookupError(f"{connection.organisation} is deleted; connect it again")
        how = "on" if enabled else "off"
        if connection.enabled == enabled and holds(connection, app):
            return f"{connection.organisation} is switched {how} already"
        _write(session, app, connection, enabled)
        about = Direction.CONNECT, "connection", Status.SUCCESS, EventOutcome.DONE
        events.record(session, id, *about, f"switched {how} by {user}", Origin())
    return f"{connection.organisation} is switched {how}"


def keep_on(session: Session, app: XeroApp, id: UUID) -> None:
    """Seals with the newest key that it is on, even if it was off. The caller has to check that it should be on."""
    QUERIES.lock(session, id=id)
    connection = connections.one(session, id)
    if connection.switch_id is not None:
        _write(session, app, connection, True)


def holds(connection: Connection, app: XeroApp) -> bool:
    """Whether it is off, on since it was connected, or switched on by someone with the token keys."""
    if not connection.enabled or connection.switch_id is None:
        return True
    seal = bytes(connection.switch_seal or b"")
    return bool(Seals(app).made_at(seal, _facts(connection.id, connection.switched_after)))


def check(connection: Connection, app: XeroApp) -> None:
    """Raises NotMatched if it is on without a valid seal."""
    if not holds(connection, app):
        raise NotMatched(
            f"{connection.organisation} was not switched on through the page of its connection, or token_keys changed "
            "since.",
            "Put a lost key back into token_keys, or switch it on, or off, on the page of its connection. If no one "
            "has changed the keys, find out which program writes to the database.",
        )


def _write(session: Session, app: XeroApp, connection: Connection, enabled: bool) -> None:
    facts = _facts(connection.id, connection.switch_id)
    seal = Seals(app).seal(facts, datetime.now(UTC)) if enabled else None
    QUERIES.switch(session, id=connection.id, enabled=enabled, seal=seal)


def _facts(id: UUID, after: int | None) -> dict[str, Any]:
    """The sealed facts. They include the position of the row, so a copy of an earlier seal is not valid."""
    return {"table": "xero_sync.switching", "connection": str(id), "enabled": True, "after": after or 0}
