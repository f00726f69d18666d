"""What a user decides about people who may be the same: link, not the same, create, and undo. Pay is at stake."""

from uuid import UUID

import pytest

from tests.support.employees import add_member, employ, members
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.world import World
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What
from xero.qicworks.links.undoing import Undoing

BOTH = list(What)


class Desk:
    """A user who decides."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = UUID(world.connection_id())

    def waits(self, *whats: What) -> dict[str, list[str]]:
        """Whom of Xero each may be."""
        with database.session(self.world.engine) as session:
            found, total = waiting.waiting(session, self.id, whats or BOTH)
            assert total == len(found)
            return {str(one.own_id): [each["xero_id"] for each in one.candidates] for one in found}

    def likely(self) -> tuple[list[tuple[UUID, UUID]], list[str]]:
        """As the page shows them and its button gives them back."""
        with database.session(self.world.engine) as session:
            found, _ = waiting.waiting(session, self.id, BOTH)
        likely = [(one.own_id, each) for one in found for each in one.candidates if each["likely"]]
        return [(own, UUID(each["xero_id"])) for own, each in likely], [each["version"] for _, each in likely]

    def undone(self) -> set[str]:
        with database.session(self.world.engine) as session:
            return {str(one["xero_id"]) for one in waiting.undone_employees(session, self.id)}

    def do(self, method: str, *arguments: object) -> object:
        with database.session(self.world.engine) as session:
            return getattr(Undoing(session, connections.one(session, self.id), "Jo Doe"), method)(*arguments)

    def undo(self, what: What, own_id: str) -> None:
        hanging = self.do("hanging", what, UUID(own_id))
        self.do("undo", what, UUID(own_id), hanging.seen)  # type: ignore[attr-defined]

    def events(self) -> list[str]:
        rows = self.world.query("SELECT message FROM xero_sync.connection_event ORDER BY id")
        return [row["message"] for row in rows if row["message"] and row["message"].startswith("Jo Doe: ")]


@pytest.fixture
def desk(world: World) -> Desk:
    world.sandbox.settings(limits=False)
    return Desk(world)


def test_a_pair_is_linked_and_the_link_undone_as_it_was(world: World, desk: Desk) -> None:
    employee = employ(world, "Ann-Marie", "Vale", "am@example.com.au")["EmployeeID"]
    member = add_member(world, "Annmarie", "Vale", None)
    before = members(world)[member]
    world.pull("staff")
    assert desk.waits() == {member: [employee]}
    assert employee not in world.rows("staff")
    desk.do("link", What.STAFF, [(UUID(member), UUID(employee))])
    assert desk.waits() == {}
    assert world.pull("staff").status == "success"
    held = members(world)[member]
    assert (str(held["xero_id"]), held["match_state"], held["first_name"]) == (employee, "linked", "Ann-Marie")
    lines = [one for one in world.rows("pay_template_line").values() if str(one["employee_xero_id"]) == employee]
    assert {str(one["staff_id"]) for one in lines} == {member}

    desk.undo(What.STAFF, member)
    after = members(world)[member]
    apart = {"row_version", "synced_at"}
    assert {k: v for k, v in after.items() if k not in apart} == {k: v for k, v in before.items() if k not in apart}
    assert desk.undone() == {employee}
    for full in (False, True):
        assert world.pull("staff", full=full).counts.rejected == 1, "no pull links or creates them by itself"
        assert (desk.waits(), members(world)[member]["xero_id"]) == ({}, None)
        assert employee not in world.rows("staff")
        assert desk.undone() == {employee}
    lines = [one for one in world.rows("pay_template_line").values() if str(one["employee_xero_id"]) == employee]
    assert {one["staff_id"] for one in lines} == {None}
    desk.do("create", What.STAFF, UUID(employee))
    assert world.pull("staff").status == "success"
    assert world.rows("staff")[employee]["match_state"] == "created"
    assert members(world)[member]["xero_id"] is None
    assert desk.waits() == {}, "what was undone is not offered again"
    said = desk.events()
    assert [one.split(": ")[1] for one in said] == [
        "linked",
        "link undone",
        "to be created in QicWorks from the employee",
    ]
    assert "Vale" not in str(said)


def test_an_undone_employee_waits_also_if_qicworks_has_nobody_else_to_link(world: World, desk: Desk) -> None:
    wrong = add_member(world, "Kim", "Lee", "kim@x.example")
    employee = employ(world, "Kim", "Lee", "kim@x.example")["EmployeeID"]
    world.pull("staff")
    assert str(members(world)[wrong]["xero_id"]) == employee
    desk.undo(What.STAFF, wrong)
    world.query("DELETE FROM qicworks.staff WHERE match_state = 'none'")
    for full in (False, True):
        world.pull("staff", full=full)
        assert desk.undone() == {employee}
        assert employee not in world.rows("staff")


def test_two_who_are_not_the_same(world: World, desk: Desk) -> None:
    employee = employ(world, "Kim", "Lee", "kim@x.example")["EmployeeID"]
    member = add_member(world, "Kim", "Lee", "kimlee@y.example")
    world.pull("staff")
    desk.do("not_same", What.STAFF, UUID(member), UUID(employee))
    with pytest.raises(LookupError, match="changed or linked"):
        desk.do("link", What.STAFF, [(UUID(member), UUID(employee))])
    assert world.pull("staff").status == "success"
    assert world.rows("staff")[employee]["match_state"] == "created"
    world.query("UPDATE qicworks.staff SET account_email = 'kim@x.example' WHERE id = %s", member)
    world.pull("staff")
    assert (desk.waits(), members(world)[member]["xero_id"]) == ({}, None)


def test_a_link_is_not_undone_while_pay_by_it_stays_in_the_template(world: World, desk: Desk) -> None:
    """Without the link nothing would take that pay away: it would be paid to whom it is not for, in silence."""
    payroll = Payroll(world)
    payroll.pay_run("post")
    employee = payroll.paid_by_the_hour()[0]
    [member] = [id for id, row in members(world).items() if str(row["xero_id"]) == employee]
    payroll.pay(employee, payroll.period(1), PayLine(units="20"))
    payroll.push("payroll")
    assert payroll.earnings(employee)["Ordinary Hours"]["NormalNumberOfUnits"] == 20
    with pytest.raises(ValueError, match="QicWorks has set pay in this employee's pay template"):
        desk.undo(What.STAFF, member)
    assert str(members(world)[member]["xero_id"]) == employee
    payroll.pay_run("post")
    payroll.pay(employee, payroll.period(2))
    payroll.push("payroll")
    desk.undo(What.STAFF, member)
    assert members(world)[member]["xero_id"] is None
    assert payroll.earnings(employee)["Ordinary Hours"]["NormalNumberOfUnits"] != 20


def test_what_was_not_offered_is_not_linked(world: World, desk: Desk) -> None:
    employ(world, "Kim", "Lee", "kim@x.example")
    member, other = add_member(world, "Kim", "Lee", None), add_member(world, "Kim", "Lee", "k@y.example")
    world.pull("staff")
    [employee] = {id for ids in desk.waits().values() for id in ids}
    stranger = next(id for id in world.rows("staff") if id != employee)
    for pairs in ([(member, stranger)], [(member, str(UUID(int=1)))], [(str(UUID(int=1)), employee)]):
        with pytest.raises(LookupError):
            desk.do("link", What.STAFF, [tuple(map(UUID, pair)) for pair in pairs])
    with pytest.raises(ValueError, match="one only"):
        desk.do("link", What.STAFF, [(UUID(member), UUID(employee)), (UUID(other), UUID(employee))])
    assert [members(world)[one]["xero_id"] for one in (member, other)] == [None, None]


def test_many_at_once_are_those_that_were_seen_as_they_were_seen(world: World, desk: Desk) -> None:
    first = employ(world, "Ann-Marie", "Vale", "am@x.example")["EmployeeID"]
    one = add_member(world, "Annmarie", "Vale", None)
    world.pull("staff")
    seen = desk.likely()
    assert seen[0] == [(UUID(one), UUID(first))]
    for table, change in (("first_name", "Zed"), ("account_email", "zed@x.example")):
        before = members(world)[one][table]
        world.query(f"UPDATE qicworks.staff SET {table} = %s WHERE id = %s", change, one)
        with pytest.raises(LookupError, match="changed or linked"):
            desk.do("link", What.STAFF, *seen)
        world.query(f"UPDATE qicworks.staff SET {table} = %s WHERE id = %s", before, one)
    world.query("UPDATE qicworks.staff SET first_name = 'Zed', last_name = 'Another' WHERE id = %s", one)
    second = employ(world, "Bo-Lin", "Dale", "bl@x.example")["EmployeeID"]
    two = add_member(world, "Bolin", "Dale", None)
    world.pull("staff")
    assert desk.waits() == {two: [second]}
    with pytest.raises(LookupError, match="changed or linked"):
        desk.do("link", What.STAFF, *seen)
    assert [members(world)[id]["xero_id"] for id in (one, two)] == [None, None]
    assert desk.do("link", What.STAFF, *desk.likely()) == 1
    assert str(members(world)[two]["xero_id"]) == second


def test_a_member_who_was_added_after_the_pull_takes_the_place_of_the_row_of_it(world: World, desk: Desk) -> None:
    employee = employ(world, "Late", "Comer", "late@x.example")["EmployeeID"]
    world.pull("staff")
    created = str(world.rows("staff")[employee]["id"])
    member = add_member(world, "Late", "Comer", "late@x.example")
    world.pull("staff")
    assert desk.waits() == {member: [employee]}
    [leave] = world.query(
        "INSERT INTO qicworks.leave_request (organisation_id, staff_id, title, start_date, end_date, hours)"
        " SELECT organisation_id, id, 'Time off', '2026-11-02', '2026-11-02', 7.6 FROM qicworks.staff WHERE id = %s"
        " RETURNING id",
        created,
    )
    with pytest.raises(ValueError, match="pay or leave of both"):
        desk.do("link", What.STAFF, *desk.likely())
    assert str(world.rows("staff")[employee]["id"]) == created
    world.query("DELETE FROM qicworks.leave_request WHERE id = %s", leave["id"])
    assert desk.do("link", What.STAFF, *desk.likely()) == 1
    world.pull("staff")
    assert str(world.rows("staff")[employee]["id"]) == member
    assert created not in members(world)
