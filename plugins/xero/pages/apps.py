"""The Xero apps: Airflow's connections of type xero, in every place where Airflow keeps them."""

import os
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.models import Connection
from sqlalchemy import select
from sqlalchemy.orm import Session

from xero import hooks
from xero.api.client import XeroClient
from xero.api.errors import XeroError
from xero.api.settings import XeroApp
from xero.composition import NoSuchConnection
from xero.pages import PREFIX
from xero.pages.access import XERO
from xero.qicworks.connect.connections import Connection as Connected
from xero.sync.connect import consent

ENVIRONMENT = "AIRFLOW_CONN_"
MAX_WAIT_SECONDS = 15.0  # that a page waits for Xero's limits


@dataclass(frozen=True)
class App:
    """An app registered with Xero. `trouble`: why its Airflow connection cannot be used to connect."""

    conn_id: str
    app: XeroApp | None
    trouble: str | None = None

    @property
    def by_consent(self) -> bool:
        return self.app is not None and self.app.grant_type == "authorization_code"


def app_of(conn_id: str) -> XeroApp:
    """The app of an Airflow connection. Without a redirect_uri, Xero sends the user back to this server's pages."""
    app = XeroApp.from_connection(hooks.airflow_connection(conn_id))
    return app if app.redirect_uri else replace(app, redirect_uri=callback())


def open_client(connection: Connected, manual: bool) -> XeroClient:
    """As for a run, but a user is waiting: a long limit or outage is reported, not waited out."""
    return hooks.open_client(connection, manual, max_wait=MAX_WAIT_SECONDS)


def callback() -> str:
    """The redirect URI of these pages, as it has to be registered with the app at developer.xero.com."""
    return conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/") + PREFIX + "/callback"


def known(airflow: Session) -> list[App]:
    """All that can be listed: in the environment and in Airflow's database, and the default wherever it is kept."""
    names = {name.removeprefix(ENVIRONMENT).lower() for name in os.environ if name.startswith(ENVIRONMENT)}
    found = {name for name in names if _is_xero(name)}
    found |= set(airflow.scalars(select(Connection.conn_id).where(Connection.conn_type == "xero")))
    return [app for app in map(_app, sorted(found | {XERO})) if app]


def _is_xero(conn_id: str) -> bool:
    try:
        return bool(hooks.airflow_connection(conn_id).conn_type == "xero")
    except ValueError:
        return False  # another connection's value, which is reported when it is used


def _app(conn_id: str) -> App | None:
    try:
        app = app_of(conn_id)
        consent.check(app)
        return App(conn_id, app)
    except NoSuchConnection:
        return None
    except (XeroError, ValueError) as error:
        return App(conn_id, None, str(error))


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
