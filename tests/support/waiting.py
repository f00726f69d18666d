"""Waiting for a state, never for a time."""

import time
from collections.abc import Callable


def until(met: Callable[[], bool], patience: float = 60.0) -> None:
    """Returns as soon as `met` is true; an AssertionError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not met():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.02)
