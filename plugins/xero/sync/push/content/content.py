"""What a document says, field by field: as QicWorks sends it, and as a record of Xero's has it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from xero.api import wire
from xero.api.errors import cleaned
from xero.documents.declaration import Json, PricedDocument, PricedKind, PricedLine, PricedRow, Record
from xero.documents.parts.arriving import Arrival
from xero.documents.pricing import rate_in_xero, rate_tax
from xero.qicworks.follow.differences import LONGEST_VALUE
from xero.qicworks.texts import marked

EXACT = msgspec.json.Encoder(decimal_format="number", order="sorted")


class Value(NamedTuple):
    """A value: what decides whether two are the same, and what a person reads."""

    same: str
    shown: str


NOTHING = Value("", "")


@dataclass(frozen=True)
class Line:
    """A line. `id`: Xero's, in lower case, where it is known; `rate_tax`: what the rate makes of a line of which no tax
    is sent."""

    id: str | None
    values: Mapping[str, Value]
    rate_tax: Value | None = None


@dataclass(frozen=True)
class Content:
    """`header`: field → value. `lines` None: they were not returned, so nothing is known of them."""

    header: Mapping[str, Value]
    lines: tuple[Line, ...] | None = None


def _text(value: object) -> Value:
    words = " ".join(str(value or "").split())
    said = cleaned(words)
    return Value(words, said if said == words else marked(said, words, LONGEST_VALUE))


def _code(value: object) -> Value:
    words = str(value or "").strip()
    return Value(words.casefold(), cleaned(words))


def _number(value: object) -> Value:
    found = value if isinstance(value, Decimal) else wire.number(value)
    plain = "" if found is None else f"{found.normalize():f}"
    return Value("0" if plain == "-0" else plain, "" if found is None else f"{found:f}")


def _rate(value: object) -> Value:
    """To six decimals: what is beyond them is not Xero's. What is no number, as text: it may be a rate that says
    nothing."""
    try:
        found = value if isinstance(value, Decimal) else wire.number(value)
        return NOTHING if found is None else _number(rate_in_xero(found))
    except (ValueError, ArithmeticError):
        return _text(value)


def _date(value: object) -> Value:
    day = wire.date(value)
    return Value(day.isoformat(), day.isoformat()) if day else NOTHING


def _contact(value: object) -> Value:
    return _code(value.get("ContactID") if isinstance(value, Mapping) else None)


def _departments(value: object) -> Value:
    found = wire.objects(value)
    ids = sorted(str(one.get("TrackingOptionID") or "").lower() for one in found)
    names = (str(one.get("Option") or one.get("TrackingOptionID") or "") for one in found)
    return Value(" ".join(ids), cleaned(", ".join(sorted(names))))


Read = Callable[[object], Value]

#: Field of Xero's → its name for people, and how it is read. A document's own number has another field in each kind.
HEADER: dict[str, tuple[str, Read]] = {
    "Type": ("type", _code),
    "Contact": ("contact", _contact),
    "Reference": ("reference", _text),
    "Date": ("date", _date),
    "DueDate": ("due date", _date),
    "CurrencyCode": ("currency", _code),
    "CurrencyRate": ("currency rate", _rate),
    "LineAmountTypes": ("amounts", _code),
    "DeliveryDate": ("delivery date", _date),
    "DeliveryAddress": ("delivery address", _text),
    "AttentionTo": ("attention", _text),
    "Telephone": ("telephone", _text),
    "DeliveryInstructions": ("delivery instructions", _text),
}
TOTALS = {"SubTotal": "net amount", "TotalTax": "tax", "Total": "total"}
LINE: dict[str, tuple[str, Read]] = {
    "Description": ("description", _text),
    "Quantity": ("quantity", _number),
    "UnitAmount": ("unit price", _number),
    "AccountID": ("account", _code),
    "TaxType": ("tax code", _code),
    "TaxAmount": ("tax", _number),
    "Tracking": ("departments", _departments),
}
#: Fields that are shown by a name, which another contact, account or department may have, too.
BY_NAME = ("contact", "account", "departments")
#: Fields that a user can empty: Xero may then return nothing. Others that are missing were not returned.
#: The number can be emptied, too, and is then returned without a value.
CAN_BE_EMPTY = frozenset(
    {"Reference", "DueDate", "DeliveryDate", "DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions"}
)


def fields_of(kind: PricedKind) -> dict[str, tuple[str, Read]]:
    """The header's fields of a kind."""
    return {kind.number: ("number", _text), **HEADER}


def of_document(kind: PricedKind, document: PricedDocument) -> Content:
    """A document as it would be sent, and its totals. It must have passed the checks."""
    found = of_payload(kind, kind.payload(document))
    row = document.row
    totals = {name: _number(value) for name, value in zip(TOTALS.values(), _totals(row), strict=True)}
    lines = tuple(_named(sent, line, row) for sent, line in zip_longest(found.lines or (), document.lines))
    header = {**found.header, **totals}
    if row.contact_name and "contact" in header:
        header["contact"] = header["contact"]._replace(shown=cleaned(row.contact_name))
    return Content(header, lines)


def _totals(row: Any) -> tuple[Decimal, Decimal, Decimal]:
    return row.sub_total, row.total_tax, row.total


def _named(sent: Line, line: PricedLine | None, row: PricedRow) -> Line:
    """The line with its id in Xero, its tax, and with the names that people know instead of other ids."""
    if line is None:
        return sent
    named = dict(sent.values)
    if line.account_code and "account" in named:
        named["account"] = named["account"]._replace(shown=cleaned(line.account_code))
    if named["departments"].same:
        chosen = sorted(one.name for one in line.departments if one.name)
        named["departments"] = named["departments"]._replace(shown=cleaned(", ".join(chosen)))
    tax = None if "tax" in named else _number(rate_tax(line, row))
    return Line(str(line.xero_line_id).lower() if line.xero_line_id else None, named, tax)


def of_payload(kind: PricedKind, payload: Json) -> Content:
    """An element of a request. A field that was left out is not in it, but for departments, which are then none."""
    header = {name: read(payload[key]) for key, (name, read) in fields_of(kind).items() if key in payload}
    lines = tuple(
        Line(None, {name: read(line.get(key)) for key, (name, read) in LINE.items() if key in {**line, "Tracking": 0}})
        for line in payload["LineItems"]
    )
    return Content(header, lines)


def of_record(kind: PricedKind, record: Record) -> Content:
    """A record of Xero's. Raises ValueError if a value cannot be read."""
    header = {
        name: read(record.get(key))
        for key, (name, read) in fields_of(kind).items()
        if key in CAN_BE_EMPTY or record.get(key) not in (None, "") or (key == kind.number and key in record)
    }
    header |= {name: _number(record[key]) for key, name in TOTALS.items() if record.get(key) not in (None, "")}
    contact = record.get("Contact")
    if "contact" in header and isinstance(contact, Mapping) and contact.get("Name"):
        header["contact"] = header["contact"]._replace(shown=cleaned(contact["Name"]))
    if not isinstance(record.get("LineItems"), list):
        return Content(header)
    return Content(header, tuple(_line(line) for line in wire.objects(record["LineItems"])))


def contact_of(record: Record) -> str:
    """Xero's id of the contact, in lower case, or nothing."""
    return _contact(record.get("Contact")).same


def with_contact(record: Record, names: Mapping[str, str]) -> Record:
    """The record with its contact as QicWorks calls it: it reads the same wherever the record comes from."""
    id = contact_of(record)
    return {**record, "Contact": {"ContactID": id, "Name": names.get(id)}} if id else record


def _line(line: Record) -> Line:
    values = {name: read(line.get(key)) for key, (name, read) in LINE.items() if key in {**line, "Tracking": 0}}
    if line.get("AccountCode") and "account" in values:
        values["account"] = values["account"]._replace(shown=cleaned(line["AccountCode"]))
    return Line(_code(line.get("LineItemID")).same or None, values)


# -- what is kept of it


@dataclass(frozen=True)
class Digest:
    """The same, with a hash for each value: enough to know whether it changed, and not what it was."""

    header: Mapping[str, str]
    lines: tuple[tuple[str | None, Mapping[str, str]], ...] | None = None  # (Xero's id, field → hash)

    @classmethod
    def of(cls, content: Content) -> Digest:
        lines = content.lines
        return cls(
            hashed(content.header), None if lines is None else tuple((line.id, hashed(line.values)) for line in lines)
        )

    def to_json(self) -> Json:
        lines = None if self.lines is None else [{"id": id, "values": dict(values)} for id, values in self.lines]
        return {"header": dict(self.header), "lines": lines}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Digest:
        lines = kept["lines"]
        return cls(kept["header"], None if lines is None else tuple((line["id"], line["values"]) for line in lines))


@dataclass(frozen=True)
class Base:
    """What was last pushed. `payload`: one hash of all that was sent; `answered`: Xero's record after it.

    `agreed`: Xero did not refuse it. `status`: in which it was sent.
    """

    payload: str
    sent: Digest
    answered: Digest
    agreed: bool = True
    status: Arrival = Arrival.DRAFT

    @property
    def lines(self) -> dict[str, Mapping[str, str]]:
        """Xero's id of each line → what was sent of it."""
        ids = [id for id, _ in self.answered.lines or ()]
        sent = [values for _, values in self.sent.lines or ()]
        return {id: values for id, values in zip(ids, sent, strict=True) if id} if len(ids) == len(sent) else {}


def hashed(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: hash_of(name, value) for name, value in values.items()}


def hash_of(name: str, value: Value) -> str:
    """Of a value with the name of its field: equal values of two fields have different hashes."""
    return hashlib.sha256(f"{name}\0{value.same}".encode(errors="surrogatepass")).hexdigest()[:16]


def number_hash(kind: PricedKind, document: PricedDocument) -> str:
    """Of the document's number, as the digest of a push has it."""
    name, read = fields_of(kind)[kind.number]
    return hash_of(name, read(document.number))


def payload_hash(kind: PricedKind, element: Json) -> str:
    """Of all that is sent of a document, exactly: not its ids in Xero, its status, and what is empty."""
    return hashlib.sha256(EXACT.encode(_told(element, {kind.key, "Status", "LineItemID"}))).hexdigest()


def _told(value: Any, without: Set[str]) -> Any:
    if isinstance(value, Mapping):
        told = {name: _told(one, without) for name, one in value.items() if name not in without}
        return {name: one for name, one in told.items() if one not in (None, "", [])}
    return [_told(one, without) for one in value] if isinstance(value, list | tuple) else value


def same_content(kind: PricedKind, document: PricedDocument, record: Record) -> bool:
    """Whether every field that QicWorks sends is the same in Xero. A value that cannot be read is different."""
    ours = of_document(kind, document)
    try:
        theirs = of_record(kind, record)
    except ValueError:
        return False
    if theirs.lines is None or len(theirs.lines) != len(ours.lines or ()):
        return False
    pairs = zip(ours.lines or (), theirs.lines, strict=True)
    sent = {name: value for name, value in ours.header.items() if name not in TOTALS.values()}
    return all(value.same == theirs.header.get(name, NOTHING).same for name, value in sent.items()) and all(
        value.same == their.values.get(name, NOTHING).same for our, their in pairs for name, value in our.values.items()
    )
