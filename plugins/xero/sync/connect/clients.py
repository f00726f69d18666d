"""A client for each connection: its app, its authorisation, its share of the limits."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.qicworks.connect import matches
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.tokens import DatabaseTokens
from xero.qicworks.runs.call_budget import DatabaseLimiter

OpenClient = Callable[[Connection, bool], XeroClient]  # (connection, started by hand) -> client


def opener(engine: Engine, app_of: Callable[[str], XeroApp], **options: Any) -> OpenClient:
    """Opens clients that share one HTTP session. `app_of` finds the Xero app of an Airflow connection's id."""
    session = new_session()

    def open_client(connection: Connection, manual: bool) -> XeroClient:
        app = app_of(connection.airflow_conn_id)
        matches.check(connection, app)
        tokens = DatabaseTokens(engine, connection.token_id, app, session)
        limiter = DatabaseLimiter(engine, app, manual=manual)
        return XeroClient(app, session, tokens, limiter, connection.tenant_id, **options)

    return open_client
