"""Idempotency-Key: a write that is sent again under its key gets the first answer again, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from xero_sandbox.clock import Clock
from xero_sandbox.endpoints.calling import Call
from xero_sandbox.problems import refused_request
from xero_sandbox.wire import Reply

KEPT_MS = 6 * 60_000
LONGEST = 128
WRITES = ("PUT", "POST", "PATCH")


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

    def find(self, call: Call) -> Reply | None:
        """The answer to the same request under the same key. Raises the 400 for a key that is too long, or that
        another request has used."""
        key = key_of(call)
        if len(key) > LONGEST:
            raise refused_request(f"The Idempotency Key must not be longer than {LONGEST} characters.")
        kept = self._kept.get(key)
        if kept is None or kept.until_ms <= self._clock.now_ms():
            return None
        if kept.request != _request(call):
            raise refused_request(f"Idempotency Key: {key} is used with a different request.")
        return _copy(kept.reply)

    def keep(self, call: Call, reply: Reply) -> None:
        """Keeps the answer to what was carried out, was refused as invalid, or went wrong inside, and no other."""
        key, now = key_of(call), self._clock.now_ms()
        if key and (reply.status < 300 or reply.status in (400, 500)):
            self._kept = {name: kept for name, kept in self._kept.items() if kept.until_ms > now}
            self._kept[key] = Answered(_request(call), _copy(reply), now + KEPT_MS)

    def keep_longer(self, milliseconds: int) -> None:
        """The clock was put ahead by so much, and no time has passed."""
        self._kept = {name: replace(kept, until_ms=kept.until_ms + milliseconds) for name, kept in self._kept.items()}


def key_of(call: Call) -> str:
    """The key of a write; "" where there is none, or where it is not honoured."""
    path = call.path.lower()
    honoured = path.startswith("/api.xro/") or (
        path.startswith("/payroll.xro/") and call.world.settings.payroll_idempotency
    )
    return call.headers.get("idempotency-key", "") if honoured and call.method in WRITES else ""


def _request(call: Call) -> str:
    tenant = call.tenant.tenant_id if call.tenant else ""
    head = f"{call.method} {call.path}?{call.query} {tenant}\n"
    return sha256(head.encode() + call.body).hexdigest()


def _copy(reply: Reply) -> Reply:
    return replace(reply, headers=dict(reply.headers))
