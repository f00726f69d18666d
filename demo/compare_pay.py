"""Compares pay templates and leave in Xero with what QicWorks approved; the rest of each template must be unchanged."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from demo.colleagues import Colleagues
from demo.compare import day, failed
from demo.documents import Connection
from demo.pay import Placed
from demo.pay_samples import Leave, Pay, totals
from demo.place import Place

ROW = SQL("SELECT * FROM qicworks.{} WHERE id = %s")
EARNINGS = "EarningsLines"


def templates(place: Place) -> Path:
    """The file with the pay templates as they were before the first push."""
    return place.home / "templates.json"


def remember(place: Place, placed: list[Placed]) -> None:
    """Saves the pay templates before the first push."""
    with Colleagues(place) as xero:
        people = {one.employee: one.tenant for one in placed}
        found = {str(key): employee(xero, tenant, str(key))["PayTemplate"] for key, tenant in people.items()}
    templates(place).write_text(json.dumps(found))


def differences(place: Place, placed: list[Placed]) -> list[str]:
    """Lists what differs from the samples."""
    assert placed, "nothing to compare proves nothing"
    before = json.loads(templates(place).read_text())
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection, Colleagues(place) as xero:
        return [
            f"{one.organisation}, {one.name}: {says}"
            for one in placed
            for says in wrong(connection, xero, one, before[str(one.employee)])
        ]


def wrong(connection: Connection, xero: Colleagues, placed: Placed, before: Mapping[str, Any]) -> Iterator[str]:
    sample = placed.sample
    row = connection.execute(ROW.format(Identifier(placed.table)), (placed.id,)).fetchone()
    assert row, "the demo wrote it"
    if sample.error:
        yield from failed(row, sample.error, sample.correction or "")
    elif row["push_state"] != "pushed":
        yield f"it is {row['push_state']}: {row['push_error']} {row['push_correction']}"
    if isinstance(sample, Pay):
        template = employee(xero, placed.tenant, str(placed.employee))["PayTemplate"]
        rates = {rate["EarningsRateID"]: rate for rate in xero.ask(f"/{placed.tenant}/EarningsRates")}
        yield from unlike_template(sample, before, template, rates)
    else:
        yield from unlike_leave(placed, sample, row, xero)


def unlike_template(
    pay: Pay, before: Mapping[str, Any], after: Mapping[str, Any], rates: Mapping[str, Any]
) -> Iterator[str]:
    """Compares QicWorks' lines with what was approved, and all other lines and lists with what they were."""
    wanted = {} if pay.error else totals(pay)

    def others(template: Mapping[str, Any]) -> list[str]:
        lines = [line for line in template[EARNINGS] if rates[line["EarningsRateID"]]["Name"] not in wanted]
        return sorted(json.dumps(line, sort_keys=True) for line in lines)

    if others(before) != others(after):
        yield f"other earnings lines are {others(after)}, were {others(before)}"
    for name in before:
        if name != EARNINGS and before[name] != after.get(name):
            yield f"{name} are {after.get(name)}, were {before[name]}"
    for name, quantity in wanted.items():
        lines = [line for line in after[EARNINGS] if rates[line["EarningsRateID"]]["Name"] == name]
        paid = [Decimal(str(line.get("NormalNumberOfUnits") or line.get("FixedAmount") or 0)) for line in lines]
        if paid != [quantity]:
            yield f"'{name}' has {[str(one) for one in paid]} in the pay template, {quantity} was approved"


def unlike_leave(placed: Placed, leave: Leave, row: Mapping[str, Any], xero: Colleagues) -> Iterator[str]:
    """Compares a leave application: exists once, with its hours in the pay periods that it covers."""
    found = [
        application
        for application in xero.ask(f"/{placed.tenant}/LeaveApplications")
        if application["EmployeeID"] == str(placed.employee)
        and str(placed.id) in (application.get("Description") or "")
    ]
    if len(found) != (0 if leave.error else 1):
        yield f"it exists {len(found)} times in Xero"
    for application in [] if leave.error else found:
        periods = application["LeavePeriods"]
        days = (day(application["StartDate"]), day(application["EndDate"]))
        if days != (row["start_date"].isoformat(), row["end_date"].isoformat()):
            yield f"it is from {days[0]} to {days[1]} in Xero"
        if sum(Decimal(str(period["NumberOfUnits"])) for period in periods) != row["hours"]:
            yield f"{periods} in Xero are not {row['hours']} hours"
        if {period["LeavePeriodStatus"] for period in periods} != {"SCHEDULED"}:
            yield f"its periods are {periods}"
        if len(periods) != (2 if leave.first_day < 0 else 1):
            yield f"it is in {len(periods)} pay periods"


def employee(xero: Colleagues, tenant: str, key: str) -> dict[str, Any]:
    [found] = [one for one in xero.ask(f"/{tenant}/Employees") if one["EmployeeID"] == key]
    return dict(found)
