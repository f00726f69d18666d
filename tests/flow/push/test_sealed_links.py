"""What a row says that a document is in Xero is no authority: only what this project has sealed, or the record itself.

Each run is one under the role of pull and push, and so is what is written beside it.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.errors import InsufficientPrivilege

from tests.support.granted import Granted, granted
from tests.support.one_world import world_for_all
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File
from tests.support.reconciling import compare
from xero.api.errors import XeroError
from xero.composition import opener
from xero.documents.declaration import Delivery
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.seals import Seals
from xero.qicworks.push.links import Link, Links
from xero.sync.runs.outcome import Outcome, Skip

SUPPLIERS = {"credit_notes": {"side": "supplier"}}  # whose numbers Xero would take twice


@pytest.fixture(scope="module")
def role(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Granted]:
    with world_for_all(sandbox_url, postgres_url, template) as owner, granted(owner) as made:
        yield made


@pytest.fixture(scope="module")
def books(role: Granted) -> Books:
    return Books(role.owner)


@pytest.fixture(scope="module")
def payroll(role: Granted) -> Payroll:
    made = Payroll(role.owner)
    made.pay_run("post")
    return made


@pytest.fixture(scope="module")
def period(payroll: Payroll) -> UUID:
    return payroll.period(1)


def push(role: Granted, books: Books, kind: str) -> Outcome | None:
    books.world = role.sync
    try:
        with suppress(XeroError, Skip):
            return books.push(kind)
    finally:
        books.world = role.owner
    return None


def pushed(role: Granted, books: Books, kind: str, **columns: Any) -> UUID:
    document = books.add(kind, **{**SUPPLIERS.get(kind, {}), **columns})
    push(role, books, kind)
    assert books.row(kind, document)["push_state"] == "pushed"
    return document


def there(books: Books, kind: str, document: UUID) -> list[dict[str, Any]]:
    """What stands in Xero under its number."""
    number = books.row(kind, document)["number"]
    return [one for one in books.in_xero(kind) if one[PRICED[kind][3]] == number]


def set_aside(role: Granted, kind: str, *documents: UUID) -> None:
    """They are over, for the tests that follow."""
    role.owner.query(
        f"UPDATE qicworks.{PRICED[kind][0]} SET push_state = 'skipped', xero_id = NULL WHERE id = ANY(%s)",
        list(documents),
    )


@pytest.mark.parametrize("kind", PRICED)
def test_a_document_stands_once_whatever_its_row_and_others_say(role: Granted, books: Books, kind: str) -> None:
    """Its row says nothing, and another one's that it is this one: with its seal, and without, as if it came from a
    worker of an earlier version. A person has to say which it is, and what is right is linked then."""
    table = PRICED[kind][0]
    one, two = pushed(role, books, kind), pushed(role, books, kind)
    others = [books.add(kind, state="draft", **SUPPLIERS.get(kind, {})) for _ in range(2)]
    role.owner.query("DELETE FROM xero_sync.document_link WHERE document_id = %s", two)
    for document, other in zip((one, two), others, strict=True):
        xero_id = books.row(kind, document)["xero_id"]
        role.sql(f"UPDATE qicworks.{table} SET xero_id = NULL, push_state = 'ready' WHERE id = %s", document)
        role.sql(f"UPDATE qicworks.{table} SET xero_id = %s WHERE id = %s", xero_id, other)
    push(role, books, kind)
    for document, other in zip((one, two), others, strict=True):
        assert len(there(books, kind, document)) == 1
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_id"]) == ("failed", None)
        if document == one or kind != "invoices":
            assert row["push_error"].endswith("check in Xero")
        set_aside(role, kind, other)
    books.world = role.sync
    books.push(kind, retry_failed=True)
    books.world = role.owner
    for document in (one, two):
        [record] = there(books, kind, document)
        row = books.row(kind, document)
        if document == two and kind in ("credit_notes", "purchase_orders"):  # without our address: it may be typed in
            assert (row["push_state"], row["xero_id"]) == ("failed", None)
            assert "it is already in Xero" in row["push_error"]
        else:
            assert str(row["xero_id"]) == record[PRICED[kind][2]]
    set_aside(role, kind, one, two)


@pytest.mark.parametrize("kind", ["bills", "credit_notes"])
def test_a_document_stands_once_whatever_its_contact_is_called(role: Granted, books: Books, kind: str) -> None:
    """What it was pushed as is known by its seal, though nothing of the row finds it again."""
    document = pushed(role, books, kind)
    contacts = role.owner.query(
        "SELECT id, xero_id FROM qicworks.contact WHERE id = ANY(%s) ORDER BY id = %s DESC",
        *(books.contacts[:2], books.contacts[0]),
    )
    role.sql(f"UPDATE qicworks.{PRICED[kind][0]} SET xero_id = NULL, push_state = 'ready' WHERE id = %s", document)
    swap(role, contacts)
    try:
        push(role, books, kind)
        push(role, books, kind)
        assert len(there(books, kind, document)) == 1
        assert str(books.row(kind, document)["xero_id"]) == there(books, kind, document)[0][PRICED[kind][2]]
    finally:
        swap(role, contacts[::-1])
        set_aside(role, kind, document)


def swap(role: Granted, contacts: list[dict[str, Any]]) -> None:
    """As the owner: the role that pushes cannot make a contact another one."""
    one, other = contacts
    own = "UPDATE qicworks.contact SET xero_id = %s WHERE id = %s"
    role.owner.query(own, uuid4(), other["id"])
    role.owner.query(own, other["xero_id"], one["id"])
    role.owner.query(own, one["xero_id"], other["id"])


@pytest.mark.parametrize("kind", PRICED)
def test_what_is_not_its_own_is_not_changed(role: Granted, books: Books, kind: str) -> None:
    """A draft that somebody typed into Xero; one of another document of QicWorks; and what is not there at all,
    which is no reason to make it."""
    table, _, key, _, _ = PRICED[kind]
    sibling = pushed(role, books, kind)
    its = books.row(kind, sibling)["xero_id"]
    set_aside(role, kind, sibling)
    typed = [one for one in books._truth(PRICED[kind][1]) if one["Status"] == "DRAFT" and one[key] != str(its)]
    typed = [one for one in typed if one[key] in books.strangers[kind]]
    targets = [its, uuid4(), *(UUID(one[key]) for one in typed[:1])]
    documents = {target: books.add(kind, **SUPPLIERS.get(kind, {})) for target in targets}
    before = {one[key]: one for one in books._truth(PRICED[kind][1])}
    for target, document in documents.items():
        role.sql(f"UPDATE qicworks.{table} SET xero_id = %s WHERE id = %s", target, document)
    outcome = push(role, books, kind)
    assert outcome
    assert outcome.counts.failed == len(documents)
    assert {one[key]: one for one in books._truth(PRICED[kind][1])} == before
    for target, document in documents.items():
        row = books.row(kind, document)
        gone = target == targets[1]
        said = "is no longer in Xero" if gone else "cannot confirm that this is the same document"
        assert f"{said}: check in Xero" in row["push_error"]
        assert ("push it again" if gone else "push again") in row["push_correction"]
    # A person says that it is none of them.
    role.owner.query(f"UPDATE qicworks.{table} SET xero_id = NULL WHERE id = ANY(%s)", list(documents.values()))
    books.world = role.sync
    books.push(kind, retry_failed=True)
    books.world = role.owner
    assert all(len(there(books, kind, document)) == 1 for document in documents.values())
    set_aside(role, kind, *documents.values())


@pytest.mark.parametrize("kind", ["bills", "credit_notes"])
def test_what_was_made_anew_is_not_made_a_third_time(role: Granted, books: Books, kind: str) -> None:
    """Though its row says again what it was before, with the seal of then, which somebody kept."""
    table, _, key, _, _ = PRICED[kind]
    document = pushed(role, books, kind)
    first = books.row(kind, document)["xero_id"]
    seal = older(books, kind, document)
    role.owner.query("UPDATE xero_sync.document_link SET seal = %s WHERE document_id = %s", seal, document)
    books.bookkeep("delete", **{"credit" if kind == "credit_notes" else "invoice": str(first)})
    books.edit(kind, document, number=f"{kind} anew")
    push(role, books, kind)
    second = books.row(kind, document)["xero_id"]
    assert second not in (None, first)
    role.sql(
        "INSERT INTO xero_sync.document_link (document_id, connection_id, xero_id, version, seal)"
        " SELECT document_id, connection_id, xero_id, version, seal FROM xero_sync.document_link WHERE xero_id = %s",
        first,
    )
    role.sql(f"UPDATE qicworks.{table} SET xero_id = %s, push_state = 'ready' WHERE id = %s", first, document)
    push(role, books, kind)
    assert [one[key] for one in there(books, kind, document)] == [str(second)]
    assert "check in Xero" in books.row(kind, document)["push_error"]
    set_aside(role, kind, document)


def older(books: Books, kind: str, document: UUID) -> bytes:
    """The seal of what it is now, of a minute ago."""
    with database.session(books.world.engine) as session:
        links = Links(connections.one(session, books.connection_id), None)
    row = books.row(kind, document)
    facts = links._facts(KINDS[kind].table, document, Link(row["xero_id"], row["push_version"]))
    return Seals(books.world.app()).seal(facts, datetime.now(UTC) - timedelta(minutes=1))


@pytest.mark.parametrize("kind", ["invoices", "purchase_orders"])
def test_what_is_plainly_its_own_is_changed_without_a_seal(role: Granted, books: Books, kind: str) -> None:
    """As what a worker of an earlier version has pushed; from then on it has one."""
    document = pushed(role, books, kind)
    role.owner.query("DELETE FROM xero_sync.document_link WHERE document_id = %s", document)
    books.edit(kind, document, reference="edited")
    push(role, books, kind)
    assert there(books, kind, document)[0]["Reference"] == "edited"
    assert role.owner.query("SELECT version FROM xero_sync.document_link WHERE document_id = %s", document)
    set_aside(role, kind, document)


@pytest.mark.parametrize("kind", ["invoices", "purchase_orders"])
def test_a_file_goes_to_its_own_document(role: Granted, books: Books, kind: str) -> None:
    """Not to another customer's, that was sent out long ago; and once the link is right, it goes."""
    table, collection, key, _, _ = PRICED[kind]
    other = next(one for one in books._truth(collection) if one[key] in books.strangers[kind])
    document = books.add(kind, files=[File(include_online=True)])
    before = books.attached(other[key])
    for state in ("in_flight", "pushed"):
        role.sql(f"UPDATE qicworks.{table} SET push_state = %s WHERE id = %s", state, document)
    role.sql(f"UPDATE qicworks.{table} SET xero_id = %s, pushed_at = now() WHERE id = %s", other[key], document)
    outcome = push(role, books, kind)
    assert outcome
    assert (outcome.status, books.attached(other[key])) == ("warning", before)
    said = "SELECT message FROM xero_sync.connection_event WHERE message LIKE %s"
    assert role.owner.query(said, f"%{books.row(kind, document)['number']}: its files are not sent%")
    role.owner.query(
        f"UPDATE qicworks.{table} SET xero_id = NULL, push_state = 'ready' WHERE id = %s",
        document,
    )
    push(role, books, kind)
    assert [one["FileName"] for one in books.attached(books.row(kind, document)["xero_id"])] == ["job sheet.pdf"]
    set_aside(role, kind, document)


def test_a_file_that_somebody_attached_is_not_overwritten(role: Granted, books: Books) -> None:
    """Whatever the rows say of when and what was pushed."""
    document = pushed(role, books, "bills")
    xero_id = books.row("bills", document)["xero_id"]
    with database.session(role.owner.engine) as session:
        client = opener(role.owner.engine, role.owner.app)(connections.one(session, books.connection_id), True)
    path = f"{KINDS['bills'].path}/{xero_id}/Attachments/scan.pdf"  # type: ignore[attr-defined]
    client.write("PUT", path, b"their scan", key=str(uuid4()), content_type="application/pdf")
    before = books.attached(xero_id)
    books.attach("bills", document, File("scan.pdf"))
    role.sql("UPDATE qicworks.attachment SET xero_id = gen_random_uuid() WHERE parent_id = %s", document)
    role.sql("UPDATE qicworks.bill SET pushed_at = '9999-01-01' WHERE id = %s", document)
    push(role, books, "bills")
    [file] = books.files("bills", document)
    assert "Xero already has another file with this name" in file["push_error"]
    assert books.attached(xero_id) == before
    set_aside(role, "bills", document)


def test_what_is_said_to_be_pushed_is_shown_or_named(
    role: Granted, books: Books, payroll: Payroll, period: UUID
) -> None:
    """Of every kind, and a version that never went; not what was pushed, be it by a worker of an earlier version."""
    day = payroll.start_of(3)
    who, other = payroll.paid_by_the_hour()[:2]
    sound = {kind: pushed(role, books, kind, files=[File(f"{kind}.pdf")]) for kind in PRICED}
    sound["leave_requests"] = payroll.leave(who, day, day)
    sound["payroll"] = payroll.pay(who, period, PayLine(units="20"))
    payroll.world = role.sync
    payroll.push("leave_requests")
    payroll.push("payroll")
    payroll.world = role.owner
    for kind in ("bills", "purchase_orders", "leave_requests"):
        role.owner.query("DELETE FROM xero_sync.document_link WHERE document_id = %s", sound[kind])
    role.owner.query(
        "DELETE FROM xero_sync.document_link USING qicworks.attachment AS file"
        " WHERE document_id = file.id AND file.parent_id = %s",
        sound["invoices"],
    )
    books.attach("bills", sound["bills"], File("never sent.pdf"))
    role.sql(
        "UPDATE qicworks.attachment SET push_state = 'pushed', xero_id = gen_random_uuid() WHERE push_state = 'ready'"
    )
    edited = pushed(role, books, "invoices")
    books.edit("invoices", edited, reference="edited")
    named = {kind: str(books.row(kind, books.add(kind))["number"]) for kind in PRICED}
    named["invoices and its edit"] = books.row("invoices", edited)["number"]
    named["leave_requests"] = str(payroll.leave(other, day, day))
    named["a file"] = f"never sent.pdf of bill {books.row('bills', sound['bills'])['number']}"
    named["payroll"] = str(payroll.pay(other, period, PayLine(units="20")))
    # Not contacts: the role cannot write their xero_id.
    documents = [kind for kind in KINDS.values() if kind.delivery is not Delivery.CONTACTS]
    for kind in documents:
        for state in ("in_flight", "pushed"):
            role.sql(
                f"UPDATE qicworks.{kind.table} SET push_state = %s WHERE push_state IN ('ready', 'in_flight')", state
            )
        role.sql(
            f"UPDATE qicworks.{kind.table} SET xero_id = gen_random_uuid(), pushed_at = now() WHERE pushed_at IS NULL"
        )

    def told() -> str:
        since = role.owner.event()["id"]
        assert compare(role.sync).status == "warning"
        found = role.owner.query("SELECT message FROM xero_sync.connection_event WHERE id > %s ORDER BY id", since)
        return json.dumps([one["message"] for one in found if "marked as pushed, but not proven" in one["message"]])

    said = told()
    assert {what for what, name in named.items() if name not in said} == set()
    numbers = {str(books.row(kind, id)["number"]) if kind in PRICED else str(id) for kind, id in sound.items()}
    assert {name for name in numbers if name in said.replace(named["a file"], "")} == set()
    assert {kind for kind in PRICED if f"{kind}.pdf" in said} == set()
    asked = [call["path"] for call in role.owner.calls()]
    assert told() == said
    again = [call["path"] for call in role.owner.calls()]
    assert len(again) < len(asked), "what was found there is sealed by now"
    # The owner vouches for one.
    [bill] = role.owner.query("SELECT id, xero_id FROM qicworks.bill WHERE number = %s", named["bills"])
    as_written = (
        (Path(__file__).resolve().parents[3] / "docs/runbook.md").read_text().partition("## Link a document by hand")[2]
    )
    for statement in as_written.partition("```sql")[2].partition("```")[0].split(";")[:2]:
        filled = statement.replace("<its id in Xero>", str(bill["xero_id"])).replace("<id>", str(bill["id"]))
        role.owner.query(filled)
    assert named["bills"] not in told()
    for kind in documents:
        role.owner.query(f"UPDATE qicworks.{kind.table} SET push_state = 'skipped', xero_id = NULL")


def test_who_pushes_releases_nothing(role: Granted, books: Books, payroll: Payroll, period: UUID) -> None:
    """A draft becomes ready, and what is skipped is taken up again, in QicWorks alone; so no push can put aside either.
    Whoever may edit documents is free."""
    with_state = (
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'push_state'"
        " WHERE relnamespace = 'qicworks'::regnamespace AND relkind = 'r'"
    )
    tables = {row["relname"] for row in role.owner.query(with_state)}
    assert tables == {kind.table for kind in KINDS.values()} | {"attachment"}
    for kind in PRICED:
        books.add(kind, files=[File()], state="draft")
    who, day = payroll.paid_by_the_hour()[2], payroll.start_of(4)
    payroll.leave(who, day, day)
    payroll.pay(who, period, PayLine(units="20"))
    for table in tables:
        [one] = role.owner.query(f"SELECT id FROM qicworks.{table} ORDER BY created_at DESC LIMIT 1")
        update = f"UPDATE qicworks.{table} SET push_state = %s WHERE id = %s"
        for before in ("draft", "skipped"):
            role.owner.query(update, before, one["id"])
            for after in ("ready", "in_flight", "pushed", "failed", "draft", "skipped"):
                if after != before:
                    with pytest.raises(InsufficientPrivilege, match=f"in qicworks.{table} {after}: only QicWorks may"):
                        role.sql(update, after, one["id"])
        role.owner.query(update, "ready", one["id"])
        for after in ("in_flight", "failed", "ready", "pushed", "ready"):
            role.sql(update, after, one["id"])
            for aside in ("draft", "skipped"):
                with pytest.raises(InsufficientPrivilege):
                    role.sql(update, aside, one["id"])
        role.owner.query(update, "skipped", one["id"])


def test_the_links_that_were_sealed_stay(role: Granted, books: Books) -> None:
    document = pushed(role, books, "bills")
    for statement in (
        "DELETE FROM xero_sync.document_link",
        "UPDATE xero_sync.document_link SET seal = ''",
        "INSERT INTO xero_sync.link_before_seals VALUES (gen_random_uuid(), 'x', gen_random_uuid(), 1)",
        "UPDATE xero_sync.link_before_seals SET tenant_id = ''",
    ):
        with pytest.raises(InsufficientPrivilege):
            role.sql(statement)
    set_aside(role, "bills", document)


def test_numbers_of_one_organisation_are_not_asked_of_another(role: Granted, books: Books) -> None:
    """By a request in the outbox that nobody here has written."""
    draft = books.add("bills", number="OURS ALONE", state="draft")
    other = UUID(role.owner.connection_id(1))
    role.sql(
        "INSERT INTO xero_sync.push_request (connection_id, kind, idempotency_key, method, path, documents, versions)"
        " SELECT %s, 'bills', gen_random_uuid()::text, 'PUT', '/x', ARRAY[id], ARRAY[push_version] FROM qicworks.bill"
        "  WHERE id = %s",
        *(other, draft),
    )
    elsewhere = Books(role.owner, 1)
    role.owner.calls()
    push(role, elsewhere, "bills")
    assert elsewhere.requests() == []
    assert not [call for call in role.owner.calls() if "OURS" in json.dumps(call)]


def test_when_a_request_was_sent_is_not_believed_without_its_seal(role: Granted, books: Books) -> None:
    """What somebody typed in is a person's to judge, though it was made after a request that nobody here wrote."""
    document = pushed(role, books, "bills")
    [record] = there(books, "bills", document)
    sandbox = role.owner.sandbox
    path = f"organisations/{sandbox.tenant(0)}/Invoices/{record['InvoiceID']}"
    sandbox.control("PATCH", path, {"Url": None})
    role.owner.query("DELETE FROM xero_sync.document_link WHERE document_id = %s", document)
    role.sql("UPDATE qicworks.bill SET xero_id = NULL, push_state = 'ready' WHERE id = %s", document)
    role.sql(
        "INSERT INTO xero_sync.push_request (connection_id, kind, idempotency_key, method, path, documents, versions,"
        " first_sent_at, last_sent_at) SELECT %s, 'bills', gen_random_uuid()::text, 'PUT', '/x', ARRAY[id],"
        " ARRAY[push_version], now() - interval '1 day', now() - interval '1 day' FROM qicworks.bill WHERE id = %s",
        *(books.connection_id, document),
    )
    push(role, books, "bills")
    row = books.row("bills", document)
    assert row["xero_id"] is None
    assert "it is already in Xero" in row["push_error"]
    set_aside(role, "bills", document)


def test_what_somebody_holds_is_told(role: Granted, books: Books, payroll: Payroll) -> None:
    """How many were left; the next run takes them up."""
    for kind in ("bills", "leave_requests"):
        table = KINDS[kind].table
        if kind == "bills":
            for _ in range(2):
                books.add("bills")
        else:
            payroll.leave(payroll.paid_by_the_hour()[0], payroll.start_of(5), payroll.start_of(5))
        with role.owner.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            held = raw.execute(f"SELECT id FROM qicworks.{table} WHERE push_state = 'ready' FOR UPDATE").fetchall()
            outcome = push(role, books, kind)
            raw.rollback()
        assert outcome
        assert outcome.status == "warning", kind
        assert f"{len(held)} left because another session has locked them" in outcome.message
        outcome = push(role, books, kind)
        assert outcome
        assert outcome.counts.pushed == len(held) > 0
