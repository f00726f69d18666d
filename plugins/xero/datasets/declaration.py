"""What a data set is made of, as data: where it is read, what its columns are, what makes a row acceptable."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
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
class Part:
    """A field of what `find` finds in the record; nothing where it finds nothing."""

    find: Callable[[Record], Record | None]
    field: str


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `source` is the field at Xero, dotted where it is nested (`PaymentTerms.Sales.Day`), or a function of the record, or
    a part of the record, found once for all columns that lie in it.
    """

    name: str
    source: "str | Callable[[Record], object] | Part"
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
    `active` says whether such a row is in use there. `statements` names a file of `include/sql/pull` with what is
    particular to this table: `narrow_`, `before_merge_`, `warnings_`, `after_merge_<name>` and, where only records of
    QicWorks' own documents are kept, `missing_<name>`; each if it is there.
    """

    name: str
    columns: tuple[Column, ...]
    active: Callable[[Record], bool]
    key: str = "xero_id"
    rows: Callable[[Record], Iterable[Record]] = itself
    rules: tuple[Rule, ...] = ()
    statements: str | None = None
    part_of: str | None = None  # the column that names the record which a row is a part of, and goes with
    history: bool = False  # rows stay as they were read; that one is not read again does not mean that it is gone
    group: str | None = None  # a column; that all rows with one of its values are gone at once is not believed
    personal: bool = False  # of what cannot be read, nothing but plain values of the columns is kept
    # Columns of QicWorks' own tables that its statements write, by table.
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own_use: bool = False  # QicWorks itself takes its rows out of use, too: a full pull leaves that as it is
    linked: bool = False  # QicWorks' own rows become records of Xero's: its statements write which one
    person: bool = False  # each row is a person (or may be one), who can ask for what is held, and to be erased

    @property
    def identifier(self) -> str | Callable[[Record], object]:
        """Where a record says which one it is."""
        found = next(column.source for column in self.columns if column.name == self.key)
        assert not isinstance(found, Part)
        return found


def in_use(record: Record) -> bool:
    """What most of Xero's records say in `Status`. No status at all counts as none that is known."""
    return record.get("Status") == "ACTIVE"


class Reading(Enum):
    """What the endpoint can do decides how it is read."""

    PAGED = "paged"  # pages, sorts by UpdatedDateUTC, filters by If-Modified-Since
    CHANGES = "changes"  # one answer, filters by If-Modified-Since
    WHOLE = "whole"  # everything, each time
    BY_ID = "by id"  # one call a record, several at once: those that `to_read` in the data set's statements finds


class Timing(Enum):
    """When a data set is pulled by schedule, each organisation in its own time zone."""

    ANY = "any"  # whenever the schedule says
    NIGHT = "night"  # 2 am
    MIDNIGHT = "midnight"
    PAY_DATE = "pay date"  # the midnight that begins the day on which the organisation pays

    @property
    def of_a_day(self) -> bool:
        """What is read is that day's: it is not to be pulled before the day has begun."""
        return self in (Timing.MIDNIGHT, Timing.PAY_DATE)


PAYROLL_PAGE_SIZE = 100  # records, in Payroll AU


def as_it_is(records: Any) -> Any:
    return records


@dataclass(frozen=True, eq=False)
class Source:
    """An endpoint, and the tables that its records fill.

    A source without tables only lists: what it lists is kept in `xero_sync.stage_seen`, for the statement `to_read`
    of a source that reads by id (`{id}` in its path).
    """

    path: str
    envelope: str  # the plural under which the answer holds the records
    reading: Reading
    tables: tuple[Table, ...] = ()  # parents before children
    params: Mapping[str, str] = field(default_factory=dict)
    page_size: int = 1000  # records; asked for, unless the endpoint's own is fixed
    fixed_page_size: int | None = None  # records; such an endpoint announces no counts, and pages whatever it is asked
    name: str = ""  # tells apart the sources of one data set, and their cursors
    key: str | None = None  # the field that identifies a record, where no table says it
    active: Callable[[Record], bool] = in_use  # of a listed record
    records: Callable[[Any], Any] = as_it_is  # makes a list of what lies under the envelope
    starts_at: str | None = None  # the statement that says from when on a first reading is of interest

    @property
    def payroll(self) -> bool:
        return self.path.startswith("/payroll.xro/")

    @property
    def identifier(self) -> str | Callable[[Record], object]:
        return self.key or self.tables[0].identifier


@dataclass(frozen=True, eq=False)
class Dataset:
    """One kind of thing that is pulled. Its DAG: `pull_<name>`."""

    name: str
    title: str
    help: str
    scope: str
    sources: tuple[Source, ...]  # read in this order; the first decides what is read whole
    statements: str | None = None  # the file of `include/sql/pull` with `to_read` and `starts_at`
    schedule: str = "0 * * * *"  # cron, UTC: how often it is looked who is due
    timing: Timing = Timing.NIGHT
    # Xero does not tell of every change (a contact becomes a customer), and never of a record that is gone.
    whole_every: timedelta | None = timedelta(days=6, hours=20)
    rejected_share: float = 0.2  # more than this share of bad rows, and nothing is loaded
    shrink_share: float = 0.5  # a whole reading that brings less than this share of what is known is not believed

    @property
    def tables(self) -> tuple[Table, ...]:
        """All that it fills, in the order of loading."""
        return tuple(dict.fromkeys(table for source in self.sources for table in source.tables))

    @property
    def payroll(self) -> bool:
        return any(source.payroll for source in self.sources)


# What reading by id adds to a record: the day of the reading, in the organisation's time zone.
READ_ON = "(read on)"

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
