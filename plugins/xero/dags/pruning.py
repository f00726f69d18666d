"""The DAG that deletes what is older than its retention."""

from airflow.sdk import DAG, Param, get_current_context, task

from xero import settings
from xero.dag_ids import dag_id
from xero.dags.alerting import callbacks
from xero.dags.asking import asked, origin
from xero.dags.retrying import default_args


def prune_dag(doc: str | None) -> DAG:
    """The DAG `prune`. How long each is kept: `keep_<what>_days` of `[xero]` in Airflow's configuration."""
    with DAG(
        dag_id=dag_id("prune"),
        description="Deletes events, settled requests, closed rejections and abandoned stagings that are old.",
        doc_md=doc,
        schedule="0 18 * * *",
        start_date=None,
        catchup=False,
        max_active_runs=1,
        tags=["xero", "prune"],
        default_args=default_args(),
        **callbacks(),
        params={
            "dry_run": Param(
                False,
                type="boolean",
                title="Dry run",
                description="Delete nothing: only count what would be deleted (see the log of `prune`).",
            )
        },
    ) as dag:

        @task
        def prune() -> dict[str, int]:
            """Deletes in batches. Its event, of no organisation, has the counts."""
            from xero.hooks import qicworks_engine
            from xero.qicworks.admin.retention import KEPT, Retention
            from xero.sync.runs.pruning import prune as prune_all

            default = Retention()
            kept = {
                what: settings.number(f"keep_{what}_days", getattr(default, what), instead="they are kept forever")
                for what in KEPT
            }
            context = get_current_context()
            dry_run = asked(context)["dry_run"]
            return prune_all(qicworks_engine(), Retention(**kept), origin(context), dry_run=dry_run)

        prune()
    return dag
