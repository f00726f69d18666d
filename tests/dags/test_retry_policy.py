"""Which failures are worth another try, and when."""

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from xero.api import errors
from xero.dags.retrying import LONGEST_WAIT, WaitAsTold
from xero.sync.outcome import PullFailed

POLICY = WaitAsTold()


def test_waits_as_long_as_xero_says() -> None:
    decision = POLICY.evaluate(errors.RetryLater(42.5, "minute"), 1, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=42.5))


def test_does_not_wait_for_hours() -> None:
    decision = POLICY.evaluate(errors.RetryLater(LONGEST_WAIT.total_seconds() + 1, "day"), 1, 3)
    assert decision.action is RetryAction.FAIL
    assert "later run" in str(decision.reason)


@pytest.mark.parametrize(
    "error",
    [
        errors.ReconnectNeeded("m", "c"),
        errors.Disconnected("m", "c"),
        errors.NotAvailable("m", "c"),
        errors.Misconfigured("m", "c"),
        errors.Refused(400, {"Message": "no"}),
        PullFailed("m", "c"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_never_tries_again_what_needs_a_person(error: Exception) -> None:
    assert POLICY.evaluate(error, 1, 3).action is RetryAction.FAIL


@pytest.mark.parametrize("error", [errors.BadAnswer("m", "c"), OSError("gone")], ids=lambda error: type(error).__name__)
def test_leaves_the_rest_to_airflow(error: Exception) -> None:
    assert POLICY.evaluate(error, 1, 3).action is RetryAction.DEFAULT


def test_survives_serialisation() -> None:
    assert isinstance(WaitAsTold.deserialize(POLICY.serialize()), WaitAsTold)
