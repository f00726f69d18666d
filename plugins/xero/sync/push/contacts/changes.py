"""What of an edited contact is sent: what QicWorks changed, and nothing that Xero changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xero.documents import contacts as of
from xero.documents.contacts import ContactDocument
from xero.documents.declaration import Record
from xero.qicworks.connect.settings import Conflicts


@dataclass(frozen=True)
class Changes:
    """Columns to send with their values; those that Xero keeps; those that both sides changed, about which to ask."""

    send: Mapping[str, str]
    keep: Mapping[str, str]
    ask: tuple[str, ...] = ()


def changes(document: ContactDocument, record: Record, wins: Conflicts) -> Changes:
    """Compares column by column what both sides have with what they had before the edit. Without that, Xero's side
    counts as unchanged only where it is empty."""
    ours, theirs = of.ours(document), of.theirs(record)
    before = document.row.before_edit
    base = dict.fromkeys(ours, "")
    if isinstance(before, Mapping):
        base = {name: of.text(before.get(name)) for name in ours} | {of.PERSONS: of.sorted_json(before.get(of.PERSONS))}
    send, keep, ask = {}, {}, []
    for name, value in ours.items():
        if value == theirs[name] or (before and value == base[name]):
            continue  # the same, or changed in Xero alone
        if theirs[name] == base[name] or wins is Conflicts.QICWORKS:
            send[name] = value
        elif wins is Conflicts.XERO:
            keep[name] = theirs[name]
        else:
            ask.append(name)
    return Changes(send, keep, tuple(ask))
