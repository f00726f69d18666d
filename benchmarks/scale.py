"""Measures a night of many organisations with nothing new, compared with as many empty tasks in the same Airflow.

Each data set's DAG runs once for all organisations, one of them several times, alternating with runs of empty mapped
tasks. The difference is what a pull costs in addition to Airflow itself, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from benchmarks import scale_place
from benchmarks.scale_place import ScalePlace, Spent, StatementLog
from benchmarks.spending import mebibytes
from demo.airflow_api import AirflowApi
from demo.processes import until
from xero.api.settings import XeroApp
from xero.cli import airflow_connections
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.runs.events import Origin
from xero.sync.connect.clients import OpenClient
from xero.sync.pull.flow import pull
from xero.sync.runs.participants import select_connections

RESULT = Path(__file__).parent / "results" / "scale.md"
OFTEN = "tax_codes"  # the data set that is measured several times
ROUNDS = 3
FEW = 10


@dataclass(frozen=True)
class Measured:
    """One DAG run over all organisations."""

    name: str
    wall: float
    spent: Spent
    statements: int
    calls: int
    bytes_received: int
    ended: dict[str, int]  # status → events


def most_often(names: Sequence[str]) -> str:
    return OFTEN if OFTEN in names else names[0]


class Night:
    """The runs of one night, one after the other."""

    def __init__(self, place: ScalePlace, api: AirflowApi, organisations: int) -> None:
        self.place = place
        self.api = api
        self.organisations = organisations
        self.log = StatementLog(place)

    def run(self, dag_id: str, patience: float = 600.0) -> Measured:
        """Triggers the DAG, waits until it has ended, and returns the figures."""
        self.log.new()
        before, began = scale_place.spent(self.place), time.monotonic()
        run_id = self.api.trigger(dag_id)
        if not until(lambda: self.api.state(dag_id, run_id) in ("success", "failed"), patience, pause=1.0):
            raise RuntimeError(f"{dag_id} did not end within {patience:.0f} s")
        wall, spent = time.monotonic() - began, scale_place.spent(self.place) - before
        statements = self.log.new()
        calls, received, ended = events(self.place, run_id)
        state = self.api.state(dag_id, run_id)
        found = Measured(dag_id, wall, spent, sum(statements.values()), calls, received, ended)
        if state != "success" or (dag_id != "empty" and sum(ended.values()) != self.organisations):
            raise RuntimeError(f"{dag_id} is {state}: {found}")
        print(told(found, self.organisations), flush=True)
        if os.environ.get("STATEMENTS") and dag_id != "empty":
            print("\n".join(f"    {count:5} {said}" for said, count in statements.most_common(40)), flush=True)
        return found

    def rounds(self, deadline: float, names: Sequence[str]) -> Iterator[Measured]:
        """Runs all DAGs while there is time, with an empty run before and after each two."""
        often = most_often(names)
        others = [name for name in names if name != often]
        order = [often] * ROUNDS + others
        self.run("empty")  # warms Airflow up; not counted
        for place, name in enumerate(order):
            if time.monotonic() > deadline:
                print(f"no time left for {', '.join(order[place:])}", flush=True)
                return
            if place < ROUNDS or place % 3 == 0:
                yield self.run("empty")
            yield self.run(f"pull_{name}")


def told(one: Measured, organisations: int) -> str:
    """A line of the table."""
    each = 1000 / organisations
    cells = [
        one.name,
        f"{one.wall:.0f}",
        f"{one.spent.airflow:.1f} + {one.spent.postgres:.1f}",
        f"{one.wall * each:.0f}",
        f"{one.spent.cpu * each:.0f}",
        f"{one.calls / organisations:.1f}",
        f"{one.bytes_received / organisations:.0f}",
        f"{one.statements / organisations:.1f}",
        f"{one.spent.sessions / organisations:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


EACH = "| {} | s | CPU s, Airflow + PostgreSQL | ms each | CPU ms each | calls | bytes | statements | connections |"
HEAD = EACH.format("run") + "\n" + "|---" * 9 + "|"
EACH_ALONE = "| data set | calls | bytes | statements | connections | ms | CPU ms, Python | CPU ms, PostgreSQL |"
HEAD_ALONE = EACH_ALONE + "\n" + "|---" * 8 + "|"


def events(place: ScalePlace, run_id: str) -> tuple[int, int, dict[str, int]]:
    """Calls, bytes, and events by status."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        rows = connection.execute(
            "SELECT status, count(*), sum(calls), sum(bytes_received) FROM xero_sync.connection_event"
            " WHERE run_id = %s GROUP BY status",
            (run_id,),
        ).fetchall()
    return sum(row[2] for row in rows), sum(row[3] for row in rows), {row[0]: row[1] for row in rows}


def reach(place: ScalePlace) -> tuple[Engine, OpenClient]:
    """Access to QicWorks' database and Xero without Airflow."""
    engine = database.engine(f"{place.postgres}/qicworks")
    app = XeroApp.from_connection(airflow_connections.parse("x", place.settings["AIRFLOW_CONN_XERO_DEFAULT"]))
    return engine, opener(engine, lambda _: app)


def first_load(place: ScalePlace, names: Sequence[str]) -> tuple[float, int]:
    """Pulls these data sets of every organisation outside Airflow, four at a time. Returns seconds and calls."""
    engine, open_client = reach(place)
    began, calls = time.monotonic(), 0
    for name in names:
        dataset = DATASETS[name]
        taking_part, _ = select_connections(engine, dataset)

        def one(connection: dict[str, str], dataset: Any = dataset) -> int:
            outcome = pull(
                dataset, connection["connection_id"], engine=engine, open_client=open_client, origin=Origin()
            )
            return outcome.counts.calls

        with ThreadPoolExecutor(4) as four:
            found = sum(four.map(one, taking_part))
        calls += found
        print(f"first load of {name}: {found} calls, {time.monotonic() - began:.0f} s so far", flush=True)
    engine.dispose()
    return time.monotonic() - began, calls


def by_themselves(place: ScalePlace, names: Sequence[str]) -> Iterator[str]:
    """Pulls each data set with nothing new outside Airflow, for a few organisations; one row with the cost of one."""
    engine, open_client = reach(place)
    log = StatementLog(place)
    for name in names:
        dataset = DATASETS[name]
        taking_part = select_connections(engine, dataset)[0][:FEW]
        log.new()
        before, busy, began = scale_place.spent(place), time.process_time(), time.monotonic()
        calls = received = 0
        for one in taking_part:
            counts = pull(dataset, one["connection_id"], engine=engine, open_client=open_client, origin=Origin()).counts
            calls, received = calls + counts.calls, received + counts.bytes_received
        wall, busy = time.monotonic() - began, time.process_time() - busy
        time.sleep(1.5)  # PostgreSQL counts ended sessions a little later
        spent, statements = scale_place.spent(place) - before, sum(log.new().values())
        each = [calls, received, statements, spent.sessions, 1000 * wall, 1000 * busy, 1000 * spent.postgres]
        yield f"| {name} | " + " | ".join(f"{value / len(taking_part):.1f}" for value in each) + " |"
    engine.dispose()


def report(
    organisations: int, loaded: tuple[float, int], alone: list[str], runs: list[Measured], memory: float, refused: int
) -> str:
    ours = [one for one in runs if one.name != "empty"]
    empty = [one for one in runs if one.name == "empty"]
    often = [one for one in ours if one.name == ours[0].name]

    def middle(of: list[Measured], what: str) -> float:
        return statistics.median(one.wall if what == "wall" else one.spent.cpu for one in of)

    last = list({one.name: one for one in ours}.values())
    night = {what: sum(middle([one for one in ours if one.name == each.name], what) for each in last) for what in
             ("wall", "cpu")}  # fmt: skip
    lines = [
        f"# {__doc__ and __doc__.splitlines()[0]}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, LocalExecutor with"
        f" 4 at a time, load of the machine at the end {os.getloadavg()[1]:.1f}. {organisations} organisations, limits"
        " as Xero's. Everything runs on the same machine: Airflow, both databases, the local Xero.",
        "",
        "Each data set with nothing new, outside Airflow, means of a few organisations:",
        "",
        HEAD_ALONE,
        *alone,
        "",
        "In Airflow, all organisations, one task each, in this order:",
        "",
        HEAD,
        *(told(one, organisations) for one in runs),
        "",
        "| | wall | CPU |",
        "|---|---|---|",
        f"| {ours[0].name} / empty, medians of {len(often)} and {len(empty)} |"
        f" {middle(often, 'wall') / middle(empty, 'wall'):.2f} | {middle(often, 'cpu') / middle(empty, 'cpu'):.2f} |",
        f"| the night: {len(last)} of {len(DATASETS)} data sets, {len(last) * organisations} tasks |"
        f" {night['wall'] / 60:.1f} min | {night['cpu'] / 60:.1f} min |",
        f"| the night / as many empty tasks | {night['wall'] / len(last) / middle(empty, 'wall'):.2f} |"
        f" {night['cpu'] / len(last) / middle(empty, 'cpu'):.2f} |",
        "",
        f"First load, outside Airflow, four at a time: {loaded[0]:.0f} s, {loaded[1]} calls."
        f" Answers with status 429: {refused}. Memory of Airflow's processes at the end: {memory:.0f} MiB.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("organisations", type=int, nargs="?", default=200)
    parser.add_argument("--minutes", type=float, default=20.0, help="start no further run after this time")
    parser.add_argument("--only", choices=DATASETS, help="only this data set, for a quick test")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    given = parser.parse_args()
    names = [given.only] if given.only else list(DATASETS)
    deadline = time.monotonic() + given.minutes * 60 - 90
    home = Path(tempfile.mkdtemp(prefix="scale-"))
    home.chmod(0o755)
    ports = {variable: os.environ.get(variable, str(port)) for variable, port in scale_place.OTHERS.items()}
    place = ScalePlace.from_environment({"XERO_DEMO_HOME": str(home), **ports})
    assert isinstance(place, ScalePlace)
    try:
        api = scale_place.start(place, given.organisations)
        loaded = first_load(place, names)
        refused = scale_place.stats(place)["refused"]
        alone = list(by_themselves(place, names))
        print(HEAD_ALONE, *alone, HEAD, sep="\n", flush=True)
        runs = list(Night(place, api, given.organisations).rounds(deadline, names))
        refused += scale_place.stats(place)["refused"]
        memory = sum(map(mebibytes, scale_place.programs(place, "airflow")))
        text = report(given.organisations, loaded, alone, runs, memory, refused)
        print(text, flush=True)
        if given.write:
            RESULT.write_text(text)
    finally:
        scale_place.stop(place)
        if not os.environ.get("KEEP"):
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
