"""Each line's tax that was overridden in Xero is seen, and is sent as it is once QicWorks has taken it over."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.documents import priced
from xero.documents import pricing
from xero.documents.checks import taxed_by_rate
from xero.documents.declaration import PricedDocument, PricedKind
from xero.documents.registry import KINDS
from xero.sync.push.content.changes import Side
from xero.sync.push.content.content import of_document
from xero.sync.push.content.judging import base_of, differing, pushed

CONTACT = UUID(int=0xABC)
PRICED = {name: kind for name, kind in KINDS.items() if isinstance(kind, PricedKind)}
MONEY = st.decimals("0", "900", places=2)
LINES = st.lists(
    st.tuples(st.decimals("0", "9", places=2), MONEY, st.sampled_from(["0", "10", "12.5"]), st.none() | MONEY),
    min_size=1,
    max_size=4,
)
TYPES = st.sampled_from(["Exclusive", "Inclusive", "NoTax"])


def document(lines: list[Any], types: str, side: str, *, taken: bool) -> PricedDocument:
    """With the tax of Xero's, where it was taken over."""
    row = {
        "id": UUID(int=1),
        "number": "N-1",
        "contact_xero_id": CONTACT,
        "issue_date": date(2026, 11, 2),
        "line_amount_types": types,
        "currency": "AUD",
        "side": side,
    }
    made = [
        {
            "description": "Fence",
            "quantity": quantity,
            "unit_price": price,
            "account_xero_id": UUID(int=2),
            "tax_type": "OUTPUT",
            "tax_rate": Decimal(rate),
            "tax_amount": tax if taken else None,
            "tax_is_xeros": taken and tax is not None,
            "xero_line_id": UUID(int=10 + place),
            "first_option_xero_id": None,
            "second_option_xero_id": None,
        }
        for place, (quantity, price, rate, tax) in enumerate(lines)
    ]
    one = priced(row, made)
    sent = [pricing.own_tax(line, one.row) for line in one.lines]
    names = ("sub_total", "total_tax", "total")
    return priced({**row, **dict(zip(names, pricing.totals(one, sent), strict=True))}, made)


def record(kind: PricedKind, of: PricedDocument, taxes: list[Decimal]) -> dict[str, Any]:
    """As Xero has it, with that tax on each line."""
    made = {**kind.payload(of), "Status": "DRAFT", kind.number: of.number}
    net, tax, total = pricing.totals(of, taxes)
    lines = [
        {**line, "LineItemID": str(ours.xero_line_id), "TaxAmount": tax, "Tracking": []}
        for line, ours, tax in zip(made["LineItems"], of.lines, taxes, strict=True)
    ]
    return {**made, "SubTotal": net, "TotalTax": tax, "Total": total, "LineItems": lines}


@given(kind=st.sampled_from(sorted(PRICED)), lines=LINES, types=TYPES, side=st.sampled_from(["customer", "supplier"]))
def test_it_is_seen_line_by_line_and_then_sent(kind: str, lines: list[Any], types: str, side: str) -> None:
    of = PRICED[kind]
    before, after = (document(lines, types, side, taken=taken) for taken in (False, True))
    rates = [pricing.rate_tax(line, before.row) for line in before.lines]
    overridden = [
        rate if tax is None or types == "NoTax" else tax for (*_, tax), rate in zip(lines, rates, strict=True)
    ]
    base = base_of(pushed(of, of_document(of, before), of.payload(before), record(of, before, rates)))
    there = record(of, before, overridden)
    found = {one.field for one in differing(of, before, there, base, edited=False) if one.of_line}
    assert found == {
        f"line {place} tax" for place, (rate, tax) in enumerate(zip(rates, overridden, strict=True), 1) if rate != tax
    }
    assert all(one.by == Side.XERO for one in differing(of, before, there, base, edited=False))
    sent = [line.get("TaxAmount") for line in of.payload(after)["LineItems"]]
    assert sent == [None if rate == tax else tax for rate, tax in zip(rates, overridden, strict=True)]
    assert differing(of, after, there, base, edited=True) == []


@pytest.mark.parametrize("is_xeros", [True, False])
@pytest.mark.parametrize(
    ("kind", "side", "is_sent"),
    [
        ("invoices", "customer", False),
        ("credit_notes", "customer", False),
        ("credit_notes", "supplier", True),
        ("bills", "supplier", True),
        ("expenses", "supplier", True),
        ("purchase_orders", "supplier", True),
    ],
)
def test_of_a_sale_only_what_was_taken_over_is_sent(kind: str, side: str, is_sent: bool, is_xeros: bool) -> None:
    one = document([(Decimal(1), Decimal(100), "10", Decimal(7))], "Exclusive", side, taken=True)
    [line] = one.lines
    made = replace(one, lines=(replace(line, tax_is_xeros=is_xeros),))
    [sent] = PRICED[kind].payload(made)["LineItems"]
    assert sent.get("TaxAmount") == (7 if is_sent or is_xeros else None)
    assert bool([*taxed_by_rate(made)]) is not is_xeros
