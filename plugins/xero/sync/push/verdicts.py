"""The wording of results: what became of a document, in words, and what to do about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xero.api.errors import cleaned
from xero.documents.declaration import AnyDocument, CheckResult, Delivery, Kind, PricedDocument, PricedKind
from xero.qicworks.push.links import Claim
from xero.qicworks.push.outbox import PushState, Result
from xero.qicworks.runs.outcome import Status
from xero.sync.push import corrections

UNSEALED = (
    "A request was left in the outbox without the seal of this project: nothing in it was sent.",
    "After an update of this project, or of token_keys, this is harmless. Otherwise check who can write to the table "
    "xero_sync.push_request.",
)


#: Xero's messages about a number that is used already, or was.
NUMBER_TAKEN = re.compile(
    "must be unique|not of valid status for modification|has this contact number|contact name already exists",
    re.IGNORECASE,
)

#: Statuses that Xero's own pages call otherwise.
SAID = {"AUTHORISED": "approved"}

ALIKE = "QicWorks has another {} of this contact, number and amount"
IN_DOUBT = "Xero's response to it was unclear; a search found it in Xero"
LINKED = "linked to the record that was already in Xero, as {} decided"
UNANSWERED = "Push again; if that happens again, contact QicWorks support."


@dataclass(frozen=True)
class Settled:
    """A document's version and what became of it. `label` names it in messages: "invoice INV-001"."""

    id: UUID
    version: int
    label: str
    result: Result
    attached_to: UUID | None = None  # of an attachment: its document


def event_lines(settled: Settled) -> list[tuple[Status, str, str | None]]:
    """The events that a result is recorded as: status, message and correction of each."""
    lines: list[tuple[Status, str, str | None]] = []
    result = settled.result
    if result.state is PushState.FAILED:
        lines.append((Status.ERROR, result.error or "it failed", result.correction))
    if result.adopting and result.adopting.linked is not None:
        lines.append((Status.SUCCESS, LINKED.format(result.adopting.by), None))
    if result.remarks:
        lines.append((Status.WARNING, "; ".join(result.remarks), None))
    return lines


def label(kind: Kind, document: AnyDocument) -> str:
    """What a document is called in messages: its number; of pay and leave the id, as every viewer reads logs."""
    return kind.called(document.number, document.id)


def to_be_linked(settled: Settled) -> str | None:
    """A sentence about a document that a run would link to a record in Xero; None for others."""
    if not settled.result.adopting or settled.result.adopting.linked is None:
        return None
    return f"{settled.label} would be linked to the record {settled.result.xero_id} that is already in Xero"


def with_defaults(kind: PricedKind, document: PricedDocument) -> list[str]:
    """A sentence for each line that takes its account, tax code or department's option from the settings."""
    said = []
    for line in document.lines:
        taken = [f"default account {line.account_code}"] if line.account_is_default else []
        taken += [f"default tax code {line.tax_type}"] if line.tax_is_default else []
        taken += [f"tracking option {line.first_option_name}"] if line.department_is_taken else []
        if taken:
            name = label(kind, document)
            said.append(f"{name} line {line.line_number}: {' and '.join(taken)}, from the settings")
    return said


def refused(kind: Kind, label: str, number: str | None, messages: Sequence[str], xero_id: UUID | None = None) -> Result:
    """Xero refused it: in Xero's own words, with the correction that the catalogue has for them."""
    function = "payroll" if kind.payroll else "contacts" if kind.delivery is Delivery.CONTACTS else "business"
    correction = corrections.correct(messages, document=label, number=number, function=function)
    words = "; ".join(messages) or "Xero gave no reason"
    taken = any(NUMBER_TAKEN.search(message) for message in messages)
    return Result(PushState.FAILED, xero_id, error=words, correction=correction.text, number_taken=taken)


def invalid(label: str, findings: Sequence[CheckResult]) -> Result:
    """Our own checks refused it, which costs no call."""
    reasons = "; ".join(dict.fromkeys(finding.says for finding in findings))
    texts = [finding.correction for finding in findings if finding.correction]
    correction = corrections.instruct(texts, {finding.then for finding in findings}, label)
    lacks = next((finding.lacks for finding in findings if finding.lacks), None)
    department = any(finding.lacks_department for finding in findings)
    error = f"not sent: {reasons}"
    return Result(PushState.FAILED, error=error, correction=correction, lacks=lacks, lacks_department=department)


def xero_fails(label: str, times: int) -> Result:
    """Xero fails with a 5xx on this document alone, every time."""
    return Result(
        PushState.FAILED,
        error=f"Xero returned a server error (HTTP 5xx) each of the {times} times that it was sent alone",
        correction=f"Look for something unusual in the {label}, such as odd characters, very long texts or very large "
        "amounts; correct it and release it. If there is nothing, push again later, or enter it in Xero by hand.",
    )


def check_in_xero(error: str) -> Result:
    """No rule can decide, so a person must."""
    return Result(
        PushState.FAILED,
        error=f"{error}: check in Xero",
        correction="Search for it in Xero. Not there: push again. There once: set it to Skipped in QicWorks. There "
        "twice: delete one in Xero, then set it to Skipped.",
        is_unclear=True,
    )


def perhaps_there(kind: Kind, label: str, number: str | None) -> Result:
    """A user may have entered it in Xero, or it is one of ours that cannot be distinguished."""
    again = f" ({number} → {corrections.renumbered(number)})" if number else ""
    return Result(
        PushState.FAILED,
        error=f"Xero already has a {kind.word} with this number and contact, which may be this one: check in Xero",
        correction=f"If it is the same, set the {label} to Skipped in QicWorks. If it is another one, give the {label} "
        f"a new number{again} and release it.",
        is_unclear=True,
    )


def claimed(claim: Claim, xero_id: UUID) -> Result:
    """Its record in Xero is already linked to another document."""
    return Result(
        PushState.FAILED,
        error=f"its record in Xero ({xero_id}) is already linked to {claim.document}: check in Xero",
        correction=f"Ask an administrator to remove the link of {claim.document}, as described in the runbook. Then "
        "push again: this document is linked to the record, or created if it is not there.",
        is_unclear=True,
    )


def not_its_own(kind: PricedKind, label: str, xero_id: UUID, number: str | None) -> Result:
    """It is linked to a record that cannot be confirmed as this document, so nothing is changed there.

    `number`: the record's; None if Xero has no such record.
    """
    there = f"a record that is not in Xero ({xero_id})" if number is None else f"'{number}' in Xero ({xero_id})"
    like_it = "" if kind.addressed else "give it the number, contact, date and total of QicWorks and push again, or "
    return Result(
        PushState.FAILED,
        error=f"it is linked to {there}, but QicWorks cannot confirm that this is the same document: check in Xero",
        correction=f"Check the record in Xero. If it is the {label}, {like_it}ask an administrator to link it by hand, "
        "as described in the runbook. If it is not, ask an administrator to remove the link; then push again.",
    )


def not_there(label: str, xero_id: UUID | None) -> Result:
    """What was pushed is no longer in Xero, or was in another organisation. Pushed again, it is created again."""
    return Result(
        PushState.FAILED,
        error=f"what was pushed ({xero_id}) is no longer in Xero: check in Xero",
        correction=f"Check whether the {label} is in Xero under another number, or in another organisation. If it is "
        "not, push it again: a new draft is created.",
        forget=True,
    )


def deleted(label: str, number: str | None, status: str | None, xero_id: UUID | None) -> Result:
    """It is in Xero, but deleted or voided."""
    again = f" ({number} → {corrections.renumbered(number)})" if number else ""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"it was {str(status).lower()} in Xero after it was pushed",
        f"If that was a mistake, give the {label} a new number in QicWorks{again} and release it: a new draft is "
        "created, and its attachments are sent with it. Otherwise cancel it in QicWorks, too.",
    )


def not_editable(xero_id: UUID | None, status: str) -> Result:
    """Xero takes no change of it any more."""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"it is already {SAID.get(status, status.lower())} in Xero, so the change was not sent",
        "Make the same change in Xero by hand, or undo it in QicWorks. To correct what is paid, create a credit note. "
        "QicWorks can only change drafts in Xero.",
    )


def cannot_overwrite(xero_id: UUID | None, status: str) -> Result:
    """QicWorks' side was to be kept, and Xero takes no change of it any more."""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"Xero's version cannot be overwritten, because it is already {SAID.get(status, status.lower())} there",
        "Change it in Xero by hand. Or keep Xero's version. QicWorks can only change drafts in Xero.",
    )


def changed_in_xero(label: str, xero_id: UUID | None, status: str, fields: str) -> Result:
    """Somebody changed the draft in Xero, and nobody has said which side is right."""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"it was changed in Xero after it was pushed ({fields}), so nothing was sent",
        f"Open the page of the {label} and choose: Keep QicWorks' overwrites the draft in Xero, Keep Xero's takes "
        "Xero's changes over. Or make both sides the same by hand; then push again.",
    )


def rate_stays(label: str, xero_id: UUID | None, status: str, rate: str) -> Result:
    """Its rate was emptied, and Xero's API has no way to go back to the rate of the day."""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"its currency rate was emptied in QicWorks, and Xero would keep the rate {rate}, so nothing was sent",
        f"Enter the currency rate of the {label} in QicWorks and release it. Or change the rate in Xero by hand; then "
        "push again.",
    )


def not_shown(xero_id: UUID | None) -> Result:
    """Xero fails with a 5xx when it is asked for the record, and not for others."""
    return Result(
        PushState.FAILED,
        xero_id,
        error="not sent: Xero returns a server error (HTTP 5xx) when it is asked for the record",
        correction="Push again later. If that happens again, open it in Xero and make the change there by hand.",
    )


def silent(*, is_new: bool) -> Result:
    """Xero's response does not mention the document, and a search did not find it."""
    there = "It is not in Xero. " if is_new else ""
    return Result(
        PushState.FAILED, error="Xero's response did not mention this document", correction=there + UNANSWERED
    )


def cannot_take(label: str, xero_id: UUID | None, status: str, why: str) -> Result:
    """Xero's side was to be kept, and has no place in QicWorks."""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"what was changed in Xero could not be taken over: {why}",
        f"Make the same change to the {label} in QicWorks by hand. Then push again.",
    )


def cannot_take_number(label: str, xero_id: UUID | None, status: str, number: str) -> Result:
    """Xero's side was to be kept, with a number that QicWorks has on another document."""
    result = cannot_take(label, xero_id, status, f"another document of QicWorks has the number {cleaned(number)}")
    correction = f"Give the {label} another number in Xero, or give the other document another number in QicWorks"
    return replace(result, correction=f"{correction}. Then push again.")
