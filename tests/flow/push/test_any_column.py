"""Any value in any column of what is pushed: that document is pushed or fails by its name, all others are pushed."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from tests.support.odd_columns import Column, columns
from tests.support.one_world import world_for_all
from tests.support.own_contacts import OwnBooks
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File
from tests.support.world import World
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.views import document_list
from xero.qicworks.views.gauges import measure

TABLES = {kind.table: name for name, kind in KINDS.items()}
EMPTIED = (
    "payroll_line",
    *(table for table in TABLES if table != "contact"),
    "pay_period",
    "document_line",
    "attachment",
)
PAID = ("payroll", "leave_requests")
OWNED = "xero_sync.owned_earnings_line"
ITS_PERIOD = "(SELECT pay_period_id FROM qicworks.payroll_push WHERE id = %s)"
#: The rows of a document in the tables that are not its own.
WHERE = {
    "document_line": "parent_id = %s",
    "attachment": "parent_id = %s",
    "payroll_line": "payroll_push_id = %s",
    "pay_period": f"id = {ITS_PERIOD}",
    "owned_earnings_line": f"pay_period_id = {ITS_PERIOD}",
}


class Company:
    """An organisation that has three documents of a kind to push, the second of which is to be odd."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.books = Books(world)
        self.payroll = Payroll(world)
        self.own = OwnBooks.of_books(self.books)
        self.own.setting("create")
        self.columns = columns(world)
        self.weekly = self.payroll.paid_by_the_hour()[:2]
        self.fortnightly = self.payroll.paid_by_the_hour("FORTNIGHTLY")[0]
        self._nth = count(1)

    def kinds_of(self, column: Column) -> list[str]:
        if column.table in TABLES:
            return [TABLES[column.table]]
        return ["payroll"] if column.table not in ("document_line", "attachment") else list(PRICED)

    def three(self, kind: str) -> list[UUID]:
        nth = next(self._nth)
        if kind == "contacts":
            return [self.own.contact(f"Contact {nth} {n}") for n in range(3)]
        if kind == "payroll":
            weekly, fortnightly = self.payroll.period(1), self.payroll.period(1, "FORTNIGHTLY")
            whom = [(self.weekly[0], weekly), (self.fortnightly, fortnightly), (self.weekly[1], weekly)]
            made = [self.payroll.pay(one, its, PayLine(units=f"{nth % 70}.5", rate="31.5")) for one, its in whom]
            self.world.query(
                f"INSERT INTO {OWNED} VALUES (%s, %s, %s, %s, false, '{{30}}', '{{\"CalculationType\": \"X\"}}')",
                *(self.payroll.connection_id, self.fortnightly, self.payroll.rate("Ordinary Hours"), fortnightly),
            )
            return made
        if kind == "leave_requests":
            days = [self.payroll.start_of(10) + timedelta(3 * nth + at) for at in range(3)]
            return [self.payroll.leave(self.weekly[0], day, day) for day in days]
        return [self.books.add(kind, files=[File(f"{n}.pdf")], number=f"N-{nth}-{n}") for n in range(3)]

    def make_odd(self, kind: str, document: UUID, column: Column, value: Any) -> bool:
        """Whether PostgreSQL holds it. Pay and leave are approved as they are then."""
        table = KINDS[kind].table
        approved = {"approved_version": "push_version", "push_state": "'ready'"} if kind in PAID else {}
        try:
            where = WHERE.get(column.table, "id = %s")
            self.world.query(f"UPDATE {column.full_name} SET {column.name} = %s WHERE {where}", value, document)
            for name, so in approved.items():
                if (table, name) != (column.table, column.name):
                    self.world.query(f"UPDATE qicworks.{table} SET {name} = {so} WHERE id = %s", document)
        except psycopg.Error:
            return False
        return True

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """`all`: with every column, as text, since NaN is not what it is."""
        return self.world.query(
            "SELECT id, organisation_id, push_state, push_error, push_correction, xmin::text, row::text AS all,"
            f" coalesce(to_jsonb(row) ->> 'number', to_jsonb(row) ->> 'name') AS number"
            f" FROM qicworks.{KINDS[kind].table} AS row"
            " WHERE push_state IS NOT NULL ORDER BY id"
        )

    def attached(self) -> list[dict[str, Any]]:
        return self.world.query("SELECT parent_id, push_state, push_error, push_correction FROM qicworks.attachment")

    def push(self, kind: str) -> None:
        self.payroll.push(kind) if kind in PAID else self.books.push(kind)

    def look(self, kind: str) -> None:
        """As the pages and whoever watches from outside do."""
        with database.session(self.world.engine) as session:
            found, _ = document_list.page(session, KINDS[kind], limit=2)
            _, end = document_list.page(session, KINDS[kind], limit=1)
            assert end
            place = document_list.DocumentPosition.parse(str(end))
            assert len(document_list.page(session, KINDS[kind], before=place)[0]) in (0, 1, 2)
            assert found
            measure(session)

    def empty(self) -> None:
        self.world.query(f"DELETE FROM {OWNED}")
        self.world.query("DELETE FROM xero_sync.push_request")
        self.world.query("DELETE FROM xero_sync.connection_event WHERE document IS NOT NULL")
        self.world.query("UPDATE qicworks.payroll_push SET push_version = 1")  # its lines are taken away: an edit
        self.world.query("DELETE FROM qicworks.contact WHERE push_state IS NOT NULL")
        self.world.query("DELETE FROM xero_sync.cancellation")
        for table in EMPTIED:
            self.world.query(f"DELETE FROM qicworks.{table}")


@pytest.fixture(scope="module")
def company(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Company]:
    with world_for_all(sandbox_url, postgres_url, template) as world:
        yield Company(world)


@settings(max_examples=40, phases=[Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_stands_in_a_column_only_that_document_fails(company: Company, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(company.columns))
    kind = data.draw(st.sampled_from(company.kinds_of(column)))
    value = data.draw(column.values())
    company.empty()
    first, second, third = company.three(kind)
    held = company.make_odd(kind, second, column, value)
    event("held" if held else "PostgreSQL refuses it")
    assume(held)
    before = company.payroll.preview(kind)
    assert before, "a dry run shows something"
    company.push(kind)
    company.look(kind)
    rows = company.rows(kind)
    for row in rows:
        if row["id"] in (first, third):
            assert row["push_state"] == "pushed", row["push_error"]
        elif row["organisation_id"] == company.books.organisation_id and column.name != "push_state":
            assert row["push_state"] in ("pushed", "failed")
        if row["push_state"] == "failed":
            assert row["push_error"]
            assert row["push_correction"]
            names = [KINDS[kind].called(row["number"], row["id"]), KINDS[kind].called(None, row["id"])]
            assert company.world.query("SELECT 1 FROM xero_sync.connection_event WHERE document = ANY(%s)", names)
    for file in company.attached():
        if file["parent_id"] in (first, third):
            assert file["push_state"] == "pushed"
        if file["push_state"] == "failed":
            assert file["push_error"]
            assert file["push_correction"]
    company.world.calls()
    company.push(kind)
    assert [call["path"] for call in company.world.calls() if call["method"] != "GET"] == []
    assert company.rows(kind) == rows, "a second run changes nothing"
    assert company.world.query("SELECT 1 FROM xero_sync.push_request WHERE closed_at IS NULL") == []
