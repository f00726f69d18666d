"""Whoever can write a name, in QicWorks or in Xero, writes no line of a log and nothing that a terminal obeys."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.pushing import Books, File
from tests.support.world import World
from xero.api.errors import XeroError
from xero.dags.alert_text import failed
from xero.dags.organisations import tell
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.runs.events import Origin
from xero.qicworks.views import dag_runs
from xero.sync.runs.participants import select_connections, select_connections_to_push
from xero.sync.runs.requested import record

# A line of its own, a colour, a line end that is none to some, text from right to left.
FORGED = "\n2026-11-30 ERROR forged\r\x1b[31m\x9b2K\u2028\u202e"


def odd(said: str) -> list[str]:
    return [
        line for line in said.splitlines() if not line.replace("\t", " ").isprintable() or "ERROR forged" in line[:24]
    ]


@pytest.fixture
def forged(world: World) -> Books:
    """An organisation, a contact, documents, a file and a record that cannot be read, all of such a name."""
    books = Books(world)
    [contact, damaged, *_] = world.sandbox.truth("Contacts")
    world.sandbox.change("Contacts", contact["ContactID"], Name=f"Contact{FORGED}")
    world.sandbox.change("Contacts", damaged["ContactID"], Name=f"Damaged{FORGED}", IsCustomer=f"perhaps{FORGED}")
    world.query(
        "UPDATE qicworks.organisation SET name = name || %s WHERE id ="
        " (SELECT organisation_id FROM xero_sync.connection WHERE id = %s)",
        FORGED,
        world.connection_id(),
    )
    world.sandbox.organisations[0]["name"] += FORGED
    world.query("UPDATE xero_sync.connection SET tenant_name = tenant_name || %s", FORGED)
    return books


def test_no_name_writes_a_line_of_a_log(forged: Books, caplog: pytest.LogCaptureFixture) -> None:
    for logger in ("xero", "xero.events"):  # the command line mutes the latter
        caplog.set_level(logging.DEBUG, logger)
    books, world = forged, forged.world
    for name in ("contacts", "tax_codes"):
        world.pull(name, origin=Origin(dag_id="pull_contacts", run_id="a run"))
    for kind in ("invoices", "bills"):
        files = [File(f"file{FORGED}.txt", b"x")]
        books.add(kind, number=f"GOOD{FORGED}", files=files)
        books.add(kind, number=f"BAD{FORGED}", currency="USD")
        books.add(kind, number=f"UNFIT{FORGED}", contact_id=None)
        books.push(kind)
        books.add(kind, number=f"DRAFT{FORGED}", state="draft")
        names = [f"DRAFT{FORGED}", f"NOBODY{FORGED}"]
        turns = select_connections_to_push(world.engine, KINDS[kind], documents=names)
        assert len(turns.undone) == len(names)
        tell(turns.taken, turns.left_out)
        record(world.engine, KINDS[kind], turns.undone, Origin())
    tell(*select_connections(world.engine, DATASETS["contacts"]))
    for wanted in (f"nobody{FORGED}", "nobody"):
        with pytest.raises(LookupError) as unknown:
            select_connections(world.engine, DATASETS["contacts"], wanted)
        assert odd(str(unknown.value)) == []
    world.fault(path="Contacts", kind="revoked", times=None)
    with pytest.raises(XeroError):
        world.pull("contacts", origin=Origin(dag_id="pull_contacts", run_id="a run"))

    said = [record.getMessage() for record in caplog.records if record.name.startswith("xero")]
    assert any("GOOD" in line for line in said)
    assert any("rejected: contact" in line for line in said)
    assert any("forged" in line and "taking part" in line for line in said)
    assert [line for line in said if odd(line) or "\n" in line] == []

    told = world.main("events", "-n", "50")
    assert "GOOD" in told.stdout
    assert odd(told.stdout) == []
    assert all(
        line.count("\t") == told.stdout.count("\t") / len(told.stdout.splitlines()) for line in told.stdout.splitlines()
    )
    for command in (("connections",), ("pull", "tax_codes"), ("push", "bills", "--retry-failed", "--dry-run")):
        answer = world.main(*command)
        assert odd(answer.stdout + answer.stderr) == [], command
    since = datetime.now(UTC) - timedelta(days=1)
    with database.session(world.engine) as session:
        message = failed("pull_contacts", "a run", dag_runs.ends(session, "pull_contacts", "a run", since), "")
    assert [line for line in message.lines if odd(line) or "\n" in line] == []
