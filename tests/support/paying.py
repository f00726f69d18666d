"""QicWorks' side of payroll: staff, pay codes, pay periods, pay and leave, and what stands in Xero.

The tables are filled straight from the sandbox's truth; what is compared owes the code nothing.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.support.kept_session import kept_session
from tests.support.world import World
from xero.api.errors import XeroError
from xero.composition import opener
from xero.documents.registry import KINDS
from xero.qicworks.connect import connections
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.runs.events import Origin
from xero.sync.push.flow import preview, push
from xero.sync.push.strategies import Preview
from xero.sync.runs.outcome import Outcome, Skip

Row = dict[str, Any]

LISTS = ("EarningsLines", "DeductionLines", "SuperLines", "ReimbursementLines", "LeaveLines")
DAYS = {"WEEKLY": 7, "FORTNIGHTLY": 14}
KINDS_OF = {
    "EarningsRates": ("EarningsRateID", "EARNINGS"),
    "DeductionTypes": ("DeductionTypeID", "DEDUCTION"),
    "LeaveTypes": ("LeaveTypeID", "LEAVE"),
}


@dataclass(frozen=True)
class Line:
    """A line of pay; `code` None: Unknown."""

    code: str | None = "Ordinary Hours"
    units: str | None = "7.6"
    rate: str | None = None
    amount: str | None = None
    source: str = "time"
    leave: UUID | None = None


class Payroll:
    """An organisation of the world with its staff, pay codes and calendars in QicWorks' tables."""

    def __init__(self, world: World, organisation: int = 0) -> None:
        world.sandbox.settings(limits=False)
        self.world = world
        self.organisation = organisation
        self.connection_id = UUID(world.connection_id(organisation))
        [connection] = world.query("SELECT * FROM xero_sync.connection WHERE id = %s", self.connection_id)
        self.organisation_id = connection["organisation_id"]
        self.calendars = {one["PayrollCalendarID"]: one for one in self.truth("PayrollCalendars")}
        self.employees = {one["EmployeeID"]: one for one in self.truth("Employees")}
        self.codes = self._pay_codes()
        self._pull(
            "payroll_calendar",
            [
                {
                    "name": calendar["Name"],
                    "calendar_type": calendar["CalendarType"],
                    "xero_id": calendar["PayrollCalendarID"],
                    "start_date": day(calendar["StartDate"]),
                }
                for calendar in self.calendars.values()
            ],
        )
        ids = self._pull("staff", [self._member(one) for one in self.employees.values()])
        self.staff: dict[str, UUID] = dict(zip(self.employees, ids, strict=True))

    def truth(self, collection: str) -> list[Row]:
        return self.world.sandbox.truth(collection, self.organisation)

    def _pull(self, table: str, rows: list[Row]) -> list[UUID]:
        known = {"organisation_id": self.organisation_id, "connection_id": self.connection_id}
        return self._insert(table, [{**known, "row_hash": b"0", "is_active": True, **row} for row in rows])

    def insert(self, table: str, **values: Any) -> UUID:
        [id] = self._insert(table, [values])
        return id

    def _insert(self, table: str, rows: list[Row]) -> list[UUID]:
        """In one statement. All have the same columns. Returns their ids."""
        places = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
        statement = f"INSERT INTO qicworks.{table} ({', '.join(rows[0])}) VALUES {places} RETURNING id"
        return [row["id"] for row in self.world.query(statement, *(value for row in rows for value in row.values()))]

    def _pay_codes(self) -> dict[str, UUID]:
        """The current ones by name."""
        rows = [
            {
                "xero_id": one[key],
                "name": one["Name"],
                "kind": "ALLOWANCE" if one.get("EarningsType") == "ALLOWANCE" else kind,
                "rate_type": one.get("RateType"),
                "earnings_type": one.get("EarningsType"),
                "type_of_units": one.get("TypeOfUnits"),
                "is_active": one["CurrentRecord"],
            }
            for collection, (key, kind) in KINDS_OF.items()
            for one in self.truth(collection)
        ]
        ids = self._pull("pay_code", rows)
        return {row["name"]: id for row, id in zip(rows, ids, strict=True) if row["is_active"]}

    def _member(self, one: Row) -> Row:
        return {
            "xero_id": one["EmployeeID"],
            "match_state": "linked",
            "first_name": one["FirstName"],
            "last_name": one["LastName"],
            "payroll_calendar_xero_id": one.get("PayrollCalendarID"),
            "ordinary_earnings_rate_xero_id": one.get("OrdinaryEarningsRateID"),
            "status": one["Status"],
            "is_active": one["Status"] == "ACTIVE",
        }

    # -- whom

    def paid_by_the_hour(self, calendar_type: str = "WEEKLY") -> list[str]:
        """Active employees of that calendar with one line for ordinary hours; those with most other lines first."""
        calendar = self.calendar(calendar_type)
        able = [
            one
            for one in self.employees.values()
            if one["Status"] == "ACTIVE"
            and one.get("PayrollCalendarID") == calendar
            and [self.name(line) for line in one["PayTemplate"]["EarningsLines"]].count("Ordinary Hours") == 1
        ]
        able.sort(key=lambda one: -sum(len(one["PayTemplate"][name]) for name in LISTS))
        return [one["EmployeeID"] for one in able]

    def calendar(self, calendar_type: str) -> str:
        return next(key for key, one in self.calendars.items() if one["CalendarType"] == calendar_type)

    def rate(self, name: str) -> str:
        return next(
            one["EarningsRateID"] for one in self.truth("EarningsRates") if one["Name"] == name and one["CurrentRecord"]
        )

    def name(self, line: Row) -> str:
        [row] = self.world.query(
            "SELECT name FROM qicworks.pay_code WHERE connection_id = %s AND xero_id = %s",
            self.connection_id,
            line["EarningsRateID"],
        )
        return str(row["name"])

    # -- pay

    def start_of(self, number: int, calendar_type: str = "WEEKLY") -> date:
        """The first day of the period so many after the one whose draft pay run Xero has at the beginning."""
        calendar = self.calendars[self.calendar(calendar_type)]
        return day(calendar["StartDate"]) + timedelta(DAYS[calendar_type] * number)

    def period(self, number: int = 1, calendar_type: str = "WEEKLY", approved: bool = True) -> UUID:
        start = self.start_of(number, calendar_type)
        return self.insert(
            "pay_period",
            organisation_id=self.organisation_id,
            payroll_calendar_xero_id=self.calendar(calendar_type),
            start_date=start,
            end_date=start + timedelta(DAYS[calendar_type] - 1),
            approved_at=datetime.now(UTC) if approved else None,
        )

    def pay(self, employee: str, period: UUID, *lines: Line, approved: bool = True) -> UUID:
        known = {"organisation_id": self.organisation_id, "pay_period_id": period}
        document = self.insert("payroll_push", **known, staff_id=self.staff[employee])
        for line in lines:
            self.add_line(document, line)
        self.ready("payroll_push", document, approved)
        return document

    def add_line(self, document: UUID, line: Line) -> None:
        self.insert(
            "payroll_line",
            payroll_push_id=document,
            pay_code_id=self.codes[line.code] if line.code else None,
            units=line.units,
            rate=line.rate,
            amount=line.amount,
            source=line.source,
            leave_request_id=line.leave,
        )

    def leave(self, employee: str, first: date, last: date, hours: str = "7.6", **columns: Any) -> UUID:
        approved = columns.pop("approved", True)
        known = {"organisation_id": self.organisation_id, "staff_id": self.staff[employee], "title": "Time off"}
        known |= {"leave_type_id": self.codes["Annual Leave"], "notes": "By the sea"}
        about = {"start_date": first, "end_date": last, "hours": hours}
        document = self.insert("leave_request", **{**known, **about, **columns})
        if approved:
            self.edit("leave_request", document, status="Approved")
        self.ready("leave_request", document, approved)
        return document

    def ready(self, table: str, document: UUID, approved: bool = True) -> None:
        """Approved as it is now, and to be pushed."""
        version = "push_version" if approved else "NULL"
        self.world.query(
            f"UPDATE qicworks.{table} SET approved_version = {version}, push_state = 'ready' WHERE id = %s", document
        )

    def edit(self, table: str, document: UUID, **columns: Any) -> None:
        sets = ", ".join(f"{name} = %s" for name in columns)
        self.world.query(f"UPDATE qicworks.{table} SET {sets} WHERE id = %s", *columns.values(), document)

    def row(self, table: str, document: UUID) -> Row:
        return self.world.query(f"SELECT * FROM qicworks.{table} WHERE id = %s", document)[0]

    def states(self, table: str) -> list[tuple[str, str | None]]:
        rows = self.world.query(f"SELECT push_state, push_error FROM qicworks.{table} ORDER BY created_at, id")
        return [(row["push_state"], row["push_error"]) for row in rows]

    # -- pushing

    def push(self, kind: str, *, quiet: float = 0.0, **how: Any) -> Outcome:
        return push(
            KINDS[kind],
            self.connection_id,
            engine=self.world.engine,
            open_client=opener(self.world.engine, self.world.app, backoff=(0.01, 0.01)),
            origin=Origin(),
            quiet=quiet,
            **how,
        )

    def preview(self, kind: str) -> list[Preview]:
        open_client = opener(self.world.engine, self.world.app, backoff=(0.01, 0.01))
        return list(preview(KINDS[kind], self.connection_id, engine=self.world.engine, open_client=open_client))

    def drain(self, kind: str, runs: int = 8) -> None:
        """Runs until nothing is left to do; what a run raises, the next one has to cope with."""
        for _ in range(runs):
            if not self.left(kind):
                break
            with suppress(XeroError, Skip):
                self.push(kind)
        assert not self.left(kind), f"{kind} are not done after {runs} runs"

    def left(self, kind: str) -> int:
        with kept_session(self.world.engine) as session:
            return Outbox(session, connections.one(session, self.connection_id), KINDS[kind]).something()

    # -- what stands in Xero

    def template(self, employee: str) -> Row:
        found: Row = next(one for one in self.truth("Employees") if one["EmployeeID"] == employee)["PayTemplate"]
        return found

    def earnings(self, employee: str) -> dict[str, Row]:
        """The earnings lines of a template by the names of their rates."""
        return {self.name(line): line for line in self.template(employee)["EarningsLines"]}

    def pay_run(self, act: str, calendar_type: str = "WEEKLY") -> Row:
        """`post` or `draft`, as a payroll officer does in Xero. The run."""
        path = f"organisations/{self.world.sandbox.tenant(self.organisation)}/payruns/{act}"
        done: Row = self.world.sandbox.control("POST", path, {"calendar": self.calendar(calendar_type)})
        return dict(done["payruns"][0])

    def applications(self) -> list[Row]:
        """Leave of QicWorks' in Xero."""
        return [one for one in self.truth("LeaveApplications") if "QicWorks " in one.get("Description", "")]

    def writes(self) -> list[Row]:
        """The POSTs since the calls were last asked for."""
        return [call for call in self.world.calls() if call["method"] != "GET"]


def day(text: str) -> date:
    return datetime.fromtimestamp(int(text[6:].split("+")[0].rstrip(")/")) / 1000, UTC).date()


def units(line: Row) -> Decimal:
    return Decimal(str(line["NormalNumberOfUnits"]))
