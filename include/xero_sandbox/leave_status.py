"""How leave is approved, rejected and paid, period by period.

A request and the leave that it becomes are two records in Xero: "the new LeaveApplicationID that is returned in the
approval response", and the request's own again once that is rejected (XeroAPI/Xero-OpenAPI, issue 590). The switch
approved_leave_has_new_id says whether it is so here.
"""

from __future__ import annotations

from collections.abc import Collection as Days
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from xero_sandbox.clock import Clock
from xero_sandbox.collection import Record
from xero_sandbox.organisation import Organisation
from xero_sandbox.payroll_values import read_day
from xero_sandbox.settings import Settings
from xero_sandbox.taking_leave import LEAVE_APPLICATIONS, WRONG_PERIOD, statuses


@dataclass(frozen=True, slots=True)
class Turn:
    """From which statuses to which one all periods of a leave go at once, and the words when that cannot be."""

    before: frozenset[str]
    after: str
    refusal: str


APPROVE = Turn(frozenset({"REQUESTED"}), "SCHEDULED", "Only leave that is requested can be approved")
REJECT = Turn(
    frozenset({"REQUESTED", "SCHEDULED"}), "REJECTED", "Only leave that is requested or scheduled can be rejected"
)
NOT_SCHEDULED = "Only leave that is scheduled can be paid"


def turned(organisation: Organisation, settings: Settings, clock: Clock, key: str, turn: Turn) -> Record:
    """The leave after its turn, stamped. ValueError when its status does not allow it, KeyError for an unknown one."""
    collection = organisation.collections[LEAVE_APPLICATIONS.plural]
    leave = collection.rows[key].record
    if not statuses(leave) <= turn.before:
        raise ValueError(turn.refusal)
    leave["LeavePeriods"] = [{**period, "LeavePeriodStatus": turn.after} for period in leave["LeavePeriods"]]
    new_key = _key_after(organisation, settings, key, turn)
    if new_key == key:
        return collection.change(key, {"LeavePeriods": leave["LeavePeriods"]}, clock)
    collection.remove(key)
    leave = {name: value for name, value in leave.items() if name != "UpdatedDateUTC"}
    return collection.add({**leave, "LeaveApplicationID": new_key}, clock)


def _key_after(organisation: Organisation, settings: Settings, key: str, turn: Turn) -> str:
    if turn is APPROVE and settings.approved_leave_has_new_id:
        new_key = str(uuid4())
        organisation.leave_requests[new_key] = key
        return new_key
    return organisation.leave_requests.pop(key, key) if turn is REJECT else key


def paid(leave: Record, starts: Days[date] | None = None) -> list[Record]:
    """The periods of a leave once those that begin on these days are paid; all that are scheduled unless given.
    ValueError when one of them is not scheduled, or there is none."""
    scheduled = {
        read_day(period["PayPeriodStartDate"])
        for period in leave["LeavePeriods"]
        if period["LeavePeriodStatus"] == "SCHEDULED"
    }
    chosen = scheduled if starts is None else set(starts)
    if not chosen <= {read_day(period["PayPeriodStartDate"]) for period in leave["LeavePeriods"]}:
        raise ValueError(WRONG_PERIOD)
    if not chosen or not chosen <= scheduled:
        raise ValueError(NOT_SCHEDULED)
    return [
        {**period, "LeavePeriodStatus": "PROCESSED"} if read_day(period["PayPeriodStartDate"]) in chosen else period
        for period in leave["LeavePeriods"]
    ]
