"""What Xero says once of times and ids: nothing of it keeps later changes away, and what is odd is that record's."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support.between import Between
from tests.support.one_world import world_for_all
from tests.support.world import World
from xero.api.errors import OutOfBounds, XeroError
from xero.sync.runs.outcome import PullFailed

AHEAD = "/Date(5680281600000)/"  # 2150
LONG = "".join(chr(0x4E00 + place * 7919 % 20000) for place in range(5000))


@pytest.fixture(scope="module")
def world(sandbox_url: str, postgres_url: str, template: str) -> Iterator[World]:
    with world_for_all(sandbox_url, postgres_url, template) as made:
        yield made


@pytest.fixture
def between(world: World) -> Iterator[Between]:
    made = Between(world.sandbox)
    yield made
    made.close()


def pull(world: World, name: str, **how: Any) -> None:
    """What is raised is declared, and its event closed."""
    with suppress(XeroError, PullFailed):
        world.pull(name, client={"backoff": ()}, **how)
    assert world.event()["status"] != "running"


@pytest.mark.parametrize(
    ("name", "envelope", "key", "table"),
    [("contacts", "Contacts", "ContactID", "contact"), ("chart_of_accounts", "Accounts", "AccountID", "account")],
)
def test_a_full_refresh_brings_back_a_cursor_that_a_clock_was_ahead_of(
    world: World, between: Between, name: str, envelope: str, key: str, table: str
) -> None:
    def edit(said: Any) -> None:
        said["DateTimeUTC"] = AHEAD
        for one in said[envelope]:
            one["UpdatedDateUTC"] = AHEAD

    between.edit(edit, path=f"/{envelope}")
    pull(world, name, full=True)
    between.honest()
    assert world.pull(name, full=True).status == "success"
    record = world.sandbox.truth(envelope)[0][key]
    world.sandbox.change(envelope, record, Name="Renamed since")
    world.pull(name)
    assert world.rows(table)[record]["name"] == "Renamed since"


def test_an_employee_whose_stamp_was_ahead_is_read_the_next_night(world: World, between: Between) -> None:
    between.edit(lambda said: said["Employees"][0].update(UpdatedDateUTC=AHEAD), path="/Employees/")
    pull(world, "staff", full=True)
    between.honest()
    employee = next(one for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE")["EmployeeID"]
    world.sandbox.change("Employees", employee, JobTitle="Promoted since")
    for column in ("completed_at", "full_at"):
        world.query(f"UPDATE xero_sync.cursor SET {column} = {column} - interval '1 day'")
    world.pull("staff")
    assert world.rows("staff")[employee]["job_title"] == "Promoted since"
    world.calls()
    world.pull("staff")
    assert len(world.calls()) == 1, "and not once more"


LISTS: list[Any] = [5, "x", True, {"a": 1}]


def test_an_odd_list_of_one_employee_is_one_employee_s(world: World, between: Between) -> None:
    world.pull("staff")
    employees = [one["EmployeeID"] for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE"]
    for employee, odd in zip(employees, LISTS, strict=False):
        between.edit(lambda said, odd=odd: {**said, "Employees": odd}, path=f"/Employees/{employee}")
        world.sandbox.change("Employees", employees[-1], JobTitle=f"Beside {odd}")
        outcome = world.pull("staff", full=True)
        assert outcome.status == "warning"
        assert world.rows("staff")[employees[-1]]["job_title"] == f"Beside {odd}"


@pytest.mark.parametrize("odd", ["a\x00b", LONG], ids=["NUL", "long"])
def test_an_odd_id_is_that_record_s(world: World, between: Between, odd: str) -> None:
    """In a list, in what it is rejected by, in where to go on, and in what reconcile says."""
    for path, envelope, key, name in (
        ("/TaxRates", "TaxRates", "TaxType", "tax_codes"),
        ("/Employees", "Employees", "EmployeeID", "staff"),
        ("/Contacts", "Contacts", "ContactID", "contacts"),
    ):

        def edit(said: Any, envelope: str = envelope, key: str = key) -> None:
            count = len(said[envelope])
            for record in said[envelope][-1:]:
                record[key] = odd
            if envelope == "Contacts":
                said["pagination"] = {"page": 1, "pageSize": count, "pageCount": 2, "itemCount": count + 1}

        between.edit(edit, path=path)
        pull(world, name, full=True)
        assert "DataError" not in world.event()["message"]
        assert "ProgramLimitExceeded" not in world.event()["message"]
        between.honest()
        assert world.pull(name, full=True).status == "success"


@pytest.mark.parametrize("odd", [5, "x", {"a": 1}, True], ids=str)
def test_an_odd_array_of_pay_items_takes_nothing_away(world: World, between: Between, odd: Any) -> None:
    world.pull("pay_codes")
    before = {key for key, row in world.rows("pay_code").items() if row["is_active"]}
    between.edit(lambda said: said["PayItems"].update(EarningsRates=odd), path="/PayItems")
    with pytest.raises(XeroError, match="has no list"):
        world.pull("pay_codes", client={"backoff": ()})
    between.honest()
    world.pull("pay_codes")
    assert {key for key, row in world.rows("pay_code").items() if row["is_active"]} == before


def test_pages_that_bring_nothing_new_are_not_read_to_their_end(world: World, between: Between) -> None:
    def edit(said: Any) -> None:
        for one in said["Contacts"]:
            one["UpdatedDateUTC"] = "/Date(1700000000000)/"
        count = len(said["Contacts"])
        said["pagination"] = {"page": 1, "pageSize": count, "pageCount": 4000, "itemCount": 4000 * count}

    between.edit(edit, path="/Contacts")
    before = between.calls
    pull(world, "contacts", full=True)
    assert "brought nothing new" in world.event()["message"]
    assert between.calls - before < 20


@pytest.mark.parametrize("name", ["contacts", "tax_codes"])
def test_an_answer_of_very_many_records_is_none_of_xero_s(world: World, between: Between, name: str) -> None:
    envelope = {"contacts": "Contacts", "tax_codes": "TaxRates"}[name]
    between.edit(lambda said: {envelope: [{}] * 50_001}, path=f"/{envelope}")
    with pytest.raises(OutOfBounds, match="has 50001 records"):
        world.pull(name, client={"backoff": ()}, full=True)
