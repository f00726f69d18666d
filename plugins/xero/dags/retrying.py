"""Which failed tasks are tried again, and when."""

from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

LONGEST_WAIT = timedelta(hours=1)


class WaitAsTold(RetryPolicy):
    """Retries when Xero said so, holding no slot meanwhile, and never where only a person can help."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any | None = None
    ) -> RetryDecision:
        from xero.api.errors import Disconnected, Misconfigured, NotAvailable, ReconnectNeeded, Refused, RetryLater
        from xero.sync.outcome import PullFailed

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
