"""A record that Xero does not give, a list without an end, a reading that waited: nothing else suffers, all is said."""

from typing import Any

import pytest

from tests.support.world import World
from xero.api import paging
from xero.api.client import Answer, XeroClient
from xero.api.errors import OutOfBounds, XeroError
from xero.sync.pull.load import Load


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "no_scope", "status": 403},
        {"kind": "no_scope", "status": 401},
        {"kind": "empty", "status": 403},
        {"kind": "html", "status": 403},
        {"kind": "500"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_an_error_of_one_employee_is_that_employee_s(world: World, fault: dict[str, object]) -> None:
    employees = [one["EmployeeID"] for one in world.sandbox.truth("Employees")]
    forbidden, *others = employees
    assert len(others) > 3
    world.fault(**fault, path=f"Employees/{forbidden}$", times=None)
    for _ in range(2):
        outcome = world.pull("staff")
        assert outcome.status == "warning"
        assert forbidden in outcome.message
        assert sorted(world.rows("staff")) == sorted(others)
    world.sandbox.control("DELETE", "faults")
    assert world.pull("staff").status == "success"
    assert sorted(world.rows("staff")) == sorted(employees)


def test_where_no_employee_is_given_it_is_not_one_employee_s(world: World) -> None:
    world.fault(kind="no_scope", status=403, path="Employees/", times=None)
    outcome = world.pull("staff")
    assert (outcome.status, outcome.counts.read) == ("warning", 0)
    assert "not available" in outcome.message


@pytest.mark.parametrize("id", [None, 7])
@pytest.mark.parametrize("name", ["staff", "leave_balances"])
def test_an_employee_without_an_id_holds_back_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, id: Any
) -> None:
    """Nor is anybody taken to have left by that."""
    world.pull("staff")
    known = {key: row["is_active"] for key, row in world.rows("staff").items()}
    get, hidden = XeroClient.get, set()

    def nameless(client: XeroClient, path: str, **how: Any) -> Answer:
        answer = get(client, path, **how)
        if path.endswith("/Employees"):
            hidden.add(answer.data["Employees"][0]["EmployeeID"])
            answer.data["Employees"][0]["EmployeeID"] = id
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(XeroClient, "get", nameless)
        world.query("UPDATE qicworks.leave_balance SET number_of_units = NULL, row_hash = ''")
        outcome = world.pull(name, full=True)
    assert outcome.status == "warning"
    assert {key: row["is_active"] for key, row in world.rows("staff").items()} == known
    lost = [row for row in world.rows("leave_balance").values() if row["is_active"] and row["number_of_units"] is None]
    assert {str(row["employee_xero_id"]) for row in lost} <= hidden, "of all others it was read"
    world.pull("staff", full=True)
    assert {key: row["is_active"] for key, row in world.rows("staff").items()} == known
    assert world.pull(name).status == "success"


def test_what_broke_a_bound_is_not_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sandbox.reset(contacts={world.names()[0]: 500})
    world.sandbox.settings(max_page_size=100, limits=False)
    with monkeypatch.context() as patched:
        patched.setattr(paging, "MAX_PAGES", 3)
        with pytest.raises(OutOfBounds, match="more than") as raised:
            world.pull("contacts")
    assert isinstance(raised.value, XeroError)
    assert world.query("SELECT 1 FROM xero_sync.staging") == []
    assert world.query("SELECT 1 FROM xero_sync.stage_contact") == []
    world.calls()
    assert world.pull("contacts").counts.read == 500
    assert sum(call["path"].endswith("/Contacts") for call in world.calls()) == 6, "from its first page on"


def test_what_an_interrupted_run_had_read_is_loaded_and_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename since is in the next pull, and the one before says that it may be."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Load, "validate", killed)
        with pytest.raises(KeyboardInterrupt):
            world.pull("contacts")
    contact = world.sandbox.truth("Contacts")[0]["ContactID"]
    world.sandbox.change("Contacts", contact, Name="Renamed meanwhile")
    world.calls()
    outcome = world.pull("contacts")
    assert (outcome.status, world.calls()) == ("warning", [])
    assert "later changes in Xero come with the next pull" in outcome.message
    assert world.rows("contact")[contact]["name"] != "Renamed meanwhile"
    assert world.pull("contacts").status == "success"
    assert world.rows("contact")[contact]["name"] == "Renamed meanwhile"
