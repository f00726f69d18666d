"""The tokens of one authorisation, and where a client gets them from."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

#: A token that fits into a header; Xero's access tokens have about 1,500 characters.
FITS_A_HEADER = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class Token:
    """One authorisation's tokens. `expires_at` (aware, UTC): when to renew; `scope` is separated by blanks."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    scope: str

    def expired(self, now: datetime | None = None) -> bool:
        """Whether it has to be renewed, by this process's clock unless `now` is given, or cannot be sent in a header.

        A 401 of Xero's overrules this."""
        return (now or datetime.now(UTC)) >= self.expires_at or not FITS_A_HEADER.fullmatch(self.access_token)

    @property
    def xero_user_id(self) -> str | None:
        """Returns the user who consented, from the claims of the access token; None if there are no readable ones.

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
    """Where a client gets its token; shared by all processes that use the same authorisation."""

    def get(self) -> Token:
        """Returns the stored token, expired or not. Raises ReconnectNeeded if the authorisation is broken."""

    def renew(self, stale: Token | None) -> Token:
        """Returns a newer token than `stale`. Of several callers only one asks Xero; the token is stored before use."""
