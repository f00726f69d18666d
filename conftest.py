"""Gives the tests an Airflow of their own: it reads its settings once, when it is first imported."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

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
