"""What the fixtures of a real PostgreSQL are made of."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg


def in_memory() -> Path | None:
    """Where files need no disk, if there is room: making a database takes 20 ms there, on a slow disk 400."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 else None


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
