"""A running demo, and what a test wants to do with it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from demo.airflow_api import AirflowApi
from demo.place import PORTS, Place
from demo.processes import until
from demo.story import PATIENCE
from tests.support.ports import reserved_ports
from tests.support.sandbox import Sandbox

# Airflow notices a killed task, and tries it again, in seconds instead of minutes.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # A scheduler that found nothing to do looks again after this many seconds, instead of 1.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    # The DAG files do not change: parsing them every 30 s would take a tenth of a core from what is tested.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}

# No DAG begins by itself: a run of its own clock would push what a test is about to push, or pull what it counts.
POLICY = """

def task_policy(task):
    from datetime import timedelta

    task.retry_delay = timedelta(seconds=1)


def dag_policy(dag):
    from airflow.sdk.definitions.timetables.simple import NullTimetable

    dag.timetable = NullTimetable()
"""

INVOICE = """
    INSERT INTO qicworks.invoice (organisation_id, number, contact_id, issue_date, due_date, currency, sub_total,
                                  total_tax, total, balance, status)
    SELECT organisation_id, %s, contact_id, issue_date, due_date, currency, sub_total, total_tax, total, total, status
      FROM qicworks.invoice WHERE id = %s RETURNING id
"""
LINES = """
    INSERT INTO qicworks.document_line (parent_type, parent_id, line_number, description, quantity, unit_price,
                                        line_total, tax_amount, account_id, tax_code_id)
    SELECT parent_type, %s, line_number, description, quantity, unit_price,
           line_total, tax_amount, account_id, tax_code_id
      FROM qicworks.document_line WHERE parent_type = 'invoice' AND parent_id = %s RETURNING id
"""

# Of the largest organisation the demo asks more than Xero's 60 calls a minute: it would wait for the next one.
GENEROUS = {"minute_limit": 600}


class ImpatientPlace(Place):
    """A demo whose Airflow is told to be quick, by the means any deployment has."""

    @property
    def xero_connection(self) -> dict[str, Any]:
        connection: dict[str, Any] = super().xero_connection
        connection["extra"]["limits"] = GENEROUS
        return connection

    @property
    def settings(self) -> dict[str, str]:
        return super().settings | IMPATIENT

    def prepare(self) -> None:
        super().prepare()
        with (self.home / "airflow" / "config" / "airflow_local_settings.py").open("a") as local_settings:
            local_settings.write(POLICY)


@dataclass
class Stack:
    """A running demo, and what a test wants to do with it."""

    place: Place
    api: AirflowApi
    said: str  # by `make demo`

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.api.session.request(method, f"{self.place.sandbox}/sandbox/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def hold(self, path: str, **order: Any) -> AbstractContextManager[Callable[..., None]]:
        """Holds the sandbox's calls that match, as `Sandbox.hold` does.

        Of a client that has waited for a minute and calls again, all calls are held."""
        return Sandbox(self.place.sandbox, self.api.session).hold(path, **{"times": None, **order})

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(f"{self.place.postgres}/qicworks", row_factory=dict_row) as connection:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]

    def copy_invoice(self, model: Any, number: str) -> Any:
        """The id of a new invoice, a draft in QicWorks: as the model is, lines and all."""
        [made] = self.query(INVOICE, number, model)
        assert self.query(LINES, made["id"], model)
        return made["id"]

    def organisations(self) -> list[dict[str, Any]]:
        """Those that the demo connects, the largest first."""
        found: list[dict[str, Any]] = self.sandbox("GET", "organisations")
        return sorted((one for one in found if "app" in one["connected"]), key=lambda one: -one["counts"]["Contacts"])

    def run(self, dag_id: str) -> None:
        """Runs it, and waits until it has succeeded."""
        made = self._airflow("POST", "", {"logical_date": None, "conf": {}}, dag_id)
        assert self.state(str(made["dag_run_id"]), dag_id=dag_id) == "success"

    def trigger(self, **conf: Any) -> str:
        """A run of pull_contacts by hand; its id."""
        return str(self._airflow("POST", "", {"logical_date": None, "conf": conf})["dag_run_id"])

    def state(self, run: str, patience: float = PATIENCE, dag_id: str = "pull_contacts") -> str:
        """How the run ended."""
        over = until(lambda: self.api.state(dag_id, run) in ("success", "failed"), patience)
        assert over, f"{run} of {dag_id} is not over: {self.api.failed_tasks(dag_id, run)}"
        return self.api.state(dag_id, run)

    def tasks(self, run: str) -> dict[str, dict[str, Any]]:
        """Task id, with the organisation where mapped → the task instance."""
        found = self._airflow("GET", f"/{run}/taskInstances")["task_instances"]
        return {f"{task['task_id']} {task['rendered_map_index'] or ''}".strip(): task for task in found}

    def log(self, run: str, attempt: int = 1, map_index: int = 0) -> str:
        """What a `pull` of the run logged, the first unless told, a line an entry with all its fields."""
        path = f"/{run}/taskInstances/pull/logs/{attempt}?map_index={map_index}&full_content=true"
        said = self._airflow("GET", path)
        return "\n".join(str(line) for line in said["content"])

    def events(self, run: str) -> list[dict[str, Any]]:
        return self.query("SELECT * FROM xero_sync.connection_event WHERE run_id = %s ORDER BY id", run)

    def result(self, run: str, dag_id: str, task_id: str) -> dict[str, int]:
        """What the run's first mapped task of that name gave."""
        path = f"/{run}/taskInstances/{task_id}/xcomEntries/return_value?map_index=0"
        found: dict[str, int] = self._airflow("GET", path, dag_id=dag_id)["value"]
        return found

    def _airflow(self, method: str, path: str, body: Any = None, dag_id: str = "pull_contacts") -> Any:
        url = f"{self.place.airflow}/api/v2/dags/{dag_id}/dagRuns{path}"
        answer = self.api.session.request(method, url, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def reserved_for_a_place() -> Iterator[dict[str, str]]:
    """Gives the variables of `Place`, each with a port that is its own until the block ends."""
    with reserved_ports(len(PORTS)) as ports:
        yield dict(zip(PORTS, map(str, ports), strict=True))
