"""The project's DAGs as Airflow finds them, and a way to run Python beside the tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.alerts import Told, receivers
from tests.support.dag_runs import Run


@pytest.fixture(scope="session")
def dags(root: Path) -> dict[str, Any]:
    """Every DAG by its id, found as the DAG processor finds them. Never empty."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(root / "dags")
    assert not bag.import_errors
    assert bag.dags
    return dict(bag.dags)


@pytest.fixture(scope="session")
def python() -> Run:
    """Runs a piece of Python in a fresh interpreter and returns what it prints."""

    def run(code: str, *, path: Path | None = None, folder: Path | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        if path:
            environment["PYTHONPATH"] = str(path)
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """What a mail server and a webhook are told by an Airflow that is configured to."""
    with receivers() as (told, environment):
        for name, value in environment.items():
            monkeypatch.setitem(os.environ, name, value)
        yield told
