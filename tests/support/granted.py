"""A role with the rights of `migrate --grant-to`, and runs under it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.support.world import World
from xero.qicworks import database
from xero.qicworks.admin import grants


class Granted:
    """`owner`: QicWorks and the administrator. `sync`: what pulls and pushes; `sql`: whatever else its role may do."""

    def __init__(self, owner: World, sync: World) -> None:
        self.owner, self.sync = owner, sync

    def sql(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.sync.database_url, autocommit=True, row_factory=dict_row) as session:
            cursor = session.execute(statement, parameters or None)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []


@contextmanager
def granted(owner: World) -> Iterator[Granted]:
    role = f"sync_{uuid.uuid4().hex[:8]}"
    owner.query_server(f"CREATE ROLE {role} LOGIN")
    with database.session(owner.engine) as session:
        grants.grant_to(session, role)
    url = owner.database_url.replace("postgres@", f"{role}@")
    engine = database.engine(url)
    try:
        yield Granted(owner, World(owner.sandbox, engine, url))
    finally:
        engine.dispose()
        owner.query(f"DROP OWNED BY {role}")
        owner.query_server(f"DROP ROLE {role}")
