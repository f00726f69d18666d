"""OAuth 2 with Xero's identity server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import urllib3
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.requests_client.oauth2_session import OAuth2ClientAuth
from authlib.oauth2 import OAuth2Client

from xero.api import wire
from xero.api.answers import correlation_id, receive, unpacked
from xero.api.errors import BadAnswer, Misconfigured, ReconnectNeeded, RetryLater, XeroError, cleaned
from xero.api.limits import DEFAULT_WAIT, retry_after
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.api.tokens import FITS_A_HEADER, Token

MARGIN = 60.0  # seconds before it expires that a token is renewed; at most a tenth of its life
USUAL_LIFE = 1800.0  # seconds, if the response does not report it
LONGEST_LIFE = 86_400  # seconds: a cap for wrong values; Xero's tokens last 30 minutes
TIMEOUTS = (10.0, 30.0)  # seconds to connect, to read

_SCOPE = re.compile(r"[\x20-\x7e]{0,4096}")
_FITS = {"access_token": FITS_A_HEADER, "refresh_token": FITS_A_HEADER, "scope": _SCOPE}

_TEXTS = ("access_token", "refresh_token", "scope", "token_type", "error", "error_description")


class _Client(OAuth2Client):  # type: ignore[misc]
    """authlib's client, over whatever requests session it is given."""

    client_auth_class = OAuth2ClientAuth
    oauth_error_class = OAuthError
    SESSION_REQUEST_PARAMS = OAuth2Session.SESSION_REQUEST_PARAMS


class OAuth:
    """Requests tokens from Xero's identity server; authenticates with client_secret_basic."""

    def __init__(
        self,
        app: XeroApp,
        session: requests.Session | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._app = app
        self._clock = clock
        self._client = _Client(
            session or new_session(),
            client_id=app.client_id,
            client_secret=app.client_secret,
            scope=" ".join(app.scopes),
            redirect_uri=app.redirect_uri,
        )
        for moment in ("access_token_response", "refresh_token_response"):
            self._client.register_compliance_hook(moment, self._heard)
        self._correlation_id: str | None = None
        self._endpoint = f"{app.identity_host}/connect/token"
        self._options = {"timeout": TIMEOUTS, "allow_redirects": False, "stream": True}

    def client_credentials(self) -> Token:
        """A token for the app itself (a custom connection); it has no refresh token."""
        return self._ask(
            lambda: self._client.fetch_token(self._endpoint, grant_type="client_credentials", **self._options)
        )

    def exchange(self, code: str) -> Token:
        """Exchanges an authorisation code for tokens. Xero accepts a code once, within five minutes."""
        return self._ask(
            lambda: self._client.fetch_token(
                self._endpoint, grant_type="authorization_code", code=code, **self._options
            ),
            code,
        )

    def refresh(self, token: Token) -> Token:
        """Returns the next tokens. The old refresh token stays valid for 30 minutes, in case this response is lost."""
        if not token.refresh_token:
            raise ReconnectNeeded(
                "The stored authorisation has no refresh token.",
                "Connect to Xero again, with the scope offline_access.",
            )
        refreshed = self._ask(
            # No scope: a refresh can never add one, and Xero refuses one that was not granted.
            lambda: self._client.refresh_token(
                self._endpoint, refresh_token=token.refresh_token, scope=None, **self._options
            ),
            token.refresh_token,
        )
        return Token(
            refreshed.access_token, refreshed.refresh_token, refreshed.expires_at, refreshed.scope or token.scope
        )

    def revoke(self, token: Token) -> None:
        """Revokes the authorisation at Xero. This disconnects every organisation of the user who gave it."""
        answer = self._guarded(
            lambda: self._client.revoke_token(
                f"{self._app.identity_host}/connect/revocation",
                token.refresh_token or token.access_token,
                **self._options,
            )
        )
        answer.close()
        if answer.status_code != 200:
            raise self._unexpected(answer.status_code)

    def authorization_url(self, state: str) -> str:
        """Returns the address where the user consents. `state` comes back with the code and must be compared."""
        if not self._app.redirect_uri:
            raise Misconfigured(
                "The Xero connection has no redirect_uri.",
                "Put the redirect URI of the app at developer.xero.com into the connection's extra, as redirect_uri.",
            )
        url, _ = self._client.create_authorization_url(
            f"{self._app.login_host}/identity/connect/authorize", state=state
        )
        return str(url)

    def _ask(self, call: Callable[[], Any], *secrets: str) -> Token:
        answer = self._guarded(call, *secrets)
        access_token = answer.get("access_token")
        seconds = float(answer.get("expires_in") or USUAL_LIFE)
        if not access_token:
            trouble = BadAnswer(
                "Xero's identity server gave an answer without an access token.",
                "Check identity_host in the Airflow connection; if it is right, try again later.",
            )
            trouble.correlation_id = self._correlation_id
            raise trouble
        return Token(
            access_token=access_token,
            refresh_token=answer.get("refresh_token") or None,
            expires_at=self._clock() + timedelta(seconds=seconds - min(MARGIN, seconds / 10)),
            scope=str(answer.get("scope") or ""),
        )

    def _guarded(self, call: Callable[[], Any], *secrets: str) -> Any:
        """Runs one request. Raises outside the handler, because the cause would contain the request and its secrets."""
        trouble: XeroError
        self._correlation_id = None
        try:
            return call()
        except XeroError as error:
            trouble = error
        except OAuthError as error:
            own = (self._app.client_secret, f"{self._app.client_id}:{self._app.client_secret}")
            description = cleaned(error.description or "", *own, *secrets)
            trouble = self._decision(str(error.error), description)
        except requests.HTTPError as error:
            trouble = self._unexpected(error.response.status_code)
        except (urllib3.exceptions.HTTPError, OSError) as error:  # those of requests are OSErrors
            trouble = RetryLater(
                DEFAULT_WAIT["outage"],
                "outage",
                f"Xero's identity server at {self._app.identity_host} cannot be reached ({type(error).__name__}).",
                "The next run tries again. If it lasts, check identity_host and the network.",
            )
        except ValueError:
            trouble = BadAnswer(
                "Xero's identity server gave an answer that is not JSON.",
                "Check identity_host in the Airflow connection; if it is right, try again later.",
            )
        trouble.correlation_id = self._correlation_id
        raise trouble

    def _heard(self, response: requests.Response) -> requests.Response:
        self._correlation_id = correlation_id(response.headers)
        return _refuse_trouble(response)

    def _decision(self, error: str, description: str) -> XeroError:
        known = re.fullmatch(r"[a-z_]{1,40}", error)  # an OAuth error code, not an echo of the request
        said = ": ".join(words for words in (error if known else "an unknown error", description) if words)
        if error == "invalid_grant":
            return ReconnectNeeded(
                f"Xero no longer accepts this authorisation ({said}).",
                "Connect to Xero again: access was removed there, or the token was used elsewhere or not for 60 days.",
            )
        if error in ("server_error", "temporarily_unavailable"):
            return RetryLater(DEFAULT_WAIT["outage"], "outage", f"Xero's identity server has a problem ({said}).")
        if error == "invalid_scope":
            correction = (
                "Correct scopes in the connection's extra: apps made since March 2026 have only the granular ones."
            )
        else:
            correction = (
                "Compare client id, client secret and redirect URI of the Airflow connection with the app at "
                "developer.xero.com."
            )
        return Misconfigured(f"Xero's identity server refuses this app ({said}).", correction)

    def _unexpected(self, status: int) -> XeroError:
        return Misconfigured(
            f"Xero's identity server at {self._app.identity_host} responded with HTTP {status}, which is not a valid "
            "sign-in response.",
            "Check identity_host in the Airflow connection.",
        )


def _refuse_trouble(answer: requests.Response) -> requests.Response:
    """Raises for a limit, an outage, a redirect, or a page that is not Xero's, before the token is read.

    What remains has the fields of OAuth, with their types."""
    if 300 <= answer.status_code < 400:
        raise requests.HTTPError(response=answer)
    if answer.status_code == 429:
        raise RetryLater(retry_after(answer.headers) or DEFAULT_WAIT["app"], "app")
    if answer.status_code >= 500:
        raise _out_of_order(answer, f"HTTP {answer.status_code}")
    where = "What came from Xero's identity server"
    body = unpacked(receive(answer, where), answer.headers.get("Content-Encoding", ""), where)
    try:
        said = wire.loads(body)
    except ValueError:
        said = None
    if answer.status_code >= 400 and not (isinstance(said, dict) and isinstance(said.get("error"), str)):
        raise _out_of_order(answer, f"HTTP {answer.status_code}, with a page that is not from Xero")
    if not isinstance(said, dict):
        raise ValueError("no JSON object")
    known = {name: said[name] for name in _TEXTS if isinstance(said.get(name), str)}
    if odd := [name for name, fits in _FITS.items() if known.get(name) and not fits.fullmatch(known[name])]:
        raise BadAnswer(
            f"What Xero's identity server gave as {odd[0]} is none: it is too long, or has characters that none has.",
            "Check identity_host in the Airflow connection; if it is right, try again later.",
        )
    if seconds := _life(said.get("expires_in")):
        known["expires_in"] = seconds
    answer._content = json.dumps(known).encode()  # what `json()` reads from here on: requests has no way to say so
    return answer


def _out_of_order(answer: requests.Response, how: str) -> RetryLater:
    return RetryLater(
        retry_after(answer.headers) or DEFAULT_WAIT["outage"],
        "outage",
        f"Xero's identity server is not available ({how}).",
        "The next run tries again. If it lasts, check identity_host in the Airflow connection, and the network.",
    )


def _life(said: Any) -> int | None:
    """Seconds that a token lives, as the server says; None where it says nothing that can be so."""
    try:
        seconds = wire.number(said)
    except ValueError:
        return None
    return min(int(seconds), LONGEST_LIFE) if seconds is not None and seconds >= 1 else None
