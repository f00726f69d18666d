"""The pages as Airflow's API server serves them, in this process: real routes, real access, real PostgreSQL."""

import json
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

from tests.dags.conftest import airflow_database
from tests.flow.conftest import World
from tests.flow.one_world import books_for_all
from tests.flow.pushing import Books
from tests.sandbox.conftest import sandbox_url

__all__ = ["airflow_database", "sandbox_url"]

Client = Callable[[str | None], "Browser"]


class Browser(TestClient):
    """A user's browser: it has Airflow's cookie, and presses the buttons of pages that it has loaded."""

    role: str | None = None

    def press(self, path: str, fields: dict[str, Any] | None = None, *, form_token: str | None = None) -> Any:
        """Sends a form below /xero, as a page of ours would."""
        token = form_token or self.form_token()
        return self.post(f"/xero/{path}", data={"form_token": token, **(fields or {})}, follow_redirects=False)

    def form_token(self) -> str:
        from xero.pages.access import form_token

        return form_token(SimpleNamespace(get_id=lambda: self.role))

    def read(self, path: str, status: int = 200) -> str:
        """The page's HTML."""
        answer = self.get(f"/xero/{path}", follow_redirects=False)
        assert answer.status_code == status, answer.text[:2000]
        return str(answer.text)


@pytest.fixture(scope="package")
def browser(airflow_database: None) -> Iterator[Client]:
    """A browser for each role of the simple auth manager (`viewer`, `user`, `op`, `admin`), or for nobody."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.main import app

    opened = []

    def of(role: str | None) -> Browser:
        client = Browser(app, base_url="http://airflow.test", headers={"accept": "text/html"})
        if role:
            client.role = role
            jwt = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role))
            client.cookies.set("_token", jwt)
        opened.append(client)
        return client

    yield of
    for client in opened:
        client.close()


@pytest.fixture(scope="module")
def books(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    """One sandbox and one database for a module, its organisations connected; the pages see this database."""
    from xero.hooks import qicworks_engine

    with books_for_all(sandbox_url, postgres_url, template) as books:
        connections = {name: value for name, value in books.world.environment().items() if "AIRFLOW_CONN_" in name}
        connections["AIRFLOW_CONN_XERO_APP"] = json.dumps(by_consent(books.world))
        qicworks_engine.cache_clear()
        with mock.patch.dict(os.environ, connections):
            yield books
            qicworks_engine().dispose()
        qicworks_engine.cache_clear()


def by_consent(world: World) -> dict[str, Any]:
    """The Airflow connection of an app that users let in."""
    connection = world.airflow_connection
    extra = {
        "grant_type": "authorization_code",
        "login_host": world.sandbox.url,
        "token_keys": Fernet.generate_key().decode(),
        "redirect_uri": "http://localhost/xero/callback",
    }
    return connection | {"extra": connection["extra"] | extra}


@pytest.fixture
def world(books: Books) -> World:
    return books.world
