"""Declarations of data sets: which endpoint is read, into which columns, and which rows are accepted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Literal

Record = Mapping[str, Any]


class ColumnType(Enum):
    """The type of a value, fixed when a response is read."""

    TEXT = "text"
    UUID = "uuid"
    BOOLEAN = "boolean"
    NUMBER = "number"  # Decimal, never float
    DATE = "date"
    INSTANT = "instant"  # aware, UTC


@dataclass(frozen=True)
class Part:
    """A field of the object that `find` finds in the record; empty where it finds none."""

    find: Callable[[Record], Record | None]
    field: str


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `source` is the field at Xero, dotted where it is nested (`PaymentTerms.Sales.Day`), or a function of the record, or
    a part of the record, found once for all its columns.
    """

    name: str
    source: "str | Callable[[Record], object] | Part"
    type: ColumnType = ColumnType.TEXT
    required: bool = False
    max_length: int | None = None
    digits: tuple[int, int] | None = None  # of a NUMBER: how many before and after the point fit the column


@dataclass(frozen=True)
class Rule:
    """A Great Expectations expectation in addition to those of the columns. With severity `warn` the row is loaded."""

    expectation: str  # the class's name in great_expectations.expectations
    column: str
    message: str  # in an operator's words
    severity: Literal["reject", "warn"] = "reject"
    arguments: Mapping[str, Any] = field(default_factory=dict)


def itself(record: Record) -> Iterable[Record]:
    return (record,)


@dataclass(frozen=True, eq=False)
class Table:
    """A table of schema `qicworks`, filled from `xero_sync.stage_<name>`.

    `rows` finds this table's rows in one record of the response. The key column identifies a row in Xero permanently;
    `active` is whether such a row is in use there. `statements` names a file of `include/sql/pull` with what is
    particular to this table: `filter_`, `before_merge_`, `warnings_`, `after_merge_<name>` and, where only records of
    QicWorks' own documents are kept, `missing_<name>`; each if it is there.
    """

    name: str
    columns: tuple[Column, ...]
    active: Callable[[Record], bool]
    key: str = "xero_id"
    rows: Callable[[Record], Iterable[Record]] = itself
    rules: tuple[Rule, ...] = ()
    statements: str | None = None
    parent_key: str | None = None  # the column that names the record which a row is a part of, and is read with
    person_key: str | None = None  # the column that names the person, of another table, whom a row is about
    append_only: bool = False  # rows are never updated or deactivated: one that is not read again is not missing
    guard_by: str | None = None  # a column: if all rows with one of its values are missing at once, they are kept
    keep_no_raw_values: bool = False  # of what cannot be read, only plain values of the columns are kept
    # Columns of QicWorks' own tables that its statements write, by table.
    also_updates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deactivated_in_qicworks: bool = False  # users of QicWorks deactivate rows, too: a full pull does not undo that
    linked: bool = False  # QicWorks' own rows become records of Xero's: sync/pull/newcomers.py decides which one
    is_person: bool = False  # each row is (or may be) a person, who can ask for their data and for its erasure

    @property
    def owner_key(self) -> str | None:
        """The column that names the record to which a row belongs: which it is a part of, or the person it is about."""
        return self.parent_key or self.person_key

    @property
    def identifier(self) -> str | Callable[[Record], object]:
        """The field or function that identifies a record."""
        found = next(column.source for column in self.columns if column.name == self.key)
        assert not isinstance(found, Part)
        return found


def in_use(record: Record) -> bool:
    """Whether the record's `Status` is ACTIVE, as in most endpoints. A missing status counts as inactive."""
    return record.get("Status") == "ACTIVE"


class Reading(Enum):
    """How an endpoint is read, by what it can do."""

    PAGED = "paged"  # pages, sorts by UpdatedDateUTC, filters by If-Modified-Since
    CHANGES = "changes"  # one response, filters by If-Modified-Since
    FULL = "full"  # all records, each time
    NEWEST_FIRST = "newest first"  # pages, sorts by UpdatedDateUTC, cannot filter: read back to what is known
    BY_ID = "by id"  # one call a record, several at once, for the ids that the statement `ids_to_fetch` finds


class Timing(Enum):
    """When a data set is pulled by schedule, each organisation in its own time zone."""

    ANY = "any"  # whenever the schedule says
    NIGHT = "night"  # 2 am, unless the settings of an organisation say otherwise
    MIDNIGHT = "midnight"
    PAY_DATE = "pay date"  # the midnight that begins the day on which the organisation pays

    @property
    def of_a_day(self) -> bool:
        """Whether the data is of that day, so must not be pulled before the day has begun."""
        return self in (Timing.MIDNIGHT, Timing.PAY_DATE)


class Follows(Enum):
    """What became of which documents a data set tells: after its load they are compared with it."""

    PRICED = "priced"  # documents with priced lines
    LEAVE = "leave"
    CONTACTS = "contacts"  # that were linked to a record of Xero's


PAYROLL_PAGE_SIZE = 100  # records, in Payroll AU


def as_it_is(records: Any) -> Any:
    return records


@dataclass(frozen=True, eq=False)
class Source:
    """An endpoint, and the tables that its records fill.

    A source without tables only lists: the ids go to `xero_sync.stage_seen`, for the statement `ids_to_fetch` of a
    source that reads by id (`{id}` in its path).
    """

    path: str
    envelope: str  # the key of the records in the response, a plural
    reading: Reading
    tables: tuple[Table, ...] = ()  # parents before children
    params: Mapping[str, str] = field(default_factory=dict)
    page_size: int = 1000  # records; asked for, unless the endpoint's own is fixed
    fixed_page_size: int | None = (
        None  # records; such an endpoint announces no counts, and ignores the page size that is asked for
    )
    name: str = ""  # distinguishes the sources of one data set, and their cursors
    key: str | None = None  # the field that identifies a record, if no table does
    active: Callable[[Record], bool] = in_use  # of a listed record
    records: Callable[[Any], Any] = as_it_is  # makes a list of the value under the envelope
    starts_at: str | None = None  # the statement that finds the time from which a first reading is of interest
    ids: str = "ids_to_fetch"  # the statement that finds what is read by id
    # A list of only some of the records, read by what changed where this one fails; it never counts as full.
    fallback: str | None = None

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
    sources: tuple[Source, ...]  # read in this order; the first decides when all of them are read in full
    statements: str | None = None  # the file of `include/sql/pull` with the statements that its sources name
    schedule: str = "0 * * * *"  # cron, UTC: how often the DAG looks which organisations are due
    timing: Timing = Timing.NIGHT
    # Xero's filter misses some changes (a contact becomes a customer), and records that no longer exist.
    full_every: timedelta | None = timedelta(days=6, hours=20)
    rejected_share: float = 0.2  # nothing is loaded if a larger share of the rows is bad
    shrink_share: float = 0.5  # nothing is loaded if a full reading brings a smaller share of the known rows
    full_if: str | None = None  # the statement that finds whether all must be read again: left out rows are needed now
    follows: Follows | None = None
    optional: bool = False  # a setting of each organisation switches its pull off

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that it fills, in the order of loading."""
        return tuple(dict.fromkeys(table for source in self.sources for table in source.tables))

    @property
    def payroll(self) -> bool:
        return any(source.payroll for source in self.sources)


# A field that reading by id adds to a record: the day of the reading, in the organisation's time zone.
READ_ON = "(read on)"

UPDATED = Column("xero_updated_at", "UpdatedDateUTC", ColumnType.INSTANT)


def status_column(source: str = "Status") -> Column:
    return Column("status", source, max_length=50)


def known_status(*known: str) -> tuple[Rule, ...]:
    """Rows with an unknown or missing status are loaded as inactive, with a warning."""
    message = f"status is none of {', '.join(known)}: loaded as inactive"
    return (
        Rule("ExpectColumnValuesToBeInSet", "status", message, "warn", {"value_set": list(known)}),
        Rule("ExpectColumnValuesToNotBeNull", "status", message, "warn"),
    )
