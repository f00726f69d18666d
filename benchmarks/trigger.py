"""Time from Trigger to rows: one organisation of 500 contacts on a warm Airflow, compared with an empty DAG.

All 500 have changed before each run. The run counts as done when another database session sees all rows; for the
empty DAG of the same shape, when the task in place of the pull has ended. Runs of both take turns.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import requests

from benchmarks import scale_place
from benchmarks.contacts_report import table
from benchmarks.scale_place import ScalePlace
from demo.airflow_api import AirflowApi
from demo.processes import until

RESULT = Path(__file__).parent / "results" / "trigger.md"
CONTACTS = 500
TASKS = ("connections", "pull", "announce")
TIMEOUT_SECONDS = 120.0
STEP = re.compile(r'"timestamp": ?"([^"]+)"[^\n]*?"event": ?"((?:extract|validate|load)[^"]*|connection_event[^"]*)"')


@dataclass(frozen=True)
class Ran:
    """One run: seconds from the trigger to the rows, to the end, and to each step of each task."""

    rows: float
    end: float
    moments: dict[tuple[str, str], float]


class Watch:
    """Triggers runs and watches when the rows appear."""

    def __init__(self, place: ScalePlace, api: AirflowApi) -> None:
        self.place = place
        self.api = api
        self.session = requests.Session()
        self.session.trust_env = False
        self.contacts = self._contacts()

    def _steer(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.place.sandbox}/sandbox/{path}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def _contacts(self) -> str:
        """Creates contacts until the organisation has 500; returns the path of the collection."""
        [organisation] = self._steer("GET", "organisations")
        self._steer("POST", "reset", {"contacts": {organisation["name"]: CONTACTS}})
        return f"organisations/{organisation['tenant']}/Contacts"

    def pull(self) -> Ran:
        """Changes all contacts, then runs pull_contacts once."""
        self._steer("POST", f"{self.contacts}/touch", {"share": 1})
        with psycopg.connect(f"{self.place.postgres}/qicworks", autocommit=True) as database:
            count = "SELECT count(*) FROM qicworks.contact WHERE synced_at > %s"
            row = database.execute("SELECT clock_timestamp()").fetchone()
            assert row is not None
            began = time.time()
            run_id = self.api.trigger("pull_contacts")
            there = until(lambda: database.execute(count, row).fetchone() == (CONTACTS,), TIMEOUT_SECONDS, pause=0.02)
            rows = time.time() - began
        if not there:
            raise RuntimeError(f"the rows did not appear within {TIMEOUT_SECONDS:.0f} s")
        return self._ended("pull_contacts", run_id, began, rows)

    def empty(self) -> Ran:
        began = time.time()
        run_id = self.api.trigger("empty")
        ran = self._ended("empty", run_id, began, 0.0)
        return Ran(ran.moments["pull", "end"], ran.end, ran.moments)

    def _ended(self, dag_id: str, run_id: str, began: float, rows: float) -> Ran:
        if not until(lambda: self.api.state(dag_id, run_id) in ("success", "failed"), TIMEOUT_SECONDS, pause=0.05):
            raise RuntimeError(f"{dag_id} did not end within {TIMEOUT_SECONDS:.0f} s")
        tasks = self.api.tasks(dag_id, run_id)
        if bad := [task["task_id"] for task in tasks if task["state"] != "success" and task["task_id"] in TASKS]:
            raise RuntimeError(f"{dag_id}: {bad}")
        moments = {
            (task["task_id"], moment): datetime.fromisoformat(task[name]).timestamp() - began
            for task in tasks
            if task["task_id"] in TASKS
            for moment, name in (("scheduled", "scheduled_when"), ("queued", "queued_when"), ("start", "start_date"),
                                 ("end", "end_date"))
            if task.get(name)
        }  # fmt: skip
        return Ran(rows, max(at for (_, moment), at in moments.items() if moment == "end"), moments)

    def steps(self) -> dict[str, float]:
        """Seconds of each step of the last pull, from its log."""
        logs = sorted((self.place.home / "airflow" / "logs").rglob("dag_id=pull_contacts/**/task_id=pull/**/*.log"))
        text = max(logs, key=lambda file: file.stat().st_mtime).read_text()
        at = [(datetime.fromisoformat(when.replace("Z", "+00:00")), what.split()[0].strip(":")) for when, what in
              STEP.findall(text.replace("::group::", ""))]  # fmt: skip
        return {what: (after - when).total_seconds() for (when, what), (after, _) in pairwise(at)}


def medians(runs: list[Ran]) -> dict[tuple[str, str], float]:
    return {moment: statistics.median(run.moments[moment] for run in runs) for moment in runs[0].moments}


def text(pulls: list[Ran], empties: list[Ran], steps: list[dict[str, float]]) -> str:
    def middle(runs: list[Ran], what: str) -> float:
        return statistics.median(getattr(run, what) for run in runs)

    def spread(runs: list[Ran], what: str) -> str:
        values = sorted(getattr(run, what) for run in runs)
        return f"{middle(runs, what):.2f} ({values[0]:.2f} to {values[-1]:.2f})"

    ours, theirs = medians(pulls), medians(empties)

    def moments() -> Iterator[tuple[object, ...]]:
        for task in TASKS:
            for moment in ("scheduled", "queued", "start", "end"):
                if (task, moment) in ours and (task, moment) in theirs:
                    yield f"{task}: {moment}", f"{ours[task, moment]:.2f}", f"{theirs[task, moment]:.2f}"

    ratio = middle(pulls, "rows") / middle(empties, "rows")
    parts = {name: statistics.median(one.get(name, 0.0) for one in steps) for name in steps[0]}
    said = ", ".join(f"{name} {value:.2f} s" for name, value in parts.items())
    return "\n".join([
        f"# {(__doc__ or '').splitlines()[0]}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, LocalExecutor, load"
        f" of the machine {os.getloadavg()[0]:.1f}; medians of {len(pulls)} runs each, in turns. Seconds since the"
        " trigger.",
        "",
        *table(("", "pull_contacts", "empty DAG"), iter([
            ("rows visible; end of the empty task", spread(pulls, "rows"), spread(empties, "rows")),
            ("end of the run", spread(pulls, "end"), spread(empties, "end")),
        ])),
        "",
        *table(("goal", "", "", ""), iter([
            ("trigger to rows / the empty DAG", "at most 1.5", f"{ratio:.2f}", "met" if ratio <= 1.5 else "**not met**")
        ])),
        "",
        "Where the time goes:",
        "",
        *table(("", "pull_contacts", "empty DAG"), moments()),
        "",
        f"Within the pull: {said}.",
        "",
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trigger", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help=f"write benchmarks/results/{RESULT.name}")
    given = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="trigger-"))
    home.chmod(0o755)
    ports = {variable: os.environ.get(variable, str(port)) for variable, port in scale_place.OTHERS.items()}
    place = ScalePlace.from_environment({"XERO_DEMO_HOME": str(home), **ports})
    assert isinstance(place, ScalePlace)
    try:
        watch = Watch(place, scale_place.start(place, 1))
        watch.pull()
        watch.empty()  # warms Airflow up
        pulls, empties, steps = [], [], []
        for _ in range(given.rounds):
            pulls.append(watch.pull())
            steps.append(watch.steps())
            empties.append(watch.empty())
            print(f"rows {pulls[-1].rows:.2f}, empty {empties[-1].rows:.2f}, {steps[-1]}", flush=True)
        report = text(pulls, empties, steps)
        print(report)
        if given.write:
            RESULT.write_text(report)
    finally:
        scale_place.stop(place)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
