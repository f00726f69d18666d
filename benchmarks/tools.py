"""The tools that pull contacts: this project, its alternatives, and a bare script as the lower bound."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from benchmarks import environments, spending
from benchmarks.spending import Cost
from benchmarks.surroundings import CLIENT, FIRM, Surroundings

OURS = Path(__file__).parent / "ours" / "pull.py"
OUR_ROWS = "SELECT xero_id::text AS contact_id, name, email FROM qicworks.contact"


@dataclass(frozen=True)
class Tool:
    """A tool. `peer` is its folder below `benchmarks/peers`; None for this project."""

    name: str
    peer: str | None = None
    preloaded: bool = False
    page_size: int = 1000

    @property
    def folder(self) -> Path:
        assert self.peer
        return environments.PEERS / self.peer

    @property
    def rows(self) -> str:
        return (self.folder / "rows.sql").read_text() if self.peer else OUR_ROWS


OURS_AS_WORKERS_RUN = Tool("this project, as workers run it", preloaded=True)
OURS_AT_A_TERMINAL = Tool("this project, at a terminal")
FLOOR = Tool("the floor", "floor")
DLT = Tool("dlt", "dlt")
TAP = Tool("tap-xero, target-postgres", "tap_xero", page_size=100)
SDK_100 = Tool("xero-python loop, page 100", "xero_python", page_size=100)
SDK_1000 = Tool("xero-python loop, page 1000", "xero_python")
TOOLS = (OURS_AS_WORKERS_RUN, OURS_AT_A_TERMINAL, FLOOR, DLT, TAP, SDK_100, SDK_1000)


@dataclass(frozen=True)
class Spent:
    """The cost of one run: CPU seconds of the program and of PostgreSQL; calls and bytes without those for tokens."""

    cost: Cost
    postgres: float
    calls: int
    received: int


@dataclass
class Installed:
    """A tool with its own database and folder, ready for its first run."""

    tool: Tool
    around: Surroundings
    database: str
    state: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, kill_when: Callable[[], bool] = lambda: False) -> Spent:
        """Runs the tool once. Raises RuntimeError if it fails without being killed."""
        self.around.steer("DELETE", "calls")
        before = spending.postgres_seconds(self.around.home)
        log = self.state / "log"
        cost = spending.run(self.command, self.environment, log, kill_when=kill_when)
        used = spending.postgres_seconds(self.around.home) - before
        if cost.code and not cost.killed:
            raise RuntimeError(f"{self.tool.name} failed:\n{log.read_text()[-4000:]}")
        told = self.state / "cost.json"
        if told.exists():
            cost = replace(cost, **json.loads(told.read_text()))
            told.unlink()
        calls = [call for call in self.around.steer("GET", "calls") if call["path"].startswith("/api.xro/")]
        return Spent(cost, used, len(calls), sum(call["bytes"] for call in calls))

    @property
    def command(self) -> list[str | Path]:
        if self.tool.peer:
            return [environments.python(self.tool.peer), self.tool.folder / "pull.py"]
        arguments = ["pull", "contacts", "--connection", FIRM]
        return [sys.executable, *([OURS] if self.tool.preloaded else ["-m", "xero"]), *arguments]

    def stored(self) -> dict[str, list[tuple[str | None, str | None]]]:
        """Name and email of the stored contacts, by id; a contact may be stored twice."""
        found: dict[str, list[tuple[str | None, str | None]]] = {}
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            try:
                rows = connection.execute(self.tool.rows).fetchall()  # type: ignore[call-overload]
            except psycopg.errors.UndefinedTable:
                return {}
        for row in rows:
            found.setdefault(row["contact_id"], []).append((row["name"], row["email"] or None))
        return found


def install(tool: Tool, around: Surroundings) -> Installed:
    """Creates the tool's environment, an empty database and an empty folder, and does its one-off set-up."""
    name = "bench_" + "".join(letter if letter.isalnum() else "_" for letter in tool.name)
    database, state = around.new_database(name), around.home / name
    log = around.home / f"{name}.log"
    environment = spending.clean_environment() | {"NO_PROXY": "127.0.0.1", "PYTHONPATH": "", "TZ": "UTC"}
    while state.exists():
        state = state.with_name(state.name + "_")
    state.mkdir()
    if tool.peer:
        folder = environments.make(tool.folder)
        environment |= {"XERO_URL": around.xero, "CLIENT_ID": CLIENT[0], "CLIENT_SECRET": CLIENT[1]}
        environment |= {"TENANT_ID": around.tenant, "DATABASE_URL": database, "STATE": str(state)}
        environment |= {"PAGE_SIZE": str(tool.page_size), "ENVIRONMENTS": str(folder)}
        return Installed(tool, around, database, state, environment)
    # The sandbox's limits are off: tools are measured by their work, not by their waiting.
    environment |= around.settings(database, minute_limit=1_000, minute_seconds=1, day_limit=1_000_000)
    environment |= {"AIRFLOW_HOME": str(around.home / "airflow"), "COST": str(state / "cost.json")}
    for command in (["migrate"], ["connect", "--all"]):
        done = spending.run([sys.executable, "-m", "xero", *command], environment, log)
        if done.code:
            raise RuntimeError(f"{command[0]} failed:\n{log.read_text()[-4000:]}")
    return Installed(tool, around, database, state, environment)
