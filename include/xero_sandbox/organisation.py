"""An organisation: its own record and its collections."""

from __future__ import annotations

from dataclasses import dataclass

from xero_sandbox.collection import Collection, Record


@dataclass(slots=True)
class Organisation:
    tenant_id: str
    record: Record  # as GET /Organisation shows it
    collections: dict[str, Collection]  # by plural
    payroll: bool  # whether it has bought payroll

    @property
    def name(self) -> str:
        return str(self.record["Name"])
