"""The DAG that reports every morning what needs attention."""

from airflow.sdk import DAG, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from xero.dag_ids import dag_id
from xero.dags import alerting
from xero.dags.asking import asked
from xero.dags.retrying import default_args


def digest_dag(doc: str | None) -> DAG:
    """The DAG `digest`. If no alerts are configured, only *Trigger* runs it."""
    with DAG(
        dag_id=dag_id("digest"),
        description="Reports every morning what needs attention, until it is settled.",
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
            """Returns how many things need attention. Makes no calls to Xero."""
            from xero.dags.alert_text import digest as digest_of
            from xero.hooks import qicworks_engine
            from xero.qicworks import database
            from xero.qicworks.views import status
            from xero.sync.follow.alerts import all_missed_pay_dates

            asked(get_current_context())
            with database.session(qicworks_engine()) as session:
                needs = status.needs_attention(session)
                missed = all_missed_pay_dates(session)
            if not len(needs) and not missed:
                raise AirflowSkipException("nothing needs attention")
            message = digest_of(needs, missed)
            alerting.log.warning("%s\n%s", message.message, "\n".join(message.lines))
            alerting.send(message)
            return len(needs) + len(missed)

        digest()
    return dag
