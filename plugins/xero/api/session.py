"""The one kind of HTTP session that talks to Xero."""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from xero.api.answers import out_of_bounds
from xero.api.errors import NotSent

Manager = TypeVar("Manager", bound=urllib3.PoolManager)

USER_AGENT = "qicworks-xero"
MAX_SECONDS = 120.0  # for a response, from its first byte to its last
IN_FLIGHT = 10  # connections kept alive per host; Xero allows 5 calls in flight per organisation


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds nothing. Without an auth object, requests would look for credentials in ~/.netrc."""
    return request


class BearerAuth(requests.auth.AuthBase):
    """The Authorization header, put on at the last moment so that no other object holds the token in clear."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token}"
        return request


class _Session(requests.Session):
    """Follows no redirect, and never reads the body of one: requests would unpack it without a limit."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def new_session() -> requests.Session:
    """Returns a session with kept-alive connections, gzip and checked certificates, without cookies or retries."""
    session = _Session()
    session.headers.clear()
    session.headers.update(
        {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
        }
    )
    session.auth = no_auth
    session.cookies.set_policy(_NoCookies())
    adapter = _Adapter(pool_connections=IN_FLIGHT, pool_maxsize=IN_FLIGHT, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class CheckedBody(io.BytesIO):
    """A body that calls `may_send` once more before its first byte is sent, and raises NotSent if that returns False.

    A request without its body has no effect, so this is the last moment to cancel it.
    """

    def __init__(self, body: bytes, may_send: Callable[[], bool]) -> None:
        super().__init__(body)
        self._may_send = may_send

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() == 0 and not self._may_send():
            raise NotSent
        return super().read(size)


class _Timed(io.RawIOBase):
    """Reads one response from a connection. Raises OutOfBounds if it takes longer than MAX_SECONDS.

    A socket's timeout applies to each read: a server that sends a byte every few seconds could block a call forever.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._until = time.monotonic() + MAX_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if time.monotonic() > self._until:
            raise out_of_bounds("What came", f"it was not complete after {MAX_SECONDS:.0f} s")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = io.BufferedReader(_Timed(self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """The usual one, with connections that take the time of a whole answer, also through a proxy."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _timed(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*arguments, **options)
        return _timed(manager)


def _timed(manager: Manager) -> Manager:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return manager


class _NoCookies(DefaultCookiePolicy):
    """Xero's API needs none, and a session shared between organisations must carry none over."""

    def set_ok(self, *_: Any) -> bool:
        return False
