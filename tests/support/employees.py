"""Employees in Xero and members of QicWorks' staff, as tests change and count them."""

from collections import Counter
from typing import Any

from tests.support.expected_accounting import Record
from tests.support.world import World


def read_by_id(world: World) -> Counter[str]:
    """Which employees were given, and how often, since the last time this was asked."""
    paths = [call["path"] for call in world.calls() if call["status"] == 200]
    return Counter(path.rpartition("/")[2] for path in paths if "/Employees/" in path)


def open_rejections(world: World) -> list[dict[str, Any]]:
    return world.query("SELECT * FROM xero_sync.rejection WHERE closed_at IS NULL ORDER BY id")


def actives(world: World) -> list[Record]:
    return [one for one in world.sandbox.truth("Employees") if one["Status"] == "ACTIVE"]


def change(world: World, employee: Record, **fields: Any) -> None:
    world.sandbox.change("Employees", employee["EmployeeID"], **fields)


LIST = "/payroll.xro/1.0/Employees"


def let_a_day_pass(world: World) -> None:
    """What was read today becomes what was read yesterday; what is older is forgotten."""
    world.query("DELETE FROM qicworks.leave_balance WHERE NOT is_active")
    world.query(
        "UPDATE qicworks.leave_balance SET as_at = as_at - 1, xero_id = left(xero_id, -10) || (as_at - 1)::text"
    )
    world.query("UPDATE qicworks.staff SET balances_read_at = balances_read_at - interval '1 day'")


def employ(world: World, first: str, last: str, email: str | None, **fields: Any) -> Record:
    """A further employee, made from another one."""
    model = next(one for one in world.sandbox.truth("Employees") if not one.get("TerminationDate"))
    person = {**model, "FirstName": first, "LastName": last, "Email": email, "Status": "ACTIVE", **fields}
    for name in ("EmployeeID", "UpdatedDateUTC"):
        del person[name]
    made: Record = world.sandbox.control("POST", f"organisations/{world.sandbox.tenant()}/Employees", person)
    return made


def add_member(world: World, first: str, last: str, email: str | None, organisation: int = 0) -> str:
    """A member of QicWorks' staff, linked to nobody. Returns the id."""
    [made] = world.query(
        "INSERT INTO qicworks.staff (organisation_id, first_name, last_name, account_email, match_state)"
        " SELECT organisation_id, %s, %s, %s, 'none' FROM xero_sync.connection WHERE id = %s RETURNING id",
        first,
        last,
        email,
        world.connection_id(organisation),
    )
    return str(made["id"])


def members(world: World) -> dict[str, dict[str, Any]]:
    """All of QicWorks' staff, by QicWorks' own ids."""
    return {str(row["id"]): row for row in world.query("SELECT *, xmin::text AS row_version FROM qicworks.staff")}
