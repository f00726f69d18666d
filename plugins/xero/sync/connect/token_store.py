"""Where every client gets its token from: the database, which all processes share, and Xero's identity server."""

from __future__ import annotations

from uuid import UUID

import requests
from sqlalchemy import Engine

from xero.api.auth import OAuth
from xero.api.settings import XeroApp
from xero.api.tokens import Token
from xero.qicworks.connect.tokens import StoredTokens


class DatabaseTokens:
    """The tokens of one authorisation, as a `TokenStore`.

    `get` and `renew` raise what `StoredTokens` raises, and what `OAuth` raises where Xero has to be asked.
    """

    def __init__(
        self, engine: Engine, token_id: UUID | str, app: XeroApp, session: requests.Session | None = None
    ) -> None:
        self._stored = StoredTokens(engine, token_id, app)
        self._app = app
        self._oauth = OAuth(app, session)

    def get(self) -> Token:
        """The stored token, expired or not; a custom connection without one asks Xero for it."""
        return self._stored.read() or self.renew(None)

    def renew(self, stale: Token | None) -> Token:
        """The token after `stale` (None: any that is still good)."""
        return self._stored.renew(stale, self._ask)

    def _ask(self, current: Token | None) -> Token:
        if self._app.grant_type == "client_credentials":
            return self._oauth.client_credentials()
        assert current is not None  # StoredTokens raises where an authorisation of a user cannot be read
        return self._oauth.refresh(current)
