"""What Xero has of a document that was cancelled in QicWorks, and how it is taken back there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Protocol
from uuid import UUID


class State(Enum):
    """What may be done with a record."""

    GONE = auto()  # there is none, or it is deleted, voided or rejected
    OPEN = auto()  # it can be deleted; leave: rejected
    APPROVED = auto()
    PAID = auto()  # in part or in full, or allocated
    TAKEN = auto()  # leave in a pay run
    UNREADABLE = auto()  # Xero fails to show it
    UNKNOWN = auto()  # whether Xero has it is not known


@dataclass(frozen=True)
class Standing:
    """A record in Xero. `document_id`: the document that it names; `paid`: how much, with credits; `xero_id`: its id,
    where it may have another one now."""

    state: State
    status: str
    total: Decimal | None = None
    paid: Decimal | None = None
    document_id: UUID | None = None
    xero_id: UUID | None = None


@dataclass(frozen=True)
class Call:
    """The request that takes a record back."""

    path: str
    query: dict[str, str]
    body: str | None
    replay_window: float  # seconds within which it may be repeated under its key


@dataclass(frozen=True)
class OtherDocument:
    """Another document that is linked to the record. `sealed`: certainly."""

    name: str
    sealed: bool


class Records(Protocol):
    """The records of one kind and connection."""

    done: str  # what a record is afterwards: "deleted in Xero"
    gone_status: str  # the status of a record that is taken back

    def read(self, xero_id: UUID, document_id: UUID) -> Standing:
        """The record of a document as it is now. Raises RetryLater if Xero does not respond."""

    def certain(self, document_id: UUID) -> UUID | None:
        """The record that names the document, where Xero can be asked for it; None if it is not known by that."""

    def call(self, xero_id: UUID) -> Call:
        """The request that takes the record back."""

    def answered(self, data: Any, xero_id: UUID) -> bool:
        """Whether the response shows that the record is taken back."""

    def other(self, document_id: UUID, xero_id: UUID) -> OtherDocument | None:
        """Another document that is linked to the record."""

    def is_nowhere(self, document_id: UUID) -> bool:
        """Whether Xero certainly has no record that the document may be, by all that was ever sent of it."""

    def printable(self, messages: Sequence[str]) -> list[str]:
        """Of Xero's messages those that every viewer may read."""

    def correction(self, standing: Standing, label: str) -> str:
        """What a person does about a record that is not taken back."""
