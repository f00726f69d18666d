"""Reports differences: an event for each that is new or settled, and a remark for the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from xero.qicworks.follow.differences import About, Changes, Found, Reason
from xero.qicworks.follow.wording import say
from xero.qicworks.runs import events
from xero.qicworks.runs.events import DocumentName
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.sync.runs.event_line import log_event
from xero.sync.runs.run import Run


def report(it: Run, about: About, changes: Changes) -> None:
    """Writes and logs an event of the document for each difference that is new, and one for those that are settled."""
    for found in changes.new:
        message, correction = say(found, about.document_kind)
        _event(it, about, Status.WARNING, EventOutcome.DIFFERS, message, correction)
    if changes.settled:
        _event(it, about, Status.SUCCESS, EventOutcome.DONE, f"settled: {in_words(changes.settled)}", None)


def _event(it: Run, about: About, status: Status, outcome: EventOutcome, message: str, correction: str | None) -> None:
    document = DocumentName(about.label, about.document_kind, about.document_id) if about.document_id else None
    how = it.session, it.connection.id, it.direction, it.data_set, status, outcome, message, it.origin
    events.record(*how, correction=correction, document=document)
    log_event(
        it.data_set,
        it.connection,
        status,
        it.counts,
        message,
        correction,
        direction=it.direction,
        document=about.label,
    )


def in_words(reasons: Sequence[Reason]) -> str:
    return ", ".join(reason.value.replace("_", " ") for reason in dict.fromkeys(reasons))


def remark(changes: Sequence[Changes]) -> tuple[str, ...]:
    """What the event of the run says of new differences; nothing if there are none."""
    found: Sequence[Found] = [one for each in changes for one in each.new]
    if not found:
        return ()
    counted = Counter(one.reason for one in found)
    named = ", ".join(f"{number} {in_words([reason])}" for reason, number in counted.most_common())
    return (f"{len(found)} new differences ({named})",)
