"""Both sides: a sandbox, a QicWorks database, and what a test wants to do with them."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
from sqlalchemy import Engine

from tests.support.kept_session import ask, kept_session
from tests.support.sandbox import CLIENT, Sandbox
from xero import __main__ as command_line
from xero.api.settings import SCOPES, USER_SCOPES, XeroApp
from xero.composition import opener
from xero.datasets.declaration import Dataset
from xero.datasets.registry import DATASETS
from xero.qicworks.connect import connections
from xero.sync.connect.connect_all import connect_all
from xero.sync.follow.pulling import pull
from xero.sync.pull.flow import Origin, Outcome

#: The column that is Xero's key of a row, where that is not its id.
KEYS = {"tax_code": "tax_type", "currency": "code"}
PLENTY = {"minute_limit": 1_000, "minute_seconds": 1}


def hear_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so does everything that is started by it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def where_it_is_noon(now: datetime) -> str:
    """A time zone whose clocks are between 12:00 and 13:00."""
    ahead = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-ahead:+d}"  # the sign is POSIX's: west is positive


@dataclass
class World:
    """Both sides, and what a test wants to do with them. Organisations are numbered as the sandbox lists them."""

    sandbox: Sandbox
    engine: Engine
    database_url: str
    limits: dict[str, float] = field(default_factory=lambda: dict(PLENTY))
    said: list[str] = field(default_factory=list)

    @property
    def airflow_connection(self) -> dict[str, Any]:
        return {
            "conn_type": "xero",
            "login": CLIENT[0],
            "password": CLIENT[1],
            "host": self.sandbox.url,
            "extra": {
                "grant_type": "client_credentials",
                "identity_host": self.sandbox.url,
                "scopes": " ".join(scope for scope in SCOPES if scope not in USER_SCOPES),
                "limits": self.limits,
            },
        }

    def app(self, conn_id: str = "xero_default") -> XeroApp:
        connection = type("Connection", (), {"schema": None, "port": None, **self.airflow_connection})
        return XeroApp.from_connection(connection)

    def connect(self) -> int:
        """Everything that the app reaches. Wherever it is, it is about noon: no day ends in the middle of a test."""
        failed = connect_all(self.engine, self.app(), "xero_default", opener(self.engine, self.app), self.said.append)
        self.query("UPDATE qicworks.organisation SET time_zone = %s", where_it_is_noon(datetime.now(UTC)))
        return failed

    def names(self) -> list[str]:
        return [organisation["name"] for organisation in self.sandbox.organisations]

    def connection_id(self, organisation: int = 0) -> str:
        tenant = self.sandbox.tenant(organisation)
        with kept_session(self.engine) as session:
            [found] = (one for one in connections.every(session) if one.tenant_id == tenant)
        return str(found.id)

    def pull(self, name: str, organisation: int = 0, **how: Any) -> Outcome:
        return self.pull_declared(DATASETS[name], organisation, **how)

    def pull_declared(
        self,
        dataset: Dataset,
        organisation: int = 0,
        *,
        origin: Origin | None = None,
        client: dict[str, Any] | None = None,
        **how: Any,
    ) -> Outcome:
        """One run. `client` are options of its client, such as `sleep`."""
        options = {"backoff": (0.05, 0.1, 0.2), **(client or {})}
        return pull(
            dataset,
            self.connection_id(organisation),
            engine=self.engine,
            open_client=opener(self.engine, self.app, **options),
            origin=origin or Origin(),
            **how,
        )

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """In a transaction of its own."""
        return ask(self.engine, statement, parameters)

    def query_server(self, statement: str) -> None:
        """What no transaction and no database of one's own can do, such as CREATE DATABASE."""
        with psycopg.connect(self.database_url.rpartition("/")[0] + "/postgres", autocommit=True) as server:
            server.execute(statement)  # type: ignore[arg-type]

    def rows(self, table: str, organisation: int = 0) -> dict[str, dict[str, Any]]:
        """The table's rows of an organisation, by Xero's key."""
        key = KEYS.get(table, "xero_id")
        found = self.query(
            f"SELECT *, xmin::text AS row_version FROM qicworks.{table} WHERE connection_id = %s",
            self.connection_id(organisation),
        )
        return {str(row[key]): row for row in found}

    def event(self) -> dict[str, Any]:
        """The latest."""
        return self.query("SELECT * FROM xero_sync.connection_event ORDER BY id DESC LIMIT 1")[0]

    def fault(self, **order: Any) -> None:
        self.sandbox.control("POST", "faults", order)

    def calls(self) -> list[dict[str, Any]]:
        """What was asked of Xero's paths since the last time this was asked."""
        seen: list[dict[str, Any]] = self.sandbox.control("GET", "calls")
        self.sandbox.control("DELETE", "calls")
        return [call for call in seen if "/connect/" not in call["path"]]

    def environment(self) -> dict[str, str]:
        root = Path(__file__).resolve().parents[2]
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {
            **kept,
            "PYTHONPATH": str(root / "plugins"),
            "AIRFLOW_CONN_XERO_DEFAULT": json.dumps(self.airflow_connection),
            "AIRFLOW_CONN_QICWORKS_DEFAULT": self.database_url,
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`python -m xero …`, running."""
        return subprocess.Popen(
            [sys.executable, "-m", "xero", *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_ctrl_c,
        )

    def main(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The same in this process, which has paid for its imports already."""
        out, err = io.StringIO(), io.StringIO()
        command_line.app_of.cache_clear()
        with mock.patch.dict(os.environ, self.environment()), redirect_stdout(out), redirect_stderr(err):
            code = command_line.main(list(arguments))
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`python -m xero …`, to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=150)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)
