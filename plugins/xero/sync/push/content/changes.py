"""Compares a document with its record in Xero: which fields differ, and which side changed them since the push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Flag

from xero.sync.push.content.content import (
    BY_NAME,
    CAN_BE_EMPTY,
    HEADER,
    NOTHING,
    TOTALS,
    Base,
    Content,
    Line,
    Value,
    hash_of,
)

ABSENT = "no such line"
TYPES = HEADER["LineAmountTypes"][0]
CURRENCY, RATE = HEADER["CurrencyCode"][0], HEADER["CurrencyRate"][0]
PRICING = frozenset({"quantity", "unit price", "tax code"})  # what the rate makes the tax of a line of
EMPTIED = frozenset(HEADER[field][0] for field in CAN_BE_EMPTY)


class Side(Flag):
    """Who changed a field since it was last pushed. NEITHER: it has been different from the push on."""

    NEITHER = 0
    QICWORKS = 1
    XERO = 2
    BOTH = 3


@dataclass(frozen=True)
class Change:
    """A field that differs. `field` as people read it: "due date", "line 2 description". `ids`: those behind names."""

    field: str
    ours: str
    theirs: str
    by: Side
    of_total: bool = False  # a total, which Xero calculates from the lines
    of_line: bool = False
    ids: tuple[str, ...] = ()


def changes(ours: Content, theirs: Content, base: Base | None, *, edited: bool) -> list[Change]:
    """The fields that differ.

    Args:
        base: What was last pushed; None if that is not known.
        edited: Without a base: whether QicWorks' document was edited since.
    """
    guess = Side.BOTH if edited else Side.XERO
    found = list(_header(ours, theirs, base, guess))
    if theirs.lines is not None:
        found += _lines(ours.lines or (), theirs.lines, base, guess, by_rate=_same(ours.header, theirs.header, TYPES))
    return found


def _header(ours: Content, theirs: Content, base: Base | None, guess: Side) -> Iterator[Change]:
    sent = base.sent.header if base else {}
    answered = base.answered.header if base else {}
    for name in {**ours.header, **theirs.header}:
        if name not in theirs.header:
            continue  # Xero did not return it
        our, their = ours.header.get(name, NOTHING), theirs.header[name]
        if our.same == their.same:
            continue
        if name not in ours.header and (base is None or _is_xeros_own(name, their, sent, answered)):
            continue  # QicWorks does not send it, and Xero has what it chose itself
        by = _by(name, our, their, sent.get(name, _nothing(name)), answered, guess if base is None else None)
        if base is not None and name not in {*EMPTIED, *sent, *answered}:
            by = Side.QICWORKS  # what Xero had at the push is not known
        ids = _ids({name: our}, {name: their})
        yield Change(name, our.shown, their.shown, by, name in TOTALS.values(), ids=ids)


def _is_xeros_own(name: str, their: Value, sent: Mapping[str, str], answered: Mapping[str, str]) -> bool:
    """What was sent, and is still there, was emptied in QicWorks since. A rate that is not sent is Xero's to choose."""
    now = hash_of(name, their)
    if name == RATE:
        return now != sent.get(name)
    return name not in EMPTIED or answered.get(name) == now != sent.get(name)


def _nothing(name: str) -> str:
    return hash_of(name, NOTHING)


def _by(name: str, our: Value, their: Value, sent: str, answered: Mapping[str, str], guess: Side | None) -> Side:
    if guess is not None:
        return guess
    by = Side.NEITHER
    if hash_of(name, our) != sent:
        by |= Side.QICWORKS
    if hash_of(name, their) not in (answered.get(name, sent), sent):
        by |= Side.XERO
    return by


def _lines(
    ours: tuple[Line, ...], theirs: tuple[Line, ...], base: Base | None, guess: Side, *, by_rate: bool
) -> Iterator[Change]:
    """`by_rate`: the amounts of both are with tax, or of both without, so a rate makes the same of a line."""
    sent = base.lines if base else {}
    answered = {id: values for id, values in (base.answered.lines or ()) if id} if base else {}
    for place, our, their in paired(ours, theirs):
        if our is None:
            assert their is not None
            by = guess if base is None else Side.QICWORKS if their.id in answered else Side.XERO
            if by is Side.QICWORKS and _is_edited(their, answered[their.id or ""], sent.get(their.id or "", {})):
                by = Side.BOTH
            yield Change(of_new_line(place), ABSENT, _shown(their), by, of_line=True, ids=_ids(their.values))
        elif their is None:
            by = guess if base is None else Side.XERO if our.id in answered else Side.QICWORKS
            if by is Side.XERO and _is_edited(our, sent.get(our.id or "", {})):
                by = Side.BOTH
            yield Change(of_line(place), _shown(our), ABSENT, by, of_line=True, ids=_ids(our.values))
        else:
            known = sent.get(their.id or ""), answered.get(their.id or "", {})
            for name, value in our.values.items():
                if name not in their.values or value.same == their.values[name].same:
                    continue
                unknown = base is None or known[0] is None
                before = (known[0] or {}).get(name, _nothing(name))
                by = _by(name, value, their.values[name], before, known[1], guess if unknown else None)
                shown = value.shown, their.values[name].shown
                ids = _ids({name: value}, {name: their.values[name]})
                yield Change(of_line(place, name), *shown, by, of_line=True, ids=ids)
            if by_rate and (override := _override(our, their)):
                answered_tax = known[1].get("tax", hash_of("tax", override[0]))
                if base is None or known[0] is None or hash_of("tax", override[1]) != answered_tax:
                    by = guess if base is None or known[0] is None else Side.XERO
                    yield Change(of_line(place, "tax"), override[0].shown, override[1].shown, by, of_line=True)


def _override(our: Line, their: Line) -> tuple[Value, Value] | None:
    """The tax that the rate makes of the line, and the one that Xero has, where somebody there has overridden it."""
    rate, tax = our.rate_tax, their.values.get("tax")
    if rate is None or tax is None or rate.same == tax.same:
        return None
    return (rate, tax) if all(_same(our.values, their.values, name) for name in PRICING) else None


def _same(ours: Mapping[str, Value], theirs: Mapping[str, Value], name: str) -> bool:
    return ours.get(name, NOTHING).same == theirs.get(name, NOTHING).same


def of_line(place: int, name: str = "") -> str:
    """A field of a line, or the line, as people read it."""
    return f"line {place} {name}".rstrip()


def of_new_line(place: int) -> str:
    """A line that only Xero has."""
    return f"line {place} in Xero"


def _is_edited(line: Line, *known: Mapping[str, str]) -> bool:
    """Whether a value of a line is none of those that are known."""
    return any(
        hash_of(name, value) not in [one.get(name, _nothing(name)) for one in known]
        for name, value in line.values.items()
    )


def paired(ours: tuple[Line, ...], theirs: tuple[Line, ...]) -> Iterator[tuple[int, Line | None, Line | None]]:
    """Place, our line and its line in Xero: by Xero's ids, or by position if Xero has none of them any more."""
    by_id = {line.id: line for line in theirs if line.id}
    if not any(line.id in by_id for line in ours):
        for place in range(max(len(ours), len(theirs))):
            yield (
                place + 1,
                ours[place] if place < len(ours) else None,
                theirs[place] if place < len(theirs) else None,
            )
        return
    known = {line.id for line in ours if line.id}
    left = [(place, line) for place, line in enumerate(theirs, 1) if line.id not in known]
    for place, line in enumerate(ours, 1):
        found = by_id.get(line.id) if line.id else None
        if found is None:  # saved anew in QicWorks: the same line without its id
            same = next((at for at, (_, their) in enumerate(left) if is_same_line(line, their)), None)
            found = left.pop(same)[1] if same is not None else None
        yield place, line, found
    for place, line in left:
        yield place, None, line


def is_same_line(ours: Line, theirs: Line) -> bool:
    """Whether all that QicWorks sends of a line is so in Xero."""
    return all(theirs.values.get(name, NOTHING).same == value.same for name, value in ours.values.items())


def _ids(*sides: Mapping[str, Value]) -> tuple[str, ...]:
    return tuple(values[name].same for values in sides for name in BY_NAME if name in values)


def _shown(line: Line) -> str:
    """All of it, but for the tax that Xero makes of it."""
    return ", ".join(value.shown for name, value in line.values.items() if name != "tax" and value.shown)
