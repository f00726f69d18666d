"""The calm after the run: everything is on, and an operator brings all that was begun to its end."""

import time
from collections.abc import Callable

import psycopg

from tests.faults.airflow import Airflow
from tests.faults.operator import Operator
from tests.faults.sides import Live
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS

ROUNDS = 8
STILL = 420.0  # seconds in which nothing at all ends: then it never will

Say = Callable[[str], object]


class Unsettled(Exception):
    """It does not come to an end."""


class Calm:
    """`metadata`: the address of Airflow's database, which is read to see how far the runs are."""

    def __init__(self, world: Live, airflow: Airflow, operator: Operator, metadata: str, say: Say) -> None:
        self.world = world
        self.airflow = airflow
        self.operator = operator
        self.metadata = metadata
        self.say = say
        self._runs = 0

    def pull_all(self, *, full: bool = False) -> None:
        self.run([f"pull_{name}" for name in DATASETS], {"full_refresh": full})

    def run(self, dag_ids: list[str], conf: dict[str, object]) -> None:
        """Triggers them, and waits until nothing runs any more."""
        for dag_id in dag_ids:
            self._runs += 1
            self.airflow.trigger(dag_id, f"calm-{self._runs:03d}", conf)
        self.until_nothing_runs()

    def until_nothing_runs(self) -> None:
        """Patience is by progress, not by the clock: Unsettled when nothing has ended for a long while."""
        ended, since = -1, time.monotonic()
        while True:
            running, now_ended = self._progress()
            if not running:
                return
            if now_ended != ended:
                ended, since = now_ended, time.monotonic()
            if time.monotonic() - since > STILL:
                raise Unsettled(f"{running} runs are not over, and nothing has ended for {STILL:.0f} s")
            time.sleep(2)

    def _progress(self) -> tuple[int, int]:
        with psycopg.connect(self.metadata) as session:
            row = session.execute(
                "SELECT (SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running')),"
                "       (SELECT count(*) FROM task_instance WHERE end_date IS NOT NULL)"
                "     + (SELECT count(*) FROM dag_run WHERE end_date IS NOT NULL)"
                "     + (SELECT count(*) FROM task_instance_history)"
            ).fetchone()
        assert row
        return row[0], row[1]

    def settle(self, everything_again: Callable[[], str]) -> None:
        """Rounds of pulls and pushes until nothing waits. Unsettled says what does."""
        for number in range(1, ROUNDS + 1):
            self.say(f"round {number}: {everything_again()}")
            self.until_nothing_runs()
            self.pull_all(full=number == 1)
            if number == 1:
                for kind in KINDS:
                    said = self.operator.command("push", kind, "--retry-failed")
                    self.say(f"push {kind} --retry-failed: {' '.join((said.stdout or said.stderr).split())[:150]}")
            self.run([f"push_{kind}" for kind in KINDS], {})
            waiting = self.waiting()
            self.say(f"round {number}: {', '.join(waiting) or 'nothing waits'}")
            if not waiting:
                break
            time.sleep(20)
        # What was pushed last, and what it changed, is pulled once more; then nothing begins by itself.
        self.pull_all(full=True)
        self.run(["reconcile"], {})
        for dag_id in self.airflow.dags():
            self.airflow.pause(dag_id, True)
        self.until_nothing_runs()

    def waiting(self) -> list[str]:
        """What is not settled yet, in words."""
        found = []
        for kind in KINDS.values():
            for row in self.world.query(
                f"SELECT push_state, count(*) AS count FROM qicworks.{kind.table}"
                " WHERE push_state IN ('ready', 'in_flight') GROUP BY push_state"
            ):
                found.append(f"{row['count']} {kind.name} {row['push_state']}")
            [files] = self.world.query(
                f"SELECT count(*) AS count FROM qicworks.attachment AS file JOIN qicworks.{kind.table} AS document"
                "    ON file.parent_type = %s AND file.parent_id = document.id"
                " WHERE file.push_state IN ('ready', 'in_flight') AND document.push_state = 'pushed'",
                kind.table,
            )
            found += [f"{files['count']} files of {kind.name} ready"] if files["count"] else []
        for what, statement in (
            ("requests open", "SELECT count(*) AS count FROM xero_sync.push_request WHERE closed_at IS NULL"),
            (
                "connections broken",
                "SELECT count(*) AS count FROM xero_sync.connection WHERE state = 'needs_reconnect'",
            ),
        ):
            [row] = self.world.query(statement)
            found += [f"{row['count']} {what}"] if row["count"] else []
        return found
