"""The first link: which employee is which member of QicWorks' staff. One match, or nothing is touched."""

import pytest

from tests.support.employees import add_member, employ, members
from tests.support.expected_payroll import the_whole_list_is_old
from tests.support.world import World

Member = tuple[str, str, str | None]


def open_reasons(world: World) -> dict[str, str]:
    rows = world.query("SELECT key, reasons FROM xero_sync.rejection WHERE closed_at IS NULL AND table_name = 'staff'")
    return {row["key"]: " ".join(row["reasons"]) for row in rows}


def correct(world: World, member: str, email: str) -> None:
    world.query("UPDATE qicworks.staff SET account_email = %s WHERE id = %s", email, member)


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
    assert world.pull("staff").status == "success"
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
    for employee in (stranger, mailless):
        assert made[employee["EmployeeID"]]["account_email"] == employee["Email"]
    assert len(after) - len(before) == len(made)
    lines = world.rows("pay_template_line").values()
    assert [str(line["staff_id"]) in after for line in lines] == [True] * len(lines) != []

    # Renamed on either side, and read again in whatever way: who is linked stays who he is; nobody is linked twice.
    world.sandbox.change("Employees", exact["EmployeeID"], LastName="Married", Email="married@example.com.au")
    correct(world, is_spaced, "new@example.com.au")
    double = add_member(world, "Ngaire", "Married", "married@example.com.au")
    world.sandbox.settings(limits=False)
    for full in (False, True):
        assert world.pull("staff", full=full).status == "success"
        held = members(world)[is_exact]
        assert (str(held["xero_id"]), held["last_name"]) == (exact["EmployeeID"], "Married")
        assert held["account_email"] == "ngaire@example.com.au"
        held = members(world)[is_spaced]
        assert (held["match_state"], held["account_email"]) == ("linked", "new@example.com.au")
        assert members(world)[double]["match_state"] == "none"
    namesake = employ(world, "Ngaire", "Married", "ngaire@example.com.au")
    world.pull("staff")
    assert str(members(world)[is_exact]["xero_id"]) == exact["EmployeeID"], "who is linked is nobody else's"
    assert world.rows("staff")[namesake["EmployeeID"]]["match_state"] == "created"
    assert len(members(world)) == len(after) + 2


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
    assert all(reason.startswith("ambiguous: ") and key in reason for key, reason in reasons.items())
    assert "2 members" in reasons[twice["EmployeeID"]]
    assert "2 employees" in reasons[namesakes[0]["EmployeeID"]]
    event = world.event()
    assert (event["status"], event["rejected"], "ambiguous" in event["message"]) == ("warning", 10, True)
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
    assert world.pull("staff", full=True).status == "success"
    assert open_reasons(world) == {}
    assert {world.rows("staff")[one["EmployeeID"]]["match_state"] for one in crowd} == {"created"}
