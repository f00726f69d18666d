"""Reads `[xero]` of Airflow's configuration. An invalid setting is logged as a warning and never stops a DAG."""

import logging
import math
from configparser import InterpolationError

from airflow.configuration import conf
from airflow.exceptions import AirflowConfigException

log = logging.getLogger(__name__)


def text(name: str, missing: str = "") -> str:
    """The setting, stripped. Empty, with a warning, if it cannot be read."""
    try:
        return conf.get("xero", name, fallback=missing).strip()
    except (AirflowConfigException, InterpolationError) as error:
        log.warning("[xero] %s cannot be read (%s) and is ignored", name, type(error).__name__)
        return ""


def flag(name: str, missing: bool) -> bool:
    """The setting as a boolean. `missing`, with a warning, if it is neither true nor false."""
    try:
        return conf.getboolean("xero", name, fallback=missing)
    except (AirflowConfigException, InterpolationError):
        log.warning("[xero] %s is neither true nor false; using %s", name, missing)
        return missing


def number(name: str, missing: float, *, instead: str) -> float:
    """The setting as a number from 0 to infinity. 0, with a warning, if it is not one.

    Args:
        instead: what 0 means, for the warning.
    """
    written = text(name, str(missing))
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if value >= 0:  # false for nan
        return value
    log.warning("[xero] %s = %.40r is not a number of 0 or more: %s", name, written, instead)
    return 0.0
