"""One organisation for each mapped task, or several if there are more than Airflow maps over."""

import logging
from collections.abc import Callable, Mapping
from functools import partial, wraps
from math import ceil
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.sdk.exceptions import AirflowSkipException

from xero.dags.alerting import AlertsOnce
from xero.dags.asking import by_name
from xero.dags.metrics import counted
from xero.qicworks.texts import fit

if TYPE_CHECKING:
    from xero.qicworks.runs.outcome import Direction

log = logging.getLogger(__name__)

MAX_NAME_LENGTH = 120  # characters of each of the two names in a group's name
MAX_TASKS = 1000  # mapped tasks of a run; fewer if `[core] max_map_length` is lower

One = dict[str, Any]  # an organisation: "connection_id", "organisation"; or a group: "organisation", "members"


def max_tasks() -> int:
    """How many tasks Airflow maps over in a run."""
    return min(MAX_TASKS, conf.getint("core", "max_map_length"))


def grouped(everybody: list[One], other_tasks: int = 0) -> list[One]:
    """Returns each organisation alone if they fit into the tasks of a run, else groups of them, in the same order.

    `other_tasks`: the tasks that the run needs for something else.
    """
    most = max(1, max_tasks() - other_tasks)
    size = ceil(len(everybody) / most)
    if size <= 1:
        return everybody
    log.info("%d organisations, %d to a task", len(everybody), size)
    groups = [everybody[start : start + size] for start in range(0, len(everybody), size)]
    return [
        {
            "organisation": " – ".join(fit(end["organisation"], MAX_NAME_LENGTH) for end in (group[0], group[-1])),
            "members": group,
        }
        for group in groups
    ]


def each(
    connection: One, context: Any, direction: "Direction", data_set: str, work: Callable[[One, Callable[..., Any]], One]
) -> One:
    """Does the work for the organisation, or for those of the group. Returns the counts, added up.

    `work` takes an organisation and a function that opens its client. A group with failures fails at its end; the retry
    skips those that this run has done already, by their events. If all are skipped, so is the task. After the work of
    each, successful or not, an alert is sent of what is newly open.
    """
    from xero.hooks import open_client
    from xero.sync.runs.outcome import Skip
    from xero.sync.runs.sequentially import SomeFailed, run_sequentially

    work = counted(direction, data_set, insisting(work) if by_name(context) else work)
    work = alerting(AlertsOnce(context), work)
    if "members" not in connection:
        try:
            return work(connection, open_client)
        except Skip as skip:
            raise AirflowSkipException(str(skip)) from None

    def one(member: Mapping[str, Any], max_wait_seconds: float | None) -> One:
        opener = open_client if max_wait_seconds is None else partial(open_client, max_wait=max_wait_seconds)
        return work(dict(member), opener)

    members = connection["members"]
    # Who asked for documents gets an answer for each, in every try.
    answered = direction == "push" and context["params"].get("document_ids") is not None
    done = {} if answered else done_before(members, context, direction, data_set)
    total, failures, skipped = run_sequentially(members, one, done)
    if failures:
        if total:  # Airflow does not keep what a failed task returned; the next task counts what the others did
            context["ti"].xcom_push("return_value", total)
        raise SomeFailed(failures, len(members))
    if skipped and not total:
        raise AirflowSkipException("; ".join(skipped))
    return total


def alerting(alerts: AlertsOnce, work: Callable[[One, Callable[..., Any]], One]) -> Callable[..., One]:
    """The same work, then an alert of what is newly open. Not if the task itself is ended."""

    from xero.sync.runs.outcome import Skip

    @wraps(work)
    def done(one: One, open_client: Callable[..., Any]) -> One:
        who = [(one["connection_id"], one["organisation"])]
        try:
            result = work(one, open_client)
        except Exception as error:
            alerts.send(who, failed=not isinstance(error, Skip))
            raise
        alerts.send(who)
        return result

    return done


def insisting(work: Callable[[One, Callable[..., Any]], One]) -> Callable[[One, Callable[..., Any]], One]:
    """The same work for what was asked for by name: what cannot be done now fails, and is not skipped."""
    from xero.sync.runs.outcome import Skip
    from xero.sync.runs.requested import NotDone

    @wraps(work)
    def done(*args: Any) -> One:
        try:
            return work(*args)
        except Skip as skip:
            raise NotDone(f"Not done: {skip}") from None

    return done


def done_before(members: list[One], context: Any, direction: "Direction", data_set: str) -> dict[str, One]:
    """What earlier tries of this task have done, by connection id. Clearing the task starts from the beginning."""
    from xero.hooks import qicworks_engine
    from xero.qicworks import database
    from xero.qicworks.runs import events

    ti = context["ti"]
    first_try = ti.max_tries - (ti.task.retries or 0) + 1
    if ti.try_number <= first_try:
        return {}
    with database.session(qicworks_engine()) as session:
        found = events.done_in_run(
            session, ti.dag_id, ti.run_id, direction, data_set, [one["connection_id"] for one in members], first_try
        )
    return {str(id): result for id, result in found.items()}
