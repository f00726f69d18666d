"""Airflow's REST API, as much as a demo needs: log in, wait for a DAG, trigger it, wait for the run."""

from typing import Any

import requests

from demo.place import DemoError, Place
from demo.processes import end_of_log, running, until

PATIENCE = 120  # seconds for an answer: on a busy machine the API waits for its turn, too


class AirflowApi:
    """A logged-in user of a place's Airflow. `program`: the one that serves it."""

    def __init__(self, place: Place, program: str = "airflow") -> None:
        self.place = place
        self.program = program
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy, no .netrc: it is on this machine

    def wait_until_up(self, patience: float) -> None:
        """Waits for the API and logs in."""
        if not until(lambda: self._healthy() or not running(self.place, self.program), patience, pause=0.5):
            raise DemoError(f"Airflow did not come up in {patience:.0f} s. {end_of_log(self.place, self.program)}")
        if not running(self.place, self.program):
            raise DemoError(f"Airflow ended at once. {end_of_log(self.place, self.program)}")
        answer = self.session.post(
            f"{self.place.airflow}/auth/token",
            json={"username": "admin", "password": self.place.secrets["admin_password"]},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def wait_for_dags(self, dag_ids: list[str], patience: float) -> None:
        """Waits until every DAG is known: health turns green before that."""
        missing = set(dag_ids)

        def all_known() -> bool:
            missing.difference_update(dag["dag_id"] for dag in self._get("dags?limit=200")["dags"])
            return not missing

        if not until(all_known, patience, pause=0.5):
            errors = self._get("importErrors")["import_errors"]
            said = "; ".join(f"{error['filename']}: {error['stack_trace'].strip()[-300:]}" for error in errors)
            raise DemoError(
                f"Airflow does not know {', '.join(sorted(missing))}. {said or 'It reports no import error.'}"
            )

    def trigger(self, dag_id: str) -> str:
        """Starts a run, as the Trigger button does. Returns its id."""
        answer = self.session.post(self._url(f"dags/{dag_id}/dagRuns"), json={"logical_date": None}, timeout=PATIENCE)
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        return str(self._get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, as Airflow tells of them."""
        found: list[dict[str, Any]] = self._get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return found

    def failed_tasks(self, dag_id: str, run_id: str) -> list[str]:
        """Task id, organisation and state of what did not go well in a run."""
        return [
            f"{task['task_id']} {task['rendered_map_index'] or ''}: {task['state'] or 'not started'}".replace(" :", ":")
            for task in self.tasks(dag_id, run_id)
            if task["state"] not in ("success", "skipped") and task["task_id"] != "watcher"
        ]

    def _healthy(self) -> bool:
        try:
            answer = self.session.get(self._url("monitor/health"), timeout=5)
        except requests.RequestException:
            return False
        return answer.ok and answer.json()["scheduler"]["status"] == "healthy"

    def _get(self, path: str) -> Any:
        answer = self.session.get(self._url(path), timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def _url(self, path: str) -> str:
        return f"{self.place.airflow}/api/v2/{path}"
