"""The wording of cancellations: what became of a cancelled document in Xero, in words."""

from __future__ import annotations

from xero.qicworks.push.cancellations import Cancellation, How
from xero.sync.push.cancelled.standing import Records, Standing, State

STANDS = {
    State.OPEN: "it is still there, as {status}",
    State.APPROVED: "Xero does not delete it for an app, because it is {status} there",
    State.PAID: "Xero does not delete it, because it is paid or credited there",
    State.TAKEN: "Xero does not reject it, because it was in a pay run",
    State.UNREADABLE: "Xero returns a server error (HTTP 5xx) when it is asked for the record",
    State.UNKNOWN: "no record in Xero is certainly this document",
}
SAID = {"AUTHORISED": "approved", "": "without a status"}
NOT_CONFIRMED = "QicWorks cannot confirm that the record in Xero ({}) is this document: check in Xero"
NOT_HERE = "QicWorks cannot confirm that it is in this Xero organisation; it may still be in another one"
FIND_IT = (
    "Under Xero › Connections, check that this QicWorks organisation is matched to the right Xero organisation. If it "
    "is, look for the {} in Xero, and delete or void it there. If the cancellation was a mistake, undo it in QicWorks."
)
LOOK_FOR_IT = (
    "Look for the {} in Xero. If it is there, delete, void or reject it there. If the cancellation was a mistake, undo "
    "it in QicWorks."
)
ANOTHER_TOO = "its record in Xero ({}) is also linked to {}: check in Xero"
FAILS = "Xero returned a server error (HTTP 5xx) each of the {} times that it was asked to take it back"
IN_FORCE_AGAIN = "it was {done} before the cancellation was undone in QicWorks"


def status_of(cancelled: Cancellation | None) -> str:
    """What QicWorks calls it: cancelled, archived, rejected, draft, deleted."""
    if cancelled is None:
        return "in force"
    if not cancelled.status:
        return "deleted"
    return "draft" if cancelled.how is How.DRAFT else cancelled.status.lower()


def why(cancelled: Cancellation) -> str:
    status = status_of(cancelled)
    return "it was taken back in QicWorks" if status == "draft" else f"it was {status} in QicWorks"


def stands(standing: Standing) -> str:
    """Why it is still in Xero."""
    return STANDS[standing.state].format(status=SAID.get(standing.status, standing.status.lower()))


def was_linked(cancelled: Cancellation) -> bool:
    """Whether anything says that it has a record in Xero, in whichever Xero organisation."""
    return any(link["xero_id"] for link in cancelled.links or ())


def correction(records: Records, standing: Standing, label: str) -> str:
    """What a person does about a cancelled document that QicWorks does not take back."""
    if standing.state is State.UNKNOWN:
        return LOOK_FOR_IT.format(label)
    return FIND_IT.format(label) if standing.state is State.GONE else records.correction(standing, label)


def left(cancelled: Cancellation, standing: Standing, reason: str) -> str:
    """What an event says of a document that QicWorks does not take back."""
    if standing.state in (State.GONE, State.UNKNOWN):
        return f"{why(cancelled)}, but may still be in Xero: {reason}"
    return f"{why(cancelled)}, but is still in Xero: {reason}"


def done(records: Records, cancelled: Cancellation | None, before: Standing | None) -> tuple[str, bool]:
    """What an event says of a record that QicWorks has taken back, and whether a user of Xero had changed it.
    `before`: the record as it was; None if that is not known."""
    if cancelled is None:
        return IN_FORCE_AGAIN.format(done=records.done), True
    changed = []
    if before and cancelled.xero_status and before.status != cancelled.xero_status:
        changed.append(f"its status was {before.status}, and {cancelled.xero_status} when QicWorks last saw it")
    if before and None not in (before.total, cancelled.total) and before.total != cancelled.total:
        changed.append(f"its total was {before.total} in Xero, and {cancelled.total} in QicWorks")
    said = f"{records.done}, because {why(cancelled)}"
    return (f"{said}; it had been changed in Xero: {'; '.join(changed)}" if changed else said), bool(changed)


def gone_already(cancelled: Cancellation, standing: Standing) -> str:
    return f"{why(cancelled)}, and is {SAID.get(standing.status, standing.status.lower())} in Xero already"


def of_another(cancelled: Cancellation, other: str) -> str:
    return f"{why(cancelled)}; its record in Xero is now that of {other}, so nothing was deleted"


def never_there(cancelled: Cancellation) -> str:
    return f"{why(cancelled)}, and QicWorks knows of no record of it in Xero"
