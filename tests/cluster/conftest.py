"""The cluster of docker-compose.yaml, started as plain processes, on ports and in a folder of its own; and the demo's
story, played on it once."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import requests
from rich.console import Console

from demo import story
from demo.airflow_api import AirflowApi
from demo.cluster import Cluster
from demo.place import PORTS
from demo.processes import listening
from tests.support.cluster import PRELOADED, Ring
from tests.support.stack import GENEROUS, IMPATIENT, POLICY, ImpatientPlace, reserved_for_a_place

# A task that waits in a queue that is gone is noticed in seconds instead of minutes.
QUICK = {
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "90",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "60",
    # Tests ask for more than a person does.
    "AIRFLOW__FAB__AUTH_RATE_LIMITED": "False",
}


@pytest.fixture(scope="package")
def ring() -> Iterator[Ring]:
    """Every service, healthy, and the story told."""
    # Not one of pytest's own temporary folders: those only we may search, and PostgreSQL may run as a user of its own.
    home = Path(tempfile.mkdtemp(prefix="cluster-"))
    home.chmod(0o755)
    said = io.StringIO()
    with ExitStack() as afterwards:
        ports = afterwards.enter_context(reserved_for_a_place())
        place = ImpatientPlace.from_environment({"XERO_DEMO_HOME": str(home), **ports})
        cluster = Cluster(place, settings=IMPATIENT | QUICK, local_settings=POLICY)
        afterwards.callback(shutil.rmtree, home, ignore_errors=True)
        afterwards.callback(cluster.stop)
        cluster.start()
        requests.patch(f"{place.sandbox}/sandbox/settings", json=GENEROUS, timeout=30).raise_for_status()
        api = AirflowApi(place, "airflow-apiserver")
        api.wait_until_up(story.PATIENCE)
        ring = Ring(place, api, "", cluster, {})
        ring.preloaded = {
            process.pid: mapped(process) for worker in ring.workers for process in pool(ring.processes(worker))
        }
        with api.session:
            story.connect(place, new_sandbox=True)
            story.play(place, api, Console(file=said, width=200), new_sandbox=True)
            ring.said = said.getvalue()
            yield ring
    assert not [variable for variable, name in PORTS.items() if listening(getattr(place, name))]


def pool(processes: list[psutil.Process]) -> list[psutil.Process]:
    """The processes that a worker has forked for tasks."""
    return [process for process in processes if "ForkPoolWorker" in " ".join(process.cmdline())]


def mapped(process: psutil.Process) -> set[str]:
    """Which of PRELOADED are in its memory."""
    paths = [region.path for region in process.memory_maps()]
    return {part for part in PRELOADED if any(part in path for path in paths)}
