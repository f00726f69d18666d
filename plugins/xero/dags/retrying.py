"""Which failed tasks are retried, and when."""

from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.retry_policy import RetryAction, RetryDecision, RetryPolicy

LONGEST_WAIT = timedelta(hours=1)
UNMIGRATED = "the database lacks a migration or a right: run python -m xero migrate, with --grant-to ROLE"
NO_RETRY = "no automatic retry: see the message for the fix"
MAX_TRY = timedelta(hours=6)  # nothing takes that long; what hangs ends before the next night


class WaitAsTold(RetryPolicy):
    """Retries when Xero asked to, without holding a slot, and never if only a person can help."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any | None = None
    ) -> RetryDecision:
        from xero.api import errors
        from xero.api.errors import RetryLater
        from xero.qicworks import database
        from xero.sync.runs.outcome import PullFailed, Unmigrated
        from xero.sync.runs.requested import NotDone
        from xero.sync.runs.sequentially import SomeFailed

        match exception:
            case SomeFailed(failures=failures):
                decided = [self.evaluate(one, try_number, max_tries, context) for one in failures.values()]
                return self._of_all(decided)
            case RetryLater(seconds=seconds) if seconds <= LONGEST_WAIT.total_seconds():
                return RetryDecision.retry(timedelta(seconds=seconds), f"Xero asked to wait {seconds:.0f} s")
            case RetryLater(seconds=seconds):
                return RetryDecision.fail(f"{seconds:.0f} s are too long to wait: a later run continues")
            case errors.Disconnected() | errors.NotAvailable() | errors.Refused() | PullFailed():
                return RetryDecision.fail(NO_RETRY)
            case errors.ReconnectNeeded() | errors.NotMatched() | errors.Misconfigured() | NotDone():
                return RetryDecision.fail(NO_RETRY)
            case Unmigrated():
                return RetryDecision.fail(UNMIGRATED)
            case _ if isinstance(exception, database.UNMIGRATED):
                return RetryDecision.fail(UNMIGRATED)
            case _:
                return RetryDecision.default()

    @staticmethod
    def _of_all(decided: list[RetryDecision]) -> RetryDecision:
        """Of several organisations: a retry if it helps one of them, after the longest of their waits."""
        again = [one for one in decided if one.action is not RetryAction.FAIL]
        if not again:
            return RetryDecision.fail(NO_RETRY)
        timed = [one for one in again if one.action is RetryAction.RETRY]
        return max(timed, key=lambda one: one.retry_delay or timedelta()) if timed else RetryDecision.default()

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
        "execution_timeout": MAX_TRY,
    }
