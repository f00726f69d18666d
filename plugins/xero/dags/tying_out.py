"""The DAG that ties out: what was pushed in a period against Xero. Its asset is updated only if all of it is equal."""

import logging
from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from xero.dag_ids import dag_id
from xero.dags.alerting import callbacks
from xero.dags.asking import CORRECT, asked, origin, refuse
from xero.dags.groups import One, each
from xero.dags.organisations import BY_NAME, take_part, which_organisation
from xero.dags.retrying import default_args

log = logging.getLogger(__name__)

TIE_OUT = "tie_out"  # the DAG, and the data set of its events
ASSET = Asset("qicworks://tie_out")
ONE_RUN = 1  # the first try: what any try of this run has done


def tie_out_dag(doc: str | None) -> DAG:
    """The DAG `tie_out`: compares every document of a period except pay with Xero, organisation by organisation."""
    with DAG(
        dag_id=dag_id(TIE_OUT),
        description="Reads every record that follows a document, compares each document except pay, and names what "
        "is not equal.",
        doc_md=doc,
        schedule="0 18 * * 0",
        start_date=None,
        catchup=False,
        max_active_runs=16,
        tags=["xero", TIE_OUT],
        default_args=default_args(),
        **callbacks(),
        params={
            "connection": which_organisation(),
            "period": Param(
                None,
                type=["null", "string"],
                title="Period",
                description="A month (2026-11), or days (2026-11-01..2026-11-15). Leave empty for the current month, "
                "by each organisation's own clock.",
            ),
            "heal": Param(
                False,
                type="boolean",
                title="Heal",
                description="Push or pull again what a difference allows without a person. Nothing that was changed in "
                "Xero is overwritten unless the organisation's settings say so.",
            ),
        },
    ) as dag:

        @task
        def connections() -> list[One]:
            """Returns connections that are enabled; logs the rest with the reason. Refuses a period that is none."""
            from xero.sync.follow.tie_out import Period

            context = get_current_context()
            period = asked(context, ("pull", TIE_OUT))["period"]
            try:
                if period is not None:
                    Period.parse(period)
            except ValueError as error:
                refuse(context, ("pull", TIE_OUT), str(error), CORRECT)
            return take_part(None, TIE_OUT)

        @task(map_index_template=BY_NAME, multiple_outputs=False)  # else a request for each count
        def tie_out(connection: One) -> dict[str, Any]:
            """One organisation. What is not equal is a warning in its event and log; what could not be read fails."""
            from xero.hooks import qicworks_engine
            from xero.qicworks.runs.outcome import Direction
            from xero.sync.follow.tie_out import Period
            from xero.sync.follow.tie_out import tie_out as tie_out_one

            context = get_current_context()
            params = asked(context, (Direction.PULL, TIE_OUT))

            def work(one: One, open_client: Any) -> dict[str, Any]:
                result = tie_out_one(
                    one["connection_id"],
                    Period.parse(params["period"]) if params["period"] is not None else None,
                    engine=qicworks_engine(),
                    open_client=open_client,
                    origin=origin(context),
                    heal=params["heal"],
                )
                for healed in result.healed:
                    log.info("%s: %s: %s", healed.label, healed.act, healed.says)
                if result.error:
                    raise result.error
                return result.to_dict()

            return each(connection, context, Direction.PULL, TIE_OUT, work)

        @task(multiple_outputs=False, trigger_rule=TriggerRule.ALL_DONE, outlets=[ASSET])
        def announce(taking_part: Any) -> dict[str, Any]:
            """Updates the asset if every organisation of this run was checked, and is equal; else it is skipped."""
            context = get_current_context()
            equal, not_equal = verdict(context, list(taking_part or ()))
            if not_equal or not equal:
                names = "; ".join(not_equal) or "no organisation took part"
                raise AirflowSkipException(
                    f"{ASSET.name} is not updated, because not all is checked and equal: {names}"
                )
            from xero.sync.follow.tie_out.result import kinds_left_out

            params = context["params"]
            extra = {
                "period": params["period"],
                "organisations": sorted(equal),
                "documents": sum(equal.values()),
                "not_part": [kind.name for kind in kinds_left_out()],
                "everyone": params["connection"] is None,
            }
            context["outlet_events"][ASSET].extra = extra
            return extra

        @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
        def watcher() -> None:
            """Fails the run when an organisation failed: `announce`, which always runs, would hide it."""
            raise AirflowFailException("At least one organisation failed: see the red task instances of this run.")

        taking_part = connections()
        tied = tie_out.expand(connection=taking_part)
        tied >> announce(taking_part)
        tied >> watcher()
    return dag


def verdict(context: Any, taking_part: list[One]) -> tuple[dict[str, int], list[str]]:
    """Organisation → documents of those that were checked and are equal; and the others of this run, with the reason.

    By the events of this run: a task that failed, or was skipped, has none that says so.
    """
    from xero.hooks import qicworks_engine
    from xero.qicworks import database
    from xero.qicworks.runs import events
    from xero.qicworks.runs.outcome import Direction, Status
    from xero.sync.runs.participants import select_connections

    one_by_one = [one for some in taking_part for one in some.get("members", [some])]
    names = {one["connection_id"]: one["organisation"] for one in one_by_one}
    ti = context["ti"]
    with database.session(qicworks_engine()) as session:
        how = Direction.PULL, TIE_OUT, list(names), ONE_RUN
        done = {str(id): one for id, one in events.done_in_run(session, ti.dag_id, ti.run_id, *how).items()}
    equal, not_equal = {}, []
    for id, name in names.items():
        if id not in done:
            not_equal.append(f"{name}: not checked")
        elif done[id]["status"] != Status.SUCCESS:
            not_equal.append(f"{name}: not equal")
        else:
            equal[name] = done[id]["read"]
    if context["params"]["connection"] is None:
        _, left_out = select_connections(qicworks_engine(), None)
        not_equal += (f"{one.organisation}: {one.explanation}" for one in left_out if one.must_reconnect)
    return equal, not_equal
