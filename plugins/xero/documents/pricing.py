"""What documents with priced lines have in common: their part of Xero's JSON, and what they are known by."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from xero.documents.declaration import Document, Json, Likeness, Record, Row

CENT = Decimal("0.01")

#: Xero shows it as "Go to …" and gives it back: it tells our documents from strangers'. Xero refuses "xero" in it.
QICWORKS = "https://app.qicworks.com"


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def plain(number: Decimal) -> Decimal:
    """The same number without zeros at its end, never in scientific notation."""
    return Decimal(f"{number.normalize():f}")


def line_total(line: Row) -> Decimal:
    """Quantity times price, to the cent."""
    return cents(line["quantity"] * line["unit_price"])


def address(document: Document, table: str) -> str:
    """Where the document is in QicWorks (`QICWORKS_URL`, if it is not where QicWorks usually is)."""
    return f"{os.environ.get('QICWORKS_URL', QICWORKS).rstrip('/')}/{table}/{document.id}"


def addressee(record: Record) -> UUID | None:
    """The document that a record says it is, by its address; None where it is no address of QicWorks'."""
    try:
        return UUID(str(record.get("Url") or "").strip().rpartition("/")[2])
    except ValueError:
        return None


def header(document: Document, **fields: Any) -> Json:
    """What every such document has, and the given fields; what is None is left out."""
    row = document.row
    # Only the id: any other field of a contact would change the contact.
    made = {
        **fields,
        "Contact": {"ContactID": str(row["contact_xero_id"])},
        "Date": iso(row["issue_date"]),
        "LineAmountTypes": row["line_amount_types"],
        "CurrencyCode": row["currency"],
        "Status": "DRAFT",
        "LineItems": [_line(line) for line in document.lines],
    }
    return {name: value for name, value in made.items() if value is not None}


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _line(line: Row) -> Json:
    # Without LineAmount and TaxAmount: Xero works both out, and what it comes to is compared.
    made: Json = {
        "Description": line["description"],
        "Quantity": plain(line["quantity"]),
        "UnitAmount": plain(line["unit_price"]),
        "AccountCode": line["account_code"],
        "TaxType": line["tax_type"],
    }
    tracking = [
        {
            "TrackingCategoryID": str(line[f"{which}_category_xero_id"]),
            "TrackingOptionID": str(line[f"{which}_option_xero_id"]),
        }
        for which in ("first", "second")
        if line[f"{which}_option_xero_id"]
    ]
    return made | ({"Tracking": tracking} if tracking else {})


def identity(document: Document, payload: Json, *names: str) -> Json:
    """These fields of what is sent, whom it is for, and what it should come to: as QicWorks says, and by its lines."""
    chosen = {name: payload.get(name) for name in names}
    totals = sorted({str(document.row["total"]), str(total(document))})
    return {**chosen, "ContactID": payload["Contact"]["ContactID"], "Totals": totals}


def total(document: Document) -> Decimal:
    """What Xero makes of the lines: tax to the cent on each, then all added up."""
    return sum((line_total(line) + _tax_on_top(line, document.row) for line in document.lines), Decimal("0.00"))


def _tax_on_top(line: Row, row: Row) -> Decimal:
    percent = line["tax_rate"] if row["line_amount_types"] == "Exclusive" else None
    return cents(line_total(line) * percent / 100) if percent else Decimal("0.00")


def same_text(one: object, other: object) -> bool:
    return str(one or "").strip().casefold() == str(other or "").strip().casefold()


def same_day(sent: object, record: Record, name: str = "Date") -> bool:
    """Whether the record is of the day that was sent (`YYYY-MM-DD`)."""
    return str(sent) == str(record.get(name))


def same_total(identity: Json, record: Record) -> bool:
    try:
        return cents(Decimal(str(record.get("Total")))) in [Decimal(one) for one in identity["Totals"]]
    except ArithmeticError:  # no number
        return False


def same_contact(identity: Json, record: Record) -> bool:
    contact = record.get("Contact")
    return isinstance(contact, dict) and same_text(identity["ContactID"], contact.get("ContactID"))


def of_invoices(kind: str) -> Any:
    """The likeness of sales invoices and bills: the number, and our own address in `Url`.

    One without an address, of the same contact, may be ours, from a server that does not keep it, or be somebody's who
    typed it in: it is only perhaps ours.
    """

    def likeness(identity: Json, record: Record) -> Likeness:
        if record.get("Type") != kind or not same_text(identity["InvoiceNumber"], record.get("InvoiceNumber")):
            return Likeness.OTHER
        if url := record.get("Url"):
            if same_text(url, identity["Url"]):
                return Likeness.SAME
            return Likeness.STRAY if same_contact(identity, record) and addressee(record) else Likeness.OTHER
        return Likeness.PERHAPS if same_contact(identity, record) else Likeness.OTHER

    return likeness


def by_numbers(identities: Sequence[Json]) -> Iterator[dict[str, str]]:
    """Queries of /Invoices by number. One with a comma in it cannot stand in a list."""
    numbers = list(dict.fromkeys(one["InvoiceNumber"] for one in identities))
    for some in in_parts([number for number in numbers if "," not in number]):
        yield {"InvoiceNumbers": ",".join(some)}
    yield from where_numbers("InvoiceNumber", [number for number in numbers if "," in number])


def where_numbers(field: str, numbers: Sequence[str]) -> Iterator[dict[str, str]]:
    """Queries by number for lists that know no better."""
    for some in in_parts(list(dict.fromkeys(numbers))):
        quoted = (number.replace("\\", "\\\\").replace('"', '\\"') for number in some)
        yield {"where": " OR ".join(f'{field}=="{number}"' for number in quoted)}


def in_parts(numbers: Sequence[str], longest: int = 2000) -> Iterator[list[str]]:
    """As many at a time as fit into an address; `longest` counts characters as they travel."""
    part: list[str] = []
    size = 0
    for number in numbers:
        weight = len(quote(number)) + 40
        if part and size + weight > longest:
            yield part
            part, size = [], 0
        part.append(number)
        size += weight
    if part:
        yield part


def days(identities: Sequence[Json]) -> tuple[date, date]:
    """The first and the last day of these."""
    found = [date.fromisoformat(one["Date"]) for one in identities]
    return min(found), max(found)
