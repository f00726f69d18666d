"""Compares a leave request with the leave that it is in Xero, field by field. Without names, titles and notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xero.documents import odd_values
from xero.documents.leave_requests import LeaveDocument, periods
from xero.documents.pay.pay_periods import LENGTHS
from xero.qicworks.follow.differences import hash_of_ids
from xero.sync.push.payroll.leave_applications import REQUESTED, units_by_period

Fields = dict[str, tuple[str, str]]  # field → QicWorks' value and Xero's, as people read them


def differing_fields(document: LeaveDocument, leave: Mapping[str, Any]) -> Fields | None:
    """The fields that differ; None if a value of the request is odd, so it cannot be compared.

    Args:
        leave: A row of `qicworks.leave_application`; `theirs` is its status.
    """
    if any(odd_values.odd(document)):
        return None
    row = document.row
    found: Fields = {}
    if row.employee_xero_id != leave["employee_xero_id"]:
        found["employee"] = ("the employee of the request", "another employee")
    if row.code_xero_id != leave["leave_type_xero_id"]:
        found["leave type"] = (row.code_name or "none", "another leave type")
    for name, ours in (("start_date", row.start_date), ("end_date", row.end_date)):
        if ours != leave[name]:
            found[name.replace("_", " ")] = (ours.isoformat(), str(leave[name]))
    found |= _hours(document, units_by_period({"LeavePeriods": json.loads(leave["content"])}))
    if REQUESTED in (leave["theirs"] or "").split(", "):
        found["approval"] = (row.status, "requested, not approved")
    return found


def ids_behind(document: LeaveDocument, leave: Mapping[str, Any], fields: Fields) -> str:
    """A hash of the ids that differ, which the fields do not show."""
    pairs = {
        "employee": (document.row.employee_xero_id, leave["employee_xero_id"]),
        "leave type": (document.row.code_xero_id, leave["leave_type_xero_id"]),
    }
    return hash_of_ids(str(id) for name, both in pairs.items() if name in fields for id in both)


def _hours(document: LeaveDocument, theirs: Mapping[Any, Decimal]) -> Fields:
    """The hours of each period. Where the periods are not those of the employee's calendar, which may have been changed
    since, the hours of all."""
    row = document.row
    spans = {}
    if row.calendar_type in LENGTHS and row.calendar_start is not None and row.start_date <= row.end_date:
        spans = {share.start: share.units for share in periods(document)}
    if not theirs.keys() <= spans.keys():
        total = sum(theirs.values(), Decimal(0))
        return {} if total == row.hours else {"hours": (_shown(row.hours), _shown(total))}
    return {
        f"hours of the period from {start.isoformat()}": (_shown(ours), _shown(theirs.get(start, Decimal(0))))
        for start, ours in spans.items()
        if theirs.get(start, Decimal(0)) != ours
    }


def _shown(hours: Decimal) -> str:
    return f"{hours.normalize():f}" if hours.is_finite() else "not a number"
