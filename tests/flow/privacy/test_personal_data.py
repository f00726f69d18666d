"""What is held on a person, told and erased: for good, though Xero goes on having them, and nobody else is touched."""

import json
import stat
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from psycopg.sql import SQL, Identifier

from tests.support.reconciling import compare
from tests.support.world import World
from xero.qicworks import database
from xero.qicworks.privacy import erasing, people
from xero.sync.pull.load import Load

Row = dict[str, Any]


def everything(world: World) -> dict[str, list[str]]:
    """Every row of every table of both schemas, as PostgreSQL writes it, with its version."""
    tables = world.query(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname IN ('qicworks', 'xero_sync') AND position('yoyo' IN tablename) = 0"
    )
    found = {}
    with database.session(world.engine) as session:
        for table in tables:
            name = Identifier(table["schemaname"], table["tablename"])
            rows = session.execute(SQL("SELECT t.xmin::text || ' ' || t::text AS said FROM {} AS t").format(name))
            found[f"{table['schemaname']}.{table['tablename']}"] = sorted(row["said"] for row in rows)
    return found


def mentions(world: World, *words: str) -> list[str]:
    """The tables where any of these words stands."""
    wanted = [word.lower() for word in words]
    return [
        name for name, rows in everything(world).items() if any(word in row.lower() for row in rows for word in wanted)
    ]


def pull_all(world: World, **how: Any) -> None:
    for name in ("contacts", "currencies", "pay_codes", "staff", "leave_balances"):
        assert world.pull(name, **how).status in ("success", "warning"), name


def employee(world: World) -> Row:
    """Somebody who is paid and has leave, and an e-mail."""
    paid = {str(row["employee_xero_id"]) for row in world.rows("pay_template_line").values()}
    resting = {str(row["employee_xero_id"]) for row in world.rows("leave_balance").values()}
    return next(
        one
        for one in world.sandbox.truth("Employees")
        if one["EmployeeID"].lower() in paid & resting and one.get("Email") and one["Status"] == "ACTIVE"
    )


def test_an_employee_is_erased_for_good(world: World, tmp_path: Path, subtests: pytest.Subtests) -> None:
    world.sandbox.settings(limits=False)
    pull_all(world)
    one = employee(world)
    name, email, xero_id = f"{one['FirstName']} {one['LastName']}", one["Email"], one["EmployeeID"].lower()
    words = (email, name)
    member = world.rows("staff")[xero_id]
    organisation = member["organisation_id"]
    [leave] = world.query(
        "INSERT INTO qicworks.leave_request"
        " (organisation_id, staff_id, title, notes, start_date, end_date, hours, push_state, push_error)"
        " VALUES (%s, %s, 'Operation', 'Knee, ask Dr Wirraway', '2026-11-02', '2026-11-03', 15.2, 'pushed', %s)"
        " RETURNING *",
        organisation, member["id"], f"{name} has no calendar",
    )  # fmt: skip
    world.query(
        "INSERT INTO xero_sync.link_before_seals (document_id, tenant_id, version) SELECT %s, tenant_id, 1"
        " FROM xero_sync.connection WHERE id = %s",
        leave["id"], world.connection_id(),
    )  # fmt: skip
    world.query(
        "INSERT INTO xero_sync.connection_event (connection_id, direction, data_set, status, message)"
        " VALUES (%s, 'push', 'leave_requests', 'error', %s), (%s, 'push', 'leave_requests', 'error', 'Somebody else')",
        world.connection_id(), f"{name} ({email.upper()}) has no calendar", world.connection_id(),
    )  # fmt: skip
    world.query(
        "INSERT INTO xero_sync.difference (connection_id, document_kind, document_id, label, reason, ours, theirs)"
        " VALUES (%s, 'invoices', gen_random_uuid(), 'invoice INV-1', 'edited_in_xero',"
        " jsonb_build_object('contact', %s::text), jsonb_build_object('contact', %s::text, 'reference', '\"quoted\"'))",
        world.connection_id(), name, email.upper(),
    )  # fmt: skip

    with subtests.test("what is held is told to its owner alone, with where it came from"):
        file = tmp_path / "export.json"
        told = world.main("person", "export", "--email", f" {email.upper()}", "--file", str(file))
        assert told.returncode == 0, told.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        again = world.main("person", "export", "--staff", xero_id, "--file", str(file))
        assert again.returncode == 1, "a file is never overwritten"
        [person] = json.loads(file.read_text())["persons"]
        held = {part["table"]: part for part in person["held"]}
        assert {
            "qicworks.staff",
            "qicworks.pay_template_line",
            "qicworks.leave_balance",
            "qicworks.leave_request",
        } < set(held)
        assert held["qicworks.leave_request"]["rows"][0]["notes"] == "Knee, ask Dr Wirraway"
        assert held["qicworks.staff"]["provenance"].startswith("pulled from Xero")
        assert len(held["xero_sync.connection_event"]["rows"]) == len(held["xero_sync.difference"]["rows"]) == 1
        lines = [row for row in world.rows("pay_template_line").values() if str(row["employee_xero_id"]) == xero_id]
        assert len(held["qicworks.pay_template_line"]["rows"]) == len(lines) > 0

    with subtests.test("what would be erased is shown first, and nothing is changed by that"):
        before = everything(world)
        shown = world.main("person", "erase", "--email", email)
        assert "would be erased: 1 of qicworks.staff" in shown.stdout
        assert "stays: 1 of qicworks.leave_request (pay and leave records, kept for 7 years)" in shown.stdout
        assert f"before: {name} has no calendar\n  after:  erased has no calendar" in shown.stdout
        assert everything(world) == before

    with subtests.test("what waits to be pushed is pushed first"):
        world.query("UPDATE qicworks.leave_request SET push_state = 'ready' WHERE id = %s", leave["id"])
        assert "wait to be pushed" in world.main("person", "erase", "--email", email, "--yes").stderr
        world.query(
            "UPDATE qicworks.leave_request SET push_state = 'pushed', push_error = %s", f"{name} has no calendar"
        )
        before = everything(world)

    with subtests.test("it stands nowhere any more, and no row of anybody else was written"):
        done = world.main("person", "erase", "--email", email, "--yes")
        assert done.returncode == 0, done.stderr
        assert name not in done.stdout
        assert mentions(world, *words, "Wirraway") == []
        after = everything(world)
        changed = {table: [row for row in rows if row not in after[table]] for table, rows in before.items()}
        assert len(changed["qicworks.staff"]) == 1
        theirs = (xero_id, str(member["id"]), name.lower(), str(leave["id"]))
        for table, rows in changed.items():
            assert all(any(word in row.lower() for word in theirs) for row in rows), table

    with subtests.test("what the law asks for is kept without them"):
        [kept] = world.query("SELECT * FROM qicworks.leave_request")
        assert (kept["hours"], kept["push_state"], kept["push_version"]) == (
            leave["hours"],
            "pushed",
            leave["push_version"],
        )
        assert (kept["title"], kept["notes"], kept["push_error"]) == (None, None, "erased has no calendar")
        assert "erased (erased) has no calendar" in [
            row["message"] for row in world.query("SELECT message FROM xero_sync.connection_event")
        ]

    with subtests.test("it is told, and done twice changes nothing"):
        event = world.query("SELECT * FROM xero_sync.connection_event WHERE data_set = 'personal_data'")
        assert [row["status"] for row in event] == ["success"]
        assert world.main("person", "erase", "--staff", str(member["id"]), "--yes").returncode == 0
        twice = everything(world)
        assert [table for table in after if "qicworks." in table and twice[table] != after[table]] == []

    with subtests.test("Xero goes on having them, and is never asked for them"):
        world.sandbox.change("Employees", one["EmployeeID"], Mobile="0400 000 000")
        world.calls()
        for how in ({}, {"full": True}, {}):
            pull_all(world, **how)
            assert mentions(world, *words) == []
        asked = [call["path"] for call in world.calls() if xero_id in call["path"].lower()]
        assert asked == []
        erased = world.rows("staff")[xero_id]
        assert (erased["first_name"], erased["last_name"], erased["is_active"]) == ("erased", "erased", False)
        for name in ("chart_of_accounts", "tax_codes", "tracking_categories", "invoice_payments"):
            world.pull(name)
        assert compare(world).message == "no differences"

    with subtests.test("afterwards nothing is held but that they were erased"):
        [person] = json.loads(world.main("person", "export", "--staff", xero_id).stdout)["persons"]
        assert [part["table"] for part in person["held"] if part["table"].startswith("xero_sync")] == [
            "xero_sync.erasure"
        ]
        assert world.main("person", "export", "--email", email).returncode == 1


def test_a_contact_is_erased_while_a_pull_is_at_work(world: World) -> None:
    """The erasure comes between the check and the load of a pull that has read them."""
    contact = next(
        one for one in world.sandbox.truth("Contacts") if one.get("EmailAddress") and one["ContactStatus"] == "ACTIVE"
    )
    real = Load.load

    def erase_first(load: Load, *also: Any) -> Any:
        with database.session(world.engine) as session, session.transaction():
            found = people.find(session, email=contact["EmailAddress"])
            assert [one.xero_id for one in found] == [contact["ContactID"].lower()]
            erasing.erase(session, found)
        return real(load, *also)

    with mock.patch.object(Load, "load", erase_first):
        assert world.pull("contacts").status in ("success", "warning")
    assert mentions(world, contact["EmailAddress"]) == []
    # Also where the organisation of Xero was deleted meanwhile, and connected to another one of QicWorks.
    [before] = world.query(
        "INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name, state)"
        " SELECT organisation_id, token_id, tenant_id, tenant_name, 'deleted' FROM xero_sync.connection WHERE id = %s"
        " RETURNING id",
        world.connection_id(),
    )
    world.query("UPDATE xero_sync.erasure SET connection_id = %s", before["id"])
    world.pull("contacts", full=True)
    assert mentions(world, contact["EmailAddress"]) == []


def test_who_was_only_ever_rejected_is_erased_too(world: World) -> None:
    world.pull("contacts")
    one = world.sandbox.truth("Contacts")[0]
    world.sandbox.change("Contacts", one["ContactID"], Name="", EmailAddress="mirri@example.com.au")
    world.query("DELETE FROM qicworks.contact WHERE xero_id = %s", one["ContactID"])
    assert world.pull("contacts").counts.rejected == 1
    assert mentions(world, "mirri@") == ["xero_sync.rejection"]
    assert (
        "1 of xero_sync.rejection" in world.main("person", "erase", "--email", "mirri@example.com.au", "--yes").stdout
    )
    for how in ({}, {"full": True}):
        assert world.pull("contacts", **how).counts.rejected == 0
        assert mentions(world, "mirri@") == []


# What of these is Bill's, who has invoice INV-BILL; None: nothing is.
SAID_OF = [
    ("INV-1", "not sent: its contact 'Bill' is archived in Xero", "not sent: its contact 'erased' is archived in Xero"),
    (
        "INV-BILL",
        "Mark the Bill. Bill's (Bill) is refused, bill",
        "Mark the erased. erased's (erased) is refused, bill",
    ),
    ("INV-2", "The Bill is marked: Bill, May, Will, Mark, Other, bill@example.com.au.au", None),
    ("INV-3", "Ask BILL@EXAMPLE.COM or a.bill@example.com", "Ask erased or a.bill@example.com"),
    ("INV-4", "not sent: its contact 'Bill Smith Plumbing' is archived in Xero", None),
    ("INV-5", "not sent: its contact 'Bill'Brien' was merged into another one in Xero", None),
]


def test_who_is_called_as_many_a_word_is_erased_alone(world: World, tmp_path: Path) -> None:
    world.pull("contacts")
    bill, other = (row["id"] for row in list(world.rows("contact").values())[:2])
    world.query(
        "UPDATE qicworks.contact SET name = 'Bill', first_name = NULL, last_name = NULL, email = 'bill@example.com'"
        " WHERE id = %s",
        bill,
    )
    for number, text, _ in SAID_OF:
        world.query(
            "INSERT INTO qicworks.invoice (organisation_id, contact_id, number, push_state, push_error)"
            " SELECT organisation_id, CASE WHEN %s = 'INV-BILL' THEN %s ELSE %s END, %s, 'failed', %s"
            " FROM xero_sync.connection WHERE id = %s",
            number, bill, other, number, text, world.connection_id(),
        )  # fmt: skip
        world.query(
            "INSERT INTO xero_sync.connection_event (connection_id, direction, data_set, status, document, message)"
            " VALUES (%s, 'push', 'invoices', 'error', %s, %s)",
            world.connection_id(), f"invoice {number}", text,
        )  # fmt: skip
    before = everything(world)
    [person] = json.loads(world.main("person", "export", "--contact", str(bill)).stdout)["persons"]
    held = {part["table"]: part["rows"] for part in person["held"]}
    theirs = [(number, text) for number, text, after in SAID_OF if after]
    assert [row["message"] for row in held["xero_sync.connection_event"]] == [text for _, text in theirs]
    shown = world.main("person", "erase", "--contact", str(bill)).stdout
    assert all(f"before: {text}\n  after:  {after}" in shown for _, text, after in SAID_OF if after)
    assert everything(world) == before
    assert world.main("person", "erase", "--contact", str(bill), "--yes").returncode == 0
    expected = sorted(after or text for _, text, after in SAID_OF)
    for statement in (
        "SELECT push_error AS said FROM qicworks.invoice",
        "SELECT message AS said FROM xero_sync.connection_event WHERE document IS NOT NULL",
    ):
        assert sorted(row["said"] for row in world.query(statement)) == expected
    after = everything(world)
    changed = [row for name, rows in before.items() for row in rows if row not in after[name]]
    assert len(changed) == 1 + 2 * len(theirs)  # the contact, and each text twice: nobody else's row was written
