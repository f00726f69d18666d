"""Reads leave applications from Xero, and compares them with what was sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, OutOfBounds, Refused, RetryLater, cleaned
from xero.api.page import Page
from xero.api.paging import pages
from xero.documents.declaration import Json, Record

log = logging.getLogger(__name__)

PATH = "/payroll.xro/1.0/LeaveApplications"
PAGE_SIZE = 100
REJECTED = "REJECTED"
REQUESTED = "REQUESTED"
SCHEDULED = "SCHEDULED"
WORDS = ("Description", "EmployeeID", "LeaveTypeID")


@dataclass(frozen=True)
class Listed:
    """`whole`: includes leave that is only requested, or rejected."""

    records: list[Record]
    whole: bool


def records(data: Any) -> list[Record]:
    found = data.get("LeaveApplications") if isinstance(data, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def fetch_all_leave(client: XeroClient) -> Listed:
    """All that Xero lists."""
    try:
        return Listed(_listed(client, f"{PATH}/v2"), True)
    except OutOfBounds:
        raise
    except (Refused, BadAnswer, RetryLater) as error:
        if isinstance(error, RetryLater) and error.limit != "outage":
            raise
        log.warning("Xero lists only approved leave: %s", error.message)
    return Listed(_listed(client, PATH), False)


def _listed(client: XeroClient, path: str) -> list[Record]:
    def fetch(number: int) -> Page:
        answer = client.get(path, params={"page": number})
        if not isinstance(answer.data, dict) or not _can_be_told(answer.data.get("LeaveApplications")):
            raise BadAnswer(
                "Xero's response is not a list of leave.",
                "Nothing was pushed. Push again; if it keeps failing, contact QicWorks support.",
            )
        page = Page.of(answer, records(answer.data))
        return msgspec.structs.replace(page, page_count=None)  # payroll announces none

    found: dict[UUID | None, Record] = {}
    for page in pages(fetch, id_of, path, full_size=PAGE_SIZE):
        found = {id_of(one): one for one in page.rows} | found
    return list(found.values())


def _can_be_told(found: Any) -> bool:
    """Whether it is a list of leave that can all be identified: leave that cannot be read must not count as missing."""
    return isinstance(found, list) and all(
        isinstance(one, dict)
        and id_of(one) is not None
        and all(one.get(name) is None or isinstance(one[name], str) for name in WORDS)
        for one in found
    )


def fetch_leave(client: XeroClient, id: UUID) -> Record:
    """As it is now. Raises Refused where there is none."""
    found = records(client.get(f"{PATH}/{id}").data)
    if len(found) != 1 or id_of(found[0]) != id:
        raise BadAnswer(
            "Xero's response is not about the leave application that was asked for.",
            "Nothing was pushed. Push again; if it keeps failing, contact QicWorks support.",
        )
    return found[0]


def id_of(record: Record) -> UUID | None:
    try:
        found = wire.uuid(record.get("LeaveApplicationID"))
    except ValueError:
        return None
    return found if found and found.int else None


def statuses(record: Record) -> list[str]:
    """Of its periods, each once, as words fit for a page."""
    return sorted({cleaned(period.get("LeavePeriodStatus"))[:50] for period in _periods(record)})


def is_ours(identity: Json, record: Record) -> bool:
    """Whether it ends with our reference, which no other leave does."""
    return str(record.get("Description") or "").rstrip().casefold().endswith(identity["reference"].casefold())


def is_alike(identity: Json, record: Record) -> bool:
    """Whether it is of the same employee, type and days."""
    same = all(str(record.get(name)).lower() == str(identity[name]).lower() for name in ("EmployeeID", "LeaveTypeID"))
    return same and is_of_the_days(identity, record)


def is_of_the_days(identity: Json, record: Record) -> bool:
    return all(_day(record.get(name)) == date.fromisoformat(identity[name]) for name in ("StartDate", "EndDate"))


def is_what_was_sent(payload: Json, record: Record) -> bool:
    """Employee, type, days, and the units of each period; one without any may be left out."""
    return is_alike(payload, record) and units_by_period(payload) == units_by_period(record)


def units_by_period(leave: Record) -> dict[date | None, Decimal]:
    """The units of each pay period that has some, by its first day. What cannot be read is NaN: equal to none."""
    return dict(_units(leave))


def _units(leave: Record) -> Iterator[tuple[date | None, Decimal]]:
    for period in _periods(leave):
        try:
            units = wire.number(period.get("NumberOfUnits"))
        except ValueError:
            units = Decimal("NaN")
        if units is None or units != 0:
            yield _day(period.get("PayPeriodStartDate")), units or Decimal(0)


def _periods(leave: Record) -> list[Record]:
    found = leave.get("LeavePeriods")
    return [period for period in found if isinstance(period, dict)] if isinstance(found, list) else []


def _day(value: Any) -> date | None:
    try:
        return wire.date(value)
    except ValueError:
        return None
