"""The place where the night is measured: a sandbox with many organisations, and the costs of its programs."""

from __future__ import annotations

import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

from benchmarks.spending import postgres_seconds, seconds
from demo import postgres, processes, story
from demo.airflow_api import AirflowApi
from demo.place import ROOT, Place
from xero.datasets.registry import DATASETS

PROGRAMS = ("airflow", "sandbox")
OTHERS = {"AIRFLOW_PORT": 18610, "POSTGRES_PORT": 18611, "SANDBOX_PORT": 18612}
OTHERS |= {"WORKER_LOG_PORT": 18613, "TRIGGER_LOG_PORT": 18614}

# The same number and shape of tasks, which do nothing.
EMPTY = '''\
"""Airflow DAG: one empty task per organisation."""
from airflow.sdk import DAG, TriggerRule, task

with DAG("empty", schedule=None):
    @task
    def connections():
        return [{"connection_id": str(n), "organisation": f"organisation {n}"} for n in range(ORGANISATIONS)]

    @task(map_index_template="{{ task.op_kwargs['connection']['organisation'] }}")
    def pull(connection):
        return {"changed": False}

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def announce(outcomes):
        return {}

    announce(pull.expand(connection=connections()))
'''


# No schedules: otherwise the scheduler would start runs of its own.
UNSCHEDULED = """\
from dataclasses import replace
from xero.dags import pulling
scheduled = pulling.named
pulling.named = lambda name: replace(scheduled(name), schedule=None)
"""


class ScalePlace(Place):
    """A place whose Airflow has the pulls and a DAG of empty tasks, in a separate folder."""

    @property
    def settings(self) -> dict[str, str]:
        return super().settings | {"AIRFLOW__CORE__DAGS_FOLDER": str(self.dags)}

    @property
    def dags(self) -> Path:
        return self.home / "dags"

    def write_dags(self, organisations: int) -> None:
        self.dags.mkdir(exist_ok=True)
        for file in (ROOT / "dags").glob("pull_*.py"):
            (self.dags / file.name).write_text(UNSCHEDULED + file.read_text())
        (self.dags / "empty.py").write_text(EMPTY.replace("ORGANISATIONS", str(organisations)))


def start(place: ScalePlace, organisations: int) -> AirflowApi:
    """Starts PostgreSQL, the sandbox and Airflow; creates and connects the organisations."""
    place.prepare()
    place.write_dags(organisations)
    postgres.start(place)
    sandbox = [sys.executable, "-m", "xero_sandbox", "--port", str(place.sandbox_port), "--profile", "many"]
    sandbox += ["--organisations", str(organisations)]
    settings = place.settings | {"XERO_SANDBOX_CLIENT_SECRET": place.secrets["client_secret"]}
    processes.ensure_started(place, "sandbox", sandbox, place.sandbox_port, settings=settings)
    story.wait_for_sandbox(place)
    story.xero(place, "migrate")
    story.xero(place, "connect", "--all")
    airflow = [sys.executable, "-m", "airflow", "standalone"]
    ports = (place.airflow_port, place.worker_log_port, place.trigger_log_port)
    processes.ensure_started(place, "airflow", airflow, *ports)
    api = AirflowApi(place)
    api.wait_until_up(patience=900)
    api.wait_for_dags(["empty", *(f"pull_{name}" for name in DATASETS)], patience=900)
    return api


def stop(place: ScalePlace) -> None:
    for name in PROGRAMS:
        processes.stop(place, name)
    postgres.stop(place)


@dataclass(frozen=True)
class Spent:
    """CPU seconds since the programs started, and the counters of the QicWorks database."""

    airflow: float
    sandbox: float
    postgres: float
    sessions: int
    transactions: int

    def __sub__(self, before: Spent) -> Spent:
        return Spent(*(getattr(self, name) - getattr(before, name) for name in self.__dataclass_fields__))

    @property
    def cpu(self) -> float:
        """The total without the sandbox, which stands for Xero's machines."""
        return self.airflow + self.postgres


def spent(place: ScalePlace) -> Spent:
    used = {name: sum(map(seconds, programs(place, name))) for name in PROGRAMS}
    database = postgres_seconds(place.home)
    with psycopg.connect(f"{place.postgres}/postgres") as connection:
        row = connection.execute(
            "SELECT sessions, xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'qicworks'"
        ).fetchone()
    assert row is not None
    return Spent(used["airflow"], used["sandbox"], database, *row)


def programs(place: ScalePlace, name: str) -> Iterator[psutil.Process]:
    known = processes.recorded(place, name)
    assert known is not None
    yield from processes.members(known)


class StatementLog:
    """PostgreSQL's log of the statements in the QicWorks database."""

    def __init__(self, place: ScalePlace) -> None:
        self.file = place.home / "postgres" / "log"
        with psycopg.connect(f"{place.postgres}/qicworks", autocommit=True) as connection:
            connection.execute("ALTER DATABASE qicworks SET log_statement = 'all'")
        self.read_until = self.file.stat().st_size

    def new(self) -> Counter[str]:
        """How often each statement was executed since the last call, by its first words."""
        with self.file.open(errors="replace") as log:
            log.seek(self.read_until)
            text = log.read()
        self.read_until += len(text.encode(errors="replace"))
        found = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*){0,3})", text)
        return Counter(textwrap.shorten(" ".join(said.split()), 90, placeholder=" …") for said in found)


def stats(place: ScalePlace) -> dict[str, Any]:
    """What the sandbox has counted since the last call."""
    session = requests.Session()
    session.trust_env = False
    calls = session.get(f"{place.sandbox}/sandbox/calls", timeout=60).json()
    session.delete(f"{place.sandbox}/sandbox/calls", timeout=60).raise_for_status()
    return {"calls": len(calls), "refused": sum(call["status"] == 429 for call in calls)}
