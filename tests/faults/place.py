"""Where a fault run lives: a cluster of its own, which nobody else's ports or folders meet."""

import os
import shutil
from pathlib import Path
from typing import Any

from demo.place import ROOT, Place

#: Of the largest organisation sixty calls a minute would be the whole run; both sides keep to this many instead.
MINUTE_LIMIT = 240
#: The sandbox: answers take as long as over a network, so that troubles meet work under way; tokens live for minutes.
XERO = {"minute_limit": MINUTE_LIMIT, "latency_ms": [50, 400], "access_token_seconds": 150}

#: Airflow notices what died in seconds instead of minutes, by the means that any deployment has.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "150",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "15",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
    # The DAG files do not change.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}
#: A task that failed is tried again after seconds, as a minute three times would outlast the calm.
POLICY = """

def task_policy(task):
    from datetime import timedelta

    task.retry_delay = timedelta(seconds=10)
"""


class FaultPlace(Place):
    """The limits on calls are wider."""

    @property
    def xero_connection(self) -> dict[str, Any]:
        connection: dict[str, Any] = super().xero_connection
        connection["extra"]["limits"] = {"minute_limit": MINUTE_LIMIT}
        return connection

    @property
    def metadata(self) -> str:
        """Airflow's database, for who may read all."""
        return f"postgresql://postgres@127.0.0.1:{self.airflow_db_port}/airflow"

    @property
    def qicworks(self) -> str:
        return f"{self.postgres}/qicworks"

    @property
    def broker(self) -> str:
        return f"redis://:{self.secrets['redis_password']}@127.0.0.1:{self.redis_port}/0"


def fresh(ports: dict[str, str]) -> FaultPlace:
    """An empty place; of its ports the environment may name others."""
    home = Path(os.environ.get("XERO_DEMO_HOME") or ROOT / ".demo-faults").expanduser().resolve()
    place = FaultPlace.from_environment({**ports, **os.environ, "XERO_DEMO_HOME": str(home)})
    assert isinstance(place, FaultPlace)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    home.chmod(0o755)
    return place
