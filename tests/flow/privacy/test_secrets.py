"""No token, secret or authorisation header stands in clear in any table, log, event or error."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.leaks import everything_in_the_database
from tests.support.sandbox import CLIENT
from tests.support.world import World
from xero.api.errors import XeroError
from xero.sync.connect.token_store import DatabaseTokens


def test_nothing_secret_is_readable_anywhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.pull("contacts")
    token_id = world.query("SELECT token_id FROM xero_sync.connection LIMIT 1")[0]["token_id"]
    token = DatabaseTokens(world.engine, token_id, world.app()).get()
    errors = []
    for kind in ("token_expired", "revoked", "no_scope", "malformed", "429", "503", "cut", "html"):
        world.fault(path="Accounts", kind=kind, times=9, retry_after=4_000)
        try:
            world.pull("chart_of_accounts")
        except Exception as error:  # noqa: BLE001 - whatever it is, it must hold no secret
            errors.append(error)
        world.sandbox.control("DELETE", "faults")
        world.query("UPDATE xero_sync.call_budget SET not_before = NULL")
    assert len([error for error in errors if isinstance(error, XeroError)]) >= 5
    said = [repr(error) + str(error) + repr(error.__cause__) + repr(error.__context__) for error in errors]
    result = world.command("-v", "pull", "all", "--connection", world.names()[0])
    assert "connection_event" in result.stderr

    searched = "\n".join([everything_in_the_database(world), caplog.text, *said, result.stdout, result.stderr])
    newest = DatabaseTokens(world.engine, token_id, world.app()).get()
    for secret in (token.access_token, newest.access_token, CLIENT[1]):
        assert len(secret) > 20
        assert secret not in searched
        assert secret.encode().hex() not in searched, "nor as bytes"
    assert not re.search(r"(?i)bearer\s+\S{8}|basic\s+[A-Za-z0-9+/=]{16}", searched)
    assert not re.search(r"eyJ[\w-]{10,}\.", searched)


def damages(employee: dict[str, Any]) -> list[dict[str, Any]]:
    """What an employee may hold, each in its own way unfit, with the secrets where other things are expected."""
    tax, account = employee["TaxDeclaration"], employee["BankAccounts"][0]
    template = employee["PayTemplate"]
    return [
        {"TaxDeclaration": [tax]},
        {"TaxDeclaration": f"{tax}"},
        {"TaxDeclaration": {**tax, "EmploymentBasis": tax}},
        {"LastName": "x" * 300},
        {"StartDate": "/Date(yesterday)/", "FirstName": None},
        {"PayTemplate": [tax, account]},
        {"PayTemplate": {**template, "EarningsLines": [account, *template["EarningsLines"]]}},
        {"PayTemplate": {**template, "EarningsLines": f"{account}"}},
        {"LeaveBalances": [account, f"{tax}"]},
        {"LeaveBalances": [{"LeaveTypeID": tax, "NumberOfUnits": account, "LeaveName": [employee["DateOfBirth"]]}]},
        {"Mobile": {"HomeAddress": employee["HomeAddress"]}, "Email": [account]},
        {"OrdinaryEarningsRateID": employee["SuperMemberships"][0], "Status": {"was": tax}},
    ]


def test_what_payroll_knows_of_a_person_is_written_nowhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.sandbox.reset(staff={world.names()[0]: 16, world.names()[1]: 3})
    world.sandbox.settings(limits=False)
    world.connect()
    canaries = world.sandbox.control("GET", "canaries")
    kinds = {"TaxFileNumber", "AddressLine1", "DateOfBirth", "AccountNumber", "AccountName", "EmployeeNumber"}
    assert set(canaries["kinds"]) == kinds
    said: list[str] = []

    def attempt(do: Callable[[], object]) -> None:
        try:
            said.append(repr(do()))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must hold no secret
            said.append(f"{error!r} {error} {error.__cause__!r} {error.__context__!r}")

    for organisation in (0, 1):
        for name in ("pay_codes", "staff", "leave_balances"):
            attempt(lambda name=name, organisation=organisation: world.pull(name, organisation))  # type: ignore[misc]
    employees = [one for one in world.sandbox.truth("Employees") if "TaxFileNumber" in one["TaxDeclaration"]]
    unfit = damages(employees[0])
    assert len(employees) >= len(unfit)
    for employee, damage in zip(employees, unfit, strict=False):
        world.sandbox.change("Employees", employee["EmployeeID"], **damage)
    for full in (False, True):
        attempt(lambda full=full: world.pull("staff", full=full, force=True))  # type: ignore[misc]
    assert len(world.query("SELECT 1 FROM xero_sync.rejection WHERE closed_at IS NULL")) > 10
    world.query("UPDATE qicworks.staff SET balances_read_at = NULL")
    attempt(lambda: world.pull("leave_balances", force=True))
    for kind in ("malformed", "truncate", "revoked"):
        world.fault(path="Employees/", kind=kind, times=9, retry_after=4_000)
        attempt(lambda: world.pull("staff", full=True))
        world.sandbox.control("DELETE", "faults")
        world.query("UPDATE xero_sync.call_budget SET not_before = NULL")
    result = world.main("-v", "pull", "staff")

    # Staging in the middle of it, too: what was listed, and what was read by id.
    world.fault(path="Employees/", kind="429", retry_after=4_000, skip=8)
    attempt(lambda: world.pull("staff", full=True))
    assert world.query("SELECT 1 FROM xero_sync.stage_staff")
    searched = "\n".join([everything_in_the_database(world), caplog.text, *said, result.stdout, result.stderr])
    assert employees[0]["EmployeeID"] in searched, "else it would prove nothing"
    found = {kind: [text for text in texts if text in searched] for kind, texts in canaries["kinds"].items()}
    assert not any(found.values()), found
