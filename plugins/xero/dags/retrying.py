"""Which failed tasks are tried again, and when."""

from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.retry_policy import RetryAction, RetryDecision, RetryPolicy

LONGEST_WAIT = timedelta(hours=1)
UNMIGRATED = "the database is not as this version needs it: run python -m xero migrate, with --grant-to ROLE"
OF_NO_USE = "trying again would not help: the message says what does"
LONGEST_TRY = timedelta(hours=6)  # nothing takes so long; what hangs is over before the next night


class WaitAsTold(RetryPolicy):
    """Retries when Xero said so, holding no slot meanwhile, and never where only a person can help."""

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
                return RetryDecision.fail(f"{seconds:.0f} s are too long to wait: a later run goes on")
            case errors.Disconnected() | errors.NotAvailable() | errors.Refused() | PullFailed():
                return RetryDecision.fail(OF_NO_USE)
            case errors.ReconnectNeeded() | errors.NotMatched() | errors.Misconfigured() | NotDone():
                return RetryDecision.fail(OF_NO_USE)
            case Unmigrated():
                return RetryDecision.fail(UNMIGRATED)
            case _ if isinstance(exception, database.UNMIGRATED):
                return RetryDecision.fail(UNMIGRATED)
            case _:
                return RetryDecision.default()

    @staticmethod
    def _of_all(decided: list[RetryDecision]) -> RetryDecision:
        """Of several organisations: again where that helps one, once all may have what they wait for."""
        again = [one for one in decided if one.action is not RetryAction.FAIL]
        if not again:
            return RetryDecision.fail(OF_NO_USE)
        told = [one for one in again if one.action is RetryAction.RETRY]
        return max(told, key=lambda one: one.retry_delay or timedelta()) if told else RetryDecision.default()

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
        "execution_timeout": LONGEST_TRY,
    }
