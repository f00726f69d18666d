"""Airflow's REST API, for a caller who goes on when the API server is restarted under him."""

from typing import Any

import requests

from tests.faults.sides import patiently

PATIENCE = 300.0  # seconds for an answer: the API server may be on its way down, or up


class Unanswered(Exception):
    """The API server is not there, or not quite."""


class Airflow:
    """A logged-in user of the cluster's Airflow."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        self.session = requests.Session()
        self.session.trust_env = False  # it is on this machine
        self.tokens: list[str] = []  # all that were given to us

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a call below /api/v2; a 409 is None: it is there already."""
        answer = self.send(method, f"/api/v2/{path}", json=body)
        if answer.status_code == 409:
            return None
        answer.raise_for_status()
        return answer.json()

    def send(self, method: str, path: str, **how: Any) -> requests.Response:
        """Any call, again and again until the API server answers it."""
        return patiently(lambda: self._once(method, path, **how), Unanswered, patience=PATIENCE, pause=1.0)

    def trigger(self, dag_id: str, run_id: str, conf: Any) -> str:
        """As the Trigger button does. The run has its id from us: asked for twice it is one."""
        self.ask("POST", f"dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf})
        return f"{dag_id} {run_id}"

    def pause(self, dag_id: str, paused: bool) -> None:
        self.ask("PATCH", f"dags/{dag_id}", {"is_paused": paused})

    def dags(self) -> list[str]:
        return [dag["dag_id"] for dag in self.ask("GET", "dags?limit=200")["dags"]]

    def _once(self, method: str, path: str, **how: Any) -> requests.Response:
        try:
            if not self.tokens:
                self._log_in()
            answer = self._sent(method, path, **how)
            if answer.status_code == 401:
                self._log_in()
                answer = self._sent(method, path, **how)
        except requests.RequestException as error:
            raise Unanswered(type(error).__name__) from None
        if answer.status_code >= 500:
            raise Unanswered(f"HTTP {answer.status_code}: {answer.text[:300]}")
        return answer

    def _sent(self, method: str, path: str, **how: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens[-1]}"}
        # Airflow gives a cookie of its own now and then: with one a form would have to come from its page.
        self.session.cookies.clear()
        return self.session.request(method, self.url + path, headers=headers, timeout=60, allow_redirects=False, **how)

    def _log_in(self) -> None:
        answer = self.session.post(f"{self.url}/auth/token", json=self._login, timeout=60)
        answer.raise_for_status()
        self.tokens.append(answer.json()["access_token"])
