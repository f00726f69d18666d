"""What deploy/values.yaml sets of Airflow's official chart, and which connections each component has, there and in
docker-compose.yaml."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]

#: The versions of the chart in which `make chart` saw that each of KEYS is read.
SEEN_IN = ("1.19.0", "1.20.0-dev")
#: Every key of deploy/values.yaml. What lies below `config`, `env` and `resources` is Airflow's or Kubernetes'.
LISTED = """
    airflowLocalSettings airflowVersion executor images.airflow.repository images.airflow.tag
    apiSecretKeySecretName fernetKeySecretName jwtSecretName
    data.brokerUrlSecretName data.metadataSecretName data.resultBackendSecretName
    config
    apiServer.args apiServer.env apiServer.replicas apiServer.resources
    workers.celery.persistence.size workers.celery.replicas workers.env
    workers.resources workers.terminationGracePeriodSeconds
    scheduler.resources
    dagProcessor.enabled dagProcessor.env dagProcessor.resources
    triggerer.env triggerer.resources
    workers.logGroomerSidecar.enabled workers.logGroomerSidecar.retentionDays workers.logGroomerSidecar.resources
    scheduler.logGroomerSidecar.enabled scheduler.logGroomerSidecar.retentionDays scheduler.logGroomerSidecar.resources
    dagProcessor.logGroomerSidecar.enabled dagProcessor.logGroomerSidecar.retentionDays
    dagProcessor.logGroomerSidecar.resources
    triggerer.logGroomerSidecar.enabled triggerer.logGroomerSidecar.retentionDays triggerer.logGroomerSidecar.resources
    migrateDatabaseJob.resources createUserJob.enabled
    ingress.apiServer.enabled ingress.apiServer.hosts
    pgbouncer.enabled postgresql.enabled
    redis.enabled redis.passwordSecretName redis.resources
    statsd.resources
"""
KEYS = LISTED.split()
OPEN = ("config", "resources")

#: What docker-compose.yaml calls it, and the chart in its values and in its containers.
COMPONENTS = {
    "airflow-apiserver": ("apiServer", "api-server"),
    "airflow-worker": ("workers", "worker"),
    "airflow-scheduler": ("scheduler", "scheduler"),
    "airflow-dag-processor": ("dagProcessor", "dag-processor"),
    "airflow-triggerer": ("triggerer", "triggerer"),
}
BOTH = {"AIRFLOW_CONN_XERO_DEFAULT", "AIRFLOW_CONN_QICWORKS_DEFAULT"}
#: Airflow calls a DAG's failure callback in the dag-processor, and a missed deadline's in the triggerer: both ask
#: QicWorks' database what happened. Nothing of the project runs in the scheduler.
NEEDED = {
    "airflow-apiserver": BOTH,
    "airflow-worker": BOTH,
    "airflow-scheduler": set(),
    "airflow-dag-processor": {"AIRFLOW_CONN_QICWORKS_DEFAULT"},
    "airflow-triggerer": {"AIRFLOW_CONN_QICWORKS_DEFAULT"},
}


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text())
    return found


def services() -> dict[str, dict[str, Any]]:
    """Those of docker-compose.yaml, as they stand there."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    return found


def keys(within: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, value in within.items():
        here = (*path, name)
        if isinstance(value, dict) and name not in OPEN:
            yield from keys(value, here)
        else:
            yield ".".join(here)


def connections(environment: object) -> set[str]:
    """The Airflow connections among variables, which are a mapping, or Kubernetes' list."""
    names = [one["name"] for one in environment] if isinstance(environment, list) else list(environment or ())  # type: ignore[call-overload]
    return {name for name in names if name.startswith("AIRFLOW_CONN_") and name != "AIRFLOW_CONN_AIRFLOW_DB"}
