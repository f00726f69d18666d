"""Clocks for one process, in place of `time.monotonic`, `time.sleep` and `datetime.now`."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from types import ModuleType
from typing import Any

import pytest


class Clock:
    """Moves only while somebody sleeps by it, and when the test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


def stop(monkeypatch: pytest.MonkeyPatch, module: ModuleType, now: Callable[[], datetime]) -> None:
    """What that module takes for `datetime.now` is this."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return now().astimezone(tz)

    monkeypatch.setattr(module, "datetime", Stopped)
