"""What documents with priced lines have in common: their part of Xero's JSON, and what they are known by."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from xero.documents.declaration import AnyDocument, Json, Likeness, PricedDocument, PricedLine, PricedRow, Record

CENT = Decimal("0.01")
MILLIONTH = Decimal("0.000001")  # Xero's rates have six decimals
WIDE = Context(prec=60)  # digits: a quantity times a price has up to 36

#: Xero shows it as "Go to …" and gives it back: it tells our documents from strangers'. Xero refuses "xero" in it.
QICWORKS = "https://app.qicworks.com"


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP, WIDE)


def plain(number: Decimal) -> Decimal:
    """The same number without zeros at its end, never in scientific notation."""
    return Decimal(f"{number.normalize():f}")


def rate_in_xero(rate: Decimal) -> Decimal:
    """A currency rate as Xero can have it."""
    return plain(rate.quantize(MILLIONTH, ROUND_HALF_UP, WIDE))


def sent_rate(row: PricedRow) -> Decimal | None:
    """The currency rate that is sent; None: of the organisation's own currency, or Xero takes the rate of the day."""
    is_own = row.currency is None or row.currency == row.base_currency
    return None if row.currency_rate is None or is_own else rate_in_xero(row.currency_rate)


def line_total(line: PricedLine) -> Decimal:
    """Quantity times price, to the cent."""
    return cents(line.quantity * line.unit_price)


def address(document: AnyDocument, table: str) -> str:
    """Where the document is in QicWorks (`QICWORKS_URL`, if it is not where QicWorks usually is)."""
    return f"{os.environ.get('QICWORKS_URL', QICWORKS).rstrip('/')}/{table}/{document.id}"


def addressee(record: Record) -> UUID | None:
    """The document whose address a record has; None if it is not an address of a document."""
    try:
        return UUID(str(record.get("Url") or "").strip().rpartition("/")[2])
    except ValueError:
        return None


def header(document: PricedDocument, *, purchase: bool, **fields: Any) -> Json:
    """The fields that every priced document has, and the given ones, without None. `purchase`: the supplier's own tax
    amounts are sent; of a sale only those that were taken over from Xero."""
    row = document.row
    # Only the id: any other field of a contact would change the contact.
    made = {
        **fields,
        "Contact": {"ContactID": str(row.contact_xero_id)},
        "Date": iso(row.issue_date),
        "LineAmountTypes": row.line_amount_types,
        "CurrencyCode": row.currency,
        "CurrencyRate": sent_rate(row),
        "Status": str(document.arrival),
        "LineItems": [_line(line, row, purchase) for line in document.lines],
    }
    return {name: value for name, value in made.items() if value is not None}


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _line(line: PricedLine, row: PricedRow, purchase: bool) -> Json:
    # Without LineAmount, and without TaxAmount if it is the rate's: Xero calculates both, and the result is compared.
    made: Json = {
        "Description": line.description,
        "Quantity": plain(line.quantity),
        "UnitAmount": plain(line.unit_price),
        # By id: its code may now belong to another account.
        "AccountID": str(line.account_xero_id) if line.account_xero_id else None,
        "TaxType": line.tax_type,
    }
    if (purchase or line.tax_is_xeros) and (tax := own_tax(line, row)) is not None:
        made["TaxAmount"] = tax
    tracking = [
        {"TrackingCategoryID": str(department.category_xero_id), "TrackingOptionID": str(department.xero_id)}
        for department in line.departments
        if department.xero_id
    ]
    return made | ({"Tracking": tracking} if tracking else {})


def identity(document: PricedDocument, payload: Json, *names: str) -> Json:
    """What identifies a document in Xero: these fields of its payload, its contact, and its total, as QicWorks has it
    and as its lines add up."""
    chosen = {name: payload.get(name) for name in names}
    taxes = [line.get("TaxAmount") for line in payload["LineItems"]]
    totals = sorted({str(document.row.total), str(total(document, taxes))})
    return {**chosen, "ContactID": payload["Contact"]["ContactID"], "Totals": totals}


def total(document: PricedDocument, taxes: Sequence[Decimal | None] = ()) -> Decimal:
    """What Xero makes of the lines. `taxes`: of each line what is sent in place of the rate's."""
    return totals(document, taxes)[2]


def totals(document: PricedDocument, taxes: Sequence[Decimal | None] = ()) -> tuple[Decimal, Decimal, Decimal]:
    """Net amount, tax and total as Xero makes them of the lines: tax to the cent on each, then all added up."""
    sent = [*taxes, *[None] * len(document.lines)]
    pairs = zip(document.lines, sent, strict=False)
    tax = sum((rate_tax(line, document.row) if tax is None else tax for line, tax in pairs), Decimal("0.00"))
    amount = sum(map(line_total, document.lines), Decimal("0.00"))
    net = amount - tax if document.row.line_amount_types == "Inclusive" else amount
    return net, tax, net + tax


def rate_tax(line: PricedLine, row: PricedRow) -> Decimal:
    """The tax that the tax code's rate makes of the line, to the cent: on top of it, or in it."""
    percent = line.tax_rate or Decimal(0)
    if row.line_amount_types == "NoTax":
        return Decimal("0.00")
    return cents(line_total(line) * percent / (100 if row.line_amount_types == "Exclusive" else 100 + percent))


def own_tax(line: PricedLine, row: PricedRow) -> Decimal | None:
    """The tax that QicWorks has for the line, where it is not what the rate makes of it."""
    tax = line.tax_amount
    if tax is None or row.line_amount_types == "NoTax" or tax == rate_tax(line, row):
        return None
    return tax


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


def as_recorded(record: Record, number: str) -> Json:
    """What identifies a document by its own record in Xero. `number`: the field of the number."""
    contact, amount = record.get("Contact"), record.get("Total")
    found = {name: record.get(name) for name in ("Type", number, "Date", "Url")}
    found["ContactID"] = contact.get("ContactID") if isinstance(contact, dict) else None
    return {**found, "Totals": [] if amount is None else [str(amount)]}


def is_alike(identity: Json, record: Record, number: str) -> bool:
    """Whether a record has the type, contact, number and total of a document, as far as these are known of it."""
    return (
        bool(str(identity.get(number) or "").strip())
        and same_text(identity[number], record.get(number))
        and ("Type" not in identity or identity["Type"] == record.get("Type"))
        and ("ContactID" not in identity or same_contact(identity, record))
        and same_total(identity, record)
    )


def of_invoices(kind: str) -> Any:
    """Compares sales invoices and bills by number, and by our own address in `Url`.

    A record of the same contact without an address may be ours, from a server that does not keep it, or may have been
    entered by a user: PERHAPS.
    """

    def likeness(identity: Json, record: Record) -> Likeness:
        number, url = record.get("InvoiceNumber"), record.get("Url")
        if record.get("Type") != kind or (isinstance(number, str) and not same_text(identity["InvoiceNumber"], number)):
            return Likeness.OTHER
        if url and same_text(url, identity["Url"]):
            return Likeness.SAME
        if not same_text(identity["InvoiceNumber"], number):
            return Likeness.OTHER
        if url:
            return (
                Likeness.ADDRESS_OF_ANOTHER if same_contact(identity, record) and addressee(record) else Likeness.OTHER
            )
        return Likeness.PERHAPS if same_contact(identity, record) else Likeness.OTHER

    return likeness


def by_numbers(identities: Sequence[Json]) -> Iterator[dict[str, str]]:
    """Queries of /Invoices by number. A number with a comma cannot be part of a list."""
    sent = [one["InvoiceNumber"] for one in identities]
    numbers = list(dict.fromkeys([*sent, *(number.strip() for number in sent)]))
    for some in in_parts([number for number in numbers if "," not in number], around=3):
        yield {"InvoiceNumbers": ",".join(some)}
    yield from where_numbers("InvoiceNumber", [number for number in numbers if "," in number])


def where_numbers(field: str, numbers: Sequence[str]) -> Iterator[dict[str, str]]:
    """Queries by number for endpoints without a number filter."""
    for some in in_parts(list(dict.fromkeys(numbers))):
        quoted = (number.replace("\\", "\\\\").replace('"', '\\"') for number in some)
        yield {"where": " OR ".join(f'{field}=="{number}"' for number in quoted)}


def in_parts(numbers: Sequence[str], longest: int = 2000, around: int = 40) -> Iterator[list[str]]:
    """Parts that fit into an address; `longest`: characters, as encoded; `around`: those around each number."""
    part: list[str] = []
    size = 0
    for number in numbers:
        weight = len(quote(number)) + around
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
