"""Warns, when DAG files are parsed, about packages that Airflow's configuration needs and that are not installed."""

import logging
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec

from airflow.configuration import conf

from xero import settings

log = logging.getLogger(__name__)

SLACK = "airflow.providers.slack"


@cache
def warn_of_missing() -> None:
    """Once in each process."""
    for sentence in missing():
        log.warning(sentence)


def missing() -> Iterator[str]:
    """One sentence for each."""
    wanted = [
        ("[xero] alert_slack_conn_id", bool(settings.text("alert_slack_conn_id")), SLACK, "slack"),
        ("[metrics] statsd_datadog_enabled", _is_on("statsd_datadog_enabled"), "datadog", "metrics"),
        ("[metrics] statsd_on", _is_on("statsd_on") and not _is_on("statsd_datadog_enabled"), "statsd", "metrics"),
        ("[core] executor", "CeleryExecutor" in conf.get("core", "executor"), "airflow.providers.celery", "celery"),
    ]
    for setting, is_set, module, extra in wanted:
        if is_set and not is_installed(module):
            yield need(setting, module, extra)


def need(setting: str, module: str, extra: str) -> str:
    return (
        f"{setting} of Airflow's configuration needs the Python package {module}, which is not installed here: "
        f"pip install 'qicworks-xero[{extra}]' for all of Airflow's processes, and restart them."
    )


def is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent
        return False


def _is_on(name: str) -> bool:
    return conf.getboolean("metrics", name, fallback=False)
