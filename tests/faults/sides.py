"""Both sides of the running cluster, as tests/flow sees them: QicWorks' database, and the sandbox's control API."""

import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from sqlalchemy.exc import OperationalError

from tests.support import paying, pushing
from tests.support.world import World
from xero.qicworks import database

T = TypeVar("T")
Row = dict[str, Any]

PATIENCE = 300.0  # seconds for a database that is being restarted
DAYS = {"WEEKLY": 7, "FORTNIGHTLY": 14, "FOURWEEKLY": 28}


def patiently(do: Callable[[], T], *troubles: type[Exception], patience: float = PATIENCE, pause: float = 0.5) -> T:
    """Does it, again and again while it raises one of these; after `patience` seconds it raises the last one."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return do()
        except troubles:
            if time.monotonic() > deadline:
                raise
        time.sleep(pause)


class Live(World):
    """The world of a running cluster. Organisations are those that are connected, in the sandbox's order."""

    @cached_property
    def tenants(self) -> list[str]:
        """Those that take part, by number."""
        found = self.query("SELECT tenant_id FROM xero_sync.connection WHERE state <> 'deleted'")
        known = {row["tenant_id"] for row in found}
        self.sandbox.organisations = [
            one for one in self.sandbox.control("GET", "organisations") if one["tenant"] in known
        ]
        return [str(one["tenant"]) for one in self.sandbox.organisations]

    @cached_property
    def connections(self) -> list[Row]:
        """Of the organisations, by number: id, organisation_id, organisation (QicWorks' name), tenant_id, app."""
        found = self.query(
            "SELECT connection.id, connection.organisation_id, organisation.name AS organisation, tenant_id,"
            "       airflow_conn_id AS app"
            "  FROM xero_sync.connection JOIN qicworks.organisation ON organisation.id = organisation_id"
            "  JOIN xero_sync.token ON token.id = token_id WHERE connection.state <> 'deleted'"
        )
        by_tenant = {row["tenant_id"]: row for row in found}
        return [by_tenant[tenant] for tenant in self.tenants]

    def connection_id(self, organisation: int = 0) -> str:
        return str(self.connections[organisation]["id"])

    def query(self, statement: str, *parameters: Any) -> list[Row]:
        """Waits for the database; a statement that was begun is not repeated, and its error goes up."""
        self.reachable()
        return super().query(statement, *parameters)

    def reachable(self) -> None:
        def look() -> None:
            with database.session(self.engine) as session:
                session.execute("SELECT 1")

        patiently(look, psycopg.OperationalError, OperationalError)


class Books(pushing.Books):
    """An organisation's documents, with the contacts, accounts and tax codes that were pulled."""

    def __init__(self, world: Live, organisation: int, mark: str) -> None:
        self.mark = mark
        super().__init__(world, organisation)

    def _furnish(self) -> None:
        self.contacts = self._ids(
            "SELECT id FROM qicworks.contact WHERE connection_id = %s AND is_active ORDER BY xero_id LIMIT 8"
        )
        self.accounts = self._by("account", "code")
        self.tax_codes = self._by("tax_code", "tax_type")
        self.rates = {one["TaxType"]: Decimal(str(one["EffectiveRate"])) for one in self._truth("TaxRates")}
        [self.department] = self._ids(
            "SELECT id FROM qicworks.tracking_option WHERE connection_id = %s AND is_active ORDER BY xero_id LIMIT 1"
        )

    def next_number(self, kind: str) -> str:
        return f"{self.mark}{kind[:2].upper()}{next(self._numbers):04d}"

    def rows(self, kind: str) -> list[Row]:
        """Those of the run: QicWorks has others, which were pushed long ago."""
        return [row for row in super().rows(kind) if (row["number"] or "").startswith(self.mark)]

    def _ids(self, statement: str) -> list[UUID]:
        return [row["id"] for row in self.world.query(statement, self.connection_id)]

    def _by(self, table: str, key: str) -> dict[str, UUID]:
        found = self.world.query(
            f"SELECT {key} AS key, id FROM qicworks.{table}"
            f" WHERE connection_id = %s AND is_active AND {key} IS NOT NULL",
            self.connection_id,
        )
        return {row["key"]: row["id"] for row in found}


class Pay(paying.Payroll):
    """An organisation's pay and leave, with the staff, pay codes and calendars that were pulled.

    One pay an employee: of the period after the one whose draft pay run Xero has. Each leave has a week of its own.
    """

    def __init__(self, world: Live, organisation: int) -> None:
        self.world = world
        self.organisation = organisation
        self.connection_id = UUID(world.connection_id(organisation))
        self.organisation_id = world.connections[organisation]["organisation_id"]
        self.calendars = {one["PayrollCalendarID"]: one for one in self.truth("PayrollCalendars")}
        self.employees = {one["EmployeeID"]: one for one in self.truth("Employees")}
        self.codes = self._keyed("SELECT name AS key, id FROM qicworks.pay_code WHERE connection_id = %s AND is_active")
        self.staff = self._keyed("SELECT xero_id::text AS key, id FROM qicworks.staff WHERE connection_id = %s")
        self.able = [
            key for kind in sorted({one["CalendarType"] for one in self.calendars.values()})
            for key in self.paid_by_the_hour(kind)
        ]  # fmt: skip
        self.leaves = 0

    def start_of(self, number: int, calendar_type: str = "WEEKLY") -> date:
        calendar = self.calendars[self.calendar(calendar_type)]
        return paying.day(calendar["StartDate"]) + timedelta(DAYS[calendar_type] * number)

    def calendar_of(self, employee: str) -> str:
        return str(self.calendars[self.employees[employee]["PayrollCalendarID"]]["CalendarType"])

    def period_of(self, employee: str) -> UUID:
        """The period that is paid next, approved; made where there is none."""
        kind = self.calendar_of(employee)
        start = self.start_of(1, kind)
        found = self.world.query(
            "INSERT INTO qicworks.pay_period"
            "       (organisation_id, payroll_calendar_xero_id, start_date, end_date, approved_at)"
            " VALUES (%s, %s, %s, %s, now())"
            " ON CONFLICT (organisation_id, payroll_calendar_xero_id, start_date) DO UPDATE SET approved_by = 'payroll'"
            " RETURNING id",
            *(self.organisation_id, self.calendar(kind), start, start + timedelta(DAYS[kind] - 1)),
        )
        return UUID(str(found[0]["id"]))

    def pay_of(self, employee: str) -> UUID | None:
        found = self.world.query("SELECT id FROM qicworks.payroll_push WHERE staff_id = %s", self.staff[employee])
        return found[0]["id"] if found else None

    def pay_hours(self, employee: str, units: str) -> None:
        """The pay of that employee, made or changed, approved and ready."""
        document = self.pay_of(employee)
        if document is None:
            self.pay(employee, self.period_of(employee), paying.Line(units=units))
            return
        self.world.query("UPDATE qicworks.payroll_line SET units = %s WHERE payroll_push_id = %s", units, document)
        self.ready("payroll_push", document)

    def take_leave(self, employee: str) -> None:
        self.leaves += 1
        first = self.start_of(8, self.calendar_of(employee)) + timedelta(7 * self.leaves)
        self.leave(employee, first, first + timedelta(1), "15.2")

    def _keyed(self, statement: str) -> dict[str, UUID]:
        found: list[Mapping[str, Any]] = self.world.query(statement, self.connection_id)
        return {row["key"]: row["id"] for row in found}
