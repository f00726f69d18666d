"""The DAG that sends metrics."""

from airflow.sdk import DAG, get_current_context, task

from xero.dag_ids import dag_id
from xero.dags import metrics
from xero.dags.alerting import callbacks
from xero.dags.asking import asked
from xero.dags.retrying import default_args


def measure_dag(doc: str | None) -> DAG:
    """The DAG `measure`. If Airflow sends no metrics, only *Trigger* runs it."""
    with DAG(
        dag_id=dag_id("measure"),
        description="Sends metrics: how far behind data sets are, how many documents wait, how many calls are left.",
        doc_md=doc,
        schedule="*/5 * * * *" if metrics.wanted() else None,
        start_date=None,
        catchup=False,
        max_active_runs=1,
        tags=["xero", "measure"],
        default_args=default_args(),
        **callbacks(),
    ) as dag:

        @task(multiple_outputs=False)  # else each name would be a separate XCom, and a request
        def measure() -> dict[str, dict[str, float]]:
            """Returns what it sends. Makes no calls to Xero."""
            from xero.hooks import qicworks_engine
            from xero.qicworks import database
            from xero.qicworks.views import gauges

            asked(get_current_context())
            with database.session(qicworks_engine()) as session:
                measured = gauges.measure(session)
            metrics.gauge(measured)
            return measured

        measure()
    return dag
