"""From a record of Xero's answer to the rows of its tables: types fixed here, what cannot be read kept aside."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, cast
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from xero.api import wire
from xero.api.answers import or_none
from xero.datasets.declaration import Column, ColumnType, Part, Record, Table, itself
from xero.qicworks.pull.rejections import Rejection
from xero.qicworks.pull.staging import StagedRow


def words(value: object) -> str | None:
    """Text as Xero sent it; blank text says as little as none."""
    text = wire.text(value)
    return text if text and not text.isspace() else None


def identity(value: object) -> UUID | None:
    """An id; all zeros is how .NET says that there is none."""
    found = wire.uuid(value)
    return None if found is None or found.int == 0 else found


READERS: Mapping[ColumnType, Callable[[object], Any]] = {
    ColumnType.TEXT: words,
    ColumnType.UUID: identity,
    ColumnType.BOOLEAN: wire.boolean,
    ColumnType.NUMBER: wire.number,
    ColumnType.DATE: wire.date,
    ColumnType.INSTANT: wire.instant,
}
Parts = dict[Callable[[Record], Record | None], list[Record | None]]
UNFIT = (ValueError, AttributeError, TypeError, KeyError)  # what an odd record raises where it is looked into


class TooLarge(ValueError):
    """A number with more digits than QicWorks keeps. Says so without the number."""


def all_words(values: Sequence[object]) -> list[str | None]:
    """`words` of each; one look at all of them together tells whether one is unfit."""
    if not set(map(type, values)) <= {str, NoneType}:
        raise ValueError("not all of it is text")
    texts = cast("Sequence[str | None]", values)
    wire.text("".join(filter(None, texts)))
    return [text if text and not text.isspace() else None for text in texts]


def reader(column: Column, on_rounding: Callable[[], None] = lambda: None) -> Callable[[object], Any]:
    """Reads the column's type; ValueError says what does not fit. What has more decimals than are kept is rounded, half
    to even, and `on_rounding` is called."""
    read = READERS[column.type]
    if column.digits is None:
        return read
    before, after = column.digits

    def read_number(value: object) -> Decimal | None:
        if type(value) is int and abs(value) < 10**before:
            return Decimal(value)
        exact: Decimal | None = read(value)
        if exact is None:
            return None
        # What is too large is not rounded first: of more than 28 digits a Decimal cannot be.
        rounded = round(exact, after) if abs(exact) < 10**before else exact
        if abs(rounded) >= 10**before:
            raise TooLarge(f"has more than {before} digits before the point")
        if rounded == exact:
            return exact
        on_rounding()
        return rounded

    return read_number


def source(column: Column) -> Callable[[Record], object]:
    """Finds the column's value in a record. A path that leads through nothing finds None."""
    if isinstance(column.source, Part):
        find_part, field = column.source.find, column.source.field
        return lambda record: (find_part(record) or {}).get(field)
    if callable(column.source):
        return column.source
    path = column.source.split(".")

    def find(record: Record) -> object:
        value: Any = record
        for name in path:
            value = None if value is None else value.get(name)
        return value

    return find


class _Column:
    """One column's way from records to values: of one record, and of a page of them, which costs much less for each."""

    def __init__(self, column: Column) -> None:
        self.name = column.name
        self.sent = isinstance(column.source, str)  # the value is one that Xero sent, not one made of several
        self.field = column.source if isinstance(column.source, str) else column.name
        self.is_text = column.type is ColumnType.TEXT
        self.part = column.source if isinstance(column.source, Part) else None
        self.find = source(column)
        self.rounded = 0
        self.read = reader(column, self._count_rounded)

    def _count_rounded(self) -> None:
        self.rounded += 1

    def of_all(self, records: Sequence[Record], parts: Parts) -> list[Any]:
        """What `find` and `read` give of each. Raises one of UNFIT when one of them does not fit.

        `parts` keeps what parts of the same records were found for other columns.
        """
        if self.part:
            if self.part.find not in parts:
                parts[self.part.find] = list(map(self.part.find, records))
            field = self.part.field
            values = [part.get(field) if part else None for part in parts[self.part.find]]
        elif self.sent:
            first, *further = self.field.split(".")
            values = [record.get(first) for record in records]
            for name in further:
                values = [None if value is None else value.get(name) for value in values]
        else:
            values = list(map(self.find, records))
        if self.is_text:
            return all_words(values)
        read = self.read
        return [None if value is None else read(value) for value in values]


class Rows:
    """Makes staged rows of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = [_Column(column) for column in table.columns]

    @property
    def warnings(self) -> list[str]:
        """What was rounded, by column."""
        return [
            f"{self.table.name}: {column.rounded} values of {column.name} have more decimals than QicWorks keeps, and "
            "were rounded"
            for column in self.columns
            if column.rounded
        ]

    def of(self, record: object, id: str | None = None) -> list[StagedRow]:
        """The table's rows in one record. What is no record at all becomes a row that says so.

        `id` is what the record was asked for by: also what cannot be read is then known as a part of it.
        """
        return self.of_page([record], id)[0]

    def of_page(self, records: Sequence[object], id: str | None = None) -> tuple[list[StagedRow], list[object]]:
        """The table's rows in these records, in their order, and the records that have none."""
        found: list[Record] = []
        unreadable: dict[int, StagedRow] = {}  # by its place among the rows
        without: list[object] = []
        if self.table.rows is itself and set(map(type, records)) == {dict}:  # as nearly always
            return self._rows(cast("Sequence[Record]", records)), without
        for record in records:
            try:
                parts: Sequence[object] = tuple(self.table.rows(record))  # type: ignore[arg-type]
            except UNFIT:
                unreadable[len(found) + len(unreadable)] = self._unreadable(record, id)
                continue
            if not parts:
                without.append(record)
            for part in parts:
                if isinstance(part, dict):
                    found.append(part)
                else:
                    unreadable[len(found) + len(unreadable)] = self._unreadable(part, id)
        rows = self._rows(found)
        for place, row in unreadable.items():
            rows.insert(place, row)
        return rows, without

    def again(self, rejection: Rejection) -> StagedRow:
        """An open rejection as a row. What could not be read is read once more where it was kept as it came."""
        values: list[Any] = []
        undecodable: dict[str, Any] = {}
        for column in self.columns:
            kept = rejection.undecodable.get(column.field)
            try:
                if kept is not None and "sent" not in kept:
                    raise ValueError("only its description is kept")
                values.append(column.read(kept["sent"] if kept else rejection.record.get(column.name)))
            except ValueError:
                values.append(None)
                undecodable[column.field] = kept or {"sent": rejection.record.get(column.name)}
        if WHOLE_RECORD in rejection.undecodable:
            undecodable[WHOLE_RECORD] = rejection.undecodable[WHOLE_RECORD]
        return self._staged(values, bool(rejection.record.get("is_active")), undecodable, retried=True)

    def _rows(self, records: Sequence[Record]) -> list[StagedRow]:
        undecodable: dict[int, dict[str, Any]] = defaultdict(dict)  # by the place of its record
        parts: Parts = {}
        columns = [self._values(column, records, parts, undecodable) for column in self.columns]
        actives = map(self._active, records)
        return [
            self._staged(values, active, undecodable.get(place, {}), retried=False)
            for place, (active, values) in enumerate(zip(actives, zip(*columns, strict=True), strict=True))
        ]

    def _values(
        self, column: _Column, records: Sequence[Record], parts: Parts, undecodable: dict[int, dict[str, Any]]
    ) -> list[Any]:
        rounded = column.rounded
        try:
            return column.of_all(records, parts)
        except UNFIT:  # one or more of them: which, and how, is looked at one by one
            column.rounded = rounded
            return [self._value(column, record, undecodable, place) for place, record in enumerate(records)]

    def _value(self, column: _Column, record: Record, undecodable: dict[int, dict[str, Any]], place: int) -> Any:
        """None where it cannot be read; what came is kept."""
        try:
            value = column.find(record)
        except UNFIT:
            made_of = record.get(column.field.partition(".")[0], "what it is made of")
            undecodable[place][column.field] = self._shown(made_of, False)
            return None
        try:
            return column.read(value)
        except ValueError as error:
            why = {"why": str(error)} if isinstance(error, TooLarge) else {}
            undecodable[place][column.field] = self._shown(value, column.sent) | why
            return None

    def _unreadable(self, record: object, id: str | None) -> StagedRow:
        undecodable = {WHOLE_RECORD: self._shown(record, False)}
        values = [column.read(id) if column.name == self.table.parent_key else None for column in self.columns]
        return self._staged(values, False, undecodable, retried=False)

    def _shown(self, value: object, as_it_came: bool) -> dict[str, Any]:
        """What is kept of a value that could not be read. Of a person only a plain one: others may hold anything."""
        if self.table.keep_no_raw_values and not (as_it_came and isinstance(value, str | int | Decimal)):
            return {"shown": f"not kept, since it may be personal: {type(value).__name__}"}
        return as_sent(value) if as_it_came else {"shown": shown(value)}

    def _active(self, record: Record) -> bool:
        try:
            return bool(self.table.active(record))
        except (AttributeError, TypeError, KeyError):
            return False

    def _staged(
        self, values: Sequence[Any], active: bool, undecodable: Mapping[str, Any], *, retried: bool
    ) -> StagedRow:
        said = msgspec.msgpack.encode((active, values))
        if undecodable:  # of which nothing is known, not even that an integer fits 64 bits
            said += repr(undecodable).encode("utf-8", "surrogatepass")
        row_hash = hashlib.blake2b(said, digest_size=16).digest()
        return (row_hash, active, retried, Jsonb(undecodable) if undecodable else None, *values)


WHOLE_RECORD = "the record"
LONGEST_KEPT = 1000


def as_sent(value: object) -> dict[str, Any]:
    """A value that could not be read: as it came, so that another rule may read it, or else only described."""
    if value is None or isinstance(value, bool | int):
        return {"sent": value}
    described = shown(value)
    return {"sent": value} if described == value else {"shown": described}


def shown(value: object) -> str:
    """Fit for an operator and for JSON in PostgreSQL: at most 1,000 characters, what it cannot hold escaped."""
    text = value if isinstance(value, str) else repr(value)
    return text[:LONGEST_KEPT].encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


EARLIEST = datetime(1753, 1, 1, tzinfo=UTC)  # Xero cannot be asked for what changed since an earlier moment


def version(record: object) -> datetime | None:
    """`UpdatedDateUTC` of a record; None where it cannot be read, or is .NET's zero or another day before 1753."""
    found = or_none(wire.instant, record.get("UpdatedDateUTC")) if isinstance(record, dict) else None
    return found if found and found >= EARLIEST else None


def in_words(instant: datetime | None) -> str:
    return "the beginning" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
