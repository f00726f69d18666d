"""The event log as pages read it, against the same question asked in plain Python."""

import itertools
import random
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from tests.support.recorded import NOW, Row, connect, insert
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.views import event_log
from xero.qicworks.views.event_log import EventPosition, Filter, Pair

PAIRS: list[Pair] = [("pull", "contacts"), ("pull", "staff"), ("push", "invoices"), ("connect", "connection")]


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with database.session(engine) as session:
        yield session


@pytest.fixture
def log(session: Session) -> list[Row]:
    """400 events of three connections, many of the same instant; newest first."""
    drawn = random.Random(7)
    ids = [*connect(session, "A", "B", "C"), None]
    texts = ["812 records read", "Account code '404' is not valid", "Café: TIME_OUT", None]
    with session.transaction():
        for n in range(400):
            direction, data_set = drawn.choice(PAIRS)
            insert(
                session, "xero_sync.connection_event",
                connection_id=drawn.choice(ids), direction=direction, data_set=data_set,
                started_at=NOW - timedelta(minutes=drawn.randrange(60)),
                status=drawn.choices(["success", "warning", "error", "running"], [60, 20, 10, 10])[0],
                message=drawn.choice(texts), correction=drawn.choice([None, "Push again."]),
                document=drawn.choice([None, f"invoice INV-{n:04}", f"bill PO/{n}A"]),
            )  # fmt: skip
    return read(session, "SELECT * FROM xero_sync.event_shown ORDER BY started_at DESC, id DESC")


def read(session: Session, statement: str) -> list[Row]:
    return session.execute(statement.encode()).fetchall()


def matches(row: Row, filter: Filter) -> bool:
    said = " ".join(row[name] or "" for name in ("message", "correction", "document"))
    words = re.findall(r"[^\W_]+", said.lower())
    asked = re.findall(r"[^\W_]+", (filter.text or "").lower())
    return (
        all(getattr(filter, name) in (None, row[name]) for name in ("connection_id", "direction", "data_set", "status"))
        and (filter.since is None or row["started_at"] >= filter.since)
        and (filter.until is None or row["started_at"] < filter.until)
        and (filter.scope is None or (row["direction"], row["data_set"]) in filter.scope)
        and all(word in words for word in asked[:-1])
        and all(any(word.startswith(beginning) for word in words) for beginning in asked[-1:])
        and (not (filter.text or "").strip() or bool(asked))
    )


def paged(session: Session, filter: Filter, limit: int, between: Callable[[], object] = lambda: None) -> list[Row]:
    found: list[Row] = []
    place: EventPosition | None = None
    while True:
        rows, place = event_log.page(session, filter, place, limit)
        found += rows
        if place is None:
            return found
        assert len(rows) == limit
        place = EventPosition.parse(str(place))
        between()


def some_filter(drawn: random.Random, ids: list[UUID]) -> Filter:
    def perhaps(*values: Any) -> Any:
        return drawn.choice([None] * 3 * len(values) + [*values])

    return Filter(
        connection_id=perhaps(*ids),
        direction=perhaps("pull", "push"),
        data_set=perhaps("contacts", "invoices"),
        status=perhaps("success", "warning", "error", "running"),
        text=perhaps("records", "inv-00", "PUSH account", "po/12", "café time", "nowhere", " ", "--"),
        since=perhaps(NOW - timedelta(minutes=40)),
        until=perhaps(NOW - timedelta(minutes=20)),
        scope=perhaps(frozenset(PAIRS[:2]), frozenset(PAIRS[2:]), frozenset({("push", "never")})),
    )


def test_every_filter_finds_what_a_plain_one_finds(session: Session, log: list[Row]) -> None:
    drawn = random.Random(1)
    ids = [one.id for one in connections.every(session)]
    sizes = []
    for _ in range(150):
        filter = some_filter(drawn, ids)
        expected = [row for row in log if matches(row, filter)]
        with mock.patch.object(event_log, "MAX_SCANNED", drawn.choice([30, 5000])):
            assert paged(session, filter, 25) == expected, filter
        sizes.append(len(expected))
    assert sum(size > 0 for size in sizes) > 60
    assert sum(size == 0 for size in sizes) > 5
    assert any(size > 50 for size in sizes)
    for filter in (Filter(status="error"), Filter(text="push", scope=frozenset(PAIRS[:2]))):
        assert list(event_log.export(session, filter)) == [row for row in log if matches(row, filter)]
    assert event_log.list_pairs(session) == sorted(PAIRS)
    readable = frozenset({(log[0]["direction"], log[0]["data_set"])})
    assert event_log.get_event(session, log[0]["id"], readable) == log[0]
    with pytest.raises(LookupError, match="there is no event"):
        event_log.get_event(session, log[0]["id"], frozenset(PAIRS) - readable)
    for wrong in ("", "yesterday~1", "2026-01-01T00:00:00~1", f"{NOW.isoformat()}~x"):
        with pytest.raises(ValueError, match=r"."):
            EventPosition.parse(wrong)


def test_pages_hold_each_event_once_while_new_ones_arrive(session: Session, log: list[Row]) -> None:
    def arrive() -> None:
        events.open_event(session, log[0]["connection_id"], "pull", "contacts", Origin())

    for filter in (Filter(), Filter(scope=frozenset(PAIRS))):
        expected = paged(session, filter, 1000)
        assert paged(session, filter, 7, arrive) == expected
    assert len(event_log.page(session, Filter(), None, 1000)[0]) > len(log) + 100


WORDS = [
    ("invoice INV-0001A", "inv-0001", True),  # the number with a letter, by its beginning
    ("invoice INV-0001", "INV-00", True),
    ("invoice INV-0001", "0001 inv", True),
    ("invoice INV-0001", "inv-0002", False),
    ("invoice INV-0001", "in voice", False),  # only the last word may be a beginning
    ("it's 50% of pull_contacts & more", "contacts 50%", True),
    ("it's 50% of pull_contacts & more", "' | !more:*", True),  # no operators, just words
    ("x" * 5000 + " ends", "ends", True),  # longer than PostgreSQL's words may be
    ("said", "--", False),
]


def test_words(session: Session) -> None:
    for said, asked, found in WORDS:
        row = session.execute("SELECT xero_sync.words(%s) @@ xero_sync.asked(%s) AS found", (said, asked)).fetchone()
        assert row == {"found": found}, (said, asked)


def test_a_document_is_found_by_its_id_and_before_there_was_one_by_its_label(session: Session) -> None:
    ids = connect(session, "A", "B")
    of = {one.id: one.organisation_id for one in connections.every(session)}
    first, second = uuid4(), uuid4()
    moments = itertools.count()

    def event(connection_id: UUID, label: str, id: UUID | None, kind: str = "invoices") -> int:
        return insert(
            session, "xero_sync.connection_event", connection_id=connection_id, direction="push", data_set=kind,
            started_at=NOW + timedelta(minutes=next(moments)), status="error", document=label,
            document_kind=kind if id else None, document_id=id,
        )  # fmt: skip

    before = event(ids[0], "invoice INV-1", None)  # of a worker of the version before
    failed = event(ids[0], "invoice INV-1", first)
    event(ids[1], "invoice INV-1", None)  # of another organisation
    event(ids[0], "invoice INV-1", second)  # that number was another's, too
    event(ids[0], "invoice INV-10", None)
    event(ids[0], "bill INV-1", first, "bills")
    renumbered = event(ids[0], "invoice INV-1A", first)

    def found(label: str, limit: int = 50) -> list[int]:
        rows = event_log.of_document(session, "invoices", first, of[ids[0]], label, limit)
        return [row["id"] for row in rows]

    assert found("invoice INV-1") == [renumbered, failed, before]
    assert found("invoice INV-1A") == [renumbered, failed]
    assert found("invoice INV-1", 2) == [renumbered, failed]
