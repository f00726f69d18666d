"""A second API server over the same database, with the larger auth manager (FAB): its users, its login, its cookie."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields

import requests

from demo import processes
from demo.place import Place
from tests.stack.conftest import ImpatientPlace, Stack, free_ports

PATIENCE = 180  # seconds: it starts on a busy machine
ROLES = {"admin": "Admin", "viewer": "Viewer"}
AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
# One process for all: `airflow users create` would start Airflow for each.
MAKE_USERS = """
import json, sys
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

with get_application_builder() as builder:
    for name, role, password in json.load(sys.stdin):
        roles = builder.sm.find_role(role)
        assert builder.sm.add_user(name, name, "of the tests", f"{name}@example.com.au", roles, password), name
"""


class FabPlace(ImpatientPlace):
    """The same demo, seen through another API server."""

    @property
    def settings(self) -> dict[str, str]:
        return super().settings | {"AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGER}


@dataclass
class Fab:
    """A running API server with FAB; its users bear the passwords of the demo's."""

    place: Place

    def bearer(self, user: str) -> requests.Session:
        """Logged in as a program does, by a token."""
        session = self.nobody()
        answer = session.post(f"{self.place.ui}/auth/token", json=self._credentials(user), timeout=PATIENCE)
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session

    def login(self, user: str) -> requests.Session:
        """Logged in as a person does, by FAB's form: it leaves Airflow's cookie."""
        session = self.nobody()
        address = f"{self.place.ui}/auth/login/"
        form = session.get(address, timeout=PATIENCE).text
        [token] = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        session.post(address, data={**self._credentials(user), "csrf_token": token}, timeout=PATIENCE)
        assert "_token" in session.cookies, f"{user} is not logged in"
        return session

    def nobody(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["Accept"] = "text/html"
        return session

    def _credentials(self, user: str) -> dict[str, str]:
        return {"username": user, "password": self.place.secrets[f"{user}_password"]}


@contextmanager
def running(stack: Stack) -> Iterator[Fab]:
    """Beside the stack's own. Airflow's migrations have made FAB's tables: they come with the installed provider."""
    known = {field.name: getattr(stack.place, field.name) for field in fields(Place)}
    place = FabPlace(**{**known, "airflow_port": int(free_ports()["AIRFLOW_PORT"])})
    users = [(user, role, place.secrets[f"{user}_password"]) for user, role in ROLES.items()]
    # Before the server: each of the two makes roles and permissions that are missing.
    subprocess.run(
        [sys.executable, "-c", MAKE_USERS],
        env=place.environment,
        input=json.dumps(users).encode(),
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=PATIENCE,
    )
    with ExitStack() as afterwards:
        afterwards.callback(processes.stop, place, "fab")
        processes.ensure_started(place, "fab", [sys.executable, "-m", "airflow", "api-server"], place.airflow_port)
        assert processes.until(lambda: listens(place), patience=PATIENCE), processes.end_of_log(place, "fab")
        yield Fab(place)


def listens(place: Place) -> bool:
    assert processes.running(place, "fab"), processes.end_of_log(place, "fab")
    return processes.listening(place.airflow_port)
