"""The wording of results of leave: what became of a leave request, in words, and what to do about it."""

from collections.abc import Sequence
from uuid import UUID

from xero.documents.declaration import Json, Record
from xero.documents.leave_requests import APPROVED, LeaveDocument, payload
from xero.qicworks.push.outbox import PushState, Request, Result
from xero.sync.push.payroll.leave_applications import (
    REJECTED,
    REQUESTED,
    id_of,
    is_of_the_days,
    is_what_was_sent,
    statuses,
)

NOT_THIS_LEAVE = Result(
    PushState.FAILED,
    error="it is not approved in Xero, and its employee, type, days or reference differ there, so QicWorks did not "
    "approve it",
    correction="Check the leave in Xero. If it is this one, approve it there by hand. If it is not, create a new leave "
    "request.",
    is_unclear=True,
)

CLAIMED = Result(
    PushState.FAILED,
    error="it is already in Xero, and is linked to another leave request in QicWorks: check in Xero",
    correction="Ask an administrator to remove the Xero link (xero_id) of the other leave request. Then push "
    "both again.",
    is_unclear=True,
)


def not_changeable(xero_id: UUID, record: Record) -> Result:
    """It differs from what Xero has, where leave cannot be changed by an app."""
    return Result(
        PushState.FAILED,
        xero_id,
        ", ".join(statuses(record)),
        "it is already in Xero, where QicWorks cannot change leave",
        "Make the same change to the leave in Xero by hand. Or reject it in both, and create a new leave request.",
    )


def perhaps_there(identity: Json) -> Result:
    """Xero has leave that may be this one, and nothing that shows it."""
    return Result(
        PushState.FAILED,
        error="Xero already has leave of this employee, type and days, which may be this one: check in Xero",
        correction=f"If it is this one, add '{identity['reference']}' to the end of its description in Xero and push "
        "again: it is then linked. If it is another one, enter this one in Xero by hand.",
        is_unclear=True,
    )


def of_record(document: LeaveDocument, request: Request, record: Record, words: Sequence[str]) -> Result:
    """What became of a leave request, by the record that Xero has of it. `words`: Xero's refusal to approve it."""
    found, xero_id = statuses(record), id_of(record)
    error = correction = None
    unchanged = document.version == request.versions[0]
    sent = payload(document) if unchanged else request.identities[0]
    if found == [REJECTED]:
        error = "it was rejected in Xero"
        correction = (
            "If the employee still takes this leave, create a new leave request in QicWorks. Otherwise reject this one "
            "in QicWorks, too."
        )
    elif REQUESTED in found and document.row.status not in APPROVED:
        error = "the leave is in Xero as requested, but is no longer approved in QicWorks"
        correction = "No action needed: QicWorks rejects it in Xero, too. If the employee takes it, approve it again."
    elif REQUESTED in found:
        error = f"the leave is in Xero as requested, and could not be approved there: {'; '.join(words)}".rstrip(": ")
        correction = "Approve the leave in Xero by hand, then push again; a pay run does not pay it before that."
    elif not (is_what_was_sent(sent, record) if unchanged else is_of_the_days(sent, record)):
        error = "the leave in Xero is not what was sent (days or hours): check in Xero"
        correction = "Compare the leave in Xero with the request in QicWorks, and correct it in Xero by hand."
    return Result(PushState.FAILED if error else PushState.PUSHED, xero_id, ", ".join(found), error, correction)
