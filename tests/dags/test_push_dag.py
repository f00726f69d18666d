"""The invoices' push DAG, run by Airflow against the sandbox and a real database."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.pushing import Books, Line
from tests.support.world import World
from xero.dags.pushing import listed
from xero.hooks import qicworks_engine

RunPush = Callable[..., Any]


@pytest.fixture
def run_push(dags: dict[str, Any], airflow_database: None, world: World, monkeypatch: pytest.MonkeyPatch) -> RunPush:
    """Runs push_invoices with these params; the finished run."""
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
    qicworks_engine.cache_clear()

    def run(connection: str | None = None, document_ids: Any = None, dry_run: bool = False) -> Any:
        # All every time: what one call sets stays set on the DAG.
        conf = {"connection": connection, "document_ids": document_ids, "dry_run": dry_run}
        return dags["push_invoices"].test(run_conf=conf)

    return run


@pytest.fixture
def said() -> Iterator[list[logging.LogRecord]]:
    """What the project logs, at whatever level Airflow has its own."""
    records: list[logging.LogRecord] = []
    handler, logger = logging.Handler(), logging.getLogger("xero")
    handler.emit = records.append  # type: ignore[method-assign]
    loud = [(one, one.level) for one in (logger, logging.getLogger("xero.events"))]  # the command line mutes the latter
    for one, _ in loud:
        one.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)
    for one, level in loud:
        one.setLevel(level)


def states(run: Any) -> dict[str, str]:
    """Task id, with the organisation where mapped → state."""
    return {
        f"{instance.task_id} {instance.rendered_map_index or ''}".strip(): str(instance.state)
        for instance in run.get_task_instances()
    }


def test_who_has_something_pushes_it_and_a_bad_document_fails_no_task(
    run_push: RunPush, world: World, said: list[logging.LogRecord]
) -> None:
    first, second = Books(world, 0), Books(world, 1)
    good = first.add("invoices", Line("33.3333", "3"), number="INV-1")
    bad = first.add("invoices", number="INV-2", currency="USD")
    other = second.add("invoices", number="INV-1")

    dry = run_push(dry_run=True)
    assert dry.state == "success"
    assert "nothing was sent: 2 would be, in 1 requests; 0 refused" in [record.getMessage() for record in said]
    assert first.requests(open_only=False) == []
    assert world.query("SELECT * FROM xero_sync.connection_event WHERE direction = 'push'") == []

    run = run_push()
    assert run.state == "success"
    names = world.names()[:2]
    assert states(run) == {"connections": "success", **{f"push {name}": "success" for name in names}}
    assert [
        books.row("invoices", id)["push_state"] for books, id in ((first, good), (first, bad), (second, other))
    ] == [
        "pushed",
        "failed",
        "pushed",
    ]
    [about] = [record for record in said if "document='invoice INV-2'" in record.getMessage()]
    assert about.levelno == logging.ERROR
    assert "Organisation is not subscribed to currency USD" in about.getMessage()
    assert "Add the currency USD in Xero" in about.getMessage()
    whole = world.query(
        "SELECT * FROM xero_sync.connection_event WHERE direction = 'push' AND document IS NULL ORDER BY pushed, failed"
    )
    assert [(one["status"], one["pushed"], one["failed"]) for one in whole] == [("success", 1, 0), ("warning", 1, 1)]
    assert {(one["dag_id"], one["run_id"], one["task_id"]) for one in whole} == {("push_invoices", run.run_id, "push")}

    assert states(run_push()) == {"connections": "success", "push": "skipped"}, "nothing is ready"

    first.add("invoices", number="INV-3")
    first.edit("invoices", bad, push_error=None)
    named = run_push(document_ids=["INV-2"])
    assert list(states(named)) == ["connections", f"push {names[0]}"]
    assert {row["number"]: row["push_state"] for row in first.rows("invoices")} == {
        "INV-1": "pushed",
        "INV-2": "failed",
        "INV-3": "ready",
    }
    assert named.state == "failed", "it failed again"


def test_a_dry_run_tells_viewers_which_documents_and_not_what_is_in_them(
    run_push: RunPush, world: World, dags: dict[str, Any], said: list[logging.LogRecord]
) -> None:
    """A viewer, who reads task logs, is refused the preview."""
    books = Books(world, 0)
    conf = {"connection": world.names()[0], "document_ids": None, "dry_run": True}
    for kind, word in (("invoices", "invoice"), ("bills", "bill")):
        said.clear()
        books.add(kind, Line("33.3333", "3", "Switchboard of a neighbour"), number="GOOD-1")
        books.add(kind, number="BAD-1", contact_id=None)
        assert (run_push(dry_run=True) if kind == "invoices" else dags[f"push_{kind}"].test(run_conf=conf)).state
        told = [record.getMessage() for record in said]
        assert f"{word} GOOD-1 would be sent" in told
        [refused] = [record for record in said if record.levelno == logging.ERROR]
        assert refused.getMessage().startswith(f"{word} BAD-1 would be refused: not sent: it has no contact")
        assert "nothing was sent: 1 would be, in 1 requests; 1 refused" in told
        assert not [line for line in told if "UnitAmount" in line or "33.3333" in line or "neighbour" in line]
        [where] = [line for line in told if "Preview" in line]
        assert f"python -m xero push {kind} --dry-run" in where


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (None, None),
        ("", [""]),
        ([" INV-1 ", ""], ["INV-1", ""]),
        ([None], [""]),
        ("INV-1,,INV-2", ["INV-1", "", "INV-2"]),
        ("\nINV-1,\n\nINV-2\n", ["INV-1", "INV-2"]),
        ("INV-1, INV-2\nINV-3", ["INV-1", "INV-2", "INV-3"]),
        (["A, B"], ["A, B"]),
        ([17], ["17"]),
    ],
)
def test_documents_come_as_an_array_or_as_a_text(asked: Any, names: list[str] | None) -> None:
    assert listed(asked) == names
