"""Sessions of a database that are kept: most tests ask dozens of times, and opening one takes longer than to ask."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from sqlalchemy import Engine, event

from xero.qicworks import database, sql
from xero.qicworks.database import Session, load_json


class _Kept:
    """Of one engine. It is opened at the first question, and closed with those of the engine's pool."""

    def __init__(self, engine: Engine) -> None:
        self.in_use = threading.Lock()
        self._opened: tuple[int, Session] | None = None
        event.listen(engine, "engine_disposed", lambda _: self.close())

    def session(self, engine: Engine) -> Session:
        if self._opened is None or self._opened[0] != os.getpid() or self._opened[1].closed:
            self._opened = os.getpid(), _opened(engine)
        return self._opened[1]

    def close(self) -> None:
        """Of a forked process its parent's stays open."""
        opened, self._opened = self._opened, None
        if opened and opened[0] == os.getpid():
            opened[1].close()


_OF_ENGINE: "WeakKeyDictionary[Engine, _Kept]" = WeakKeyDictionary()


def _opened(engine: Engine) -> Session:
    pooled = engine.raw_connection()
    session: Any = pooled.driver_connection
    pooled.detach()
    session.autocommit = True
    session.row_factory = dict_row
    set_json_loads(load_json, session)
    opened: Session = session
    return opened


@contextmanager
def kept_session(engine: Engine) -> Iterator[Session]:
    """In autocommit. While another thread has it, a new one."""
    kept = _OF_ENGINE.get(engine) or _OF_ENGINE.setdefault(engine, _Kept(engine))
    if kept.in_use.acquire(blocking=False):
        try:
            yield kept.session(engine)
        finally:
            kept.in_use.release()
    else:
        with _opened(engine) as session:
            yield session


def ask(engine: Engine, statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The rows, of a transaction of its own. Once more if the session was ended meanwhile: then nothing was done."""
    for again in (True, False):
        with kept_session(engine) as session:
            try:
                cursor = session.execute(statement.encode(), parameters)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if not (again and session.closed):
                    raise
    raise AssertionError("it was tried twice")


@contextmanager
def sessions_of_runs_kept() -> Iterator[None]:
    """For tests of many runs: each gets a session that one before it has closed, as from a pooler. Nothing is left of
    that run but its plans: to plan is more than half of what PostgreSQL does for a short run."""
    real, process = database._connect, os.getpid()
    idle: dict[str, list[Session]] = defaultdict(list)  # by address
    as_opened = database.SESSION_SETTINGS | database.READ_AS
    settings = {"names": list(as_opened), "values": list(as_opened.values()), "backend": None}

    def connect(address: Any, **how: Any) -> Any:
        if "row_factory" not in how or os.getpid() != process:
            return real(address, **how)
        kept = idle[repr(address)]
        while kept:
            with suppress(psycopg.OperationalError):  # somebody has ended it
                session: Any = kept.pop()
                session.execute(sql.template("session", "configure"), settings)
                return session
        session = real(address, **how)
        session.prepare_threshold, session.prepared_max = 1, 1000
        session.close = lambda: put_back(kept, session)
        return session

    def put_back(kept: list[Session], session: Any) -> None:
        with suppress(psycopg.Error):
            session.rollback()
            session.execute("SELECT pg_advisory_unlock_all(); UNLISTEN *; DISCARD TEMP; RESET ALL", prepare=False)
            kept.append(session)
            return
        type(session).close(session)

    with mock.patch.object(database, "_connect", connect):
        yield
    for session in (session for kept in idle.values() for session in kept):
        type(session).close(session)
