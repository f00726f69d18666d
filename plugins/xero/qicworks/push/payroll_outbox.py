"""Reads pay and leave that wait to be pushed, and pay that has to be taken out of pay templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from xero.documents.declaration import Document
from xero.documents.leave_requests import LeaveDocument, LeaveRow
from xero.documents.payroll import PayDocument, PayLine, PayRow
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push import rows
from xero.qicworks.texts import fit

PAYROLL = sql.Statements("push/payroll")
LEAVE = sql.Statements("push/leave_requests")


@dataclass(frozen=True)
class Unmentioned:
    """An employee whose pay template still pays the period from `paid_start`, and who has no pay in a later one."""

    staff_id: UUID
    employee: UUID
    pay_period_id: UUID
    paid_start: date
    paid_calendar: UUID


@dataclass(frozen=True)
class Withdrawn:
    """An employee whose pay template still has pay that was withdrawn in QicWorks."""

    employee: UUID
    paid_start: date
    paid_calendar: UUID


class PayOutbox:
    """The pay of one connection's employees."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self.session = session
        self.connection = connection

    def read(self, ids: Sequence[UUID]) -> list[PayDocument]:
        """With their lines, the oldest period first."""
        asked = {"ids": list(ids), "connection_id": self.connection.id}
        lines: dict[UUID, list[PayLine]] = {}
        for line in rows.read(self.session, sql.template("push/payroll", "lines"), PayLine, **asked):
            lines.setdefault(line.payroll_push_id, []).append(line)
        found = rows.read(self.session, sql.template("push/payroll", "documents"), PayRow, **asked)
        return [Document(row, tuple(lines.get(row.id, ()))) for row in found]

    def version(self, id: UUID) -> int:
        version: int = PAYROLL.version(self.session, id=id)
        return version

    def pulled(self, employee: UUID) -> set[str]:
        """The kinds of lines that the pay template had when staff were pulled."""
        pulled = PAYROLL.pulled(self.session, connection_id=self.connection.id, employee=employee)
        return {row["kind"] for row in pulled}

    def unmentioned(self) -> list[Unmentioned]:
        return [Unmentioned(**row) for row in PAYROLL.unmentioned(self.session, connection_id=self.connection.id)]

    def withdrawn(self) -> list[Withdrawn]:
        return [Withdrawn(**row) for row in PAYROLL.withdrawn(self.session, connection_id=self.connection.id)]

    def mention(self, one: Unmentioned) -> None:
        PAYROLL.mention(
            self.session,
            connection_id=self.connection.id,
            pay_period_id=one.pay_period_id,
            staff_id=one.staff_id,
        )


class LeaveOutbox:
    """The leave requests of one connection's employees."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self.session = session
        self.connection = connection

    def read(self, ids: Sequence[UUID]) -> list[LeaveDocument]:
        statement = sql.template("push/leave_requests", "documents")
        asked = {"ids": list(ids), "connection_id": self.connection.id}
        return [Document(row) for row in rows.read(self.session, statement, LeaveRow, **asked)]

    def version(self, id: UUID) -> int:
        version: int = LEAVE.version(self.session, id=id)
        return version

    def keep_id(self, id: UUID, xero_id: UUID, status: str | None) -> None:
        LEAVE.keep_id(self.session, id=id, xero_id=xero_id, xero_status=fit(status, 100))

    def owned_by_others(self, id: UUID, xero_ids: Sequence[UUID]) -> set[UUID]:
        """Those leave applications that another leave request is linked to."""
        asked = {"organisation_id": self.connection.organisation_id, "xero_ids": list(xero_ids), "id": id}
        return {row["xero_id"] for row in LEAVE.owned(self.session, **asked)}
