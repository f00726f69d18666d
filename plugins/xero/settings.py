"""`[xero]` of Airflow's configuration. A setting that makes no sense is told in the log, and never stops a DAG."""

import logging
import math
from configparser import InterpolationError

from airflow.configuration import conf
from airflow.exceptions import AirflowConfigException

log = logging.getLogger(__name__)


def text(name: str, missing: str = "") -> str:
    try:
        return conf.get("xero", name, fallback=missing).strip()
    except (AirflowConfigException, InterpolationError) as error:
        log.warning("[xero] %s cannot be read (%s): it is passed over", name, type(error).__name__)
        return ""


def flag(name: str, missing: bool) -> bool:
    """`missing` with a warning where it is neither true nor false."""
    try:
        return conf.getboolean("xero", name, fallback=missing)
    except (AirflowConfigException, InterpolationError):
        log.warning("[xero] %s is neither true nor false: it counts as %s", name, missing)
        return missing


def number(name: str, missing: float, *, instead: str) -> float:
    """Not negative, maybe without end; 0 with a warning where it is no such number. `instead` says what 0 does."""
    said = text(name, str(missing))
    try:
        found = float(said)
    except ValueError:
        found = math.nan
    if found >= 0:  # which nan is not
        return found
    log.warning("[xero] %s = %.40r is not a number from 0 up: %s", name, said, instead)
    return 0.0
