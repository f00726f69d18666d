"""The lines of a document: what they say, what they come to, and whether Xero would take them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

from xero_sandbox.collection import Record
from xero_sandbox.documents import ZERO, cents, price
from xero_sandbox.writing.accounts import account_of, tax_type_of
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.reading import read_number, read_text
from xero_sandbox.writing.tracking import tracking_of

NO_DESCRIPTION = "The description field is mandatory for each line item"
NO_UNIT = "The UnitAmount should be used when specifying a discount for a line item."
TAX_ABOVE_LINE = "The tax amount cannot be greater than the line amount!"
LONGEST = 4000
#: What a line that is known by its id keeps when it is not sent.
KEPT = ("Description", "Quantity", "UnitAmount", "AccountCode", "TaxType", "Tracking", "DiscountRate")
SUMS = ("LineAmount", "TaxAmount")
#: What the sums of a line follow from.
PRICING = frozenset(("Quantity", "UnitAmount", "TaxType", "DiscountRate", *SUMS))


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all lines of a document. `bound`: it is more than a draft, and must be complete."""

    amount_types: str
    bound: bool
    sale: bool
    places: int
    kept: bool  # they are the document's own, not sent
    keeps_sums: bool = False  # whether a known line of which nothing in PRICING is sent keeps its SUMS


def written_lines(desk: Desk, terms: Terms, sent: list[Record], old: list[Record], found: Findings) -> list[Record]:
    """The lines as they will be kept. One with an id changes that line; those that are not sent are gone."""
    known = {line["LineItemID"]: line for line in old}
    lines = []
    for line in sent:
        key = str(line.get("LineItemID") or "").lower()
        if key and old and key not in known:
            found.error(f"The line item with the LineItemID {key} could not be found on this document.")
        keeps_sums = terms.keeps_sums and key in known and not PRICING & line.keys()
        fields = (*KEPT, *SUMS) if keeps_sums else KEPT
        before = {name: known[key][name] for name in fields if name in known[key]} if key in known else {}
        if line.get("AccountID") and not line.get("AccountCode"):
            before.pop("AccountCode", None)
        given = before | {name: value for name, value in line.items() if value is not None}
        lines.append(
            {
                "LineItemID": key if key in known else str(uuid4()),
                **_line(desk, replace(terms, kept=terms.kept or keeps_sums), given, found),
            }
        )
    return lines


def _line(desk: Desk, terms: Terms, given: Record, found: Findings) -> Record:
    description = read_text(given.get("Description", ""))
    if terms.bound and not description:
        found.error(NO_DESCRIPTION)
    if len(description) > LONGEST:
        found.error(f"The description must not be longer than {LONGEST} characters.")
    if given.get("ItemCode"):
        found.error(f"Price List Item with Code '{read_text(given['ItemCode'])}' could not be found")
    account = account_of(desk, given, terms.bound, found)
    line: Record = {"Description": description} if description else {}
    line |= _amounts(given, terms, found)
    line |= {name: account[name] for name in ("AccountCode", "AccountID") if name in account}
    line |= tax_type_of(desk, given, account, terms.amount_types == "NoTax", terms.bound, found)
    line["Tracking"] = tracking_of(desk, given.get("Tracking") or [], found)
    return line | _tax(given, line, terms, found)


def _amounts(given: Record, terms: Terms, found: Findings) -> Record:
    """Quantity, UnitAmount, LineAmount and discount; a line amount that is sent must be what they come to."""
    quantity = _places(read_number(given.get("Quantity", 1)), 4)
    if quantity < 0:
        found.error(f"The quantity value '{quantity.normalize():f}' is invalid. Quantity must not be less than zero.")
    amount = read_number(given["LineAmount"]) if "LineAmount" in given else None
    rate = read_number(given["DiscountRate"]) if given.get("DiscountRate") and terms.sale else Decimal(0)
    if rate and "UnitAmount" not in given:
        found.error(NO_UNIT)
    if "UnitAmount" in given:
        unit = read_number(given["UnitAmount"])
    else:
        unit = amount / quantity if amount is not None and quantity else amount or Decimal(0)
    unit = _places(unit, terms.places)
    expected = cents(quantity * unit * (100 - rate) / 100)
    if amount is not None and (terms.kept or "UnitAmount" not in given):
        expected = cents(amount)
    elif amount is not None and cents(amount) != expected:
        found.error(f"The line total {cents(amount)} does not match the expected line total {expected}")
    priced: Record = {"Quantity": quantity, "UnitAmount": unit, "LineAmount": expected}
    return priced | ({"DiscountRate": _places(rate, 4)} if rate else {})


def _tax(given: Record, line: Record, terms: Terms, found: Findings) -> Record:
    """The tax that was sent, else what the rate makes of the line."""
    if terms.amount_types == "NoTax" or "TaxType" not in line:
        return {"TaxAmount": ZERO}
    if "TaxAmount" in given:
        tax = cents(read_number(given["TaxAmount"]))
        if abs(tax) > abs(line["LineAmount"]):
            found.error(TAX_ABOVE_LINE)
        return {"TaxAmount": tax}
    whole = {"Quantity": 1, "UnitAmount": line["LineAmount"], "TaxType": line["TaxType"]}
    return {"TaxAmount": price(whole, terms.amount_types)["TaxAmount"]}


def _places(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
