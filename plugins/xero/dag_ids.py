"""The ids of the project's DAGs, for code that makes, triggers or links to one: `dag_id_prefix` and the file name.

Without the prefix a company's own DAG of the same id, `prune` perhaps, and ours would take each other's place.
"""

import logging
import re
from urllib.parse import quote

from xero import settings
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS

log = logging.getLogger(__name__)

COMPARISONS = ("reconcile", "tie_out")  # their events are those of pulls
LONGEST_PREFIX = 100  # characters; Airflow's own limit is 250 for the full id


def prefix() -> str:
    said = settings.text("dag_id_prefix")
    if len(said) <= LONGEST_PREFIX and re.fullmatch(r"[\w.-]*", said, re.ASCII):
        return said
    log.warning("[xero] dag_id_prefix = %.40r cannot begin a DAG's id: there is no prefix", said)
    return ""


def dag_id(name: str) -> str:
    """Of a DAG by its file's name."""
    return prefix() + name


def pull_dag_of(data_set: str) -> str:
    return dag_id(f"pull_{data_set}")


def push_dag_of(kind: str) -> str:
    return dag_id(f"push_{kind}")


def on_pages() -> frozenset[str]:
    """Those whose runs and events the pages show."""
    return frozenset([*map(pull_dag_of, DATASETS), *map(push_dag_of, KINDS), *map(dag_id, COMPARISONS)])


def run_path(dag_id: str, run_id: str) -> str:
    """The page of a run, below Airflow's own address."""
    return f"dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def flow(dag_id: str) -> tuple[str, str]:
    """(direction, data set) of the events of that DAG's runs."""
    name = dag_id.removeprefix(prefix())
    direction, _, data_set = name.partition("_")
    return ("pull", name) if name in COMPARISONS else (direction, data_set)
