"""A real PostgreSQL for the tests, and in it a fresh, migrated database for each test that asks for one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.consenting import Consenting
from tests.support.dag_runs import folders_read_once
from tests.support.database_clock import DatabaseClock, stopped
from tests.support.postgres import a_copy, migrated, server
from tests.support.pushing import Books
from tests.support.sandbox import Sandbox
from tests.support.world import World
from xero.qicworks import database
from xero_sandbox.launch import launched

LONG = ("tests/flow/follow/test_truth.py",)  # a test of minutes: at the end all other processes would wait for it
AIRFLOW = ("tests/dags/", "tests/pages/")  # what needs the whole of Airflow, which takes seconds to import


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those come first and together: one of the processes that share the tests pays for Airflow, not each."""
    items.sort(key=lambda item: (not item.nodeid.startswith(LONG), not item.nodeid.startswith(AIRFLOW)))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """`postgresql://…` of a server whose superuser we are: `XERO_TEST_POSTGRES`, or an embedded one."""
    if given := os.environ.get("XERO_TEST_POSTGRES"):
        yield given
        return
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    """The name of a migrated database that others are copied from: `XERO_TEST_TEMPLATE`, or a new one."""
    return os.environ.get("XERO_TEST_TEMPLATE") or migrated(postgres_url)


@pytest.fixture(scope="session")
def connected_template(sandbox_url: str, postgres_url: str, template: str) -> str:
    """The name of a database whose organisations are connected to a fresh sandbox; its access token has expired."""
    with connected_copy(sandbox_url, postgres_url, template) as (name, world):
        world.query("UPDATE xero_sync.token SET expires_at = clock_timestamp()")
    return name


@pytest.fixture(scope="session")
def lasting_template(sandbox_url: str, postgres_url: str, template: str) -> str:
    """The same, with an access token that outlives the tests."""
    with connected_copy(sandbox_url, postgres_url, template, access_token_seconds=1e9) as (name, _):
        return name


@pytest.fixture(scope="session")
def furnished(sandbox_url: str, postgres_url: str, template: str) -> Books:
    """The books of one organisation, in a connected database that is only copied; its access token has expired."""
    with connected_copy(sandbox_url, postgres_url, template) as (_, world):
        world.query("UPDATE xero_sync.token SET expires_at = clock_timestamp()")
        return Books(world)


@pytest.fixture(scope="session")
def furnished_template(furnished: Books) -> str:
    """The name of that database."""
    return furnished.world.database_url.rpartition("/")[2]


@contextmanager
def connected_copy(
    sandbox_url: str, postgres_url: str, template: str, **settings: float
) -> Iterator[tuple[str, World]]:
    sandbox = Sandbox(sandbox_url)
    sandbox.reset()
    sandbox.settings(**settings)
    with a_copy(postgres_url, template, keep=True) as url:
        world = World(sandbox, database.engine(url), url)
        assert world.connect() == 0
        yield url.rpartition("/")[2], world
        world.engine.dispose()
    sandbox.close()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[str]:
    """The address of a database of the test's own: migrated, and connected where the test asks for such a world."""
    templates = ("furnished_template", "lasting_template", "connected_template", "template")
    wanted = next(name for name in templates if name in request.fixturenames or name == "template")
    with a_copy(postgres_url, request.getfixturevalue(wanted)) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = database.engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def database_clock(engine: Engine, database_url: str) -> Iterator[DatabaseClock]:
    """The database's clock stands still, and moves as the test says."""
    with stopped(database_url) as clock:
        engine.dispose()  # what is connected already would keep the real one
        yield clock


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """One sandbox process for the tests of a worker, made anew for each test that uses it."""
    with launched("--profile", "small") as url:
        yield url


@pytest.fixture
def sandbox(sandbox_url: str) -> Iterator[Sandbox]:
    sandbox = Sandbox(sandbox_url)
    sandbox.reset()
    yield sandbox
    sandbox.close()


@pytest.fixture
def unconnected(sandbox: Sandbox, engine: Engine, database_url: str) -> World:
    return World(sandbox, engine, database_url)


@pytest.fixture
def world(connected_template: str, unconnected: World) -> World:
    """Its organisations are connected: `database_url` gives it such a database."""
    return unconnected


@pytest.fixture(scope="session")
def airflow_database() -> Iterator[None]:
    from airflow.utils.db import initdb

    initdb()
    with folders_read_once():
        yield


@pytest.fixture(scope="module")
def preloaded() -> None:
    """What takes seconds to import, imported before any process is forked: as Airflow's scheduler does it."""
    import great_expectations.expectations  # noqa: F401


@pytest.fixture
def consenting(sandbox: Sandbox, engine: Engine, database_url: str) -> Consenting:
    return Consenting(sandbox, engine, database_url)
