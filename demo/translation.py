"""All differences between a service of docker-compose.yaml in a container and as a plain process on this machine."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from demo.place import DEPLOY, PASSWORDS, PUSHES_SWITCHED_ON, ROOT, Place

#: prefixes of the image names
POSTGRES, PROJECT = "postgres:", "qicworks-xero"
QICWORKS = "postgresql://{}:{}@qicworks-db:5432/qicworks"


@dataclass(frozen=True)
class Translation:
    """Translates from containers to a place."""

    place: Place

    @property
    def airflow_home(self) -> Path:
        return self.place.home / "airflow"

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Replacements in commands, health checks and environments, in this order."""
        place = self.place
        return (
            # Host names of containers → this machine, each with its own port.
            ("airflow-db:5432", f"127.0.0.1:{place.airflow_db_port}"),
            ("qicworks-db:5432", f"127.0.0.1:{place.postgres_port}"),
            ("redis:6379", f"127.0.0.1:{place.redis_port}"),
            ("airflow-apiserver:8080", f"127.0.0.1:{place.airflow_port}"),
            ("sandbox:8095", f"127.0.0.1:{place.sandbox_port}"),
            # A container's own addresses.
            ("http://localhost:8080", f"http://127.0.0.1:{place.airflow_port}"),
            ("http://localhost:8974", f"http://127.0.0.1:{place.scheduler_health_port}"),
            ("http://localhost:8095", f"http://127.0.0.1:{place.sandbox_port}"),
            ("--host 0.0.0.0", "--host 127.0.0.1"),
            ("--port 8080", f"--port {place.airflow_port}"),
            ("--port 8095", f"--port {place.sandbox_port}"),
            ("--port 6379", f"--port {place.redis_port} --bind 127.0.0.1"),
            ("redis-cli -p 6379", f"redis-cli -p {place.redis_port}"),
            ("-p 5432 -U airflow", f"-p {place.airflow_db_port} -U airflow"),
            ("-p 5432 -U qicworks", f"-p {place.postgres_port} -U qicworks"),
            # Folders of the image, and volumes.
            ("/opt/sandbox", str(ROOT / "include")),
            ("/clean-logs", shlex.quote(str(DEPLOY / "clean-logs.sh"))),
            ("--dir /data", f"--dir {shlex.quote(str(place.home / 'redis'))}"),
        )

    def text(self, original: str) -> str:
        for there, here in self.texts:
            original = original.replace(there, here)
        return original

    def command(self, words: tuple[str, ...]) -> list[str]:
        return shlex.split(self.text(shlex.join(words)))

    def added(self, name: str) -> dict[str, str]:
        """Environment to add: what differs between containers, and what the Dockerfile sets."""
        place = self.place
        return {
            "HOSTNAME": name,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
            "AIRFLOW_HOME": str(self.airflow_home),
            **PUSHES_SWITCHED_ON,
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(place.scheduler_health_port),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(place.trigger_log_port),
            # The first worker has the known port, the others a free one. They share the folder of logs.
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(0 if is_another_worker(name) else place.worker_log_port),
            # In a real installation it is created in Airflow's UI, for users who sign in with a browser.
            "AIRFLOW_CONN_XERO_APP": json.dumps(place.xero_app),
        }

    @property
    def variables(self) -> dict[str, str]:
        """The variables that .env would define."""
        place, secrets = self.place, self.place.secrets
        passwords = {f"{name.upper()}_PASSWORD": secrets[f"{name}_password"] for name in PASSWORDS}
        return {
            "AIRFLOW_FERNET_KEY": secrets["airflow_fernet_key"],
            "AIRFLOW_JWT_SECRET": secrets["jwt_secret"],
            "AIRFLOW_API_SECRET_KEY": secrets["api_secret_key"],
            **passwords,
            "AIRFLOW_USER_PASSWORD": secrets["admin_password"],
            "AIRFLOW_BASE_URL": place.ui,
            "COOKIE_SECURE": "False",  # no TLS here
            "QICWORKS_OWNER_CONN": QICWORKS.format("qicworks", secrets["qicworks_db_password"]),
            "AIRFLOW_CONN_QICWORKS_DEFAULT": QICWORKS.format("qicworks_sync", secrets["qicworks_sync_password"]),
            "AIRFLOW_CONN_XERO_DEFAULT": json.dumps(place.xero_connection),
            "SANDBOX_CLIENT_SECRET": secrets["client_secret"],
            # Sized for two cores: two workers of four, and one process of the API.
            "WORKER_CONCURRENCY": "4",
            "API_WORKERS": "1",
        }


def is_another_worker(name: str) -> bool:
    return name.startswith("airflow-worker-") and name != "airflow-worker-1"
