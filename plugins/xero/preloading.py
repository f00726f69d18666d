"""What a task needs of this project and of Airflow, loaded before workers fork tasks: no task pays for it again."""

import gc
import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module

log = logging.getLogger(__name__)

# What a task of an empty DAG imports after its fork, then what ours do.
MODULES = (
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.dag_processing.dagbag",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.postgres.hooks.postgres",
    "great_expectations.expectations",
    "xero.dags",
    "xero.hooks",
    "xero.sync.connect.renew_idle",
    "xero.sync.runs.sequentially",
    "xero.sync.follow.pulling",
    "xero.sync.push.flow",
    "xero.sync.follow.reconcile",
    "xero.sync.follow.alerts",
    "xero.sync.runs.participants",
)


def before_forks() -> None:
    """Preloads in a process of Airflow's that forks tasks, and does nothing in any other.

    For `airflow_local_settings.py`, which each of them reads: LocalExecutor forks its workers from the scheduler,
    Celery's worker forks a pool.
    """
    if sys.argv[1:2] == ["scheduler"]:
        from airflow.configuration import conf

        if "LocalExecutor" in conf.get("core", "executor"):
            preload()
    elif sys.argv[1:3] == ["celery", "worker"]:
        from celery.signals import worker_init

        worker_init.connect(preload, weak=False)


def preload(**_: object) -> None:
    """Imports, reads the statements, and excludes what is loaded from garbage collection.

    Otherwise the first collection in each task would touch, and so copy, all of it. What cannot be loaded is left to
    the tasks: a release of Airflow moves its modules, and its scheduler must still start.
    """
    for what, load in _steps():
        try:
            load()
        except Exception as error:  # noqa: BLE001 - a task that needs it reports the error
            log.warning(
                "%s is not loaded before tasks are forked, so they take longer: %s: %s",
                what,
                type(error).__name__,
                error,
            )
    gc.collect()
    gc.freeze()


def _steps() -> Iterator[tuple[str, Callable[[], object]]]:
    for module in MODULES:
        yield module, partial(import_module, module)
    yield "include/sql", _read_statements
    yield "airflow.sdk.Asset", _make_an_asset


def _read_statements() -> None:
    from xero.qicworks import sql

    for file in sql.folder().rglob("*.sql"):
        if file.parent.name != "schema":
            sql.load(str(file.relative_to(sql.folder()).with_suffix("")))


def _make_an_asset() -> None:
    """The first one looks for what each provider says of its assets."""
    from airflow.sdk import Asset

    Asset("qicworks://anything")
