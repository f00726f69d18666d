"""`python -m xero links`: who waits, and the decisions, for engineers."""

import json

from tests.support.employees import add_member, employ, members
from tests.support.world import World


def test_who_waits_and_what_is_decided(world: World) -> None:
    world.sandbox.settings(limits=False)
    [name, *_] = world.names()
    about = ("--connection", name)
    assert world.main("links").returncode == 0
    employee = employ(world, "Kim", "Lee", "kim@x.example")["EmployeeID"]
    member = add_member(world, "Kim", "Lee", None)
    world.pull("staff")
    listed = world.main("links", "--json", *about)
    assert listed.returncode == 1
    [row] = json.loads(listed.stdout)
    assert (row["own_id"], row["candidates"][0]["xero_id"], row["likely"]) == (member, employee, True)
    assert "same name, email missing on one side, likely" in world.main("links").stdout
    pair = ("staff", member, employee)
    for wrong in (("link", "staff", member), ("link", *pair), ("link", "staff", "x", employee, *about)):
        done = world.main("links", *wrong)
        assert (done.returncode, done.stderr.startswith("error: ")) == (1, True)
    done = world.main("links", "link", *pair, *about)
    assert (done.returncode, done.stdout.strip()) == (0, "linked"), done.stderr
    assert str(members(world)[member]["xero_id"]) == employee
    shown = world.main("links", "undo", "staff", member, *about)
    assert (shown.returncode, "--yes undoes the link" in shown.stderr) == (1, True)
    assert str(members(world)[member]["xero_id"]) == employee
    assert world.main("links", "undo", "staff", member, "--yes", *about).returncode == 0
    assert members(world)[member]["xero_id"] is None
    assert "nobody: the link was undone" in world.main("links").stdout
    assert world.main("links", "create", "staff", employee, *about).returncode == 0
    assert world.main("links").returncode == 0
