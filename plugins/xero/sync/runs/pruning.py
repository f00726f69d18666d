"""Pruning: what nobody needs any more goes, and an event says how much."""

import logging

from sqlalchemy import Engine

from xero.qicworks import database
from xero.qicworks.admin import retention
from xero.qicworks.admin.retention import Retention
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin

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
    """Deletes what is older than it is kept; how many of each. `dry_run` counts only, and leaves no event."""
    gone: dict[str, int] = {}
    with database.session(engine) as session:
        for what in retention.WHAT:
            days = getattr(kept, what)
            if not 0 < days <= retention.LONGEST:
                log.info("%s are kept for good", NAMES[what])
                continue
            gone[what] = (retention.count if dry_run else retention.prune)(session, what, days)
            log.info("%s older than %g days: %d %s", NAMES[what], days, gone[what], "would go" if dry_run else "went")
        if not dry_run:
            events.record(session, None, "connect", "prune", "success", summary(gone), origin)
    return gone


def summary(gone: dict[str, int]) -> str:
    told = [f"{number} {NAMES[what]}" for what, number in gone.items() if number]
    return f"pruned: {', '.join(told) or 'nothing was old enough'}"
