"""Plans what becomes of contacts that are ready: linked, created, changed, or left for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from xero.documents import contacts as of
from xero.documents import odd_values
from xero.documents.contacts import CHECKS, CONTACTS, ContactDocument
from xero.documents.declaration import Json, Record
from xero.qicworks.connect.settings import Conflicts, ConnectionSettings, NewContacts
from xero.qicworks.push.outbox import PushState, Result
from xero.sync.push.contacts import search, verdicts
from xero.sync.push.contacts.changes import changes, theirs_alone
from xero.sync.push.contacts.matching import Alike, Known, Match, folded
from xero.sync.push.verdicts import Settled, invalid, label

MANAGED_IN_XERO = (
    "it was created in Xero and is managed there: QicWorks' change was not sent, and QicWorks has Xero's values again. "
    "Make the change in Xero"
)


@dataclass
class Plan:
    """Results of those that are not sent; elements of those that are; and, by contact: what was linked and how, what a
    person is asked, which columns are as Xero has them, and which QicWorks created. One without any of these stays
    ready."""

    settled: list[Settled] = field(default_factory=list)
    create: list[tuple[ContactDocument, Json]] = field(default_factory=list)
    change: list[tuple[ContactDocument, Json]] = field(default_factory=list)
    linked: dict[UUID, str] = field(default_factory=dict)
    asked: dict[UUID, Match] = field(default_factory=dict)
    keep: dict[UUID, tuple[Mapping[str, str], Record]] = field(default_factory=dict)
    ours: set[UUID] = field(default_factory=set)
    created_keys: set[tuple[str, str]] = field(default_factory=set)

    def settle(self, document: ContactDocument, result: Result) -> None:
        self.settled.append(Settled(document.id, document.version, label(CONTACTS, document), result))

    def ask(self, document: ContactDocument, found: Match, result: Result) -> None:
        """A person has to decide."""
        self.settle(document, result)
        self.asked[document.id] = found

    def link(self, document: ContactDocument, known: Known, by: Alike | None, record: Record | None) -> None:
        self.settle(document, Result(PushState.PUSHED, known.xero_id, "ACTIVE", record=record))
        if by is Alike.OWN_NUMBER:
            self.ours.add(document.id)
        else:
            self.linked[document.id] = verdicts.linked(known, by)


def plan(
    documents: Sequence[ContactDocument],
    found: Mapping[UUID, Match],
    records: Mapping[UUID, Record],
    settings: ConnectionSettings,
) -> Plan:
    """`found`: what Xero has of the new ones. `records`: those that the others are, and those that were chosen."""
    made = Plan()
    for document in documents:
        if wrong := [one for one in odd_values.run_checks(CHECKS, document) if one.correction]:
            made.settle(document, invalid(label(CONTACTS, document), wrong))
        elif document.xero_id:
            _plan_change(made, document, records, settings.conflicts)
        elif document.id in found:
            _plan_new(made, document, found[document.id], records, settings.new_contacts)
        else:
            made.ask(document, Match(), verdicts.switched_off())
    return made


def must_search(document: ContactDocument, setting: NewContacts) -> bool:
    """Whether Xero is searched for a contact: not if nothing would follow from it."""
    wrong = [one for one in odd_values.run_checks(CHECKS, document) if one.correction]
    return document.xero_id is None and not wrong and setting is not NewContacts.OFF


def _plan_new(
    made: Plan, document: ContactDocument, found: Match, records: Mapping[UUID, Record], setting: NewContacts
) -> None:
    row = document.row
    if found.certain and (found.by is Alike.OWN_NUMBER or not row.decided):
        made.link(document, found.certain, found.by, found.record)
    elif row.chosen_xero_id:
        record = records.get(row.chosen_xero_id)
        if record is None or not search.is_active(record):
            made.ask(document, found, verdicts.chosen_is_not_there(row.chosen_xero_id))
        else:
            made.link(document, search.known_of(row.chosen_xero_id, record), None, record)
    elif row.decided or (setting is NewContacts.CREATE and not found.candidates):
        keys = search.wanted_of(document).keys
        if row.decided or made.created_keys.isdisjoint(keys):  # else the next search finds the one that is like it
            made.create.append((document, of.new(document)))
        made.created_keys |= keys
    elif found.candidates:
        made.ask(document, found, verdicts.perhaps(found))
    else:
        made.ask(document, found, verdicts.may_not_create())


def _plan_change(made: Plan, document: ContactDocument, records: Mapping[UUID, Record], wins: Conflicts) -> None:
    xero_id, row = document.xero_id, document.row
    assert xero_id
    record = records.get(xero_id)
    if record is None:
        made.settle(document, verdicts.not_there(xero_id))
        return
    status = of.text(record.get("ContactStatus")) or None
    is_done = Result(PushState.PUSHED, xero_id, status, record=record)
    if not row.is_ours and folded(of.text(record.get(of.NUMBER))) != folded(of.number(document)):
        if row.before_edit:
            made.keep[document.id] = (theirs_alone(document, record), record)
            is_done = replace(is_done, remarks=(MANAGED_IN_XERO,))
        made.settle(document, is_done)
        return
    found = changes(document, record, wins)
    is_restored = any("is_active" in one for one in row.before_edit or ())
    if found.ask:
        made.settle(document, verdicts.changed_in_xero(xero_id, status, found.ask))
    elif found.odd:
        made.settle(document, verdicts.cannot_keep(xero_id, status, found.odd))
    elif (found.send or is_restored) and not search.is_active(record):
        into = search.merged_to(record)
        survivor = of.text(records[into].get("Name")) if into and into in records else None
        made.settle(document, verdicts.not_in_use(xero_id, status, is_merged=into is not None, survivor=survivor))
    else:
        if found.keep:
            made.keep[document.id] = (found.keep, record)
        if found.send:
            made.change.append((document, {of.KEY: str(xero_id), **of.payload(found.send, record)}))
        else:
            made.settle(document, is_done)
