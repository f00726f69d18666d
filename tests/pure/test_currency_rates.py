"""Currency rates: what is sent of one, and which are the same to Xero, which keeps six decimals."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.documents import priced
from xero.documents.checks import MAX_RATE, in_currency
from xero.documents.declaration import CheckResult, PricedDocument, PricedKind, Record
from xero.documents.registry import KINDS
from xero.sync.push import readback
from xero.sync.push.content.changes import Side, changes
from xero.sync.push.content.content import Base, Digest, of_document, of_record, payload_hash

PRICED = [kind for kind in KINDS.values() if isinstance(kind, PricedKind)]
[BILLS] = (kind for kind in PRICED if kind.name == "bills")
each = pytest.mark.parametrize("kind", PRICED, ids=lambda kind: kind.name)
MILLIONTH = Decimal("0.000001")
RATES = st.decimals("0.0000005", MAX_RATE - 1, places=10)


def document(rate: object, **row: Any) -> PricedDocument:
    made = {
        "id": UUID(int=1), "number": "B-1", "side": "supplier", "contact_xero_id": UUID(int=2), "currency": "USD",
        "line_amount_types": "NoTax", "sub_total": Decimal(0), "total_tax": Decimal(0), "total": Decimal(0),
        "currency_rate": None if rate is None else Decimal(str(rate)), "base_currency": "AUD",
    }  # fmt: skip
    return priced({**made, **row})


def in_xero(kind: PricedKind, rate: object) -> Record:
    there = {**kind.payload(document(1)), "SubTotal": 0, "TotalTax": 0, "Total": 0, "LineItems": []}
    return {**there, "CurrencyRate": rate}


def refused(one: PricedDocument) -> Iterator[CheckResult]:
    return (found for found in in_currency(one) if found.correction)


@each
def test_what_is_sent_is_within_half_a_millionth_and_no_finer(kind: PricedKind) -> None:
    @given(RATES)
    @example(Decimal("0.6543215"))
    @example(Decimal("0.0000005"))
    def compare(rate: Decimal) -> None:
        sent = kind.payload(document(rate))["CurrencyRate"]
        assert abs(Fraction(sent) - Fraction(rate)) <= Fraction(1, 2_000_000)
        assert Fraction(sent) * 1_000_000 % 1 == 0
        assert not [*refused(document(rate))]
        assert "E" not in str(sent)

    compare()


@each
def test_only_a_millionth_is_a_difference(kind: PricedKind) -> None:
    """Noise of a server's floating point is none."""

    @given(RATES, st.integers(-499_999, 499_999), st.integers(1, 10_000) | st.integers(-10_000, -1))
    def compare(rate: Decimal, noise: int, other: int) -> None:
        ours = document(rate)
        sent = kind.payload(ours)["CurrencyRate"]
        for theirs, named in (
            (sent, False),
            (sent + noise * MILLIONTH / 1_000_000, False),
            (str(sent), False),
            (sent + other * MILLIONTH, True),
        ):
            record = in_xero(kind, theirs)
            found = {one.field for one in changes(of_document(kind, ours), of_record(kind, record), None, edited=False)}
            assert ("currency rate" in found) is named, (sent, theirs)
            remarks = [*readback.differences(kind, ours, record)]
            assert any("currency rate" in said for said in remarks) is named, remarks

    compare()


@each
def test_what_has_no_rate_or_is_in_the_own_currency_says_nothing_of_one(kind: PricedKind) -> None:
    without = kind.payload(document(None))
    assert "CurrencyRate" not in without
    for own in (document("0.7", base_currency="USD"), document("-1", base_currency="USD")):
        assert "CurrencyRate" not in kind.payload(own)
        assert not [*refused(own)]
        assert payload_hash(kind, kind.payload(own)) == payload_hash(kind, without)
        theirs = of_record(kind, in_xero(kind, Decimal(3)))
        assert not changes(of_document(kind, own), theirs, None, edited=True)
    unknown = kind.payload(document("0.7", base_currency=None))
    assert unknown["CurrencyRate"] == Decimal("0.7")
    assert payload_hash(kind, unknown) != payload_hash(kind, without)
    assert payload_hash(kind, unknown) == payload_hash(kind, kind.payload(document("0.70000000")))


@pytest.mark.parametrize("theirs", ["1e40", "1e90", "x", "NaN", True, {}, None, ""])
def test_what_xero_calls_a_rate_may_be_anything(theirs: Any) -> None:
    """It is shown as it is, and counts only where QicWorks has one."""
    record = in_xero(BILLS, theirs)
    assert [*readback.differences(BILLS, document("0.7"), record)] == (
        ["currency rate 0.7 in QicWorks, 1E+40 in Xero"] if theirs == "1e40" else []
    )
    there = of_record(BILLS, record)
    for ours, is_named in ((document("0.7"), theirs not in (None, "")), (document(None), False)):
        found = changes(of_document(BILLS, ours), there, None, edited=False)
        assert ("currency rate" in {one.field for one in found}) is is_named


def base(ours: PricedDocument, theirs: Record, *, rate_known: bool) -> Base:
    """What was kept when this was pushed."""
    answered = Digest.of(of_record(BILLS, theirs))
    header = {name: value for name, value in answered.header.items() if rate_known or name != "currency rate"}
    return Base("", Digest.of(of_document(BILLS, ours)), replace(answered, header=header))


@pytest.mark.parametrize(
    ("pushed", "then", "now", "rate_known", "expected"),
    [
        ("0.7", "0.7", "0.7", True, None),
        ("0.7", "0.7", "0.65", True, Side.XERO),
        ("0.7", "0.71", "0.7", True, Side.QICWORKS),
        ("0.7", "0.71", "0.65", True, Side.BOTH),
        (None, None, "0.65", True, None),  # Xero's own
        (None, "0.7", "0.5", True, Side.QICWORKS),
        (None, "0.7", "0.65", True, Side.BOTH),
        (None, "0.7", "0.5", False, Side.QICWORKS),  # pushed before rates were kept
        ("0.7", None, "0.7", True, Side.QICWORKS),  # emptied here, and still there
        ("0.7", None, "0.65", True, None),
    ],
)
def test_who_changed_the_rate(pushed: Any, then: Any, now: str, rate_known: bool, expected: Side | None) -> None:
    before = base(document(pushed), in_xero(BILLS, pushed or "0.5"), rate_known=rate_known)
    found = changes(of_document(BILLS, document(then)), of_record(BILLS, in_xero(BILLS, now)), before, edited=True)
    assert [one.by for one in found if one.field == "currency rate"] == ([expected] if expected else [])


@pytest.mark.parametrize("rate", ["0", "-0.7", "0.0000004", str(MAX_RATE + MILLIONTH), "1e17"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    [found] = refused(document(rate))
    assert "is not one that Xero can have" in found.says


def test_a_currency_that_is_lacking_is_named() -> None:
    [found] = refused(document(None, currency="USD", currency_is_here=False))
    assert found.lacks == "USD"
    assert found.says == "the Xero organisation does not have its currency USD"
    assert found.correction
    assert found.correction.startswith("Add the currency USD in Xero")


@pytest.mark.parametrize("code", ["U", "{x}", "\ufffe", "ＮＺＤ", "NZ", "I12", "FF", "NZDX"])
def test_what_is_no_code_of_a_currency_is_to_be_corrected(code: str) -> None:
    [found] = refused(document(None, currency=code, currency_is_here=False))
    assert found.says == f"its currency {code} is no code of a currency"
    assert (found.lacks, found.then) == (None, "release")
    assert "such as AUD" in found.correction
    assert not [*refused(document(None, currency=code, currency_is_here=None))]
    assert not [*refused(document(None, currency=code, currency_is_here=True))]
