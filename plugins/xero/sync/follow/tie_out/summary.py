"""A tie-out in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from xero.documents.declaration import Kind
from xero.qicworks.follow.differences import Difference
from xero.qicworks.follow.wording import say
from xero.sync.follow.tie_out.result import State, Tied, TieOut

STATES = {
    State.EQUAL: "equal",
    State.OVER: "cancelled on both sides",
    State.LEFT_OUT: "left out on request: it is set to Skipped in QicWorks",
    State.DIFFERS: "differs",
    State.READY: "waits for the next push",
    State.IN_FLIGHT: "is being pushed",
    State.FAILED: "was not pushed, or a file of it was not: Documents says why",
    State.CANCELLING: "cancelled in QicWorks, and not yet in Xero",
    State.NOT_CHECKED: "could not be compared with its record in Xero",
}
MAX_NAMED = 10  # documents of a kind that are left out
CORRECTION = "Each is under Xero → Tie-out, with what to do."


def message(tied: TieOut) -> str:
    """One line: what is equal, how much is not, and what was not compared."""
    counted = sum(one.state not in (State.OVER, State.LEFT_OUT) for one in tied.documents)
    parts = [f"{tied.period}: {tied.equal} of {counted} documents are equal"]
    states = Counter(one.state for one in tied.unequal)
    parts += [f"{count} {state}" for state, count in states.items()]
    if tied.left_out:
        parts.append(f"{len(tied.left_out)} left out on request (Skipped)")
    if tied.others:
        parts.append(f"{len(tied.others)} open differences of other kinds")
    parts += [f"not checked: {one.title} ({one.message})" for one in tied.unchecked]
    if tied.not_part:
        parts.append(f"not part of the tie-out yet: {', '.join(tied.not_part)}")
    return "; ".join(parts)


def correction(tied: TieOut) -> str | None:
    if tied.is_green:
        return None
    first = next((one.correction for one in tied.unchecked if one.correction), None)
    return first if first and not (tied.unequal or tied.others) else CORRECTION


def lines(tied: TieOut) -> Iterator[str]:
    """A line for everything that is not equal, and for each kind that has documents left out. Of pay and leave without
    values."""
    for unchecked in tied.unchecked:
        yield f"{unchecked.title}: not checked: {unchecked.message}"
    yield from map(difference_line, tied.others)
    for document in tied.unequal:
        if document.differences:
            yield from map(difference_line, document.differences)
        else:
            yield state_line(document)
    for kind, left_out in groupby(tied.left_out, key=lambda one: one.kind):
        yield left_out_line(kind, [one.label for one in left_out])


def left_out_line(kind: Kind, labels: Sequence[str]) -> str:
    named = ", ".join(labels[:MAX_NAMED]) + (", …" if len(labels) > MAX_NAMED else "")
    return f"{kind.title}: {len(labels)} left out on request, because they are set to Skipped in QicWorks: {named}"


def state_line(tied: Tied) -> str:
    return f"{tied.label}: {STATES[tied.state]}"


def difference_line(one: Difference) -> str:
    """What differs. Of pay and leave without values."""
    return f"{one.label}: {say(one, one.document_kind)[0]}"
