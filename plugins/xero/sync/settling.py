"""What became of documents: written, counted and told in one transaction with the request that carried them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xero.documents.declaration import Document, Finding, Kind
from xero.qicworks import events
from xero.qicworks.outbox import Outbox, Request, Result
from xero.sync import corrections
from xero.sync.interaction import Interaction
from xero.sync.telling import log_event

log = logging.getLogger(__name__)


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
        for one in settled:
            self._count(one.result)
        with self.it.session.transaction():
            for one in settled:
                self.outbox.settle(one.id, one.version, one.result, held)
                self._record(one)
            if request:
                self.outbox.close(request, outcome)
            self.it.count_calls()
            events.count(self.it.session, self.it.event_id, self.it.counts)
        for one in settled:
            self._tell(one)

    def settle_attachment(self, one: Settled) -> None:
        with self.it.session.transaction():
            self.outbox.settle_attachment(one.id, one.version, one.result)
            self._record(one)
            self.it.count_calls()
            events.count(self.it.session, self.it.event_id, self.it.counts)
        self.attached += one.result.state == "pushed"
        self.unattached += one.result.state == "failed"
        self._tell(one)

    def _count(self, result: Result) -> None:
        self.it.counts.pushed += result.state == "pushed"
        self.it.counts.failed += result.state == "failed"
        self.odd += result.state == "pushed" and bool(result.notes)

    def _record(self, one: Settled) -> None:
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
            )

    def _tell(self, one: Settled) -> None:
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
            )


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
    return f"{kind.word} {document.number or document.id}"


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


def check_in_xero(error: str) -> Result:
    """Where no rule can decide: a person must."""
    return Result(
        "failed",
        error=f"{error}: check in Xero",
        correction="Look in Xero whether it is there. If it is not, push again; if it is there twice, delete one.",
    )
