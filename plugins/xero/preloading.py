"""What a task needs of this project and of Airflow, loaded before workers fork tasks: no task pays for it again."""

import gc
from importlib import import_module

from xero.qicworks import sql

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
    "xero.sync.idle",
    "xero.sync.in_turn",
    "xero.sync.pull",
    "xero.sync.push",
    "xero.sync.reconcile",
    "xero.sync.turns",
)


def preload() -> None:
    """Imports, reads the statements, and takes what there is by then out of the garbage collector's sight.

    Otherwise the first collection in each task would touch, and so copy, all of it.
    """
    for module in MODULES:
        import_module(module)
    for file in sql.folder().rglob("*.sql"):
        if file.parent.name != "schema":
            sql.load(str(file.relative_to(sql.folder()).with_suffix("")))
    from airflow.sdk import Asset

    Asset("qicworks://anything")  # the first one looks for what each provider says of its assets
    gc.collect()
    gc.freeze()
