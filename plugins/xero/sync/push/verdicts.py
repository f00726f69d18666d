"""The wording of results: what became of a document, in words, and what to do about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xero.documents.declaration import AnyDocument, Finding, Kind, PricedKind
from xero.qicworks.push.links import Claim
from xero.qicworks.push.outbox import PushState, Result
from xero.qicworks.runs.outcome import Status
from xero.sync.push import corrections

UNSEALED = (
    "A request was left in the outbox that does not carry the seal of this project: nothing of it was sent.",
    "After an update of this project, or of token_keys, that is no harm. Otherwise look who can write to the table "
    "xero_sync.push_request.",
)


#: Xero's messages about a number that is used already, or was.
NUMBER_TAKEN = re.compile("must be unique|not of valid status for modification", re.IGNORECASE)

ALIKE = "QicWorks has another {} of this contact, number and amount"
IN_DOUBT = "what Xero answered to it fits another document, or a refusal; looked up, it is there"
UNANSWERED = "Push again; if that happens again, report it."


@dataclass(frozen=True)
class Settled:
    """A document's version and what became of it. `label` names it in messages: "invoice INV-001"."""

    id: UUID
    version: int
    label: str
    result: Result
    attached_to: UUID | None = None  # of an attachment: its document


def said(one: Settled) -> list[tuple[Status, str, str | None]]:
    """The events that a result is worth: (status, message, correction)."""
    told: list[tuple[Status, str, str | None]] = []
    if one.result.state is PushState.FAILED:
        told.append((Status.ERROR, one.result.error or "it failed", one.result.correction))
    if one.result.notes:
        told.append((Status.WARNING, "; ".join(one.result.notes), None))
    return told


def label(kind: Kind, document: AnyDocument) -> str:
    """How a document is called: by its number; where people are concerned by its id, since every viewer reads logs."""
    return kind.called(document.number, document.id)


def refused(kind: Kind, label: str, number: str | None, messages: Sequence[str], xero_id: UUID | None = None) -> Result:
    """A refusal in Xero's own words, with the correction that the catalogue has for it."""
    function = "payroll" if kind.payroll else "business"
    correction = corrections.correct(messages, document=label, number=number, function=function)
    words = "; ".join(messages) or "Xero gave no reason"
    taken = any(NUMBER_TAKEN.search(message) for message in messages)
    return Result(PushState.FAILED, xero_id, error=words, correction=correction.text, number_taken=taken)


def unfit(label: str, findings: Sequence[Finding]) -> Result:
    """What the checks found: a certain refusal, which costs no call."""
    said = "; ".join(dict.fromkeys(finding.says for finding in findings))
    told = " ".join(dict.fromkeys((finding.correction or "").replace("{document}", label) for finding in findings))
    return Result(PushState.FAILED, error=f"not sent: {said}", correction=told)


def xero_fails(label: str, times: int) -> Result:
    """Xero answers with a 5xx, again and again, and to this one alone."""
    return Result(
        PushState.FAILED,
        error=f"Xero answered with an error of its own (HTTP 5xx) each of the {times} times that it was sent alone",
        correction=f"Look for something unusual in the {label}, such as odd characters, very long texts or very large "
        "amounts; correct it and push again. If there is nothing, push again later, or enter it in Xero by hand.",
    )


def check_in_xero(error: str) -> Result:
    """Where no rule can decide: a person must."""
    return Result(
        PushState.FAILED,
        error=f"{error}: check in Xero",
        correction="Look in Xero whether it is there. If it is not, push again; if it is there twice, delete one.",
    )


def perhaps_there(kind: Kind, label: str, number: str | None) -> Result:
    """Somebody may have typed it in, or it is one of ours that nobody can tell."""
    again = f" ({number} → {corrections.renumbered(number)})" if number else ""
    return Result(
        PushState.FAILED,
        error=f"Xero has a {kind.word} of this number and contact, perhaps this one: check in Xero",
        correction=f"If it is the same, set the {label} to skipped in QicWorks. If it is another one, give it a new "
        f"number{again} and push again.",
    )


def claimed(claim: Claim, xero_id: UUID) -> Result:
    """It stands in Xero, and so does another one, QicWorks says, as the same record."""
    return Result(
        PushState.FAILED,
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
        PushState.FAILED,
        error=f"it is linked to {there}, and nothing shows that this is it: check in Xero",
        correction=f"Look in Xero. If it is the {label}, {like_it}an administrator links it by hand, as the runbook "
        "says. If it is not, an administrator takes the link away; then push again.",
    )


def not_there(label: str, xero_id: UUID | None) -> Result:
    """What was pushed is gone without a trace, or was another organisation's. Pushed again it is made anew."""
    return Result(
        PushState.FAILED,
        error=f"what was pushed of it ({xero_id}) is not in Xero any more: check in Xero",
        correction=f"Look whether the {label} is there under another number, or in another organisation. If it is "
        "not, push it again: it is made anew.",
        forget=True,
    )


def deleted(label: str, number: str | None, status: str | None, xero_id: UUID | None) -> Result:
    """It stands in Xero, but as deleted or voided."""
    again = f" ({number} → {corrections.renumbered(number)})" if number else ""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"it was {str(status).lower()} in Xero",
        f"If that was a mistake, give the {label} a new number in QicWorks{again} and push again: it is made anew, "
        "and its attachments go along. Otherwise cancel it in QicWorks, too.",
    )


def not_shown(xero_id: UUID | None) -> Result:
    return Result(
        PushState.FAILED,
        xero_id,
        error="not sent: Xero answers with an error of its own (HTTP 5xx) when asked how it stands there",
        correction="Push again later. If that happens again, look at it in Xero, and make the change there by hand.",
    )


def silent(*, is_new: bool) -> Result:
    """Xero's response does not mention the document, and a search did not find it."""
    there = "It is not in Xero. " if is_new else ""
    return Result(PushState.FAILED, error="Xero's answer says nothing of it", correction=there + UNANSWERED)
