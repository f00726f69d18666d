"""Connections to the QicWorks database (PostgreSQL 14 or newer)."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

import psycopg
from psycopg import pq
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from sqlalchemy import URL, Engine, create_engine, make_url

Session = psycopg.Connection[DictRow]

# A vanished client must free its locks and transactions soon, also while a statement of its runs or waits (which only
# the check interval notices, in milliseconds).
SESSION_SETTINGS = (
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    " -c client_connection_check_interval=2000 -c idle_in_transaction_session_timeout=600000"
)
IN_UTC = "-c timezone=UTC"  # instants are read and written in UTC, whatever else is set
CONNECT = {"application_name": "xero", "connect_timeout": 10}

_open = threading.local()  # `session`: what this thread has open, and on which engine


class AirflowConnection(Protocol):
    """What is read of an Airflow connection of type postgres; `schema` is the database's name."""

    host: str | None
    port: int | None
    login: str | None
    password: str | None
    schema: str | None
    extra: Any


def url(connection: AirflowConnection) -> URL:
    """The database's address. Extras that libpq knows (`sslmode`, …) go along."""
    extra = connection.extra or {}
    try:
        extra = json.loads(extra) if isinstance(extra, str) else extra
    except ValueError:
        raise ValueError("the extra of the QicWorks database's Airflow connection is not valid JSON") from None
    # An Airflow connection may hold more than libpq knows, such as "cursor".
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    return URL.create(
        "postgresql+psycopg",
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query={name: str(value) for name, value in extra.items() if name in known},
    )


def engine(address: URL | str | AirflowConnection) -> Engine:
    """An engine over psycopg 3. Accepts an address, or an Airflow connection."""
    if isinstance(address, str):
        address = address.replace("postgres://", "postgresql://", 1).replace(
            "postgresql://", "postgresql+psycopg://", 1
        )
    address = make_url(address) if isinstance(address, str | URL) else url(address)
    return create_engine(
        address,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=10,
        connect_args=_connect_arguments(address),
    )


def _connect_arguments(address: URL) -> dict[str, Any]:
    """What connections are opened with. `options` of the address itself come after this project's, and win."""
    own = address.query.get("options", ())
    options = " ".join([SESSION_SETTINGS, *([own] if isinstance(own, str) else own), IN_UTC])
    return {**CONNECT, "options": options}


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """A psycopg connection of one's own, in autocommit, rows as dicts.

    It is none of the pool's: closing it is what frees its session locks, whatever happened on it. And it is opened
    without what SQLAlchemy asks of a database at first, ten statements that no short task has a use for.
    """
    _, address = engine.dialect.create_connect_args(engine.url)
    raw: Session = psycopg.connect(
        **{**address, **_connect_arguments(engine.url)}, autocommit=True, row_factory=dict_row
    )
    before = getattr(_open, "session", None)
    _open.session = (engine, raw)
    try:
        set_json_loads(partial(json.loads, parse_float=Decimal), raw)
        yield raw
    finally:
        _open.session = before
        raw.close()


def own(engine: Engine) -> Session | None:
    """The session that this thread has open, while nothing goes on in it: small things need no other connection."""
    held, session = getattr(_open, "session", None) or (None, None)
    if held is not engine or session is None or session.closed:
        return None
    return session if session.info.transaction_status is TransactionStatus.IDLE else None
