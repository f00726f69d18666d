"""Gives the tests an Airflow of their own, which reads its settings when it is first imported; sets hypothesis up."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.support")  # what fails there is shown as in a test

ROOT = Path(__file__).resolve().parent

for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
    del os.environ[name]
home = tempfile.mkdtemp(prefix="airflow-")
atexit.register(shutil.rmtree, home, ignore_errors=True)
os.environ |= {
    "AIRFLOW_HOME": home,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__API__BASE_URL": "http://airflow.test",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


# A test is not to fail because the machine is slow. What CI finds is of the change and can be had again: the same
# examples every time. At a desk they differ each time, and so find more; a failure prints how to have it again.
settings.register_profile(
    "ours",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    print_blob=True,
)
settings.load_profile("ours")


@pytest.hookimpl(optionalhook=True)  # where pytest-xdist is not loaded
def pytest_xdist_auto_num_workers() -> int | None:
    """For `--numprocesses auto`: a process more than there are cores, because each waits for its own database and local
    Xero. More than a dozen would save nothing: the tests of the stack run beside them and take longer."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores + 1, 12)
