"""Whoever has the role of pull and push, and SQL; beside the runs, under the same role."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.support.world import World
from xero.qicworks import database


class UnderRole(World):
    """The world as its runs see it, under the role of `migrate --grant-to`."""

    role: str

    def sql(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """What somebody with the role's password does."""
        with psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row) as session:
            cursor = session.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def under_role(owner: World) -> Iterator[UnderRole]:
    role = f"sync_{uuid.uuid4().hex[:8]}"
    owner.query_server(f"CREATE ROLE {role} LOGIN")
    done = owner.main("migrate", "--grant-to", role)
    assert done.returncode == 0, done.stderr
    url = owner.database_url.replace("postgres@", f"{role}@")
    engine = database.engine(url)
    sync = UnderRole(owner.sandbox, engine, url)
    sync.role = role
    try:
        yield sync
    finally:
        engine.dispose()
        owner.query(f"DROP OWNED BY {role}")
        owner.query_server(f"DROP ROLE {role}")
