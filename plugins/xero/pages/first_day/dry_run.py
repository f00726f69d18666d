"""A dry run of all that is ready: what a push would send, and refuse, by reason. Sends nothing; reads from Xero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from xero.api.errors import XeroError
from xero.documents.declaration import Delivery, Kind, PricedKind
from xero.documents.registry import KINDS
from xero.pages.apps import open_client
from xero.pages.first_day.steps import SET_UP, dry_run_of
from xero.qicworks.connect import settings
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.declared_settings import NewContacts
from xero.qicworks.database import Session
from xero.qicworks.push.contacts import OwnContacts, waiting_for_contacts
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.qicworks.views import document_list, first_day
from xero.sync.push.flow import preview

MAX_CHECKED = 500  # documents of a kind
MAX_CHECKED_PAYROLL = 50  # each is a call to Xero, or several
EXAMPLES = 5  # documents that are named for each reason


@dataclass(frozen=True)
class Refusal:
    """`documents`: how many would be refused for that reason; `examples`: what some of them are called."""

    why: str
    correction: str
    documents: int
    examples: Sequence[str]


@dataclass(frozen=True)
class Checked:
    """The documents of a kind that were checked, of so many that are `ready` (counted up to a limit). Those that are
    neither sent nor refused wait: for their new contact (`with_contact`), for one that is not sent itself
    (`without_contact`), or for an approval.

    `trouble`: why they could not be checked, and what to do. `overtaken`: something changed meanwhile.
    """

    kind: Kind
    checked: int
    ready: int = 0
    sent: int = 0
    with_contact: int = 0
    without_contact: int = 0
    refusals: Sequence[Refusal] = ()
    trouble: tuple[str, str] | None = None
    overtaken: bool = False

    @property
    def unchecked(self) -> int:
        return max(self.ready - self.checked, 0)

    @property
    def is_fine(self) -> bool:
        """Nothing has to be done about any document that is ready."""
        return not (self.refused or self.trouble or self.without_contact or self.unchecked or self.overtaken)

    @property
    def refused(self) -> int:
        return sum(one.documents for one in self.refusals)

    @property
    def waiting(self) -> int:
        known = self.sent + self.with_contact + self.without_contact + self.refused
        return 0 if self.trouble else max(self.checked - known, 0)


def most(kind: Kind) -> int:
    """How many documents of that kind are checked."""
    return MAX_CHECKED_PAYROLL if kind.payroll else MAX_CHECKED


def dry_run(
    engine: Engine, session: Session, connection: Connection, kinds: Sequence[Kind], user: str
) -> list[Checked]:
    """Checks the documents of these kinds that have been ready for longest; writes an event for each kind with any."""
    found = []
    for kind in kinds:
        began = first_day.now(session)
        if ids := first_day.oldest_ready(session, kind, connection.organisation_id, most(kind)):
            one = _check(engine, session, connection, kind, ids)
            found.append(_record(session, connection, one, began, user))
    return found


def _check(engine: Engine, session: Session, connection: Connection, kind: Kind, ids: Sequence[UUID]) -> Checked:
    held = set(waiting_for_contacts(session, connection, kind, ids)) if isinstance(kind, PricedKind) else set()
    wanted = [str(id) for id in ids if id not in held]
    sent = unsent = 0
    reasons: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[str]] = {}
    try:
        unsent = len(_without_contact(engine, session, connection, kind, held)) if held else 0
        previews = preview(kind, connection.id, engine=engine, open_client=open_client, documents=wanted)
        for one in previews if wanted else ():
            sent += len(one.linked) + (len(one.documents) if one.body is not None else 0)
            for label, *words in one.refused:
                why, correction = (text.replace(label, kind.word) for text in words)  # each names its document
                reasons[why, correction] += 1
                examples.setdefault((why, correction), []).append(label)
    except XeroError as error:
        return Checked(kind, len(ids), trouble=(error.message, error.correction))
    refusals = [
        Refusal(why.removeprefix("not sent: "), correction, times, examples[why, correction][:EXAMPLES])
        for (why, correction), times in reasons.most_common()
    ]
    return Checked(
        kind, len(ids), sent=sent, with_contact=len(held) - unsent, without_contact=unsent, refusals=refusals
    )


def _without_contact(
    engine: Engine, session: Session, connection: Connection, kind: Kind, held: Collection[UUID]
) -> Collection[UUID]:
    """Of documents that wait for a new contact those whose contact a push would not send either."""
    if settings.read(session, connection.id).new_contacts == NewContacts.OFF:
        return held
    of = first_day.contacts_of(session, kind, list(held))
    [contacts] = [one for one in KINDS.values() if one.delivery is Delivery.CONTACTS]
    names = [str(id) for id in set(of.values())]
    found = preview(contacts, connection.id, engine=engine, open_client=open_client, documents=names)
    refused = {label for one in found for label, *_ in one.refused}
    rows = OwnContacts(session, connection).read(list(of.values()))
    fine = {one.id for one in rows if contacts.called(one.number, one.id) not in refused}
    return [id for id in held if of.get(id) not in fine]


def _record(session: Session, connection: Connection, one: Checked, began: datetime, user: str) -> Checked:
    """Writes what was found; a change while it was being checked may not be in it."""
    organisation = connection.organisation_id
    ready = document_list.counts(session, [one.kind], organisation, ("ready",))[one.kind.name]["ready"]
    overtaken = bool(first_day.ready_since(session, one.kind, organisation, began, 1))
    overtaken = overtaken or first_day.changed_since(session, connection, began, SET_UP)
    one = replace(one, ready=ready, overtaken=overtaken)
    said = f"dry run by {user}: {one.checked}"
    if one.unchecked:
        said += f" of {'over ' if ready > document_list.CAP else ''}{min(ready, document_list.CAP)}"
    said += " document" if ready == 1 else " documents"
    said += ", which could not be checked" if one.trouble else f", of which {one.sent} would be sent"
    for words, count in (
        ("refused", one.refused),
        ("sent after their new contact", one.with_contact),
        ("left because their contact is not sent", one.without_contact),
    ):
        said += f", {count} {words}" if count else ""
    said += "; something changed meanwhile" if overtaken else ""
    how = (Status.SUCCESS, EventOutcome.DONE) if one.is_fine else (Status.WARNING, EventOutcome.PARTLY_DONE)
    with session.transaction():
        event = events.open_event(session, connection.id, *dry_run_of(one.kind), Origin())
        events.close_event(session, event, *how, Counts(read=one.checked, failed=one.refused), said)
    return one
