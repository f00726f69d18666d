"""Validates staged rows with Great Expectations: marks bad rows with the reasons, counts warnings.

Great Expectations takes seconds to import, so it is imported only when there are rows.
"""

import json
import logging
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from xero.datasets.declaration import Column, ColumnType, Rule, Table
from xero.qicworks import sql
from xero.qicworks.pull.staged_table import StagedTable
from xero.qicworks.pull.staging import stage_table

if TYPE_CHECKING:
    import pandas

log = logging.getLogger(__name__)

ROWS_PER_FRAME = 50_000  # so memory does not grow with the number of rows
PROBLEMS = "(problems)"  # a column of a frame: why the row cannot be loaded, as a JSON array of sentences


def rules(table: Table) -> Sequence[Rule]:
    """The rules of a table: its rows can be loaded, and its own rules."""
    return [Rule("ExpectColumnValuesToBeNull", PROBLEMS, "the row cannot be loaded"), *table.rules]


def _is_text(column: Column) -> bool:
    return column.type is ColumnType.TEXT


def _field(column: Column) -> str:
    return column.source if isinstance(column.source, str) else column.name


def validate(rows: StagedTable, connection_id: UUID) -> tuple[int, Counter[str]]:
    """Marks the bad rows of a staged table. Returns the number of rows checked, and of rows by warning.

    Rows that QicWorks already has as they are were checked when they were loaded, and are not checked again.
    """
    checked = 0
    warned: Counter[str] = Counter()
    rows.forget_problems()
    for frame in _frames(rows, connection_id):
        checked += len(frame)
        problems: dict[int, list[str]] = defaultdict(list)
        for rule, seqs in _checks_of(rows.table).failing(frame):
            if rule.severity == "warn":
                warned[rule.message] += len(seqs)
            elif rule.column == PROBLEMS:
                for seq, sentences in frame.loc[frame["seq"].isin(seqs), ["seq", PROBLEMS]].itertuples(index=False):
                    problems[seq] += json.loads(sentences)
            else:
                for seq in seqs:
                    problems[seq].append(rule.message)
        if problems:
            rows.mark(problems)
    return checked, warned


class _Checks:
    """The expectation suite of one table, which runs on one frame after the other."""

    def __init__(self, table: Table) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        import great_expectations as gx
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        # All in memory: by default each context leaves a folder for its HTML pages in the temporary directory.
        stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        config = DataContextConfig(store_backend_defaults=stores, progress_bars=ProgressBarsConfig(globally=False))
        context: Any = gx.get_context(mode="ephemeral", project_config=config)
        rows = context.data_sources.add_pandas("staging").add_dataframe_asset("rows")
        self.batches = rows.add_batch_definition_whole_dataframe("chunk")
        self.rules = rules(table)
        self.expectations = [
            getattr(gx.expectations, rule.expectation)(column=rule.column, meta={"rule": number}, **rule.arguments)
            for number, rule in enumerate(self.rules)
        ]
        self.suite = gx.ExpectationSuite(name="rows", expectations=self.expectations)

    def failing(self, frame: "pandas.DataFrame") -> Iterator[tuple[Rule, list[int]]]:
        """Yields the rules that rows break, with the `seq` of those rows. Raises RuntimeError if a check cannot run.

        Asks for the rows only if a rule is broken: that takes as long again, and mostly none is.
        """
        batch = self.batches.get_batch(batch_parameters={"dataframe": frame})
        with_rows = {"result_format": "COMPLETE", "unexpected_index_column_names": ["seq"]}
        for result in batch.validate(self.suite, result_format="BOOLEAN_ONLY").results:
            if _has_passed(result):
                continue
            number = result.expectation_config.meta["rule"]
            broken = batch.validate(self.expectations[number], result_format=with_rows)
            if _has_passed(broken):
                raise RuntimeError(f"a check failed, but passes when asked for the rows: {broken.expectation_config}")
            yield self.rules[number], [int(found["seq"]) for found in broken.result["unexpected_index_list"]]


def _has_passed(result: Any) -> bool:
    if result.exception_info.get("raised_exception"):
        raise RuntimeError(f"a check could not run: {result.exception_info}")
    return bool(result.success)


class _Ready(threading.local):
    """Checks that were made already: making them takes half as long as running them. Each thread has its own, because
    they keep the frame that they check."""

    def __init__(self) -> None:
        self.of_table: dict[Table, _Checks] = {}


_READY = _Ready()


def _checks_of(table: Table) -> _Checks:
    if table not in _READY.of_table:
        _READY.of_table[table] = _Checks(table)
    return _READY.of_table[table]


def _frames(rows: StagedTable, connection_id: UUID) -> Iterator["pandas.DataFrame"]:
    """The columns that rules are about, some rows a frame."""
    table = rows.table
    types = {column.name: column.type for column in table.columns}
    names = sorted({rule.column for rule in table.rules})
    ruled = [SQL("{}::text" if types[name] is ColumnType.UUID else "{}").format(Identifier(name)) for name in names]
    statement = sql.template("validate", "frame").format(
        columns=SQL(", ").join([_problems(table), *ruled]),
        stage=stage_table(table),
        held=Identifier("qicworks", table.name),
        key=Identifier(table.key),
    )
    about = {"staging_id": rows.staging.id, "connection_id": connection_id, "limit": ROWS_PER_FRAME}
    last = 0
    with rows.session.cursor(row_factory=tuple_row) as cursor:
        while found := cursor.execute(statement, {**about, "after": last}).fetchall():
            import pandas

            last = found[-1][0]
            # All as objects: a column that holds only None would otherwise become numbers.
            frame = pandas.DataFrame(found, columns=["seq", PROBLEMS, *names], dtype=object)
            yield frame
            frame.drop(frame.index, inplace=True)  # the checks keep it until they get another


def _problems(table: Table) -> Composed:
    """The expression that finds a row's problems."""
    missing = [
        sql.template("validate", "missing").format(
            column=Identifier(column.name), problem=Literal(f"{_field(column)} is missing")
        )
        for column in table.columns
        if column.required
    ]
    too_long = [
        sql.template("validate", "too_long").format(
            column=Identifier(column.name),
            longest=Literal(column.max_length),
            problem=Literal(f"{_field(column)} is longer than {column.max_length} characters"),
        )
        for column in table.columns
        if column.max_length and _is_text(column)
    ]
    unreadable = sql.template("validate", "unreadable").format()
    return sql.template("validate", "problems").format(each=SQL(", ").join([unreadable, *missing, *too_long]))
