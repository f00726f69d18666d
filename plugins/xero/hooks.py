"""From Airflow's connections to what the flows take: a Xero client, and the QicWorks database."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import requests
from airflow.providers.common.compat.sdk import BaseHook
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy import Engine

from xero.airflow_connections import NoSuchConnection
from xero.api.auth import OAuth, Token, TokenStore
from xero.api.client import XeroClient
from xero.api.connections import get_connections
from xero.api.errors import ReconnectNeeded, XeroError
from xero.api.limits import Limiter
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.qicworks import database, matches
from xero.qicworks.call_budget import DatabaseLimiter
from xero.qicworks.connections import Connection
from xero.qicworks.tokens import DatabaseTokens


class XeroHook(HttpHook):
    """Xero over HTTP, from an Airflow connection of type ``xero`` (login: client id, password: client secret).

    Unlike a bare HttpHook it sends neither the login and password nor the connection's extras with a request, and has
    one session for all of them. Calls go through `client`, which brings the token, the limits and the retries.
    """

    conn_name_attr = "xero_conn_id"
    default_conn_name = "xero_default"
    conn_type = "xero"
    hook_name = "Xero"

    def __init__(self, xero_conn_id: str = default_conn_name) -> None:
        super().__init__(method="GET", http_conn_id=xero_conn_id)
        self.xero_conn_id = xero_conn_id
        self._app: XeroApp | None = None
        self._session: requests.Session | None = None

    @property
    def app(self) -> XeroApp:
        """What the Airflow connection says. Raises Misconfigured when it cannot be used."""
        if self._app is None:
            self._app = XeroApp.from_connection(airflow_connection(self.xero_conn_id))
            self.base_url = self._app.api_host
            self._base_url_initialized = True
        return self._app

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """The one session. `headers` belong to a single call, not to it; `extra_options` (timeout, …) are for `run`."""
        _ = self.app
        self.merged_extra = {"allow_redirects": False, **(extra_options or {})}
        if self._session is None:
            self._session = new_session()
        return self._session

    def client(self, tenant_id: str | None, tokens: TokenStore, limiter: Limiter, **options: Any) -> XeroClient:
        """The client of one organisation, over this hook's session."""
        return XeroClient(self.app, self.get_conn(), tokens, limiter, tenant_id, log=self.log, **options)

    def test_connection(self) -> tuple[bool, str]:
        """Whether Xero accepts the client id and secret, in words for the *Test* button. Changes nothing at Xero."""
        try:
            if self.app.grant_type == "authorization_code":
                return self._test_by_made_up_token()
            token = OAuth(self.app, self.get_conn()).client_credentials()
            names = [connection.tenant_name for connection in get_connections(self.app, token, self.get_conn())]
            return True, f"{len(names)} organisation{'' if len(names) == 1 else 's'}: {', '.join(names)}"
        except XeroError as error:
            return False, str(error)

    def _test_by_made_up_token(self) -> tuple[bool, str]:
        """Xero looks at the client's credentials first: only with good ones does it complain of the token."""
        made_up = Token("", "made-up-to-test-the-connection", expires_at=datetime.now(UTC), scope="")
        try:
            OAuth(self.app, self.get_conn()).refresh(made_up)
        except ReconnectNeeded:
            return True, "Xero accepts the client id and secret. Organisations are connected by their users' consent."
        return False, "The identity server honoured a made-up token: identity_host is not Xero's."


def airflow_connection(conn_id: str) -> Any:
    """As Airflow has it, secrets backends first. Raises NoSuchConnection."""
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise NoSuchConnection(conn_id) from None


def open_client(connection: Connection, manual: bool, **options: Any) -> XeroClient:
    """The client of one connected organisation. `manual` runs may use the last tenth of the day's calls."""
    hook = XeroHook(connection.airflow_conn_id)
    matches.check(connection, hook.app)
    engine = qicworks_engine()
    tokens = DatabaseTokens(engine, connection.token_id, hook.app, hook.get_conn())
    return hook.client(connection.tenant_id, tokens, DatabaseLimiter(engine, hook.app, manual=manual), **options)


@cache
def qicworks_engine(conn_id: str = "qicworks_default") -> Engine:
    """The QicWorks database of an Airflow connection of type ``postgres``."""
    return database.engine(airflow_connection(conn_id))
