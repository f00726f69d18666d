"""The client of one organisation: sends, obeys the limits, renews the token, tries again. Retries live only here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception

from xero.api import errors, limits
from xero.api.answers import Answer, Reason, bad, correlation_id, read, reason, receive, unchanged
from xero.api.errors import (
    BadAnswer,
    Disconnected,
    NotAvailable,
    NotSent,
    OutOfBounds,
    ReconnectNeeded,
    Refused,
    RetryLater,
    XeroError,
    cleaned,
    without_numbers,
)
from xero.api.limits import DEFAULT_WAIT, ROUNDING, Limiter
from xero.api.session import BearerAuth, CheckedBody
from xero.api.settings import XeroApp
from xero.api.tokens import Token, TokenStore

__all__ = ["Answer", "XeroClient"]

Params = Mapping[str, str | int | bool]

TIMEOUTS = (10.0, 60.0)  # seconds to connect, and between two pieces of the answer
BACKOFF = (1.0, 2.0, 4.0, 8.0)  # seconds before the second, third … attempt after an outage
FIRST_YEAR = 1753  # of any record; since before that is since ever, and no header can say it
OUTAGES = 900.0  # seconds that all calls of a client together may spend waiting for the end of outages
LOG = logging.getLogger("xero.api")


class _Expired(Exception):
    """401, and the token has been renewed since."""


class XeroClient:
    """Calls of one organisation (`tenant_id`), or with None of the authorisation itself (`/connections`).

    `patience`: the seconds one `get` may spend waiting for limits; what takes longer is RetryLater at once. Safe to
    use from several threads. `calls` and `bytes_received` count all that was sent and received, retries included,
    `bytes_unpacked` what was read of it, without gzip. `correlation_id` is the last that Xero answered with.
    """

    def __init__(
        self,
        app: XeroApp,
        session: requests.Session,
        tokens: TokenStore,
        limiter: Limiter,
        tenant_id: str | None,
        *,
        patience: float = 300.0,
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
        self._patience = patience
        self._backoff = backoff
        self._timeouts = timeouts
        self._log = log
        self._sleep = sleep
        self._clock = clock
        self._token: Token | None = None
        self._outages = _Outages(OUTAGES)
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
        again_for: float = 0.0,
        in_doubt: bool = False,
        sending: Callable[[], None] = lambda: None,
        still: Callable[[], bool] = lambda: True,
    ) -> Answer:
        """One PUT or POST under an Idempotency-Key, which Xero remembers for six minutes.

        `sending` is called before each attempt, with the right to send it in hand; `still`, whether it may be sent yet,
        when the connection stands and all is through but the body: False is NotSent. Where no answer comes, the same
        request is sent again for `again_for` seconds at most; after a 5xx, which Xero remembers too, it is not. What is
        raised says by `in_doubt` whether Xero may have saved the request all the same; given, it may have before.
        """
        headers = {"xero-tenant-id": self.tenant_id} if self.tenant_id else {}
        headers |= {"Idempotency-Key": key, "Content-Type": content_type}
        request = requests.Request(method, self.app.url(path), headers=headers, params=dict(params or {}))
        request.data = body
        effort = self._effort()
        effort.write, effort.again_for, effort.in_doubt = True, again_for, in_doubt
        effort.sending, effort.still = sending, still
        try:
            return self._call(request, path, effort)
        except XeroError as error:
            error.in_doubt = effort.in_doubt
            raise

    def delete(self, path: str) -> None:
        """One DELETE. Raises Refused with status 404 where there is nothing to delete."""
        self._call(requests.Request("DELETE", self.app.url(path)), path)

    def _call(self, request: requests.Request, path: str, effort: _Effort | None = None) -> Answer:
        effort = effort or self._effort()
        retrying = Retrying(
            retry=retry_if_exception(effort.worth_another_try),
            wait=lambda _: effort.pause,
            before_sleep=self._tell,
            sleep=self._sleep,
        )
        try:
            return retrying(self._try, request, path, effort)
        except XeroError as error:
            error.correlation_id = error.correlation_id or effort.correlation_id
            raise

    def _effort(self) -> _Effort:
        return _Effort(self._patience, self._backoff, self._clock, self._outages)

    def _try(self, request: requests.Request, path: str, effort: _Effort) -> Answer:
        effort.told = effort.correlation_id = None
        token = self._current_token()
        with self._limiter.permit(self.tenant_id, patience=effort.patience_left()) as permit:
            effort.sending()
            response, body = self._send(request, token, effort.still)
            headers = response.headers
            self.correlation_id = effort.correlation_id = correlation_id(headers)
            problem = pause = None
            if response.status_code == 429:
                pause = limits.retry_after(headers)
                problem = limits.problem(headers, pause)
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
        raise self._decision(response, why, path, token, effort)

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
        self, request: requests.Request, token: Token, still: Callable[[], bool]
    ) -> tuple[requests.Response, bytes]:
        """Sends once and reads the whole answer. Raises RetryLater(outage) where no answer came."""
        trouble: str
        try:
            signed = requests.Request(
                request.method,
                request.url,
                request.headers,
                params=request.params,
                data=CheckedBody(request.data, still) if request.data else None,
                auth=BearerAuth(token.access_token),
            )
            prepared = self._session.prepare_request(signed)
            settings = self._session.merge_environment_settings(prepared.url, {}, True, None, None)
            if not request.data and not still():
                raise NotSent
            with self._counting:
                self.calls += 1
            with self._session.send(prepared, timeout=self._timeouts, allow_redirects=False, **settings) as response:
                body = receive(response, f"What came from {self.app.api_host}")
            with self._counting:
                self.bytes_received += len(body)
            return response, body
        except (urllib3.exceptions.HTTPError, OSError) as error:  # those of requests are OSErrors
            trouble = type(error).__name__
        # Outside the handler: the exceptions of requests carry the request, and with it the token.
        raise _outage(f"no answer came from {self.app.api_host} ({trouble})")

    def _decision(
        self, response: requests.Response, why: Reason, path: str, token: Token, effort: _Effort
    ) -> Exception:
        """The decision that an answer other than success or 429 means, as the exception to raise."""
        status = response.status_code
        payroll = path.startswith("/payroll.xro/")
        said = without_numbers(why.said) if payroll else why.said
        detail = cleaned(errors.field(said, "Detail") or "", token.access_token)
        unauthorised = "AuthorizationUnsuccessful" in detail
        if status >= 500 and status != 501:  # 501: Xero does not do that, and will not do it later
            effort.told = limits.retry_after(response.headers)
            failed = _outage(f"HTTP {status}" + (f", {detail}" if detail else ""), effort.told)
            failed.server_failed = True
            return failed
        if 400 <= status < 500 and not why.own and status != 413:  # 413: whoever says so, it is too large
            effort.told = limits.retry_after(response.headers)
            return _outage(f"HTTP {status}, with a page that is not Xero's", effort.told)
        if status == 401 and not unauthorised and not effort.renewed:
            effort.renewed = True
            self._token = self._tokens.renew(token)
            return _Expired()
        if status == 403 and "AuthenticationUnsuccessful" in detail:
            return Disconnected(
                "This organisation has disconnected the app in Xero.",
                "Ask the organisation to connect again, or switch its connection off here; the others go on.",
            )
        if status in (401, 403) and (unauthorised or payroll):
            return NotAvailable(
                f"Xero does not give this app {path} (HTTP {status}{', ' + detail if detail else ''}).",
                _missing(self.app.scope_of(path) if unauthorised else None, payroll),
            )
        if status == 401:
            return ReconnectNeeded(
                f"Xero refuses a token it has only just issued (HTTP 401{', ' + detail if detail else ''}).",
                "Connect to Xero again. If that does not help, compare this machine's clock with the time.",
            )
        if 300 <= status < 400:
            return bad(path, f"it points elsewhere (HTTP {status})")
        return Refused(status, said, token.access_token)

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Expired):
            self._log.info("Xero says that the token has expired: it has been renewed, going on")
        elif state.next_action:
            what = error.message if isinstance(error, XeroError) else "trouble"
            self._log.warning("%s Trying again in %.1f s", what, state.next_action.sleep)


@dataclass(slots=True)
class _Outages:
    """What a client's calls may still wait for the end of outages: a server that sends each of them away is none."""

    left: float


@dataclass(slots=True)
class _Effort:
    """What has gone into one call so far, and whether another try makes sense."""

    patience: float
    backoff: Sequence[float]
    clock: Callable[[], float]
    of_all: _Outages
    renewed: bool = False
    outages: int = 0
    correlation_id: str | None = None  # of the last attempt, if it was answered
    told: float | None = None  # Retry-After of the last outage
    write: bool = False
    again_for: float = 0.0  # of a write: seconds for which it may be sent again
    sending: Callable[[], None] = lambda: None
    still: Callable[[], bool] = lambda: True
    in_doubt: bool = False  # of a write: Xero may have saved it
    pause: float = field(init=False)  # seconds before the next try
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def patience_left(self) -> float:
        patience = min(self.patience, self.again_for) if self.in_doubt else self.patience
        return max(0.0, patience - (self.clock() - self.started))

    def worth_another_try(self, error: BaseException) -> bool:
        """Also decides how long to pause before it."""
        self.pause = 0.0
        if isinstance(error, _Expired):
            return True
        if isinstance(error, NotSent):
            return False
        if isinstance(error, OutOfBounds):
            self.in_doubt = self.in_doubt or self.write
            return False
        if isinstance(error, BadAnswer) or (isinstance(error, RetryLater) and error.limit == "outage"):
            self.in_doubt = self.in_doubt or self.write
            if self.write and error.server_failed:
                return False
            if self.outages >= len(self.backoff):
                return False
            self.pause = max(self.backoff[self.outages], self.told or 0.0)
            if self.pause > min(self.patience_left(), self.of_all.left):
                return False
            self.outages += 1
            self.of_all.left -= self.pause
            return True
        if not isinstance(error, RetryLater):
            return False
        self.pause = error.seconds
        return error.seconds <= self.patience_left()


def _missing(scope: str | None, payroll: bool) -> str:
    """What to do about what Xero does not give."""
    steps = []
    if scope:
        steps.append(f"Add the scope {scope} to the Airflow connection if it is missing there, and connect again.")
    if payroll:
        steps.append("It needs a payroll subscription, and a payroll administrator as the user who connects.")
    return " ".join(steps)


def _outage(what: str, told: float | None = None) -> RetryLater:
    return RetryLater(
        told or DEFAULT_WAIT["outage"],
        "outage",
        f"Xero is out of order: {what}.",
        "A later run goes on where this one stopped. If it lasts, see status.xero.com, and the network here.",
    )
