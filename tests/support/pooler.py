"""A real PgBouncer in front of the tests' PostgreSQL."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.support.waiting import until

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
logfile = {folder}/log
pool_mode = {mode}
{more}
"""


@contextmanager
def pooled(database_url: str, mode: str, **settings: object) -> Iterator[str]:
    """The same database's address through a pool of that mode. `settings`: others of PgBouncer's than its defaults."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.fail("The tests of connection poolers need pgbouncer: `make pooler` installs it.")
    address = make_url(database_url)
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    folder.chmod(0o777)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own_port = probe.getsockname()[1]
    if os.geteuid() == 0:
        settings["user"] = "nobody"  # it does not run as root
    (folder / "pgbouncer.ini").write_text(
        CONFIGURATION.format(
            host=address.host,
            port=address.port,
            user=address.username,
            own_port=own_port,
            folder=folder,
            mode=mode,
            more="\n".join(f"{name} = {value}" for name, value in settings.items()),
        )
    )
    process = subprocess.Popen([program, "-q", str(folder / "pgbouncer.ini")])
    through = address.set(port=own_port, host="127.0.0.1").render_as_string(hide_password=False)
    try:
        until(lambda: process.poll() is not None or _answers(through))
        assert process.poll() is None, (folder / "log").read_text()
        yield through
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
