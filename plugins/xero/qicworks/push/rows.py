"""Reads what statements return as the frozen dataclasses that documents declare for it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from psycopg import Cursor
from psycopg.rows import RowMaker, class_row
from psycopg.sql import SQL, Composed

from xero.qicworks.database import Session

T = TypeVar("T")


class WrongColumns(TypeError):
    """A statement and the dataclass of its rows do not name the same columns."""


def read(session: Session, statement: SQL | Composed, row: type[T], **values: Any) -> list[T]:
    """The rows that a statement returns, each as a `row`. Raises WrongColumns, also where there are none."""

    def exactly(cursor: Cursor[Any]) -> RowMaker[T]:
        declared = {field.name for field in fields(row)}  # type: ignore[arg-type]
        returned = {column.name for column in cursor.description or ()}
        if cursor.description and declared != returned:
            raise WrongColumns(
                f"{row.__name__} and its statement differ: only {row.__name__} has {_names(declared - returned)}, only "
                f"the statement has {_names(returned - declared)}"
            )
        return class_row(row)(cursor)

    with session.cursor(row_factory=exactly) as cursor:
        return cursor.execute(statement, values).fetchall()


def _names(columns: set[str]) -> str:
    return ", ".join(sorted(columns)) or "none"
