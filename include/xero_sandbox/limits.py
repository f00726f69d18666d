"""Xero's limits: calls per window and organisation, per window and app, per day, and in flight at once."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable

from xero_sandbox.problems import too_many
from xero_sandbox.settings import Settings

APP = "app"


class Window:
    """Calls in the current window. Fixed: one after another from the first call. Sliding: the last `seconds`."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._start = -math.inf

    def count(self, now: float, seconds: float, sliding: bool) -> int:
        if not sliding and now >= self._start + seconds:
            self._start = now if self._start == -math.inf else now - (now - self._start) % seconds
        after = now - seconds if sliding else self._start
        while self._times and (self._times[0] <= after if sliding else self._times[0] < after):
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> None:
        self._times.append(now)

    def wait(self, now: float, seconds: float, sliding: bool) -> float:
        """Seconds until there is room again."""
        start = self._times[0] if sliding and self._times else self._start
        return max(0.0, start + seconds - now)


class Limits:
    """Admits a call or refuses it with 429. Refused calls count for nothing. Times are monotonic seconds."""

    def __init__(self, settings: Callable[[], Settings], clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._minutes: dict[str, Window] = defaultdict(Window)
        self._days: dict[str, Window] = defaultdict(Window)
        self._spent: dict[str, int] = defaultdict(int)  # of the day, beyond the calls seen
        self.in_flight: dict[str, int] = defaultdict(int)
        self.max_in_flight: dict[str, int] = defaultdict(int)
        self.refused: dict[str, int] = defaultdict(int)

    def admit(self, tenant: str) -> None:
        """Counts the call in, or raises the 429. `leave` must follow an admitted call."""
        settings, now = self._settings(), self._clock()
        sliding = settings.window == "sliding"
        if settings.limits:
            if self.in_flight[tenant] >= settings.concurrent_limit:
                self._refuse("concurrent", None)
            if self._day_left(tenant, now) <= 0:
                self._refuse("day", self._days[tenant].wait(now, settings.day_seconds, False))
            for window, limit, problem in (
                (self._minutes[tenant], settings.minute_limit, "minute"),
                (self._minutes[APP], settings.app_limit, "appminute"),
            ):
                if window.count(now, settings.minute_seconds, sliding) >= limit:
                    self._refuse(problem, window.wait(now, settings.minute_seconds, sliding))
        self._minutes[tenant].add(now)
        self._minutes[APP].add(now)
        self._days[tenant].add(now)
        self.in_flight[tenant] += 1
        self.max_in_flight[tenant] = max(self.max_in_flight[tenant], self.in_flight[tenant])

    def leave(self, tenant: str) -> None:
        self.in_flight[tenant] -= 1

    def _refuse(self, problem: str, retry_after: float | None) -> None:
        self.refused[problem] += 1
        raise too_many(problem, retry_after)

    def _day_left(self, tenant: str, now: float) -> int:
        settings = self._settings()
        used = self._days[tenant].count(now, settings.day_seconds, False) + self._spent[tenant]
        return max(0, settings.day_limit - used)

    def set_day_remaining(self, tenant: str, remaining: int) -> None:
        """As if the organisation had only this many calls left today."""
        now, settings = self._clock(), self._settings()
        seen = self._days[tenant].count(now, settings.day_seconds, False)
        self._spent[tenant] = settings.day_limit - remaining - seen

    def headers(self, tenant: str) -> dict[str, str]:
        """The calls left, as the headers of every response show them."""
        settings, now = self._settings(), self._clock()
        sliding = settings.window == "sliding"

        def left(key: str, limit: int) -> str:
            return str(max(0, limit - self._minutes[key].count(now, settings.minute_seconds, sliding)))

        return {
            "X-DayLimit-Remaining": str(self._day_left(tenant, now)),
            "X-MinLimit-Remaining": left(tenant, settings.minute_limit),
            "X-AppMinLimit-Remaining": left(APP, settings.app_limit),
        }
