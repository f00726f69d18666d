"""The DAGs' factory: `connections` → `pull`, mapped over the organisations → `announce`.

What costs time to import, and the database, are met inside the tasks only: the scheduler parses these files all day.
"""

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule, get_current_context, task
from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from xero.datasets.declaration import Dataset
from xero.datasets.registry import named

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(hours=1)


class WaitAsTold(RetryPolicy):
    """Retries when Xero said so, holding no slot meanwhile, and never where only a person can help."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any | None = None
    ) -> RetryDecision:
        from xero.api.errors import Disconnected, Misconfigured, NotAvailable, ReconnectNeeded, Refused, RetryLater
        from xero.sync.pull import PullFailed

        match exception:
            case RetryLater(seconds=seconds) if seconds <= LONGEST_WAIT.total_seconds():
                return RetryDecision.retry(timedelta(seconds=seconds), f"Xero asked to wait {seconds:.0f} s")
            case RetryLater(seconds=seconds):
                return RetryDecision.fail(f"{seconds:.0f} s are too long to wait: a later run goes on")
            case ReconnectNeeded() | Disconnected() | NotAvailable() | Refused() | Misconfigured() | PullFailed():
                return RetryDecision.fail("trying again would not help: the message says what does")
            case _:
                return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "WaitAsTold":
        return cls()


def default_args() -> dict[str, Any]:
    return {
        "owner": "qicworks",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": WaitAsTold(),
    }


def which_organisation() -> Param:
    return Param(
        None,
        type=["null", "string"],
        title="Organisation",
        description="Name of one QicWorks organisation, or the id of its connection. Empty: all that are on.",
    )


def take_part(dataset: Dataset | None) -> list[dict[str, str]]:
    """Who is on, and due. Logs who is left out, and why."""
    from xero.hooks import qicworks_engine
    from xero.sync.turns import who

    context = get_current_context()
    # Who presses Trigger means now; a tick of the clock takes those whose midnight it is.
    scheduled = context["dag_run"].run_type == "scheduled"
    try:
        taking_part, left_out = who(qicworks_engine(), dataset, context["params"]["connection"], scheduled=scheduled)
    except LookupError as error:
        raise AirflowFailException(error.args[0]) from None
    for reason in left_out:
        log.warning("left out: %s", reason)
    log.info("taking part: %s", ", ".join(one["organisation"] for one in taking_part) or "none")
    return taking_part


def pull_dag(name: str, doc: str | None) -> DAG:
    """The DAG `pull_<name>` for the data set of that name; `doc` is the docstring of the file that calls."""
    dataset = named(name)
    tables = [table.name for table in dataset.tables]

    with DAG(
        dag_id=f"pull_{name}",
        description=dataset.help,
        doc_md=doc,
        schedule=dataset.schedule,
        # No start date: a newly deployed DAG waits for its next tick, instead of making up for the last one.
        start_date=None,
        catchup=False,
        # A run by hand for one organisation must not wait for the nightly one of all others.
        max_active_runs=16,
        tags=["xero", "pull", *tables],
        default_args=default_args(),
        params={
            "connection": which_organisation(),
            "full_refresh": Param(
                False,
                type="boolean",
                title="Full refresh",
                description="Read everything again, not only what changed since the last run. Changes nothing that "
                "is already right, but costs calls: one per 1,000 records, of staff one per employee.",
            ),
        },
    ) as dag:

        @task
        def connections() -> list[dict[str, str]]:
            """Who is on, and due. Logs who is left out, and why."""
            return take_part(dataset)

        @task(map_index_template="{{ task.op_kwargs['connection']['organisation'] }}")
        def pull(connection: dict[str, str]) -> dict[str, Any]:
            """Extract, validate, load: one organisation. Its log and its connection event tell the same."""
            from xero.hooks import open_client, qicworks_engine
            from xero.sync.pull import Skip
            from xero.sync.pull import pull as pull_one

            context = get_current_context()
            logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it tells of its own set-up only
            try:
                outcome = pull_one(
                    dataset,
                    connection["connection_id"],
                    engine=qicworks_engine(),
                    open_client=open_client,
                    origin=origin(context),
                    full=context["params"]["full_refresh"],
                )
            except Skip as skip:
                raise AirflowSkipException(str(skip)) from None
            return outcome.to_dict()

        @task(trigger_rule=TriggerRule.ALL_DONE, outlets=[Asset(f"qicworks://{table}") for table in tables])
        def announce(outcomes: Any) -> dict[str, int]:
            """Tells whoever waits for these tables that there is something new: one event a run, or none."""
            changed = count_changes(outcomes)
            if not any(changed.values()):
                raise AirflowSkipException("nothing changed")
            return changed

        @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
        def watcher() -> None:
            """Fails the run when an organisation failed: `announce`, which runs whatever happens, would hide it."""
            raise AirflowFailException("At least one organisation failed: see the red task instances of this run.")

        pulled = pull.expand(connection=connections())
        announce(pulled)
        pulled >> watcher()
    return dag


def reconcile_dag(doc: str | None) -> DAG:
    """The DAG `reconcile`: every data set of each organisation beside what Xero says of it."""
    with DAG(
        dag_id="reconcile",
        description="Compares counts and newest changes of every data set with Xero, for a handful of calls.",
        doc_md=doc,
        schedule="0 16 * * 0",
        start_date=None,
        catchup=False,
        max_active_runs=1,
        tags=["xero", "reconcile"],
        default_args=default_args(),
        params={"connection": which_organisation()},
    ) as dag:

        @task
        def connections() -> list[dict[str, str]]:
            """Who is on. Logs who is left out, and why."""
            return take_part(None)

        @task(map_index_template="{{ task.op_kwargs['connection']['organisation'] }}")
        def reconcile(connection: dict[str, str]) -> dict[str, Any]:
            """One organisation. A difference is a warning in its event; the task fails when Xero cannot be asked."""
            from xero.hooks import open_client, qicworks_engine
            from xero.sync.outcome import Skip
            from xero.sync.reconcile import reconcile as reconcile_one

            try:
                outcome = reconcile_one(
                    connection["connection_id"],
                    engine=qicworks_engine(),
                    open_client=open_client,
                    origin=origin(get_current_context()),
                )
            except Skip as skip:
                raise AirflowSkipException(str(skip)) from None
            return outcome.to_dict()

        reconcile.expand(connection=connections())
    return dag


def origin(context: Any) -> Any:
    """Where a pull was started from, for its connection event."""
    from xero.sync.pull import Origin

    ti = context["ti"]
    return Origin(
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=ti.map_index,
        try_number=ti.try_number,
        manual=context["dag_run"].run_type == "manual",
        log_url=ti.log_url,
    )


def count_changes(outcomes: Any) -> dict[str, int]:
    """Rows that changed, added up over the organisations that were pulled (a failed or skipped one has no outcome)."""
    # As a slice all come in one request; one by one would be a request each.
    return {
        count: sum(outcome[count] for outcome in (outcomes[:] if outcomes else []))
        for count in ("inserted", "updated", "deactivated")
    }
