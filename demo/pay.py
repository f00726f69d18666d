"""Writes sample pay and leave into QicWorks' tables, using the employees, pay codes and calendars pulled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier, Placeholder

from demo.documents import CONNECTED_ORGANISATIONS, Connection
from demo.pay_samples import LEAVES, PAYS, Leave, Pay
from demo.place import Place

DAYS = {"WEEKLY": 7, "FORTNIGHTLY": 14, "FOURWEEKLY": 28}

CALENDAR = """
    SELECT xero_id, calendar_type, start_date FROM qicworks.payroll_calendar
     WHERE connection_id = %(connection_id)s AND is_active ORDER BY calendar_type LIMIT 1
"""
STAFF = """
    SELECT staff.id, staff.xero_id FROM qicworks.staff
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE code.name = 'Ordinary Hours') AS ordinary,
                  count(*) FILTER (WHERE line.calculation_type = 'ANNUALSALARY') AS salaries,
                  count(*) FILTER (WHERE code.name = 'Annual Leave') AS leave
             FROM qicworks.pay_template_line AS line JOIN qicworks.pay_code AS code ON code.id = line.pay_code_id
            WHERE line.staff_id = staff.id AND line.is_active) AS template
     WHERE staff.connection_id = %(connection_id)s AND staff.is_active AND leave = 1
       AND payroll_calendar_xero_id = %(calendar)s AND ordinary_earnings_rate_xero_id IS NOT NULL
       AND CASE WHEN %(who)s = 'salaried' THEN salaries = 1 ELSE ordinary = 1 AND salaries = 0 END
     ORDER BY staff.xero_id LIMIT 1 OFFSET %(nth)s
"""
PAY_CODE = """
    SELECT id, xero_id FROM qicworks.pay_code
     WHERE connection_id = %(connection_id)s AND name = %(name)s ORDER BY is_active DESC LIMIT 1
"""

DELETE_SAMPLES = (
    """
    DELETE FROM qicworks.payroll_line
     WHERE payroll_push_id IN (SELECT id FROM qicworks.payroll_push WHERE organisation_id = %(organisation)s)
    """,
    "DELETE FROM qicworks.payroll_push WHERE organisation_id = %(organisation)s",
    "DELETE FROM xero_sync.owned_earnings_line WHERE connection_id = %(connection)s",
    "DELETE FROM qicworks.pay_period WHERE organisation_id = %(organisation)s",
    "DELETE FROM qicworks.leave_request WHERE organisation_id = %(organisation)s",
)
EXISTS = SQL("SELECT FROM qicworks.{} WHERE id = %s")
# Last, because adding lines is an edit, which would undo the approval.
APPROVE = """
    UPDATE qicworks.payroll_push
       SET approved_version = CASE WHEN %(approved)s THEN push_version END, push_state = 'ready'
     WHERE id = %(id)s
"""


@dataclass(frozen=True)
class Placed:
    """A sample pay or leave request in QicWorks."""

    sample: Pay | Leave
    id: UUID
    employee: UUID
    organisation: str
    tenant: str

    @property
    def name(self) -> str:
        return f"{'pay' if isinstance(self.sample, Pay) else 'leave request'} {self.id} ({self.sample.who})"

    @property
    def table(self) -> str:
        return "payroll_push" if isinstance(self.sample, Pay) else "leave_request"


def add(place: Place, *, recreate: bool = False) -> list[Placed]:
    """Writes all samples for every organisation with payroll that has such employees. Safe to run again."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection:
        found = connection.execute(CONNECTED_ORGANISATIONS).fetchall()
        return [placed for one in found for placed in PayDesk(connection, one).place_all(recreate)]


class PayDesk:
    """Writes pay and leave of one organisation."""

    def __init__(self, connection: Connection, organisation: Mapping[str, Any]) -> None:
        self.connection = connection
        self.organisation = organisation
        self.calendar = self.one(CALENDAR)

    def place_all(self, recreate: bool) -> list[Placed]:
        if recreate:
            self.forget()
        return list(filter(None, map(self.place, (*PAYS, *LEAVES)))) if self.calendar else []

    def forget(self) -> None:
        mine = {"organisation": self.organisation["id"], "connection": self.organisation["connection_id"]}
        for statement in DELETE_SAMPLES:
            self.connection.execute(statement, mine)

    def place(self, sample: Pay | Leave) -> Placed | None:
        """Writes one sample; None if the organisation has no such employee."""
        who, _, nth = sample.who.partition(" ")
        member = self.one(STAFF, who=who, nth=int(nth), calendar=self.calendar["xero_id"])
        if member is None:
            return None
        id = uuid5(self.organisation["id"], repr(sample))
        placed = Placed(sample, id, member["xero_id"], self.organisation["name"], self.organisation["tenant_id"])
        if self.connection.execute(EXISTS.format(Identifier(placed.table)), (id,)).fetchone() is None:
            if isinstance(sample, Pay):
                self.write_pay(sample, id, member["id"])
            else:
                self.write_leave(sample, id, member["id"])
        return placed

    def write_pay(self, pay: Pay, id: UUID, staff_id: UUID) -> None:
        common = {"id": id, "organisation_id": self.organisation["id"]}
        self.insert("payroll_push", **common, pay_period_id=self.period(0 if pay.now else 1), staff_id=staff_id)
        for line in pay.lines:
            code = self.one(PAY_CODE, name=line.code)
            worked = {"units": line.units, "amount": line.amount, "source": line.source}
            self.insert("payroll_line", payroll_push_id=id, pay_code_id=code and code["id"], charge_rate="N", **worked)
        self.connection.execute(APPROVE, {"id": id, "approved": pay.approved})

    def write_leave(self, leave: Leave, id: UUID, staff_id: UUID) -> None:
        first = self.start(8)
        code = self.one(PAY_CODE, name=leave.leave_type)
        approved = {"approved_version": 1, "approved_by": "payroll"} if leave.status == "Approved" else {}
        self.insert(
            "leave_request",
            id=id,
            organisation_id=self.organisation["id"],
            staff_id=staff_id,
            leave_type_id=code and code["id"],
            title=leave.title,
            start_date=first + timedelta(leave.first_day),
            end_date=first + timedelta(leave.last_day),
            hours=leave.hours,
            status=leave.status,
            push_state="ready",
            **approved,
        )

    def start(self, number: int) -> date:
        """The first day of a pay period; 0 is the period that has a draft pay run."""
        return self.calendar["start_date"] + timedelta(DAYS[self.calendar["calendar_type"]] * number)

    def period(self, number: int) -> UUID:
        """Writes that pay period as approved, and returns its id."""
        id = uuid5(self.organisation["id"], f"pay period {number}")
        self.insert(
            "pay_period",
            id=id,
            organisation_id=self.organisation["id"],
            payroll_calendar_xero_id=self.calendar["xero_id"],
            start_date=self.start(number),
            end_date=self.start(number + 1) - timedelta(1),
            approved_at=datetime.now(UTC),
            approved_by="payroll",
        )
        return id

    def one(self, query: str, **values: Any) -> Any:
        return self.connection.execute(
            query, {"connection_id": self.organisation["connection_id"], **values}
        ).fetchone()  # type: ignore[arg-type]

    def insert(self, table: str, **columns: Any) -> None:
        statement = SQL("INSERT INTO qicworks.{} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
            Identifier(table), SQL(", ").join(map(Identifier, columns)), SQL(", ").join(map(Placeholder, columns))
        )
        self.connection.execute(statement, columns)
