"""What the tasks of one organisation have in common: who takes part, and where an event says that it comes from."""

import logging
from typing import Any

from airflow.sdk import Param, get_current_context
from airflow.sdk.exceptions import AirflowFailException

from xero.dags.asking import asked, by_name, refusing
from xero.dags.groups import One, grouped
from xero.datasets.declaration import Dataset

log = logging.getLogger(__name__)

# What a mapped task is called. Airflow keeps 250 characters, and fails the task whose name is longer.
BY_NAME = "{{ task.op_kwargs['connection']['organisation'] | truncate(250, true, '…', 0) }}"


def which_organisation(everybody: str = "all that are on") -> Param:
    return Param(
        None,
        type=["null", "string"],
        title="Organisation",
        description=f"Name of one QicWorks organisation, or the id of its connection. Empty: {everybody}.",
    )


def take_part(dataset: Dataset | None) -> list[One]:
    """Who is on, and due, one to a task or several. Logs who is left out, and why."""
    from xero.hooks import qicworks_engine
    from xero.sync import absent
    from xero.sync.turns import who

    context = get_current_context()
    name = asked(context)["connection"]
    # Who presses Trigger means now; a tick of the clock takes those for whom it is time.
    scheduled = context["dag_run"].run_type == "scheduled"
    with refusing():
        taking_part, left_out = who(qicworks_engine(), dataset, name, scheduled=scheduled)
    tell(taking_part, left_out)
    if name is None and (left_out or not taking_part):
        absent.tell(qicworks_engine(), "pull", dataset.name if dataset else "reconcile", origin(context))
    if name is not None and left_out:
        raise AirflowFailException(f"Nothing was done: {left_out[0]}.")
    return grouped(list(taking_part))


def tell(taking_part: list[dict[str, Any]] | list[dict[str, str]], left_out: list[str]) -> None:
    for reason in left_out:
        log.warning("left out: %s", reason)
    log.info("taking part: %s", ", ".join(one["organisation"] for one in taking_part) or "none")


def origin(context: Any) -> Any:
    """Where an interaction was started from, for its connection event."""
    from xero.qicworks.events import Origin

    ti = context["ti"]
    return Origin(
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=ti.map_index,
        try_number=ti.try_number,
        manual=context["dag_run"].run_type == "manual",
        by_name=by_name(context),
        log_url=ti.log_url,
    )
