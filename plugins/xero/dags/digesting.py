"""The DAG that tells every morning what needs a hand."""

from airflow.sdk import DAG, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from xero.dag_ids import dag_id
from xero.dags import alerting
from xero.dags.asking import asked
from xero.dags.retrying import default_args


def digest_dag(doc: str | None) -> DAG:
    """The DAG `digest`. Where nobody is to be told nothing but *Trigger* runs it."""
    with DAG(
        dag_id=dag_id("digest"),
        description="Tells every morning what needs a hand, until it is over.",
        doc_md=doc,
        schedule="0 20 * * *" if alerting.notifiers() else None,
        start_date=None,
        catchup=False,
        max_active_runs=1,
        tags=["xero", "digest"],
        default_args=default_args(),
        **alerting.callbacks(),
    ) as dag:

        @task
        def digest() -> int:
            """How many things need a hand. Asks the QicWorks database only."""
            from xero.dags.telling import digest as told
            from xero.hooks import qicworks_engine
            from xero.qicworks import database
            from xero.qicworks.views import status

            asked(get_current_context())
            with database.session(qicworks_engine()) as session:
                needs = status.needs_attention(session)
            if not len(needs):
                raise AirflowSkipException("nothing needs a hand")
            message = told(needs)
            alerting.log.warning("%s\n%s", message.said, "\n".join(message.lines))
            alerting.send(message)
            return len(needs)

        digest()
    return dag
