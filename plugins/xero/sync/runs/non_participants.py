"""Warns once a day about connections that take no part in runs until a person acts."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Engine

from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

log = logging.getLogger(__name__)

MAX_NAMES = 5  # organisations in a message
REPEAT_HOURS = 20


def warn(engine: Engine, direction: Direction, data_set: str, origin: Origin, *, waits: bool = True) -> None:
    """Writes an event of no organisation if all are off or some need to be reconnected; once a day, or in each run that
    a person started.

    Args:
        waits: something waits for those who take no part. If not, only the lack of any connection is reported.
    """
    with database.session(engine) as session:
        known = connections.every(session)
        problem = find_problem(known)
        if problem is None or (known and not waits):
            return
        outcome, message, correction = problem
        log.warning("%s %s", message, correction)
        if origin.manual or not events.is_reported(session, direction, data_set, outcome, hours=REPEAT_HOURS):
            events.record(
                session, None, direction, data_set, Status.WARNING, outcome, message, origin, correction=correction
            )


def find_problem(known: Sequence[Connection], *, nobody: bool = False) -> tuple[EventOutcome, str, str] | None:
    """The problem of these connections, none of them deleted: outcome, message and correction. None: there is none.

    `nobody`: only that no organisation takes part at all."""
    if not known:
        message = "No organisation is connected, so nothing was done."
        return EventOutcome.NONE_CONNECTED, message, "Connect one under Connections, or pause this DAG."
    if not any(connection.enabled for connection in known):
        message = f"All {len(known)} organisations are switched off, so nothing was done."
        return EventOutcome.SWITCHED_OFF, message, "Switch them on under Connections, or pause this DAG."
    lost = [connection for connection in known if connection.must_reconnect]
    if nobody or not lost:
        return None
    more = len(lost) - MAX_NAMES
    names = ", ".join(one.organisation for one in lost[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
    message = f"{len(lost)} of {len(known)} organisations need to be reconnected and were skipped: {names}."
    return EventOutcome.NEEDS_RECONNECT, message, "Reconnect them under Connections."
