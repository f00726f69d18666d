"""The employee that pay or leave is of, and the payroll calendar that decides its pay periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from xero.documents.declaration import DocumentRow


@dataclass(frozen=True, kw_only=True)
class EmployeeRow(DocumentRow):
    """What the statements of pay and of leave both return."""

    employee_xero_id: UUID | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    mobile: str | None
    staff_title: str | None
    job_title: str | None
    staff_is_active: bool
    staff_is_here: bool | None
    calendar_xero_id: UUID | None
    calendar_type: str | None
    calendar_start: date | None  # the first day of one of its periods

    @property
    def employee(self) -> UUID:
        """The employee's id in Xero, of a document that was checked."""
        assert self.employee_xero_id, "the employee of a document that was checked is in Xero"
        return self.employee_xero_id
