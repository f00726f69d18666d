"""How it stands: what events come to, by a trigger, and what somebody has to act on."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from tests.support.database_clock import stopped
from tests.support.postgres import a_copy
from tests.support.recorded import NOW, Row, connect, insert
from tests.support.versions import as_of
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.admin.migrate import migrate
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Found, Reason
from xero.qicworks.pull import rejections
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, DocumentName, Origin
from xero.qicworks.runs.outcome import EventOutcome
from xero.qicworks.views import status, traffic
from xero.qicworks.views.event_log import Pair

PAIRS: list[Pair] = [("pull", "contacts"), ("pull", "staff"), ("push", "invoices"), ("connect", "connection")]


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with database.session(engine) as session:
        yield session


INTERRUPTED = """
    UPDATE xero_sync.connection_event SET status = 'error', ended_at = clock_timestamp(), message = 'interrupted'
     WHERE connection_id = %s AND direction = %s AND data_set = %s AND status = 'running'
"""


def live_through(engine: Engine, ids: list[UUID], seed: int) -> None:
    """What happens to events in a while: runs, events of documents, those that begin and end at once, interruptions."""
    drawn = random.Random(seed)
    with database.session(engine) as session:
        for _ in range(40):
            pair = (drawn.choice(ids), *drawn.choice(PAIRS))
            counts = Counts(*(drawn.randrange(9) for _ in range(10)))
            happens = drawn.randrange(6)
            if happens < 3:
                id = events.open_event(session, *pair, Origin())
                events.count(session, id, counts)
                events.close_event(
                    session,
                    id,
                    drawn.choice(["success", "warning", "error"]),
                    drawn.choice(list(EventOutcome)),
                    counts,
                    f"of {seed}",
                )
                if happens == 0:  # it went wrong after all
                    events.close_event(
                        session,
                        id,
                        "error",
                        EventOutcome.FAILED,
                        Counts(*(drawn.randrange(9) for _ in range(10))),
                        "no",
                    )
            elif happens == 3:
                document = drawn.choice([None, DocumentName("INV-1", "invoices", None)])
                events.record(
                    session, *pair, "warning", EventOutcome.DONE_WITH_REMARKS, "told", Origin(), document=document
                )
            elif happens == 4:
                events.open_event(session, *pair, Origin())
            else:
                session.execute(INTERRUPTED, pair)


def recomputed(rows: list[Row]) -> tuple[dict[tuple[Any, ...], Row], dict[tuple[Any, ...], tuple[int, ...]]]:
    """Last event by pair, and sums by day and pair, from the events alone."""
    last: dict[tuple[Any, ...], Row] = {}
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for row in sorted(rows, key=lambda row: (row["ended_at"] or datetime.max.replace(tzinfo=UTC), row["id"])):
        if row["status"] == "running" or row["document"] is not None:
            continue
        pair = row["connection_id"], row["direction"], row["data_set"]
        last[pair] = row
        day = sums.setdefault((row["ended_at"].date(), *pair), Counter())
        day["runs"] += 1
        day["failed_runs"] += row["status"] == "error"
        day["written"] += row["inserted"] + row["updated"] + row["deactivated"]
        for name in ("read", "pushed", "calls", "bytes_received"):
            day[name] += row[name]
    return last, {key: tuple(sorted(day.items())) for key, day in sums.items()}


def test_standing_and_traffic_are_what_the_events_come_to(postgres_url: str) -> None:
    """Events that ended before the migration, after it, many at once on the same pairs; days change at midnight UTC."""
    name = f"test_{random.randrange(10**9)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
    engine = database.engine(postgres_url.rsplit("/", 1)[0] + "/" + name)
    with as_of("0008.consent"):
        migrate(engine)
    with database.session(engine) as session:
        ids = connect(session, "A", "B")
        # What writes today's events needs columns that came later.
        later = {
            "correlation_id": "text",
            "bytes_unpacked": "bigint",
            "outcome": "text",
            "document_kind": "text",
            "document_id": "uuid",
        }
        for name, type in later.items():
            session.execute(f"ALTER TABLE xero_sync.connection_event ADD {name} {type}".encode())
        live_through(engine, ids, 0)
        for name in later:
            session.execute(f"ALTER TABLE xero_sync.connection_event DROP {name}".encode())
        migrate(engine)
        with ThreadPoolExecutor(4) as several:
            list(several.map(lambda seed: live_through(engine, ids, seed), range(1, 5)))
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for instants in (-1, 0):
            ended_at = midnight - timedelta(days=3) + timedelta(microseconds=instants)
            insert(
                session, "xero_sync.connection_event", connection_id=ids[0], direction="pull", data_set="contacts",
                status="success", started_at=ended_at, ended_at=ended_at, calls=5,
            )  # fmt: skip
        rows = session.execute("SELECT * FROM xero_sync.connection_event").fetchall()
        last, sums = recomputed(rows)
        assert len(last) == 8
        assert len({day for day, *_ in sums}) >= 3
        held = session.execute("SELECT * FROM xero_sync.standing").fetchall()
        assert {(row["connection_id"], row["direction"], row["data_set"]): row["last_event_id"] for row in held} == {
            pair: row["id"] for pair, row in last.items()
        }
        for row in held:
            event = last[row["connection_id"], row["direction"], row["data_set"]]
            for column in ("status", "outcome", "started_at", "ended_at", "message", "correction"):
                assert row[f"last_{column}"] == event[column]
        counted = session.execute("SELECT * FROM xero_sync.traffic").fetchall()
        keys = ("day", "connection_id", "direction", "data_set")
        assert {
            tuple(row[key] for key in keys): tuple(sorted((n, v) for n, v in row.items() if n not in keys))
            for row in counted
        } == sums
        session.execute("DELETE FROM xero_sync.connection_event")  # old events may go: what they came to stays
        assert len(session.execute("SELECT * FROM xero_sync.traffic").fetchall()) == len(sums)
    engine.dispose()


def everything_pulled(session: Session, *names: str) -> list[UUID]:
    """Organisations of which each data set was pulled just now."""
    ids = connect(session, *names)
    for id in ids:
        for name in DATASETS:
            session.execute("INSERT INTO xero_sync.cursor VALUES (%s, %s, NULL, now())", (id, f"{name}/part"))
    return ids


def test_nobody_needs_a_hand_while_all_goes_well(session: Session) -> None:
    everything_pulled(session, "A", "B")
    assert not status.needs_attention(session)


@dataclass(frozen=True)
class Four:
    """Organisations of which something went wrong with each but the first; and an event that is at work."""

    session: Session
    fine: UUID
    failing: UUID
    off: UUID
    broken: UUID
    running: int


@pytest.fixture(scope="module")
def four(postgres_url: str, template: str) -> Iterator[Four]:
    """For tests that only look."""
    with a_copy(postgres_url, template) as url, stopped(url):
        engine = database.engine(url)
        with database.session(engine) as session:
            [fine, failing, off, broken] = everything_pulled(session, "A fine", "B failing", "C off", "D broken")
            yield Four(session, fine, failing, off, broken, go_wrong(session, fine, failing, off, broken))
        engine.dispose()


def go_wrong(session: Session, fine: UUID, failing: UUID, off: UUID, broken: UUID) -> int:
    """Returns the event that is at work."""
    session.execute(
        "UPDATE xero_sync.connection SET enabled = id <> %s, connected_at = now() - interval '9 days'", (off,)
    )
    session.execute("UPDATE xero_sync.connection SET state = 'needs_reconnect' WHERE id = %s", (broken,))
    session.execute(
        "UPDATE xero_sync.cursor SET completed_at = now() - interval '27 hours' WHERE data_set LIKE 'staff%'"
    )
    session.execute(
        "UPDATE xero_sync.cursor SET completed_at = now() - interval '9 days' WHERE data_set LIKE 'leave_balances%'"
    )
    session.execute("DELETE FROM xero_sync.cursor WHERE data_set LIKE 'pay_codes%'")
    for id in (failing, off, broken):
        events.record(
            session, id, "pull", "contacts", "error", EventOutcome.FAILED, "it broke", Origin(), correction="Fix it."
        )
        events.record(
            session,
            id,
            "push",
            "invoices",
            "error",
            EventOutcome.FAILED,
            "of one",
            Origin(),
            document=DocumentName("INV-1", "invoices", None),
        )
    events.record(session, fine, "pull", "pay_codes", "warning", EventOutcome.NOT_AVAILABLE, "not available", Origin())
    events.record(session, failing, "pull", "staff", "error", EventOutcome.FAILED, "it broke", Origin())
    running = events.open_event(session, failing, "push", "bills", Origin())
    of = {one.id: one.organisation_id for one in connections.every(session)}
    for table in ("invoice", "bill"):
        for n in range(3):
            document = insert(
                session, f"qicworks.{table}", organisation_id=of[failing], number=f"N{n}",
                push_state="failed" if n else "pushed",
            )  # fmt: skip
        insert(
            session, "qicworks.attachment", organisation_id=of[failing], parent_type=table, parent_id=document,
            file_name="a.pdf", content=b"", push_state="failed",
        )  # fmt: skip
    for minutes in (59, 61):
        insert(
            session, "xero_sync.push_request", connection_id=failing, kind="bills", idempotency_key=str(minutes),
            method="PUT", path="/",
            documents=[document], versions=[1], created_at=datetime.now(UTC) - timedelta(minutes=minutes),
        )  # fmt: skip
    for n in range(5):
        insert(
            session, "xero_sync.rejection", connection_id=failing, data_set="contacts" if n else "staff",
            table_name="contact", key=str(n),
            reasons=["name: missing"], record=Jsonb({"n": n}), event_id=running, held_back=n == 1,
            closed_at=NOW if n == 4 else None,
        )  # fmt: skip
    for kind, label in (("invoices", "N0"), ("invoices", "N1"), ("bills", "N2"), ("staff", "staff")):
        about = About(failing, kind, uuid4(), label)
        differences.compare(session, about, [Found(Reason.VOIDED_IN_XERO)], tuple(Reason))
    for one in differences.listed(session, failing):
        if one.label in ("N1", "N2"):
            until = datetime.now(UTC) + timedelta(days=400)
            assert differences.acknowledge(session, one.id, "office", until, seen=one.seen)
    session.execute(
        """INSERT INTO xero_sync.call_budget (app, tenant_id, day_remaining, day_limit, day_seen_at)
           VALUES ('one', 'tenant B failing', 900, 1000, now() - interval '1 hour'),
                  ('two', 'tenant B failing', 4000, 5000, now()),
                  ('one', 'tenant A fine', 1, 1000, now() - interval '25 hours')"""
    )
    return running


def test_who_is_to_be_connected_again_and_what_fails_needs_a_hand(four: Four) -> None:
    needs = status.needs_attention(four.session)
    assert [one.organisation for one in needs.reconnect] == ["D broken"]
    assert [(row["organisation"], row["data_set"], row["last_message"]) for row in needs.failing] == [
        ("B failing", "contacts", "it broke"), ("B failing", "staff", "it broke")
    ]  # fmt: skip


def test_what_was_not_pulled_for_long_needs_a_hand(four: Four) -> None:
    """Staff of B failed, which is told already; what A never had of pay codes Xero does not have."""
    overdue = status.needs_attention(four.session).overdue
    assert [(row["organisation"], row["data_set"]) for row in overdue] == [
        ("A fine", "staff"),
        ("B failing", "pay_codes"),
    ]


def test_documents_that_failed_or_are_long_on_their_way_need_a_hand(four: Four) -> None:
    needs = status.needs_attention(four.session)
    assert [(row["kind"], row["connection_id"], row["documents"], row["attachments"]) for row in needs.documents] == [
        ("bills", four.failing, 2, 1), ("invoices", four.failing, 2, 1)
    ]  # fmt: skip
    assert [(row["kind"], row["requests"], row["documents"]) for row in needs.stuck] == [("bills", 1, 1)]


def test_rejected_rows_need_a_hand_and_are_shown_page_by_page(four: Four) -> None:
    session = four.session
    assert [
        (row["data_set"], row["count"], row["held_back"]) for row in status.needs_attention(session).rejections
    ] == [
        ("contacts", 3, 1),
        ("staff", 1, 0),
    ]
    rows, last = rejections.open_page(session, None, None, 2)
    assert [row["key"] for row in rows] == ["3", "2"]
    rows, last = rejections.open_page(session, four.failing, last, 2)
    assert ([row["key"] for row in rows], last) == (["1", "0"], None)
    assert rejections.open_page(session, four.fine) == ([], None)
    assert len(rejections.open_page(session, data_sets=frozenset({("pull", "staff"), ("push", "contacts")}))[0]) == 1


def test_differences_need_a_hand_until_somebody_has_seen_them(four: Four) -> None:
    needs = status.needs_attention(four.session)
    assert [(row["organisation"], row["kind"], row["open"]) for row in needs.differences] == [
        ("B failing", "invoices", 1),
        ("B failing", "staff", 1),
    ]
    assert needs.acknowledged == 2


def test_what_needs_a_hand_is_counted_and_shown_as_far_as_one_may_see(four: Four) -> None:
    assert len(status.needs_attention(four.session)) == 1 + 2 + 2 + 2 + 2 + 1 + 2
    assert (status.needs_attention(four.session).off, status.needs_attention(four.session).none_connected) == (
        [],
        False,
    )
    seen = status.needs_attention(four.session, frozenset({("pull", "staff"), ("push", "invoices")}))
    assert [len(rows) for name, rows in vars(seen).items() if isinstance(rows, list) and name != "off"] == [
        1,
        1,
        1,
        1,
        1,
        0,
        0,
        2,
        0,
    ]
    assert seen.acknowledged == 1


def test_an_organisation_is_found_with_its_calls_and_data_sets(four: Four) -> None:
    [found], total = status.page(four.session, "b FAIL")
    assert total == 1
    assert (found.calls_left, found.day_limit) == (4000, 5000)
    assert [(one.data_set, one.last_status, one.running_event_id) for one in found.data_sets] == [
        ("contacts", "error", None), ("staff", "error", None), ("bills", None, four.running)
    ]  # fmt: skip
    assert found.last_pull_at is not None
    assert found.last_push_at is None
    assert status.get_status(four.session, four.fine).calls_left is None, "of yesterday nothing is left"


def test_organisations_are_shown_page_by_page_as_far_as_one_may_see(four: Four) -> None:
    found, total = status.page(four.session, "", 2, 1, frozenset({("pull", "staff")}))
    assert ([one.connection.organisation for one in found], total) == (["B failing", "C off"], 4)
    assert [len(one.data_sets) for one in found] == [1, 0]


def test_traffic_by_day_by_data_set_and_by_organisation(four: Four) -> None:
    days = traffic.by_day(four.session, four.failing)
    assert (len(days), days[-1].day, days[-1].runs, days[-1].failed_runs) == (30, datetime.now(UTC).date(), 2, 2)
    only_staff = traffic.by_data_set(four.session, None, frozenset({("pull", "staff")}))
    assert [row["data_set"] for row in only_staff] == ["staff"]
    assert [row["organisation"] for row in traffic.by_organisation(four.session, days=1, limit=1)] == ["A fine"]
