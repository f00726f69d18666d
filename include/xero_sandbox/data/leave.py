"""Leave applications: asked for, refused, planned and taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from xero_sandbox.data.contacts import update_times
from xero_sandbox.data.firms import Books
from xero_sandbox.data.pay_runs import days, read_date, wire_date

#: The status of each pay period that a leave stretches over; the applications take turns.
COURSES = (("SCHEDULED",), ("PROCESSED",), ("REQUESTED",), ("REJECTED",), ("PROCESSED", "SCHEDULED"))
TITLES = ("Annual leave", "Fishing 🎣", "School holidays", "Dentist", "Mum's 70th – Château trip")


def leave_applications(books: Books) -> Iterator[tuple[int, dict[str, Any]]]:
    """About one for each employee with a calendar and leave."""
    dice = books.dice("leave")
    calendars = {row.key: row.record for row in books.collection("PayrollCalendars").by_key()}
    takers = [
        employee
        for employee in (row.record for row in books.collection("Employees").by_updated())
        if employee["LeaveBalances"] and "PayrollCalendarID" in employee
    ]
    for number, (updated_ms, employee) in enumerate(zip(update_times(dice, len(takers), 0), takers, strict=True)):
        calendar, course = calendars[employee["PayrollCalendarID"]], COURSES[number % len(COURSES)]
        length = days(calendar["CalendarType"])
        past = course[0] == "PROCESSED"  # a period that has been paid lies behind
        first = read_date(calendar["StartDate"]) + timedelta(length * (-1 if past else 2))
        starts = [first + timedelta(length * rank) for rank in range(len(course))]
        application = {
            "LeaveApplicationID": dice.uuid(),
            "EmployeeID": employee["EmployeeID"],
            "LeaveTypeID": dice.choice(employee["LeaveBalances"])["LeaveTypeID"],
            "LeavePeriods": [
                {
                    "PayPeriodStartDate": wire_date(start),
                    "PayPeriodEndDate": wire_date(start + timedelta(length - 1)),
                    "LeavePeriodStatus": status,
                    "NumberOfUnits": Decimal(dice.choice(("7.6", "15.2", "3.8"))),
                }
                for start, status in zip(starts, course, strict=True)
            ],
            "Title": dice.choice(TITLES),
            "StartDate": wire_date(starts[0] + timedelta(length - 2)),
            "EndDate": wire_date(starts[-1] + timedelta(length - 1)),
            "PayOutType": "CASHED_OUT" if dice.chance(0.1) else "DEFAULT",
        }
        if dice.chance(0.3):
            application["Description"] = "As talked about with the boss"
        yield updated_ms, application
