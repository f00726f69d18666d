"""What a data set is made of, as data: where it is read, what its columns are, what makes a row acceptable."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

Record = Mapping[str, Any]


class Kind(Enum):
    """What a value is, fixed at the wire."""

    TEXT = "text"
    UUID = "uuid"
    BOOLEAN = "boolean"
    NUMBER = "number"  # Decimal, never float
    DATE = "date"
    INSTANT = "instant"  # aware, UTC


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `source` is the field at Xero, dotted where it is nested (`PaymentTerms.Sales.Day`), or a function of the record.
    """

    name: str
    source: str | Callable[[Record], object]
    kind: Kind = Kind.TEXT
    required: bool = False
    max_length: int | None = None
    digits: tuple[int, int] | None = None  # of a NUMBER: how many before and after the point fit the column


@dataclass(frozen=True)
class Rule:
    """A Great Expectations expectation beyond what the columns imply. `severity` warn lets the row load."""

    expectation: str  # the class's name in great_expectations.expectations
    column: str
    says: str  # in an operator's words
    severity: Literal["reject", "warn"] = "reject"
    arguments: Mapping[str, Any] = field(default_factory=dict)


def itself(record: Record) -> Iterable[Record]:
    return (record,)


@dataclass(frozen=True, eq=False)
class Table:
    """A table of schema `qicworks`, filled from `xero_sync.stage_<name>`.

    `rows` finds this table's rows in one record of the answer. The key column identifies a row at Xero for good;
    `active` says whether such a row is in use there.
    """

    name: str
    columns: tuple[Column, ...]
    active: Callable[[Record], bool]
    key: str = "xero_id"
    rows: Callable[[Record], Iterable[Record]] = itself
    rules: tuple[Rule, ...] = ()


def in_use(record: Record) -> bool:
    """What most of Xero's records say in `Status`. No status at all counts as none that is known."""
    return record.get("Status") == "ACTIVE"


class Reading(Enum):
    """What the endpoint can do decides how it is read."""

    PAGED = "paged"  # pages, sorts by UpdatedDateUTC, filters by If-Modified-Since
    CHANGES = "changes"  # one answer, filters by If-Modified-Since
    WHOLE = "whole"  # one answer with everything


@dataclass(frozen=True, eq=False)
class Dataset:
    """One kind of thing that is pulled. Its DAG: `pull_<name>`; its statements: `include/sql/pull/<name>.sql`."""

    name: str
    title: str
    help: str
    path: str
    envelope: str  # the plural under which the answer holds the records
    scope: str
    reading: Reading
    tables: tuple[Table, ...]  # parents before children
    params: Mapping[str, str] = field(default_factory=dict)
    schedule: str = "0 2 * * *"  # cron, UTC
    page_size: int = 1000
    rejected_share: float = 0.2  # more than this share of bad rows, and nothing is loaded
    shrink_share: float = 0.5  # a whole reading that brings less than this share of what is known is not believed


UPDATED = Column("xero_updated_at", "UpdatedDateUTC", Kind.INSTANT)


def status_column(source: str = "Status") -> Column:
    return Column("status", source, max_length=50)


def known_status(*known: str) -> tuple[Rule, ...]:
    """An unknown status is loaded, as inactive; so is none at all."""
    says = f"status is none of {', '.join(known)}: loaded as inactive"
    return (
        Rule("ExpectColumnValuesToBeInSet", "status", says, "warn", {"value_set": list(known)}),
        Rule("ExpectColumnValuesToNotBeNull", "status", says, "warn"),
    )
