"""From a record of Xero's answer to the rows of its tables: types fixed here, what cannot be read kept aside."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from xero.api import wire
from xero.datasets.declaration import Column, Kind, Record, Table
from xero.qicworks.rejections import Rejection
from xero.qicworks.staging import StagedRow


def words(value: object) -> str | None:
    """Text as Xero sent it; blank text says as little as none."""
    text = wire.text(value)
    return text if text and not text.isspace() else None


def identity(value: object) -> UUID | None:
    """An id; all zeros is how .NET says that there is none."""
    found = wire.uuid(value)
    return None if found is None or found.int == 0 else found


READERS: Mapping[Kind, Callable[[object], Any]] = {
    Kind.TEXT: words,
    Kind.UUID: identity,
    Kind.BOOLEAN: wire.boolean,
    Kind.NUMBER: wire.number,
    Kind.DATE: wire.date,
    Kind.INSTANT: wire.instant,
}


def reader(column: Column) -> Callable[[object], Any]:
    """Reads the column's type; ValueError says what does not fit."""
    read = READERS[column.kind]
    if column.digits is None:
        return read
    before, after = column.digits

    def read_number(value: object) -> Decimal | None:
        exact: Decimal | None = read(value)
        if exact is not None and (abs(exact) >= 10**before or exact != round(exact, after)):
            raise ValueError(f"{exact} has more than {before} digits before or {after} after the point")
        return exact

    return read_number


def source(column: Column) -> Callable[[Record], object]:
    """Finds the column's value in a record. A path that leads through nothing finds None."""
    if callable(column.source):
        return column.source
    if "." not in column.source:
        name = column.source
        return lambda record: record.get(name)
    path = column.source.split(".")

    def find(record: Record) -> object:
        value: Any = record
        for name in path:
            value = None if value is None else value.get(name)
        return value

    return find


class Rows:
    """Makes staged rows of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = [
            (
                column.name,
                column.source if isinstance(column.source, str) else column.name,
                source(column),
                reader(column),
                isinstance(column.source, str),  # the value is one that Xero sent, not one made of several
            )
            for column in table.columns
        ]

    def of(self, record: object, id: str | None = None) -> Iterable[StagedRow]:
        """The table's rows in one record. What is no record at all becomes a row that says so.

        `id` is what the record was asked for by: also what cannot be read is then known as a part of it.
        """
        try:
            found = list(self.table.rows(record))  # type: ignore[arg-type]
        except (AttributeError, TypeError, ValueError, KeyError):
            return [self._unreadable(record, id)]
        return [self._row(row) if isinstance(row, Mapping) else self._unreadable(row, id) for row in found]

    def again(self, rejection: Rejection) -> StagedRow:
        """An open rejection as a row. What could not be read is read once more where it was kept as it came."""
        values: list[Any] = []
        undecodable: dict[str, Any] = {}
        for name, field, _, read, _ in self.columns:
            kept = rejection.undecodable.get(field)
            try:
                if kept is not None and "sent" not in kept:
                    raise ValueError("only its description is kept")
                values.append(read(kept["sent"] if kept else rejection.record.get(name)))
            except ValueError:
                values.append(None)
                undecodable[field] = kept or {"sent": rejection.record.get(name)}
        if WHOLE_RECORD in rejection.undecodable:
            undecodable[WHOLE_RECORD] = rejection.undecodable[WHOLE_RECORD]
        return self._staged(values, bool(rejection.record.get("is_active")), undecodable, retried=True)

    def _row(self, record: Record) -> StagedRow:
        values: list[Any] = []
        undecodable: dict[str, Any] = {}
        for _, field, find, read, as_it_came in self.columns:
            try:
                value = find(record)
            except (ValueError, AttributeError, TypeError, KeyError):
                values.append(None)
                undecodable[field] = self._shown(record.get(field.partition(".")[0], "what it is made of"), False)
                continue
            try:
                values.append(read(value))
            except ValueError:
                values.append(None)
                undecodable[field] = self._shown(value, as_it_came)
        return self._staged(values, self._active(record), undecodable, retried=False)

    def _unreadable(self, record: object, id: str | None) -> StagedRow:
        undecodable = {WHOLE_RECORD: self._shown(record, False)}
        values = [read(id) if name == self.table.part_of else None for name, _, _, read, _ in self.columns]
        return self._staged(values, False, undecodable, retried=False)

    def _shown(self, value: object, as_it_came: bool) -> dict[str, Any]:
        """What is kept of a value that could not be read. Of a person only a plain one: others may hold anything."""
        if self.table.personal and not (as_it_came and isinstance(value, str | int | Decimal)):
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
        said = repr((active, undecodable or None, *values)).encode("utf-8", "surrogatepass")
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


def version(record: object) -> datetime | None:
    """`UpdatedDateUTC` of a record; None where it cannot be read."""
    try:
        return wire.instant(record.get("UpdatedDateUTC")) if isinstance(record, Mapping) else None
    except ValueError:
        return None


def in_words(instant: datetime | None) -> str:
    return "the beginning" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
