"""The one kind of HTTP session that talks to Xero."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

USER_AGENT = "qicworks-xero"
IN_FLIGHT = 10  # connections kept alive per host: Xero lets 5 calls of an organisation be in flight


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds nothing. With no auth at all requests would look for credentials in ~/.netrc."""
    return request


class BearerAuth(requests.auth.AuthBase):
    """The Authorization header, put on at the last moment so that no other object holds the token in clear."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token}"
        return request


def new_session() -> requests.Session:
    """A session with kept-alive connections, gzip, certificates checked, no cookies, and no retries of its own."""
    session = requests.Session()
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
    adapter = HTTPAdapter(pool_connections=IN_FLIGHT, pool_maxsize=IN_FLIGHT, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _NoCookies(DefaultCookiePolicy):
    """Xero's API needs none, and a session shared between organisations must carry none over."""

    def set_ok(self, *_: Any) -> bool:
        return False
