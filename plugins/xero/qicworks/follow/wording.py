"""The wording of differences: what differs between QicWorks and Xero, in words, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from xero.datasets.registry import DATASETS
from xero.documents.declaration import Delivery
from xero.documents.registry import KINDS
from xero.qicworks.follow.differences import Difference, Found, Reason, Settled

MAX_FIELDS = 5  # named in a message


@dataclass(frozen=True)
class Words:
    """What to say of a reason: `message` begins in lower case, because the document comes before it.

    Places: {word}, what a document of the kind is called; {details}, what differs; {subject}, of which of several.
    """

    message: str
    correction: str


WORDS: Mapping[Reason, Words] = {
    Reason.VOIDED_IN_XERO: Words(
        "it was voided in Xero",
        "If that was right, cancel it in QicWorks, too. If not, give it a new number and release it: a new draft is "
        "created.",
    ),
    Reason.DELETED_IN_XERO: Words(
        "it was deleted in Xero",
        "If that was right, cancel it in QicWorks, too. If not, give it a new number and release it: a new draft is "
        "created.",
    ),
    Reason.REJECTED_IN_XERO: Words(
        "it was rejected in Xero",
        "If that was right, set it to Skipped, take it back to draft or delete it in QicWorks. If not, approve it in "
        "Xero again, or create a new {word} in QicWorks.",
    ),
    Reason.MISSING_IN_XERO: Words(
        "Xero no longer has it",
        "If that is right, cancel it in QicWorks, too. If not, give it a new number and release it: a new draft is "
        "created.",
    ),
    Reason.APPROVED_IN_XERO: Words(
        "it is approved in Xero, which no longer takes the change that was made in QicWorks",
        "Make the same change in Xero by hand. Or undo the change in QicWorks.",
    ),
    Reason.EDITED_IN_XERO: Words(
        "it was changed in Xero after it was pushed{details}",
        "If the change is right, keep Xero's version and make the change in QicWorks, too. If not, keep QicWorks' "
        "version: the next push sends it again.",
    ),
    Reason.EDITED_IN_QICWORKS: Words(
        "it was changed in QicWorks after it was pushed, and Xero does not have the change{details}",
        "Open it under Xero › Documents: it says why the change was not sent, and what to do. Or undo the change in "
        "QicWorks.",
    ),
    Reason.AMOUNTS_DIFFER: Words(
        "Xero has it otherwise than it was sent{details}",
        "Compare the {word} in QicWorks with the one in Xero, and correct the one that is wrong.",
    ),
    Reason.PAID_DIFFERS: Words(
        "QicWorks and Xero differ on what is paid of it{details}",
        "Compare what QicWorks shows as paid with the payments of the {word} in Xero, and correct the one that is "
        "wrong. The next pull compares again.",
    ),
    Reason.CANCELLED_IN_QICWORKS: Words(
        "it was cancelled in QicWorks, and is still in Xero",
        "If the cancellation is right, delete or void it in Xero. If not, release it in QicWorks again.",
    ),
    Reason.FILE_LEFT_IN_XERO: Words(
        "its file {subject} was removed or renamed in QicWorks, and is in Xero, or may be{details}",
        "If it is there, remove it from the {word} in Xero by hand: an app cannot. Or attach it in QicWorks again.",
    ),
    Reason.OVERLAPPING_LEAVE: Words(
        "its employee has other leave in Xero on some of its days, which QicWorks did not enter",
        "If the leave was entered twice, reject one of the two: the other leave in Xero, or this {word} in QicWorks. "
        "If both are right, acknowledge the difference.",
    ),
    Reason.AMBIGUOUS_MATCH: Words(
        "Xero has another record that may be the same {word}",
        "Look at both in Xero. If one is too many, delete or void it. If they are two things, acknowledge the "
        "difference.",
    ),
    Reason.UNPROVEN_PUSH: Words(
        "it is marked as pushed, and nothing proves it",
        "Look for it in Xero. If it is not there, push it again. If it is there, ask an administrator to confirm the "
        "link, as the runbook says.",
    ),
    Reason.PAY_DIFFERS: Words(
        "the pay in Xero is not the pay that was approved in QicWorks",
        "Compare the payslip in Xero with the approved pay in QicWorks. Correct the pay run while it is a draft; after "
        "it was posted, correct it with the next pay.",
    ),
    Reason.RECORDS_DIFFER: Words(
        "QicWorks and Xero have different records",
        "Do a full refresh of this data set. If the difference remains, the reason is under Xero → Overview, Records "
        "not loaded.",
    ),
    Reason.SETTING_UNFIT: Words(
        "the setting {subject} no longer fits what Xero has{details}",
        "Choose another one under Xero › Connections › Settings. Or restore it in Xero, and pull again.",
    ),
}

#: Where documents that are delivered in this way need other words: Xero lets no app change or delete leave.
WORDS_BY_DELIVERY: Mapping[tuple[Delivery, Reason], Words] = {
    (Delivery.LEAVE, Reason.MISSING_IN_XERO): Words(
        "Xero no longer has it",
        "If that is right, set it to Skipped, take it back to draft or delete it in QicWorks. If not, create a new "
        "{word} in QicWorks.",
    ),
    (Delivery.LEAVE, Reason.EDITED_IN_XERO): Words(
        "it was changed in Xero after it was pushed{details}",
        "If the change is right, make it in QicWorks, too, and approve it there. If not, change the leave back in Xero "
        "by hand: an app cannot.",
    ),
    (Delivery.LEAVE, Reason.EDITED_IN_QICWORKS): Words(
        "it was changed in QicWorks after it was pushed, and Xero does not have the change{details}",
        "Make the same change to the leave in Xero by hand, or undo it in QicWorks. Or reject it in both, and create a "
        "new {word}.",
    ),
    (Delivery.LEAVE, Reason.CANCELLED_IN_QICWORKS): Words(
        "it was rejected in QicWorks, and is in force in Xero",
        "If the rejection is right, reject the leave in Xero, too. If not, approve the {word} in QicWorks again.",
    ),
    (Delivery.CONTACTS, Reason.EDITED_IN_QICWORKS): Words(
        "it was linked to a contact that Xero had already, which has other values or none{details}",
        "QicWorks keeps its own values. If they are right, enter them on the contact in Xero. If not, enter Xero's in "
        "QicWorks.",
    ),
    (Delivery.LEAVE, Reason.AMBIGUOUS_MATCH): Words(
        "Xero has another leave application that may be the same {word}",
        "Look at both in Xero. If one is too many, reject it. If they are two things, acknowledge the difference.",
    ),
}

#: What a user reads first of a difference.
TITLES: Mapping[Reason, str] = {
    Reason.VOIDED_IN_XERO: "voided in Xero",
    Reason.DELETED_IN_XERO: "deleted in Xero",
    Reason.REJECTED_IN_XERO: "rejected in Xero",
    Reason.MISSING_IN_XERO: "not in Xero",
    Reason.APPROVED_IN_XERO: "approved in Xero",
    Reason.EDITED_IN_XERO: "edited in Xero",
    Reason.EDITED_IN_QICWORKS: "edit not sent",
    Reason.AMOUNTS_DIFFER: "amounts differ",
    Reason.PAID_DIFFERS: "amount paid differs",
    Reason.CANCELLED_IN_QICWORKS: "cancelled in QicWorks",
    Reason.FILE_LEFT_IN_XERO: "file removed in QicWorks",
    Reason.OVERLAPPING_LEAVE: "overlapping leave",
    Reason.AMBIGUOUS_MATCH: "match is unclear",
    Reason.UNPROVEN_PUSH: "push is unproven",
    Reason.PAY_DIFFERS: "pay differs",
    Reason.RECORDS_DIFFER: "records differ",
    Reason.SETTING_UNFIT: "setting no longer fits",
}
SETTLED: Mapping[Settled, str] = {
    Settled.AGREES: "QicWorks and Xero agree",
    Settled.CANCELLED: "QicWorks cancelled it, too",
    Settled.REPLACED: "it is another record in Xero now",
    Settled.SKIPPED: "QicWorks no longer pushes it",
    Settled.OVERWRITTEN: "one side was written over the other",
    Settled.GONE: "it no longer exists in QicWorks",
}


def say(difference: Found | Difference, document_kind: str) -> tuple[str, str]:
    """The message of a difference, and what to do about it. Of payroll and of contacts without values: all viewers
    read logs."""
    # A data set may have the name of a kind.
    is_of_data_set = document_kind in DATASETS and difference.reason is Reason.RECORDS_DIFFER
    kind = None if is_of_data_set else KINDS.get(document_kind)
    words = WORDS[difference.reason]
    if kind:
        words = WORDS_BY_DELIVERY.get((kind.delivery, difference.reason), words)
    places = {
        "word": kind.word if kind else "record",
        "details": _details(
            difference, with_values=not (kind and (kind.payroll or kind.delivery is Delivery.CONTACTS))
        ),
        "subject": difference.subject,
    }
    return words.message.format(**places), words.correction.format(**places)


def say_settled(reason: Reason, how: Settled) -> str:
    """That a difference is settled, and how."""
    return f"settled, because {SETTLED[how]}: {TITLES[reason]}"


def _details(difference: Found | Difference, *, with_values: bool) -> str:
    """The fields that differ, after a colon; empty if none is known."""
    ours, theirs = difference.ours, difference.theirs
    names = list(dict.fromkeys((*ours, *theirs)))
    shown = [
        f"{name} ({ours.get(name) or 'nothing'} in QicWorks, {theirs.get(name) or 'nothing'} in Xero)"
        if with_values
        else name
        for name in names[:MAX_FIELDS]
    ]
    more = f" and {len(names) - MAX_FIELDS} more" if len(names) > MAX_FIELDS else ""
    return f": {', '.join(shown)}{more}" if shown else ""
