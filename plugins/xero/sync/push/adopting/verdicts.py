"""The wording of what becomes of a document that may be in Xero already."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xero.documents.declaration import Kind
from xero.qicworks.push.outbox import PushState, Result
from xero.qicworks.push.results import Adopting, Twin
from xero.sync.push import corrections

MAX_NAMED = 3  # records in a message


def held_back(kind: Kind, label: str, number: str | None, twins: Sequence[Twin], void: Sequence[int]) -> Result:
    """Xero has records that it may be, and a person decides. `void`: decisions that no longer hold."""
    certain = [twin for twin in twins if twin.is_certain]
    named = "; ".join(_named(twin) for twin in (certain or twins)[:MAX_NAMED])
    more = len(certain or twins) - MAX_NAMED
    named += f"; and {more} more" if more > 0 else ""
    says = f"not sent: it is already in Xero ({named})" if certain else f"not sent: it may already be in Xero ({named})"
    return Result(
        PushState.FAILED,
        error=f"{says}; what was decided about it no longer holds, as one side has changed" if void else says,
        correction=f"Open the page of the {label} and choose: {choices(kind, number)}. Or delete the record in Xero, "
        "then push again.",
        adopting=Adopting(tuple(twins), void=tuple(void)),
    )


def choices(kind: Kind, number: str | None) -> str:
    """What a person may choose. Where Xero takes no number twice, another document needs another number."""
    if kind.look_first:
        return "Link to the record in Xero, Push as another document, or Do not push"
    again = f" ({number} → {corrections.renumbered(number)})" if number else ""
    return f"Link to the record in Xero, or Do not push. If it is another document, give it a new number{again}"


def no_longer_there(label: str, xero_id: UUID, void: Sequence[int]) -> Result:
    """The record that it was to be linked to is gone, or is no longer like it."""
    return Result(
        PushState.FAILED,
        error=f"not sent: the record that it was to be linked to ({xero_id}) is no longer in Xero as it was",
        correction=f"Check the {label} in Xero. If it is not there, push again: it is created.",
        adopting=Adopting(void=tuple(void)),
    )


def _named(twin: Twin) -> str:
    shown = twin.shown
    return f"{shown['number']} of {shown['date']}, {shown['total']} {shown['currency']}, {shown['status']}"
