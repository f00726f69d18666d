"""What Xero answered to a request, taken apart: which element is which document, what became of it, what differs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.errors import cleaned
from xero.documents.declaration import Document, Json, PricedKind, Record
from xero.documents.pricing import same_contact, same_text, same_total
from xero.qicworks.outbox import Result
from xero.sync import corrections
from xero.sync.settling import refused

DATES = (("due date", "due_date", "DueDate"), ("delivery date", "delivery_date", "DeliveryDate"))
NOBODY = UUID(int=0)  # what Xero gives where there is no id


def elements(kind: PricedKind, data: Any) -> list[Record]:
    found = data.get(kind.envelope) if isinstance(data, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def pair(kind: PricedKind, identities: Sequence[Json], records: Sequence[Record]) -> list[Record | None]:
    """For each document its element, in whatever order: by number, address, contact and amount, else by place."""
    left = dict(enumerate(records))
    pairs: list[Record | None] = [None] * len(identities)

    def score(place: int, identity: Json, at: int) -> tuple[int, ...]:
        record = records[at]
        url = "Url" in identity and same_text(identity["Url"], record.get("Url"))
        alike = (same_contact(identity, record), same_total(identity, record))
        return (int(url), *map(int, alike), int(at == place))

    for place, identity in enumerate(identities):  # of a change its own id goes before all
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
    for place, identity in enumerate(identities):  # elements that do not even say their number
        if pairs[place] is None:
            mute = [at for at, record in left.items() if not record.get(kind.number)]
            if (at := _mute(identity, place, mute, records, whole=len(records) == len(identities))) is not None:
                pairs[place] = left.pop(at)
    return pairs


def _mute(identity: Json, place: int, mute: Sequence[int], records: Sequence[Record], whole: bool) -> int | None:
    """Which of the elements without a number is the document: that of its address, or the one at its place in an
    answer that has one for each, if nothing in it speaks against that."""
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


def read(kind: PricedKind, label: str, number: str | None, document: Document | None, record: Record) -> Result:
    """What became of one document. `document` is what was sent, None where it has changed since.

    Without an id and without a refusal nothing is known of it: state None.
    """
    xero_id = id_of(kind, record)
    errors = list(dict.fromkeys(_words(record, "ValidationErrors")))
    if errors or record.get("HasErrors") is True or record.get("StatusAttributeString") == "ERROR":
        return refused(kind, label, number, errors)
    if xero_id is None:
        return Result(None)
    status = str(record.get("Status") or "") or None
    if status in kind.gone:
        return deleted(label, number, status, xero_id)
    warnings = list(dict.fromkeys(_words(record, "Warnings")))
    if any(corrections.is_failure(words) for words in warnings):
        failed = refused(kind, label, number, warnings, xero_id)
        return replace(failed, xero_status=status, line_ids=line_ids(document, record))
    notes = [f"Xero says: {words}" for words in warnings]
    if document is not None:
        notes += differences(document, record)
    return Result("pushed", xero_id, status, line_ids=line_ids(document, record), notes=tuple(notes))


def answered(kind: PricedKind, label: str, number: str | None, document: Document | None, record: Record) -> Result:
    """`read` of what Xero answers to what was just sent: there every line must be what it was sent as."""
    result = read(kind, label, number, document, record)
    wrong = list(misbooked(kind, document, record)) if document is not None and result.state == "pushed" else []
    if not wrong:
        return result
    return replace(
        result,
        state="failed",
        error=f"it stands in Xero otherwise than it was sent ({'; '.join(wrong)}): check in Xero",
        correction=f"Pull the chart of accounts, tax codes and tracking categories, look at the {label}, then "
        "push again: while it is a draft in Xero, it is corrected there.",
    )


def id_of(kind: PricedKind, record: Record) -> UUID | None:
    try:
        found = wire.uuid(record.get(kind.key))
    except ValueError:
        return None
    return None if found == NOBODY else found


def deleted(label: str, number: str | None, status: str | None, xero_id: UUID | None) -> Result:
    """It stands in Xero, but as deleted or voided."""
    again = f" ({number} → {corrections.renumbered(number)})" if number else ""
    return Result(
        "failed",
        xero_id,
        status,
        f"it was {str(status).lower()} in Xero",
        f"If that was a mistake, give the {label} a new number in QicWorks{again} and push again: it is made anew, "
        "and its attachments go along. Otherwise cancel it in QicWorks, too.",
    )


def differences(document: Document, record: Record) -> Iterator[str]:
    """Where Xero's amounts are not QicWorks', to the cent, since it works them out itself from the lines; and dates."""
    for name, field in (("net amount", "sub_total"), ("tax", "total_tax"), ("total", "total")):
        theirs = _amount(record.get({"sub_total": "SubTotal", "total_tax": "TotalTax", "total": "Total"}[field]))
        ours = document.row[field]
        if theirs is not None and theirs != ours:
            yield f"{name} {ours} in QicWorks, {theirs} in Xero"
    for name, column, field in DATES:
        there, day = _day(record.get(field)), document.row.get(column)
        if there and there != day:
            yield f"{name} {day or 'none'} in QicWorks, {there} in Xero"
    lines = record.get("LineItems")
    if isinstance(lines, list) and lines and len(lines) != len(document.lines):
        yield f"{len(document.lines)} lines in QicWorks, {len(lines)} in Xero"


def misbooked(kind: PricedKind, document: Document, record: Record) -> Iterator[str]:
    """Where a line stands on another account, tax code or department than was sent: of what the answer says."""
    lines = record.get("LineItems")
    if not isinstance(lines, list) or len(lines) != len(document.lines):
        return
    for number, (sent, theirs) in enumerate(zip(kind.payload(document)["LineItems"], lines, strict=True), 1):
        if not isinstance(theirs, dict):
            continue
        for name, what in (("AccountID", "account"), ("TaxType", "tax code")):
            if theirs.get(name) and not same_text(sent[name], theirs[name]):
                shown = theirs.get("AccountCode") if name == "AccountID" else theirs[name]
                yield f"line {number} has the {what} {shown or 'of another id'}"
        if isinstance(theirs.get("Tracking"), list) and _options(sent) != _options(theirs):
            yield f"line {number} has other departments"


def _options(line: Record) -> list[str]:
    options = [one.get("TrackingOptionID") for one in line.get("Tracking") or () if isinstance(one, dict)]
    return sorted(str(one).lower() for one in options if one)


def line_ids(document: Document | None, record: Record) -> tuple[tuple[UUID, UUID], ...]:
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
        found.append((ours["id"], xero_line))
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


def _words(node: Any, name: str) -> Iterator[str]:
    """Messages under that name, of the element and of its lines and contact. Xero calls them Message or Description."""
    if isinstance(node, dict):
        for one in node.get(name) or ():
            words = one.get("Message") or one.get("Description") if isinstance(one, dict) else one
            if words:
                yield cleaned(words)
        for part in ("LineItems", "Contact"):
            yield from _words(node.get(part), name)
    elif isinstance(node, list):
        for one in node:
            yield from _words(one, name)
