"""Connections to the QicWorks database (PostgreSQL 14 or newer)."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol

import psycopg
from psycopg import pq
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from sqlalchemy import URL, Engine, create_engine, event, make_url

from xero.api.errors import Misconfigured
from xero.documents.odd_values import OddInstant, OutOfRange
from xero.qicworks import poolers, sql

Session = psycopg.Connection[DictRow]
QUERIES = sql.Statements("session")

# A vanished client must free its locks and transactions soon, also while a statement of its runs or waits (which only
# the check interval notices, in milliseconds). Set once it is connected: poolers refuse most settings at the start.
SESSION_SETTINGS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "2000",
    "idle_in_transaction_session_timeout": "600000",
    # A wait for a lock ends with an error: another session may hold it forever. In milliseconds.
    "lock_timeout": "120000",
    # Statements and the outbox rely on these, so the settings of the role do not count.
    "search_path": '"$user", public',  # or the database's own
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
}
# How values and statements are read and written; `options` of the address cannot change it.
READ_AS = {
    "TimeZone": "UTC",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "array_nulls": "on",
}
CONNECT = {"application_name": "xero", "connect_timeout": 10}
DATES = ("date", "timestamp")

#: PostgreSQL's errors for a database that lacks a migration or a right.
UNMIGRATED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
)
MIGRATE = "Run `python -m xero migrate` with the owner's connection, with `--grant-to ROLE` if another role is used."

_open = threading.local()  # `session`: what this thread has open, and on which engine


class _TimeLoader(Loader):
    """Loads a date or time as psycopg does; a value that Python cannot represent as `odd`."""

    odd: Callable[[str], Any]

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._loader = psycopg.adapters.get_loader(oid, self.format)(oid, context)  # type: ignore[misc]

    def load(self, data: Buffer) -> Any:
        try:
            return self._loader.load(data)
        except psycopg.DataError:
            return self.odd(bytes(data).decode())


class InstantLoader(_TimeLoader):
    odd = OddInstant.of


class DateLoader(_TimeLoader):
    odd = OutOfRange


def load_json(said: str | bytes) -> Any:
    """Loads numbers with a point as Decimal. JSON that is too deep, or has too long a number, becomes OutOfRange."""
    try:
        return json.loads(said, parse_float=Decimal)
    except (ValueError, RecursionError):
        return OutOfRange(said if isinstance(said, str) else said.decode())


class AirflowConnection(Protocol):
    """The attributes of an Airflow connection of type postgres; `schema` is the database's name."""

    conn_type: str | None
    host: str | None
    port: int | None
    login: str | None
    password: str | None
    schema: str | None
    extra: Any


def url(connection: AirflowConnection) -> URL:
    """The database's address, with the extras that libpq knows (`sslmode`, …).

    Raises Misconfigured for another type: without a host, libpq would connect to this machine.
    """
    if (kind := connection.conn_type) not in ("postgres", "postgresql"):
        raise Misconfigured(
            f"The Airflow connection of the QicWorks database cannot be used: its type is '{kind or ''}'.",
            "Make it one of type Postgres, with host, port, login, password and the database's name.",
        )
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
        port=connection.port or None,  # Airflow's form sends 0 where it shows no port
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
    made = create_engine(address, pool_pre_ping=True, pool_size=5, max_overflow=10)

    @event.listens_for(made, "do_connect")
    def connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> psycopg.Connection[Any]:
        raw = _connect(parameters)
        raw.autocommit = False
        return raw

    return made


def _connect(address: Mapping[str, Any], **how: Any) -> psycopg.Connection[Any]:
    """Opens a connection in autocommit. Raises Misconfigured if it is not a session of its own: see `poolers`.

    Settings in `options` of the address are kept, apart from those of how values are read.
    """
    parameters = {**CONNECT, **address, "autocommit": True, **how}
    chosen = re.findall(r"(?:-c\s*|--)([\w.]+)\s*=", str(address.get("options", "")))
    wanted = {name: value for name, value in SESSION_SETTINGS.items() if name not in chosen} | READ_AS
    settings = {"names": list(wanted), "values": list(wanted.values())}
    configure = sql.template("session", "configure")
    raw = psycopg.connect(**parameters)
    raw.adapters.register_loader("timestamptz", InstantLoader)
    try:
        for type_name in DATES:
            raw.adapters.register_loader(type_name, DateLoader)
        # PostgreSQL itself says at the start which backend it is; a pooler makes up a number.
        if not raw.execute(configure, {**settings, "backend": raw.info.backend_pid}).rowcount:
            poolers.need_a_session(raw, lambda: psycopg.connect(**parameters))
            raw.execute(configure, {**settings, "backend": None})
    except BaseException:
        raw.close()
        raise
    return raw


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """Opens a psycopg connection in autocommit, with rows as dicts.

    It is not one of the pool: closing it releases its session locks, whatever happened on it. And it is opened without
    SQLAlchemy's first ten statements, which a short task does not need. Raises Misconfigured if a pooler does not give
    it a session of its own.
    """
    _, address = engine.dialect.create_connect_args(engine.url)
    raw: Session = _connect(address, row_factory=dict_row)
    before = getattr(_open, "session", None)
    _open.session = (engine, raw)
    try:
        set_json_loads(load_json, raw)
        yield raw
    finally:
        _open.session = before
        raw.close()


def avoid_nested_loops(session: Session) -> None:
    """Turns off nested loops for this session, which read one table again for each row of another.

    PostgreSQL plans them if it expects few rows, and it expects few of a table that was just filled and is not analysed
    yet, and of every staging, because each is new. Only the owner of a table may analyse it.
    """
    QUERIES.avoid_nested_loops(session)


def own(engine: Engine) -> Session | None:
    """The session that this thread has open, if it is idle: small statements need no other connection."""
    held, session = getattr(_open, "session", None) or (None, None)
    if held is not engine or session is None or session.closed:
        return None
    return session if session.info.transaction_status is TransactionStatus.IDLE else None
