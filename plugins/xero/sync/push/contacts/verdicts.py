"""What became of a contact, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xero.api.errors import cleaned
from xero.qicworks.push.outbox import PushState, Result
from xero.sync.push.contacts.matching import Alike, Candidate, Known, Match

WORDS = {
    Alike.OWN_NUMBER: "QicWorks' own contact number",
    Alike.NUMBER: "the contact number",
    Alike.NAME: "the name",
    Alike.TAX_NUMBER: "the ABN or tax number",
    Alike.EMAIL: "the email",
    Alike.SIMILAR_NAME: "a similar name",
    Alike.MERGED_INTO_IT: "the one that it was merged into",
}
ERASED = "a contact whose personal data was erased in QicWorks"
MOST_NAMED = 5  # candidates in a message
DECIDE = (
    "Open the contact under Xero › Documents and choose: link it to one of these, or create a new one. "
    "In a terminal: python -m xero contacts."
)
RESTORE = "Restore it in Xero (Contacts › Archived) and push again. Or link this one to another contact."


def perhaps(found: Match) -> Result:
    """Xero has contacts that it may be: a person decides."""
    names = "; ".join(map(described, found.candidates[:MOST_NAMED]))
    more = len(found.candidates) - MOST_NAMED
    names += f"; and {more} more" if more > 0 else ""
    own = any(Alike.OWN_NUMBER in one.alike and not one.known.merged_to for one in found.candidates)
    return Result(
        PushState.FAILED,
        error=f"not sent: it may be in Xero already: {names}",
        correction=RESTORE if own else DECIDE,
    )


def described(candidate: Candidate) -> str:
    """Such as: 'ABC Plumbing' (the name, archived)."""
    known = candidate.known
    what = [WORDS[word] for word in Alike if word in candidate.alike]
    if not known.is_active:
        what.append("merged into another contact" if known.merged_to else "archived")
    name = ERASED if known.is_erased else f"'{cleaned(known.name)}'"
    return f"{name} ({', '.join(what)})"


def linked(known: Known, by: Alike | None) -> str:
    how = f"by {WORDS[by]}" if by else "as a person decided"
    return f"linked to '{cleaned(known.name)}' in Xero, {how}; nothing was sent"


def may_not_create() -> Result:
    """None like it, and the organisation's setting says: ask."""
    return Result(
        PushState.FAILED,
        error="not sent: Xero has no contact like it, and a person decides about new contacts of this organisation",
        correction="Open the contact under Xero › Documents and press Create in Xero, or in a terminal: python -m xero "
        "contacts. To create all new contacts, set new_contacts to create in the settings of the organisation: the "
        "next push then creates this one, too.",
    )


def switched_off() -> Result:
    return Result(
        PushState.FAILED,
        error="not sent: new contacts of this organisation are not sent to Xero",
        correction="Add the contact in Xero, pull contacts and choose it on the documents. Or set new_contacts to ask "
        "or create in the settings of the organisation: the next push then takes it up.",
    )


def chosen_is_not_there(xero_id: UUID) -> Result:
    return Result(
        PushState.FAILED,
        error=f"not sent: Xero has no active contact {xero_id}, to which it was to be linked",
        correction="Open the contact under Xero › Documents and choose again. In a terminal: python -m xero contacts.",
    )


def not_there(xero_id: UUID) -> Result:
    return Result(
        PushState.FAILED,
        xero_id,
        error=f"what was pushed ({xero_id}) is no longer in Xero: check in Xero",
        correction="Check whether QicWorks is connected to the right Xero organisation. The change was not sent.",
    )


def not_in_use(xero_id: UUID, status: str | None, *, is_merged: bool, survivor: str | None) -> Result:
    """The record is archived, or was merged into `survivor`, and Xero takes no change of it."""
    error = "it is archived in Xero, so the change was not sent"
    correction = "Restore the contact in Xero (Contacts › Archived) and push again. Or undo the change in QicWorks."
    if is_merged:
        other = f"'{cleaned(survivor)}'" if survivor else "another contact"
        error = f"it was merged into {other} in Xero, so the change was not sent"
        correction = f"Make the change on {other} in Xero, and choose that contact on new documents in QicWorks."
    return Result(PushState.FAILED, xero_id, status, error, correction)


def cannot_keep(xero_id: UUID, status: str | None, columns: Sequence[str]) -> Result:
    """Xero's side was to be kept, and QicWorks cannot store it."""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"what was changed in Xero cannot be stored in QicWorks ({_named(columns)}: too long, or odd characters)",
        "Correct it in Xero; then push again. Or make both sides the same by hand.",
    )


def _named(columns: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in columns)


def changed_in_xero(xero_id: UUID, status: str | None, columns: Sequence[str]) -> Result:
    """Both sides changed the same, and nobody has said which is right."""
    return Result(
        PushState.FAILED,
        xero_id,
        status,
        f"QicWorks and Xero have both changed it ({_named(columns)}), so nothing was sent",
        "Make both sides the same, in QicWorks or in Xero; then push again. Or choose whose version stays with the "
        "setting conflicts of the organisation.",
    )
