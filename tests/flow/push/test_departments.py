"""Departments: a line takes the option of its department's name, in the tracking category that the setting names."""

import json
from typing import Any
from uuid import UUID

import pytest

from tests.support.kept_session import kept_session
from tests.support.pushing import PRICED, Books, Line
from tests.support.world import World
from xero.qicworks.connect import settings


@pytest.fixture
def books(world: World) -> Books:
    made = Books(world)
    world.pull("tracking_categories")
    return made


def choose(books: Books, category: str) -> None:
    with kept_session(books.world.engine) as session:
        settings.change(session, books.connection_id, {"departments": category}, "test")


def of(department: str | None, **columns: Any) -> Line:
    return Line(columns={"department": department, **columns})


def tracked(books: Books, kind: str, document: UUID) -> list[list[str]]:
    """The options of each line in Xero."""
    xero_id = str(books.row(kind, document)["xero_id"])
    record = next(one for one in books.in_xero(kind) if one[PRICED[kind][2]] == xero_id)
    return [[one["Option"] for one in line.get("Tracking") or []] for line in record["LineItems"]]


def option(books: Books, name: str) -> UUID:
    [found] = books.world.query(
        "SELECT id FROM qicworks.tracking_option WHERE name = %s AND connection_id = %s", name, books.connection_id
    )
    return UUID(str(found["id"]))


def differences(books: Books) -> list[dict[str, Any]]:
    return books.world.query("SELECT reason FROM xero_sync.difference WHERE settled_at IS NULL")


@pytest.mark.parametrize("kind", PRICED)
def test_a_line_takes_the_option_of_its_department(books: Books, kind: str) -> None:
    choose(books, "region")
    own = option(books, "South")
    document = books.add(kind, of("  NORTH "), of(None), of("Warranty", tracking_option_id=own), of(" "))
    books.push(kind)
    assert tracked(books, kind, document) == [["North"], [], ["South"], []]
    said = [row["message"] for row in books.world.query("SELECT message FROM xero_sync.connection_event")]
    assert any("1 lines with an account, tax code or department from the settings" in one for one in said)
    assert any("department 'Warranty' was not sent: the line has a tracking option, 'South'" in one for one in said)
    books.world.pull("document_status", full=True)
    assert differences(books) == []


def test_without_a_category_or_an_option_it_fails_before_a_call_and_says_what_to_do(books: Books) -> None:
    document = books.add("invoices", of("North"))
    books.writes()
    books.push("invoices")
    failed = books.row("invoices", document)
    assert failed["push_state"] == "failed"
    assert "its department 'North' has no tracking category in Xero" in failed["push_error"]
    assert "Settings, Departments" in failed["push_correction"]
    choose(books, "Job type")
    books.push("invoices")
    assert books.row("invoices", document)["push_state"] == "failed"
    books.world.query("UPDATE qicworks.invoice SET push_state = 'ready' WHERE id = %s", document)
    books.push("invoices")
    failed = books.row("invoices", document)
    assert "tracking category 'Job type' has no active option for department 'North'" in failed["push_error"]
    assert "Create in Xero" in failed["push_correction"]
    assert books.writes() == []
    choose(books, "Region")
    books.push("invoices")
    assert tracked(books, "invoices", document) == [["North"]], "it is ready again by itself"
    assert books.world.query("SELECT * FROM xero_sync.lacking_department") == []


def test_what_fails_for_another_reason_since_is_not_released(books: Books) -> None:
    choose(books, "Job type")
    document = books.add("invoices", of("North"))
    books.push("invoices")
    books.edit("invoices", document, number="")
    books.push("invoices")
    assert "it has no number" in books.row("invoices", document)["push_error"]
    books.world.query("UPDATE xero_sync.lacking_department SET version = 99")
    choose(books, "Region")
    outcome = books.push("invoices")
    assert outcome.counts.failed == 0, "not tried again"


def test_an_edit_of_the_department_alone_is_sent_and_another_category_is_not(books: Books) -> None:
    choose(books, "Region")
    document = books.add("invoices", of("North"))
    books.push("invoices")
    books.writes()
    release(books, document)
    books.push("invoices")
    assert books.writes() == []
    rename(books, document, " north")
    books.push("invoices")
    assert books.writes() == [], "the same department"
    rename(books, document, "South")
    assert books.row("invoices", document)["push_state"] == "ready"
    books.push("invoices")
    assert tracked(books, "invoices", document) == [["South"]]
    books.writes()
    choose(books, "Job type")
    release(books, document)
    books.push("invoices")
    assert books.writes() == []
    books.world.pull("document_status", full=True)
    assert differences(books) == []
    rename(books, document, "Nowhere")
    books.push("invoices")
    assert "no active option for department 'Nowhere'" in books.row("invoices", document)["push_error"]
    rename(books, document, None)
    books.push("invoices")
    assert tracked(books, "invoices", document) == [[]]
    choose(books, "Region")
    rename(books, document, "North")
    books.push("invoices")
    choose(books, "")
    books.edit("invoices", document, reference="another")
    books.push("invoices")
    assert tracked(books, "invoices", document) == [["North"]], "what it was sent with stays"


def test_a_line_that_was_sent_without_a_department_is_not_taken_for_unchanged_while_it_lacks_one(books: Books) -> None:
    choose(books, "Region")
    document = books.add("invoices", of(None))
    books.push("invoices")
    rename(books, document, "Nowhere")
    books.push("invoices")
    row = books.row("invoices", document)
    assert row["push_state"] == "failed"
    assert "'Nowhere'" in row["push_error"]


def test_a_category_that_was_archived_holds_back_only_what_needs_it(books: Books) -> None:
    choose(books, "Region")
    needing, other = books.add("invoices", of("North")), books.add("invoices", of(None))
    books.world.query("UPDATE qicworks.tracking_category SET is_active = false WHERE name = 'Region'")
    outcome = books.push("invoices")
    assert books.row("invoices", other)["push_state"] == "pushed"
    assert books.row("invoices", needing)["push_state"] == "ready"
    assert "1 left, because a setting that they need no longer fits" in outcome.message


def test_a_dry_run_names_each_line_that_takes_its_departments_option(books: Books) -> None:
    choose(books, "Region")
    books.add("invoices", of("north"), number="INV-77")
    done = books.world.main("push", "invoices", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert "invoice INV-77 line 1: tracking option North, from the settings" in done.stderr
    [sent] = json.loads(done.stdout.splitlines()[-1])["body"]["Invoices"]
    assert [len(line["Tracking"]) for line in sent["LineItems"]] == [1]


@pytest.mark.parametrize("theirs", ["South", None])
def test_what_was_changed_in_xero_is_taken_over_and_nothing_differs_afterwards(
    books: Books, theirs: str | None
) -> None:
    choose(books, "Region")
    document = books.add("invoices", of("North"))
    books.push("invoices")
    xero_id = str(books.row("invoices", document)["xero_id"])
    [line] = next(one for one in books.in_xero("invoices") if one["InvoiceID"] == xero_id)["LineItems"]
    line = {**line, "Tracking": [{"Name": "Region", "Option": theirs}] if theirs else []}
    books.bookkeep("edit", invoice=xero_id, fields={"LineItems": [line]})
    with kept_session(books.world.engine) as session:
        settings.change(session, books.connection_id, {"conflicts": "xero"}, "test")
    books.world.pull("document_status")
    books.edit("invoices", document, reference="another")
    books.push("invoices")
    books.push("invoices")
    [own] = books.lines("invoices", document)
    assert own["department"] is None
    assert own["tracking_option_id"] == (option(books, theirs) if theirs else None)
    assert tracked(books, "invoices", document) == [[theirs] if theirs else []]
    books.world.pull("document_status", full=True)
    assert differences(books) == []


def test_what_a_worker_of_the_version_before_sent_without_department_is_a_difference(books: Books) -> None:
    choose(books, "Region")
    document = books.add("invoices", of(None))
    books.push("invoices")
    unseen(books, "document_line", f"department = 'North' WHERE parent_id = '{document}'")  # as if it had been there
    unseen(books, "invoice", "updated_at = now() - interval '61 minutes'")
    books.world.pull("document_status", full=True)
    assert [row["reason"] for row in differences(books)] == ["edited_in_qicworks"]
    books.edit("invoices", document, reference="another")
    books.push("invoices")
    assert tracked(books, "invoices", document) == [["North"]]
    assert differences(books) == []


def release(books: Books, document: UUID) -> None:
    books.world.query("UPDATE qicworks.invoice SET push_state = 'ready' WHERE id = %s", document)


def rename(books: Books, document: UUID, department: str | None) -> None:
    books.world.query("UPDATE qicworks.document_line SET department = %s WHERE parent_id = %s", department, document)


def unseen(books: Books, table: str, changes: str) -> None:
    """An update that no trigger sees."""
    books.world.query(f"ALTER TABLE qicworks.{table} DISABLE TRIGGER USER")
    books.world.query(f"UPDATE qicworks.{table} SET {changes}")
    books.world.query(f"ALTER TABLE qicworks.{table} ENABLE TRIGGER USER")


def test_the_command_line_says_which_departments_xero_lacks(books: Books) -> None:
    books.add("invoices", of("Nowhere"), of("North"))
    chosen = books.world.main("settings", "set", "departments=region", "--connection", books.world.names()[0])
    assert chosen.returncode == 0, chosen.stderr
    found = books.world.main("settings", "validate")
    assert found.returncode == 1
    assert "'Nowhere' has no option in Xero" in " ".join(found.stdout.split())
    assert "'North'" not in found.stdout
