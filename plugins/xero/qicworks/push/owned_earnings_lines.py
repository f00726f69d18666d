"""Which earnings lines of Xero's pay templates QicWorks has set, and at which rates: this decides what Xero pays.

All lines of an employee are sealed together: no one without the keys can change, add or remove one.
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
    """The lines of one connection's employees. Writes belong in the transaction of the request that they are about."""

    def __init__(self, session: Session, connection: Connection, seals: Seals) -> None:
        self.session = session
        self.connection = connection
        self.seals = seals

    def of(self, employee: UUID) -> list[OwnedEarningsLine] | None:
        """The lines of an employee; None if the seal does not match, so none of them can be trusted."""
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
        """The employees whose seal does not match."""
        rows = QUERIES.lines(self.session, connection_id=self.connection.id, employee=None)
        by_employee = groupby(rows, lambda row: row["employee_xero_id"])
        return [employee for employee, own in by_employee if not self._fits(employee, list(own))]

    # -- writing

    def claim(self, document: PayDocument, lines: Iterable[OwnedEarningsLine]) -> bool:
        """Marks lines as QicWorks' before they are sent. Known lines keep their period until Xero accepts it.

        Returns:
            False, and nothing is marked, if the seal does not match.
        """
        employee = document.row.employee
        held = self._locked(employee)
        if not self._fits(employee, held.values()):
            return False
        for line in lines:
            self._write_as_it_was(document, held, line)
        self._seal(employee, held)
        return True

    def own(self, document: PayDocument, lines: Iterable[OwnedEarningsLine]) -> bool:
        """Marks lines as accepted by Xero. If the seal did not match before, writes none and returns False."""
        employee = document.row.employee
        held = self._locked(employee)
        fits = self._fits(employee, held.values())
        for line in lines:
            self._write(employee, held, line, document.row.pay_period_id, line.empty)
        if fits:
            self._seal(employee, held)
        return fits

    def disclaim(self, document: PayDocument, new: Collection[UUID], before: Iterable[OwnedEarningsLine]) -> None:
        """Undoes `claim` after a refusal: releases the `new` lines, and restores the others."""
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
        """Writes its rates; a line that was QicWorks' before keeps its period and whether it is empty."""
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
        """Seals what was read under the lock and written since, not what others may have added in the meantime."""
        seal = self.seals.seal(self._facts(employee, held.values()), datetime.now(UTC))
        QUERIES.seal_lines(self.session, connection_id=self.connection.id, employee=employee, seal=seal)

    def _fits(self, employee: UUID, rows: Collection[dict[str, Any]]) -> bool:
        """Whether the seal matches. Lines that were last written before there were seals need none."""
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
