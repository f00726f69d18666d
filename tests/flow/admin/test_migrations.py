"""A migration only adds: workers of the version before end beside it, and what lies in the tables stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.support.ageing import age
from tests.support.catalogue import Catalogue, catalogue, taken_away
from tests.support.lived import Lived, contents, live, load
from tests.support.one_world import world_for_all
from tests.support.paying import Line as PayLine
from tests.support.pushing import PRICED
from tests.support.reconciling import compare
from tests.support.versions import MIGRATIONS, as_of
from tests.support.world import World
from xero.qicworks import database
from xero.qicworks.admin.migrate import migrate
from xero.qicworks.admin.retention import Retention
from xero.qicworks.database import Session
from xero.qicworks.runs.events import Origin
from xero.sync.runs.pruning import prune

#: Before this project had workers.
KNOWN = (
    "0005.payroll: qicworks.organisation: next_pay_date_is_a_date forbids what was allowed:",
    # Triggers alone write these rows, and this migration brings their functions.
    "0026.there-again: xero_sync.cancellation ",
    *(
        f"0026.there-again: the trigger qicworks.{table} {trigger} was "
        for table, trigger in (
            *((table, "was_cancelled") for table in ("invoice", "bill", "expense", "credit_note", "purchase_order")),
            ("leave_request", "was_cancelled"),
            ("attachment", "was_removed"),
        )
    ),
)

TAKES_AWAY = """
    DROP TABLE xero_sync.oauth_state;
    DROP VIEW xero_sync.request_past;
    ALTER TABLE qicworks.invoice RENAME TO sales_invoice;
    ALTER TABLE qicworks.invoice RENAME COLUMN reference TO our_reference;
    ALTER TABLE qicworks.invoice DROP COLUMN reference;
    ALTER TABLE qicworks.invoice ALTER COLUMN reference TYPE varchar(100);
    ALTER TABLE qicworks.invoice ALTER COLUMN total TYPE numeric(18, 4);
    ALTER TABLE qicworks.invoice ALTER COLUMN push_version TYPE smallint;
    ALTER TABLE qicworks.document_line ALTER COLUMN unit TYPE integer USING unit::integer;
    ALTER TABLE qicworks.invoice ALTER COLUMN reference SET NOT NULL;
    ALTER TABLE qicworks.invoice ALTER COLUMN push_state DROP DEFAULT;
    ALTER TABLE qicworks.invoice ALTER COLUMN push_state SET DEFAULT 'ready';
    ALTER TABLE xero_sync.connection_event ALTER COLUMN id DROP IDENTITY;
    ALTER TABLE qicworks.invoice ADD COLUMN more text NOT NULL;
    ALTER TABLE qicworks.invoice ADD CHECK (total >= 0);
    ALTER TABLE qicworks.invoice ADD COLUMN more text, ADD CHECK (status <> 'Paid' OR more IS NOT NULL);
    ALTER TABLE xero_sync.token DROP CONSTRAINT token_state_check, ADD CHECK (state IN ('ok', 'gone'));
    ALTER TABLE xero_sync.due ADD FOREIGN KEY (connection_id, data_set) REFERENCES xero_sync.cursor;
    ALTER TABLE qicworks.invoice DROP CONSTRAINT invoice_organisation_id_number_key;
    DROP INDEX xero_sync.rejection_open;
    CREATE UNIQUE INDEX ON qicworks.bill (organisation_id, number);
    ALTER TABLE qicworks.bill ADD COLUMN more text DEFAULT 'x', ADD UNIQUE (organisation_id, more);
    ALTER TABLE qicworks.staff ENABLE ROW LEVEL SECURITY;
    DROP FUNCTION xero_sync.take_back_pay;
    ALTER FUNCTION xero_sync.take_back_pay SECURITY INVOKER;
    ALTER FUNCTION xero_sync.words RENAME TO words_of;
    DROP TRIGGER was_edited ON qicworks.invoice;
    ALTER TABLE qicworks.invoice DISABLE TRIGGER was_edited;
    CREATE OR REPLACE TRIGGER was_edited BEFORE UPDATE OF total ON qicworks.invoice
        FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
    CREATE OR REPLACE TRIGGER was_edited BEFORE INSERT ON qicworks.invoice
        FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
"""
ONLY_ADDS = """
    CREATE TABLE xero_sync.more (id integer PRIMARY KEY, connection_id uuid NOT NULL REFERENCES xero_sync.connection);
    CREATE VIEW xero_sync.more AS SELECT 1 AS id;
    CREATE FUNCTION xero_sync.more() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE OR REPLACE VIEW xero_sync.rejection_past AS SELECT id, closed_at, 1 AS more FROM xero_sync.rejection;
    ALTER TABLE qicworks.invoice ADD COLUMN more text, ADD COLUMN many integer NOT NULL DEFAULT 0,
        ADD CHECK (many >= 0);
    ALTER TABLE qicworks.bill ADD COLUMN more text, ADD UNIQUE (organisation_id, more);
    ALTER TABLE qicworks.bill ADD COLUMN more uuid REFERENCES qicworks.contact,
        ADD FOREIGN KEY (contact_id) REFERENCES qicworks.contact;
    ALTER TABLE qicworks.invoice ALTER COLUMN reference TYPE varchar(300);
    ALTER TABLE qicworks.invoice ALTER COLUMN reference TYPE text;
    ALTER TABLE qicworks.invoice ALTER COLUMN total TYPE numeric(20, 4);
    ALTER TABLE qicworks.staff ALTER COLUMN last_name DROP NOT NULL;
    ALTER TABLE xero_sync.token DROP CONSTRAINT token_state_check;
    ALTER TABLE xero_sync.token DROP CONSTRAINT token_state_check, ADD CHECK (state IN ('ok', 'renewing', 'broken'));
    DROP INDEX xero_sync.rejection_newest;
    CREATE TRIGGER more AFTER UPDATE ON qicworks.invoice FOR EACH ROW EXECUTE FUNCTION xero_sync.part_was_edited();
    CREATE OR REPLACE TRIGGER was_edited BEFORE INSERT OR UPDATE ON qicworks.invoice
        FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
"""


@pytest.fixture
def empty(blank_url: str) -> Iterator[Engine]:
    engine = database.engine(blank_url)
    yield engine
    engine.dispose()


def test_a_migration_takes_nothing_away(empty: Engine) -> None:
    assert len(MIGRATIONS) >= 13
    wrong = []
    with database.session(empty) as session:
        before = None
        for name in MIGRATIONS:
            with as_of(name):
                assert migrate(empty) == [name]
            after = catalogue(session)
            wrong += [f"{name}: {what}" for what in taken_away(before, after)] if before else []
            before = after
    wrong = [what for what in wrong if not what.startswith(KNOWN)]
    assert not wrong, "workers of the version before would fail beside it:\n" + "\n".join(wrong)


def test_what_takes_something_away_is_noticed_and_what_adds_is_not(engine: Engine) -> None:
    with database.session(engine) as session:
        before = catalogue(session)
        assert taken_away(before, before) == []
        for statement in statements(TAKES_AWAY):
            assert after(session, statement, before) != [], f"it goes unnoticed: {statement}"
        for statement in statements(ONLY_ADDS):
            assert after(session, statement, before) == [], f"it takes nothing away: {statement}"


def statements(text: str) -> list[str]:
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def after(session: Session, statement: str, before: Catalogue) -> list[str]:
    """What that statement takes away; it is undone again."""
    with session.transaction(force_rollback=True):
        session.execute("SET LOCAL session_replication_role = replica")
        session.execute(statement.encode())
        return taken_away(before, catalogue(session))


@pytest.fixture(scope="module")
def lived(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Lived]:
    with world_for_all(sandbox_url, postgres_url, template) as world:
        yield live(world)


def test_what_lies_in_the_tables_stays_as_it_is(empty: Engine, lived: Lived) -> None:
    """Each migration over rows in every table of the version before it."""
    for table, states in (("invoice", 5), ("payroll_push", 1)):
        assert len({row["push_state"] for row in lived.rows[f"qicworks.{table}"]}) == states
    with database.session(empty) as session:
        with as_of(MIGRATIONS[0]):
            migrate(empty)
        for name in MIGRATIONS[1:]:
            load(session, lived.rows)
            known = catalogue(session)
            before = contents(session, known)
            with as_of(name):
                assert migrate(empty) == [name]
            now = contents(session, known)
            changed = [table for table in before if now[table] != before[table]]
            assert not changed, f"{name} changes what lay in {', '.join(changed)}"
            unproved = [one for one in catalogue(session).constraints if not one.valid]
            assert not unproved, f"{name} leaves constraints that nobody has looked at: {unproved}"


@contextmanager
def upgraded(lived: Lived, url: str, last: str) -> Iterator[World]:
    """What has lived, in a database that had no migration after `last`, brought to the newest."""
    world = World(lived.world.sandbox, database.engine(url), url)
    with database.session(world.engine) as session:
        with as_of(last):
            migrate(world.engine)
        load(session, lived.rows)
        known = catalogue(session)
        before = contents(session, known)
        assert migrate(world.engine) == MIGRATIONS[MIGRATIONS.index(last) + 1 :]
        assert contents(session, known) == before
    world.calls()
    yield world
    world.engine.dispose()


def test_after_0010_a_person_of_before_is_erased_and_no_document_goes_again(blank_url: str, lived: Lived) -> None:
    with upgraded(lived, blank_url, "0009.pages") as world:
        name, invoice = "Somebody Else Pty Ltd", lived.documents["of another"]
        world.query("UPDATE qicworks.contact SET name = %s WHERE id = %s", name, lived.books.contacts[1])
        world.query("UPDATE qicworks.invoice SET push_error = %s WHERE id = %s", f"contact '{name}' is odd", invoice)
        [contact] = world.query("SELECT * FROM qicworks.contact WHERE id = %s", lived.books.contacts[1])
        [member] = world.query("SELECT * FROM qicworks.staff WHERE xero_id = %s", lived.paid)
        documents = (
            "SELECT id, push_state, push_version, updated_at FROM qicworks.invoice WHERE contact_id = %s UNION"
            " SELECT id, push_state, push_version, updated_at FROM qicworks.leave_request WHERE staff_id = %s"
            " ORDER BY id"
        )
        before = world.query(documents, contact["id"], member["id"])
        assert [row["push_state"] for row in before] == ["pushed"] * 2
        for what, xero_id in (("--contact", contact["xero_id"]), ("--staff", member["xero_id"])):
            done = world.main("person", "erase", what, str(xero_id), "--yes")
            assert done.returncode == 0, done.stderr
        [said] = world.query("SELECT push_error FROM qicworks.invoice WHERE id = %s", invoice)
        [leave] = world.query("SELECT title, notes FROM qicworks.leave_request WHERE staff_id = %s", member["id"])
        assert name not in said["push_error"]
        assert set(leave.values()) == {None}
        assert world.query(documents, contact["id"], member["id"]) == before, "they would be pushed again"
        for table, row in (("contact", contact), ("staff", member)):
            world.pull(f"{table}s" if table == "contact" else table, full=True)
            [now] = world.query(f"SELECT * FROM qicworks.{table} WHERE id = %s", row["id"])
            words = {row[key] for key in ("name", "last_name", "email", "phone") if row.get(key)}
            assert words, table
            assert not words & set(now.values()), "the pull has brought them back"
        # An edit is still one, and what is edited goes again.
        world.query("UPDATE qicworks.invoice SET reference = 'new' WHERE id = %s", invoice)
        [edited] = world.query("SELECT push_state FROM qicworks.invoice WHERE id = %s", invoice)
        assert edited == {"push_state": "ready"}


def test_after_0011_what_is_old_goes_and_what_is_needed_stays(blank_url: str, lived: Lived) -> None:
    with upgraded(lived, blank_url, "0010.personal-data") as world:
        age(world)
        rejections = "SELECT id, event_id FROM xero_sync.rejection WHERE closed_at IS NULL"
        requests = "SELECT id, event_id, body FROM xero_sync.push_request WHERE closed_at IS NULL"
        standing = "SELECT last_event_id AS event_id FROM xero_sync.standing"
        kept = [world.query(statement) for statement in (rejections, requests, standing)]
        assert all(kept), "an open rejection, a request in the air, the last event of each pair"
        gone = prune(world.engine, Retention(), Origin())
        assert {what for what, number in gone.items() if number} >= {"requests", "rejections", "events", "staging"}
        assert [world.query(statement) for statement in (rejections, requests, standing)] == kept
        events = {row["id"] for row in world.query("SELECT id FROM xero_sync.connection_event")}
        assert {row["event_id"] for rows in kept for row in rows} <= events


def test_after_0012_what_was_killed_before_goes_on_and_is_sent_once(blank_url: str, lived: Lived) -> None:
    with upgraded(lived, blank_url, "0011.retention") as world:
        running = "SELECT direction, data_set FROM xero_sync.connection_event WHERE status = 'running'"
        assert {tuple(row.values()) for row in world.query(running)} >= {("pull", "contacts"), ("push", "invoices")}
        assert world.query("SELECT 1 FROM xero_sync.stage_contact")
        assert world.pull("contacts").counts.read > 10
        assert "if-modified-since" in world.calls()[0]["headers"], "it goes on behind what was staged"
        books = copy(lived.books)
        books.world = world
        books.push("invoices")
        assert {tuple(row.values()) for row in world.query(running)} == set()
        for what in ("in the air", "ready"):
            row = books.row("invoices", lived.documents[what])
            assert row["push_state"] == "pushed", what
            there = [one for one in books.in_xero("invoices") if one["InvoiceNumber"] == row["number"]]
            assert [one["InvoiceID"] for one in there] == [str(row["xero_id"])], what


def test_after_0013_pay_of_before_is_taken_back(blank_url: str, lived: Lived) -> None:
    with upgraded(lived, blank_url, "0012.interaction") as world:
        payroll = copy(lived.payroll)
        payroll.world = world
        assert payroll.earnings(lived.paid)["Ordinary Hours"]["NormalNumberOfUnits"] == 20
        payroll.pay_run("post")
        payroll.pay(lived.left_out, payroll.period(2), PayLine(units="38"))
        assert payroll.push("payroll").message == "2 pushed", payroll.states("payroll_push")
        assert payroll.earnings(lived.paid)["Ordinary Hours"]["NormalNumberOfUnits"] == 0
        assert payroll.earnings(lived.left_out)["Ordinary Hours"]["NormalNumberOfUnits"] == 38


def test_after_0018_what_was_linked_before_goes_on(blank_url: str, lived: Lived) -> None:
    """Without a seal, and though nothing in Xero says whose it is: it is changed there, and nothing is told of it."""
    with upgraded(lived, blank_url, MIGRATIONS[MIGRATIONS.index("0018.sealed-links") - 1]) as world:
        assert world.query("SELECT 1 FROM xero_sync.link_before_seals")
        world.query("DELETE FROM xero_sync.document_link")
        books = copy(lived.books)
        books.world = world
        [row] = books.rows("purchase_orders")
        world.pull("document_status", lived.books.organisation)  # what was last pushed is known from here on
        for line in books.lines("purchase_orders", row["id"]):
            world.query("UPDATE qicworks.document_line SET unit_price = 2 WHERE id = %s", line["id"])
        books.reprice("purchase_orders", row["id"])
        books.push("purchase_orders")
        assert books.row("purchase_orders", row["id"])["push_state"] == "pushed"
        [record] = books.in_xero("purchase_orders")
        assert record["PurchaseOrderID"] == str(row["xero_id"])
        compare(world)
        told = "SELECT message FROM xero_sync.connection_event WHERE message LIKE '%%not proven%%'"
        assert world.query(told) == []


def test_after_0025_what_was_taken_back_before_is_reported(blank_url: str, lived: Lived) -> None:
    """Of each kind; nothing is deleted in Xero for it."""
    tables = [*(table for table, *_ in PRICED.values()), "leave_request"]
    rows = dict(lived.rows)
    for table in (f"qicworks.{table}" for table in tables):
        rows[table] = [{**row, "push_state": "draft"} if row["xero_id"] else row for row in rows[table]]
    with upgraded(replace(lived, rows=rows), blank_url, "0024.outcome") as world:
        kept = world.query("SELECT document_table, document_id, how FROM xero_sync.cancellation WHERE done_at IS NULL")
        assert {row["document_table"] for row in kept} == set(tables)
        assert {row["how"] for row in kept} == {"before"}
        books, payroll = copy(lived.books), copy(lived.payroll)
        books.world = payroll.world = world
        for kind in PRICED:
            books.push(kind)
        payroll.push("leave_requests")
        differences = world.query("SELECT document_id, reason FROM xero_sync.difference WHERE settled_at IS NULL")
        assert {(row["document_id"], row["reason"]) for row in differences} >= {
            (row["document_id"], "cancelled_in_qicworks") for row in kept
        }
        assert [
            call["path"] for call in world.calls() if call["method"] == "POST" and "Invoices/" in call["path"]
        ] == []


def test_after_0024_events_of_before_have_their_document_and_their_outcome(blank_url: str, lived: Lived) -> None:
    with upgraded(lived, blank_url, "0023.another-employee") as world:
        failed = lived.documents["failed"]
        [event] = world.query("SELECT * FROM xero_sync.connection_event WHERE document_id = %s", failed)
        assert (event["document_kind"], event["outcome"], event["status"]) == ("invoices", "failed", "error")
        number = lived.books.row("invoices", failed)["number"]
        assert event["document"] == f"invoice {number}"
        ended = "SELECT status, outcome, direction, data_set FROM xero_sync.connection_event"
        rows = world.query(ended)
        assert {row["outcome"] is None for row in rows if row["status"] == "running"} == {True}
        assert {row["outcome"] for row in rows if row["status"] == "success"} == {"done"}
        assert None not in {row["outcome"] for row in rows if row["status"] in ("warning", "error")}
        assert {row["direction"] for row in rows if row["data_set"] == "personal_data"} == {"connect"}, "they stay"
        standing = world.query("SELECT last_status, last_outcome FROM xero_sync.standing WHERE last_status = 'success'")
        assert {row["last_outcome"] for row in standing} == {"done"}


@pytest.mark.parametrize(
    ("about", "outcome"),
    [
        (("pull", "staff", "warning", "data set not available: no payroll"), "not_available"),
        (("pull", "staff", "warning", "already running in pull_staff, run x"), "busy"),
        (
            ("pull", "staff", "warning", "Limit. It goes on with the first run after 2026-11-01 UTC."),
            "postponed",
        ),
        (("pull", "staff", "error", "interrupted: the process that ran it is gone"), "interrupted"),
        (("pull", "reconcile", "warning", "not in step: Contacts"), "differs"),
        (("pull", "contacts", "warning", "reconcile: 3 in Xero, 2 here"), "differs"),
        (("push", "bills", "warning", "All 3 organisations are switched off: nothing was done."), "switched_off"),
        (("connect", "authorisation", "warning", "This answer from Xero was taken once already."), "consent_used"),
        (("connect", "authorisation", "error", "Xero refused the consent (x)."), "consent_failed"),
        (("push", "bills", "warning", "2 pushed, 1 failed"), "partly_done"),
        (("pull", "staff", "error", "Xero refused the request (HTTP 400)"), "failed"),
    ],
)
def test_0024_knows_messages_of_before(empty: Engine, about: tuple[str, ...], outcome: str) -> None:
    with database.session(empty) as session:
        with as_of("0023.another-employee"):
            migrate(empty)
        session.execute(
            "INSERT INTO xero_sync.connection_event (direction, data_set, status, message, ended_at)"
            " VALUES (%s, %s, %s, %s, now())",
            about,
        )
        migrate(empty)
        [row] = session.execute("SELECT outcome FROM xero_sync.connection_event").fetchall()
        assert row["outcome"] == outcome
