"""A QicWorks database that was used for a while, and its rows as they would lie in an earlier version's tables."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from psycopg import sql
from psycopg.errors import CheckViolation, NotNullViolation

from tests.support.catalogue import Catalogue, catalogue
from tests.support.killing import Forked
from tests.support.one_world import switched
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.database import Session

Row = dict[str, str | None]  # as PostgreSQL writes the values

#: Of a column whose type is not listed: the word itself, which a text may be.
VALUES = {
    "uuid": "00000000-0000-4000-8000-000000000001",
    "boolean": "true",
    "date": "2026-11-01",
    "timestamp with time zone": "2026-11-01 02:00:00+00",
    "jsonb": '{"a": 1}',
    "bytea": "\\x00ff",
    "interval": "1 day",
    "integer": "1",
    "bigint": "1",
    "smallint": "1",
    "double precision": "1.5",
}


@dataclass
class Lived:
    """What was done, and all rows that it left."""

    world: World
    books: Books
    payroll: Payroll
    documents: dict[str, UUID]  # what became of it -> an invoice
    paid: str  # whose pay stands in a template
    left_out: str  # who is in no document
    rows: dict[str, list[Row]] = field(default_factory=dict)


def live(world: World) -> Lived:
    """Everything that lies in the tables after a while: people and pay, documents in each state, a request in the air,
    what was rejected, what was staged, and whose process was killed."""
    world.sandbox.settings(limits=False, access_token_seconds=1e9)
    books, payroll = Books(world), Payroll(world)
    for kind in PRICED:
        books.add(kind, files=[File()])
        books.push(kind)
    documents = {
        "pushed": books.rows("invoices")[0]["id"],
        "failed": books.add("invoices", Line(columns={"account_id": None})),
        "draft": books.add("invoices", state="draft"),
        "of another": books.add("invoices", contact=1),
    }
    books.push("invoices")
    payroll.pay_run("post")
    employee, other = payroll.paid_by_the_hour()[:2]
    payroll.pay(employee, payroll.period(1), PayLine(units="20"))
    payroll.leave(employee, payroll.start_of(3), payroll.start_of(3))
    payroll.push("payroll")
    payroll.push("leave_requests")

    for name in DATASETS:
        assert world.pull(name).status in ("success", "warning"), name
    first, second, third = (one["ContactID"] for one in world.sandbox.truth("Contacts")[4:7])
    for key in (first, second):
        world.sandbox.change("Contacts", key, Name=None)
    world.pull("contacts")
    world.sandbox.change("Contacts", first, Name="Good again")
    world.pull("contacts")
    assert world.main("person", "erase", "--contact", third, "--yes").returncode == 0

    documents["in the air"] = books.add("invoices")
    with world.sandbox.hold("/Invoices", done=True, method="PUT") as wait_until_held:
        process = Forked(world, partial(books.push, "invoices"))
        wait_until_held()
        process.kill()
    documents["ready"] = books.add("invoices")
    world.query("DELETE FROM xero_sync.cursor WHERE data_set = 'contacts'")
    with switched(books, max_page_size=2), world.sandbox.hold("/Contacts", skip=2) as wait_until_held:
        process = Forked(world, partial(world.pull, "contacts"))
        wait_until_held()
        process.kill()
    lived = Lived(world, books, payroll, documents, employee, other)
    with database.session(world.engine) as session, without_triggers(session):
        found = catalogue(session)
        for table in found.tables():
            if not session.execute(f"SELECT 1 FROM {table} LIMIT 1".encode()).fetchone():
                fill(session, found, table)
        lived.rows = read(session, found)
    return lived


@contextmanager
def without_triggers(session: Session) -> Iterator[None]:
    """In one transaction, where neither triggers nor references look at what is written."""
    with session.transaction():
        session.execute("SET LOCAL session_replication_role = replica")
        yield


def read(session: Session, known: Catalogue) -> dict[str, list[Row]]:
    """Every row of these tables, of the columns that are known."""
    found: dict[str, list[Row]] = {}
    for table in known.tables():
        columns = sql.SQL(", ").join(sql.SQL("{0}::text AS {0}").format(_name(one)) for one in known.stored(table))
        found[table] = session.execute(sql.SQL("SELECT {} FROM {}").format(columns, _table(table))).fetchall()
    return found


def contents(session: Session, known: Catalogue) -> dict[str, list[str]]:
    """The same to be compared: each row in one piece, in an order of its own."""
    found: dict[str, list[str]] = {}
    for table in known.tables():
        row = sql.SQL("ROW({})::text AS row").format(sql.SQL(", ").join(map(_name, known.stored(table))))
        rows = session.execute(sql.SQL("SELECT {} FROM {} ORDER BY 1").format(row, _table(table)))
        found[table] = [one["row"] for one in rows]
    return found


def load(session: Session, rows: Mapping[str, list[Row]]) -> None:
    """Puts them into the tables that there are, as far as there are columns. What an earlier version could not have
    held, such as a state that it did not know, it did not have."""
    known = catalogue(session)
    with without_triggers(session):
        session.execute(f"TRUNCATE {', '.join(known.tables())}".encode())
        for table in known.tables():
            columns = known.stored(table)
            fitting = [[_earlier(known, name, row[name]) for name in columns] for row in rows[table]]
            if not _copied(session, table, columns, fitting):
                statement = _insert(table, columns)
                for values in fitting:
                    _insert_if_it_fits(session, statement, values)
            assert session.execute(f"SELECT 1 FROM {table} LIMIT 1".encode()).fetchone(), f"no row of {table} fits"
            for name in columns:
                if known.columns[table, name].identity:
                    numbers = "SELECT setval(pg_get_serial_sequence(%s, %s), max({0})) FROM {1}"
                    session.execute(sql.SQL(numbers).format(_name(name), _table(table)), (table, name))


def _earlier(known: Catalogue, column: str, value: str | None) -> str | None:
    """As versions before 0024 wrote it, where this is one of them: they had no events of maintenance."""
    before = ("xero_sync.connection_event", "outcome") not in known.columns
    return "connect" if before and (column, value) == ("direction", "maintenance") else value


def _copied(session: Session, table: str, columns: list[str], rows: list[list[str | None]]) -> bool:
    """Whether all of them fit; else none is there."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(_table(table), sql.SQL(", ").join(map(_name, columns)))
    try:
        with session.transaction(), session.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except (CheckViolation, NotNullViolation):
        return False
    return True


def _insert_if_it_fits(session: Session, statement: sql.Composed, values: list[str | None]) -> None:
    try:
        with session.transaction():
            session.execute(statement, values)
    except (CheckViolation, NotNullViolation):
        return


def fill(session: Session, known: Catalogue, table: str) -> None:
    """A row for a table that nothing of the above has filled: something in each column."""
    row: Row = {}
    for name in known.stored(table):
        column = known.columns[table, name]
        if column.default is None and not column.identity:
            row[name] = _value(session, known, table, name)
    session.execute(_insert(table, list(row)), list(row.values()))


def _value(session: Session, known: Catalogue, table: str, name: str) -> str:
    for one in known.constraints:
        if one.relation == table and one.columns == {name}:
            if one.kind == "f":
                there = one.definition.partition("REFERENCES ")[2].partition("(")
                found = session.execute(f"SELECT {there[2].partition(')')[0]}::text AS key FROM {there[0]}".encode())
                row = found.fetchone()
                assert row is not None, f"{there[0]} is empty"
                return str(row["key"])
            if "'" in one.definition:
                return one.definition.split("'")[1]
    type = known.columns[table, name].type
    if type.endswith("[]"):
        return "{}"
    return "1" if type.startswith("numeric") else VALUES.get(type, "x")


def _insert(table: str, columns: list[str]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        _table(table),
        sql.SQL(", ").join(map(_name, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _name(column: str) -> sql.Identifier:
    return sql.Identifier(column)
