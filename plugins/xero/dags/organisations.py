"""Which organisations take part in a run of a DAG, and the setting that names one."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, get_current_context

from xero.dags.alerting import AlertsOnce
from xero.dags.asking import asked, by_name, origin, refuse, refusing
from xero.dags.groups import One, grouped
from xero.datasets.declaration import Dataset

if TYPE_CHECKING:
    from xero.sync.runs.participants import LeftOut

log = logging.getLogger(__name__)

# The name of a mapped task. Airflow keeps 250 characters, and fails a task with a longer name.
BY_NAME = "{{ task.op_kwargs['connection']['organisation'] | truncate(250, true, '…', 0) }}"


def which_organisation(everybody: str = "all connected organisations") -> Param:
    return Param(
        None,
        type=["null", "string"],
        title="Organisation",
        description=f"Name of one QicWorks organisation, or the id of its connection. Leave empty for {everybody}.",
    )


def take_part(dataset: Dataset | None, comparison: str = "reconcile") -> list[One]:
    """Returns connections that are enabled and due, one or several to a task; logs the rest with the reason.

    `comparison`: whose events tell of it, if it is of no data set.
    """
    from xero.hooks import qicworks_engine
    from xero.qicworks.runs.outcome import Direction
    from xero.sync.runs import non_participants
    from xero.sync.runs.outcome import LEFT_OUT
    from xero.sync.runs.participants import select_connections
    from xero.sync.runs.requested import Answer
    from xero.sync.runs.run import SWITCH_ON

    context, called = get_current_context(), (Direction.PULL, dataset.name if dataset else comparison)
    name = asked(context, called)["connection"]
    # Trigger means now; a scheduled run takes those that are due.
    scheduled = context["dag_run"].run_type == "scheduled"
    with refusing(context, called):
        taking_part, left_out = select_connections(qicworks_engine(), dataset, name, scheduled=scheduled)
    tell(taking_part, left_out)
    alert_lost(context, left_out)
    if name is None and (left_out or not taking_part):
        non_participants.warn(qicworks_engine(), *called, origin(context))
    if name is not None and left_out:
        [one] = left_out
        refuse(context, called, str(one), SWITCH_ON, Answer.LEFT_OUT, LEFT_OUT[one.reason], one.connection_id)
    if left_out and not taking_part and by_name(context):
        why = "; ".join(map(str, left_out))
        how = Answer.LEFT_OUT, LEFT_OUT[left_out[0].reason]
        refuse(context, called, f"no organisation takes part: {why}", SWITCH_ON, *how)
    return grouped(list(taking_part))


def tell(taking_part: list[dict[str, Any]] | list[dict[str, str]], left_out: Sequence[object]) -> None:
    for reason in left_out:
        log.warning("left out: %s", reason)
    log.info("taking part: %s", ", ".join(one["organisation"] for one in taking_part) or "none")


def alert_lost(context: Any, left_out: "Sequence[LeftOut]") -> None:
    """Those that need to be reconnected have no task of their own, whose end would send their alerts."""
    AlertsOnce(context).send([(one.connection_id, one.organisation) for one in left_out if one.must_reconnect])
