"""When a call is retried, and after how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xero.api.errors import BadAnswer, NotSent, OutOfBounds, RetryLater


class Expired(Exception):
    """401: the token has to be renewed, then the call is retried."""


@dataclass(slots=True)
class OutageBudget:
    """Seconds that all calls of one client together may still wait for outages to end."""

    left: float


@dataclass(slots=True)
class Attempts:
    """The attempts of one call so far, and whether to retry."""

    max_wait: float  # seconds
    backoff: Sequence[float]
    clock: Callable[[], float]
    of_all: OutageBudget
    renewed: bool = False
    outages: int = 0
    correlation_id: str | None = None  # of the last attempt, if there was a response
    retry_after: float | None = None  # Retry-After of the last outage
    write: bool = False
    replay_window: float = 0.0  # of a write: seconds for which it may be sent again
    on_send: Callable[[], None] = lambda: None
    may_send: Callable[[], bool] = lambda: True
    outcome_unknown: bool = False  # of a write: Xero may have saved it
    pause: float = field(init=False)  # seconds before the next attempt
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def wait_left(self) -> float:
        max_wait = min(self.max_wait, self.replay_window) if self.outcome_unknown else self.max_wait
        return max(0.0, max_wait - (self.clock() - self.started))

    def worth_another_try(self, error: BaseException) -> bool:
        """Whether to retry after this error. Sets `pause`, the seconds to wait first."""
        self.pause = 0.0
        if isinstance(error, Expired):
            return True
        if isinstance(error, NotSent):
            return False
        if isinstance(error, OutOfBounds):
            self.outcome_unknown = self.outcome_unknown or self.write
            return False
        if isinstance(error, BadAnswer) or (isinstance(error, RetryLater) and error.limit == "outage"):
            self.outcome_unknown = self.outcome_unknown or self.write
            if self.write and error.server_failed:
                return False
            if self.outages >= len(self.backoff):
                return False
            self.pause = max(self.backoff[self.outages], self.retry_after or 0.0)
            if self.pause > min(self.wait_left(), self.of_all.left):
                return False
            self.outages += 1
            self.of_all.left -= self.pause
            return True
        if not isinstance(error, RetryLater):
            return False
        self.pause = error.seconds
        return error.seconds <= self.wait_left()
