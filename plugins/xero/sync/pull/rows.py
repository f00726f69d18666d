"""Makes rows from the records in a response: fixes their types, and keeps unreadable values apart."""

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


def read_text(value: object) -> str | None:
    """Text as Xero sent it; None if it is blank."""
    text = wire.text(value)
    return text if text and not text.isspace() else None


def read_id(value: object) -> UUID | None:
    """An id; None if it is all zeros, as .NET sends if there is none."""
    found = wire.uuid(value)
    return None if found is None or found.int == 0 else found


READERS: Mapping[ColumnType, Callable[[object], Any]] = {
    ColumnType.TEXT: read_text,
    ColumnType.UUID: read_id,
    ColumnType.BOOLEAN: wire.boolean,
    ColumnType.NUMBER: wire.number,
    ColumnType.DATE: wire.date,
    ColumnType.INSTANT: wire.instant,
}
Parts = dict[Callable[[Record], Record | None], list[Record | None]]
UNREADABLE = (ValueError, AttributeError, TypeError, KeyError)  # raised by a record with an unexpected shape


class TooLarge(ValueError):
    """A number has more digits than QicWorks stores. The message is without the number."""


def read_texts(values: Sequence[object]) -> list[str | None]:
    """`read_text` of each, checked all together. Raises ValueError if one cannot be read."""
    if not set(map(type, values)) <= {str, NoneType}:
        raise ValueError("not all of it is text")
    texts = cast("Sequence[str | None]", values)
    wire.text("".join(filter(None, texts)))
    return [text if text and not text.isspace() else None for text in texts]


def reader(column: Column, on_rounding: Callable[[], None] = lambda: None) -> Callable[[object], Any]:
    """Returns the reader of the column's type, which raises ValueError if a value does not fit.

    Numbers with more decimals than are stored are rounded, half to even, and `on_rounding` is called.
    """
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
        # A number that is too large is not rounded: that fails for a Decimal of more than 28 digits.
        rounded = round(exact, after) if abs(exact) < 10**before else exact
        if abs(rounded) >= 10**before:
            raise TooLarge(f"has more than {before} digits before the point")
        if rounded == exact:
            return exact
        on_rounding()
        return rounded

    return read_number


def source(column: Column) -> Callable[[Record], object]:
    """Returns the function that finds the column's value in a record; None if an object of the path is missing."""
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
    """Reads one column, of a single record or of a page of records, which costs much less for each."""

    def __init__(self, column: Column) -> None:
        self.name = column.name
        self.sent = isinstance(column.source, str)  # whether Xero sent the value itself, not several that it is made of
        self.field = column.source if isinstance(column.source, str) else column.name
        self.is_text = column.type is ColumnType.TEXT
        self.part = column.source if isinstance(column.source, Part) else None
        self.find = source(column)
        self.rounded = 0
        self.read = reader(column, self._count_rounded)

    def _count_rounded(self) -> None:
        self.rounded += 1

    def of_all(self, records: Sequence[Record], parts: Parts) -> list[Any]:
        """The values of the column in these records. Raises one of UNREADABLE if one does not fit.

        `parts` are parts of the same records that were found for other columns already.
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
            return read_texts(values)
        read = self.read
        return [None if value is None else read(value) for value in values]


class Rows:
    """Makes staged rows of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = [_Column(column) for column in table.columns]

    @property
    def warnings(self) -> list[str]:
        """The number of rounded values, by column."""
        return [
            f"{self.table.name}: {column.rounded} values of {column.name} have more decimals than QicWorks stores, and "
            "were rounded"
            for column in self.columns
            if column.rounded
        ]

    def of(self, record: object, id: str | None = None) -> list[StagedRow]:
        """The table's rows in one record; if it cannot be read, one row that reports it.

        `id` is what the record was asked for by: an unreadable row is then known as a part of it.
        """
        return self.of_page([record], id)[0]

    def of_page(self, records: Sequence[object], id: str | None = None) -> tuple[list[StagedRow], list[object]]:
        """Returns the table's rows in these records, in order, and the records without rows."""
        found: list[Record] = []
        unreadable: dict[int, StagedRow] = {}  # by its place among the rows
        without: list[object] = []
        if self.table.rows is itself and set(map(type, records)) == {dict}:  # as nearly always
            return self._rows(cast("Sequence[Record]", records)), without
        for record in records:
            try:
                parts: Sequence[object] = tuple(self.table.rows(record))  # type: ignore[arg-type]
            except UNREADABLE:
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

    def retry(self, rejection: Rejection) -> StagedRow:
        """Returns an open rejection as a row. Reads unreadable values again if they were kept as they came."""
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
        undecodable: dict[int, dict[str, Any]] = defaultdict(dict)  # by the position of its record
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
        except UNREADABLE:  # one or more of them: read one by one to find which
            column.rounded = rounded
            return [self._value(column, record, undecodable, place) for place, record in enumerate(records)]

    def _value(self, column: _Column, record: Record, undecodable: dict[int, dict[str, Any]], place: int) -> Any:
        """The value of one record; None if it cannot be read, and what came is kept in `undecodable`."""
        try:
            value = column.find(record)
        except UNREADABLE:
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
        """What is kept of an unreadable value: of a person only a plain one, because others may contain anything."""
        if self.table.keep_no_raw_values and not (as_it_came and isinstance(value, str | int | Decimal)):
            return {"shown": f"not kept, since it may be personal: {type(value).__name__}"}
        return as_received(value) if as_it_came else {"shown": describe(value)}

    def _active(self, record: Record) -> bool:
        try:
            return bool(self.table.active(record))
        except (AttributeError, TypeError, KeyError):
            return False

    def _staged(
        self, values: Sequence[Any], active: bool, undecodable: Mapping[str, Any], *, retried: bool
    ) -> StagedRow:
        content = msgspec.msgpack.encode((active, values))
        if undecodable:  # any JSON, also an integer of more than 64 bits
            content += repr(undecodable).encode("utf-8", "surrogatepass")
        row_hash = hashlib.blake2b(content, digest_size=16).digest()
        return (row_hash, active, retried, Jsonb(undecodable) if undecodable else None, *values)


WHOLE_RECORD = "the record"
MAX_CHARACTERS_KEPT = 1000


def as_received(value: object) -> dict[str, Any]:
    """An unreadable value as it came, so a later version may read it; or only described."""
    if value is None or isinstance(value, bool | int):
        return {"sent": value}
    described = describe(value)
    return {"sent": value} if described == value else {"shown": described}


def describe(value: object) -> str:
    """The value as text for people and for JSON in PostgreSQL: at most 1,000 characters, control characters escaped."""
    text = value if isinstance(value, str) else repr(value)
    return text[:MAX_CHARACTERS_KEPT].encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


EARLIEST_VERSION = datetime(1753, 1, 1, tzinfo=UTC)  # Xero cannot be asked for changes since an earlier time


def version(record: object) -> datetime | None:
    """`UpdatedDateUTC` of a record; None if it cannot be read or is before 1753, such as .NET's zero."""
    found = or_none(wire.instant, record.get("UpdatedDateUTC")) if isinstance(record, dict) else None
    return found if found and found >= EARLIEST_VERSION else None


def format_instant(instant: datetime | None) -> str:
    return "the beginning" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
