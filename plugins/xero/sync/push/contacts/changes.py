"""What of an edited contact is sent: what QicWorks changed, and nothing that Xero changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xero.datasets.contacts import CONTACT
from xero.documents import contacts as of
from xero.documents.contacts import ContactDocument
from xero.documents.declaration import Record
from xero.qicworks.connect.settings import Conflicts
from xero.sync.push.contacts.matching import folded

WITHOUT_BLANKS = frozenset({"tax_number", "company_number", "phone"})
LONGEST = {column.name: column.max_length for column in CONTACT.columns}


@dataclass(frozen=True)
class Changes:
    """Columns to send with their values; those that Xero keeps; those that both sides changed, about which to ask;
    those that Xero would keep, and that QicWorks cannot store."""

    send: Mapping[str, str]
    keep: Mapping[str, str]
    ask: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


def changes(document: ContactDocument, record: Record, wins: Conflicts) -> Changes:
    """Compares column by column what both sides have with what Xero may have had since before the edit: what is none of
    these, Xero has changed."""
    ours, theirs = of.ours(document), of.theirs(record)
    before = [one for one in document.row.before_edit or () if isinstance(one, Mapping)]
    send, keep, ask, odd = {}, {}, [], []
    for name, value in ours.items():
        known = {comparable(name, one[name]) for one in before if name in one} or {comparable(name, value)}
        if comparable(name, value) == comparable(name, theirs[name]):
            continue
        changed_there = comparable(name, theirs[name]) not in known
        changed_here = comparable(name, value) not in known
        if not changed_there or (changed_here and wins is Conflicts.QICWORKS):
            send[name] = value
        elif changed_here and wins is Conflicts.ASK:
            ask.append(name)
        elif is_storable(name, theirs[name]):
            keep[name] = theirs[name]
        elif changed_here:
            odd.append(name)  # what Xero alone has changed, a pull rejects
    return Changes(send, keep, tuple(ask), tuple(odd))


def theirs_alone(document: ContactDocument, record: Record) -> dict[str, str]:
    """What Xero has otherwise, as far as QicWorks can store it, and without what QicWorks keeps since it was linked."""
    ours, theirs = of.ours(document), of.theirs(record)
    kept = {name for name in document.row.kept_columns or () if ours.get(name)}
    differing = [name for name in ours if ours[name] != theirs[name] and name not in kept]
    return {name: theirs[name] for name in differing if is_storable(name, theirs[name])}


def is_same(name: str, ours: str, theirs: str) -> bool:
    """Whether both sides mean the same: also without regard to case and doubled blanks."""
    return folded(comparable(name, ours)) == folded(comparable(name, theirs))


def comparable(name: str, value: object) -> str:
    """Without the way in which it is written: blanks of an ABN or a phone number, the order of persons."""
    text = of.text(value)
    if name == of.PERSONS:
        return of.in_order(text)
    return "".join(text.split()).replace("-", "") if name in WITHOUT_BLANKS else text


def is_storable(name: str, value: str) -> bool:
    longest = LONGEST[name]
    return storable(value) == value and (longest is None or len(value) <= longest)


def storable(value: str) -> str:
    """Without what PostgreSQL cannot store."""
    return value.replace("\0", "").encode(errors="replace").decode()
