"""From an Airflow connection to an engine, an app and a client: the one place that puts them together.

Where Airflow connections are read from is the caller's: `xero.hooks` asks Airflow, `xero.cli` is the terminal.
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
    """Airflow has no connection of that id."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(
            f"There is no Airflow connection '{conn_id}', or it cannot be read.",
            f"Make it in Airflow under Admin, Connections, or set AIRFLOW_CONN_{conn_id.upper()} for every service. "
            "Then do this again.",
        )


def client(
    engine: Engine, connection: Connection, app: XeroApp, session: requests.Session, *, manual: bool, **options: Any
) -> XeroClient:
    """The client of one connected organisation: its app, its authorisation, its share of Xero's limits.

    Args:
        manual: Runs that a user started may use the last tenth of the day's calls.
        options: As `XeroClient` takes them.

    Raises:
        Misconfigured: the connection is not sealed for this app.
    """
    matches.check(connection, app)
    tokens = DatabaseTokens(engine, connection.token_id, app, session)
    limiter = DatabaseLimiter(engine, app, manual=manual)
    return XeroClient(app, session, tokens, limiter, connection.tenant_id, **options)


def opener(engine: Engine, app_of: Callable[[str], XeroApp], **options: Any) -> OpenClient:
    """Opens clients that share one HTTP session. `app_of` finds the Xero app of an Airflow connection's id."""
    session = new_session()

    def open_client(connection: Connection, manual: bool) -> XeroClient:
        return client(engine, connection, app_of(connection.airflow_conn_id), session, manual=manual, **options)

    return open_client
