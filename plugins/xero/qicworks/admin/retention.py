"""Deletes old rows, a batch at a time so no lock lasts. Rows that must be kept are not in the views that
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

BATCH_SIZE = 1_000  # rows
MAX_DAYS = 36_525  # a century; what is kept longer is never deleted


@dataclass(frozen=True)
class Retention:
    """How many days each is kept. Not pruned if that is 0, over MAX_DAYS, or not a number."""

    events: float = 400
    requests: float = 400
    request_bodies: float = 30
    rejections: float = 90
    staging: float = 2
    consents: float = 1
    call_budgets: float = 7
    traffic: float = 1100


# In this order, because requests and rejections refer to events.
WHAT = ("request_bodies", "requests", "rejections", "events", "traffic", "consents", "call_budgets", "staging")
KEPT = tuple(one.name for one in fields(Retention))


def cutoff(session: Session, days: float) -> datetime:
    """The time so many days ago, by the database's clock."""
    at: datetime = QUERIES.cutoff(session, age=timedelta(days=days))
    return at


def count(session: Session, what: str, days: float) -> int:
    """How many rows would be deleted."""
    before = cutoff(session, days)
    if what == "staging":
        return len(list(QUERIES.stagings(session, before=before)))
    found: int = getattr(QUERIES, f"count_{what}")(session, before=before)
    return found


def prune(session: Session, what: str, days: float, *, pause: float = 0.05) -> int:
    """Deletes old rows, and returns how many. Each batch is a transaction; after it others have `pause` seconds."""
    before = cutoff(session, days)
    if what == "staging":
        return _prune_stagings(session, before)
    gone, delete = 0, getattr(QUERIES, f"prune_{what}")
    while True:
        deleted: int = delete(session, before=before, batch=BATCH_SIZE)
        gone += deleted
        if deleted < BATCH_SIZE:
            return gone
        time.sleep(pause)


def _prune_stagings(session: Session, before: datetime) -> int:
    """Deletes old stagings under their leases. Skips those of running pulls and of removed data sets."""
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
