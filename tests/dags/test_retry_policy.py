"""Which failures are worth another try, and when."""

import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable

from xero.api import errors
from xero.composition import NoSuchConnection
from xero.dags.retrying import WaitAsTold
from xero.sync.runs.outcome import Busy, PullFailed
from xero.sync.runs.requested import NotDone

POLICY = WaitAsTold()


def test_waits_as_long_as_xero_says() -> None:
    decision = POLICY.evaluate(errors.RetryLater(42.5, "minute"), 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=42.5))


def test_waits_an_hour_and_no_longer() -> None:
    decision = POLICY.evaluate(errors.RetryLater(3600, "day"), 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(hours=1))
    decision = POLICY.evaluate(errors.RetryLater(3600.001, "day"), 1, 3)
    assert decision.action is RetryAction.FAIL
    assert "later run" in str(decision.reason)


def test_what_somebody_asked_for_by_name_waits_longer_each_time_that_another_run_is_at_it() -> None:
    waits = [POLICY.evaluate(Busy("m", tries), tries, 3).retry_delay for tries in (1, 2, 3, 4)]
    assert waits == [timedelta(seconds=seconds) for seconds in (20, 120, 900, 900)]


@pytest.mark.parametrize(
    "error",
    [
        errors.ReconnectNeeded("m", "c"),
        errors.Disconnected("m", "c"),
        errors.NotAvailable("m", "c"),
        errors.Misconfigured("m", "c"),
        errors.Refused(400, {"Message": "no"}),
        PullFailed("m", "c"),
        NotDone("m"),
        NoSuchConnection("xero_default"),
        UndefinedTable("m"),
        UndefinedColumn("m"),
        InsufficientPrivilege("m"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_never_tries_again_what_needs_a_person(error: Exception) -> None:
    assert POLICY.evaluate(error, 1, 3).action is RetryAction.FAIL


@pytest.mark.parametrize("error", [errors.BadAnswer("m", "c"), OSError("gone")], ids=lambda error: type(error).__name__)
def test_leaves_the_rest_to_airflow(error: Exception) -> None:
    assert POLICY.evaluate(error, 1, 3).action is RetryAction.DEFAULT


def test_every_task_has_it_also_after_a_journey_through_airflows_database(dags: dict[str, Any]) -> None:
    """The scheduler sees a serialised task, which says only that there is a policy. The worker parses the DAG anew and
    asks the task's own; a mapped one's waits among the arguments that all its instances share."""
    from airflow.serialization.serialized_objects import DagSerialization

    tasks = [task for dag in dags.values() for task in dag.tasks]
    assert len(tasks) > 50
    for dag in dags.values():
        stored = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
        assert {task.task_id: task.has_retry_policy for task in stored.tasks} == dict.fromkeys(dag.task_ids, True)
    for task in tasks:
        policy = task.partial_kwargs["retry_policy"] if task.is_mapped else task.retry_policy
        for one in (policy, WaitAsTold.deserialize(json.loads(json.dumps(policy.serialize())))):
            decision = one.evaluate(errors.RetryLater(42.5, "minute"), 1, 3)
            assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=42.5))
            assert one.evaluate(errors.ReconnectNeeded("m", "c"), 1, 3).action is RetryAction.FAIL
