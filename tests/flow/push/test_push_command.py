"""`python -m xero push`: whose documents, what would be sent, what was, and the exit code."""

import json
import re
from typing import Any

import pytest

from tests.support.pushing import Books, Line
from tests.support.world import World
from xero.documents.registry import KINDS
from xero.sync.runs.participants import select_connections_to_push

INVOICES = KINDS["invoices"]


def taking_part(world: World, *how: Any, **more: Any) -> list[str]:
    return [one["organisation"] for one in select_connections_to_push(world.engine, INVOICES, *how, **more).taken]


@pytest.fixture
def two(world: World) -> tuple[Books, Books]:
    """Two organisations, each with an invoice INV-1; the first one with one of its own."""
    first, second = Books(world, 0), Books(world, 1)
    first.add("invoices", Line("33.3333", "3", department=True), Line("0.0001", "12345.6789"), number="INV-1")
    first.add("invoices", number="INV-2")
    second.add("invoices", number="INV-1")
    return first, second


def test_a_dry_run_is_printed_for_programs_and_for_people(world: World, two: tuple[Books, Books]) -> None:
    """That it writes nothing and shows the very body: `test_push_changes.py`, with every kind of document."""
    first, _ = two
    bad = first.add("invoices", number="BAD-1", contact_id=None)
    name = world.names()[0]

    shown = world.main("push", "invoices", "--connection", name, "--dry-run", "--json")

    assert shown.returncode == 1, "one would be refused"
    assert "invoice BAD-1 would be refused: not sent: it has no contact" in shown.stderr
    [line] = shown.stdout.splitlines()
    assert '"UnitAmount":33.3333' in line, "numbers as they are sent"
    assert '"Quantity":12345.6789,"UnitAmount":0.0001' in line

    first.edit("invoices", bad, push_state="skipped")
    assert world.main("push", "invoices", "--connection", name).returncode == 0
    [request] = first.requests(open_only=False)
    told = json.loads(line)
    assert (told["method"], told["path"], told["query"]) == (request["method"], request["path"], request["query"])
    sent = [call for call in world.calls() if call["method"] == "PUT"]
    assert len(sent) == 1
    assert [one["InvoiceNumber"] for one in told["body"]["Invoices"]] == ["INV-1", "INV-2"]
    readable = world.main("push", "invoices", "--dry-run")
    assert readable.returncode == 0
    assert '"InvoiceNumber": "INV-1"' in readable.stdout
    assert name not in readable.stdout, "it has nothing left"


def test_the_exit_code_is_good_only_if_nothing_failed(world: World, two: tuple[Books, Books]) -> None:
    first, second = two
    wrong = first.add("invoices", number="BAD-1", currency="USD")
    failed = world.main("push", "all")
    assert failed.returncode == 1
    assert "warning: 2 pushed, 1 failed" in failed.stdout
    assert "Bills: nothing is ready to be pushed" in failed.stdout
    assert world.main("push", "all").returncode == 0, "nothing is ready: nothing can fail"
    told = world.main("events", "-n", "30").stdout.splitlines()
    assert told[0].split("\t")[9:13] == ["pushed", "failed", "calls", "document"]
    assert any("\tinvoice BAD-1\tOrganisation is not subscribed to currency USD " in line for line in told)

    assert taking_part(world) == []
    assert taking_part(world, retry_failed=True) == [world.names()[0]]
    shown = world.main("push", "invoices", "--retry-failed", "--dry-run", "--json")
    assert [one["InvoiceNumber"] for one in json.loads(shown.stdout)["body"]["Invoices"]] == ["BAD-1"]
    assert world.main("push", "invoices", "--dry-run", "--json").stdout == ""
    assert world.main("push", "invoices", "--retry-failed").returncode == 1, "and fails again"
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE id = %s", first.connection_id)
    first.edit("invoices", wrong, currency="AUD")
    off = world.main("push", "invoices")
    assert off.returncode == 0, "switched off on purpose"
    assert "switched off; its documents wait" in off.stderr
    assert world.main("push", "invoices", "--connection", world.names()[0]).returncode == 1
    assert first.row("invoices", wrong)["push_state"] == "ready"
    assert {row["push_state"] for row in second.rows("invoices")} == {"pushed"}


def test_documents_are_found_by_id_and_number(world: World, two: tuple[Books, Books]) -> None:
    first, second = two
    name, other = world.names()[:2]
    both = {row["number"]: row["id"] for row in first.rows("invoices")}
    assert taking_part(world) == sorted([name, other])
    [own] = select_connections_to_push(world.engine, INVOICES, None, ["INV-2"]).taken
    assert (own["organisation"], own["documents"]) == (name, [str(both["INV-2"])])
    [own] = select_connections_to_push(world.engine, INVOICES, other, ["INV-1"]).taken
    assert own["documents"] == [str(second.rows("invoices")[0]["id"])]
    assert taking_part(world, None, [str(both["INV-1"]), str(second.rows("invoices")[0]["id"])]) == sorted(
        [name, other]
    )
    for how, says in (
        ((None, ["INV-1"]), "'.+', '.+' each have invoice INV-1; Say which"),
        ((None, ["INV-9"]), "no connected organisation has invoice INV-9"),
        ((other, ["INV-2"]), f"{other} has no invoice INV-2"),
    ):
        [told] = select_connections_to_push(world.engine, INVOICES, *how).undone
        assert re.search(says, f"{told.says}; {told.correction}")

    draft = first.add("invoices", number="DRAFT-1", state="draft")
    asked = world.main("push", "invoices", "--document", "INV-2", "DRAFT-1")
    assert asked.returncode == 1
    assert "invoice DRAFT-1 is draft (push_state): only what is ready is pushed" in asked.stderr
    assert {row["number"]: row["push_state"] for row in first.rows("invoices")} == {
        "INV-1": "ready",
        "INV-2": "pushed",
        "DRAFT-1": "draft",
    }
    assert draft
    for arguments in (["all", "--document", "INV-1"], ["invoices", "--json"]):
        with pytest.raises(SystemExit):
            world.main("push", *arguments)
