"""Builds an engine, an app and a client from an Airflow connection. No other module does.

The caller decides where Airflow connections are read from: `xero.hooks` asks Airflow, `xero.cli` the terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from sqlalchemy import Engine

from xero.api.client import XeroClient
from xero.api.errors import Misconfigured
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.qicworks.connect import matches
from xero.qicworks.connect.connections import Connection
from xero.qicworks.runs.call_budget import DatabaseLimiter
from xero.sync.connect.clients import OpenClient
from xero.sync.connect.token_store import DatabaseTokens

QICWORKS = "qicworks_default"  # the Airflow connection of the QicWorks database


class NoSuchConnection(Misconfigured, LookupError):
    """Airflow has no connection with this id."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(
            f"There is no Airflow connection '{conn_id}', or it cannot be read.",
            f"Create it in Airflow under Admin, Connections, or set AIRFLOW_CONN_{conn_id.upper()} for every service. "
            "Then try again.",
        )


def client(
    engine: Engine, connection: Connection, app: XeroApp, session: requests.Session, *, manual: bool, **options: Any
) -> XeroClient:
    """Returns the client of one connected organisation, with its app, its authorisation and its share of Xero's limits.

    Args:
        manual: A user started the run: it may use the last tenth of the day's calls.
        options: Those of `XeroClient`.

    Raises:
        Misconfigured: the connection is not sealed for this app.
    """
    matches.check(connection, app)
    tokens = DatabaseTokens(engine, connection.token_id, app, session)
    limiter = DatabaseLimiter(engine, app, manual=manual)
    return XeroClient(app, session, tokens, limiter, connection.tenant_id, **options)


def opener(engine: Engine, app_of: Callable[[str], XeroApp], **options: Any) -> OpenClient:
    """Returns a function that opens clients over one HTTP session. `app_of` gets the id of an Airflow connection."""
    session = new_session()

    def open_client(connection: Connection, manual: bool) -> XeroClient:
        return client(engine, connection, app_of(connection.airflow_conn_id), session, manual=manual, **options)

    return open_client
