"""What is looked at when all has calmed down: plain data from both sides, read once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]


@dataclass
class Side:
    """One organisation: Xero's records by collection, QicWorks' rows by table, and the documents that were pushed."""

    name: str
    tenant: str
    connection: Row
    payroll: bool
    truth: dict[str, list[Row]] = field(default_factory=dict)
    held: dict[str, list[Row]] = field(default_factory=dict)
    documents: list["Document"] = field(default_factory=list)
    records: list["Record"] = field(default_factory=list)
    templates: dict[str, Row] = field(default_factory=dict)  # employee → the pay template, before anything was pushed
    invoices: list[Row] = field(default_factory=list)  # those of QicWorks that stand in Xero

    def keys_of(self, rejections: Iterable[Row], table: str) -> set[str]:
        """The records of that table whose newest version was rejected: here the last good one stays."""
        mine = (one for one in rejections if one["connection_id"] == self.connection["id"])
        return {one["key"] for one in mine if one["table_name"] == table and one["closed_at"] is None}


@dataclass
class Document:
    """A document of QicWorks: what it says, and how its push ended."""

    kind: str
    row: Row
    ours: Row  # fields that are compared
    files: list[tuple[str, str, str]] = field(default_factory=list)  # name, type, hash
    attached: list[tuple[str, str, str]] = field(default_factory=list)  # the same, in Xero
    touched: bool = False  # somebody did something to it in Xero

    @property
    def name(self) -> str:
        return f"{self.kind} {self.row.get('number') or self.row['id']}"


@dataclass
class Record:
    """What stands in Xero and did not at the beginning."""

    kinds: tuple[str, ...]  # those that it could be of
    xero_id: str
    number: str
    status: str
    theirs: Row


@dataclass
class Call:
    """What the sandbox's journal says of one call; the time is this machine's."""

    at: datetime
    method: str
    path: str
    tenant: str | None
    status: int
    fault: str | None = None


@dataclass
class Facts:
    """All of them. `texts`: where it was read, and what is written there; `secrets`: what it is → itself."""

    sides: list[Side] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    rejections: list[Row] = field(default_factory=list)
    cursors: list[Row] = field(default_factory=list)
    staging: list[Row] = field(default_factory=list)
    staged: dict[str, int] = field(default_factory=dict)  # staging table → rows
    tasks: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    audits: list[Row] = field(default_factory=list)
    task_logs: dict[tuple[str, str, str, int], str] = field(default_factory=dict)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    texts: Iterable[tuple[str, str]] = ()


@dataclass
class Result:
    """What a check found. No complaint: it holds."""

    title: str
    compared: str
    wrong: list[str] = field(default_factory=list)


SLACK = timedelta(seconds=0.5)  # between the sandbox's clock and the database's


def same(ours: Any, theirs: Any) -> bool:
    """Ids as text; empty text as none; numbers by their value."""
    return plain(ours) == plain(theirs)


def plain(value: Any) -> Any:
    return str(value) if type(value).__name__ == "UUID" else None if value == "" else value


def unlike(what: str, ours: Row, theirs: Row) -> Iterator[str]:
    """The fields of `theirs` that are something else in `ours`."""
    for name, value in theirs.items():
        if not same(ours.get(name), value):
            yield f"{what}: {name} is {ours.get(name)!r} in QicWorks, {value!r} in Xero"
