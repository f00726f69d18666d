"""What a kind of document is: where it lies in QicWorks, how it becomes Xero's JSON, how it is known again in Xero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

Row = Mapping[str, Any]
Record = Mapping[str, Any]
Json = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """One document as it lies in QicWorks: its columns and those of what it points to, and its lines in order."""

    row: Row
    lines: tuple[Row, ...] = ()

    @property
    def id(self) -> UUID:
        id: UUID = self.row["id"]
        return id

    @property
    def version(self) -> int:
        version: int = self.row["push_version"]
        return version

    @property
    def xero_id(self) -> UUID | None:
        xero_id: UUID | None = self.row["xero_id"]
        return xero_id

    @property
    def number(self) -> str | None:
        return self.row.get("number")


@dataclass(frozen=True)
class Finding:
    """What a check found before anything was sent. Without a correction it is only said, and holds nothing back."""

    says: str
    correction: str | None = None


Check = Callable[[Document], Iterator[Finding]]


class Likeness(Enum):
    """Whether a record of Xero's is the document that was sent."""

    SAME = 2
    PERHAPS = 1
    STRAY = -1  # another document's, but perhaps of one that QicWorks has no longer: what it is again, entered anew
    OTHER = 0


class Delivery(Enum):
    """How documents travel: fifty to a request; one employee's pay template; one leave application."""

    BATCH = "batch"
    PAY_TEMPLATE = "pay template"
    LEAVE = "leave"


@dataclass(frozen=True)
class Kind:
    """A kind of document. `name` is that of its DAG and events, `word` what one of them is called in messages."""

    name: str
    word: str
    title: str
    help: str
    scope: str
    table: str  # in schema qicworks
    delivery: Delivery
    page: Callable[[Row], str] | None = field(default=None, kw_only=True)  # where a user of Xero sees one, by its row
    private: tuple[str, ...] = field(default=(), kw_only=True)  # columns that are emptied when its person is erased
    replays: bool = field(default=False, kw_only=True)  # a lost request may be repeated under its idempotency key
    look_first: bool = field(default=False, kw_only=True)  # Xero accepts duplicates: searched before a creation

    @property
    def payroll(self) -> bool:
        return self.delivery is not Delivery.BATCH

    def called(self, number: str | None, id: UUID) -> str:
        """What one is called in messages: its number, as far as it can be printed on a line; without one its id."""
        printed = "".join(character if character.isprintable() else " " for character in number or "")
        return f"{self.word} {' '.join(printed.split()) or id}"


@dataclass(frozen=True)
class PricedKind(Kind):
    """A document with priced lines.

    `payload` makes the element of a request, without its Xero id; `identity` what it can be known by later (JSON, and
    taken from the same document); `likeness` compares that with a record of Xero's; `lookups` are the queries that
    together list every record that could be one of those identities.
    """

    path: str
    envelope: str
    key: str  # field of the id
    number: str  # field of the number
    payload: Callable[[Document], Json]
    identity: Callable[[Document], Json]
    likeness: Callable[[Json, Record], Likeness]
    lookups: Callable[[Sequence[Json]], Iterator[dict[str, str]]]
    checks: tuple[Check, ...]
    query: Mapping[str, str]
    replays: bool = field(default=True, kw_only=True)
    editable: frozenset[str] = frozenset({"DRAFT"})  # statuses in which an edit may still change it
    gone: frozenset[str] = frozenset({"DELETED", "VOIDED"})
    addressed: bool = False  # carries our own address, by which ours are told from strangers'
    # Whether customers may see an attachment online: of a row with the document's `side`, where it has one.
    shows_online: Callable[[Row], bool] = lambda attachment: False
