"""The result of a tie-out, from what was last read: no call to Xero."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.answers import or_none
from xero.datasets.declaration import Dataset, Follows
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Delivery, Kind
from xero.documents.registry import KINDS
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import Difference
from xero.qicworks.follow.pushed_documents import PushedDocument, PushedDocuments
from xero.qicworks.runs.events import Counts
from xero.qicworks.runs.outcome import Status
from xero.sync.follow.tie_out.period import Period
from xero.sync.runs.outcome import Outcome

#: Which data sets tell what became of documents that are delivered in this way. Others are not part of the tie-out yet.
FOLLOWED = {Delivery.BATCH: Follows.PRICED, Delivery.LEAVE: Follows.LEAVE}


class State(StrEnum):
    """What the tie-out says of one document. Only EQUAL, OVER and LEFT_OUT are fine."""

    EQUAL = "equal"
    OVER = "over"  # cancelled in QicWorks, and no longer in force in Xero: it is not counted
    LEFT_OUT = "left out"  # skipped in QicWorks: it is not compared, and counts on neither side
    DIFFERS = "differs"
    READY = "ready"  # it, or its edit, waits for the next push
    IN_FLIGHT = "in flight"
    FAILED = "failed"
    CANCELLING = "cancelling"  # cancelled in QicWorks, and not yet in Xero
    NOT_CHECKED = "not checked"

    @property
    def is_fine(self) -> bool:
        return self in (State.EQUAL, State.OVER, State.LEFT_OUT)


PENDING = {"ready": State.READY, "in_flight": State.IN_FLIGHT, "failed": State.FAILED}


@dataclass(frozen=True)
class Tied:
    """One document, and its open differences."""

    kind: Kind
    document: PushedDocument
    state: State
    differences: tuple[Difference, ...] = ()
    is_in_xero_then: bool = True  # Xero has it in the period, too: its day there may be another one

    @property
    def label(self) -> str:
        return self.kind.called(self.document.number, self.document.id)

    @property
    def in_qicworks(self) -> bool:
        """It counts as pushed in the period."""
        one = self.document
        is_in_force = not (one.is_cancelled or one.is_deleted) and one.push_state not in ("draft", "skipped")
        return one.is_of_period and one.is_linked and is_in_force

    @property
    def in_xero(self) -> bool:
        """It counts as in Xero in the period."""
        return self.document.in_xero and self.is_in_xero_then and self.state is not State.LEFT_OUT


Sums = Mapping[str, Decimal]  # currency → sum


@dataclass(frozen=True)
class KindResult:
    """The documents of one kind, counted and added up on both sides. `states`: how many are in each."""

    kind: Kind
    states: Mapping[State, int]
    in_qicworks: int
    in_xero: int
    our_sums: Sums
    their_sums: Sums
    our_paid: Sums
    their_paid: Sums
    payments: Sums

    @property
    def equal(self) -> int:
        return self.states.get(State.EQUAL, 0)

    @property
    def unequal(self) -> int:
        return sum(count for state, count in self.states.items() if not state.is_fine)


@dataclass(frozen=True)
class Unchecked:
    """A data set that could not be read now, and which kinds of documents are therefore not checked."""

    title: str
    kinds: tuple[str, ...]
    message: str
    correction: str | None = None


@dataclass(frozen=True)
class TieOut:
    """What QicWorks holds as pushed against what Xero holds, for one organisation and period.

    Args:
        documents: Those of the period on either side, and those without a date.
        others: Open differences that are about no document of QicWorks': data sets, documents that are deleted.
        unchecked: What could not be read.
        not_part: Titles of kinds of documents that are not compared yet.
    """

    connection_id: UUID
    organisation: str
    period: Period
    kinds: tuple[KindResult, ...]
    documents: tuple[Tied, ...]
    others: tuple[Difference, ...]
    unchecked: tuple[Unchecked, ...] = ()
    not_part: tuple[str, ...] = ()
    healed: tuple[Any, ...] = ()
    calls: int = 0
    error: Exception | None = field(default=None, compare=False)

    @property
    def differences(self) -> list[Difference]:
        return [*self.others, *(one for tied in self.documents for one in tied.differences)]

    @property
    def unequal(self) -> list[Tied]:
        return [one for one in self.documents if not one.state.is_fine]

    @property
    def left_out(self) -> list[Tied]:
        return [one for one in self.documents if one.state is State.LEFT_OUT]

    @property
    def equal(self) -> int:
        return sum(one.equal for one in self.kinds)

    @property
    def is_green(self) -> bool:
        """Everything was checked, and is equal, but for what is left out on request."""
        return not (self.unequal or self.others or self.unchecked)

    def to_dict(self) -> dict[str, Any]:
        """The counts of an event, and its status."""
        status = Status.SUCCESS if self.is_green else Status.WARNING
        counts = Counts(read=len(self.documents), unchanged=self.equal, calls=self.calls)
        return {**Outcome(status, counts, "").to_dict(), "differences": len(self.differences)}


def following() -> dict[Follows, Dataset]:
    """The data sets that tell what became of documents."""
    return {one.follows: one for one in DATASETS.values() if one.follows and one.follows in FOLLOWED.values()}


def followed_kinds() -> list[Kind]:
    """The kinds of documents that are compared."""
    followed = following()
    return [kind for kind in KINDS.values() if FOLLOWED.get(kind.delivery) in followed]


def kinds_left_out() -> list[Kind]:
    """The kinds of documents that are not part of the tie-out yet. Contacts have no amounts: they are none of its."""
    followed = followed_kinds()
    return [kind for kind in KINDS.values() if kind not in followed and kind.delivery is not Delivery.CONTACTS]


def as_last_read(
    session: Session, connection: Connection, period: Period, *, unread: Sequence[Unchecked] = ()
) -> TieOut:
    """The result by what was last read. `unread`: what could not be read now; nothing of it counts as equal."""
    opened: dict[str, list[Difference]] = {}
    for one in differences.listed(session, connection.id, limit=None):
        opened.setdefault(one.document_kind, []).append(one)
    kinds = followed_kinds()
    not_checked = {name for one in unread for name in one.kinds}
    tied: list[Tied] = []
    others: list[Difference] = []
    for kind in KINDS.values():
        of_kind = opened.pop(kind.name, [])
        if kind not in kinds:
            others += of_kind
            continue
        found, without = _of_kind(session, connection, kind, period, of_kind, is_read=kind.name not in not_checked)
        tied += found
        others += without
    others += (one for of_data_set in opened.values() for one in of_data_set)
    return TieOut(
        connection.id,
        connection.organisation,
        period,
        tuple(_add_up(kind, [one for one in tied if one.kind is kind]) for kind in kinds),
        tuple(tied),
        tuple(others),
        tuple(unread),
        tuple(kind.title for kind in kinds_left_out()),
    )


def _of_kind(
    session: Session,
    connection: Connection,
    kind: Kind,
    period: Period,
    opened: Collection[Difference],
    *,
    is_read: bool,
) -> tuple[list[Tied], list[Difference]]:
    """The documents of a kind, and the differences about none that QicWorks has."""
    by_document: dict[UUID | None, list[Difference]] = {}
    for one in opened:
        by_document.setdefault(one.document_id, []).append(one)
    documents = PushedDocuments(session, connection, kind)
    differing = [id for id in by_document if id]
    found = []
    for document in documents.read(period.first, period.last, differing):
        then = _is_in_xero_then(document, period)
        if document.is_of_period or (then and document.in_xero):
            own = tuple(by_document.pop(document.id, ()))
            found.append(Tied(kind, document, _state(document, own, is_read=is_read), own, then))
    elsewhere = documents.existing([id for id in by_document if id])  # documents of other periods
    return found, [one for id, some in by_document.items() if id not in elsewhere for one in some]


def _is_in_xero_then(document: PushedDocument, period: Period) -> bool:
    """Whether its day in Xero is in the period; without one that can be read, by its day in QicWorks."""
    day = or_none(wire.date, document.their_day)
    return document.is_of_period if day is None else period.first <= day <= period.last


def _state(document: PushedDocument, own: Sequence[Difference], *, is_read: bool) -> State:
    if own:
        return State.DIFFERS
    if document.is_cancelled:
        if not document.is_cancelled_in_xero:
            return State.CANCELLING
        return State.OVER if is_read and not document.in_xero else State.NOT_CHECKED
    if document.push_state == "skipped":
        return State.LEFT_OUT
    if document.push_state in PENDING:
        return PENDING[document.push_state]
    is_known = document.is_linked and document.in_xero and document.is_read and document.is_compared
    is_known = is_known and (document.our_paid is None or document.their_paid is not None)
    return State.EQUAL if is_read and is_known else State.NOT_CHECKED


def _add_up(kind: Kind, tied: Sequence[Tied]) -> KindResult:
    states: dict[State, int] = {}
    for one in tied:
        states[one.state] = states.get(one.state, 0) + 1
    ours = [one.document for one in tied if one.in_qicworks]
    theirs = [one.document for one in tied if one.in_xero]
    return KindResult(
        kind,
        states,
        len(ours),
        len(theirs),
        _sums(ours, "our_total"),
        _sums(theirs, "their_total", "their_currency"),
        _sums(ours, "our_paid"),
        _sums(theirs, "their_paid", "their_currency"),
        _sums(theirs, "payments", "their_currency"),
    )


def _sums(documents: Sequence[PushedDocument], column: str, of: str = "currency") -> Sums:
    """By currency, exactly; without those that have no such amount."""
    found: dict[str, Decimal] = {}
    for one in documents:
        amount = getattr(one, column)
        if amount is not None:
            currency = getattr(one, of) or ""
            found[currency] = found.get(currency, Decimal(0)) + amount
    return found
