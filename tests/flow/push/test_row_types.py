"""What the statements of a kind return is what its dataclasses declare, column by column."""

from collections.abc import Iterator
from dataclasses import make_dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from psycopg.sql import SQL

from tests.support.world import World
from xero.documents.declaration import AttachmentRow, Kind, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.push import ready_documents, rows
from xero.qicworks.push.contacts import OwnContacts
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.push.payroll_outbox import LeaveOutbox, PayOutbox
from xero.qicworks.push.rows import WrongColumns


@pytest.fixture
def session(world: World) -> Iterator[Session]:
    with database.session(world.engine) as session:
        yield session


def read(world: World, session: Session, kind: Kind) -> None:
    """Every statement that reads documents of the kind, of no document at all."""
    connection = connections.one(session, UUID(world.connection_id()))
    if isinstance(kind, PricedKind):
        outbox = Outbox(session, connection, kind)
        assert outbox.read_priced([]) == []
        assert outbox.attachments([], 0) == []
    else:
        of_kind: Any = {"contacts": OwnContacts, "payroll": PayOutbox, "leave_requests": LeaveOutbox}[kind.name]
        assert of_kind(session, connection).read([]) == []


@pytest.mark.parametrize("name", KINDS)
def test_the_statements_of_a_kind_return_what_it_declares(
    world: World, session: Session, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, types, of_rows = KINDS[name], set(), rows.read

    def noted(session: Session, statement: Any, row: Any, **values: Any) -> Any:
        types.add(row)
        return of_rows(session, statement, row, **values)

    monkeypatch.setattr(rows, "read", noted)
    try:
        read(world, session, kind)
    except WrongColumns as wrong:
        pytest.fail(f"{name}: {wrong}")
    assert types - {AttachmentRow} == {kind.row, kind.line} - {None}, f"{name}: declares other rows than are read"


def test_a_column_that_a_statement_does_not_return_fails_at_the_first_load(world: World, session: Session) -> None:
    """Also where no document waits."""
    bills = KINDS["bills"]
    named: Any = make_dataclass("BillRow", [("colour", str)], bases=(bills.row,), frozen=True, kw_only=True)
    with pytest.raises(Exception, match="colour"):
        read(world, session, replace(bills, row=named))


def test_a_column_too_many_or_too_few_is_named(session: Session) -> None:
    declared = make_dataclass("Thing", [("id", int), ("name", str)], frozen=True)
    assert rows.read(session, SQL("SELECT 1 AS id, 'x' AS name"), declared) == [declared(1, "x")]
    for statement, message in (
        ("SELECT 1 AS id", "only Thing has name, only the statement has none"),
        ("SELECT 1 AS id, 2 AS name, 3 AS age WHERE false", "only Thing has none, only the statement has age"),
        ("SELECT 1 AS id, 2 AS names", "only Thing has name, only the statement has names"),
    ):
        with pytest.raises(WrongColumns, match=message):
            rows.read(session, SQL(statement), declared)


def test_a_file_of_another_shape_is_named(world: World, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = make_dataclass("FileRow", [("colour", str)], bases=(AttachmentRow,), frozen=True, kw_only=True)
    monkeypatch.setattr(ready_documents, "AttachmentRow", lacking)
    with pytest.raises(WrongColumns, match="only FileRow has colour"):
        read(world, session, KINDS["invoices"])
