"""Reconcile finds what a pull would not see, says it in an event, and calls nothing a difference that is none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.flow.conftest import World
from xero.datasets.registry import DATASETS
from xero.qicworks.events import Origin
from xero.sync.clients import opener
from xero.sync.pull import Outcome
from xero.sync.reconcile import reconcile


@pytest.fixture
def pulled(world: World) -> World:
    for name in DATASETS:
        world.pull(name)
    world.calls()
    return world


def compare(world: World, organisation: int = 0) -> Outcome:
    return reconcile(
        world.connection_id(organisation),
        engine=world.engine,
        open_client=opener(world.engine, world.app),
        origin=Origin(),
    )


def differences(world: World) -> dict[str, str]:
    """What was said of each data set since the last time this was asked."""
    found = world.query(
        "DELETE FROM xero_sync.connection_event WHERE starts_with(message, 'reconcile: ')"
        " RETURNING data_set, status, message"
    )
    assert all(event["status"] == "warning" for event in found)
    return {event["data_set"]: event["message"] for event in found}


def change(world: World, path: str, method: str = "PATCH", **fields: Any) -> None:
    world.sandbox.control(method, f"organisations/{world.sandbox.tenant()}/{path}", fields or None)


def test_what_is_in_step_is_found_so_for_a_handful_of_calls(pulled: World) -> None:
    outcome = compare(pulled)
    assert (outcome.status, outcome.message) == ("success", "in step")
    assert differences(pulled) == {}
    calls = pulled.calls()
    assert outcome.counts.calls == len(calls) <= 8
    assert sum(call["bytes"] for call in calls) < 12_000


def test_every_kind_of_difference_is_an_event(pulled: World) -> None:
    collections = ("Contacts", "TaxRates", "LeaveTypes", "Employees", "Accounts")
    xero = {name: pulled.sandbox.truth(name) for name in collections}
    # Lost here, gone there, changed without a stamp: what no pull of changes would see.
    lost = str(xero["Contacts"][3]["ContactID"])
    pulled.query("DELETE FROM qicworks.contact WHERE xero_id = %s", lost)
    pulled.query("DELETE FROM qicworks.tax_code WHERE tax_type = %s", xero["TaxRates"][2]["TaxType"])
    pulled.query("DELETE FROM qicworks.leave_balance")
    pulled.query("DELETE FROM qicworks.pay_template_line")
    pulled.query("DELETE FROM qicworks.staff WHERE xero_id = %s", xero["Employees"][1]["EmployeeID"])
    change(pulled, f"LeaveTypes/{xero['LeaveTypes'][0]['LeaveTypeID']}", "DELETE")
    change(pulled, f"Accounts/{xero['Accounts'][0]['AccountID']}", "DELETE")

    outcome = compare(pulled)

    assert outcome.status == "warning"
    found = differences(pulled)
    assert found.keys() == {"contacts", "tax_codes", "staff", "pay_codes", "chart_of_accounts"}
    count = len(xero["Contacts"])
    assert found["contacts"] == f"reconcile: Xero has {count} records, QicWorks {count - 1}"
    assert "1 records of Xero are not in tax_code" in found["tax_codes"]
    assert xero["Employees"][1]["EmployeeID"] in found["staff"]
    assert "1 rows of pay_code are not in Xero" in found["pay_codes"]
    assert xero["Accounts"][0]["AccountID"] in found["chart_of_accounts"]

    for name in DATASETS:
        pulled.pull(name, full=True)
    assert compare(pulled).status == "success", "a full refresh brings it in step"


def test_what_has_changed_since_the_last_pull_is_no_difference(pulled: World) -> None:
    for name in ("Contacts", "Accounts", "Employees"):
        change(pulled, f"{name}/touch", "POST", count=2)
    change(pulled, "Contacts", "POST", Name="New since", ContactStatus="ACTIVE")
    assert compare(pulled).status == "success"

    pulled.query("UPDATE xero_sync.cursor SET completed_at = completed_at - interval '3 days'")
    found_before = datetime.now(UTC) - timedelta(days=3)
    assert compare(pulled).status == "warning"
    found = differences(pulled)
    assert found.keys() == {"contacts", "chart_of_accounts", "staff"}
    assert f"the last pull of {found_before:%Y-%m-%d}" in found["contacts"]


def test_what_is_rejected_is_known(pulled: World) -> None:
    key = pulled.sandbox.truth("Contacts")[0]["ContactID"]
    change(pulled, "Contacts", "POST", Name="", ContactStatus="ACTIVE")
    change(pulled, f"Contacts/{key}", Name="Renamed")
    assert pulled.pull("contacts").counts.rejected == 1
    assert compare(pulled).status == "success"


def test_what_is_not_available_or_was_never_pulled_is_said(world: World) -> None:
    for name in ("contacts", "chart_of_accounts", "tax_codes"):
        world.pull(name, 2)
    assert compare(world, 2).message == "not in step: Tracking categories; not available: Pay codes, Staff"
    assert differences(world) == {"tracking_categories": "reconcile: it was never pulled"}
