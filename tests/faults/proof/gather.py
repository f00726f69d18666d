"""Reads the facts from both sides, once all is calm."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from tests.faults.proof.facts import Call, Document, Facts, Record, Row, Side
from tests.faults.sides import Books, Live, Pay
from tests.support import expected_payroll as payroll
from tests.support.pushing import PRICED, as_in_xero
from xero.datasets.registry import DATASETS

ORDINARY = "EarningsLines"
#: Tables of Airflow's whose rows hold secrets by design: signed tokens of tasks in flight, hashes of passwords.
KEPT_BY_AIRFLOW = ("connection", "ab_user", "session", "callback_request", "revoked_token")


Templates = Mapping[str, Mapping[str, Row]]  # tenant → employee → the pay template at the beginning


def sides(
    world: Live, books: list[Books], pay: Mapping[int, Pay], touched: set[tuple[str, str]], templates: Templates
) -> list[Side]:
    found = []
    for number, connection in enumerate(world.connections):
        side = Side(connection["organisation"], connection["tenant_id"], connection, number in pay)
        side.templates = dict(templates.get(side.tenant, {}))
        counts = world.sandbox.control("GET", "organisations")
        [mine] = [one for one in counts if one["tenant"] == side.tenant]
        side.truth = {name: world.sandbox.truth(name, number) for name in mine["counts"]}
        for table in (table.name for dataset in DATASETS.values() for table in dataset.tables):
            if table_exists(world, table):
                statement = f"SELECT * FROM qicworks.{table} WHERE connection_id = %s"
                side.held[table] = world.query(statement, connection["id"])
        side.invoices = world.query(
            "SELECT * FROM qicworks.invoice WHERE organisation_id = %s AND xero_id IS NOT NULL",
            connection["organisation_id"],
        )
        side.documents = [*priced(books[number], touched)]
        side.records = [*records(books[number])]
        if number in pay:
            side.documents += [*pays(pay[number], side), *leaves(pay[number], side)]
            side.records += leave_records(pay[number])
        found.append(side)
    return found


def table_exists(world: Live, table: str) -> bool:
    """What is pulled into a table of QicWorks' own has no rows that belong to the pull."""
    columns = world.query(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'qicworks' AND table_name = %s"
        " AND column_name = 'connection_id'",
        table,
    )
    return bool(columns)


def priced(books: Books, touched: set[tuple[str, str]]) -> Iterator[Document]:
    for kind in PRICED:
        for row in books.rows(kind):
            ours = books.as_in_qicworks(kind, row) if row["contact_id"] else {}
            document = Document(kind, row, ours, touched=(kind, str(row["id"])) in touched)
            if row["push_state"] == "pushed":
                document.files = [
                    (one["file_name"], one["mime_type"], one["sha256"]) for one in books.files(kind, row["id"])
                ]
                there = books.attached(row["xero_id"])
                document.attached = [(one["FileName"], one["MimeType"], one["sha256"]) for one in there]
            yield document


def records(books: Books) -> Iterator[Record]:
    """Once each: bills and expenses lie in one collection."""
    found: dict[str, Record] = {}
    for kind, (_, _, key, number, _) in PRICED.items():
        for record in books.in_xero(kind):
            kinds = (*found[record[key]].kinds, kind) if record[key] in found else (kind,)
            theirs = as_in_xero(kind, record)
            found[record[key]] = Record(kinds, record[key], record.get(number) or "", record["Status"], theirs)
    yield from found.values()


def pays(pay: Pay, side: Side) -> Iterator[Document]:
    """Hours by earnings rate, as the pay template has them; its other lines are as they were at the beginning."""
    employees = {one["EmployeeID"]: one for one in side.truth["Employees"]}
    staff = {id: key for key, id in pay.staff.items()}
    for row in pay.world.query("SELECT * FROM qicworks.payroll_push WHERE organisation_id = %s", pay.organisation_id):
        lines = pay.world.query(
            "SELECT code.xero_id::text AS rate, sum(line.units) AS units FROM qicworks.payroll_line AS line"
            "  JOIN qicworks.pay_code AS code ON code.id = line.pay_code_id WHERE payroll_push_id = %s GROUP BY 1",
            row["id"],
        )
        employee = staff[row["staff_id"]]
        ours = {"hours": {line["rate"]: [line["units"]] for line in lines}}
        before, after = side.templates.get(employee), employees[employee]["PayTemplate"]
        theirs: Row = {"hours": hours(after, set(ours["hours"]))}
        if before is not None:
            ours["others"] = others(before, set(ours["hours"]))
            theirs["others"] = others(after, set(ours["hours"]))
        xero_id = f"the pay template of {employee}"
        yield Document("payroll", {**row, "xero_id": xero_id}, ours)
        side.records.append(Record(("payroll",), xero_id, "", "DRAFT", theirs))


def hours(template: Row, rates: set[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for line in template[ORDINARY]:
        if line["EarningsRateID"] in rates:
            found.setdefault(line["EarningsRateID"], []).append(payroll.number(line.get("NormalNumberOfUnits")))
    return found


def others(template: Row, rates: set[str]) -> list[str]:
    lists = [repr(template.get(name)) for name in sorted(template) if name != ORDINARY]
    return lists + sorted(repr(line) for line in template[ORDINARY] if line["EarningsRateID"] not in rates)


def leaves(pay: Pay, side: Side) -> Iterator[Document]:
    for row in pay.world.query("SELECT * FROM qicworks.leave_request WHERE organisation_id = %s", pay.organisation_id):
        yield Document("leave_requests", row, {"days": (row["start_date"], row["end_date"]), "hours": row["hours"]})


def leave_records(pay: Pay) -> list[Record]:
    found = []
    for one in pay.applications():
        units = sum(payroll.number(period["NumberOfUnits"]) or 0 for period in one["LeavePeriods"])
        theirs = {"days": (payroll.day(one["StartDate"]), payroll.day(one["EndDate"])), "hours": units}
        found.append(Record(("leave_requests",), one["LeaveApplicationID"], one["Description"], "DRAFT", theirs))
    return found


def plumbing(world: Live, facts: Facts) -> None:
    facts.events = world.query("SELECT * FROM xero_sync.connection_event ORDER BY id")
    facts.requests = world.query("SELECT id, kind, closed_at FROM xero_sync.push_request")
    facts.rejections = world.query("SELECT * FROM xero_sync.rejection ORDER BY id")
    facts.cursors = world.query("SELECT * FROM xero_sync.cursor")
    facts.staging = world.query("SELECT * FROM xero_sync.staging")
    tables = world.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'xero_sync'"
        " AND table_name LIKE 'stage\\_%%' AND table_name <> 'stage_row' AND table_type = 'BASE TABLE'"
    )
    for name in (row["table_name"] for row in tables):
        facts.staged[name] = world.query(f"SELECT count(*) AS count FROM xero_sync.{name}")[0]["count"]


def calls(world: Live) -> list[Call]:
    """The journal in this machine's time: the sandbox's own may be another."""
    beginning = time.time() - time.monotonic()
    return [
        Call(
            datetime.fromtimestamp(beginning + one["arrived"], UTC),
            *(one[name] for name in ("method", "path", "tenant", "status", "fault")),
        )
        for one in world.sandbox.control("GET", "calls")
    ]


def airflow(metadata: str, logs: Path, facts: Facts) -> None:
    with psycopg.connect(metadata, row_factory=dict_row) as session:
        facts.runs = session.execute("SELECT dag_id, run_id, state FROM dag_run").fetchall()
        facts.tasks = session.execute(
            "SELECT dag_id, run_id, task_id, map_index, state, try_number FROM task_instance"
        ).fetchall()
        facts.audits = session.execute(
            "SELECT dag_id, run_id, task_id, map_index, event, extra FROM log WHERE event IN"
            " ('state mismatch', 'heartbeat timeout', 'stuck in queued reschedule', 'stuck in queued tries exceeded')"
        ).fetchall()
    for task in facts.tasks:
        if task["state"] == "failed":
            index = [f"map_index={task['map_index']}"] if task["map_index"] >= 0 else []
            folder = logs.joinpath(
                f"dag_id={task['dag_id']}", f"run_id={task['run_id']}", f"task_id={task['task_id']}", *index
            )
            text = "".join(file.read_text(errors="replace") for file in sorted(folder.glob("attempt=*.log")))
            facts.task_logs[task["dag_id"], task["run_id"], task["task_id"], task["map_index"]] = text


def texts(folders: list[Path], databases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every file, or every one below a folder, every row of the databases' tables, as text."""
    for folder in folders:
        for file in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if file.is_file():
                yield f"file {file}", file.read_text(errors="replace")
    for name, url in databases.items():
        with psycopg.connect(url, row_factory=dict_row) as session:
            tables = session.execute(
                "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
                " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            for table in tables:
                if table["table_name"] in KEPT_BY_AIRFLOW:
                    continue
                where = Identifier(table["table_schema"], table["table_name"])
                rows = session.execute(SQL("SELECT row::text AS row FROM {} AS row").format(where)).fetchall()
                yield (
                    f"table {name}.{table['table_schema']}.{table['table_name']}",
                    "\n".join(row["row"] for row in rows),
                )
