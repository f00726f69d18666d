"""Compares a Xero record with what QicWorks would send."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xero.api import wire
from xero.documents.declaration import PricedDocument, PricedKind, Record
from xero.documents.pricing import same_text

DATES = frozenset({"Date", "DueDate", "DeliveryDate"})
NUMBERS = ("Quantity", "UnitAmount", "TaxAmount")
WORDS = ("Description", "AccountID", "TaxType")
#: Of the record as a whole: not every server keeps the address, and what its status is, is asked before.
APART = frozenset({"LineItems", "Contact", "Status", "Url"})


def same_content(kind: PricedKind, document: PricedDocument, record: Record) -> bool:
    """Whether every field that QicWorks sends is the same. A value that cannot be read is different."""
    sent = kind.payload(document)
    lines, contact = wire.objects(record.get("LineItems")), record.get("Contact")
    try:
        return (
            all(_same(name, value, record.get(name)) for name, value in sent.items() if name not in APART)
            and same_text(sent["Contact"]["ContactID"], contact.get("ContactID") if isinstance(contact, dict) else None)
            and len(lines) == len(sent["LineItems"])
            and all(_same_line(ours, theirs) for ours, theirs in zip(sent["LineItems"], lines, strict=True))
        )
    except ValueError:
        return False


def _same(name: str, ours: Any, theirs: Any) -> bool:
    if name not in DATES:
        return _text(ours) == _text(theirs)
    day = wire.date(theirs)
    return _text(ours) == (day.isoformat() if day else "")


def _same_line(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return (
        all(Decimal(ours[name]) == wire.number(theirs.get(name)) for name in NUMBERS if name in ours)
        and all(
            _text(ours[name]).lower() == _text(theirs.get(name)).lower()
            if name == "AccountID"
            else _text(ours[name]) == _text(theirs.get(name))
            for name in WORDS
        )
        and _options(ours) == _options(theirs)
    )


def _options(line: Mapping[str, Any]) -> list[str]:
    return sorted(_text(one.get("TrackingOptionID")).lower() for one in wire.objects(line.get("Tracking")))


def _text(value: object) -> str:
    return str(value or "").strip()
