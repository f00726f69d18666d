"""Currencies: their names, and what one unit of the organisation's own currency is worth in each of them today."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from xero_sandbox.clock import DATA_UNTIL_MS
from xero_sandbox.data.firms import Books

BASE = "AUD"
#: code → name, rate of the day
CURRENCIES = {
    BASE: ("Australian Dollar", Decimal("1")),
    "EUR": ("Euro", Decimal("0.561234")),
    "GBP": ("British Pound", Decimal("0.489012")),
    "IDR": ("Indonesian Rupiah", Decimal("10893.250000")),
    "NZD": ("New Zealand Dollar", Decimal("1.134567")),
    "USD": ("United States Dollar", Decimal("0.654321")),
}
OF_ANY_OTHER = Decimal("2.5")
SIX_PLACES = Decimal("0.000001")


def currencies(books: Books) -> Iterator[tuple[int, dict[str, Any]]]:
    """The organisation's own, and those of a firm with multiple currencies."""
    for code in sorted({BASE, *books.firm.currencies}):
        yield DATA_UNTIL_MS, {"Code": code, "Description": CURRENCIES[code][0]}


def rate_of_the_day(code: str, base: object) -> Decimal:
    """As XE.com would have it: of the organisation's own currency always one."""
    return Decimal(1) if code == base else CURRENCIES.get(code, ("", OF_ANY_OTHER))[1]


def rounded(rate: Decimal) -> Decimal:
    """A rate has six decimals."""
    return rate.quantize(SIX_PLACES)
