"""Lines without an account or tax code take the default of the settings, visibly, and only when they are sent."""

import json
from typing import Any
from uuid import UUID

import pytest

from tests.support.kept_session import kept_session
from tests.support.pushing import COSTS, PRICED, SALES, Books, Line
from tests.support.world import World
from xero.qicworks.connect import settings


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def choose(books: Books, **values: str) -> None:
    """`__` in a name is a dot."""
    with kept_session(books.world.engine) as session:
        changes = {name.replace("__", "."): value for name, value in values.items()}
        settings.change(session, books.connection_id, changes, "test")


def without(books: Books, kind: str, *lines: Line, only: str = "", **columns: Any) -> UUID:
    """A ready document whose lines have no account and no tax code; `only`: only this column is empty."""
    document = books.add(kind, *lines, state="draft", **columns)
    empty = [only] if only else ["account_id", "tax_code_id"]
    sets = ", ".join(f"{name} = NULL" for name in empty)
    books.world.query(f"UPDATE qicworks.document_line SET {sets} WHERE parent_id = %s", document)
    release(books, kind, document)
    return document


def release(books: Books, kind: str, document: UUID) -> None:
    books.world.query(f"UPDATE qicworks.{PRICED[kind][0]} SET push_state = 'ready' WHERE id = %s", document)


def row(books: Books, kind: str, document: UUID) -> dict[str, Any]:
    [found] = books.world.query(f"SELECT * FROM qicworks.{PRICED[kind][0]} WHERE id = %s", document)
    return found


def in_xero(books: Books, kind: str, document: UUID) -> dict[str, Any]:
    xero_id = str(row(books, kind, document)["xero_id"])
    return next(one for one in books.in_xero(kind) if one[PRICED[kind][2]] == xero_id)


def booked(books: Books, kind: str, document: UUID) -> set[tuple[str, str]]:
    return {(line["AccountCode"], line["TaxType"]) for line in in_xero(books, kind, document)["LineItems"]}


CASES = [
    ("invoices", "", SALES, {}),
    ("bills", "", COSTS, {}),
    ("expenses", "", COSTS, {}),
    ("purchase_orders", "", COSTS, {}),
    ("credit_notes", "", SALES, {"side": "customer"}),
    ("credit_notes", "supplier_", COSTS, {"side": "supplier"}),
]


@pytest.mark.parametrize(("kind", "prefix", "usual", "columns"), CASES)
def test_a_line_takes_the_default_of_its_kind_and_its_side(
    books: Books, kind: str, prefix: str, usual: tuple[str, str], columns: dict[str, Any]
) -> None:
    document = without(books, kind, Line(), **columns)
    books.push(kind)
    failed = row(books, kind, document)
    assert failed["push_state"] == "failed"
    assert "it has no account" in failed["push_error"]
    assert "Settings" in failed["push_correction"]
    choose(books, **{f"{kind}__{prefix}account": usual[0], f"{kind}__{prefix}tax_code": usual[1]})
    release(books, kind, document)
    own = books.add(kind, Line(account="404" if usual == COSTS else "260"), **columns)
    books.push(kind)
    assert booked(books, kind, document) == {usual}
    assert booked(books, kind, own) != {usual}, "a line that has its own keeps it"
    assert "1 lines with an account, tax code or department from the settings" in books.world.event()["message"]
    lines = books.world.query("SELECT account_id FROM qicworks.document_line WHERE parent_id = %s", document)
    assert [line["account_id"] for line in lines] == [None], "QicWorks' own line is as it was"
    books.world.pull("document_status")
    assert books.world.query("SELECT * FROM xero_sync.difference WHERE settled_at IS NULL") == []


def test_only_what_a_line_lacks_is_taken(books: Books) -> None:
    choose(books, invoices__account="200", invoices__tax_code="EXEMPTOUTPUT")
    document = without(books, "invoices", Line(account="260"), only="tax_code_id")
    books.push("invoices")
    assert booked(books, "invoices", document) == {("260", "EXEMPTOUTPUT")}


def test_another_default_alone_sends_nothing_and_differs_from_nothing_until_the_next_edit(books: Books) -> None:
    choose(books, invoices__account="200", invoices__tax_code="OUTPUT")
    document = without(books, "invoices", Line())
    books.push("invoices")
    books.writes()
    choose(books, invoices__account="260")
    release(books, "invoices", document)
    books.push("invoices")
    assert books.writes() == []
    assert row(books, "invoices", document)["push_state"] == "pushed"
    books.world.pull("document_status", full=True)
    assert books.world.query("SELECT * FROM xero_sync.difference WHERE settled_at IS NULL") == []
    books.edit("invoices", document, reference="another")
    books.push("invoices")
    assert len(books.writes()) == 1
    assert booked(books, "invoices", document) == {("260", "OUTPUT")}
    assert books.world.query("SELECT * FROM xero_sync.difference WHERE settled_at IS NULL") == []
    choose(books, invoices__account="")
    books.edit("invoices", document, reference="a third")
    books.push("invoices")
    assert booked(books, "invoices", document) == {("260", "OUTPUT")}, "what it was sent with stays"


def test_a_default_that_was_archived_holds_back_only_what_needs_it(books: Books) -> None:
    choose(books, bills__account="429", bills__tax_code="INPUT")
    needing, own = without(books, "bills", Line()), books.add("bills", Line(account="404"))
    books.world.query("UPDATE qicworks.account SET is_active = false WHERE code = '429'")
    outcome = books.push("bills")
    assert row(books, "bills", own)["push_state"] == "pushed"
    assert row(books, "bills", needing)["push_state"] == "ready"
    assert "1 left, because a setting that they need no longer fits" in outcome.message
    event = books.world.event()
    assert (event["status"], event["outcome"]) == ("warning", "partly_done")
    assert "Settings" in event["correction"]
    choose(books, bills__account="404")
    books.push("bills")
    assert booked(books, "bills", needing) == {("404", "INPUT")}


@pytest.mark.parametrize("kind", ["invoices", "bills", "purchase_orders"])
def test_a_default_that_was_taken_away_is_not_sent_of_what_xero_never_had(books: Books, kind: str) -> None:
    code, tax_code = SALES if kind == "invoices" else COSTS
    choose(books, **{f"{kind}__account": code, f"{kind}__tax_code": tax_code})
    document = without(books, kind, Line())
    [account] = [one for one in books.world.sandbox.truth("Accounts") if one.get("Code") == code]
    books.world.sandbox.change("Accounts", account["AccountID"], Status="ARCHIVED")
    books.push(kind)
    assert row(books, kind, document)["push_state"] == "failed"
    books.world.sandbox.change("Accounts", account["AccountID"], Status="ACTIVE")
    choose(books, **{f"{kind}__account": "", f"{kind}__tax_code": ""})
    release(books, kind, document)
    books.push(kind)
    now = row(books, kind, document)
    assert (now["push_state"], now["xero_id"]) == ("failed", None)
    assert "has no account" in now["push_error"]


def test_a_dry_run_names_each_line_that_takes_a_default(books: Books) -> None:
    choose(books, invoices__account="200", invoices__tax_code="OUTPUT")
    without(books, "invoices", Line(), Line(), number="INV-77")
    done = books.world.main("push", "invoices", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    for line in (1, 2):
        said = f"invoice INV-77 line {line}: default account 200 and default tax code OUTPUT, from the settings"
        assert said in done.stderr
    [sent] = json.loads(done.stdout.splitlines()[-1])["body"]["Invoices"]
    assert {line["TaxType"] for line in sent["LineItems"]} == {"OUTPUT"}


def test_a_request_whose_response_was_lost_is_recognised_after_the_default_changed(books: Books) -> None:
    choose(books, invoices__account="200", invoices__tax_code="OUTPUT")
    document = without(books, "invoices", Line())
    books.world.fault(kind="lost_answer", method="PUT", path="/Invoices", times=9)
    with pytest.raises(Exception, match=r"."):
        books.push("invoices")
    books.world.sandbox.control("DELETE", "faults")
    choose(books, invoices__account="260")
    books.pass_time(1_000)
    books.drain("invoices")
    number = row(books, "invoices", document)["number"]
    assert [one["InvoiceNumber"] for one in books.in_xero("invoices")].count(number) == 1
    assert booked(books, "invoices", document) == {SALES}
    assert books.world.query("SELECT * FROM xero_sync.difference WHERE settled_at IS NULL") == []
