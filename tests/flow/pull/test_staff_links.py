"""The first link: which employee is which member of QicWorks' staff. One match, or nothing is touched."""

import pytest

from tests.support.employees import add_member, employ, members
from tests.support.expected_payroll import the_whole_list_is_old
from tests.support.paying import Line, Payroll
from tests.support.world import World

Member = tuple[str, str, str | None]


def open_reasons(world: World) -> dict[str, str]:
    rows = world.query("SELECT key, reasons FROM xero_sync.rejection WHERE closed_at IS NULL AND table_name = 'staff'")
    return {row["key"]: " ".join(row["reasons"]) for row in rows}


def correct(world: World, member: str, email: str) -> None:
    world.query("UPDATE qicworks.staff SET account_email = %s WHERE id = %s", email, member)


def waiting(world: World) -> dict[str, set[str]]:
    """The employees about whom a user is asked, with those whom each may be."""
    found: dict[str, set[str]] = {}
    for row in world.query("SELECT own_id, xero_id FROM xero_sync.link_candidate WHERE what = 'staff'"):
        found.setdefault(str(row["xero_id"]), set()).add(str(row["own_id"]))
    return found


def test_one_match_is_linked_for_good_and_none_is_made_new(world: World) -> None:
    exact = employ(world, "Ngaire", "Tolhurst", "ngaire@example.com.au")
    spaced = employ(world, " Zoë ", "Đặng-Müller", "ZOE.Dang@Example.com.au ")
    stranger = employ(world, "Ngaire", "Tolhurst", "another@example.com.au")
    mailless = employ(world, "Mail", "Less", None)
    left = employ(world, "Left", "Long Ago", "left@example.com.au", Status="TERMINATED")
    is_exact = add_member(world, "Ngaire", "Tolhurst", "ngaire@example.com.au")
    is_spaced = add_member(world, "ZOË", "ĐẶNG-MÜLLER  ", " zoe.dang@example.com.AU")
    is_left = add_member(world, "Left", "Long Ago", "left@example.com.au")
    alone = [
        add_member(world, "Mail", "Less", None),
        add_member(world, "Mail", "Less", ""),
        add_member(world, "Ngaire", "Tolhurst", None),
        add_member(world, "Ngaire", "Tolhurst", "ngaire@example.com.au", organisation=1),
        add_member(world, "No", "Body", "nobody@example.com.au"),
    ]
    before = members(world)
    assert world.pull("staff").counts.rejected == 2
    assert waiting(world) == {mailless["EmployeeID"]: {*alone[:2]}, stranger["EmployeeID"]: {alone[2]}}
    assert open_reasons(world).keys() == waiting(world).keys()
    assert world.pull("staff", 1).status == "success", "another organisation's employees are no candidates"
    after = members(world)
    for member, employee in ((is_exact, exact), (is_spaced, spaced), (is_left, left)):
        held = after[member]
        assert (str(held["xero_id"]), held["match_state"]) == (employee["EmployeeID"], "linked")
        assert held["account_email"] == before[member]["account_email"], "QicWorks' own stays as it was"
        assert held["email"] == employee["Email"]
        assert held["is_active"] is (employee is not left)
    assert {member: after[member] for member in alone} == {member: before[member] for member in alone}
    made = {str(row["xero_id"]): row for row in after.values() if row["match_state"] == "created"}
    assert {row["account_email"] == row["email"] for row in made.values()} == {True}
    assert len(after) - len(before) == len(made)
    lines = world.rows("pay_template_line").values()
    staff = {str(line["employee_xero_id"]): str(line["staff_id"]) for line in lines}
    assert [id in after for employee, id in staff.items() if employee not in waiting(world)] == [True] * (
        len(staff) - 2
    )

    # Renamed on either side, and read again in whatever way: who is linked stays who he is; nobody is linked twice.
    world.sandbox.change("Employees", exact["EmployeeID"], LastName="Married", Email="married@example.com.au")
    correct(world, is_spaced, "new@example.com.au")
    double = add_member(world, "Ngaire", "Married", "married@example.com.au")
    world.sandbox.settings(limits=False)
    for full in (False, True):
        assert world.pull("staff", full=full).counts.rejected == 2
        held = members(world)[is_exact]
        assert (str(held["xero_id"]), held["last_name"]) == (exact["EmployeeID"], "Married")
        assert held["account_email"] == "ngaire@example.com.au"
        held = members(world)[is_spaced]
        assert (held["match_state"], held["account_email"]) == ("linked", "new@example.com.au")
        assert members(world)[double]["match_state"] == "none"
    namesake = employ(world, "Ngaire", "Married", "ngaire@example.com.au")
    world.pull("staff")
    assert str(members(world)[is_exact]["xero_id"]) == exact["EmployeeID"], "who is linked is nobody else's"
    assert waiting(world)[namesake["EmployeeID"]] == {double}
    assert len(members(world)) == len(after) + 1


def test_what_is_ambiguous_is_left_alone_until_qicworks_settles_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.sandbox.settings(limits=False)
    twice = employ(world, "Twice", "Known", "twice@example.com.au")
    namesakes = [employ(world, "Name", "Sake", "same@example.com.au", JobTitle=title) for title in ("One", "Two")]
    doubles = [add_member(world, "Twice", "Known", "twice@example.com.au") for _ in range(2)]
    shared = add_member(world, "name", "sake", "same@example.com.au")
    crowd = [employ(world, f"Crowd{number}", "Double", f"crowd{number}@example.com.au") for number in range(7)]
    for number in range(7):
        for _ in range(2):
            add_member(world, f"Crowd{number}", "Double", f"crowd{number}@example.com.au")
    before = members(world)
    outcome = world.pull("staff")
    ambiguous = {one["EmployeeID"] for one in (twice, *namesakes, *crowd)}
    assert (outcome.status, outcome.counts.rejected) == ("warning", 10), "they do not hold back the rest"
    everybody = {one["EmployeeID"] for one in world.sandbox.truth("Employees")}
    assert set(world.rows("staff")) == everybody - ambiguous
    assert {key: row for key, row in members(world).items() if key in before} == before
    reasons = open_reasons(world)
    assert set(reasons) == ambiguous
    assert all(reason.startswith("Not linked: ") for reason in reasons.values())
    assert waiting(world)[twice["EmployeeID"]] == set(doubles)
    assert {shared} == waiting(world)[namesakes[0]["EmployeeID"]] == waiting(world)[namesakes[1]["EmployeeID"]]
    event = world.event()
    assert (event["status"], event["rejected"], "Not linked" in event["message"]) == ("warning", 10, True)
    said = caplog.text + str(event)
    assert twice["EmployeeID"] in said
    for nobody_elses_business in ("Twice", "Sake", "Crowd", "same@example", "twice@example", "crowd"):
        assert nobody_elses_business not in said

    # As it was, in an incremental run and in a whole one; the event says it each time.
    world.sandbox.control("PUT", "clock", {"offset_seconds": 600})
    other = next(one for one in world.sandbox.truth("Employees") if one["EmployeeID"] not in ambiguous)
    world.sandbox.change("Employees", other["EmployeeID"], JobTitle="Changed ten minutes later")
    assert world.pull("staff").counts.rejected == 10
    the_whole_list_is_old(world)
    assert world.pull("staff").counts.rejected == 10
    assert {key: row for key, row in members(world).items() if key in before} == before

    # One is settled in QicWorks: it links itself in the next run, without a call for it.
    correct(world, doubles[1], "somebody.else@example.com.au")
    world.calls()
    assert world.pull("staff").counts.rejected == 9
    assert [call["path"] for call in world.calls()] == ["/payroll.xro/1.0/Employees"]
    after = members(world)
    assert (str(after[doubles[0]]["xero_id"]), after[doubles[0]]["match_state"]) == (twice["EmployeeID"], "linked")
    assert after[doubles[1]]["match_state"] == "none"
    lines = [
        row for row in world.rows("pay_template_line").values() if str(row["employee_xero_id"]) == twice["EmployeeID"]
    ]
    assert lines
    assert {str(line["staff_id"]) for line in lines} == {doubles[0]}

    # Another after a whole listing; and of the namesakes one is given another e-mail in Xero.
    world.sandbox.change("Employees", namesakes[0]["EmployeeID"], Email="other@example.com.au")
    the_whole_list_is_old(world)
    assert world.pull("staff").counts.rejected == 7
    after = members(world)
    assert (str(after[shared]["xero_id"]), after[shared]["match_state"]) == (namesakes[1]["EmployeeID"], "linked")
    assert world.rows("staff")[namesakes[0]["EmployeeID"]]["match_state"] == "created"
    world.query("UPDATE qicworks.staff SET account_email = id || '@example.com.au' WHERE last_name = 'Double'")
    assert world.pull("staff", full=True).counts.rejected == 7, "another email does not make them others"
    world.query("DELETE FROM qicworks.staff WHERE last_name = 'Double' AND match_state = 'none'")
    assert world.pull("staff").status == "success"
    assert (open_reasons(world), waiting(world)) == ({}, {})
    assert {world.rows("staff")[one["EmployeeID"]]["match_state"] for one in crowd} == {"created"}


ROBIN = ("Robin", "Again", "robin@example.com.au")


def test_a_member_whose_employee_left_is_who_was_hired_again(world: World) -> None:
    """In whatever order the two employees begin and end; also one that came from Xero, of whom QicWorks has leave."""
    world.sandbox.settings(limits=False)
    orders = {"left first": "linked", "both at once": "linked", "hired first": "linked", "from Xero": "created"}
    member, old, new = {}, {}, {}
    for order, state in orders.items():
        person = ("Robin", order, f"{order[:4]}@example.com.au")
        if state == "linked":
            member[order] = add_member(world, *person)
        old[order] = employ(world, *person, JobTitle="Before", StartDate="/Date(1600000000000+0000)/")["EmployeeID"]
    world.pull("staff")
    member["from Xero"] = str(world.rows("staff")[old["from Xero"]]["id"])
    world.query(
        "INSERT INTO qicworks.leave_request (organisation_id, staff_id, title, start_date, end_date, hours)"
        " SELECT organisation_id, id, 'Time off', '2026-11-02', '2026-11-02', 7.6 FROM qicworks.staff WHERE id = %s",
        member["from Xero"],
    )

    def leave(order: str) -> None:
        world.sandbox.change("Employees", old[order], Status="TERMINATED", TerminationDate="/Date(1764000000000+0000)/")

    def hire(order: str) -> None:
        person = (" robin", order.upper(), f"{order[:4]}@Example.com.au")
        new[order] = employ(world, *person, JobTitle="Now", StartDate="/Date(1764500000000+0000)/")["EmployeeID"]

    for order in orders:
        assert str(members(world)[member[order]]["xero_id"]) == old[order]
        (hire if order == "hired first" else leave)(order)
        if order == "both at once":
            hire(order)
    world.pull("staff")
    assert str(members(world)[member["hired first"]]["xero_id"]) == old["hired first"], "who works is not replaced"
    for order in orders.keys() - {"both at once"}:
        (leave if order == "hired first" else hire)(order)
    for full in (False, False, True):
        assert world.pull("staff", full=full).counts.rejected == 0
        rows = world.rows("staff")
        for order in orders:
            now, ended = rows[new[order]], rows[old[order]]
            assert (str(now["id"]), now["match_state"], now["is_active"]) == (member[order], "linked", True), order
            assert (ended["match_state"], ended["is_active"]) == ("created", False), order
            assert [(row["job_title"], row["status"]) for row in (now, ended)] == [
                ("Now", "ACTIVE"), ("Before", "TERMINATED"),
            ]  # fmt: skip
            assert (now["termination_date"], ended["start_date"] < now["start_date"]) == (None, True)
        for line in [*world.rows("pay_template_line").values(), *world.rows("leave_balance").values()]:
            assert line["staff_id"] == rows[str(line["employee_xero_id"])]["id"]


def test_pay_goes_to_who_was_hired_again(world: World) -> None:
    """What stands in the template of who left stays there, and is warned of once it goes to the other one, too."""
    payroll = Payroll(world)
    left = payroll.paid_by_the_hour()[0]
    person, first = payroll.employees[left], payroll.period(1)
    world.query("UPDATE qicworks.staff SET account_email = %s WHERE id = %s", ROBIN[2], payroll.staff[left])
    pay = payroll.pay(left, first, Line(units="20"))
    assert payroll.push("payroll").message == "1 pushed"
    world.sandbox.change("Employees", left, Status="TERMINATED")
    kept = {name: value for name, value in person.items() if name not in ("EmployeeID", "UpdatedDateUTC")}
    hired = world.sandbox.control(
        "POST", f"organisations/{world.sandbox.tenant()}/Employees", {**kept, "Email": ROBIN[2]}
    )["EmployeeID"]
    world.pull("staff")
    assert payroll.push("payroll").status == "success"
    assert [payroll.earnings(one)["Ordinary Hours"]["NormalNumberOfUnits"] for one in (left, hired)] == [20, 38]

    world.query("UPDATE qicworks.payroll_line SET units = 30 WHERE payroll_push_id = %s", pay)
    payroll.ready("payroll_push", pay)
    outcome = payroll.push("payroll")
    assert (outcome.status, outcome.message) == ("warning", "1 pushed, 1 with a warning")
    assert [payroll.earnings(one)["Ordinary Hours"]["NormalNumberOfUnits"] for one in (left, hired)] == [20, 30]
    payroll.pay_run("post")
    payroll.pay_run("post")
    payroll.pay(left, payroll.period(2), Line(units="7"))
    assert payroll.push("payroll").message == "1 pushed"
    assert [payroll.earnings(one)["Ordinary Hours"]["NormalNumberOfUnits"] for one in (left, hired)] == [20, 7]


def test_both_rows_change_places_with_all_that_xero_says_of_them(world: World) -> None:
    member = add_member(world, *ROBIN)
    old = employ(world, *ROBIN, Status="TERMINATED")["EmployeeID"]
    world.pull("staff")
    first, last, _ = ROBIN
    about = {"JobTitle": "Driver", "Phone": "1", "Mobile": "2", "Title": "Ms", "Classification": "C"}
    new = employ(world, first, last, "other@example.com.au", **about, StartDate="/Date(1764500000000+0000)/")
    world.pull("staff")
    before = world.rows("staff")
    correct(world, member, "other@example.com.au")
    world.pull("staff")
    after = world.rows("staff")
    own = {"id", "account_email", "match_state", "created_at", "synced_at", "row_version"}
    for key in (old, new["EmployeeID"]):
        assert {name: value for name, value in after[key].items() if name not in own} == {
            name: value for name, value in before[key].items() if name not in own
        }
    assert str(after[new["EmployeeID"]]["id"]) == member
    assert after[old]["id"] == before[new["EmployeeID"]]["id"]


def test_nobody_changes_places_where_it_could_be_several_or_qicworks_has_leave_of_both(world: World) -> None:
    twice = ("Twice", "Hired", "twice@example.com.au")
    known = {name: add_member(world, *person) for name, person in (("several", twice), ("both", ROBIN))}
    old = {}
    for name, person in (("several", twice), ("both", ROBIN)):
        old[name] = employ(world, *person, Status="TERMINATED")["EmployeeID"]
    alone = employ(world, "Came", "From Xero", "came@example.com.au", Status="TERMINATED")["EmployeeID"]
    world.pull("staff")
    for person in (twice, twice):
        employ(world, *person)
    with_leave = employ(world, *ROBIN[:2], "robin2@example.com.au")["EmployeeID"]
    employ(world, "Came", "From Xero", "came@example.com.au")
    world.pull("staff")
    world.query(
        "INSERT INTO qicworks.leave_request (organisation_id, staff_id, title, start_date, end_date, hours)"
        " SELECT organisation_id, id, 'Time off', '2026-11-02', '2026-11-02', 7.6 FROM qicworks.staff"
        " WHERE xero_id = %s",
        with_leave,
    )
    correct(world, known["both"], "robin2@example.com.au")
    before = {key: row["id"] for key, row in world.rows("staff").items()}
    world.pull("staff", full=True)
    assert {key: row["id"] for key, row in world.rows("staff").items()} == before
    for name, member in known.items():
        assert str(members(world)[member]["xero_id"]) == old[name]
    assert world.rows("staff")[alone]["match_state"] == "created"
