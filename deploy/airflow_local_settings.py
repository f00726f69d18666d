"""What Airflow's own processes import before they fork tasks, so that no task pays for it again.

Airflow reads this file from `$AIRFLOW_HOME/config` in each of its processes. LocalExecutor forks its workers from the
scheduler, Celery's worker forks a pool: what is imported there once, in 10 s, is there in every task. Without it each
task imports for half a second, and one that validates rows Great Expectations for 3 to 6 s more.
"""

import sys


def preload(**_: object) -> None:
    from xero.preloading import preload

    preload()


if sys.argv[1:2] == ["scheduler"]:
    from airflow.configuration import conf

    if "LocalExecutor" in conf.get("core", "executor"):
        preload()
elif sys.argv[1:3] == ["celery", "worker"]:
    from celery.signals import worker_init

    worker_init.connect(preload, weak=False)
