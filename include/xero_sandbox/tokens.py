"""Access tokens, refresh tokens, codes and the connections behind them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from xero_sandbox import problems
from xero_sandbox.clock import Clock
from xero_sandbox.settings import Settings
from xero_sandbox.wire import decode, encode

#: The user that signs in on the authorize page, and the app itself under client_credentials.
USER, APP = "user", "app"

_READABLE = (
    "accounting.contacts accounting.settings accounting.invoices accounting.payments accounting.banktransactions",
    "accounting.manualjournals accounting.attachments payroll.employees payroll.settings payroll.payruns",
    "payroll.payslip payroll.timesheets",
)
_OTHERS = "offline_access openid profile email accounting.budgets.read accounting.journals.read app.connections"

#: The granular scopes; an app registered today gets no broad ones (accounting.transactions).
SCOPES = frozenset(
    (*_OTHERS.split(), *(scope + end for line in _READABLE for scope in line.split() for end in ("", ".read")))
)


@dataclass(slots=True)
class Grant:
    """One consent: who gave it, for what. All its tokens carry its id as authentication_event_id."""

    id: str
    owner: str
    scope: tuple[str, ...]
    revoked: bool = False


@dataclass(slots=True)
class RefreshToken:
    grant: Grant
    issued: float
    used: float | None = None
    children: list[RefreshToken] = field(default_factory=list)


@dataclass(slots=True)
class Code:
    grant: Grant
    redirect_uri: str
    issued: float


@dataclass(slots=True)
class Bearer:
    """What an access token says."""

    owner: str
    grant_id: str
    scope: frozenset[str]


class Tokens:
    """Issues and checks. Access tokens are signed and need no memory: they outlive a restart with the same seed."""

    def __init__(self, seed: int, clock: Clock, client_id: str) -> None:
        self._key = hashlib.sha256(f"xero sandbox {seed}".encode()).digest()
        self._clock, self._client_id = clock, client_id
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.codes: dict[str, Code] = {}
        self.revoked_grants: set[str] = set()

    # -- access tokens

    def _sign(self, claims: dict[str, Any]) -> str:
        head = _base64(encode({"alg": "HS256", "kid": "SANDBOX", "typ": "JWT"}))
        body = f"{head}.{_base64(encode(claims))}"
        return f"{body}.{_base64(hmac.digest(self._key, body.encode(), 'sha256'))}"

    def access_token(self, grant: Grant, seconds: float) -> str:
        now = self._clock.now()
        of_user = {"xero_userid": grant.owner} if grant.owner != APP else {}
        return self._sign(
            {
                "nbf": int(now),
                "exp": now + seconds,
                "iss": "https://identity.xero.com",
                "aud": "https://identity.xero.com/resources",
                "client_id": self._client_id,
                "sub": grant.owner,
                **of_user,
                "jti": uuid4().hex,
                "authentication_event_id": grant.id,
                "scope": list(grant.scope),
            }
        )

    def bearer(self, authorization: str | None) -> Bearer:
        """Reads `Bearer …`. Raises the 401 that fits."""
        scheme, _, token = (authorization or "").partition(" ")
        body, _, signature = token.rpartition(".")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            signature.encode(), _base64(hmac.digest(self._key, body.encode(), "sha256")).encode()
        ):
            raise problems.not_signed_in()
        claims = decode(_unbase64(body.partition(".")[2]))
        if float(claims["exp"]) <= self._clock.now():
            raise problems.token_expired(us_date(float(claims["exp"])))
        if claims["authentication_event_id"] in self.revoked_grants:
            raise problems.not_signed_in()
        return Bearer(claims["sub"], claims["authentication_event_id"], frozenset(claims["scope"]))

    # -- grants

    def answer(self, grant: Grant, settings: Settings, refresh_token: str | None = None) -> dict[str, Any]:
        """The token endpoint's answer."""
        seconds = settings.access_token_seconds
        answer: dict[str, Any] = {
            "access_token": self.access_token(grant, seconds),
            "expires_in": int(seconds) if seconds == int(seconds) else seconds,
            "token_type": "Bearer",
        }
        if "openid" in grant.scope:
            now = self._clock.now()
            answer["id_token"] = self._sign(
                {
                    "iss": "https://identity.xero.com",
                    "aud": self._client_id,
                    "iat": int(now),
                    "exp": int(now) + 300,
                    "sub": grant.owner,
                    "email": "demo@example.com.au",
                }
            )
        if refresh_token:
            answer["refresh_token"] = refresh_token
        answer["scope"] = " ".join(grant.scope)
        return answer

    def new_refresh_token(self, grant: Grant, parent: RefreshToken | None = None) -> str:
        text = secrets.token_urlsafe(32)
        token = RefreshToken(grant, self._clock.now())
        self.refresh_tokens[text] = token
        if parent:
            parent.children.append(token)
        return text

    def rotate(self, text: str, settings: Settings) -> tuple[Grant, str]:
        """Uses a refresh token: its grant and the next token. Raises invalid_grant.

        A used token works again during the grace period, unless a token that it gave has been used since."""
        token, now = self.refresh_tokens.get(text), self._clock.now()
        if (
            token is None
            or token.grant.revoked
            or now - token.issued > settings.refresh_idle_seconds
            or (token.used is not None and now - token.used > settings.refresh_grace_seconds)
            or any(child.used is not None for child in token.children)
        ):
            raise problems.oauth_error("invalid_grant")
        if token.used is None:
            token.used = now
        return token.grant, self.new_refresh_token(token.grant, token)

    def new_code(self, grant: Grant, redirect_uri: str) -> str:
        text = secrets.token_urlsafe(24)
        self.codes[text] = Code(grant, redirect_uri, self._clock.now())
        return text

    def redeem(self, text: str, redirect_uri: str, settings: Settings) -> Grant:
        """Uses a code, once. Raises invalid_grant."""
        code = self.codes.pop(text, None)
        late = code is not None and self._clock.now() - code.issued > settings.code_seconds
        if code is None or late or code.redirect_uri != redirect_uri:
            raise problems.oauth_error("invalid_grant")
        return code.grant

    def revoke(self, text: str) -> Grant | None:
        """Ends the grant of a refresh token, and gives it back; None for an unknown token."""
        token = self.refresh_tokens.get(text)
        if token is None:
            return None
        token.grant.revoked = True
        self.revoked_grants.add(token.grant.id)
        return token.grant

    def revoke_all(self, owner: str) -> int:
        """Ends all grants of an owner; how many there were."""
        grants = {token.grant.id: token.grant for token in self.refresh_tokens.values() if token.grant.owner == owner}
        for grant in grants.values():
            grant.revoked = True
        self.revoked_grants |= grants.keys()
        return len(grants)

    def keep_longer(self, seconds: float) -> None:
        """The clock was put ahead by so much: refresh tokens and codes stay as old as they are."""
        for token in self.refresh_tokens.values():
            token.issued += seconds
            token.used = None if token.used is None else token.used + seconds
        for code in self.codes.values():
            code.issued += seconds


def us_date(seconds: float) -> str:
    """MM/DD/YYYY HH:MM:SS in UTC, as the 401 says it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%m/%d/%Y %H:%M:%S")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
