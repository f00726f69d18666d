"""Validate: Great Expectations over what was staged. A bad row is marked with the reasons, an odd one is counted.

Great Expectations takes seconds to import: nothing here is imported before there are rows.
"""

import json
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from xero.datasets.declaration import Column, Kind, Rule, Table
from xero.qicworks import staging
from xero.qicworks.database import Session
from xero.qicworks.staging import Staging, stage_table

if TYPE_CHECKING:
    import pandas

log = logging.getLogger(__name__)

UNREADABLE = "a value cannot be read"
CHUNK = 50_000  # rows a frame: memory stays the same however many rows there are
MISSING, TOO_LONG = "(missing)", "(too long)"  # columns of a frame: the names of a row's columns of which that is true


def rules(table: Table) -> Sequence[Rule]:
    """What holds of whole rows: everything could be read, the table's own rules, and what its columns imply."""
    return [
        Rule("ExpectColumnValuesToBeNull", "undecodable", UNREADABLE),
        *table.rules,
        Rule("ExpectColumnValuesToBeNull", MISSING, "{field} is missing"),
        Rule("ExpectColumnValuesToBeNull", TOO_LONG, "{field} is longer than {limit} characters"),
    ]


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
        self.columns = {column.name: column for column in table.columns}
        self.rules = rules(table)
        expectations = [
            getattr(gx.expectations, rule.expectation)(column=rule.column, meta={"rule": number}, **rule.arguments)
            for number, rule in enumerate(self.rules)
        ]
        self.suite = gx.ExpectationSuite(name="rows", expectations=expectations)

    def failing(self, frame: "pandas.DataFrame") -> Iterator[tuple[Rule, list[int]]]:
        """The rules that rows break, with the `seq` of those rows. A check that cannot run is an error, not a pass."""
        for single in self._run(frame):
            if single.success:
                continue
            rule = self.rules[single.expectation_config.meta["rule"]]
            seqs = [int(found["seq"]) for found in single.result["unexpected_index_list"]]
            if rule.column in (MISSING, TOO_LONG):
                yield from self._by_column(rule, frame, seqs)
            else:
                yield rule, seqs

    def _by_column(self, rule: Rule, frame: "pandas.DataFrame", seqs: list[int]) -> Iterator[tuple[Rule, list[int]]]:
        """Of each of the table's columns apart."""
        of_column: dict[str, list[int]] = defaultdict(list)
        broken = frame.loc[frame["seq"].isin(seqs), ["seq", rule.column]]
        for seq, names in broken.itertuples(index=False):
            for name in names.split(","):
                of_column[name].append(int(seq))
        for name, column in self.columns.items():
            if found := of_column.get(name):
                says = rule.says.format(field=_field(column), limit=column.max_length)
                yield Rule(rule.expectation, name, says), found

    def _run(self, frame: "pandas.DataFrame") -> Iterator[Any]:
        """One result an expectation, with the rows that break it told by `seq`."""
        batch = self.batches.get_batch(batch_parameters={"dataframe": frame})
        how = {"result_format": "COMPLETE", "unexpected_index_column_names": ["seq"]}
        result = batch.validate(self.suite, result_format=how)
        for single in result.results:
            if single.exception_info.get("raised_exception"):
                raise RuntimeError(f"a check could not run: {single.exception_info}")
            yield single


def _frames(session: Session, connection_id: UUID, table: Table, staged: Staging) -> Iterator["pandas.DataFrame"]:
    """What the rules look at, a chunk a frame. What is missing and what is too long is measured where the rows lie:
    to read all those columns back would take longer than everything else."""
    kinds = {column.name: column.kind for column in table.columns}
    names = sorted({rule.column for rule in table.rules})
    ruled = [SQL("{}::text" if kinds[name] is Kind.UUID else "{}").format(Identifier(name)) for name in names]
    missing = {
        column.name: SQL("{} IS NULL").format(Identifier(column.name)) for column in table.columns if column.required
    }
    too_long = {
        column.name: SQL("length({}) > {}").format(Identifier(column.name), Literal(column.max_length))
        for column in table.columns
        if column.max_length and _is_text(column)
    }
    statement = SQL(
        """
        SELECT seq, undecodable::text, {columns}
          FROM {stage} AS staged
         WHERE staging_id = %s AND seq > %s
           AND NOT EXISTS (SELECT FROM {held} AS held
                            WHERE held.connection_id = %s
                              AND held.{key} = staged.{key} AND held.row_hash = staged.row_hash)
         ORDER BY seq LIMIT %s
        """
    ).format(
        columns=SQL(", ").join([_which(missing), _which(too_long), *ruled]),
        stage=stage_table(table),
        held=Identifier("qicworks", table.name),
        key=Identifier(table.key),
    )
    last = 0
    with session.cursor(row_factory=tuple_row) as cursor:
        while rows := cursor.execute(statement, (staged.id, last, connection_id, CHUNK)).fetchall():
            import pandas

            last = rows[-1][0]
            # Objects throughout: a column of nothing but None would otherwise become numbers.
            yield pandas.DataFrame(rows, columns=["seq", "undecodable", MISSING, TOO_LONG, *names], dtype=object)


def _which(conditions: Mapping[str, Composed]) -> Composed:
    """An expression: the names of those conditions that are true, separated by commas; null when there are none."""
    cases = [SQL("CASE WHEN {} THEN {} END").format(one, Literal(name)) for name, one in conditions.items()]
    return SQL("nullif(concat_ws(',', {}), '')").format(SQL(", ").join([SQL("NULL"), *cases]))


def _say_what_was_unreadable(frame: "pandas.DataFrame", problems: dict[int, list[str]]) -> None:
    """Names the fields. Never the values: reasons are read in logs, where values may be nobody's business."""
    unreadable = frame.loc[frame["undecodable"].notna(), ["seq", "undecodable"]]
    for seq, values in unreadable.itertuples(index=False):
        if seq in problems:
            said = _unreadable(json.loads(values))
            problems[seq] = [told for why in problems[seq] for told in (said if why == UNREADABLE else [why])]


def _unreadable(fields: Mapping[str, Mapping[str, Any]]) -> list[str]:
    known = [f"{field} {about['why']}" for field, about in fields.items() if "why" in about]
    others = [field for field, about in fields.items() if "why" not in about]
    return [*([f"{', '.join(others)} cannot be read"] if others else []), *known]
