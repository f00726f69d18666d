"""The statements in `include/sql`, by name: as functions, and as templates where names of tables or columns vary."""

from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import aiosql
import psycopg
from aiosql.queries import Queries
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed


def folder() -> Path:
    """The folder of the SQL: `include/sql` of a checkout, or the copy in the wheel."""
    checkout = Path(__file__).resolve().parents[3] / "include" / "sql"
    return checkout if checkout.is_dir() else Path(str(resources.files("xero") / "_sql"))


@cache
def load(name: str) -> Queries:
    """The statements of `include/sql/<name>.sql`, to be called with a raw psycopg connection first."""
    queries: Queries = aiosql.from_path(folder() / f"{name}.sql", "psycopg", mandatory_parameters=False)
    return queries


@cache
def template(file: str, name: str) -> SQL:
    """A statement of `include/sql/<file>.sql`, or a part of one, with places such as `{table}` for identifiers.

    Its `format` fills them; what is run then takes the `:parameters` by name. A brace that is meant is written twice.
    """
    return SQL(getattr(load(file), name).sql.rstrip("; \n"))


def value(session: psycopg.Connection[DictRow], statement: SQL | Composed, **parameters: Any) -> Any:
    """The value of a statement that returns one row of one column."""
    row = session.execute(statement, parameters).fetchone()
    assert row is not None
    [found] = row.values()
    return found


class Statements:
    """The same, read when the first one is called: nothing happens at import."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, statement: str) -> Callable[..., Any]:
        return getattr(load(self._name), statement)  # type: ignore[no-any-return]
