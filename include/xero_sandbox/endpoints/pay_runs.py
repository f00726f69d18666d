"""Payroll calendars, pay runs (with their payslips by id only) and the payroll settings."""

from __future__ import annotations

from typing import Any

from xero_sandbox.collection import Kind, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.pay_runs import calendars as made_up_calendars
from xero_sandbox.data.pay_runs import pay_runs as made_up_pay_runs
from xero_sandbox.endpoints.calling import Call, framed
from xero_sandbox.endpoints.listing import listed, select, single
from xero_sandbox.endpoints.payroll import answer, found, hundred, payroll_get
from xero_sandbox.wire import Reply, encode

CALENDARS = Kind("PayrollCalendars", "PayrollCalendarID", "CalendarType")
PAY_RUNS = Kind("PayRuns", "PayRunID", "PayRunStatus", name="PayslipMessage")

#: What of a payslip comes in the control API only.
NOT_IN_SUMMARY = ("LeaveEarnings", "LeaveEarningsLines")
#: What the accounts of payroll are for, by their codes in the chart.
ACCOUNTS = {
    "091": "BANK",
    "477": "WAGESEXPENSE",
    "478": "SUPERANNUATIONEXPENSE",
    "804": "WAGESPAYABLELIABILITY",
    "825": "PAYGLIABILITY",
}


def calendars(call: Call) -> Reply:
    collection = call.organisation.collections["PayrollCalendars"]
    return listed(call, collection, [row.body for row in hundred(call, select(call, collection))])


def calendar(call: Call) -> Reply:
    return single(call, call.organisation.collections["PayrollCalendars"])


def pay_runs(call: Call) -> Reply:
    collection = call.organisation.collections["PayRuns"]
    return listed(call, collection, [_without_payslips(row) for row in hundred(call, select(call, collection))])


def _without_payslips(row: Row) -> bytes:
    return encode({name: value for name, value in row.record.items() if name != "Payslips"})


def pay_run(call: Call) -> Reply:
    """With its payslips, of which Xero tells the sums, not the leave."""
    collection = call.organisation.collections["PayRuns"]
    run = found(call, collection).record
    run["Payslips"] = [{name: slip[name] for name in slip if name not in NOT_IN_SUMMARY} for slip in run["Payslips"]]
    return answer(call, collection, [run])


def settings(call: Call) -> Reply:
    collections = call.organisation.collections
    accounts = {row.record.get("Code"): row.record for row in collections["Accounts"].by_key()}
    categories = [row.record for row in collections["TrackingCategories"].by_key() if row.status == "ACTIVE"]
    body = {
        "Accounts": [
            {"AccountID": accounts[code]["AccountID"], "Type": kind, "Code": code, "Name": accounts[code]["Name"]}
            for code, kind in ACCOUNTS.items()
            if code in accounts
        ],
        "TrackingCategories": {
            use: _category(category)
            for use, category in zip(("EmployeeGroups", "TimesheetCategories"), categories, strict=False)
        },
        "DaysInPayrollYear": "364",  # text, as Xero sends it
        "EmployeesAreSTP2": True,
    }
    return framed(call, "Settings", encode(body))


def _category(category: dict[str, Any]) -> dict[str, Any]:
    return {"TrackingCategoryID": category["TrackingCategoryID"], "TrackingCategoryName": category["Name"]}


COLLECTIONS: Collections = ((CALENDARS, made_up_calendars), (PAY_RUNS, made_up_pay_runs))
ENDPOINTS = (
    payroll_get("/PayrollCalendars", calendars, "payroll.settings"),
    payroll_get("/PayrollCalendars/{id}", calendar, "payroll.settings"),
    payroll_get("/PayRuns", pay_runs, "payroll.payruns"),
    payroll_get("/PayRuns/{id}", pay_run, "payroll.payruns"),
    payroll_get("/Settings", settings, "payroll.settings"),
)
