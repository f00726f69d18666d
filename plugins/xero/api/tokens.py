"""The tokens of one authorisation, and where a client gets them from."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

#: What a header can carry; Xero's access tokens have some 1,500 characters.
FITS_A_HEADER = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class Token:
    """One authorisation's tokens. `expires_at` (aware, UTC): when to renew; `scope` is separated by blanks."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    scope: str

    def expired(self, now: datetime | None = None) -> bool:
        """By this process's clock, unless `now` is given. When Xero says 401 before that, Xero is right. What no header
        can carry is as good as expired."""
        return (now or datetime.now(UTC)) >= self.expires_at or not FITS_A_HEADER.fullmatch(self.access_token)

    @property
    def xero_user_id(self) -> str | None:
        """The user who consented, as the access token's claims say; None where it says nothing that can be read.

        The signature is not checked: the token came from Xero over TLS, and only Xero has to verify it.
        """
        _, _, rest = self.access_token.partition(".")
        claims = rest.partition(".")[0]
        try:
            said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        except (ValueError, RecursionError):
            return None
        user_id = said.get("xero_userid") if isinstance(said, dict) else None
        return user_id if isinstance(user_id, str) and user_id else None


class TokenStore(Protocol):
    """Where a client has its token from, shared by all who use the same authorisation."""

    def get(self) -> Token:
        """The stored token, expired or not. Raises ReconnectNeeded when the authorisation is known to be broken."""

    def renew(self, stale: Token | None) -> Token:
        """A token newer than `stale`. Of all who ask at once only one asks Xero; it is stored before it is used."""
