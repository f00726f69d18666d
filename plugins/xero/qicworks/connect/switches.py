"""Switching connections: anybody may switch one off; on is only what somebody with the token keys switched on."""

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
    """Switches it on or off; what is off stays connected, and no run takes it. Returns what was done, in words.

    LookupError if there is none, or it is deleted. That it was so already is no event.
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
    """Seals with the newest key that it is on, also where it was off: the caller has made sure that it is to be."""
    QUERIES.lock(session, id=id)
    connection = connections.one(session, id)
    if connection.switch_id is not None:
        _write(session, app, connection, True)


def holds(connection: Connection, app: XeroApp) -> bool:
    """Whether it is off, or on as it was from the beginning, or as somebody has switched it on."""
    if not connection.enabled or connection.switch_id is None:
        return True
    seal = bytes(connection.switch_seal or b"")
    return bool(Seals(app).made_at(seal, _facts(connection.id, connection.switched_after)))


def check(connection: Connection, app: XeroApp) -> None:
    """NotMatched where it is on, and nobody has switched it on."""
    if not holds(connection, app):
        raise NotMatched(
            f"{connection.organisation} was switched on by somebody who has none of the token_keys, or the keys are "
            "others by now.",
            "Put a lost key back into token_keys, or switch it on, or off, on the page of its connection. If nobody "
            "has changed the keys, find out who writes to the database.",
        )


def _write(session: Session, app: XeroApp, connection: Connection, enabled: bool) -> None:
    facts = _facts(connection.id, connection.switch_id)
    seal = Seals(app).seal(facts, datetime.now(UTC)) if enabled else None
    QUERIES.switch(session, id=connection.id, enabled=enabled, seal=seal)


def _facts(id: UUID, after: int | None) -> dict[str, Any]:
    """A copy of an earlier seal stands behind another row, and is good for nothing."""
    return {"table": "xero_sync.switching", "connection": str(id), "enabled": True, "after": after or 0}
