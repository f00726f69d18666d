"""Parses the response to a push: matches elements to documents, reads status and differences."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.errors import cleaned
from xero.documents.declaration import Json, PricedDocument, PricedKind, Record
from xero.documents.pricing import addressee, rate_in_xero, same_contact, same_text, same_total
from xero.qicworks.push.outbox import PushState, Result
from xero.sync.push import corrections
from xero.sync.push.verdicts import deleted, refused

SENT_LINES = "Lines"  # under which an identity has the ids of the lines that were sent
NO_ID = UUID(int=0)  # what Xero returns instead of a missing id


def elements(kind: PricedKind, data: Any) -> list[Record]:
    """The elements of a response, as far as they can be read; missing ones are searched for."""
    return [*wire.objects(data.get(kind.envelope))] if isinstance(data, dict) else []


def pair(kind: PricedKind, identities: Sequence[Json], records: Sequence[Record]) -> list[Record | None]:
    """Finds the element of each document: by number, address, contact and amount, or else by position."""
    left = dict(enumerate(records))
    pairs: list[Record | None] = [None] * len(identities)

    def score(place: int, identity: Json, at: int) -> tuple[int, ...]:
        record = records[at]
        url = "Url" in identity and same_text(identity["Url"], record.get("Url"))
        alike = (same_contact(identity, record), same_total(identity, record))
        return (int(url), *map(int, alike), int(at == place))

    for place, identity in enumerate(identities):  # the id of a changed record goes first
        own = [
            at
            for at, record in left.items()
            if identity.get(kind.key) and same_text(identity[kind.key], record.get(kind.key))
        ]
        if own:
            pairs[place] = left.pop(own[0])
    for place, identity in enumerate(identities):
        if pairs[place] is not None:
            continue
        named = [at for at, record in left.items() if same_text(identity[kind.number], record.get(kind.number))]
        if named:
            best = max(named, key=lambda at: score(place, identity, at))
            pairs[place] = left.pop(best)
    for place, identity in enumerate(identities):  # elements without a number
        if pairs[place] is None:
            mute = [at for at, record in left.items() if not record.get(kind.number)]
            if (at := _mute(identity, place, mute, records, whole=len(records) == len(identities))) is not None:
                pairs[place] = left.pop(at)
    return pairs


def _mute(identity: Json, place: int, mute: Sequence[int], records: Sequence[Record], whole: bool) -> int | None:
    """Which of the elements without a number is the document: the one with its address, or the one at its position in a
    complete response, if nothing contradicts that."""
    for at in mute:
        if "Url" in identity and same_text(identity["Url"], records[at].get("Url")):
            return at
    if not whole or place not in mute:
        return None
    record = records[place]
    against = (
        (record.get("Url") and "Url" in identity)
        or (isinstance(record.get("Contact"), dict) and not same_contact(identity, record))
        or (record.get("Total") is not None and not same_total(identity, record))
    )
    return None if against else place


def doubtful(
    kind: PricedKind,
    identities: Sequence[Json],
    records: Sequence[Record],
    pairs: Sequence[Record | None],
    known: Collection[UUID],
) -> tuple[set[int], set[int]]:
    """Positions in a response to new documents that have to be searched for in Xero.

    Returns:
        Positions whose element may be another document's (its id came twice or belongs to a `known` document, or its
        type, address or number does), and positions that are refused although they have an id, or deleted.
    """
    ids = Counter(id_of(kind, record) for record in records)
    numbers = Counter(_folded(record.get(kind.number)) for record in records)
    sent = Counter(_folded(identity[kind.number]) for identity in identities)
    others, refused = set(), set()
    for at, (identity, record) in enumerate(zip(identities, pairs, strict=True)):
        if record is None or (xero_id := id_of(kind, record)) is None:
            continue
        number = _folded(identity[kind.number])
        if ids[xero_id] > 1 or xero_id in known or numbers[number] > sent[number] or _is_another(identity, record):
            others.add(at)
        elif is_refused(record) or wire.word(record.get("Status")) in kind.gone:
            refused.add(at)
    return others, refused


def _folded(number: object) -> str:
    return str(number or "").strip().casefold()


def _is_another(identity: Json, record: Record) -> bool:
    """Whether its type or its address is another document's."""
    strange_type = record.get("Type") and "Type" in identity and not same_text(identity["Type"], record["Type"])
    elsewhere = "Url" in identity and addressee(record) and not same_text(identity["Url"], record.get("Url"))
    return bool(strange_type or elsewhere)


def is_refused(record: Record) -> bool:
    attribute = str(record.get("StatusAttributeString") or "").strip().casefold()
    has_errors = str(record.get("HasErrors") or False).strip().casefold()
    return bool(record.get("ValidationErrors")) or attribute == "error" or has_errors not in ("false", "")


def read(kind: PricedKind, label: str, number: str | None, document: PricedDocument | None, record: Record) -> Result:
    """The result of a document by the record that Xero has. `document`: what was sent; None if it has changed since.

    State None if the record has no id.
    """
    xero_id = id_of(kind, record)
    if xero_id is None:
        return Result(None)
    status = cleaned(wire.word(record.get("Status")) or "") or None
    if status in kind.gone:
        return replace(deleted(label, number, status, xero_id), record=record)
    warnings = list(dict.fromkeys([*_words(record, "Warnings"), *_words(record, "ValidationErrors")]))
    if any(corrections.is_failure(words) for words in warnings):
        failed = refused(kind, label, number, warnings, xero_id)
        return replace(failed, xero_status=status, line_ids=line_ids(document, record), record=record)
    remarks = [f"Xero says: {words}" for words in warnings]
    if document is not None:
        remarks += differences(kind, document, record)
    ids = line_ids(document, record)
    return Result(PushState.PUSHED, xero_id, status, line_ids=ids, remarks=tuple(remarks), record=record)


def answered(
    kind: PricedKind, label: str, number: str | None, document: PricedDocument | None, record: Record
) -> Result:
    """The result of a document by Xero's response to it: it may be refused, and every line must be booked as sent."""
    if is_refused(record):
        return refused(kind, label, number, messages(record, "ValidationErrors"))
    result = read(kind, label, number, document, record)
    wrong = list(misbooked(kind, document, record)) if document is not None and result.state is PushState.PUSHED else []
    if not wrong:
        return result
    return replace(
        result,
        state=PushState.FAILED,
        error=f"Xero has it otherwise than it was sent ({'; '.join(wrong)}): check in Xero",
        correction=f"Pull the chart of accounts, tax codes and tracking categories, check the {label}, then push "
        "again: while it is a draft in Xero, it is corrected there.",
    )


def id_of(kind: PricedKind, record: Record) -> UUID | None:
    try:
        found = wire.uuid(record.get(kind.key))
    except ValueError:
        return None
    return None if found == NO_ID else found


def differences(kind: PricedKind, document: PricedDocument, record: Record) -> Iterator[str]:
    """Differences of amounts, which Xero works out itself from the lines, of dates and of the contact."""
    sent, contact = kind.payload(document), record.get("Contact")
    whose = contact.get("ContactID") if isinstance(contact, dict) else None
    if whose and not same_text(sent["Contact"]["ContactID"], whose):
        yield "the contact is another one in Xero"
    for name, field in (("type", "Type"), ("currency", "CurrencyCode"), ("address", "Url")):
        if field in sent and record.get(field) and not same_text(sent[field], record[field]):
            yield f"{name} {sent[field]} in QicWorks, {cleaned(record[field])} in Xero"
    ours, theirs = sent.get("CurrencyRate"), _amount(record.get("CurrencyRate"))
    if ours is not None and theirs is not None and rate_in_xero(theirs) != ours:
        yield f"currency rate {ours} in QicWorks, {theirs} in Xero"
    row = document.row
    amounts = (
        ("net amount", row.sub_total, "SubTotal"),
        ("tax", row.total_tax, "TotalTax"),
        ("total", row.total, "Total"),
    )
    for name, ours, field in amounts:
        theirs = _amount(record.get(field))
        if theirs is not None and theirs != ours:
            yield f"{name} {ours} in QicWorks, {theirs} in Xero"
    for name, day, field in (
        ("date", row.issue_date, "Date"),
        ("due date", row.due_date, "DueDate"),
        ("delivery date", _day(sent.get("DeliveryDate")), "DeliveryDate"),
    ):
        there = _day(record.get(field))
        if there and there != day:
            yield f"{name} {day or 'none'} in QicWorks, {there} in Xero"
    lines = record.get("LineItems")
    if isinstance(lines, list) and lines and len(lines) != len(document.lines):
        yield f"{len(document.lines)} lines in QicWorks, {len(lines)} in Xero"


def misbooked(kind: PricedKind, document: PricedDocument, record: Record) -> Iterator[str]:
    """Lines that the response shows on another account, tax code or department than was sent."""
    lines = record.get("LineItems")
    if not isinstance(lines, list) or len(lines) != len(document.lines):
        return
    for number, (sent, theirs) in enumerate(zip(kind.payload(document)["LineItems"], lines, strict=True), 1):
        if not isinstance(theirs, dict):
            continue
        for name, what in (("AccountID", "account"), ("TaxType", "tax code")):
            if theirs.get(name) and not same_text(sent[name], theirs[name]):
                shown = wire.word(theirs.get("AccountCode" if name == "AccountID" else name))
                yield f"line {number} has the {what} {cleaned(shown or 'of another id')}"
        if isinstance(theirs.get("Tracking"), list) and _options(sent) != _options(theirs):
            yield f"line {number} has other departments"


def _options(line: Record) -> list[str]:
    options = [one.get("TrackingOptionID") for one in wire.objects(line.get("Tracking"))]
    return sorted(str(one).lower() for one in options if one)


def line_ids(document: PricedDocument | None, record: Record) -> tuple[tuple[UUID, UUID], ...]:
    """Xero keeps the order of the lines; where there is another number of them, none is known."""
    lines = record.get("LineItems")
    if document is None or not isinstance(lines, list) or len(lines) != len(document.lines):
        return ()
    found = []
    for ours, theirs in zip(document.lines, lines, strict=True):
        try:
            xero_line = wire.uuid(theirs.get("LineItemID")) if isinstance(theirs, dict) else None
        except ValueError:
            return ()
        if xero_line is None:
            return ()
        found.append((ours.id, xero_line))
    return tuple(found)


def sent_line_ids(identity: Json, theirs: Sequence[object]) -> tuple[tuple[UUID, UUID], ...]:
    """The same of a document that has changed since it was sent. `theirs`: Xero's ids of the lines, in the order in
    which they were sent. Former versions did not note which lines these were."""
    ours = identity.get(SENT_LINES) or []
    if len(ours) != len(theirs):
        return ()
    found = []
    for own, their in zip(ours, theirs, strict=True):
        try:
            known = wire.uuid(own), wire.uuid(their)
        except ValueError:
            continue
        if known[0] and known[1]:
            found.append((known[0], known[1]))
    return tuple(found)


def _amount(value: object) -> Decimal | None:
    try:
        return wire.number(value)
    except ValueError:
        return None


def _day(value: object) -> date | None:
    try:
        return wire.date(value)
    except ValueError:
        return None


def messages(record: Record, name: str) -> list[str]:
    """Xero's messages under that name, each once."""
    return list(dict.fromkeys(_words(record, name)))


def _words(node: Any, name: str) -> Iterator[str]:
    """Messages under that name, of the element and of its lines and contact. Xero calls them Message or Description."""
    if isinstance(node, dict):
        found = node.get(name)
        for one in found if isinstance(found, list) else [found]:
            words = wire.word(one.get("Message") or one.get("Description") if isinstance(one, dict) else one)
            if words:
                yield cleaned(words)
        for part in ("LineItems", "Contact"):
            yield from _words(node.get(part), name)
    elif isinstance(node, list):
        for one in node:
            yield from _words(one, name)
