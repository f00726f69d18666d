"""What a person decides about documents that may be in Xero already. The next push carries it out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from xero.documents.declaration import PricedKind
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.push.adopting.twins import Decision, run
from xero.qicworks.runs import events
from xero.qicworks.runs.events import DocumentName, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import fit, on_a_line

QUERIES = sql.Statements("push/adopting")

MAX_LISTED = 500  # documents
LONGEST_NAME = 200  # characters of who decided
SAID = {
    Decision.LINK: "link it to the record {} in Xero",
    Decision.LEAVE: "push it as another document than the record {} in Xero",
    Decision.SKIP: "do not push it, as it is the record {} in Xero",
}
AGAIN = "Decide again about the {}: open its page."
IN_FLIGHT = "the document is being sent now; look again in a few minutes"


@dataclass(frozen=True)
class Offer:
    """A document that is held back. `twins`: xero_id, is_certain, is_shared (it may be another document, too), seen and
    shown (number, date, total, currency and status) of each record that it may be; `contact` is of both sides."""

    id: UUID
    number: str | None
    contact: str | None
    issued: str | None
    total: Any
    currency: str | None
    version: int
    organisation: str
    connection_id: UUID
    twins: Sequence[dict[str, Any]]

    @property
    def seen(self) -> str:
        """A hash of all that a person sees of the records."""
        return _hash(f"{one['xero_id']} {one['seen']}" for one in self.twins)

    @property
    def certain(self) -> UUID | None:
        """The record that it certainly is, if it may be no other one, and the record no other document."""
        [only, *others] = self.twins
        is_certain = only["is_certain"] and not only["is_shared"] and not others
        return UUID(only["xero_id"]) if is_certain else None


@dataclass(frozen=True)
class Undoable:
    """A decision that can be undone. `is_linked`: the document is that record now; else a push is still to come."""

    id: int
    document_id: UUID
    connection_id: UUID
    version: int
    xero_id: UUID
    decision: Decision
    decided_by: str
    decided_at: datetime
    is_linked: bool
    number: str | None
    push_state: str
    organisation: str


def offered(
    session: Session,
    kind: PricedKind,
    connection_id: UUID | None = None,
    id: UUID | None = None,
    limit: int | None = MAX_LISTED,
) -> list[Offer]:
    """Documents that wait for a person. `connection_id` None: of all organisations; `limit` None: all."""
    asked = {"connection_id": connection_id, "id": id, "limit": limit}
    return [Offer(**row) for row in run(session, kind, "offered", **asked)]


def count(session: Session, kind: PricedKind, connection_id: UUID | None = None) -> int:
    """How many documents wait for a person."""
    [row] = run(session, kind, "count_offered", connection_id=connection_id)
    return int(row["count"])


def certain(offers: Sequence[Offer]) -> list[Offer]:
    """Those that are one record without a doubt."""
    return [one for one in offers if one.certain]


def seen_of(offers: Sequence[Offer]) -> str:
    """A hash of what a person sees of all of these."""
    return _hash(sorted(f"{one.id} {one.version} {one.seen}" for one in offers))


def decide(session: Session, kind: PricedKind, offer: Offer, decision: Decision, xero_id: UUID | None, who: str) -> str:
    """Keeps what a person decided about a document as they saw it; returns what it is called.

    Args:
        xero_id: To be linked to this record; None: of another decision.

    Raises:
        LookupError: It was changed, linked or decided about in the meantime.
        ValueError: This cannot be decided of it.
    """
    twins = [one for one in offer.twins if xero_id is None or UUID(one["xero_id"]) == xero_id]
    if (xero_id is None) is (decision is Decision.LINK) or not twins:
        raise ValueError("choose one of the records that are offered")
    if decision is Decision.LEAVE and not kind.look_first:
        raise ValueError(f"Xero takes the number of a {kind.word} only once: give the document a new number instead")
    with session.transaction():
        label = _keep(session, kind, offer, decision, twins, fit(on_a_line(who), LONGEST_NAME))
    if label is None:
        raise LookupError("one of these records is already to become another document")
    return label


def link_certain(session: Session, kind: PricedKind, offers: Sequence[Offer], who: str) -> list[UUID]:
    """Keeps for each of these documents that it is the record that it certainly is; returns those that it was kept
    for."""
    done = []
    for one in certain(offers):
        try:
            decide(session, kind, one, Decision.LINK, one.certain, who)
        except (LookupError, ValueError):
            continue  # it was changed, or is another document's record: it stays offered
        done.append(one.id)
    return done


def _keep(
    session: Session, kind: PricedKind, offer: Offer, decision: Decision, twins: Sequence[dict[str, Any]], who: str
) -> str | None:
    """None if a record is already to become another document."""
    now = next(iter(run(session, kind, "lock_offered", id=offer.id)), None)
    still = next(iter(offered(session, kind, offer.connection_id, offer.id)), None)
    if now and now["push_state"] == "in_flight":
        raise ValueError(IN_FLIGHT)
    if still is None or (still.version, still.seen) != (offer.version, offer.seen):
        raise LookupError("this document was changed, linked or decided about in the meantime")
    of_it = {"id": offer.id, "connection_id": offer.connection_id}
    records = [UUID(one["xero_id"]) for one in twins]
    QUERIES.end_decisions(session, **of_it, xero_ids=records, version=offer.version, who=who)
    QUERIES.free_records(session, connection_id=offer.connection_id, xero_ids=records)
    kept = QUERIES.decide(
        session,
        connection_id=offer.connection_id,
        kind=kind.name,
        ids=[offer.id] * len(twins),
        versions=[offer.version] * len(twins),
        xero_ids=records,
        seen=[one["seen"] for one in twins],
        decision=decision,
        who=who,
    )
    if len(list(kept)) < len(twins):
        return None
    if decision is Decision.SKIP:
        run(session, kind, "skip", id=offer.id, version=offer.version, back=False)
    else:
        run(session, kind, "ready_again", ids=[offer.id])
    said = SAID[decision].format(", ".join(map(str, records)))
    return note(session, kind, offer.connection_id, offer.id, offer.number, f"{who} decided: {said}")


def undoable(
    session: Session,
    kind: PricedKind,
    connection_id: UUID | None = None,
    id: UUID | None = None,
    limit: int | None = MAX_LISTED,
) -> list[Undoable]:
    """Decisions that can be undone, newest first."""
    asked = {"connection_id": connection_id, "id": id, "limit": limit}
    rows = run(session, kind, "open_decisions", **asked)
    return [Undoable(**row | {"decision": Decision(row["decision"])}) for row in rows]


def note(session: Session, kind: PricedKind, connection_id: UUID, id: UUID, number: str | None, said: str) -> str:
    """Records an event of a document; returns what it is called."""
    label = kind.called(number, id)
    about = Direction.PUSH, kind.name, Status.SUCCESS, EventOutcome.DONE, on_a_line(said), Origin()
    events.record(session, connection_id, *about, document=DocumentName(label, kind.name, id))
    return label


def _hash(parts: Any) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
