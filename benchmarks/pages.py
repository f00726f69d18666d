"""The pages and their queries: milliseconds, with 500 connections, a million events, 100,000 invoices.

Each is requested several times in a row, in a session without prepared statements, as the pages do.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from benchmarks import page_data, page_urls
from benchmarks.surroundings import surroundings
from demo.place import Place
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.pull import rejections
from xero.qicworks.views import document_list, event_log, status, traffic
from xero.qicworks.views.event_log import Filter

TIMES = 15
PORT = 54398


def run() -> dict[str, Any]:
    """Measures, and returns the figures by name."""
    with ExitStack() as afterwards:
        around = afterwards.enter_context(surroundings(PORT))
        engine = database.engine(around.new_database("qicworks"))
        afterwards.callback(engine.dispose)
        migrating = page_data.fill(engine)
        return {
            **measured(engine),
            **whole_pages(around.place, engine, afterwards),
            "migration 0009, seconds": f"{migrating:.0f}",
        }


def measured(engine: Engine) -> dict[str, str]:
    with database.session(engine) as session:
        session.prepare_threshold = None
        return {"": "median, worst"} | {name: timed(ask) for name, ask in asked(session).items()}


def whole_pages(place: Place, engine: Engine, afterwards: ExitStack) -> dict[str, str]:
    with database.session(engine) as session:
        usual = connections.every(session)[1].id
        [latest], _ = event_log.page(session, Filter(), limit=1)
    asked = page_urls.asked(place, afterwards, connection=usual, event=latest["id"])
    return {name: timed(ask) for name, ask in asked.items()}


def timed(ask: Callable[[], object], times: int = TIMES) -> str:
    """Median and maximum; the first, which warms up, does not count."""
    took = []
    for _ in range(times + 1):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return f"{statistics.median(took[1:]):.1f}, {max(took[1:]):.1f}"


def asked(session: Session) -> dict[str, Callable[[], object]]:
    """The queries of the pages, by purpose."""
    known = connections.every(session)
    large, usual = known[0].id, known[1].id
    now = datetime.now(UTC)
    long_ago = {"since": now - timedelta(days=301), "until": now - timedelta(days=300)}
    few = frozenset({("pull", "contacts"), ("push", "bills"), ("push", "never")})
    filters = {
        "all": Filter(),
        "errors": Filter(status="error"),
        "running, of which there are none": Filter(status="running"),
        "of a connection": Filter(connection_id=usual),
        "errors of a large connection": Filter(connection_id=large, status="error"),
        "running, of a large connection": Filter(connection_id=large, status="running"),
        "of a direction without events": Filter(direction="connect"),
        "of a data set": Filter(direction="pull", data_set="contacts"),
        "of a data set and a large connection": Filter(connection_id=large, data_set="contacts"),
        "errors of a data set": Filter(data_set="contacts", status="error"),
        "errors of a data set without events": Filter(data_set="never", status="error"),
        "of three data sets": Filter(scope=few),
        "of a data set without events": Filter(scope=frozenset({("push", "never")})),
        "errors of three data sets": Filter(scope=few, status="error"),
        "text: a number": Filter(text="INV-0001234"),
        "text: the beginning of numbers": Filter(text="INV-00"),
        "text: nothing": Filter(text="zebra"),
        "text: almost all": Filter(text="records"),
        "text: almost all, of an old day": Filter(text="records", **long_ago),
        "text: two words": Filter(text="taxtype account"),
        "text: rare, of a large connection": Filter(text="INV-0001240", connection_id=large),
        "text: almost all, of a large connection": Filter(text="records", connection_id=large),
        "text: almost all, errors": Filter(text="records", status="error"),
        "text: almost all, of a data set without events": Filter(text="records", data_set="never"),
        "of an old day": Filter(**long_ago),
        "errors of an old day": Filter(status="error", **long_ago),
        "of a large connection and an old day": Filter(connection_id=large, **long_ago),
    }

    def log(filter: Filter) -> Callable[[], object]:
        return lambda: event_log.page(session, filter)

    [latest], _ = event_log.page(session, Filter(), limit=1)
    middle = event_log.EventPosition(now - timedelta(days=200), 0)
    invoices = KINDS["invoices"]
    organisation = known[1].organisation_id
    return {
        **{f"events {name}": log(filter) for name, filter in filters.items()},
        "events, page from the middle": lambda: event_log.page(session, Filter(), middle),
        "event": lambda: event_log.get_event(session, latest["id"]),
        "data sets with events": lambda: event_log.list_pairs(session),
        "connections, 50 with their data sets": lambda: status.page(session),
        "connections by name": lambda: status.page(session, "Organisation 17"),
        "connection": lambda: status.get_status(session, usual),
        "what needs attention": lambda: status.needs_attention(session),
        "traffic by day": lambda: traffic.by_day(session),
        "traffic by day, of a connection": lambda: traffic.by_day(session, large),
        "traffic by day, of three data sets": lambda: traffic.by_day(session, None, few),
        "traffic by data set": lambda: traffic.by_data_set(session),
        "traffic by organisation": lambda: traffic.by_organisation(session),
        "documents": lambda: document_list.page(session, invoices),
        "documents that failed": lambda: document_list.page(session, invoices, ["failed"]),
        "documents of an organisation": lambda: document_list.page(session, invoices, None, organisation),
        "documents by number": lambda: document_list.page(session, invoices, text="INV-0012345"),
        "documents by the beginning of all numbers": lambda: document_list.page(session, invoices, text="inv-"),
        "documents by a number that none has": lambda: document_list.page(session, invoices, text="zebra"),
        "documents of an organisation by number": lambda: document_list.page(
            session, invoices, ["failed", "ready"], organisation, "INV-00"
        ),
        "documents counted": lambda: document_list.counts(session, KINDS.values()),
        "rejections": lambda: rejections.open_page(session),
        "rejections of a connection": lambda: rejections.open_page(session, large),
    }
