"""Whether a change whose response was lost is in Xero: by what its record has now, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xero.documents.declaration import Json, PricedDocument, PricedKind, Record
from xero.qicworks.push.results import PushedContent
from xero.sync.push.content.changes import is_same_line
from xero.sync.push.content.content import (
    NOTHING,
    TOTALS,
    Base,
    Content,
    Digest,
    Line,
    Value,
    hash_of,
    of_document,
    of_payload,
    of_record,
    payload_hash,
)
from xero.sync.push.content.judging import as_answered, sent_json

#: By which of its fields a new line is known that was edited in Xero since.
TELLING = ("description", "unit price")
#: Before the change and after it: whether a field that it changed has the value of then.
Seen = tuple[bool, bool]


@dataclass(frozen=True)
class Arrival:
    """A change that is in Xero. `lines`: Xero's id of each line that was sent, None if it has no such line."""

    content: PushedContent
    lines: tuple[str | None, ...]


def arrival(
    kind: PricedKind, element: Json, record: Record, base: Base | None, document: PricedDocument | None
) -> Arrival | None:
    """What was pushed, as if Xero had responded to it; None if it did not arrive, or that cannot be told.

    Xero takes a change as a whole. It is there if some of what it changed is as it was sent, and none as it was before;
    what else is different was changed in Xero since. Of a change that changed nothing, it makes no difference.

    Args:
        base: What was pushed before.
        document: What was sent; None if it has changed since.
    """
    theirs = _readable(kind, record)
    if theirs is None or theirs.lines is None or base is None or base.answered.lines is None:
        return None
    sent = of_document(kind, document) if document else of_payload(kind, element)
    known = tuple(str(line.get("LineItemID") or "").lower() or None for line in element["LineItems"])
    ids = _ids(sent, known, theirs, base)
    seen = [*_of_header(sent, theirs, base), *_of_lines(sent, known, ids, theirs, base)]
    if any(before for before, _ in seen) or not any(after for _, after in seen):
        return None
    answered = as_answered(sent, ids, theirs)
    there = {line.id for line in theirs.lines}
    made = sent_json(sent, element)
    content = PushedContent(payload_hash(kind, element), made, answered.to_json())
    return Arrival(content, tuple(id if id in there else None for id in ids))


def is_edited(kind: PricedKind, element: Json, record: Record, base: Base | None) -> bool:
    """Whether a record is neither as it was before a change nor as the change makes it: a user edited it in Xero."""
    theirs = _readable(kind, record)
    if theirs is None or theirs.lines is None or base is None or base.answered.lines is None:
        return False
    return not (_is_as_before(theirs, base) or _is_all_as_sent(of_payload(kind, element), theirs))


def _readable(kind: PricedKind, record: Record) -> Content | None:
    try:
        return of_record(kind, record)
    except ValueError:
        return None


def _is_as_before(theirs: Content, base: Base) -> bool:
    now, lines = Digest.of(theirs), base.answered.lines or ()
    return (
        _agree(now.header, base.answered.header)
        and [id for id, _ in now.lines or ()] == [id for id, _ in lines]
        and all(_agree(their, before) for (_, their), (_, before) in zip(now.lines or (), lines, strict=True))
    )


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one[name] == other[name] for name in one.keys() & other.keys())


def _is_all_as_sent(sent: Content, theirs: Content) -> bool:
    lines, their_lines = sent.lines or (), theirs.lines or ()
    return (
        all(value.same == theirs.header[name].same for name, value in sent.header.items() if name in theirs.header)
        and len(lines) == len(their_lines)
        and all(map(is_same_line, lines, their_lines))
    )


def _ids(sent: Content, known: Sequence[str | None], theirs: Content, base: Base) -> tuple[str | None, ...]:
    """Xero's id of each line that was sent. One without was new: it is a line that Xero did not have before, the same
    if there is one, or else the next."""
    found = [*known]
    before = {*known, *(id for id, _ in base.answered.lines or ())}
    new = [line for line in theirs.lines or () if line.id not in before]
    for place, (id, line) in enumerate(zip(found, sent.lines or (), strict=True)):
        same = next((one for one in new if is_same_line(line, one)), None)
        if id is None and same:
            found[place] = same.id
            new.remove(same)
    return tuple(id if id or not new else new.pop(0).id for id in found)


def _of_header(sent: Content, theirs: Content, base: Base) -> Iterator[Seen]:
    header = {name: value for name, value in sent.header.items() if name not in TOTALS.values()}
    yield from _of_values(header, theirs.header, base.sent.header, base.answered.header)


def _of_lines(
    sent: Content, known: Sequence[str | None], ids: Sequence[str | None], theirs: Content, base: Base
) -> Iterator[Seen]:
    there = {line.id: line for line in theirs.lines or ()}
    answered = {id: values for id, values in base.answered.lines or () if id}
    for was, id, line in zip(known, ids, sent.lines or (), strict=True):
        if was is None:  # a new line
            yield id is None, id is not None and any(_is_same(line, there[id], name) for name in TELLING)
        elif was in answered and was in there:
            yield from _of_values(line.values, there[was].values, base.lines.get(was, {}), answered[was])
    for id in answered.keys() - set(ids):  # one that was to be removed
        yield id in there, id not in there


def _of_values(sent: Mapping[str, Value], theirs: Mapping[str, Value], *before: Mapping[str, str]) -> Iterator[Seen]:
    """Of those that the change changed."""
    for name, value in sent.items():
        nothing = hash_of(name, NOTHING)
        old = {known.get(name, nothing) for known in before}
        if name in theirs and hash_of(name, value) not in old:
            now = hash_of(name, theirs[name])
            yield now in old, now == hash_of(name, value)


def _is_same(ours: Line, theirs: Line, name: str) -> bool:
    return ours.values.get(name, NOTHING).same == theirs.values.get(name, NOTHING).same
