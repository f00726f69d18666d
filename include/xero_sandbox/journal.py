"""Every call that was seen, and what can be counted from them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict, deque
from typing import Any

import msgspec


class Entry(msgspec.Struct):
    """A call. `time` is the sandbox's, `arrived` and `ended` are monotonic seconds."""

    time: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    tenant: str | None
    arrived: float
    in_flight: int = 0
    admitted: bool = False
    fault: str | None = None
    grant: str | None = None
    replayed: bool = False  # answered with what was kept under its Idempotency-Key
    sha256: str = ""  # of the body, "" when there is none
    status: int = 0
    bytes: int = 0
    correlation_id: str = ""  # of the answer
    ended: float = 0.0


def safe_headers(headers: dict[str, str]) -> dict[str, str]:
    """The headers as they came, but the Authorization as its scheme and a hash."""
    headers = dict(headers)
    if "authorization" in headers:
        scheme, _, secret = headers["authorization"].partition(" ")
        headers["authorization"] = f"{scheme} {hashlib.sha256(secret.encode()).hexdigest()[:16]}"
    return headers


class Journal:
    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=100_000)

    def stats(self, window_seconds: float) -> dict[str, Any]:
        """Counts over all entries; `max_in_window` is the most calls admitted in any `window_seconds`."""
        arrivals: dict[str, list[float]] = defaultdict(list)
        grants: Counter[str] = Counter()
        for entry in self.entries:
            if entry.admitted and entry.tenant:
                arrivals[entry.tenant].append(entry.arrived)
            if entry.grant and entry.status == 200:
                grants[entry.grant] += 1
        return {
            "calls": len(self.entries),
            "bytes": sum(entry.bytes for entry in self.entries),
            "by_status": dict(Counter(str(entry.status) for entry in self.entries)),
            "by_path": dict(Counter(entry.path for entry in self.entries)),
            "by_tenant": dict(Counter(entry.tenant for entry in self.entries if entry.tenant)),
            "grants": dict(grants),
            "refreshes": grants["refresh_token"],
            "max_in_window": {tenant: most_within(times, window_seconds) for tenant, times in arrivals.items()},
        }


def most_within(times: list[float], seconds: float) -> int:
    """The most of these moments in any stretch of that length."""
    times = sorted(times)
    most = start = 0
    for end, moment in enumerate(times):
        while times[start] <= moment - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most
