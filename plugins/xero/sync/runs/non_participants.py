"""Who takes no part in runs until a person does something: said in the run, once a day as long as it lasts."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Engine

from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin

log = logging.getLogger(__name__)

NAMED = 5  # organisations that are told by name


def tell(engine: Engine, direction: str, data_set: str, origin: Origin, *, waits: bool = True) -> None:
    """An event of no organisation, where all are off, or some have to be connected again. By hand each time.

    `waits`: whether something waits for those who take no part; if not, it is said only that nobody is connected."""
    with database.session(engine) as session:
        known = connections.every(session)
        told = in_words(known)
        if told is None or (known and not waits):
            return
        message, correction = told
        log.warning("%s %s", message, correction)
        if origin.manual or not events.told_today(session, direction, data_set):
            events.record(session, None, direction, data_set, "warning", message, origin, correction=correction)


def in_words(known: Sequence[Connection]) -> tuple[str, str] | None:
    """What is wrong with those that are not deleted, and what to do. None: nothing."""
    if not known:
        return (
            "No organisation is connected: nothing was done.",
            "Connect one under Connections, or switch this DAG off.",
        )
    if not any(one.enabled for one in known):
        said = f"All {len(known)} organisations are switched off: nothing was done."
        return said, "Switch them on under Connections, or switch this DAG off."
    lost = [one for one in known if one.must_reconnect]
    if not lost:
        return None
    more = len(lost) - NAMED
    names = ", ".join(one.organisation for one in lost[:NAMED]) + (f" and {more} more" if more > 0 else "")
    said = f"{len(lost)} of {len(known)} organisations have to be connected again, and took no part: {names}."
    return said, "Connect them again under Connections."
