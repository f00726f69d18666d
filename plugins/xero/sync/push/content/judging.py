"""Where a document and its record in Xero differ, and why: the same judgement after a push and after a pull."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xero.api import wire
from xero.api.errors import cleaned
from xero.documents import odd_values
from xero.documents.declaration import Json, PricedDocument, PricedKind, PricedRow, Record
from xero.documents.parts.arriving import Arrival, arrival_of
from xero.documents.pricing import sent_rate
from xero.qicworks.follow.differences import EDITS, OF_CONTENT, Found, Reason, hash_of_ids
from xero.qicworks.push.results import PushedContent, PushState, Result
from xero.sync.push.content.changes import CURRENCY, RATE, Change, Side, changes, is_same_line
from xero.sync.push.content.content import (
    HEADER,
    NOTHING,
    TOTALS,
    Base,
    Content,
    Digest,
    hashed,
    of_document,
    of_payload,
    of_record,
    payload_hash,
)

CHOSEN_BY_XERO = "due date"  # from the terms of the contact, if none was sent
AMOUNT_TYPES = HEADER["LineAmountTypes"][0]
UNREADABLE = "a value that cannot be read"
#: The statuses that are known, and the fields that each line has.
STATUSES = frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "BILLED", "VOIDED", "DELETED"})
ALWAYS = frozenset({"Description", "Quantity", "UnitAmount", "AccountID", "TaxType"})


def gone(document: PricedDocument, status: str | None) -> tuple[Found, ...]:
    """Xero has deleted or voided it; None: it has no such record."""
    ours = {"status": document.row.status}
    if status is None:
        return (Found(Reason.MISSING_IN_XERO, ours, {"status": "not there"}),)
    reason = Reason.VOIDED_IN_XERO if status == "VOIDED" else Reason.DELETED_IN_XERO
    return (Found(reason, ours, {"status": cleaned(status)}),)


def differing(
    kind: PricedKind, document: PricedDocument, record: Record, base: Base | None, *, edited: bool
) -> list[Change]:
    """The fields that differ. `edited`: whether QicWorks' document was edited since the push."""
    if next(odd_values.odd(document), None) is not None:
        return [Change("document", "a value that Xero cannot take", "as it was pushed", Side.QICWORKS)]
    try:
        theirs = of_record(kind, record)
    except ValueError as error:
        return [Change(UNREADABLE, "", cleaned(error), Side.XERO)]
    ours = of_document(kind, document)
    if (merged := document.row.contact_merged_to) and theirs.header.get("contact", NOTHING).same == str(merged):
        ours = replace(ours, header={**ours.header, "contact": theirs.header["contact"]})  # Xero merged its contact
    theirs = without_own_rate(theirs, document.row)
    return with_rate(changes(ours, theirs, base, edited=edited), theirs, document.row)


def without_own_rate(theirs: Content, row: PricedRow) -> Content:
    """A record's content; the rate of the organisation's own currency, which says nothing, counts as none."""
    if row.base_currency and theirs.header.get(CURRENCY, NOTHING).same == row.base_currency.casefold():
        return replace(theirs, header={**theirs.header, RATE: NOTHING})
    return theirs


def with_rate(found: list[Change], theirs: Content, row: PricedRow) -> list[Change]:
    """A rate belongs to its currency: where that was changed in Xero, so was the rate that QicWorks has."""
    by = {one.field: one.by for one in found}
    if row.currency_rate is None or RATE not in theirs.header or Side.XERO not in by.get(CURRENCY, Side.NEITHER):
        return found
    ours, their = HEADER["CurrencyRate"][1](row.currency_rate), theirs.header[RATE]
    if ours.same == their.same:
        return found
    change = Change(RATE, ours.shown, their.shown, by.get(RATE, Side.NEITHER) | Side.XERO)
    return [*(one for one in found if one.field != RATE), change]


def judge(
    kind: PricedKind,
    document: PricedDocument,
    record: Record,
    base: Base | None,
    *,
    edited: bool,
    waits: bool = False,
) -> tuple[Found, ...]:
    """The differences of a document that is in force.

    Args:
        edited: Whether it was edited in QicWorks since the push.
        waits: Whether its edit is still to be sent; it is no difference yet.
    """
    status = wire.word(record.get("Status"))
    if status in kind.gone:
        return gone(document, status)
    found = differing(kind, document, record, base, edited=edited)
    by_xero = [one for one in found if Side.XERO in one.by]
    by_qicworks = [one for one in found if one.by == Side.QICWORKS]
    always = [one for one in found if one.by == Side.NEITHER]
    reason = Reason.EDITED_IN_QICWORKS if may_be_edited(kind, record, base) else Reason.APPROVED_IN_XERO
    return tuple(
        Found(why, {one.field: one.ours for one in some}, {one.field: one.theirs for one in some}, ids=ids_of(some))
        for why, some in (
            (Reason.EDITED_IN_XERO, by_xero),
            (reason, [] if waits else by_qicworks),
            (Reason.AMOUNTS_DIFFER, always),
        )
        if some
    )


def ids_of(some: Iterable[Change]) -> str:
    """A hash of what is behind the names in these."""
    return hash_of_ids(id for one in some for id in one.ids)


def kept_rate(found: Sequence[Change]) -> str | None:
    """The currency rate that Xero keeps though QicWorks has emptied it: no request takes it away."""
    fields = {one.field: one for one in found}
    rate = fields.get(RATE)
    return rate.theirs if rate and not rate.ours and Side.QICWORKS in rate.by and CURRENCY not in fields else None


def is_complete(kind: PricedKind, record: Record, document: PricedDocument | None) -> bool:
    """Whether a record says enough to be called equal: what a server leaves out is not known."""
    rate = () if document is None or sent_rate(document.row) is None else ("CurrencyRate",)
    named = (record.get(name) not in (None, "") for name in ("Date", "Contact", *TOTALS, *rate))
    lines = record.get("LineItems")
    return (
        wire.word(record.get("Status")) in STATUSES
        and all(named)
        and kind.number in record
        and isinstance(lines, list)
        and all(isinstance(line, Mapping) and line.keys() >= ALWAYS for line in lines)
    )


def reasons_judged(
    kind: PricedKind,
    record: Record,
    found: Sequence[Found],
    document: PricedDocument | None,
    *,
    waits: bool = False,
) -> tuple[Reason, ...]:
    """The reasons that a comparison with this record decides, and so can settle.

    Of a record that Xero left a part of out: only those that were found. While an edit waits to be sent: not that it
    was not sent.
    """
    status = wire.word(record.get("Status"))
    if status not in kind.gone and not is_complete(kind, record, document):
        return tuple(one.reason for one in found)
    return tuple(one for one in OF_CONTENT if not (waits and one in EDITS))


def in_words(found: Iterable[Change], most: int = 5) -> str:
    """The names of the fields."""
    names = [one.field for one in found]
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


# -- what is kept of a push


def not_as_sent(element: Json, status: str | None) -> list[str]:
    """That Xero has it in an earlier status than it was sent in."""
    order, sent, now = [*Arrival], arrival_of(element.get("Status")), arrival_of(status)
    if status != now or order.index(sent) <= order.index(now):
        return []
    return [f"it was sent as {element['Status']}, and is {status} in Xero: approve it there"]


def base_of(kept: PushedContent | None) -> Base | None:
    if kept is None:
        return None
    status = arrival_of(kept.sent.get("status"))
    return Base(kept.payload, Digest.from_json(kept.sent), Digest.from_json(kept.answered), kept.agreed, status)


def may_be_edited(kind: PricedKind, record: Record, base: Base | None) -> bool:
    """Whether an edit may still change it in Xero: a draft; or as it was sent, and nothing is paid of it."""
    status = record.get("Status")
    if not isinstance(status, str):
        return False
    if status in kind.editable or base is None or status != base.status:
        return status in kind.editable
    return not any(record.get(name) for name in ("AmountPaid", "AmountCredited"))


def sent_json(sent: Content, element: Json) -> Json:
    """What is kept of what was sent: by field, and in which status."""
    return {**Digest.of(sent).to_json(), "status": str(arrival_of(element.get("Status")))}


def pushed(
    kind: PricedKind, sent: Content, element: Json, record: Record, *, agreed: bool = True
) -> PushedContent | None:
    """What was pushed, by what was sent and the record that Xero has of it now. None if that cannot be read."""
    try:
        theirs = of_record(kind, record)
    except ValueError:
        return None
    made = sent_json(sent, element)
    return PushedContent(payload_hash(kind, element), made, Digest.of(theirs).to_json(), agreed)


def compared(
    kind: PricedKind,
    result: Result,
    document: PricedDocument | None,
    element: Json | None = None,
    *,
    searched: bool = False,
) -> Result:
    """The result with what was pushed and the differences that are left.

    Args:
        document: What was sent; None if it has changed since.
        element: What was sent of it; None: as the document has it.
        searched: The record was found, perhaps much later: what differs was changed in Xero since.
    """
    record = result.record
    if record is None or result.state is None or result.content is not None:
        return result
    if searched:
        return _found(kind, result, document, record, element)
    if result.state not in (PushState.PUSHED, PushState.FAILED):
        return result
    if document is not None and wire.word(record.get("Status")) in kind.gone:
        return replace(result, differences=gone(document, wire.word(record.get("Status"))))
    if document is None and element is None:
        return result
    agreed = result.state is PushState.PUSHED
    if document is None:
        assert element is not None
        return replace(result, content=pushed(kind, of_payload(kind, element), element, record, agreed=agreed))
    sent = element or kind.payload(document)
    content = pushed(kind, of_document(kind, document), sent, record, agreed=agreed)
    found = judge(kind, document, record, base_of(content), edited=False)
    return replace(result, content=content, differences=found, judged=reasons_judged(kind, record, found, document))


def _found(
    kind: PricedKind, result: Result, document: PricedDocument | None, record: Record, element: Json | None
) -> Result:
    """Of a record that a search found: as if Xero had answered what was sent."""
    if element is None and document is not None and result.state is not PushState.READY:
        element = kind.payload(document)
    if element is None:  # what was sent is not known
        return result
    sent = of_document(kind, document) if document else of_payload(kind, element)
    try:
        theirs = of_record(kind, record)
    except ValueError:
        return result
    known = theirs.lines is not None and len(theirs.lines) == len(sent.lines or ())
    answered = as_answered(sent, [line.id for line in theirs.lines or ()] if known else None, theirs)
    agreed = result.state is PushState.PUSHED
    made = sent_json(sent, element)
    content = PushedContent(payload_hash(kind, element), made, answered.to_json(), agreed)
    return as_pushed(kind, result, document, record, content)


def as_answered(sent: Content, ids: Sequence[str | None] | None, theirs: Content) -> Digest:
    """What Xero had after a push, as far as its record says that now: what is still as it was sent, with all that Xero
    made of it; of the rest what was sent. `ids`: Xero's id of each line that was sent; None: not known."""
    now = hashed(theirs.header)
    header = {name: value for name, value in now.items() if name == CHOSEN_BY_XERO} | hashed(sent.header)
    if ids is None:
        return Digest(header)
    there = {line.id: line for line in theirs.lines or () if line.id}
    lines = [*zip(ids, sent.lines or (), strict=True)]
    same = {id for id, line in lines if id in there and is_same_line(line, there[id])}
    types = (content.header.get(AMOUNT_TYPES, NOTHING).same for content in (sent, theirs))
    if same == set(ids) == there.keys() and len({*types}) == 1:
        header |= {name: value for name, value in now.items() if name in TOTALS.values()}
    return Digest(header, tuple((id, hashed((there[id] if id in same else line).values)) for id, line in lines))


def as_pushed(
    kind: PricedKind, result: Result, document: PricedDocument | None, record: Record, content: PushedContent
) -> Result:
    """The result with this as what was pushed, and with what was changed in Xero since."""
    if document is None or result.state is PushState.READY:
        return replace(result, content=content)
    found = judge(kind, document, record, base_of(content), edited=False)
    return replace(result, content=content, differences=found, judged=reasons_judged(kind, record, found, document))


def values(found: Sequence[Change]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Ours and theirs, by field."""
    return {one.field: one.ours for one in found}, {one.field: one.theirs for one in found}
