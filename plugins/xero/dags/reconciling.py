"""The DAG that compares QicWorks with Xero."""

import logging
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from xero.dag_ids import dag_id
from xero.dags.alerting import callbacks
from xero.dags.asking import asked, origin
from xero.dags.groups import One, each
from xero.dags.organisations import BY_NAME, take_part, which_organisation
from xero.dags.retrying import default_args

log = logging.getLogger(__name__)


def reconcile_dag(doc: str | None) -> DAG:
    """The DAG `reconcile`: compares every data set of each organisation with Xero."""
    with DAG(
        dag_id=dag_id("reconcile"),
        description="Compares counts and newest changes of every data set with Xero, in a few calls.",
        doc_md=doc,
        schedule="0 16 * * 0",
        start_date=None,
        catchup=False,
        max_active_runs=1,
        tags=["xero", "reconcile"],
        default_args=default_args(),
        **callbacks(),
        params={"connection": which_organisation()},
    ) as dag:

        @task
        def connections() -> list[One]:
            """Returns connections that are enabled; logs the rest with the reason."""
            return take_part(None)

        @task(map_index_template=BY_NAME, multiple_outputs=False)  # else a request for each count
        def reconcile(connection: One) -> dict[str, Any]:
            """One organisation. A difference is a warning in its event; the task fails if Xero cannot be reached."""
            from xero.hooks import qicworks_engine
            from xero.qicworks.runs.outcome import Direction
            from xero.sync.follow.reconcile import NAME
            from xero.sync.follow.reconcile import reconcile as reconcile_one

            context = get_current_context()
            asked(context, (Direction.PULL, NAME))

            def work(one: One, open_client: Any) -> dict[str, Any]:
                outcome = reconcile_one(
                    one["connection_id"], engine=qicworks_engine(), open_client=open_client, origin=origin(context)
                )
                return outcome.to_dict()

            return each(connection, context, Direction.PULL, NAME, work)

        @task
        def renew_idle_authorisations() -> int:
            """Renews authorisations that no run used for 30 days: they lapse after 60. Failures have an event."""
            from xero.api.settings import XeroApp
            from xero.hooks import airflow_connection, qicworks_engine
            from xero.sync.connect.renew_idle import renew_idle_tokens

            asked(get_current_context())
            renewed, errors = renew_idle_tokens(
                qicworks_engine(),
                lambda conn_id: XeroApp.from_connection(airflow_connection(conn_id)),
                origin(get_current_context()),
            )
            for error in errors:
                log.warning(error)
            return renewed

        renew_idle_authorisations()
        reconcile.expand(connection=connections())
    return dag
