"""An organisation without payroll, or a user who may not see it: a warning each time, and nothing else stops."""

from datetime import date
from typing import Any

import pytest

from tests.support.following import own_leave
from tests.support.world import World
from xero.api.errors import Disconnected
from xero.datasets.registry import DATASETS

PAYROLL = ("staff", "pay_codes", "leave_balances", "leave_applications")
REFUSALS = tuple(
    f"{status} {detail}Unsuccessful" for status in (403, 401) for detail in ("Authorization", "Authentication")
)
TABLES = ("staff", "pay_template_line", "leave_balance", "leave_application", "pay_code", "payroll_calendar")


def state(world: World, organisation: int) -> str:
    [row] = world.query("SELECT state FROM xero_sync.connection WHERE id = %s", world.connection_id(organisation))
    return str(row["state"])


def served(world: World) -> list[dict[str, Any]]:
    return world.query(
        "SELECT served_at FROM xero_sync.due WHERE data_set = 'leave_balances' AND served_at IS NOT NULL"
    )


def test_what_xero_does_not_give_is_a_warning_and_changes_nothing(world: World) -> None:
    world.sandbox.settings(limits=False)
    assert {name for name, dataset in DATASETS.items() if dataset.payroll} == set(PAYROLL)
    for organisation in (0, 2):
        own_leave(world, organisation)
    for name in PAYROLL:
        world.pull(name)
    before = {table: world.rows(table) for table in TABLES}
    assert all(before.values())
    world.query("UPDATE qicworks.organisation SET next_pay_date = %s, pay_frequency = 'weekly'", date(2026, 1, 5))
    world.query("DELETE FROM xero_sync.due")
    # Kimberley has no payroll; then the user may not see that of Harbour either.
    for organisation, role in ((2, True), (0, False)):
        world.sandbox.settings(payroll_role=role)
        for refusal in REFUSALS:
            world.sandbox.settings(payroll_refusal=refusal)
            for name in PAYROLL:
                outcome = world.pull(name, organisation)
                assert (outcome.status, outcome.changed, refusal) == ("warning", False, refusal)
                event = world.event()
                assert event["status"] == "warning"
                assert event["message"] == outcome.message
                assert event["message"].startswith("data set not available: ")
                assert event["correction"]
            assert state(world, organisation) == "connected"
            assert world.query("SELECT 1 FROM xero_sync.token WHERE state <> 'ok'") == []
        assert world.pull("tax_codes", organisation).status == "success"
        assert len(served(world)) == (1 if organisation == 2 else 2), "what was due is not tried again and again"
    assert {table: world.rows(table) for table in TABLES} == before
    result = world.main("pull", "staff")
    assert result.returncode == 0, result.stderr

    world.sandbox.settings(payroll_role=True)
    for name in PAYROLL:
        assert world.pull(name).status == "success", name
    assert {table: set(world.rows(table)) for table in TABLES} == {table: set(rows) for table, rows in before.items()}


def test_an_organisation_that_has_really_disconnected_needs_to_be_connected_again(world: World) -> None:
    world.sandbox.settings(payroll_refusal="403 AuthenticationUnsuccessful")
    [kimberley] = [
        one for one in world.sandbox.control("GET", "connections")["app"] if one["tenantId"] == world.sandbox.tenant(2)
    ]
    world.sandbox.control("DELETE", f"connections/{kimberley['id']}")
    with pytest.raises(Disconnected):
        world.pull("staff", 2)
    assert (state(world, 2), world.event()["status"]) == ("needs_reconnect", "error")
    assert world.pull("staff", 1).status == "success"
