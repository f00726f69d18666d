"""What is pruned, by what age; a batch at a time, so that no lock lasts. What must never go is not in the views that
`include/sql/retention.sql` deletes from."""

import time
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from xero.datasets.registry import DATASETS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.pull import staging
from xero.qicworks.runs import lease

QUERIES = sql.Statements("retention")

BATCH = 1_000  # rows
LONGEST = 36_525  # days, a century: what is kept longer is kept for good


@dataclass(frozen=True)
class Retention:
    """How many days each is kept. It is not pruned where that is 0, over LONGEST, or no number."""

    events: float = 400
    requests: float = 400
    request_bodies: float = 30
    rejections: float = 90
    staging: float = 2
    consents: float = 1
    call_budgets: float = 7
    traffic: float = 1100


# In this order: an event is referred to by requests and rejections.
WHAT = ("request_bodies", "requests", "rejections", "events", "traffic", "consents", "call_budgets", "staging")
KEPT = tuple(one.name for one in fields(Retention))


def cutoff(session: Session, days: float) -> datetime:
    """That long ago, by the database's clock."""
    at: datetime = QUERIES.cutoff(session, age=timedelta(days=days))
    return at


def count(session: Session, what: str, days: float) -> int:
    """How many would go."""
    before = cutoff(session, days)
    if what == "staging":
        return len(list(QUERIES.stagings(session, before=before)))
    found: int = getattr(QUERIES, f"count_{what}")(session, before=before)
    return found


def prune(session: Session, what: str, days: float, *, pause: float = 0.05) -> int:
    """Deletes it; how many went. Each batch is a transaction of its own, with `pause` seconds for others after it."""
    before = cutoff(session, days)
    if what == "staging":
        return _prune_stagings(session, before)
    gone, delete = 0, getattr(QUERIES, f"prune_{what}")
    while True:
        deleted: int = delete(session, before=before, batch=BATCH)
        gone += deleted
        if deleted < BATCH:
            return gone
        time.sleep(pause)


def _prune_stagings(session: Session, before: datetime) -> int:
    """Under their leases: left alone is one whose pull is at work still, and one of a data set that is no more."""
    gone = 0
    for old in list(QUERIES.stagings(session, before=before)):
        dataset = DATASETS.get(old["data_set"])
        if dataset is None or not lease.acquire(session, old["connection_id"], "pull", old["data_set"]):
            continue
        try:
            with session.transaction():
                staging.drop(session, dataset, old["id"])
            gone += 1
        finally:
            lease.release(session)
    return gone
