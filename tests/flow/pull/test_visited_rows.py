"""A pull goes through each row a few times, however many there are and whatever PostgreSQL knows of them by then.

Tables that were just filled are not analysed yet, and each staging is new to PostgreSQL: it takes them for a few rows.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from tests.support.recorded import connect, insert
from tests.support.visited import counted
from xero.api.client import XeroClient
from xero.api.page import Position
from xero.datasets.declaration import Column, ColumnType, Dataset, Reading, Table
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.pull.staging import Seen, StagedRow
from xero.qicworks.runs.events import Counts
from xero.sync.pull.details import DetailReader
from xero.sync.pull.extract import Extract
from xero.sync.pull.load import Load

ROWS = 600
TIMES = 60  # how often a statement may visit each row, over all parts of its plan; a nested loop does so 600 times
BEGAN = datetime(2026, 11, 22, 9, 41, 12, tzinfo=UTC)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with database.session(engine) as session:
        yield session


def number(n: int) -> uuid.UUID:
    """The id of the n-th record of every kind: so what belongs together does."""
    return uuid.uuid5(uuid.NAMESPACE_OID, str(n))


def value(column: Column, n: int, version: int) -> Any:
    texts = {"kind": "EARNINGS", "status": "ACTIVE", "email": f"{n}@example.com.au", "xero_id": str(number(n))}
    if column.max_length == 3:  # the code of a currency
        texts["code"] = "".join(chr(ord("A") + n // 26**place % 26) for place in range(3))
    return {
        ColumnType.TEXT: texts.get(column.name, str(n)[: column.max_length]),
        ColumnType.UUID: number(n),
        ColumnType.BOOLEAN: True,
        ColumnType.NUMBER: Decimal(1),
        ColumnType.DATE: date(2026, 11, 22),
        ColumnType.INSTANT: BEGAN + timedelta(seconds=version),
    }[column.type]


def row(table: Table, n: int, version: int) -> StagedRow:
    """Of every tenth a field could not be read."""
    unread = Jsonb({"Field": {}}) if n % 10 == 0 else None
    return (b"%d" % version, True, False, unread, *(value(column, n, version) for column in table.columns))


def qicworks_has(session: Session, connection: Connection, rows: range) -> None:
    """Documents that were pushed, members of staff that are to be linked, and their leave, which was pushed, too."""
    many = {
        "organisation": connection.organisation_id,
        "numbers": [str(n) for n in rows],
        "ids": [number(n) for n in rows],
        "emails": [f"{n}@example.com.au" for n in rows],
    }
    for table, column, side in (
        ("invoice", "", ""),
        ("credit_note", ", side", ", 'supplier'"),
        ("purchase_order", "", ""),
    ):
        session.execute(
            f"INSERT INTO qicworks.{table} (organisation_id, number, xero_id, pushed_at{column})"  # type: ignore[arg-type]
            f" SELECT %(organisation)s, number, xero_id, now(){side}"
            "   FROM unnest(%(numbers)s::text[], %(ids)s::uuid[]) AS one (number, xero_id)",
            many,
        )
    session.execute(
        "INSERT INTO qicworks.staff (organisation_id, first_name, last_name, account_email, match_state)"
        " SELECT %(organisation)s, number, number, email, 'none'"
        "   FROM unnest(%(numbers)s::text[], %(emails)s::text[]) AS one (number, email)",
        many,
    )
    session.execute(
        "INSERT INTO qicworks.leave_request (organisation_id, staff_id, start_date, end_date, hours, xero_id)"
        " SELECT organisation_id, id, '2026-11-02', '2026-11-02', 8, one.xero_id"
        "   FROM qicworks.staff JOIN unnest(%(numbers)s::text[], %(ids)s::uuid[]) AS one (number, xero_id)"
        "        ON last_name = one.number WHERE organisation_id = %(organisation)s",
        many,
    )


def pull(
    session: Session, connection: Connection, dataset: Dataset, rows: range, version: int, *, full: bool = False
) -> Counts:
    """One run of which Xero's part is left out: what it would have sent is staged at once."""
    event_id = insert(
        session, "xero_sync.connection_event",
        connection_id=connection.id, direction="pull", data_set=dataset.name, status="running",
    )  # fmt: skip
    client = cast(XeroClient, None)
    extract = Extract(session, client, dataset, connection, full=full, progress=lambda records: None)
    extract._stage_open_rejections()
    moment = BEGAN + timedelta(seconds=version)
    seen = []
    for source in dataset.sources:
        if source.reading is Reading.BY_ID:
            seen += [Seen(source.name, str(number(n)), moment, True, 1.0) for n in rows]
        else:
            extract.positions[source.name] = Position(since=None, ask=None, step="done", newest=moment)
            seen += [Seen(source.name, str(number(n)), moment, True) for n in rows if not source.tables]
    tables = {table: [row(table, n, version) for n in rows] for table in dataset.tables}
    extract.writer.stage(tables, tuple(seen), complete=True)
    for source in dataset.sources:
        if source.reading is Reading.BY_ID:
            DetailReader(extract.writer, client, dataset, connection, source)._ids_to_fetch()
    counts = Counts()
    load = Load(session, dataset, connection, extract, event_id, counts)
    load.validate(False)
    load.load()
    return counts


@pytest.mark.parametrize("name", DATASETS)
def test_a_pull_visits_each_row_a_few_times(session: Session, name: str) -> None:
    dataset, everything = DATASETS[name], range(ROWS)
    connect(session, "Ours", "Theirs")
    for connection in connections.every(session):
        qicworks_has(session, connection, everything)
        first = pull(session, connection, dataset, everything, 1)
        assert first.inserted + first.updated == 0.9 * ROWS * len(dataset.tables)
        assert first.rejected == 0.1 * ROWS * len(dataset.tables)
    [ours, _] = connections.every(session)
    with counted(session) as visited:
        again = pull(session, ours, dataset, everything, 1, full=True)
        changed = pull(session, ours, dataset, range(ROWS * 3 // 4), 2, full=True)
        pull(session, ours, dataset, range(1, ROWS, 2), 3)  # what changed since, and what was rejected
    assert (again.inserted, again.updated) == (0, 0)
    assert changed.updated
    assert len(visited) > 10
    slow = [f"{rows} rows: {statement}" for statement, rows in visited.items() if rows > TIMES * ROWS]
    assert not slow, f"of {ROWS} rows a table PostgreSQL goes through\n" + "\n".join(slow)
