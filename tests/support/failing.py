"""Documents that fail by themselves."""

from typing import Any

from tests.support.paying import Payroll
from tests.support.world import World
from xero.documents.registry import KINDS


def events(world: World) -> list[str]:
    """The documents that failed."""
    failed = "document IS NOT NULL AND status = 'error'"
    return [row["document"] for row in world.query(f"SELECT document FROM xero_sync.connection_event WHERE {failed}")]


def only_fail(payroll: Payroll, kind: str, bad: dict[Any, str], good: list[Any]) -> None:
    table = KINDS[kind].table
    assert [payroll.row(table, id)["push_state"] for id in good] == ["pushed"] * len(good)
    for id, says in bad.items():
        row = payroll.row(table, id)
        assert row["push_state"] == "failed"
        assert says in row["push_error"]
        assert row["push_correction"]
    assert set(events(payroll.world)) == {f"{KINDS[kind].word} {id}" for id in bad}
    payroll.world.calls()
    assert payroll.push(kind).counts.pushed == 0
    assert payroll.writes() == []
