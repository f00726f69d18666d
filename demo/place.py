"""A demo's folder, ports, secrets, and the environment of its programs."""

import json
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[1]

# Users of the demo's Airflow, with their roles.
USERS = {"admin": "admin", "viewer": "viewer"}

# Passwords of the cluster's databases and its queue.
PASSWORDS = ("airflow_db", "qicworks_db", "qicworks_sync", "redis")

# Variables of the caller's shell that must not reach the demo: settings of another Airflow or another Python.
FOREIGN = ("AIRFLOW_", "PYTHON", "PG", "VIRTUAL_ENV")

# In production, a person unpauses each push. The demo only pushes to the sandbox.
PUSHES_SWITCHED_ON = {"AIRFLOW__XERO__PUSH_PAUSED_AT_CREATION": "False"}

# Airflow's processes load it before they fork tasks; deployments use the same file.
DEPLOY = ROOT / "deploy"
LOCAL_SETTINGS = DEPLOY / "airflow_local_settings.py"


class DemoError(Exception):
    """A problem that the user at the terminal can fix; the message says how."""


@dataclass(frozen=True)
class Place:
    """One demo. Two demos can run on one machine if the folder and every port differ."""

    home: Path
    airflow_port: int = 8080
    postgres_port: int = 54329
    sandbox_port: int = 8095
    worker_log_port: int = 8793
    trigger_log_port: int = 8794
    # Only for the cluster.
    airflow_db_port: int = 54330
    redis_port: int = 6380
    scheduler_health_port: int = 8974

    @classmethod
    def from_environment(cls, environ: dict[str, str]) -> "Place":
        """Reads `XERO_DEMO_HOME` and the ports (`AIRFLOW_PORT` …). Raises DemoError for an invalid port."""
        ports = {name: number(variable, environ[variable]) for variable, name in PORTS.items() if environ.get(variable)}
        return cls(Path(environ.get("XERO_DEMO_HOME") or ROOT / ".demo").expanduser().resolve(), **ports)

    @property
    def postgres(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.postgres_port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def airflow(self) -> str:
        """Airflow's address for programs."""
        return f"http://127.0.0.1:{self.airflow_port}"

    @property
    def ui(self) -> str:
        """Airflow's address for browsers: Xero only redirects to localhost, and a login is valid for one host name."""
        return f"http://localhost:{self.airflow_port}"

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def variable(self, port: int) -> str:
        """The environment variable that sets this port."""
        return next(variable for variable, name in PORTS.items() if getattr(self, name) == port)

    def prepare(self) -> None:
        """Creates the folders, and the files that Airflow expects in its own."""
        for folder in (self.home, self.home / "logs", self.home / "running", self.home / "airflow" / "config"):
            folder.mkdir(parents=True, exist_ok=True)
        (self.home / "airflow" / "config" / LOCAL_SETTINGS.name).write_text(LOCAL_SETTINGS.read_text())
        passwords = self.home / "airflow" / "passwords.json"
        write_secretly(passwords, json.dumps({user: self.secrets[f"{user}_password"] for user in USERS}))

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Secrets, created at the first start and stored in a file that only its owner can read. Adds missing ones."""
        file = self.home / "secrets.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        makers: dict[str, Callable[[], str]] = {
            **{f"{user}_password": lambda: secrets.token_urlsafe(9) for user in USERS},
            "token_key": lambda: Fernet.generate_key().decode(),
            "airflow_fernet_key": lambda: Fernet.generate_key().decode(),
            "jwt_secret": lambda: secrets.token_hex(64),
            "api_secret_key": lambda: secrets.token_hex(32),
            "client_secret": lambda: secrets.token_urlsafe(36),
            **{f"{name}_password": lambda: secrets.token_hex(24) for name in PASSWORDS},
        }
        if made := {name: make() for name, make in makers.items() if name not in known}:
            write_secretly(file, json.dumps(known | made, indent=2))
        return known | made

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every program of the demo: the caller's, filtered, plus the demo's settings."""
        return self.inherited | self.settings

    @property
    def inherited(self) -> dict[str, str]:
        """The caller's environment without the settings of another Airflow or another Python."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        # `airflow standalone` starts its parts by the name `airflow`.
        return kept | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}

    @property
    def settings(self) -> dict[str, str]:
        """Airflow's settings and the connections, as environment variables."""
        return {
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT / "include"),
            "AIRFLOW_HOME": str(self.home / "airflow"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.postgres.replace("://", "+psycopg2://") + "/airflow",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            **PUSHES_SWITCHED_ON,
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__FERNET_KEY": self.secrets["airflow_fernet_key"],
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "airflow" / "passwords.json"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__BASE_URL": self.ui,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": self.secrets["api_secret_key"],
            "AIRFLOW__API_AUTH__JWT_SECRET": self.secrets["jwt_secret"],
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self.worker_log_port),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self.trigger_log_port),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "GX_ANALYTICS_ENABLED": "False",
            "AIRFLOW_CONN_XERO_DEFAULT": json.dumps(self.xero_connection),
            "AIRFLOW_CONN_XERO_APP": json.dumps(self.xero_app),
            "AIRFLOW_CONN_QICWORKS_DEFAULT": f"{self.postgres}/qicworks",
        }

    @property
    def xero_connection(self) -> dict[str, Any]:
        """The Airflow connection of type Xero to the sandbox, as a custom connection."""
        return {
            "conn_type": "xero",
            "login": "demo-client",
            "password": self.secrets["client_secret"],
            "host": self.sandbox,
            "extra": {
                "identity_host": self.sandbox,
                "login_host": self.sandbox,
                "grant_type": "client_credentials",
                "token_keys": self.secrets["token_key"],
            },
        }

    @property
    def xero_app(self) -> dict[str, Any]:
        """The same app for users who sign in with a browser, which a custom connection does not allow."""
        connection = self.xero_connection
        consent = {"grant_type": "authorization_code", "redirect_uri": f"{self.ui}/xero/callback"}
        return {**connection, "extra": {**connection["extra"], **consent}}


PORTS = {
    "AIRFLOW_PORT": "airflow_port",
    "POSTGRES_PORT": "postgres_port",
    "SANDBOX_PORT": "sandbox_port",
    "WORKER_LOG_PORT": "worker_log_port",
    "TRIGGER_LOG_PORT": "trigger_log_port",
    "AIRFLOW_DB_PORT": "airflow_db_port",
    "REDIS_PORT": "redis_port",
    "SCHEDULER_HEALTH_PORT": "scheduler_health_port",
}


def number(variable: str, value: str) -> int:
    if not value.isdecimal() or not 1024 <= int(value) < 65536:
        raise DemoError(f"{variable}={value} is not a port: choose a number from 1024 to 65535.")
    return int(value)


def write_secretly(file: Path, text: str) -> None:
    """Writes the file so that other users can never read it, not even while it is written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
