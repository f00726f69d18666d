"""Xero's limits, shared by all processes and machines that use one QicWorks database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine

from xero.api.errors import Limit, RetryLater
from xero.api.limits import DEFAULT_WAIT, ROUNDING, Permit, day_remaining
from xero.api.settings import XeroApp
from xero.qicworks import database, sql

QUERIES = sql.Statements("call_budget")
LOG = logging.getLogger("xero.limits")
MIN_LOGGED_WAIT_SECONDS = 5.0
CROWDED_WAIT_SECONDS = 60.0  # after no slot in flight was free for as long as the call may wait


class DatabaseLimiter:
    """The Limiter over ``xero_sync.call_budget``: an organisation's minute, day and calls in flight; the app's minute.

    `manual` runs may use the last tenth of an organisation's day; others leave it to them, and check once an hour
    whether a new day has begun. Only the database's clock counts. A permit holds one connection while its call is in
    flight: the thread's own session if it has one, else a pooled one. The session's lock is the slot, and ends with
    the process, however that ends. Needs session locks: see `poolers`.
    """

    def __init__(
        self,
        engine: Engine,
        app: XeroApp,
        *,
        manual: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._app = app
        self._manual = manual
        self._sleep = sleep
        self._clock = clock

    @contextmanager
    def permit(self, tenant_id: str | None, *, max_wait: float) -> Iterator[Permit]:
        """Waits until one call may be sent. Raises RetryLater if that takes more than `max_wait` seconds."""
        tenant = tenant_id or "none"
        with self._connection() as (raw, guarded):
            with guarded():
                slot, entry, stamp = self._granted(raw, tenant, max_wait)
            call = _Call()
            try:
                yield call
            finally:
                with guarded():
                    QUERIES.settle_call(
                        raw, app=self._app.client_id, tenant=tenant, slot=slot, entry=entry, stamp=stamp,
                        day_remaining=call.day_remaining, day_limit=self._app.day_limit,
                        problem=call.problem, pause=call.pause,
                    )  # fmt: skip

    @contextmanager
    def _connection(self) -> Iterator[tuple[Any, Callable[[], AbstractContextManager[None]]]]:
        """A raw connection, and the context manager for each statement on it."""
        if own := database.own(self._engine):  # it is never pooled
            yield own, nullcontext
            return
        with self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection.connection.driver_connection, partial(_lock_never_pooled, connection)

    def _granted(self, raw: Any, tenant: str, max_wait: float) -> tuple[int, int, Any]:
        deadline = self._clock() + max_wait
        while True:
            granted = QUERIES.grant_call(
                raw, app=self._app.client_id, tenant=tenant, minute_limit=self._app.minute_limit,
                seconds=self._app.minute_seconds, concurrent_limit=self._app.concurrent_limit,
                app_limit=self._app.app_limit, manual=self._manual,
            )  # fmt: skip
            slot, entry, stamp, wait, closed, put_back = granted.values() if isinstance(granted, dict) else granted
            if put_back:
                LOG.warning("the database's clock was put back %.0f s or more: earlier calls move with it", put_back)
            if slot is not None:
                return slot, entry, stamp
            if wait > deadline - self._clock():
                raise RetryLater(CROWDED_WAIT_SECONDS if closed == "concurrent" else wait, closed)
            if wait >= MIN_LOGGED_WAIT_SECONDS:
                LOG.info("Xero's limit (%s) is used up: waiting %.0f s", closed, wait)
            self._sleep(wait)


@contextmanager
def _lock_never_pooled(connection: Connection) -> Iterator[None]:
    """Closes the connection when a statement fails or is interrupted: it may hold a slot."""
    try:
        yield
    except RetryLater:
        raise
    except BaseException:
        connection.invalidate()
        raise


class _Call:
    """What the response to one call reported about the limits; stored when the call has ended."""

    def __init__(self) -> None:
        self.day_remaining: int | None = None
        self.problem: Limit | None = None
        self.pause: float | None = None

    def settle(self, headers: Mapping[str, str], retry_after: float | None, problem: Limit | None) -> None:
        self.day_remaining = day_remaining(headers)
        self.problem = problem
        if problem:
            self.pause = (DEFAULT_WAIT[problem] if retry_after is None else retry_after) + ROUNDING
