"""The surroundings of a benchmark: its own PostgreSQL and sandbox, removed when it has ended."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql

from demo import postgres
from demo.place import Place
from xero.api.settings import XeroApp
from xero_sandbox.launch import launched

FIRM = "Harbour & Sons Plumbing Pty Ltd"
CLIENT = ("demo-client", "demo-secret-0000000000000000")


@dataclass
class Surroundings:
    """`home` is a folder for files of the programs; `xero` is the address of the sandbox."""

    place: Place
    xero: str
    session: requests.Session

    @property
    def home(self) -> Path:
        return self.place.home

    def steer(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the sandbox's control API."""
        answer = self.session.request(method, f"{self.xero}/sandbox/{path}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()

    @property
    def tenant(self) -> str:
        """The id of the organisation used for all measurements."""
        return next(one["tenant"] for one in self.steer("GET", "organisations") if one["name"] == FIRM)

    def collection(self, plural: str) -> str:
        return f"organisations/{self.tenant}/{plural}"

    def new_database(self, name: str) -> str:
        """Creates an empty database, dropping one with the same name. Returns its address."""
        with psycopg.connect(f"{self.place.postgres}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{self.place.postgres}/{name}"

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection to the sandbox, as a custom connection."""
        extra = {"grant_type": "client_credentials", "identity_host": self.xero}
        return {"conn_type": "xero", "login": CLIENT[0], "password": CLIENT[1], "host": self.xero, "extra": extra}

    @property
    def app(self) -> XeroApp:
        fields = {"schema": None, "port": None, **self.connection}
        return XeroApp.from_connection(type("Connection", (), fields))

    def settings(self, database: str, **limits: Any) -> dict[str, str]:
        """The environment for this project's own programs, with this database."""
        connection = self.connection
        connection["extra"] |= {"limits": limits} if limits else {}
        return {"AIRFLOW_CONN_QICWORKS_DEFAULT": database, "AIRFLOW_CONN_XERO_DEFAULT": json.dumps(connection)}


@contextmanager
def surroundings(port: int, profile: str = "small") -> Iterator[Surroundings]:
    """Starts PostgreSQL on this port and the sandbox, and stops them afterwards."""
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    home.chmod(0o755)
    place = Place.from_environment({"XERO_DEMO_HOME": str(home), "POSTGRES_PORT": str(port)})
    try:
        place.prepare()
        postgres.start(place)
        with launched("--profile", profile) as xero, requests.Session() as session:
            session.trust_env = False
            yield Surroundings(place, xero, session)
    finally:
        postgres.stop(place)
        shutil.rmtree(home, ignore_errors=True)
