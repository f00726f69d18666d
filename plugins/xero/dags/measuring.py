"""The DAG that measures."""

from airflow.sdk import DAG, get_current_context, task

from xero.dag_ids import dag_id
from xero.dags import metrics
from xero.dags.alerting import callbacks
from xero.dags.asking import asked
from xero.dags.retrying import default_args


def measure_dag(doc: str | None) -> DAG:
    """The DAG `measure`. Where Airflow sends no metrics nothing but *Trigger* runs it."""
    with DAG(
        dag_id=dag_id("measure"),
        description="Sends how far behind, how much waits and what is left as metrics.",
        doc_md=doc,
        schedule="*/5 * * * *" if metrics.wanted() else None,
        start_date=None,
        catchup=False,
        max_active_runs=1,
        tags=["xero", "measure"],
        default_args=default_args(),
        **callbacks(),
    ) as dag:

        @task(multiple_outputs=False)  # else each name would be an XCom, and a request, of its own
        def measure() -> dict[str, dict[str, float]]:
            """What is sent is what it returns. Asks the QicWorks database only."""
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
