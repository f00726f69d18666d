"""Who was hired again is linked by the pull itself, unless it could be somebody else or a user has said so."""

from uuid import UUID

import pytest

from tests.flow.pull.test_links import Desk, desk
from tests.support.employees import add_member, employ, members
from tests.support.world import World
from xero.qicworks.links.candidates import What

__all__ = ["desk"]

FATHER = ("John", "Smith", "smiths@mail.example")


def leave(world: World, employee: str, **fields: str) -> None:
    world.sandbox.change("Employees", employee, Status="TERMINATED", **fields)


def test_whom_a_user_created_stays_apart(world: World, desk: Desk) -> None:
    father = add_member(world, *FATHER)
    fathers = employ(world, *FATHER)["EmployeeID"]
    world.pull("staff")
    other = add_member(world, "John", "Smith", None)
    sons = employ(world, *FATHER)["EmployeeID"]
    world.pull("staff")
    assert desk.waits() == {other: [sons]}
    desk.do("create", What.STAFF, UUID(sons))
    world.pull("staff")
    assert world.rows("staff")[sons]["match_state"] == "created"
    leave(world, fathers)
    for full in (False, True):
        world.pull("staff", full=full)
        assert str(members(world)[father]["xero_id"]) == fathers


@pytest.mark.parametrize("why", ["an office's email", "a family's email", "both worked at once"])
def test_nobody_changes_places_where_the_two_may_be_two_people(world: World, why: str) -> None:
    email = "Office@smith.example" if why == "an office's email" else FATHER[2]
    if why == "a family's email":
        add_member(world, "Mary", "Smith", email)
    father = add_member(world, "John", "Smith", email)
    start = "/Date(1600000000000+0000)/"
    fathers = employ(world, "John", "Smith", email, StartDate=start)["EmployeeID"]
    world.pull("staff")
    if world.rows("staff").get(fathers, {}).get("match_state") != "linked":  # as a user links them
        world.query("UPDATE xero_sync.link_candidate SET likely = false")
        Desk(world).do("link", What.STAFF, [(UUID(father), UUID(fathers))])
        world.pull("staff")
    assert str(members(world)[father]["xero_id"]) == fathers
    leave(world, fathers, TerminationDate="/Date(1764000000000+0000)/")
    began = "/Date(1763000000000+0000)/" if why == "both worked at once" else "/Date(1764500000000+0000)/"
    employ(world, "John", "Smith", email, StartDate=began)
    world.pull("staff")
    assert str(members(world)[father]["xero_id"]) == fathers


@pytest.mark.parametrize("former", ["linked", "created"])
def test_it_is_undone_as_it_was(world: World, desk: Desk, former: str) -> None:
    if former == "linked":
        father = add_member(world, *FATHER)
    fathers = employ(world, *FATHER)["EmployeeID"]
    world.pull("staff")
    if former == "created":
        father = str(world.rows("staff")[fathers]["id"])
        world.query(
            "INSERT INTO qicworks.leave_request (organisation_id, staff_id, title, start_date, end_date, hours)"
            " SELECT organisation_id, id, 'Time off', '2026-11-02', '2026-11-02', 7.6 FROM qicworks.staff"
            " WHERE id = %s",
            father,
        )
    leave(world, fathers)
    world.pull("staff")
    before = members(world)[father]
    sons = employ(world, *FATHER, JobTitle="The son")["EmployeeID"]
    world.pull("staff")
    assert str(members(world)[father]["xero_id"]) == sons
    desk.undo(What.STAFF, father)
    assert desk.events()[-1].startswith("Jo Doe: link undone, and linked to the former employee again: ")
    apart = {"row_version", "synced_at", "balances_read_at"}
    for full in (None, False, True):
        if full is not None:
            world.pull("staff", full=full)
        held = members(world)[father]
        assert {k: v for k, v in held.items() if k not in apart} == {k: v for k, v in before.items() if k not in apart}
        assert (desk.undone(), desk.waits()) == ({sons}, {})
        parts = [*world.rows("pay_template_line").values(), *world.rows("leave_balance").values()]
        assert {one["staff_id"] for one in parts if str(one["employee_xero_id"]) == sons} == {None}
        assert {str(one["staff_id"]) for one in parts if str(one["employee_xero_id"]) == fathers} == {father}
    desk.do("create", What.STAFF, UUID(sons))
    world.pull("staff")
    rows = world.rows("staff")
    assert (str(rows[fathers]["id"]), rows[sons]["match_state"]) == (father, "created")
    world.pull("staff", full=True)
    assert str(members(world)[father]["xero_id"]) == fathers
