"""The client of one organisation: sends, obeys the limits, renews the token, retries. No other module retries."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception

from xero.api import limits
from xero.api.answers import Answer, Reason, correlation_id, read, reason, receive, unchanged
from xero.api.attempts import Attempts, Expired, OutageBudget
from xero.api.decisions import decide, outage
from xero.api.errors import (
    NotSent,
    RetryLater,
    XeroError,
)
from xero.api.limits import DEFAULT_WAIT, ROUNDING, Limiter
from xero.api.session import BearerAuth, CheckedBody
from xero.api.settings import XeroApp
from xero.api.tokens import Token, TokenStore

__all__ = ["Answer", "XeroClient"]

Params = Mapping[str, str | int | bool]

TIMEOUTS = (10.0, 60.0)  # seconds to connect, and between two parts of the response
BACKOFF = (1.0, 2.0, 4.0, 8.0)  # seconds before the second, third … attempt after an outage
FIRST_YEAR = 1753  # earlier dates mean "everything", and do not fit the header
OUTAGES = 900.0  # seconds that all calls of one client together may wait for outages to end
LOG = logging.getLogger("xero.api")


class XeroClient:
    """Calls of one organisation (`tenant_id`), or with None of the authorisation itself (`/connections`).

    `max_wait`: seconds that one call may spend waiting for limits and outages; a longer wait raises RetryLater
    immediately. Safe to use from several threads. `calls` and `bytes_received` count everything sent and received,
    retries included; `bytes_unpacked` counts response bodies after gzip. `correlation_id` is from the last response.
    """

    def __init__(
        self,
        app: XeroApp,
        session: requests.Session,
        tokens: TokenStore,
        limiter: Limiter,
        tenant_id: str | None,
        *,
        max_wait: float = 300.0,
        backoff: Sequence[float] = BACKOFF,
        timeouts: tuple[float, float] = TIMEOUTS,
        log: logging.Logger = LOG,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.tenant_id = tenant_id
        self.calls = 0
        self.bytes_received = 0
        self.bytes_unpacked = 0
        self.correlation_id: str | None = None
        self._session = session
        self._tokens = tokens
        self._limiter = limiter
        self._max_wait = max_wait
        self._backoff = backoff
        self._timeouts = timeouts
        self._log = log
        self._sleep = sleep
        self._clock = clock
        self._token: Token | None = None
        self._outages = OutageBudget(OUTAGES)
        self._counting = threading.Lock()

    def get(self, path: str, *, params: Params | None = None, modified_since: datetime | None = None) -> Answer:
        """One GET of a path such as ``/api.xro/2.0/Contacts``; booleans in `params` become true and false.

        `modified_since` must be aware; Xero compares to the second. Raises one of the exceptions in `xero.api.errors`.
        """
        headers = {"xero-tenant-id": self.tenant_id} if self.tenant_id else {}
        if modified_since is not None and modified_since.tzinfo is None:
            raise ValueError("modified_since must be aware")
        if modified_since is not None and modified_since.year >= FIRST_YEAR:
            headers["If-Modified-Since"] = modified_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        query = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in (params or {}).items()
        }
        return self._call(requests.Request("GET", self.app.url(path), headers=headers, params=query), path)

    def write(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        key: str,
        params: Params | None = None,
        content_type: str = "application/json",
        replay_window: float = 0.0,
        outcome_unknown: bool = False,
        on_send: Callable[[], None] = lambda: None,
        may_send: Callable[[], bool] = lambda: True,
    ) -> Answer:
        """One PUT or POST under an Idempotency-Key, which Xero remembers for six minutes.

        Args:
            key: The Idempotency-Key.
            replay_window: Seconds for which the same request may be sent again when no response came. It is never sent
                again after a 5xx, because Xero stores that response under the key.
            outcome_unknown: An earlier attempt may have arrived.
            on_send: Called before each attempt, after the permit was granted.
            may_send: Called after connecting, before the body is sent. False cancels the request.

        Raises:
            NotSent: `may_send` returned False.
            XeroError: `outcome_unknown` is True if Xero may have saved the request.
        """
        headers = {"xero-tenant-id": self.tenant_id} if self.tenant_id else {}
        headers |= {"Idempotency-Key": key, "Content-Type": content_type}
        request = requests.Request(method, self.app.url(path), headers=headers, params=dict(params or {}))
        request.data = body
        attempts = self._attempts()
        attempts.write, attempts.replay_window, attempts.outcome_unknown = True, replay_window, outcome_unknown
        attempts.on_send, attempts.may_send = on_send, may_send
        try:
            return self._call(request, path, attempts)
        except XeroError as error:
            error.outcome_unknown = attempts.outcome_unknown
            raise

    def delete(self, path: str) -> None:
        """One DELETE. Raises Refused with status 404 if there is nothing to delete."""
        self._call(requests.Request("DELETE", self.app.url(path)), path)

    def _call(self, request: requests.Request, path: str, attempts: Attempts | None = None) -> Answer:
        attempts = attempts or self._attempts()
        retrying = Retrying(
            retry=retry_if_exception(attempts.worth_another_try),
            wait=lambda _: attempts.pause,
            before_sleep=self._log_retry,
            sleep=self._sleep,
        )
        try:
            return retrying(self._try, request, path, attempts)
        except XeroError as error:
            error.correlation_id = error.correlation_id or attempts.correlation_id
            raise

    def _attempts(self) -> Attempts:
        return Attempts(self._max_wait, self._backoff, self._clock, self._outages)

    def _try(self, request: requests.Request, path: str, attempts: Attempts) -> Answer:
        attempts.retry_after = attempts.correlation_id = None
        token = self._current_token()
        with self._limiter.permit(self.tenant_id, max_wait=attempts.wait_left()) as permit:
            attempts.on_send()
            response, body = self._send(request, token, attempts.may_send)
            headers = response.headers
            self.correlation_id = attempts.correlation_id = correlation_id(headers)
            problem = pause = None
            if response.status_code == 429:
                pause = limits.retry_after(headers)
                problem = limits.limit_of(headers, pause)
                pause = limits.bounded(pause, problem)
            permit.settle(headers, pause, problem)
        if response.status_code in (200, 204):
            answer = read(response, body, path)
            self._count_unpacked(answer)
            return answer
        if response.status_code == 304 and "If-Modified-Since" in request.headers:
            return unchanged(response, body)
        if problem:
            wait = DEFAULT_WAIT[problem] if pause is None else pause
            raise RetryLater(wait + ROUNDING, problem)
        why = reason(response, body, path)
        self._count_unpacked(why)
        retry_after = limits.retry_after(headers)
        decision = decide(
            response.status_code, why, path, self.app, token, renewed=attempts.renewed, retry_after=retry_after
        )
        if isinstance(decision, Expired):
            attempts.renewed = True
            self._token = self._tokens.renew(token)
        elif isinstance(decision, RetryLater):
            attempts.retry_after = retry_after
        raise decision

    def _count_unpacked(self, read: Answer | Reason) -> None:
        with self._counting:
            self.bytes_unpacked += read.bytes_unpacked

    def _current_token(self) -> Token:
        token = self._token or self._tokens.get()
        if token.expired():
            token = self._tokens.renew(token)
        self._token = token
        return token

    def _send(
        self, request: requests.Request, token: Token, may_send: Callable[[], bool]
    ) -> tuple[requests.Response, bytes]:
        """Sends once and reads the full response. Raises RetryLater (outage) if no response came."""
        error_name: str
        try:
            signed = requests.Request(
                request.method,
                request.url,
                request.headers,
                params=request.params,
                data=CheckedBody(request.data, may_send) if request.data else None,
                auth=BearerAuth(token.access_token),
            )
            prepared = self._session.prepare_request(signed)
            settings = self._session.merge_environment_settings(prepared.url, {}, True, None, None)
            if not request.data and not may_send():
                raise NotSent
            with self._counting:
                self.calls += 1
            with self._session.send(prepared, timeout=self._timeouts, allow_redirects=False, **settings) as response:
                body = receive(response, f"What came from {self.app.api_host}")
            with self._counting:
                self.bytes_received += len(body)
            return response, body
        except (urllib3.exceptions.HTTPError, OSError) as error:  # those of requests are OSErrors
            error_name = type(error).__name__
        # Outside the handler: the exceptions of requests carry the request, and with it the token.
        raise outage(f"no answer came from {self.app.api_host} ({error_name})")

    def _log_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Expired):
            self._log.info("Xero reports an expired token: it was renewed, and the call is repeated")
        elif state.next_action:
            what = error.message if isinstance(error, XeroError) else "An unexpected error."
            self._log.warning("%s Next attempt in %.1f s.", what, state.next_action.sleep)
