"""The staged rows of one table, from when they are complete until they are loaded."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.sql import Composed, Identifier

from xero.datasets.declaration import Table
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.pull.staging import Staging, stage_table


class StagedTable:
    """The rows of one table in one staging."""

    def __init__(self, session: Session, staging: Staging, table: Table) -> None:
        self.session = session
        self.staging = staging
        self.table = table

    def count(self) -> int:
        """How many rows are staged, duplicates and retried rejections among them."""
        return int(self._value("count"))

    def count_distinct(self) -> int:
        """How many different records of Xero's responses are staged, bad ones among them."""
        return int(self._value("distinct"))

    def count_without_key(self) -> int:
        """How many rows do not say which record they are."""
        return int(self._value("without_key"))

    def count_listed_only(self) -> int:
        """How many records were listed, but not read by id, because they have not changed."""
        return int(self._value("listed_only"))

    def drop_superseded(self) -> None:
        """Drops retried rejections where Xero has since sent the same record, or the record they are a part of."""
        self._execute("drop_superseded")
        if self.table.parent_key:
            self._execute("drop_superseded_parts")

    def forget_problems(self) -> None:
        """Clears the marks of an earlier, killed validation."""
        self._execute("forget_problems")

    def mark(self, problems: Mapping[int, Sequence[str]]) -> None:
        """Marks rows, by `seq`, as rejected for these problems."""
        marks = [{"problems": list(why), "staging_id": self.staging.id, "seq": seq} for seq, why in problems.items()]
        with self.session.transaction(), self.session.cursor() as cursor:
            cursor.executemany(self._template("mark"), marks)

    def _value(self, name: str) -> Any:
        return sql.value(self.session, self._template(name), staging_id=self.staging.id)

    def _execute(self, name: str) -> None:
        self.session.execute(self._template(name), {"staging_id": self.staging.id})

    def _template(self, name: str) -> Composed:
        return sql.template("staging", name).format(
            stage=stage_table(self.table),
            key=Identifier(self.table.key),
            parent_key=Identifier(self.table.parent_key or self.table.key),
        )
