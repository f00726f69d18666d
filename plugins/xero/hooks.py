"""XeroHook; and the Xero client and QicWorks database of Airflow's connections, for the flows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import requests
from airflow.providers.common.compat.sdk import BaseHook
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk.exceptions import AirflowNotFoundException
from requests.adapters import BaseAdapter
from sqlalchemy import Engine

from xero import composition
from xero.api.auth import OAuth
from xero.api.client import XeroClient
from xero.api.connections import get_connections
from xero.api.errors import ReconnectNeeded, XeroError
from xero.api.limits import Limiter
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.api.tokens import Token, TokenStore
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.sync.runs.participants import select_connections

SINCE = "If-Modified-Since"


class XeroHook(HttpHook):
    """Xero over HTTP, from an Airflow connection of type ``xero`` (login: client id, password: client secret).

    `run` and the session of `get_conn` read from one connected organisation, through this project's client: with its
    token, its retries, and the call limits that all processes share. They raise the errors of `xero.api.errors`.
    Neither the login and password nor the connection's extras are sent with a request.

        XeroHook(organisation="Harbour & Sons Plumbing").run("api.xro/2.0/Contacts", {"page": 1}).json()

    Args:
        xero_conn_id: The Airflow connection.
        organisation: Its name in QicWorks or in Xero, or the connection's id; not needed if only one is connected.
    """

    conn_name_attr = "xero_conn_id"
    default_conn_name = "xero_default"
    conn_type = "xero"
    hook_name = "Xero"

    def __init__(self, xero_conn_id: str = default_conn_name, organisation: str | None = None) -> None:
        super().__init__(method="GET", http_conn_id=xero_conn_id)
        self.xero_conn_id = xero_conn_id
        self.organisation = organisation
        self._app: XeroApp | None = None
        self._session: requests.Session | None = None
        self._client: XeroClient | None = None

    @property
    def app(self) -> XeroApp:
        """The Xero app of the Airflow connection. Raises Misconfigured if it cannot be used."""
        if self._app is None:
            self._app = XeroApp.from_connection(airflow_connection(self.xero_conn_id))
            self.base_url = self._app.api_host
            self._base_url_initialized = True
        return self._app

    @property
    def session(self) -> requests.Session:
        """The HTTP session of all calls; it holds no token."""
        if self._session is None:
            self._session = new_session()
        return self._session

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """Returns a session that reads from the organisation, and reaches no other host. Ignores `headers`."""
        self.merged_extra = {"allow_redirects": False, **(extra_options or {})}
        session = new_session()
        session.adapters.clear()
        session.mount(f"{self.app.api_host}/", _ClientAdapter(self.app, self._client_of_the_organisation))
        return session

    def _client_of_the_organisation(self) -> XeroClient:
        """Raises LookupError if it is not clear which organisation is meant."""
        if self._client is None:
            engine = qicworks_engine()
            taking_part, left_out = select_connections(engine, None, self.organisation)
            with database.session(engine) as session:
                found = [connections.one(session, UUID(one["connection_id"])) for one in taking_part]
            mine = [one for one in found if one.airflow_conn_id == self.xero_conn_id]
            if len(mine) != 1:
                names = ", ".join(f"'{one.organisation}'" for one in mine) or "none"
                raise LookupError(
                    f"XeroHook reads from one organisation, and connected by {self.xero_conn_id} here are: {names}. "
                    + " ".join(["Say which: XeroHook(organisation=…).", *map(str, left_out)])
                )
            self._client = open_client(mine[0], manual=False)
        return self._client

    def client(self, tenant_id: str | None, tokens: TokenStore, limiter: Limiter, **options: Any) -> XeroClient:
        """The client of one organisation, over this hook's session."""
        return XeroClient(self.app, self.session, tokens, limiter, tenant_id, log=self.log, **options)

    def test_connection(self) -> tuple[bool, str]:
        """For the *Test* button: whether Xero accepts the client id and secret, and a sentence. Changes nothing."""
        try:
            if self.app.grant_type == "authorization_code":
                return self._test_by_made_up_token()
            token = OAuth(self.app, self.session).client_credentials()
            names = [connection.tenant_name for connection in get_connections(self.app, token, self.session)]
            return True, f"{len(names)} organisation{'' if len(names) == 1 else 's'}: {', '.join(names)}"
        except XeroError as error:
            return False, str(error)

    def _test_by_made_up_token(self) -> tuple[bool, str]:
        """Xero checks the client's credentials first: only if they are valid does it reject the token."""
        made_up = Token("", "made-up-to-test-the-connection", expires_at=datetime.now(UTC), scope="")
        try:
            OAuth(self.app, self.session).refresh(made_up)
        except ReconnectNeeded:
            return True, "Xero accepts the client id and secret. Next: connect organisations under Xero › Connections."
        return False, "The identity server honoured a made-up token: identity_host is not Xero's."


def airflow_connection(conn_id: str) -> Any:
    """Returns Airflow's connection; secrets backends come first. Raises NoSuchConnection."""
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise composition.NoSuchConnection(conn_id) from None


class _ClientAdapter(BaseAdapter):
    """Sends the requests of a session through a client of this project. Reads only: a push writes."""

    def __init__(self, app: XeroApp, client: Callable[[], XeroClient]) -> None:
        super().__init__()
        self.app = app
        self.client = client

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        if request.method != "GET" or request.body:
            raise ValueError(f"XeroHook only reads: no {request.method}, and no body. Documents are sent by a push.")
        usual = new_session().headers
        if other := [name for name, value in request.headers.items() if name != SINCE and usual.get(name) != value]:
            raise ValueError(f"XeroHook sends no header of others but {SINCE}: {', '.join(other)}")
        since = request.headers.get(SINCE)
        moment = datetime.fromisoformat(since) if since else None
        if moment and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)  # as Xero reads it
        path = str(request.url).removeprefix(self.app.api_host)
        answer = self.client().get(path, modified_since=moment)
        response = requests.Response()
        response.request, response.url, response.status_code = request, str(request.url), answer.status
        response.headers.update({"Content-Type": "application/json"})
        response._content = json.dumps(answer.data, default=float).encode()
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Does nothing: the client's session belongs to the hook."""


def open_client(connection: Connection, manual: bool, **options: Any) -> XeroClient:
    """Returns the client of one connected organisation. `manual` runs may use the last tenth of the day's calls."""
    hook = XeroHook(connection.airflow_conn_id)
    options = {"log": hook.log} | options
    return composition.client(qicworks_engine(), connection, hook.app, hook.session, manual=manual, **options)


@cache
def qicworks_engine(conn_id: str = composition.QICWORKS) -> Engine:
    """Returns the QicWorks database of an Airflow connection of type ``postgres``."""
    return database.engine(airflow_connection(conn_id))
