"""Idempotency-Key: a write that is sent again under its key gets the first answer again, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xero_sandbox.clock import Clock
from xero_sandbox.problems import refused_request
from xero_sandbox.wire import Reply

KEPT_MS = 6 * 60_000
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Answered:
    """What a key was used for, and what was answered."""

    request: str
    reply: Reply
    until_ms: int


class Answers:
    """The answers of the last six minutes of the sandbox's clock, by key; one app has called, so all keys are its."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Answered] = {}

    def find(self, key: str, request: str) -> Reply | None:
        """The answer to the same request (its hash) under the same key. Raises the 400 for a key that is too long, or
        that another request has used."""
        if len(key) > LONGEST:
            raise refused_request(f"The Idempotency Key must not be longer than {LONGEST} characters.")
        kept = self._kept.get(key)
        if kept is None or kept.until_ms <= self._clock.now_ms():
            return None
        if kept.request != request:
            raise refused_request(f"Idempotency Key: {key} is used with a different request.")
        return _copy(kept.reply)

    def keep(self, key: str, request: str, reply: Reply) -> None:
        """Keeps the answer to what was carried out, was refused as invalid, or went wrong inside, and no other."""
        now = self._clock.now_ms()
        if key and (reply.status < 300 or reply.status in (400, 500)):
            self._kept = {name: kept for name, kept in self._kept.items() if kept.until_ms > now}
            self._kept[key] = Answered(request, _copy(reply), now + KEPT_MS)

    def keep_longer(self, milliseconds: int) -> None:
        """The clock was put ahead by so much, and no time has passed."""
        self._kept = {name: replace(kept, until_ms=kept.until_ms + milliseconds) for name, kept in self._kept.items()}


def _copy(reply: Reply) -> Reply:
    return replace(reply, headers=dict(reply.headers))
