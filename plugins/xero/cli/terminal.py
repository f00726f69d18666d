"""Shared by all commands: output to the terminal, tables, skipped organisations, failures."""

import logging
import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from xero.api.errors import XeroError
from xero.api.settings import XeroApp
from xero.cli import airflow_connections
from xero.qicworks.texts import on_a_line
from xero.sync.runs.outcome import PullFailed, Skip

log = logging.getLogger("xero")

# Control and text-direction characters: names and messages may come from Xero or from other writers of the tables.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """The text without control characters."""
    return _OBEYED.sub("", text)


class _Plain(Console):
    """Prints texts without control characters."""

    def print(self, *objects: Any, **how: Any) -> None:
        super().print(*(plain(one) if isinstance(one, str) else one for one in objects), **how)


class PlainFormatter(logging.Formatter):
    """Formats log records without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


out = _Plain(soft_wrap=not sys.stdout.isatty(), highlight=False, emoji=False, markup=False)

FORESEEN = (XeroError, PullFailed, Skip)


@cache
def app_of(conn_id: str) -> XeroApp:
    return XeroApp.from_connection(airflow_connections.get(conn_id))


def complain(text: str) -> None:
    print(plain(text), file=sys.stderr)


def say_who(taken: Sequence[Any], left_out: Sequence[object]) -> None:
    """Prints which organisations are skipped, and why."""
    for reason in left_out:
        complain(f"left out: {reason}")
    if not taken and not left_out:
        complain("no organisation is connected; run `python -m xero connect --all`")


def say_failed(label: str, error: Exception) -> None:
    """Prints one line about the error of this organisation; the traceback is logged at debug level."""
    if isinstance(error, FORESEEN):
        complain(f"{label}: {'skipped' if isinstance(error, Skip) else 'failed'}: {error}")
    else:
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
        complain(f"{label}: failed: {reason} (-v shows the traceback)")


def progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[rows]} records"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not sys.stdout.isatty(),
    )


def show(table: Table, if_empty: str) -> None:
    """A table on a terminal, tab-separated lines elsewhere."""
    if not table.row_count:
        print(if_empty)
        return
    for column in table.columns:
        column._cells = [on_a_line(str(cell)) for cell in column.cells]
    if sys.stdout.isatty():
        out.print(table)
    else:
        columns = [[str(column.header), *map(str, column.cells)] for column in table.columns]
        for row in zip(*columns, strict=True):
            print("\t".join(row))
