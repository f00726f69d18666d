"""Faults on request: which call fails, and how."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from xero_sandbox import problems
from xero_sandbox.problems import Problem
from xero_sandbox.wire import text_reply

#: Faults of these kinds replace the call: it is not carried out, and the response is the fault. Of these only a 500 is
#: kept under the Idempotency-Key.
ANSWERS = ("429", "500", "503", "html", "token_expired", "revoked", "no_scope", "invalid_grant", "empty")
#: All of these but "cut" carry the call out. Its real response is kept under the Idempotency-Key, or the 500.
ACTS = (
    "slow",  # waits `seconds`, then responds
    "hold",  # waits before the call is carried out, until the order is forgotten, at most HELD_SECONDS
    "hold_answer",  # waits in the same way after the call is carried out
    "cut",  # not carried out; the connection closes without a response
    "truncate",  # half of the body, then the connection closes
    "malformed",  # half of the body, as if it were the full one
    "half_gzip",  # half of the compressed body
    "lost_answer",  # the connection closes without a response
    "500_saved",  # the response is a 500
    "503_saved",  # the response is a 503, which is not kept under the Idempotency-Key
)

HELD_SECONDS = 300.0


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One order. `path` is searched in "path?query", `body` is part of what was sent; `times` null means always; of
    the calls that match, each `every`th fails; orders with the same `name` are forgotten together."""

    kind: str
    name: str = ""
    path: str = ""
    body: str = ""
    method: str | None = None
    tenant: str | None = None
    skip: int = 0
    every: int = 1
    times: int | None = 1
    retry_after: float | None = None
    problem: str = "minute"
    status: int | None = None
    seconds: float = 1.0
    hits: int = 0
    met: int = 0

    def __post_init__(self) -> None:
        if self.kind not in (*ANSWERS, *ACTS):
            raise ValueError(f"kind must be one of {', '.join((*ANSWERS, *ACTS))}")
        if self.every < 1:
            raise ValueError("every must be 1 or more")
        re.compile(self.path)

    def matches(self, method: str, target: str, tenant: str | None, body: bytes = b"") -> bool:
        return (
            self.times != 0
            and (self.tenant is None or self.tenant == tenant)
            and (self.method is None or self.method == method)
            and re.search(self.path, target) is not None
            and self.body.encode() in body
        )

    def answer(self, expired_at: str) -> Problem | None:
        """The refusal that this fault is, or None when it is an act."""
        match self.kind:
            case "429":
                return problems.too_many(self.problem, 5 if self.retry_after is None else self.retry_after)
            case "500":
                return problems.internal_error()
            case "503":
                return problems.unavailable()
            case "html":
                return problems.html_page(self.status or 503)
            case "empty":
                return Problem(text_reply("", self.status or 200))
            case "token_expired":
                return problems.token_expired(expired_at)
            case "revoked":
                return problems.not_connected()
            case "no_scope":
                return problems.missing_scope(self.status or 401)
            case "invalid_grant":
                return problems.oauth_error("invalid_grant")
        return None


class Faults:
    """The open orders, in the order they came; the first that matches a call is carried out."""

    def __init__(self) -> None:
        self.orders: list[Fault] = []

    def order(self, orders: Any) -> None:
        """Adds one order or a list. ValueError when one is wrong."""
        self.orders += msgspec.convert(orders if isinstance(orders, list) else [orders], list[Fault])

    def forget(self, name: str | None) -> None:
        """Those of that name; None: all."""
        self.orders = [fault for fault in self.orders if name is not None and fault.name != name]

    def open(self, fault: Fault) -> bool:
        """Whether this very order has not been forgotten yet."""
        return any(one is fault for one in self.orders)

    def draw(self, method: str, target: str, tenant: str | None, body: bytes = b"") -> Fault | None:
        for fault in self.orders:
            if fault.matches(method, target, tenant, body):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.met += 1
                if fault.met % fault.every:
                    continue
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
