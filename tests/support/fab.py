"""Airflow's larger auth manager (FAB), as users and programs meet it: its form, its cookie, its tokens, its roles."""

import re
from dataclasses import dataclass

import requests

from demo.place import Place

PATIENCE = 180  # seconds: on a busy machine


@dataclass
class Fab:
    """The API server of a cluster. The user `admin` is there; others are made."""

    place: Place

    def make(self, user: str, role: str) -> None:
        """A user with the place's password, as an admin makes one by REST."""
        person = {"username": user, "first_name": user, "last_name": "of the tests", "roles": [{"name": role}]}
        made = {**person, "email": f"{user}@example.com.au", "password": self._credentials(user)["password"]}
        with self.bearer("admin") as session:
            session.post(f"{self.place.ui}/auth/fab/v1/users", json=made, timeout=PATIENCE).raise_for_status()

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
