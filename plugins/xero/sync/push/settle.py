"""What became of documents: written, counted and told in one transaction with the request that carried them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xero.documents.declaration import Document, Finding, Kind, PricedKind
from xero.qicworks.push.links import Claim, Link
from xero.qicworks.push.outbox import Outbox, Request, Result
from xero.qicworks.runs import events
from xero.sync.push import corrections
from xero.sync.runs.event_line import log_event
from xero.sync.runs.run import Interaction

log = logging.getLogger(__name__)

UNSEALED = (
    "A request was left in the outbox that does not carry the seal of this project: nothing of it was sent.",
    "After an update of this project, or of token_keys, that is no harm. Otherwise look who can write to the table "
    "xero_sync.push_request.",
)


@dataclass(frozen=True)
class Settled:
    """A document's version and what became of it. `label` names it in messages: "invoice INV-001"."""

    id: UUID
    version: int
    label: str
    result: Result


class Settling:
    """Settles documents of one kind in one interaction."""

    def __init__(self, it: Interaction, outbox: Outbox) -> None:
        self.it = it
        self.outbox = outbox
        self.attached = self.unattached = 0
        self.odd = 0  # documents of which something is to be said, though they stand in Xero

    def settle(
        self,
        settled: Sequence[Settled],
        request: Request | None = None,
        outcome: str = "answered",
        held: Sequence[str] = (),
    ) -> None:
        """All of these, and with them the request. `held`: the states that wait for this result; without a request
        they never left, and are ready."""
        if not settled and not request:
            return
        held = held or (("in_flight",) if request else ("ready",))
        correlation_id = self.it.correlation_id if request else None
        told = []
        with self.it.session.transaction():
            for one in settled:
                state = self.outbox.settle(one.id, one.version, one.result, held)
                told.append(_as_it_is_now(one, state))
                self._count(told[-1].result)
                self._record(told[-1], correlation_id)
            self.outbox.keep_links({one.id: link for one in settled if (link := _link(one))})
            if request:
                self.outbox.close(request, outcome)
            self.it.count_calls()
            events.count(self.it.session, self.it.event_id, self.it.counts)
        for one in told:
            self._tell(one, correlation_id)

    def settle_attachment(self, one: Settled, *, sent: bool) -> None:
        """`sent`: whether Xero was asked about it."""
        correlation_id = self.it.correlation_id if sent else None
        with self.it.session.transaction():
            self.outbox.settle_attachment(one.id, one.version, one.result)
            self._record(one, correlation_id)
            self.it.count_calls()
            events.count(self.it.session, self.it.event_id, self.it.counts)
        self.attached += one.result.state == "pushed"
        self.unattached += one.result.state == "failed"
        self._tell(one, correlation_id)

    def warn(self, message: str, correction: str) -> None:
        """An event of its own, of no document; the run ends with a warning."""
        it = self.it
        about = it.session, it.connection.id, it.direction, it.data_set
        events.record(*about, "warning", message, it.origin, correction=correction)
        log_event(it.data_set, it.connection, "warning", it.counts, message, correction, direction=it.direction)
        self.odd += 1

    def _count(self, result: Result) -> None:
        self.it.counts.pushed += result.state == "pushed"
        self.it.counts.failed += result.state == "failed"
        self.odd += result.state == "pushed" and bool(result.notes)

    def _record(self, one: Settled, correlation_id: str | None) -> None:
        for status, message, correction in said(one):
            events.record(
                self.it.session,
                self.it.connection.id,
                self.it.direction,
                self.it.data_set,
                status,
                message,
                self.it.origin,
                correction=correction,
                document=one.label,
                correlation_id=correlation_id,
            )

    def _tell(self, one: Settled, correlation_id: str | None) -> None:
        if one.result.state == "pushed":
            log.info("%s: pushed, %s in Xero (%s)", one.label, one.result.xero_status or "there", one.result.xero_id)
        for status, message, correction in said(one):
            log_event(
                self.it.data_set,
                self.it.connection,
                status,
                self.it.counts,
                message,
                correction,
                direction=self.it.direction,
                document=one.label,
                correlation_id=correlation_id,
            )


def _link(one: Settled) -> Link | None:
    """What it surely is in Xero from here on. What is only read back of what a row said is no reason to believe it."""
    result = one.result
    if result.state == "pushed":
        return Link(result.xero_id, one.version)
    return Link(result.xero_id) if result.xero_id and (result.state == "ready" or result.forget) else None


def _as_it_is_now(one: Settled, state: str | None) -> Settled:
    """What is to be told of it, where QicWorks' users went on while it was on its way. None: it is theirs no more."""
    xero_id, notes = one.result.xero_id, one.result.notes
    if state in ("draft", "skipped") and one.result.state == "pushed":
        return replace(one, result=replace(one.result, notes=(*notes, f"it is {state} in QicWorks by now")))
    if state is not None:
        return one
    gone = Result(
        "failed",
        xero_id,
        error=f"it is gone from this organisation in QicWorks, and stands in Xero ({xero_id})",
        correction=f"Delete the draft of the {one.label} in Xero.",
    )
    return replace(one, result=gone if xero_id else Result(None))


def said(one: Settled) -> list[tuple[str, str, str | None]]:
    """The events that a result is worth: (status, message, correction)."""
    told: list[tuple[str, str, str | None]] = []
    if one.result.state == "failed":
        told.append(("error", one.result.error or "it failed", one.result.correction))
    if one.result.notes:
        told.append(("warning", "; ".join(one.result.notes), None))
    return told


def label(kind: Kind, document: Document) -> str:
    """How a document is called: by its number; where people are concerned by its id, since every viewer reads logs."""
    return kind.called(document.number, document.id)


def refused(kind: Kind, label: str, number: str | None, messages: Sequence[str], xero_id: UUID | None = None) -> Result:
    """A refusal in Xero's own words, with the correction that the catalogue has for it."""
    function = "payroll" if kind.payroll else "business"
    correction = corrections.correct(messages, document=label, number=number, function=function)
    words = "; ".join(messages) or "Xero gave no reason"
    return Result("failed", xero_id, error=words, correction=correction.text)


def unfit(label: str, findings: Sequence[Finding]) -> Result:
    """What the checks found: a certain refusal, which costs no call."""
    said = "; ".join(dict.fromkeys(finding.says for finding in findings))
    told = " ".join(dict.fromkeys((finding.correction or "").replace("{document}", label) for finding in findings))
    return Result("failed", error=f"not sent: {said}", correction=told)


def xero_fails(label: str, times: int) -> Result:
    """Xero answers with a 5xx, again and again, and to this one alone."""
    return Result(
        "failed",
        error=f"Xero answered with an error of its own (HTTP 5xx) each of the {times} times that it was sent alone",
        correction=f"Look for something unusual in the {label}, such as odd characters, very long texts or very large "
        "amounts; correct it and push again. If there is nothing, push again later, or enter it in Xero by hand.",
    )


def check_in_xero(error: str) -> Result:
    """Where no rule can decide: a person must."""
    return Result(
        "failed",
        error=f"{error}: check in Xero",
        correction="Look in Xero whether it is there. If it is not, push again; if it is there twice, delete one.",
    )


def perhaps_there(kind: Kind, label: str, number: str | None) -> Result:
    """Somebody may have typed it in, or it is one of ours that nobody can tell."""
    again = f" ({number} → {corrections.renumbered(number)})" if number else ""
    return Result(
        "failed",
        error=f"Xero has a {kind.word} of this number and contact, perhaps this one: check in Xero",
        correction=f"If it is the same, set the {label} to skipped in QicWorks. If it is another one, give it a new "
        f"number{again} and push again.",
    )


def claimed(claim: Claim, xero_id: UUID) -> Result:
    """It stands in Xero, and so does another one, QicWorks says, as the same record."""
    return Result(
        "failed",
        error=f"it is in Xero ({xero_id}), where QicWorks links {claim.document} to it: check in Xero",
        correction=f"An administrator takes the link of {claim.document} away, as the runbook says; then push again: "
        "this one is linked, or made where it is not there.",
    )


def not_its_own(kind: PricedKind, label: str, xero_id: UUID, number: str | None) -> Result:
    """It is linked to a record (`number`; None: there is none) of which nothing says that it is this document. Nothing
    is changed there."""
    there = f"what is not in Xero ({xero_id})" if number is None else f"'{number}' in Xero ({xero_id})"
    like_it = "" if kind.addressed else "let it have the number, contact, day and total of QicWorks and push again, or "
    return Result(
        "failed",
        error=f"it is linked to {there}, and nothing shows that this is it: check in Xero",
        correction=f"Look in Xero. If it is the {label}, {like_it}an administrator links it by hand, as the runbook "
        "says. If it is not, an administrator takes the link away; then push again.",
    )


def not_there(label: str, xero_id: UUID | None) -> Result:
    """What was pushed is gone without a trace, or was another organisation's. Pushed again it is made anew."""
    return Result(
        "failed",
        error=f"what was pushed of it ({xero_id}) is not in Xero any more: check in Xero",
        correction=f"Look whether the {label} is there under another number, or in another organisation. If it is "
        "not, push it again: it is made anew.",
        forget=True,
    )
