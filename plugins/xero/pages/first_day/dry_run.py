"""A dry run of all that is ready: what a push would send, and refuse, by reason. Sends nothing; reads from Xero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from xero.api.errors import XeroError
from xero.documents.declaration import Kind, PricedKind
from xero.pages.apps import open_client
from xero.pages.first_day.steps import DRY_RUN
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push.contacts import waiting_for_contacts
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.qicworks.views import first_day
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
    """The documents of a kind that were checked. Those that are neither sent nor refused wait: for their new contact
    (`with_contact`), or for an approval.

    `trouble`: why they could not be checked, and what to do.
    """

    kind: Kind
    checked: int
    sent: int = 0
    with_contact: int = 0
    refusals: Sequence[Refusal] = ()
    trouble: tuple[str, str] | None = None

    @property
    def refused(self) -> int:
        return sum(one.documents for one in self.refusals)

    @property
    def waiting(self) -> int:
        return 0 if self.trouble else max(self.checked - self.sent - self.with_contact - self.refused, 0)


def most(kind: Kind) -> int:
    """How many documents of that kind are checked."""
    return MAX_CHECKED_PAYROLL if kind.payroll else MAX_CHECKED


def dry_run(
    engine: Engine, session: Session, connection: Connection, kinds: Sequence[Kind], user: str
) -> list[Checked]:
    """Checks the documents of these kinds that have been ready for longest; writes an event if there are any."""
    found = []
    for kind in kinds:
        if ids := first_day.oldest_ready(session, kind, connection.organisation_id, most(kind)):
            found.append(_check(engine, session, connection, kind, ids))
    if found:
        _record(session, connection, found, user)
    return found


def _check(engine: Engine, session: Session, connection: Connection, kind: Kind, ids: Sequence[UUID]) -> Checked:
    held = set(waiting_for_contacts(session, connection, kind, ids)) if isinstance(kind, PricedKind) else set()
    wanted = [str(id) for id in ids if id not in held]
    if not wanted:
        return Checked(kind, len(ids), with_contact=len(held))
    sent = 0
    reasons: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[str]] = {}
    try:
        for one in preview(kind, connection.id, engine=engine, open_client=open_client, documents=wanted):
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
    return Checked(kind, len(ids), sent, len(held), refusals)


def _record(session: Session, connection: Connection, found: Sequence[Checked], user: str) -> None:
    checked, sent, refused = (sum(getattr(one, name) for one in found) for name in ("checked", "sent", "refused"))
    unknown = sum(one.checked for one in found if one.trouble)
    said = f"dry run by {user}: {checked} documents, of which {sent} would be sent and {refused} refused"
    if unknown:
        said += f"; {unknown} could not be checked"
    is_fine = not refused and not unknown
    how = (Status.SUCCESS, EventOutcome.DONE) if is_fine else (Status.WARNING, EventOutcome.PARTLY_DONE)
    with session.transaction():
        event = events.open_event(session, connection.id, *DRY_RUN, Origin())
        events.close_event(session, event, *how, Counts(read=checked, failed=refused), said)
