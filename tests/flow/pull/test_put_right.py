"""What somebody wrote to the pulled tables a full pull puts right: it compares what is held, not what it once noted."""

from typing import Any

import pytest

from tests.support.world import World
from xero.datasets.declaration import Column, ColumnType, Table
from xero.datasets.registry import DATASETS
from xero.qicworks import database

WRONG = {
    ColumnType.TEXT: "left('wrong ' || ctid::text, {length})",
    ColumnType.UUID: "gen_random_uuid()",
    ColumnType.BOOLEAN: "{column} IS NOT TRUE",
    ColumnType.NUMBER: "coalesce({column}, 0) + 1",
    ColumnType.DATE: "coalesce({column}, '2026-01-01') + 7",
    ColumnType.INSTANT: "coalesce({column}, now()) - interval '1 day'",
}
CHECKED = ("kind",)  # of few values, as the table says
NAMES = ("contacts", "chart_of_accounts", "tax_codes", "pay_codes", "tracking_categories", "staff")


def wrong(column: Column) -> str:
    return f"{column.name} = " + WRONG[column.type].format(column=column.name, length=column.max_length or 20)


def held(world: World, table: Table) -> list[dict[str, Any]]:
    names = ", ".join(("id", "organisation_id", "is_active", *(column.name for column in table.columns)))
    return world.query(f"SELECT {names} FROM qicworks.{table.name} WHERE connection_id = %s ORDER BY id",
                       world.connection_id())  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_full_pull_puts_right_what_somebody_wrote(world: World, name: str) -> None:
    for first in dict.fromkeys(("pay_codes", name)) if name == "staff" else [name]:
        world.pull(first)
    tables = DATASETS[name].tables
    before = {table.name: held(world, table) for table in tables}
    assert all(before.values())
    assert not world.pull(name, full=True).changed, "there is nothing to put right"
    # Each column of its own, and all at once.
    other = "organisation_id = (SELECT id FROM qicworks.organisation WHERE id <> organisation_id ORDER BY id LIMIT 1)"
    with database.session(world.engine) as session, session.transaction():
        for table in tables:
            columns = [column for column in table.columns if column.name not in (table.key, *CHECKED)]
            every = [
                *map(wrong, columns),
                other,
                *(["is_active = NOT is_active"] if not table.deactivated_in_qicworks else []),
            ]
            for number, row in enumerate(before[table.name][: len(every) + 1]):
                chosen = every[number : number + 1] or every
                statement = f"UPDATE qicworks.{table.name} SET {', '.join(chosen)} WHERE id = %s"
                session.execute(statement.encode(), [row["id"]])
    assert world.pull(name, full=True).changed
    for table in tables:
        assert held(world, table) == before[table.name], table.name
    assert not world.pull(name, full=True).changed


def test_a_row_that_xero_never_had_goes_with_a_full_pull(world: World) -> None:
    world.pull("contacts")
    [row] = world.query(
        "INSERT INTO qicworks.contact (connection_id, organisation_id, is_active, row_hash, xero_id, name,"
        " missing_since)"
        " SELECT connection_id, organisation_id, true, '', gen_random_uuid(), 'Nobody', now() FROM qicworks.contact"
        " LIMIT 1 RETURNING id"
    )
    assert world.pull("contacts", full=True).changed
    assert world.query("SELECT is_active FROM qicworks.contact WHERE id = %s", row["id"]) == [{"is_active": False}]
