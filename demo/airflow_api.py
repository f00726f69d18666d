"""A small client of Airflow's REST API: logs in, waits for a DAG, triggers it, waits for the run."""

from typing import Any

import requests

from demo.place import DemoError, Place
from demo.processes import end_of_log, running, until

TIMEOUT_SECONDS = 120  # for a response; a busy machine is slow


class AirflowApi:
    """A logged-in user of a place's Airflow. `program`: the process that serves the API."""

    def __init__(self, place: Place, program: str = "airflow") -> None:
        self.place = place
        self.program = program
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no .netrc: the server is on this machine

    def wait_until_up(self, patience: float) -> None:
        """Waits for the API and logs in."""
        if not until(lambda: self._healthy() or not running(self.place, self.program), patience, pause=0.5):
            raise DemoError(f"Airflow did not come up in {patience:.0f} s. {end_of_log(self.place, self.program)}")
        if not running(self.place, self.program):
            raise DemoError(f"Airflow ended at once. {end_of_log(self.place, self.program)}")
        response = self.session.post(
            f"{self.place.airflow}/auth/token",
            json={"username": "admin", "password": self.place.secrets["admin_password"]},
            timeout=TIMEOUT_SECONDS,
        )
        response.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"

    def wait_for_dags(self, dag_ids: list[str], patience: float) -> None:
        """Waits until Airflow knows every DAG; it is healthy before that."""
        missing = set(dag_ids)

        def all_known() -> bool:
            missing.difference_update(dag["dag_id"] for dag in self._get("dags?limit=200")["dags"])
            return not missing

        if not until(all_known, patience, pause=0.5):
            errors = self._get("importErrors")["import_errors"]
            reported = "; ".join(f"{error['filename']}: {error['stack_trace'].strip()[-300:]}" for error in errors)
            raise DemoError(
                f"Airflow does not know {', '.join(sorted(missing))}. {reported or 'It reports no import error.'}"
            )

    def trigger(self, dag_id: str) -> str:
        """Starts a run, as the Trigger button does. Returns its id."""
        response = self.session.post(
            self._url(f"dags/{dag_id}/dagRuns"), json={"logical_date": None}, timeout=TIMEOUT_SECONDS
        )
        response.raise_for_status()
        return str(response.json()["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        return str(self._get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Returns the task instances of a run."""
        found: list[dict[str, Any]] = self._get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return found

    def failed_tasks(self, dag_id: str, run_id: str) -> list[str]:
        """Returns task id, organisation and state of each task of a run that neither succeeded nor was skipped."""
        return [
            f"{task['task_id']} {task['rendered_map_index'] or ''}: {task['state'] or 'not started'}".replace(" :", ":")
            for task in self.tasks(dag_id, run_id)
            if task["state"] not in ("success", "skipped") and task["task_id"] != "watcher"
        ]

    def _healthy(self) -> bool:
        try:
            response = self.session.get(self._url("monitor/health"), timeout=5)
        except requests.RequestException:
            return False
        return response.ok and response.json()["scheduler"]["status"] == "healthy"

    def _get(self, path: str) -> Any:
        response = self.session.get(self._url(path), timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return response.json()

    def _url(self, path: str) -> str:
        return f"{self.place.airflow}/api/v2/{path}"
