"""Prunes: deletes what is older than its retention, and writes an event with the counts."""

import logging

from sqlalchemy import Engine

from xero.qicworks import database
from xero.qicworks.admin import retention
from xero.qicworks.admin.retention import Retention
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

log = logging.getLogger(__name__)

NAMES = {
    "events": "events",
    "requests": "settled requests",
    "request_bodies": "contents of settled requests",
    "rejections": "closed rejections",
    "staging": "abandoned stagings",
    "consents": "expired consents",
    "call_budgets": "unused call budgets",
    "traffic": "days of traffic",
}


def prune(engine: Engine, kept: Retention, origin: Origin, *, dry_run: bool = False) -> dict[str, int]:
    """Deletes what is older than its retention. Returns the counts. `dry_run` only counts, and writes no event."""
    deleted: dict[str, int] = {}
    with database.session(engine) as session:
        for what in retention.WHAT:
            days = getattr(kept, what)
            if not 0 < days <= retention.MAX_DAYS:
                log.info("%s are kept forever", NAMES[what])
                continue
            deleted[what] = (retention.count if dry_run else retention.prune)(session, what, days)
            log.info(
                "%s older than %g days: %d %s",
                NAMES[what],
                days,
                deleted[what],
                "would be deleted" if dry_run else "deleted",
            )
        if not dry_run:
            how = Direction.MAINTENANCE, "prune", Status.SUCCESS, EventOutcome.DONE
            events.record(session, None, *how, summary(deleted), origin)
    return deleted


def summary(deleted: dict[str, int]) -> str:
    counts = [f"{number} {NAMES[what]}" for what, number in deleted.items() if number]
    return f"pruned: {', '.join(counts) or 'nothing was old enough'}"
