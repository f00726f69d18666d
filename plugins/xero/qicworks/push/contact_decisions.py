"""Contacts that may be in Xero already, and what a person decides about each: link it, or create it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xero.documents.contacts import CONTACTS as KIND
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import DocumentName, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import fit, on_a_line

CONTACTS = sql.Statements("push/contacts")

MAX_LISTED = 500  # contacts
LONGEST_NAME = 200  # characters of who decided


@dataclass(frozen=True)
class Undecided:
    """A contact that failed. `candidates`: xero_id, alike, name, email, tax_number and is_active of each."""

    id: UUID
    name: str
    email: str | None
    tax_number: str | None
    version: int
    error: str | None
    correction: str | None
    organisation: str
    connection_id: UUID
    candidates: Sequence[dict[str, Any]]


def waiting(session: Session, connection_id: UUID | None = None, id: UUID | None = None) -> list[Undecided]:
    """Contacts that are not in Xero, and wait for a person. `connection_id` None: of all organisations."""
    rows = CONTACTS.waiting(session, connection_id=connection_id, id=id, limit=MAX_LISTED)
    return [Undecided(**row | {"candidates": row["candidates"] or ()}) for row in rows]


def decide(session: Session, id: UUID, xero_id: UUID | None, who: str, version: int | None = None) -> str:
    """Keeps what a person decided about a contact, which the next push carries out; returns what it is called.

    Args:
        xero_id: Link it to this contact of Xero's; None: create it there.
        version: That the person saw; None: that about which they were asked.

    Raises:
        LookupError: There is no such contact, or it is linked already, or nobody was asked about it as it is now.
        ValueError: It is being sent now.
    """
    with session.transaction():
        row = CONTACTS.undecided(session, id=id)
        if row is None:
            raise LookupError(f"there is no contact {id} that waits for a decision: it may be linked already")
        if row["state"] == "in_flight":
            raise ValueError("the contact is being sent now; look again in a few minutes")
        if row["state"] not in ("failed", "ready") or not row["is_asked"] or version not in (None, row["version"]):
            raise LookupError(
                f"contact {on_a_line(row['name'])} does not wait for a decision as it is now: it was edited or set "
                "aside in QicWorks since. Push it, and look again"
            )
        user = fit(on_a_line(who), LONGEST_NAME)
        CONTACTS.decide(session, id=id, version=row["version"], xero_id=xero_id, who=user)
        CONTACTS.release(session, ids=[id])
        label = KIND.called(row["name"], id)
        what = f"link it to the contact {xero_id} in Xero" if xero_id else "create it in Xero"
        about = Direction.PUSH, KIND.name, Status.SUCCESS, EventOutcome.DONE, f"{user} decided: {what}", Origin()
        events.record(session, row["connection_id"], *about, document=DocumentName(label, KIND.name, id))
    return label
