"""Reads an employee from Xero's payroll, and checks what has changed since staff were pulled."""

from collections.abc import Iterator
from uuid import UUID

from xero.api.client import XeroClient
from xero.api.errors import BadAnswer
from xero.documents.declaration import CheckResult, Record
from xero.documents.pay.employee import EmployeeRow
from xero.documents.payroll import PayRow

PATH = "/payroll.xro/1.0/Employees"


def fetch_employee(client: XeroClient, id: UUID) -> Record:
    """As Xero has them now. Raises Refused where it has none."""
    data = client.get(f"{PATH}/{id}").data
    records = data.get("Employees") if isinstance(data, dict) else None
    record = records[0] if isinstance(records, list) and len(records) == 1 else None
    if not isinstance(record, dict) or str(record.get("EmployeeID")).lower() != str(id):
        raise BadAnswer(
            "Xero's response is not about the employee that was asked for.",
            "Nothing was pushed. Push again; if it keeps failing, contact QicWorks support.",
        )
    return record


def fetch_pay_template(client: XeroClient, id: UUID) -> Record:
    """The pay template of an employee; nothing where none can be read."""
    found = fetch_employee(client, id).get("PayTemplate")
    return found if isinstance(found, dict) else {}


def as_it_is_now(employee: Record, row: PayRow) -> Iterator[CheckResult]:
    """What has changed in Xero since staff were pulled."""
    yield from is_another_person(employee, row)
    if employee.get("Status") == "TERMINATED":
        yield CheckResult(
            "its employee is terminated in Xero", "Pay what is due in Xero by hand, and pull staff ({pull_staff})."
        )
    calendar = employee.get("PayrollCalendarID")
    if calendar is None or str(calendar).lower() != str(row.period_calendar):
        yield CheckResult(
            "its employee is no longer paid with this pay period's calendar in Xero",
            "Pull staff ({pull_staff}). Then move the {document} to a pay period of the employee's calendar.",
            "approve",
        )


def is_another_person(employee: Record, row: EmployeeRow) -> Iterator[CheckResult]:
    """Refuses an employee who has neither the name nor the e-mail of the QicWorks staff member: either may change."""
    if not _is_the_same(employee, row):
        yield CheckResult(
            "both the name and the email of its employee in Xero differ from QicWorks",
            "Pull staff ({pull_staff}). Check whose the {document} is; if it is another person's, correct the staff "
            "member in QicWorks or in Xero.",
            "retry",
        )


def _is_the_same(employee: Record, row: EmployeeRow) -> bool:
    def known(*words: object) -> str:
        return " ".join(" ".join(str(word or "").split()) for word in words).strip().casefold()

    names = known(employee.get("FirstName"), employee.get("LastName")), known(row.first_name, row.last_name)
    emails = known(employee.get("Email")), known(row.email)
    return names[0] == names[1] or (emails[0] != "" and emails[0] == emails[1])
