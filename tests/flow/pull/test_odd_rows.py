"""Odd values and odd stamps: each row by itself, the rest loads, and what is loaded is said to be so."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.employees import add_member, employ, members
from tests.support.reconciling import compare
from tests.support.world import World

ZERO = "/Date(-62135596800000+0000)/"


def stamp(**ago: float) -> str:
    moment = datetime.now(UTC) - timedelta(**ago)
    return f"/Date({int(moment.timestamp() * 1000)}+0000)/"


def put(world: World, collection: str, key: str, **fields: Any) -> None:
    path = f"organisations/{world.sandbox.tenant()}/{collection}/{key}"
    world.sandbox.control("PATCH", path, {"_touch": False, **fields})


@pytest.mark.parametrize("date", ["/Date(0+0000)/", "/Date(7258118400000+0000)/", ZERO])
def test_a_calendar_that_is_never_paid_holds_back_no_pay_code(world: World, date: str) -> None:
    for calendar in world.sandbox.truth("PayrollCalendars"):
        put(world, "PayrollCalendars", calendar["PayrollCalendarID"], PaymentDate=date)
    outcome = world.pull("pay_codes")
    assert outcome.status in ("success", "warning")
    assert len(world.rows("payroll_calendar")) == len(world.sandbox.truth("PayrollCalendars"))
    assert world.rows("pay_code")


@pytest.mark.parametrize(
    ("sent", "kept"), [("26.315789", "26.3158"), ("-0.00004", "0.0000"), (26.31575, "26.3158"), ("1.00005", "1.0000")]
)
def test_more_decimals_than_are_kept_are_rounded_and_said(world: World, sent: Any, kept: str) -> None:
    rate = next(one for one in world.sandbox.truth("EarningsRates") if one["EarningsType"] != "ALLOWANCE")
    put(world, "EarningsRates", rate["EarningsRateID"], RatePerUnit=sent)
    outcome = world.pull("pay_codes")
    assert world.rows("pay_code")[rate["EarningsRateID"]]["rate_per_unit"] == Decimal(kept)
    assert (outcome.status, outcome.counts.rejected) == ("warning", 0)
    assert "rate_per_unit have more decimals" in outcome.message


def test_what_has_too_many_digits_is_rejected_for_that(world: World) -> None:
    rate = world.sandbox.truth("EarningsRates")[0]["EarningsRateID"]
    put(world, "EarningsRates", rate, RatePerUnit="12345678901234567.5")
    assert world.pull("pay_codes").counts.rejected == 1
    [rejection] = world.query("SELECT reasons FROM xero_sync.rejection")
    assert "digits before the point" in rejection["reasons"][0]


@pytest.mark.parametrize("which", ["all", "one"])
def test_no_reading_starts_before_xero_s_calendar(world: World, which: str) -> None:
    contacts = world.sandbox.truth("Contacts")
    for contact in contacts if which == "all" else contacts[:1]:
        put(world, "Contacts", contact["ContactID"], UpdatedDateUTC=ZERO)
    for full in (False, False, True):
        outcome = world.pull("contacts", full=full)
        assert outcome.status in ("success", "warning")
        assert len(world.rows("contact")) == len(contacts)
    asked = [call["headers"].get("if-modified-since", "2026") for call in world.calls()]
    assert min(asked) > "1753"


@pytest.mark.parametrize("ahead", [{"hours": -3}, {"days": -30}])
def test_a_stamp_that_was_ahead_is_seen_and_mended_by_a_full_refresh(world: World, ahead: dict[str, float]) -> None:
    contact = world.sandbox.truth("Contacts")[0]["ContactID"]
    put(world, "Contacts", contact, UpdatedDateUTC=stamp(**ahead), Name="Stamped ahead")
    world.pull("contacts")
    assert world.rows("contact")[contact]["name"] == "Stamped ahead"
    put(world, "Contacts", contact, UpdatedDateUTC=stamp(seconds=1), Name="As it is", ContactStatus="ARCHIVED")
    world.pull("contacts")
    compare(world)
    said = world.query("SELECT message FROM xero_sync.connection_event WHERE starts_with(message, 'reconcile:')")
    assert any("newer here than anything in Xero" in one["message"] for one in said)
    world.pull("contacts", full=True)
    row = world.rows("contact")[contact]
    assert (row["name"], row["is_active"]) == ("As it is", False)


def test_a_clock_of_xero_s_behind_what_was_read_is_said(world: World) -> None:
    world.pull("contacts")
    offset = world.sandbox.control("GET", "clock")["offset_seconds"]
    world.sandbox.control("PUT", "clock", {"offset_seconds": offset - 86_400})
    world.query("UPDATE xero_sync.cursor SET high_water = now()")
    assert "by Xero's clock it is" in world.pull("contacts").message


@pytest.mark.parametrize("left_first", [True, False])
def test_who_left_and_was_hired_again_is_linked_as_who_works_now(world: World, left_first: bool) -> None:
    member = add_member(world, "Robin", "Again", "robin@example.test")
    known = {}
    for status in ("TERMINATED", "ACTIVE") if left_first else ("ACTIVE", "TERMINATED"):
        made = employ(world, "Robin", "Again", "robin@example.test")
        put(world, "Employees", made["EmployeeID"], Status=status)
        known[status] = made["EmployeeID"]
    assert world.pull("staff").counts.rejected == 0
    assert str(members(world)[member]["xero_id"]) == known["ACTIVE"]
    assert world.rows("staff")[known["TERMINATED"]]["is_active"] is False
