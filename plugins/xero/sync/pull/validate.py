"""Validate: Great Expectations over what was staged. A bad row is marked with the reasons, an odd one is counted.

Great Expectations takes seconds to import: nothing here is imported before there are rows.
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

from xero.datasets.declaration import Column, Kind, Rule, Table
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.pull import staging
from xero.qicworks.pull.staging import Staging, stage_table

if TYPE_CHECKING:
    import pandas

log = logging.getLogger(__name__)

CHUNK = 50_000  # rows a frame: memory stays the same however many rows there are
PROBLEMS = "(problems)"  # a column of a frame: what makes the row unfit, as a JSON array of sentences


def rules(table: Table) -> Sequence[Rule]:
    """What holds of whole rows: they are fit to be loaded, and the table's own rules."""
    return [Rule("ExpectColumnValuesToBeNull", PROBLEMS, "the row is unfit"), *table.rules]


def _is_text(column: Column) -> bool:
    return column.kind is Kind.TEXT


def _field(column: Column) -> str:
    return column.source if isinstance(column.source, str) else column.name


def validate(session: Session, connection_id: UUID, table: Table, staged: Staging) -> tuple[int, Counter[str]]:
    """Marks the bad rows of a staged table. Returns how many rows were checked, and how many each warning met.

    A row that says what is held already was checked when that was loaded.
    """
    checked = 0
    warned: Counter[str] = Counter()
    staging.forget_problems(session, staged, table)
    for frame in _frames(session, connection_id, table, staged):
        checked += len(frame)
        problems: dict[int, list[str]] = defaultdict(list)
        for rule, seqs in _checks_of(table).failing(frame):
            if rule.severity == "warn":
                warned[rule.says] += len(seqs)
            elif rule.column == PROBLEMS:
                for seq, said in frame.loc[frame["seq"].isin(seqs), ["seq", PROBLEMS]].itertuples(index=False):
                    problems[seq] += json.loads(said)
            else:
                for seq in seqs:
                    problems[seq].append(rule.says)
        if problems:
            staging.mark(session, staged, table, problems)
    return checked, warned


class _Checks:
    """The suite of one table, ready to be run on frame after frame."""

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
        """The rules that rows break, with the `seq` of those rows. A check that cannot run is an error, not a pass.

        Asks which rows they are only where there are some: that takes as long again, and mostly there are none.
        """
        batch = self.batches.get_batch(batch_parameters={"dataframe": frame})
        with_rows = {"result_format": "COMPLETE", "unexpected_index_column_names": ["seq"]}
        for result in batch.validate(self.suite, result_format="BOOLEAN_ONLY").results:
            if _has_passed(result):
                continue
            number = result.expectation_config.meta["rule"]
            broken = batch.validate(self.expectations[number], result_format=with_rows)
            if _has_passed(broken):
                raise RuntimeError(f"a check failed, and passes when it is asked for rows: {broken.expectation_config}")
            yield self.rules[number], [int(found["seq"]) for found in broken.result["unexpected_index_list"]]


def _has_passed(result: Any) -> bool:
    if result.exception_info.get("raised_exception"):
        raise RuntimeError(f"a check could not run: {result.exception_info}")
    return bool(result.success)


class _Ready(threading.local):
    """The checks of the tables that were met: to make them takes half as long as to run them. Each thread has its own,
    because they hold the frame that they look at."""

    def __init__(self) -> None:
        self.of_table: dict[Table, _Checks] = {}


_READY = _Ready()


def _checks_of(table: Table) -> _Checks:
    if table not in _READY.of_table:
        _READY.of_table[table] = _Checks(table)
    return _READY.of_table[table]


def _frames(session: Session, connection_id: UUID, table: Table, staged: Staging) -> Iterator["pandas.DataFrame"]:
    """What the rules look at, a chunk a frame."""
    kinds = {column.name: column.kind for column in table.columns}
    names = sorted({rule.column for rule in table.rules})
    ruled = [SQL("{}::text" if kinds[name] is Kind.UUID else "{}").format(Identifier(name)) for name in names]
    statement = sql.template("validate", "frame").format(
        columns=SQL(", ").join([_problems(table), *ruled]),
        stage=stage_table(table),
        held=Identifier("qicworks", table.name),
        key=Identifier(table.key),
    )
    about = {"staging_id": staged.id, "connection_id": connection_id, "limit": CHUNK}
    last = 0
    with session.cursor(row_factory=tuple_row) as cursor:
        while rows := cursor.execute(statement, {**about, "after": last}).fetchall():
            import pandas

            last = rows[-1][0]
            # Objects throughout: a column of nothing but None would otherwise become numbers.
            frame = pandas.DataFrame(rows, columns=["seq", PROBLEMS, *names], dtype=object)
            yield frame
            frame.drop(frame.index, inplace=True)  # the checks hold it until they see another


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
