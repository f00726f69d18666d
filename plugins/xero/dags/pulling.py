"""The DAGs that pull: `connections` → `pull`, mapped over the organisations → `announce`."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from xero.dag_ids import pull_dag_of
from xero.dags.alerting import callbacks
from xero.dags.asking import asked, origin
from xero.dags.groups import One, each
from xero.dags.organisations import BY_NAME, take_part, which_organisation
from xero.dags.retrying import default_args
from xero.datasets.registry import named


def pull_dag(name: str, doc: str | None) -> DAG:
    """The DAG `pull_<name>` for the data set of that name; `doc` is the docstring of the file that calls."""
    dataset = named(name)
    tables = [table.name for table in dataset.tables]

    with DAG(
        dag_id=pull_dag_of(name),
        description=dataset.help,
        doc_md=doc,
        schedule=dataset.schedule,
        # No start date: a newly deployed DAG waits for its next tick instead of catching up on the last one; except for
        # a tick less than a tenth of the interval ago, which Airflow takes for its first.
        start_date=None,
        catchup=False,
        # A manual run for one organisation must not wait for the nightly run of all others.
        max_active_runs=16,
        tags=["xero", "pull", *tables],
        default_args=default_args(),
        **callbacks(),
        params={
            "connection": which_organisation(),
            "full_refresh": Param(
                False,
                type="boolean",
                title="Full refresh",
                description="Fetch all records, not only those that changed since the last run. Changes nothing that "
                "is already right, but costs calls: one per 1,000 records, of staff one per employee.",
            ),
        },
    ) as dag:

        @task
        def connections() -> list[One]:
            """Returns connections that are enabled and due; logs the rest with the reason."""
            return take_part(dataset)

        @task(map_index_template=BY_NAME, multiple_outputs=False)  # else a request for each count
        def pull(connection: One) -> dict[str, Any]:
            """Extract, validate, load: one organisation. Its log and its connection event report the same."""
            from xero.hooks import qicworks_engine
            from xero.qicworks.runs.outcome import Direction, EventOutcome
            from xero.sync.follow.pulling import pull as pull_one
            from xero.sync.runs.requested import NotDone

            context = get_current_context()
            asked(context, (Direction.PULL, dataset.name))
            logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it logs only its own set-up

            def work(one: One, open_client: Any) -> dict[str, Any]:
                outcome = pull_one(
                    dataset,
                    one["connection_id"],
                    engine=qicworks_engine(),
                    open_client=open_client,
                    origin=origin(context),
                    full=context["params"]["full_refresh"],
                )
                if outcome.outcome is EventOutcome.NOT_AVAILABLE and context["params"]["connection"] is not None:
                    raise NotDone(outcome.message)
                return outcome.to_dict()

            return each(connection, context, Direction.PULL, dataset.name, work)

        @task(
            multiple_outputs=False,
            trigger_rule=TriggerRule.ALL_DONE,
            outlets=[asset(table) for table in tables],
        )
        def announce(outcomes: Any) -> dict[str, int]:
            """Updates the assets of the tables that changed: one asset event for each run, or none."""
            found = outcomes[:] if outcomes else []  # a slice is one request; one by one would be one request each
            changed = count_changes(found)
            if not any(changed.values()):
                raise AirflowSkipException("nothing changed")
            # The assets that Airflow updates when this task has ended.
            get_current_context()["ti"].task.outlets = [asset(table) for table in changed_tables(found, tables)]
            return changed

        @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
        def watcher() -> None:
            """Fails the run when an organisation failed: `announce`, which always runs, would hide it."""
            raise AirflowFailException("At least one organisation failed: see the red task instances of this run.")

        pulled = pull.expand(connection=connections())
        announce(pulled)
        pulled >> watcher()
    return dag


def asset(table: str) -> Asset:
    return Asset(f"qicworks://{table}")


def changed_tables(outcomes: Sequence[Mapping[str, Any]], tables: Sequence[str]) -> list[str]:
    """Returns those of these tables in which rows changed.

    All, if that is not known for one outcome: an update too many is better than none.
    """
    from xero.qicworks.runs.events import EVERY

    changed = {table for outcome in outcomes for table in outcome["tables"]}
    return [table for table in tables if table in changed or EVERY in changed]


def count_changes(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Rows that changed, added up over the organisations that were pulled (a failed or skipped one has no outcome)."""
    from xero.qicworks.runs.events import CHANGES

    return {count: sum(outcome[count] for outcome in outcomes) for count in CHANGES}
