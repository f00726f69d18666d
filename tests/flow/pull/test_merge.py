"""The merge: whatever order versions and duplicates come in, the newest is held, and nothing is written twice."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from xero.datasets.contacts import CONTACT, CONTACTS
from xero.qicworks import database
from xero.qicworks.database import Session
from xero.qicworks.pull import merge, staging
from xero.qicworks.runs.events import Counts
from xero.sync.pull.rows import Rows

KEYS = [str(uuid.UUID(int=number + 1)) for number in range(5)]


def contact(key: int, version: int) -> dict[str, Any]:
    """Each version says something else; every third is archived."""
    return {
        "ContactID": KEYS[key],
        "Name": f"Contact {key} in version {version}",
        "ContactStatus": "ARCHIVED" if version % 3 == 0 else "ACTIVE",
        "UpdatedDateUTC": f"/Date({1_700_000_000_000 + version}+0000)/",
    }


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with database.session(engine) as session:
        yield session


def connected(session: Session) -> tuple[uuid.UUID, uuid.UUID]:
    """A connection of its own for each example, and its organisation."""
    name = uuid.uuid4().hex
    row = session.execute(
        "WITH o AS (INSERT INTO qicworks.organisation (name) VALUES (%s) RETURNING id),"
        " t AS (INSERT INTO xero_sync.token (airflow_conn_id, secret, expires_at) VALUES ('x', '', now()) RETURNING id)"
        " INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name)"
        " SELECT o.id, t.id, %s, %s FROM o, t RETURNING id, organisation_id",
        (name, name, name),
    ).fetchone()
    assert row is not None
    return row["id"], row["organisation_id"]


def load(session: Session, pair: tuple[uuid.UUID, uuid.UUID], records: list[dict[str, Any]]) -> Counts:
    rows = Rows(CONTACT)
    counts = Counts()
    read = staging.begin(session, pair[0], CONTACTS, full=False, since=None)
    staged = [row for record in records for row in rows.of(record)]
    staging.add(session, read, {CONTACT: staged}, None, complete=True)
    with session.transaction():
        merge.Loading(session, read, *pair).merge(CONTACT, counts)
        staging.drop(session, CONTACTS, read.id)
    return counts


def held(session: Session, pair: tuple[uuid.UUID, uuid.UUID]) -> dict[str, tuple[str, bool, str]]:
    found = session.execute(
        "SELECT xero_id, name, is_active, xmin::text AS written FROM qicworks.contact WHERE connection_id = %s",
        pair[:1],
    )
    return {str(row["xero_id"]): (row["name"], row["is_active"], row["written"]) for row in found}


versions = st.tuples(st.integers(0, len(KEYS) - 1), st.integers(1, 6))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(loads=st.lists(st.lists(versions, min_size=1, max_size=8), min_size=1, max_size=5))
def test_the_newest_version_wins_in_any_order(session: Session, loads: list[list[tuple[int, int]]]) -> None:
    pair = connected(session)
    newest: dict[int, int] = {}
    for batch in loads:
        before = dict(newest)
        counts = load(session, pair, [contact(key, version) for key, version in batch])
        for key, version in batch:
            newest[key] = max(version, newest.get(key, 0))
        assert counts.inserted == len(newest) - len(before)
        changed = sum(newest[key] != version for key, version in before.items())
        assert counts.updated + counts.deactivated == changed
        assert counts.read == len({key for key, _ in batch})
        assert counts.read == counts.inserted + counts.updated + counts.deactivated + counts.unchanged
    expected = {KEYS[key]: (f"Contact {key} in version {version}", version % 3 != 0) for key, version in newest.items()}
    first = held(session, pair)
    assert {key: row[:2] for key, row in first.items()} == expected

    everything = [contact(key, version) for batch in loads for key, version in batch]
    again = load(session, pair, everything)
    assert again.unchanged == again.read
    assert held(session, pair) == first, "a row that says what is held already is not written"
