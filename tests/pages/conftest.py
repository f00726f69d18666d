"""The pages as Airflow's API server serves them, in this process: real routes, real access, real PostgreSQL."""

import json
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from tests.support.one_world import books_for_all
from tests.support.page_runs import parse_dags
from tests.support.pages import Browser, Client, by_consent
from tests.support.pushing import Books
from tests.support.rights import SOME_DAGS, logged_in_by_fab
from tests.support.world import World


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
def clerk(airflow_dags: None) -> Iterator[Browser]:
    """A browser of a user of FAB, Airflow's larger auth manager, who has a role with rights to four DAGs."""
    with logged_in_by_fab(SOME_DAGS) as browser:
        yield browser


@pytest.fixture(scope="module")
def stranger(airflow_dags: None) -> Iterator[Browser]:
    """The same, with no right to any DAG."""
    with logged_in_by_fab({}) as browser:
        yield browser


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


@pytest.fixture
def world(books: Books) -> World:
    return books.world


@pytest.fixture(scope="package")
def airflow_dags(airflow_database: None, root: Any) -> None:
    """Airflow's database knows the project's DAGs, which are switched on."""
    parse_dags(root)
