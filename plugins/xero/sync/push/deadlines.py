"""What becomes of an open request: decided by when it was sent, whether Xero failed on it, and its kind of document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from xero.documents.declaration import Kind
from xero.qicworks.push.outbox import Request

REPLAY_WINDOW_SECONDS = 300.0  # after its first attempt a key may be used again; Xero keeps it for 360
QUIET_SECONDS = 60.0  # after its last attempt Xero has surely finished a request that got no usable response
CLOCK_DIFFERENCE_SECONDS = 600.0  # between Xero's clock and the database's, at most


@dataclass(frozen=True)
class Release:
    """It was never sent: its documents become ready again."""


@dataclass(frozen=True)
class Replay:
    """Repeat it unchanged under its key, within `window_seconds`; if `search_first`, only if Xero has none of it."""

    window_seconds: float
    search_first: bool


@dataclass(frozen=True)
class LookUp:
    """Search Xero for its documents: what is there was pushed, what is not becomes ready again."""


@dataclass(frozen=True)
class Wait:
    """Xero may still be processing it: leave it to a run `seconds` later."""

    seconds: float


Fate = Release | Replay | LookUp | Wait


def fate(request: Request, now: datetime, kind: Kind, quiet_seconds: float = QUIET_SECONDS) -> Fate:
    """Decides what becomes of an open, sealed request, so that nothing is sent twice.

    Args:
        now: the database's clock, which also wrote the request's times. Where it was put back since, a time lies in
            the future: such a request is not repeated, and waits no longer than `quiet_seconds`.
    """
    assert request.sealed_at, "nothing in a request without a seal is trusted"
    if request.first_sent_at is None:
        return Release()
    since_first = seconds_between(request.first_sent_at, now)
    since_sealed = seconds_between(request.sealed_at, now)
    in_window = 0 <= since_first < REPLAY_WINDOW_SECONDS and 0 <= since_sealed < REPLAY_WINDOW_SECONDS
    if kind.replays and in_window and not request.server_failed:
        return Replay(REPLAY_WINDOW_SECONDS - since_first, kind.look_first and request.method == "PUT")
    return wait_until_quiet(request, now, quiet_seconds) or LookUp()


def fate_after_search(
    request: Request, now: datetime, kind: Kind, found: Sequence[bool], quiet_seconds: float = QUIET_SECONDS
) -> Fate:
    """Decides again, once Xero was searched for each of the request's documents.

    Where Xero accepts duplicates a key alone is not trusted: a process that was killed while it received a 5xx could
    not record that, and Xero may not keep a key for it.

    Args:
        found: for each document whether Xero has it. Where it has some, the others may still arrive.
    """
    if not any(found):
        return fate(request, now, kind, quiet_seconds)
    return LookUp() if all(found) else wait_until_quiet(request, now, quiet_seconds) or LookUp()


def wait_until_quiet(request: Request, now: datetime, quiet_seconds: float = QUIET_SECONDS) -> Wait | None:
    """Wait while Xero may still be processing the last attempt; None when that is over."""
    since_last = seconds_between(request.last_sent_at, now) if request.last_sent_at else 0.0
    seconds = min(quiet_seconds - since_last, quiet_seconds)
    return Wait(seconds) if seconds > 0 else None


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Seconds from one instant to the other; negative where a clock was put back."""
    return (later - earlier).total_seconds()
