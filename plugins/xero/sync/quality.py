"""Validate: Great Expectations over what was staged. A bad row is marked with the reasons, an odd one is counted.

Great Expectations takes seconds to import: nothing here is imported before there are rows.
"""

import json
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.sql import SQL, Identifier

from xero.datasets.declaration import Column, Kind, Rule, Table
from xero.qicworks import staging
from xero.qicworks.database import Session
from xero.qicworks.staging import Staging, stage_table

if TYPE_CHECKING:
    import pandas

log = logging.getLogger(__name__)

UNREADABLE = "a value cannot be read"
CHUNK = 10_000  # rows a frame: memory stays the same however many rows there are


def rules(table: Table) -> Sequence[Rule]:
    """What holds of whole rows: everything could be read, and the table's own rules."""
    return [Rule("ExpectColumnValuesToBeNull", "undecodable", UNREADABLE), *table.rules]


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
    checks: _Checks | None = None
    for frame in _frames(session, connection_id, table, staged):
        checked += len(frame)
        checks = checks or _Checks(table)
        problems: dict[int, list[str]] = defaultdict(list)
        for rule, seqs in checks.failing(frame):
            if rule.severity == "warn":
                warned[rule.says] += len(seqs)
                continue
            for seq in seqs:
                problems[seq].append(rule.says)
        if problems:
            _say_what_was_unreadable(frame, problems)
            staging.mark(session, staged, table, problems)
    return checked, warned


class _Checks:
    """The suites of one table, ready to be run on frame after frame.

    What its columns imply is checked with the columns below one another, one value a row: an expectation of its own for
    each column would cost 30 ms a column, whatever the number of rows.
    """

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
        self.columns = {column.name: column for column in table.columns}
        self.required = [column.name for column in table.columns if column.required]
        self.limited = {
            column.name: column.max_length for column in table.columns if column.max_length and _is_text(column)
        }
        self.rules = rules(table)
        expectations = [
            getattr(gx.expectations, rule.expectation)(column=rule.column, meta={"rule": number}, **rule.arguments)
            for number, rule in enumerate(self.rules)
        ]
        self.of_rows = gx.ExpectationSuite(name="rows", expectations=expectations)
        there = gx.expectations.ExpectColumnValuesToNotBeNull(column="value")
        self.of_required = gx.ExpectationSuite(name="required", expectations=[there])
        fits = gx.expectations.ExpectColumnMaxToBeBetween(column="excess", max_value=0)
        self.of_lengths = gx.ExpectationSuite(name="lengths", expectations=[fits])

    def failing(self, frame: "pandas.DataFrame") -> Iterator[tuple[Rule, list[int]]]:
        """The rules that rows break, with the `seq` of those rows. A check that cannot run is an error, not a pass."""
        for single in self._run(self.of_rows, frame, ["seq"]):
            if not single.success:
                rule = self.rules[single.expectation_config.meta["rule"]]
                yield rule, [int(found["seq"]) for found in single.result["unexpected_index_list"]]
        if self.required:
            values = frame.melt("seq", self.required, "field", "value")
            for single in self._run(self.of_required, values, ["seq", "field"]):
                missing: dict[str, list[int]] = defaultdict(list)
                for place in single.result["unexpected_index_list"] or ():
                    missing[place["field"]].append(int(place["seq"]))
                for name, seqs in missing.items():
                    yield Rule("ExpectColumnValuesToNotBeNull", name, f"{_field(self.columns[name])} is missing"), seqs
        if self.limited:
            values = frame.melt("seq", list(self.limited), "field", "value").dropna()
            # As a maximum: compared row by row, Great Expectations takes a second for 10,000 values.
            values["excess"] = (values.pop("value").str.len() - values["field"].map(self.limited)).astype("int64")
            if any(not single.success for single in self._run(self.of_lengths, values)):
                too_long = values[values["excess"] > 0]
                for name, limit in self.limited.items():
                    if found := [int(seq) for seq in too_long.loc[too_long["field"] == name, "seq"]]:
                        says = f"{_field(self.columns[name])} is longer than {limit} characters"
                        yield Rule("ExpectColumnValueLengthsToBeBetween", name, says), found

    def _run(self, suite: Any, frame: "pandas.DataFrame", index: Sequence[str] = ()) -> Iterator[Any]:
        """One result an expectation, with the rows that break it told by `index`; none for a frame of no rows."""
        if frame.empty:
            return
        batch = self.batches.get_batch(batch_parameters={"dataframe": frame})
        how = {"result_format": "COMPLETE", "unexpected_index_column_names": list(index)} if index else "BASIC"
        result = batch.validate(suite, result_format=how)
        for single in result.results:
            if single.exception_info.get("raised_exception"):
                raise RuntimeError(f"a check could not run: {single.exception_info}")
            yield single


def _frames(session: Session, connection_id: UUID, table: Table, staged: Staging) -> Iterator["pandas.DataFrame"]:
    """What the rules look at, a chunk a frame."""
    implied = {column.name for column in table.columns if column.required or (column.max_length and _is_text(column))}
    names = sorted(({rule.column for rule in table.rules} | implied) - {"undecodable"})
    statement = SQL(
        """
        SELECT seq, undecodable::text AS undecodable, {columns} FROM {stage} AS staged
         WHERE staging_id = %s AND seq > %s
           AND NOT EXISTS (SELECT FROM {held} AS held
                            WHERE held.connection_id = %s
                              AND held.{key} = staged.{key} AND held.row_hash = staged.row_hash)
         ORDER BY seq LIMIT %s
        """
    ).format(
        columns=SQL(", ").join(map(Identifier, names)),
        stage=stage_table(table),
        held=Identifier("qicworks", table.name),
        key=Identifier(table.key),
    )
    last = 0
    while rows := session.execute(statement, (staged.id, last, connection_id, CHUNK)).fetchall():
        import pandas

        last = rows[-1]["seq"]
        # Objects throughout: a column of nothing but None would otherwise become numbers.
        yield pandas.DataFrame(rows, columns=["seq", "undecodable", *names], dtype=object)


def _say_what_was_unreadable(frame: "pandas.DataFrame", problems: dict[int, list[str]]) -> None:
    """Names the fields. Never the values: reasons are read in logs, where values may be nobody's business."""
    unreadable = frame.loc[frame["undecodable"].notna(), ["seq", "undecodable"]]
    for seq, values in unreadable.itertuples(index=False):
        if seq in problems:
            fields = ", ".join(json.loads(values))
            problems[seq] = [f"{fields} cannot be read" if why == UNREADABLE else why for why in problems[seq]]
