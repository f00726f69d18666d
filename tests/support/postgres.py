"""What the fixtures of a real PostgreSQL are made of."""

import shutil
import socket
from pathlib import Path
from typing import Any

import psycopg


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_memory() -> Path | None:
    """Where files need no disk, if there is room: making a database takes 20 ms there, on a slow disk 400."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 else None


def copied(server: psycopg.Connection[Any], name: str, template: str) -> str:
    """The statement that copies the template: its files, which PostgreSQL 14 always does and later ones when told."""
    strategy = " STRATEGY file_copy" if server.info.server_version >= 150000 else ""
    return f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}'
