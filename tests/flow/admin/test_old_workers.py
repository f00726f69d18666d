"""Workers of the version before: they made the database, and go on while it has the newest schema already."""

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import IndeterminateDatatype

from tests.support import history, old_worker
from tests.support.catalogue import catalogue
from tests.support.killing import Forked
from tests.support.lived import contents
from tests.support.paying import Line as PayLine
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books
from tests.support.sandbox import Sandbox
from tests.support.versions import MIGRATIONS, as_of
from tests.support.world import World
from xero.api.errors import XeroError
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.admin.migrate import migrate
from xero.qicworks.database import Session

EARLIER = MIGRATIONS[MIGRATIONS.index("0009.pages") :]


class OldWorker:
    """Runs commands with the code of an earlier version."""

    def __init__(self, code: Path, environment: dict[str, str]) -> None:
        self.code = code
        self._process = subprocess.Popen(
            [sys.executable, "-P", old_worker.__file__],
            env={**environment, "PYTHONPATH": str(code / "plugins")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer()["out"].startswith(str(code)), "this would be the newest version beside itself"

    def _answer(self) -> dict[str, str]:
        assert self._process.stdout is not None
        answer: dict[str, str] = json.loads(self._process.stdout.readline())
        return answer

    def begin(self, *arguments: str, **environment: str) -> None:
        assert self._process.stdin is not None
        print(json.dumps({"arguments": arguments, "environment": environment}), file=self._process.stdin, flush=True)

    def run(self, *arguments: str, **environment: str) -> str:
        """What it says. It has to go well."""
        self.begin(*arguments, **environment)
        answer = self._answer()
        assert answer["code"] == 0, f"{' '.join(arguments)}: {answer['err']} {answer['out']}"
        return answer["out"]

    def finish(self) -> None:
        """Waits for what was begun, whatever it says."""
        self._answer()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def world(sandbox: Sandbox, blank_url: str) -> Iterator[World]:
    """As the owner of the tables sees it, with the newest code; nothing is in the database yet."""
    sandbox.settings(limits=False)
    world = World(sandbox, database.engine(blank_url), blank_url)
    yield world
    world.engine.dispose()


@pytest.fixture
def role(postgres_url: str, world: World) -> Iterator[str]:
    """Under which everything runs but migrations."""
    name = f"sync_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN")  # type: ignore[call-overload]
        yield name
        world.query(f"DROP OWNED BY {name}")
        server.execute(f"DROP ROLE {name}")  # type: ignore[call-overload]


@pytest.fixture
def old(world: World, tmp_path: Path) -> Iterator[OldWorker]:
    code = history.checked_out(history.before("0029.currencies"), tmp_path, "plugins", "include/sql")
    worker = OldWorker(code, world.environment())
    yield worker
    worker.kill()


def test_they_pull_and_push_on_the_newest_schema(world: World, role: str, old: OldWorker) -> None:
    first, second = world.names()[:2]
    owner = {"AIRFLOW_CONN_QICWORKS_DEFAULT": world.database_url}
    worker = {"AIRFLOW_CONN_QICWORKS_DEFAULT": world.database_url.replace("postgres@", f"{role}@")}
    old.run("migrate", "--grant-to", role, **owner)
    old.run("connect", "--all", **worker)
    known_before = [name for name in DATASETS if (old.code / f"plugins/xero/datasets/{name}.py").is_file()]
    assert len(known_before) > 7
    for name in known_before:
        old.run("pull", name, "--connection", second)
    with database.session(world.engine) as session:
        known = catalogue(session)
        before = contents(session, known)
        upgraded = world.main("migrate", "--grant-to", role)
        assert upgraded.returncode == 0, upgraded.stderr
        assert contents(session, known) == before

    # Pushed by them, then by both in turn.
    books, payroll = Books(world), Payroll(world)
    payroll.pay_run("post")
    documents = {kind: books.add(kind) for kind in PRICED}
    employee = payroll.paid_by_the_hour()[0]
    payroll.pay(employee, payroll.period(1), PayLine(units="20"))
    payroll.leave(employee, payroll.start_of(3), payroll.start_of(3))
    old.run("push", "all", "--connection", first)
    books.assert_once()
    assert payroll.earnings(employee)["Ordinary Hours"]["NormalNumberOfUnits"] == 20
    assert len(payroll.applications()) == 1
    world.pull("document_status", books.organisation)  # what they pushed last is known from here on
    for number, push in enumerate((books.push, lambda kind: old.run("push", kind, "--connection", first))):
        for kind, document in documents.items():
            books.edit(kind, document, reference=f"edited {number}")
            push(kind)
        books.assert_once()

    # Pulled by both in turn: the other finds nothing to do, as it finds it after itself.
    for name in known_before:
        # Each knows a row by the hash of its own columns: one that has more of them writes once what the other wrote.
        declared = f"plugins/xero/datasets/{name}.py"
        has_new_columns = (old.code / declared).read_text() != (Path(__file__).parents[3] / declared).read_text()
        for _ in range(2):
            old.run("pull", name, "--connection", first)
            assert has_new_columns or not world.pull(name).changed, name
            world.pull(name)
            assert not world.pull(name).changed, name
        old.run("pull", name, "--connection", first)
    renamed = world.sandbox.truth("Contacts")[0]["ContactID"]
    world.sandbox.change("Contacts", renamed, Name="Renamed")
    old.run("pull", "contacts", "--connection", first)
    assert world.rows("contact")[renamed]["name"] == "Renamed"
    for command in (["connections"], ["events"], ["reconcile", "--connection", first], ["keys", "check"]):
        old.run(*command)

    # A cancellation that one could not send, the other sends, once.
    leave = world.query("SELECT id FROM qicworks.leave_request")[0]["id"]
    books.edit("bills", documents["bills"], status="Cancelled")
    payroll.edit("leave_request", leave, status="Rejected")
    for kind, push in (("bills", books.push), ("leave_requests", payroll.push)):
        world.fault(kind="cut", method="POST", path="/(Invoices|LeaveApplications)", times=9)
        with pytest.raises(XeroError):
            push(kind)
        world.sandbox.control("DELETE", "faults")
        books.writes()
        books.pass_time(1_000)
        old.run("push", kind, "--connection", first)
        assert (len(books.writes()), books.requests()) == (1, [])
        push(kind)
        assert books.writes() == []
    assert [record["Status"] for record in books.in_xero("bills")].count("DELETED") == 1
    assert payroll.applications()[0]["LeavePeriods"][0]["LeavePeriodStatus"] == "REJECTED"

    # What one leaves in the air, the other settles.
    books.add("invoices")
    with world.sandbox.hold("/Invoices", done=True, method="PUT") as wait_until_held:
        killed = Forked(world, partial(books.push, "invoices"))
        wait_until_held()
        killed.kill()
    books.pass_time(1_000)
    old.run("push", "invoices", "--connection", first)
    books.assert_once("invoices")
    books.add("invoices")
    with world.sandbox.hold("/Invoices", done=True, method="PUT") as wait_until_held:
        old.begin("push", "invoices", "--connection", first)
        wait_until_held()
        old.kill()
    books.drain("invoices")
    books.assert_once("invoices")


def test_statements_of_earlier_versions_are_understood(blank_url: str, tmp_path: Path) -> None:
    """Those of include/sql, of the last version before each migration: what PostgreSQL took then it takes today."""
    engine = database.engine(blank_url)
    understood: list[tuple[str, str]] = []
    every = 0
    with database.session(engine) as session:
        for last, following in pairwise(EARLIER):
            with as_of(last):
                migrate(engine)
            code = history.checked_out(history.before(following), tmp_path / last, "include/sql")
            then = statements(code)
            every += len(then)
            understood += [(last, statement) for statement in then if is_understood(session, statement)]
        assert len(understood) > 0.9 * every > 400
        migrate(engine)
        refused = [f"{last}: {one}" for last, one in understood if not is_understood(session, one)]
    engine.dispose()
    assert not refused, "the newest schema does not understand these:\n" + "\n".join(refused)


def statements(code: Path) -> list[str]:
    """Each with $1, $2, … in place of its parameters; not templates, whose places nothing fills here."""
    found = []
    for file in sorted((code / "include" / "sql").rglob("*.sql")):
        if file.parent.name != "schema":
            for statement in re.split(r"^-- name: .*$", file.read_text(), flags=re.MULTILINE)[1:]:
                if re.search(r"(?m)^(?!\s*--).*\{[a-z_]+\}", statement):
                    continue
                numbered: dict[str, int] = {}
                found.append(
                    re.sub(
                        r"(?<![:\w]):([a-z]\w*)",
                        lambda name, numbered=numbered: f"${numbered.setdefault(name[1], len(numbered) + 1)}",  # type: ignore[misc]
                        re.sub(r"^\s*--.*$", "", statement, flags=re.MULTILINE),
                    )
                )
    return found


def is_understood(session: Session, statement: str) -> bool:
    """Whether tables, columns and functions are there as it says. Which type a parameter has may be open."""
    try:
        session.execute(f"PREPARE looked_at AS {statement}".encode())
    except IndeterminateDatatype:
        return True
    except (psycopg.errors.ProgrammingError, psycopg.errors.DataError):
        return False
    session.execute("DEALLOCATE looked_at")
    return True
