"""Following needs no more than the rights that `migrate --grant-to` gives; and who has them decides nothing by them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import psycopg
import pytest

from tests.support import following
from tests.support.cancelling import CANCELLED
from tests.support.followed import differing, do, record, set_conflicts, sweep
from tests.support.granted import Granted, granted
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.world import World
from xero.documents.declaration import PricedKind
from xero.documents.registry import KINDS
from xero.qicworks.connect import connections
from xero.qicworks.database import session
from xero.qicworks.push.outbox import Outbox
from xero.sync.push.content.content import payload_hash


@pytest.fixture
def role(world: World) -> Iterator[Granted]:
    world.sandbox.settings(limits=False)
    with granted(world) as made:
        yield made


@contextmanager
def running_as(role: Granted, books: Books) -> Iterator[None]:
    books.world = role.sync
    try:
        yield
    finally:
        books.world = role.owner


@pytest.mark.parametrize("mode", ["ask", "qicworks", "xero"])
def test_the_role_that_pulls_and_pushes_follows(role: Granted, mode: str) -> None:
    books = Books(role.owner)
    set_conflicts(books, mode)
    made = {kind: (books.add(kind), books.add(kind)) for kind in PRICED}
    with running_as(role, books):
        for kind in made:
            books.push(kind)
    for kind, (edited, deleted) in made.items():
        do(books, kind, edited, "edit", fields={"Date": "2026-10-08"})
        do(books, kind, deleted, "delete")
    with running_as(role, books):
        sweep(books)
        for kind in made:
            books.push(kind)
        sweep(books)
    for kind, (edited, deleted) in made.items():
        row = books.row(kind, edited)
        assert row["issue_date"] == (date(2026, 10, 8) if mode == "xero" else date(2026, 10, 5)), kind
        assert [one.reason for one in differing(books, edited)] == (["edited_in_xero"] if mode == "ask" else []), kind
        assert [one.reason for one in differing(books, deleted)] == ["deleted_in_xero"], kind


def test_the_role_writes_over_no_document_by_itself(role: Granted) -> None:
    """Only where Xero's side was chosen, only what was pushed, only columns of its content."""
    books = Books(role.owner)
    document = books.add("invoices", Line("100"))
    books.push("invoices")
    version = books.row("invoices", document)["push_version"]

    def take_over(id: UUID, header: str) -> bool:
        called = "SELECT xero_sync.take_over('invoice', %s, %s, %s, '[]', '{}') AS done"
        return bool(role.sql(called, id, version, header)[0]["done"])

    assert not take_over(document, '{"number": "X"}'), "nobody chose Xero's side"
    set_conflicts(books, "xero")
    new = books.add("invoices", state="draft")
    assert not take_over(new, '{"number": "X"}'), "it is not in Xero"
    assert take_over(document, '{"push_state": "draft", "xero_id": null, "organisation_id": null, "job_name": "x"}')
    row = books.row("invoices", document)
    assert (row["push_state"], row["push_version"], row["job_name"]) == ("pushed", version, None)
    assert take_over(document, '{"number": "X"}')
    assert books.row("invoices", document)["number"] == "X"
    books.edit("invoices", document, reference="edited since")
    assert not take_over(document, '{"number": "Y"}'), "it is not the version that was compared"
    assert books.row("invoices", document)["number"] == "X"
    with pytest.raises(psycopg.Error):
        role.sql("SELECT xero_sync.take_over('organisation', %s, 1, '{}', '[]', '{}')", document)


def test_what_was_pushed_is_known_by_a_seal_alone(role: Granted) -> None:
    """Who can write to the tables cannot make an edit count as pushed."""
    books = Books(role.owner)
    document = books.add("bills", Line("100"))
    with running_as(role, books):
        books.push("bills")
    books.edit("bills", document, issue_date=date(2026, 10, 9))
    kind = KINDS["bills"]
    assert isinstance(kind, PricedKind)
    with session(books.world.engine) as db:
        [read] = Outbox(db, connections.one(db, books.connection_id), kind).read_priced([document])
    forged = payload_hash(kind, kind.payload(read))
    role.sql("UPDATE xero_sync.pushed_content SET payload = %s", forged)
    books.world.calls()
    with running_as(role, books):
        books.push("bills")
    # What was last pushed is no longer known, so the edit waits for a choice: it is neither sent nor counted as pushed.
    assert books.row("bills", document)["push_state"] == "failed"
    assert [one.reason for one in differing(books, document)] == ["edited_in_xero"]
    assert books.writes() == []


@pytest.mark.parametrize("kind", CANCELLED)
def test_the_role_cancels_no_document_and_undoes_no_cancellation(role: Granted, kind: str) -> None:
    books = Books(role.owner)
    kept, cancelled = books.add(kind, Line("100")), books.add(kind, Line("100"))
    in_force = books.row(kind, kept)["status"]
    with running_as(role, books):
        books.push(kind)
        sweep(books)
    books.edit(kind, cancelled, status=CANCELLED[kind])
    write = f"UPDATE qicworks.{PRICED[kind][0]} SET status = %s, xero_status = 'REJECTED' WHERE id = %s"
    for status, document in ((CANCELLED[kind], kept), ("Draft", kept), (in_force, cancelled)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            role.sql(write, status, document)
    with running_as(role, books):
        books.push(kind)
    assert [record(books, kind, one)["Status"] for one in (kept, cancelled)] == ["DRAFT", "DELETED"]


def test_the_role_rejects_leave_only_as_xero_does(role: Granted) -> None:
    payroll = Payroll(role.owner)
    employee = payroll.paid_by_the_hour()[0]
    kept, rejected = (following.pushed(payroll, employee, day, day) for day in map(payroll.start_of, (3, 4)))
    for status in ("Rejected", "Requested"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            role.sql("UPDATE qicworks.leave_request SET status = %s WHERE id = %s", status, kept)
    following.act(payroll, f"/{following.id_in_xero(payroll, rejected)}/reject")
    payroll.world = role.sync
    following.sweep(payroll)
    payroll.push("leave_requests")
    payroll.world = role.owner
    assert payroll.row("leave_request", rejected)["status"] == "Rejected"
    assert payroll.world.query("SELECT * FROM xero_sync.cancellation") == []
    periods = following.in_xero(payroll, kept)["LeavePeriods"]
    assert [one["LeavePeriodStatus"] for one in periods] == ["SCHEDULED"]


def test_a_table_of_the_role_itself_writes_no_cancellation(role: Granted) -> None:
    """It may name its temporary tables like those of QicWorks, and run the functions of their triggers."""
    books = Books(role.owner)
    document = books.add("bills", Line("100"))
    books.attach("bills", document, File())
    books.push("bills")
    for table, function in (("bill", "document_was_cancelled"), ("attachment", "file_was_removed")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema qicworks"):
            role.sql(
                f"CREATE TEMP TABLE {table} AS SELECT * FROM qicworks.{table};"
                f" CREATE TRIGGER own AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION xero_sync.{function}();"
                f" DELETE FROM {table}"
            )
    assert role.owner.query("SELECT document_id FROM xero_sync.cancellation") == []
    assert record(books, "bills", document)["Status"] == "DRAFT"
