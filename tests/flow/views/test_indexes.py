"""The lists on the pages are answered by an index, however many rows there are."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from tests.support.recorded import NOW, connect, insert, ways
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.views import document_list, event_log
from xero.qicworks.views.event_log import Filter

Ask = Callable[[Session, Connection], object]

LISTS = ("seqscan", "sort", "bitmapscan")  # neither may a whole table be read, nor may it be sorted
ONLY_BITMAPS = ("seqscan", "indexscan", "indexonlyscan")


def events(make: Callable[[UUID], Filter]) -> Ask:
    return lambda session, connection: event_log.page(session, make(connection.id))


def by_words(session: Session, _: Connection) -> object:
    words = "SELECT FROM xero_sync.connection_event WHERE words @@ xero_sync.asked('inv-00')"
    return session.execute(words).fetchall()


def by_document(session: Session, connection: Connection) -> object:
    document = uuid4()
    return event_log.of_document(session, "invoices", document, connection.organisation_id, "invoice INV-0001")


CASES: list[tuple[str, Ask, tuple[str, ...]]] = [
    ("connection_event_newest", events(lambda _: Filter()), LISTS),
    ("connection_event_newest", events(lambda _: Filter(since=NOW - timedelta(minutes=9))), LISTS),
    ("connection_event_connection", events(lambda id: Filter(connection_id=id)), LISTS),
    ("connection_event_trouble", events(lambda _: Filter(status="error")), LISTS),
    ("connection_event_trouble_of", events(lambda id: Filter(status="warning", connection_id=id)), LISTS),
    ("connection_event_data_set", events(lambda _: Filter(data_set="contacts")), LISTS),
    ("connection_event_data_set", events(lambda _: Filter(scope=frozenset({("pull", "contacts")}))), LISTS),
    ("connection_event_pair", events(lambda id: Filter(connection_id=id, data_set="contacts")), LISTS),
    ("connection_event_words", by_words, ONLY_BITMAPS),
    ("connection_event_document", by_document, LISTS),
]
for kind in KINDS.values():
    CASES += [
        (
            f"{kind.table}_newest",
            lambda session, _, kind=kind: document_list.page(session, kind, ["failed"]),  # type: ignore[misc]
            LISTS,
        ),
        (
            f"{kind.table}_organisation",
            lambda session, one, kind=kind: document_list.page(session, kind, ["failed"], one.organisation_id),  # type: ignore[misc]
            LISTS,
        ),
    ]


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """With 400 events of three connections, of many data sets and ends."""
    drawn = random.Random(7)
    with database.session(engine) as session:
        ids = connect(session, "A", "B", "C")
        for n in range(400):
            insert(
                session, "xero_sync.connection_event", connection_id=drawn.choice(ids), direction="pull",
                data_set=drawn.choice(list(DATASETS)), started_at=NOW - timedelta(minutes=drawn.randrange(60)),
                status=drawn.choices(["success", "warning", "error", "running"], [60, 20, 10, 10])[0],
                message="812 records read", document=f"invoice INV-{n:04}",
            )  # fmt: skip
        session.execute("ANALYZE xero_sync.connection_event")
        yield session


def test_an_index_answers(session: Session) -> None:
    connection = connections.every(session)[0]
    for index, ask, without in CASES:
        table = index.rpartition("_")[0] if without is LISTS else "connection_event"
        used = ways(session, lambda ask=ask: ask(session, connection), without)  # type: ignore[misc]
        assert index in used, f"an index {index} is needed, as in schema/0009: it was {used}"
        assert f"{table}, whole" not in used, index
