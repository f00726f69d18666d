"""One organisation's records of one kind: kept encoded, changed one by one, listed sorted and filtered."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from xero_sandbox.clock import Clock
from xero_sandbox.wire import decode, encode, ms_date, read_ms_date

Record = dict[str, Any]


class Row:
    """A record. `body` is its JSON; the fields that lists are sorted and filtered by are kept separately."""

    __slots__ = ("body", "key", "place", "status")

    def __init__(self, key: str, status: str, updated_ms: int, body: bytes) -> None:
        self.key, self.status, self.body = key, status, body
        self.place = (updated_ms, key)  # in the order of changes

    def copy(self) -> Row:
        """As it is now, for `Collection.restore`."""
        return Row(self.key, self.status, self.updated_ms, self.body)

    @property
    def updated_ms(self) -> int:
        return self.place[0]

    @property
    def record(self) -> Record:
        """The decoded record: a fresh copy each time."""
        record: Record = decode(self.body)
        return record


class Kind:
    """What a collection holds: its plural, the field that is its key, the field of its status, whether rows carry
    UpdatedDateUTC, and the field that is another after a renaming."""

    def __init__(self, plural: str, key: str, status: str, dated: bool = True, name: str = "Name") -> None:
        self.plural, self.key, self.status, self.dated, self.name = plural, key, status, dated, name


class Collection:
    """Rows by key. Every change raises `version`, and every coming and going `members`; views are kept until then."""

    def __init__(self, kind: Kind, records: Iterable[tuple[int, Record]]) -> None:
        """`records`: (UpdatedDateUTC in ms, record without it)."""
        self.kind = kind
        self.version = self.members = 0
        self.rows: dict[str, Row] = {}
        self._views: dict[object, tuple[int, list[Row]]] = {}
        self._indexes: dict[str, dict[str, dict[str, None]]] = {}  # keys by value, by field, once it was asked for
        for updated_ms, record in records:
            self._put(updated_ms, record)

    def copy(self) -> Collection:
        """The same rows, to be changed apart from these."""
        twin = Collection(self.kind, ())
        twin.rows = {key: row.copy() for key, row in self.rows.items()}
        twin.version, twin.members = self.version, self.members
        return twin

    def _put(self, updated_ms: int, record: Record) -> Row:
        if self.kind.dated:
            record.setdefault("UpdatedDateUTC", ms_date(updated_ms))
        key = str(record[self.kind.key])
        row = Row(key, str(record.get(self.kind.status)), updated_ms, encode(record))
        if self._indexes and key in self.rows:
            self._forget(key, self.rows[key].record)
        self.rows[key] = row
        self.version += 1
        self.members += 1
        self._index(key, record)
        return row

    def view(self, name: object, build: Callable[[list[Row] | None], list[Row]]) -> list[Row]:
        """The list called `name`, built again when rows have changed since. `build` gets the outdated list, if any:
        sorting what is nearly sorted is quick."""
        version, rows = self._views.get(name, (-1, None))
        if rows is None or version != self.version:
            rows = build(rows)
            if len(self._views) > 32:
                self._views.clear()
            self._views[name] = (self.version, rows)
        return rows

    def by_key(self) -> list[Row]:
        """In the order of their keys: what comes when no order is asked for."""
        return self.view(("by key", self.members), lambda old: old or [self.rows[key] for key in sorted(self.rows)])

    def by_updated(self) -> list[Row]:
        """Oldest change first, then by key."""
        return self.view(
            ("by updated", self.members), lambda old: sorted(old or self.rows.values(), key=attrgetter("place"))
        )

    def having(self, field: str, value: object) -> list[Row]:
        """The rows with that value in that field, without regard to case; none are decoded once the field is known."""
        if field not in self._indexes:
            self._indexes[field] = {}
            for row in self.rows.values():
                self._index(row.key, row.record)
        return [self.rows[key] for key in self._indexes[field].get(_folded(value), ())]

    def values(self, field: str) -> Iterable[str]:
        """The values of that field, in lower case."""
        self.having(field, "")
        return self._indexes[field].keys()

    def _index(self, key: str, record: Record) -> None:
        for field, index in self._indexes.items():
            if record.get(field) is not None:
                index.setdefault(_folded(record[field]), {})[key] = None

    def _forget(self, key: str, record: Record) -> None:
        for field, index in self._indexes.items():
            value = _folded(record.get(field))
            if key in index.get(value, ()):
                del index[value][key]
                if not index[value]:
                    del index[value]

    # -- changes, as a user of the organisation would make them

    def change(self, key: str, fields: Record, clock: Clock, touch: bool = True, whole: bool = False) -> Record:
        """Sets these fields and stamps the row, unless a date is among them. `whole`: the others are gone. KeyError
        for an unknown key."""
        row = self.rows[key]
        record = row.record
        if fields.get(self.kind.key, key) != row.key:
            raise ValueError(f"{self.kind.key} cannot be changed")
        self._forget(key, record)
        if whole:
            record = {name: record[name] for name in (self.kind.key, "UpdatedDateUTC") if name in record}
        record.update(fields)
        self._index(key, record)
        if "UpdatedDateUTC" in fields:
            row.place = (read_ms_date(fields["UpdatedDateUTC"]) or row.updated_ms, key)
        elif touch:
            row.place = (clock.stamp(), key)
            if self.kind.dated:
                record["UpdatedDateUTC"] = ms_date(row.updated_ms)
        row.status = str(record.get(self.kind.status))
        row.body = encode(record)
        self.version += 1
        return record

    def add(self, record: Record, clock: Clock) -> Record:
        return self._put(read_ms_date(record.get("UpdatedDateUTC")) or clock.stamp(), record).record

    def remove(self, key: str) -> None:
        self._forget(key, self.rows.pop(key).record)
        self.version += 1
        self.members += 1

    def restore(self, key: str, old: Row | None) -> None:
        """Puts a row back as `Row.copy` has kept it, or takes it away when there was none."""
        self.remove(key)
        if old:
            self.rows[key] = old
            self._index(key, old.record)

    def touch(self, keys: Iterable[str], clock: Clock, rename: bool = True) -> list[str]:
        """Stamps these rows, and gives them another name unless told not to. Returns their keys."""
        touched = list(keys)
        for key in touched:
            name = self.rows[key].record.get(self.kind.name)
            self.change(key, {self.kind.name: _renamed(name)} if rename and isinstance(name, str) else {}, clock)
        return touched

    def sample(self, rng: random.Random, count: int) -> list[str]:
        return rng.sample(list(self.rows), min(count, len(self.rows)))

    def truth(self) -> bytes:
        """All records as a JSON array."""
        return b"[" + b",".join(row.body for row in self.by_key()) + b"]"


def _folded(value: object) -> str:
    return str(value).casefold()


def _renamed(name: str) -> str:
    """Another name of about the same length: counts up a " v2" at its end."""
    stem, _, number = name.rpartition(" v")
    if stem and number.isdigit():
        return f"{stem} v{int(number) + 1}"
    return f"{name[:248]} v2"
