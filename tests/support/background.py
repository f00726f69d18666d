"""Runs work in a thread while the test looks at it from another database session."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Made = TypeVar("Made")


def in_background(work: Callable[[], Made]) -> "Future[Made]":
    """Starts a daemon thread, so a hanging one cannot block a failed test. `result` re-raises what `work` raised."""
    future: Future[Made] = Future()

    def run() -> None:
        try:
            made = work()
        except BaseException as error:  # noqa: BLE001 - re-raised by `result`
            future.set_exception(error)
        else:
            future.set_result(made)

    threading.Thread(target=run, daemon=True).start()
    return future
