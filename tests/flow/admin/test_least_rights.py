"""A role with the rights of `migrate --grant-to` alone: everything that runs does under it, and nothing else can."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.support.own_contacts import OwnBooks
from tests.support.paying import Line, Payroll
from tests.support.pushing import PRICED, File
from tests.support.reconciling import compare
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.admin import grants, retention
from xero.qicworks.connect import connections, oauth_states, switches, token_keys
from xero.qicworks.pull import rejections
from xero.qicworks.push import documents_by_owner
from xero.qicworks.runs import events
from xero.qicworks.views import dag_runs, document_list, event_log, status, traffic, unmatched_authorisations
from xero.sync.connect import disconnect

FORBIDDEN = """
    DELETE FROM qicworks.invoice
    DELETE FROM qicworks.staff
    UPDATE qicworks.invoice SET total = 0
    UPDATE qicworks.bill SET number = 'X'
    UPDATE qicworks.bill SET push_version = 9
    UPDATE qicworks.payroll_line SET units = 0
    UPDATE qicworks.pay_period SET approved_at = now()
    UPDATE qicworks.leave_request SET approved_version = 1
    UPDATE qicworks.attachment SET content = ''
    UPDATE qicworks.organisation SET name = 'X'
    INSERT INTO qicworks.invoice (organisation_id, number) SELECT id, 'X' FROM qicworks.organisation
    INSERT INTO qicworks.payroll_push (organisation_id, push_state, approved_version) VALUES (NULL, 'ready', 1)
    INSERT INTO qicworks.payroll_line (units) VALUES (1)
    TRUNCATE xero_sync.staging
    TRUNCATE qicworks.contact CASCADE
    DELETE FROM xero_sync.token
    DELETE FROM xero_sync.connection
    DELETE FROM xero_sync.erasure
    INSERT INTO xero_sync.erasure SELECT id, 'contact', 'X' FROM xero_sync.connection
    DELETE FROM xero_sync.owned_earnings_line
    UPDATE xero_sync.owned_earnings_line SET employee_xero_id = gen_random_uuid()
    UPDATE xero_sync.owned_earnings_line SET earnings_rate_xero_id = gen_random_uuid()
    UPDATE xero_sync.owned_earnings_line SET written = NULL, seal = NULL
    SELECT setval('xero_sync.earnings_line_written', 1)
    UPDATE qicworks.payroll_push SET takes_back = true
    UPDATE xero_sync.document_link SET version = 1
    DELETE FROM xero_sync.document_link
    INSERT INTO xero_sync.link_before_seals (document_id, tenant_id) VALUES (gen_random_uuid(), 'X')
    DELETE FROM xero_sync.link_before_seals
    UPDATE xero_sync.taken_tax SET tax_amount = 1
    DELETE FROM xero_sync.taken_tax
    UPDATE xero_sync._yoyo_migration SET migration_id = 'X'
    DELETE FROM xero_sync._yoyo_log
    SELECT * FROM xero_sync._yoyo_migration
    DROP TABLE qicworks.invoice
    ALTER TABLE qicworks.contact ADD COLUMN more text
    CREATE TABLE qicworks.more (id integer)
    CREATE TABLE xero_sync.more (id integer)
    CREATE SCHEMA more
    CREATE OR REPLACE FUNCTION xero_sync.document_was_edited() RETURNS trigger LANGUAGE plpgsql AS ''
    ALTER TABLE qicworks.invoice DISABLE TRIGGER was_edited
    SELECT * FROM elsewhere.secret
    COPY qicworks.contact TO PROGRAM 'true'
"""


# Which record of Xero's a pulled row is. Members of staff are QicWorks' own, and become one.
FORBIDDEN += "".join(
    f"    UPDATE qicworks.{table.name} SET {column} = {column}\n"
    for dataset in DATASETS.values()
    for table in dataset.tables
    for column in ("id", "connection_id", table.key)
    if table.name != "staff"
)


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """Made from nothing."""
    name = f"sync_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN")
        yield name
        server.execute(f"DROP ROLE {name}")


@pytest.fixture
def owner(unconnected: World, role: str) -> Iterator[World]:
    """Who owns the tables, and has given the role its rights; twice, which changes nothing."""
    unconnected.query("CREATE SCHEMA elsewhere CREATE TABLE secret (word text)")
    rights = (
        "SELECT relname, relacl::text AS table, (SELECT array_agg(attacl::text ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = pg_class.oid AND attacl IS NOT NULL) AS columns FROM pg_class ORDER BY oid"
    )
    given = []
    for _ in range(2):
        done = unconnected.main("migrate", "--grant-to", role)
        assert done.returncode == 0, done.stderr
        given.append(unconnected.query(rights))
    assert given[0] == given[1]
    yield unconnected
    unconnected.query(f"DROP OWNED BY {role}")


@pytest.fixture
def sync(owner: World, role: str) -> Iterator[World]:
    """What pulls and pushes."""
    url = owner.database_url.replace("postgres@", f"{role}@")
    engine = database.engine(url)
    yield World(owner.sandbox, engine, url)
    engine.dispose()


def test_all_that_runs_runs_under_it(owner: World, sync: World) -> None:
    sync.sandbox.settings(limits=False)
    assert sync.connect() == 0
    for name in DATASETS:
        assert sync.pull(name, 1).status in ("success", "warning"), name
        assert sync.pull(name, 1, full=True).status in ("success", "warning"), name

    books, payroll = OwnBooks(owner), Payroll(owner)
    for kind in PRICED:
        books.add(kind, files=[File()])
    books.setting("create")
    changed = books.contact("Not in Xero")
    one, other, *_ = payroll.paid_by_the_hour()
    payroll.pay(one, payroll.period(), Line())
    start = payroll.start_of(3)
    payroll.leave(one, start, start)
    books.world = payroll.world = sync
    assert {*PRICED, "contacts", "payroll", "leave_requests"} == set(KINDS)
    for kind in KINDS:
        outcome = (payroll if KINDS[kind].payroll else books).push(kind)
        assert (outcome.counts.pushed, outcome.counts.failed) == (1, 0), kind
    assert {row["push_state"] for row in owner.query("SELECT push_state FROM qicworks.attachment")} == {"pushed"}
    owner.query("UPDATE qicworks.contact SET city = 'Dapto' WHERE id = %s", changed)
    assert sync.pull("contacts", full=True).status in ("success", "warning")
    assert books.push("contacts").counts.pushed == 1
    assert owner.query("SELECT city FROM qicworks.contact WHERE id = %s", changed) == [{"city": "Dapto"}]
    later = periods(owner, payroll)
    for employee in (other, one, one):
        for period in later:
            taken = (payroll.connection_id, period, payroll.staff[employee])
            sync.query("SELECT xero_sync.take_back_pay(%s, %s, %s)", *taken)
    made = "SELECT staff_id, pay_period_id FROM qicworks.payroll_push WHERE pay_period_id = ANY(%s)"
    assert owner.query(made, later) == [{"staff_id": payroll.staff[one], "pay_period_id": later[1]}]
    owner.query("DELETE FROM qicworks.payroll_push WHERE pay_period_id = ANY(%s)", later)
    assert sync.pull("invoice_payments").status in ("success", "warning")
    assert compare(sync, 1).status in ("success", "warning")
    show(sync)

    connection_id = connections_of(sync)[2]
    with database.session(sync.engine) as session:
        switches.switch(session, sync.app(), connection_id, False, "Kim")
        switches.switch(session, sync.app(), connection_id, True, "Kim")
        state = oauth_states.issue(session, "7", "xero_default", sync.app())
        assert oauth_states.use_once(session, "7", state) == "xero_default"
        assert token_keys.rotate(session, sync.app).already == 1
        for what in retention.WHAT:
            retention.prune(session, what, 0)
    disconnect.disconnect(sync.engine, sync.app, connection_id, "Kim")
    assert sync.main("connections").returncode == sync.main("events").returncode == 0


def periods(owner: World, payroll: Payroll) -> list[uuid.UUID]:
    """Two later ones than the first: one that is not approved, one that is."""
    payroll.world, before = owner, payroll.world
    found = [payroll.period(2, approved=False), payroll.period(3)]
    payroll.world = before
    return found


def connections_of(world: World) -> list[uuid.UUID]:
    with database.session(world.engine) as session:
        return [one.id for one in connections.every(session)]


def show(world: World) -> None:
    """What the pages ask."""
    now = datetime.now(UTC)
    with database.session(world.engine) as session:
        [event, *_] = events.latest(session, 1)
        assert event_log.page(session, event_log.Filter())[0]
        assert list(event_log.export(session, event_log.Filter()))
        assert event_log.list_pairs(session)
        assert event_log.get_event(session, event["id"])
        assert status.page(session)[0]
        assert status.needs_attention(session) is not None
        assert traffic.by_day(session)
        assert traffic.by_data_set(session)
        assert traffic.by_organisation(session)
        assert document_list.counts(session, KINDS.values())
        for kind in KINDS.values():
            [found], _ = document_list.page(session, kind)
            assert document_list.one(session, kind, found["id"])
            document_list.attachments(session, kind, found["id"])
            assert documents_by_owner.named(session, kind, [str(found["id"])])
        rejections.open_page(session)
        unmatched_authorisations.unmatched(session)
        dag_runs.events_of(session, "pull", "contacts", "pull_contacts", "none", now - timedelta(1), now, 10)


def refused(connection: psycopg.Connection[Any], statement: str) -> bool:
    try:
        connection.execute(statement)  # type: ignore[call-overload]
    except InsufficientPrivilege:
        return True
    return False


def test_nothing_else_can_be_done_under_it(owner: World, sync: World, role: str) -> None:
    assert owner.connect() == 0
    with psycopg.connect(sync.database_url, autocommit=True) as connection:
        connection.execute("SELECT count(*) FROM qicworks.invoice")
        for statement in filter(None, map(str.strip, FORBIDDEN.splitlines())):
            assert refused(connection, statement), statement
    # What it was given beside is taken back; and there are roles that no grant makes smaller.
    owner.query(f"GRANT DELETE, UPDATE ON qicworks.invoice TO {role}")
    assert owner.main("migrate", "--grant-to", role).returncode == 0
    with pytest.raises(InsufficientPrivilege):
        sync.query("DELETE FROM qicworks.invoice")
    assert "is a superuser or owns the tables" in owner.main("migrate", "--grant-to", "postgres").stderr
    assert "there is no role 'nobody'" in owner.main("migrate", "--grant-to", "nobody").stderr


#: what somebody did to the role, what takes it back, and what is said of it
MORE = [
    ("GRANT {group} TO {role}; ALTER ROLE {group} SUPERUSER", "ALTER ROLE {group} NOSUPERUSER",
     "{group}, which is a superuser"),
    ("GRANT DELETE ON qicworks.bill TO {group}", "REVOKE DELETE ON qicworks.bill FROM {group}",
     "DELETE on qicworks.bill, through {group}"),
    ("ALTER ROLE {role} NOINHERIT; GRANT UPDATE (total) ON qicworks.bill TO {group}",
     "REVOKE UPDATE (total) ON qicworks.bill FROM {group}", "UPDATE on qicworks.bill (total), through {group}"),
    ("REVOKE {group} FROM {role}; GRANT pg_write_all_data TO {role}", "REVOKE pg_write_all_data FROM {role}",
     "INSERT on qicworks.attachment (content, created_at, file_name, …), through pg_write_all_data"),
    ("ALTER TABLE qicworks.leave_request OWNER TO {role}", "ALTER TABLE qicworks.leave_request OWNER TO postgres",
     "the table qicworks.leave_request belongs to it"),
    ("GRANT INSERT ON qicworks.bill TO PUBLIC", "REVOKE INSERT ON qicworks.bill FROM PUBLIC",
     "as everyone may (PUBLIC)"),
    ("ALTER DEFAULT PRIVILEGES IN SCHEMA qicworks GRANT DELETE ON TABLES TO {role}",
     "ALTER DEFAULT PRIVILEGES IN SCHEMA qicworks REVOKE DELETE ON TABLES FROM {role}",
     "DELETE on tables that postgres makes later, granted to itself"),
    ("ALTER ROLE {role} CREATEROLE", "ALTER ROLE {role} NOCREATEROLE", "it is CREATEROLE"),
    ("GRANT CREATE ON SCHEMA qicworks TO PUBLIC", "REVOKE CREATE ON SCHEMA qicworks FROM PUBLIC",
     "CREATE on qicworks,"),
    ("GRANT SELECT ON qicworks.bill TO {role} WITH GRANT OPTION; SET ROLE {role};"
     " GRANT SELECT ON qicworks.bill TO {group}; RESET ROLE",
     "REVOKE ALL ON ALL TABLES IN SCHEMA qicworks FROM {role} CASCADE", "has granted rights to other roles"),
]  # fmt: skip


def test_a_role_that_could_do_more_is_refused(owner: World, role: str) -> None:
    """By whichever way it came to it; nothing is changed then."""
    names = {"role": role, "group": f"{role}_group"}
    database_name = owner.query("SELECT quote_ident(current_database()) AS name")[0]["name"]
    with psycopg.connect(owner.database_url, autocommit=True) as server, database.session(owner.engine) as session:
        server.execute(f"CREATE ROLE {role}_group")
        try:
            for done, undone, said in MORE:
                server.execute(done.format(**names))
                with pytest.raises(ValueError, match=re.escape(said.format(**names))):
                    grants.grant_to(session, role)
                server.execute(undone.format(**names))
                grants.grant_to(session, role)
            server.execute(f"GRANT CREATE ON DATABASE {database_name} TO {role}")
            server.execute(f"GRANT USAGE ON SCHEMA elsewhere TO {role}; GRANT SELECT ON elsewhere.secret TO PUBLIC")
            odd = "; ".join(grants.grant_to(session, role))
            assert f"it may make schemas in this database, through {role}" in odd
            assert "it has rights in the schema elsewhere, too: secret" in odd
        finally:
            server.execute(f"DROP OWNED BY {role}_group; DROP ROLE {role}_group")


def test_a_new_data_set_needs_no_edit(owner: World, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    """What is declared is granted: of a further table, too, and of columns that its statements write."""
    owner.query("CREATE TABLE qicworks.item (LIKE xero_sync.pulled_row INCLUDING ALL, xero_id uuid)")
    owner.query("CREATE TABLE xero_sync.stage_item (LIKE xero_sync.stage_row INCLUDING ALL, xero_id uuid)")
    table = SimpleNamespace(name="item", key="xero_id", linked=False, also_updates={"bill": ("status",)})
    monkeypatch.setitem(grants.DATASETS, "items", SimpleNamespace(tables=(table,)))
    with database.session(owner.engine) as session:
        grants.grant_to(session, role)
    may = owner.query(
        "SELECT has_table_privilege(%(role)s, 'qicworks.item', 'INSERT') AS item,"
        " has_table_privilege(%(role)s, 'xero_sync.stage_item', 'DELETE') AS staged,"
        " has_column_privilege(%(role)s, 'qicworks.bill', 'status', 'UPDATE') AS followed,"
        " has_column_privilege(%(role)s, 'qicworks.item', 'is_active', 'UPDATE') AS changes,"
        " has_column_privilege(%(role)s, 'qicworks.item', 'xero_id', 'UPDATE') AS becomes_another,"
        " has_table_privilege(%(role)s, 'qicworks.item', 'DELETE') AS deletes".replace("%(role)s", f"'{role}'")
    )
    may_not = {"becomes_another": False, "deletes": False}
    assert may == [{"item": True, "staged": True, "followed": True, "changes": True, **may_not}]
