"""After a pull QicWorks holds of payroll what Xero holds, field by field. The comparison owes the code nothing."""

from tests.support.expected_payroll import (
    assert_lines_know_their_pay_codes,
    assert_pay_codes_equal,
    assert_payroll_equal,
    of,
    put_back,
    rates,
    remove,
    the_whole_list_is_old,
)
from tests.support.world import World


def test_what_lies_in_qicworks_equals_what_xero_holds_and_follows_it(world: World) -> None:
    world.sandbox.settings(limits=False)
    for organisation, order in ((1, ("pay_codes", "staff")), (0, ("staff", "pay_codes"))):
        for name in order:
            world.pull(name, organisation)
        assert_pay_codes_equal(world, organisation)
        assert_payroll_equal(world, organisation)
    assert any(not row["is_active"] for row in world.rows("staff").values()), "nobody terminated proves less"
    assert any(row["line_number"] == 3 for row in world.rows("pay_template_line").values()), "nor without doubles"
    assert_lines_know_their_pay_codes(world)
    before = {table: world.rows(table) for table in ("staff", "pay_template_line", "leave_balance", "pay_code")}
    for name in ("pay_codes", "staff", "leave_balances"):
        outcome = world.pull(name)
        assert (outcome.status, outcome.changed) == ("success", False)
    assert {table: world.rows(table) for table in before} == before, "what says the same is not written"

    active = [one for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE"]
    thrice = next(one for one in active if len(rates(one)) == 3 and len(set(rates(one))) == 1)
    balanced = [one for one in active if one["LeaveBalances"] and one is not thrice]
    renamed, terminated, without_leave, added, gone = balanced[:5]
    rate = next(one for one in world.sandbox.truth("EarningsRates") if one["CurrentRecord"])
    new = {**rate, "EarningsRateID": "00000000-0000-4000-8000-000000000001", "Name": "Ordinary Hours from July"}
    del new["UpdatedDateUTC"]
    world.sandbox.change("EarningsRates", rate["EarningsRateID"], CurrentRecord=False)
    world.sandbox.control("POST", f"organisations/{world.sandbox.tenant()}/EarningsRates", new)
    world.sandbox.change(
        "Employees", renamed["EmployeeID"], FirstName="Zoë", LastName="東京", Email="zoe@example.com.au", Mobile=""
    )
    world.sandbox.change(
        "Employees", terminated["EmployeeID"], Status="TERMINATED", TerminationDate="/Date(1790000000000+0000)/"
    )
    world.sandbox.change("Employees", without_leave["EmployeeID"], LeaveBalances=[])
    _, second, third = thrice["PayTemplate"]["EarningsLines"]
    changed = {**third, "RatePerUnit": 41.255}
    fewer = {**thrice["PayTemplate"], "EarningsLines": [second, changed], "SuperLines": []}
    world.sandbox.change("Employees", thrice["EmployeeID"], PayTemplate=fewer)
    line = {"EarningsRateID": new["EarningsRateID"], "CalculationType": "USEEARNINGSRATE", "NormalNumberOfUnits": 7.6}
    percent = {"DeductionTypeID": world.sandbox.truth("DeductionTypes")[0]["DeductionTypeID"], "Percentage": 2.5}
    more = added["PayTemplate"]
    more = {
        **more,
        "EarningsLines": [line, *more["EarningsLines"]],
        "DeductionLines": [*more["DeductionLines"], {**percent, "CalculationType": "POSTTAX"}],
    }
    world.sandbox.change("Employees", added["EmployeeID"], PayTemplate=more)
    outcome = world.pull("pay_codes")
    assert (outcome.counts.inserted, outcome.counts.deactivated) == (1, 1)
    outcome = world.pull("staff")
    assert (outcome.status, outcome.counts.rejected) == ("success", 0)
    assert_pay_codes_equal(world)
    assert_payroll_equal(world)
    assert_lines_know_their_pay_codes(world)
    assert [row["is_active"] for row in of(world, "leave_balance", without_leave)] == [False] * 3
    left = [row for row in of(world, "pay_template_line", thrice) if row["kind"] in ("EARNINGS", "SUPER")]
    assert sorted((row["kind"], row["line_number"]) for row in left if row["missing_since"]) == [
        ("EARNINGS", 3),
        *(("SUPER", 1) for _ in thrice["PayTemplate"]["SuperLines"]),
    ]

    remove(world, gone)
    world.pull("staff")
    assert world.rows("staff")[gone["EmployeeID"]]["is_active"], "absence from what changed says nothing"
    the_whole_list_is_old(world)
    assert world.pull("staff").counts.deactivated == 1 + len(of(world, "pay_template_line", gone))
    held = world.rows("staff")[gone["EmployeeID"]]
    assert (held["is_active"], held["missing_since"] is None) == (False, False)
    for table in ("pay_template_line", "leave_balance"):
        assert of(world, table, gone)
        assert not any(row["is_active"] for row in of(world, table, gone))
    put_back(world, gone)
    the_whole_list_is_old(world)
    world.pull("staff")
    assert world.rows("staff")[gone["EmployeeID"]]["missing_since"] is None
    assert_payroll_equal(world)


def test_who_is_terminated_or_gone_is_found_where_the_list_leaves_out_the_terminated(world: World) -> None:
    world.sandbox.settings(terminated_listed=False)
    world.pull("staff")
    assert_payroll_equal(world, whole=False)
    terminated, gone, *_ = (one for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE")
    world.sandbox.change("Employees", terminated["EmployeeID"], Status="TERMINATED")
    remove(world, gone)
    world.pull("staff")
    assert world.rows("staff")[gone["EmployeeID"]]["is_active"]
    the_whole_list_is_old(world)
    world.pull("staff")
    held = world.rows("staff")
    assert [held[one["EmployeeID"]]["is_active"] for one in (terminated, gone)] == [False, False]
    assert (held[terminated["EmployeeID"]]["status"], held[gone["EmployeeID"]]["missing_since"] is None) == (
        "TERMINATED",
        False,
    )
    assert_payroll_equal(world, whole=False)
    world.sandbox.change("Employees", terminated["EmployeeID"], Status="ACTIVE")
    world.pull("staff")
    assert world.rows("staff")[terminated["EmployeeID"]]["is_active"]
    assert_payroll_equal(world, whole=False)


def test_pay_items_are_whole_however_they_are_paged(unconnected: World) -> None:
    world = unconnected
    world.sandbox.reset(earnings_rates={world.names()[0]: 130})
    world.connect()
    assert len(world.sandbox.truth("EarningsRates")) == 130
    for paging, inserted in (("all", 145), ("none", 0), ("each", 0)):
        world.sandbox.settings(payitems_paging=paging)
        outcome = world.pull("pay_codes")
        assert (outcome.counts.inserted, outcome.counts.deactivated, paging) == (inserted, 0, paging)
        assert_pay_codes_equal(world)
