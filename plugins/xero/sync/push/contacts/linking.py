"""What a contact has otherwise than the record that it was linked to: QicWorks keeps it, as an open difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from xero.documents import contacts as of
from xero.documents.contacts import CONTACTS, ContactDocument
from xero.documents.declaration import Record
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Changes, Found, Reason, Settled
from xero.qicworks.push.contacts import OwnContacts
from xero.sync.push.contacts import search
from xero.sync.push.contacts.changes import is_same, is_storable, storable
from xero.sync.push.contacts.matching import similar

REASON = Reason.EDITED_IN_QICWORKS  # QicWorks has what Xero was never sent


def said(record: Record) -> dict[str, str]:
    """What Xero has of what is sent, as it can be stored."""
    return {name: storable(value) for name, value in of.theirs(record).items()}


def state(record: Record) -> dict[str, Any]:
    """What else Xero has of a contact, by which it is found."""
    return {"contact_number": storable(of.text(record.get(of.NUMBER))), "is_active": search.is_active(record)}


def take(own: OwnContacts, document: ContactDocument, record: Record) -> None:
    """Fills what a contact lacks from the record that it was linked to, and keeps what it has otherwise. In the
    transaction that links it."""
    number = "contact_number"  # it is not sent: there it may be QicWorks' own
    ours = of.ours(document) | {number: of.text(document.row.contact_number)}
    theirs = of.theirs(record) | {number: of.text(record.get(of.NUMBER))}
    differing = [name for name in ours if not _is_alike(name, ours[name], theirs[name])]
    values = {name: theirs[name] for name in differing if not ours[name] and is_storable(name, theirs[name])}
    own.take(document.id, values, [name for name in differing if ours[name]], said(record), state(record))


def compare(own: OwnContacts, ids: Sequence[UUID] | None = None) -> list[tuple[UUID, About, Changes]]:
    """Opens the differences of linked contacts, and settles those that are over; returns what changed. `ids` None: of
    all."""
    changed = []
    for row in own.kept(CONTACTS.name, REASON, ids):
        ours, theirs = (_values(row[side], row["columns"]) for side in ("ours", "theirs"))
        names = [name for name in row["columns"] if ours[name] and not _is_alike(name, ours[name], theirs[name])]
        if names != row["columns"]:
            own.keep_only(row["id"], names)
        found = Found(REASON, _as_shown(ours, names), _as_shown(theirs, names))
        about = About(own.connection.id, CONTACTS.name, row["id"], CONTACTS.called(row["name"], row["id"]))
        how = Settled.GONE if row["is_gone"] else Settled.REPLACED if row["is_unlinked"] else Settled.AGREES
        changes = differences.compare(own.session, about, [found] if names else [], (REASON,), how)
        if changes.new or changes.settled:
            changed.append((row["id"], about, changes))
    return changed


def _is_alike(name: str, ours: str, theirs: str) -> bool:
    """Whether it is no difference to a person: a name that is only written otherwise follows Xero's."""
    return is_same(name, ours, theirs) or (name == "name" and similar(ours) == similar(theirs))


def _values(side: Mapping[str, Any], columns: Sequence[str]) -> dict[str, str]:
    return {name: str(side.get(name) or "") for name in columns}


def _as_shown(values: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """As people read them."""
    return {name.replace("_", " "): _persons(values[name]) if name == of.PERSONS else values[name] for name in names}


def _persons(value: str) -> str:
    """Such as: Ann Lee <ann@example.com>, Bob."""
    people = []
    for one in of.persons(value) or ():
        email = f"<{one['email']}>" if one["email"] else ""
        people.append(" ".join(part for part in (one["first_name"], one["last_name"], email) if part))
    return ", ".join(people)
