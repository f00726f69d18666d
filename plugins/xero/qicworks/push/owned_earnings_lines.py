"""Which earnings lines of Xero's pay templates are QicWorks': what is known of them decides what Xero pays.

All lines of an employee are sealed together: nobody without the keys can change one, add one or leave one out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from xero.documents.declaration import Json
from xero.documents.payroll import PayDocument
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session

QUERIES = sql.Statements("push/owned_lines")

Rows = dict[UUID, dict[str, Any]]  # of one employee, by earnings rate


@dataclass(frozen=True)
class OwnedEarningsLine:
    """An earnings line of a pay template that QicWorks has set.

    `rates` are those that QicWorks gave it, `before` what it was calculated by until then; without any it has its own.
    """

    earnings_rate: UUID
    name: str
    fixed: bool  # an amount, not units
    empty: bool
    rates: tuple[Decimal, ...] = ()
    before: Json | None = None
    period_start: date | None = None
    period_calendar: UUID | None = None


class OwnedLines:
    """Those of one connection's employees. What writes belongs into a transaction with the request that it is of."""

    def __init__(self, session: Session, connection: Connection, seals: Seals) -> None:
        self.session = session
        self.connection = connection
        self.seals = seals

    def of(self, employee: UUID) -> list[OwnedEarningsLine] | None:
        """None where the seal does not fit: then nothing that is known of them may be believed."""
        rows = list(QUERIES.lines(self.session, connection_id=self.connection.id, employee=employee))
        if not self._fits(employee, rows):
            return None
        return [
            OwnedEarningsLine(
                earnings_rate=row["earnings_rate_xero_id"],
                rates=tuple(row["rates"]),
                **{name: row[name] for name in ("name", "fixed", "empty", "before", "period_start", "period_calendar")},
            )
            for row in rows
            if not row["disclaimed"]
        ]

    def unsealed(self) -> list[UUID]:
        """The employees whose seal does not fit."""
        rows = QUERIES.lines(self.session, connection_id=self.connection.id, employee=None)
        by_employee = groupby(rows, lambda row: row["employee_xero_id"])
        return [employee for employee, own in by_employee if not self._fits(employee, list(own))]

    # -- writing

    def claim(self, document: PayDocument, lines: Iterable[OwnedEarningsLine]) -> bool:
        """Before they are sent: from here on they are QicWorks'. Those that were before keep their period until the new
        one stands in Xero. False, and nothing is claimed, where the seal does not fit."""
        employee = document.row.employee
        held = self._locked(employee)
        if not self._fits(employee, held.values()):
            return False
        for line in lines:
            self._write_as_it_was(document, held, line)
        self._seal(employee, held)
        return True

    def own(self, document: PayDocument, lines: Iterable[OwnedEarningsLine]) -> bool:
        """They stand in Xero. Where the seal did not fit before, there is none now, and False is returned."""
        employee = document.row.employee
        held = self._locked(employee)
        fits = self._fits(employee, held.values())
        for line in lines:
            self._write(employee, held, line, document.row.pay_period_id, line.empty)
        if fits:
            self._seal(employee, held)
        return fits

    def disclaim(self, document: PayDocument, new: Collection[UUID], before: Iterable[OwnedEarningsLine]) -> None:
        """Xero refused: `new` are not QicWorks', and the others are what they were."""
        employee = document.row.employee
        held = self._locked(employee)
        fits = self._fits(employee, held.values())
        for earnings_rate in new:
            line = OwnedEarningsLine(earnings_rate, "", fixed=False, empty=True)
            self._write(employee, held, line, document.row.pay_period_id, empty=True, disclaimed=True)
        for line in before:
            self._write_as_it_was(document, held, line)
        if fits:
            self._seal(employee, held)

    def _locked(self, employee: UUID) -> Rows:
        rows = QUERIES.locked_lines(self.session, connection_id=self.connection.id, employee=employee)
        return {row["earnings_rate_xero_id"]: row for row in rows}

    def _write_as_it_was(self, document: PayDocument, held: Rows, line: OwnedEarningsLine) -> None:
        """Its rates; of a line that is QicWorks' already neither the period nor whether it is empty."""
        row = held.get(line.earnings_rate)
        if row and not row["disclaimed"]:
            period, empty = row["pay_period_id"], row["empty"]
        else:
            period, empty = document.row.pay_period_id, False
        self._write(document.row.employee, held, line, period, empty)

    def _write(
        self,
        employee: UUID,
        held: Rows,
        line: OwnedEarningsLine,
        pay_period_id: UUID,
        empty: bool,
        *,
        disclaimed: bool = False,
    ) -> None:
        before = None if line.before is None else Jsonb({name: str(value) for name, value in line.before.items()})
        held[line.earnings_rate] = QUERIES.write_line(
            self.session,
            connection_id=self.connection.id,
            employee=employee,
            earnings_rate=line.earnings_rate,
            pay_period_id=pay_period_id,
            empty=empty,
            rates=list(line.rates),
            before=before,
            disclaimed=disclaimed,
        )

    # -- the seal

    def _seal(self, employee: UUID, held: Rows) -> None:
        """What was read under the lock and what was written since, not what others may have added meanwhile."""
        seal = self.seals.seal(self._facts(employee, held.values()), datetime.now(UTC))
        QUERIES.seal_lines(self.session, connection_id=self.connection.id, employee=employee, seal=seal)

    def _fits(self, employee: UUID, rows: Collection[dict[str, Any]]) -> bool:
        """Where nothing was written since there are seals, none is needed."""
        if all(row["written"] is None for row in rows):
            return True
        facts = self._facts(employee, rows)
        return any(self.seals.made_at(bytes(seal), facts) for seal in {row["seal"] for row in rows} if seal)

    def _facts(self, employee: UUID, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
        lines = [
            {
                "earnings_rate": str(row["earnings_rate_xero_id"]),
                "pay_period": str(row["pay_period_id"]),
                "rates": [str(rate) for rate in row["rates"]],
                **{name: row[name] for name in ("empty", "before", "disclaimed", "written")},
            }
            for row in rows
        ]
        return {
            "table": "xero_sync.owned_earnings_line",
            "connection": str(self.connection.id),
            "tenant": self.connection.tenant_id,
            "employee": str(employee),
            "lines": sorted(lines, key=lambda line: line["earnings_rate"]),
        }
