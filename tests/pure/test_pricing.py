"""What priced documents come to, cent by cent, and what each is known by in Xero."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.support.documents import priced, row_of
from xero.documents import pricing
from xero.documents.declaration import Likeness, PricedDocument, PricedLine
from xero.documents.pricing import QICWORKS

ID, CONTACT, ACCOUNT = UUID(int=1), UUID(int=0xABC), UUID(int=0xDEF)


def document(*lines: dict[str, Any], **row: Any) -> PricedDocument:
    made = {
        "id": ID, "contact_xero_id": CONTACT, "issue_date": date(2026, 11, 2), "line_amount_types": "Exclusive",
        "currency": "AUD", "total": Decimal("1.10"),
    }  # fmt: skip
    return priced({**made, **row}, lines)


def line(quantity: str = "1", unit_price: str = "1", tax_rate: str | None = "10", **fields: Any) -> dict[str, Any]:
    made = {
        "description": "Fence", "quantity": Decimal(quantity), "unit_price": Decimal(unit_price),
        "account_xero_id": ACCOUNT, "tax_type": "OUTPUT", "tax_rate": tax_rate and Decimal(tax_rate),
        "tax_amount": None,
        "first_option_xero_id": None, "second_option_xero_id": None,
    }  # fmt: skip
    return {**made, **fields}


@pytest.mark.parametrize(
    ("number", "shown"), [("100.00", "100"), ("1E+3", "1000"), ("0.0000", "0"), ("-2.50", "-2.5"), ("0.0001", "0.0001")]
)
def test_a_number_is_sent_without_zeros_and_never_as_a_power(number: str, shown: str) -> None:
    assert str(pricing.plain(Decimal(number))) == shown


@pytest.mark.parametrize(
    ("amount", "to_the_cent"),
    [("1.005", "1.01"), ("-1.005", "-1.01"), ("1.0049", "1.00"), ("2", "2.00")],
)
def test_half_a_cent_goes_up(amount: str, to_the_cent: str) -> None:
    assert str(pricing.cents(Decimal(amount))) == to_the_cent


def test_the_largest_amounts_that_qicworks_holds_have_cents_too() -> None:
    """Quantities and prices have up to fourteen digits before the point, and four behind it."""
    most = "99999999999999.9999"
    dollars = "12345678901234567890123456789012"
    assert pricing.cents(Decimal(f"{dollars}.345")) == Decimal(f"{dollars}.35")
    assert pricing.line_total(row_of(PricedLine, line(most, most))).as_tuple().exponent == -2
    assert pricing.line_total(row_of(PricedLine, line(most, "-1"))) == Decimal("-100000000000000.00")
    assert pricing.total(document(line(most, most, "99.9999"))).is_finite()


def test_tax_is_rounded_line_by_line_and_only_on_top_of_amounts_without_it() -> None:
    lines = (
        line("1", "0.05"),
        line("1", "0.05"),
        line("3", "33.333", "33.3333"),
        line("1", "7", None),
        line("1", "7", "0"),
    )
    # 0.05 + 0.01, twice; 100.00 + 33.33; 7.00, twice
    assert pricing.total(document(*lines)) == Decimal("147.45")
    assert pricing.total(document(*lines, line_amount_types="Inclusive")) == Decimal("114.10")
    assert pricing.total(document(*lines, line_amount_types="NoTax")) == Decimal("114.10")
    assert str(pricing.total(document())) == "0.00"


def test_the_header_has_the_contact_by_its_id_alone_and_nothing_that_is_not_said() -> None:
    both = line(
        first_option_xero_id=UUID(int=5), first_category_xero_id=UUID(int=6),
        second_option_xero_id=UUID(int=7), second_category_xero_id=UUID(int=8),
    )  # fmt: skip
    two = document(line("2.00", "3.50"), both)
    assert pricing.header(two, purchase=False, Reference="R", DueDate=None, Empty="") == {
        "Reference": "R",
        "Empty": "",
        "Contact": {"ContactID": str(CONTACT)},
        "Date": "2026-11-02",
        "LineAmountTypes": "Exclusive",
        "CurrencyCode": "AUD",
        "Status": "DRAFT",
        "LineItems": [
            {"Description": "Fence", "Quantity": 2, "UnitAmount": Decimal("3.5"), "AccountID": str(ACCOUNT),
             "TaxType": "OUTPUT"},
            {"Description": "Fence", "Quantity": 1, "UnitAmount": 1, "AccountID": str(ACCOUNT), "TaxType": "OUTPUT",
             "Tracking": [
                 {"TrackingCategoryID": str(UUID(int=6)), "TrackingOptionID": str(UUID(int=5))},
                 {"TrackingCategoryID": str(UUID(int=8)), "TrackingOptionID": str(UUID(int=7))},
             ]},
        ],
    }  # fmt: skip
    sent = pricing.header(two, purchase=False)["LineItems"][0]
    assert [str(sent["Quantity"]), str(sent["UnitAmount"])] == ["2", "3.5"], "without zeros at the end"
    assert "Date" not in pricing.header(document(issue_date=None), purchase=False)


def test_the_tax_that_a_rate_makes_of_a_line() -> None:
    for types, price, rate, expected in (
        ("Exclusive", "100", "10", "10.00"), ("Exclusive", "0.05", "10", "0.01"), ("Inclusive", "110", "10", "10.00"),
        ("Inclusive", "100", "15", "13.04"), ("NoTax", "100", "10", "0.00"), ("Exclusive", "100", None, "0.00"),
        ("Inclusive", "100", "0", "0.00"),
    ):  # fmt: skip
        of_a_line = row_of(PricedLine, line("1", price, rate))
        tax = pricing.rate_tax(of_a_line, document(line_amount_types=types).row)
        assert (str(tax), tax) == (expected, Decimal(expected))


def test_a_supplier_s_own_tax_goes_along_where_it_is_not_the_rate_s() -> None:
    for types, tax, sent in (
        ("Exclusive", "0.10", None), ("Exclusive", "0.11", "0.11"), ("Exclusive", "0", "0"), ("Exclusive", None, None),
        ("Inclusive", "0.09", None), ("Inclusive", "0.10", "0.10"), ("NoTax", "0.10", None),
    ):  # fmt: skip
        own = line(tax_amount=tax and Decimal(tax))
        for purchase in (True, False):
            [made] = pricing.header(document(own, line_amount_types=types), purchase=purchase)["LineItems"]
            assert made.get("TaxAmount") == (Decimal(sent) if sent and purchase else None), (types, tax)
            assert "TaxAmount" not in made or made["TaxAmount"] is not None


def test_what_is_sent_of_tax_counts_in_place_of_the_rate_s_and_only_on_top() -> None:
    lines = line("1", "1"), line("1", "2"), line("1", "3")
    assert pricing.total(document(*lines), [None, Decimal("0.5")]) == Decimal("6.90")
    assert pricing.total(document(*lines, line_amount_types="Inclusive"), [Decimal(1)]) == Decimal("6.00")


def test_an_account_without_an_id_is_none() -> None:
    [made] = pricing.header(document(line(account_xero_id=None)), purchase=False)["LineItems"]
    assert made["AccountID"] is None


def test_a_document_s_address_names_it_and_tells_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pricing.address(document(), "bills") == f"{QICWORKS}/bills/{ID}"
    monkeypatch.setenv("QICWORKS_URL", "https://q.example/")
    assert pricing.address(document(), "bills") == f"https://q.example/bills/{ID}"
    for url in (f"https://q.example/bills/{ID}", f" {QICWORKS}/x/{str(ID).upper()} ", f"https://elsewhere/{ID}"):
        assert pricing.addressee({"Url": url}) == ID
    for other in ("https://elsewhere/1", f"https://elsewhere/{ID}/", "", None, 7, [f"https://elsewhere/{ID}"]):
        assert pricing.addressee({"Url": other}) is None
    assert pricing.addressee({}) is None


def test_what_it_is_known_by_and_what_it_should_come_to() -> None:
    payload = {
        "InvoiceNumber": "B-1", "Url": "u", "Date": "2026-11-02", "Contact": {"ContactID": "c"}, "LineItems": [{}],
    }  # fmt: skip
    known = pricing.identity(document(line(), total=Decimal("1.11")), payload, "InvoiceNumber", "Reference")
    assert known == {"InvoiceNumber": "B-1", "Reference": None, "ContactID": "c", "Totals": ["1.10", "1.11"]}
    assert pricing.identity(document(line()), payload)["Totals"] == ["1.10"]
    payload["LineItems"] = [{"TaxAmount": Decimal("0.12")}]
    assert pricing.identity(document(line()), payload)["Totals"] == ["1.10", "1.12"]
    for total, same in ((Decimal("1.1"), True), ("1.11", True), (1.105, True), ("1.12", False), (None, False)):
        assert pricing.same_total(known, {"Total": total}) is same, total
    assert not pricing.same_total(known, {})


def test_the_same_contact_and_the_same_day() -> None:
    known = {"ContactID": "abc"}
    assert pricing.same_contact(known, {"Contact": {"ContactID": " ABC"}})
    for other in ({"ContactID": "abd"}, {}, None, "abc"):
        assert not pricing.same_contact(known, {"Contact": other})
    assert pricing.same_day("2026-11-02", {"Date": "2026-11-02"})
    assert not pricing.same_day("2026-11-02", {"Date": "2026-11-03"})
    assert not pricing.same_day("2026-11-02", {})
    assert pricing.same_day("2026-11-02", {"DueDate": "2026-11-02"}, "DueDate")
    assert pricing.same_text(None, "")
    assert pricing.same_text(" Straße", "STRASSE ")
    assert pricing.same_text(7, "7")
    assert pricing.same_text("7", 7)
    for other in ("a", "none", "None"):
        assert not pricing.same_text(other, None)
        assert not pricing.same_text(None, other)
    assert pricing.iso(None) is None


OTHER_DOCUMENT = f"{QICWORKS}/bills/{UUID(int=2)}"


@pytest.mark.parametrize(
    ("fields", "likeness"),
    [
        ({}, Likeness.SAME),
        ({"Url": f" {QICWORKS.upper()}/BILLS/{ID}"}, Likeness.SAME),
        ({"InvoiceNumber": " b-1 "}, Likeness.SAME),
        ({"Contact": {"ContactID": "x"}}, Likeness.SAME),  # our own address is certain
        ({"InvoiceNumber": None}, Likeness.SAME),
        ({"InvoiceNumber": "B-2"}, Likeness.OTHER),
        ({"InvoiceNumber": None, "Url": None}, Likeness.OTHER),  # nothing says that it is ours
        ({"InvoiceNumber": None, "Url": OTHER_DOCUMENT}, Likeness.OTHER),
        ({"InvoiceNumber": 7, "Url": None}, Likeness.OTHER),
        ({"Type": "ACCREC"}, Likeness.OTHER),
        ({"Url": OTHER_DOCUMENT}, Likeness.ADDRESS_OF_ANOTHER),
        ({"Url": OTHER_DOCUMENT, "Contact": {"ContactID": "x"}}, Likeness.OTHER),
        ({"Url": "https://shop.example/7"}, Likeness.OTHER),
        ({"Url": None}, Likeness.PERHAPS),
        ({"Url": ""}, Likeness.PERHAPS),
        ({"Url": None, "Contact": {"ContactID": "x"}}, Likeness.OTHER),
    ],
)
def test_what_an_invoice_of_xero_is_to_ours(fields: dict[str, Any], likeness: Likeness) -> None:
    record = {
        "Type": "ACCPAY", "InvoiceNumber": "B-1", "Url": f"{QICWORKS}/bills/{ID}", "Contact": {"ContactID": "c"},
    }  # fmt: skip
    known = {"InvoiceNumber": "B-1", "Url": f"{QICWORKS}/bills/{ID}", "ContactID": "c"}
    assert pricing.of_invoices("ACCPAY")(known, {**record, **fields}) is likeness


def test_numbers_are_asked_for_once_each_and_one_with_a_comma_by_itself() -> None:
    known = [{"InvoiceNumber": number} for number in ("B-1", "B,2", "B-1", "B-3", "B,2")]
    assert list(pricing.by_numbers(known)) == [
        {"InvoiceNumbers": "B-1,B-3"},
        {"where": 'InvoiceNumber=="B,2"'},
    ]
    assert list(pricing.by_numbers([])) == []
    assert list(pricing.where_numbers("N", ['a"b', "c\\d", 'a"b'])) == [{"where": r'N=="a\"b" OR N=="c\\d"'}]


def test_as_many_numbers_to_a_query_as_fit_into_an_address() -> None:
    """Forty characters more for each, as they travel: a blank is three."""
    assert list(pricing.in_parts(["a" * 10, "b" * 10], longest=100)) == [["a" * 10, "b" * 10]]
    assert list(pricing.in_parts(["a" * 10, "b" * 10], longest=99)) == [["a" * 10], ["b" * 10]]
    assert list(pricing.in_parts([" " * 10, "b" * 10], longest=119)) == [[" " * 10], ["b" * 10]]
    assert list(pricing.in_parts([" " * 10, "b" * 10], longest=120)) == [[" " * 10, "b" * 10]]
    three = ["a" * 10, "b" * 10, "c" * 10]
    assert list(pricing.in_parts(three, longest=100)) == [three[:2], three[2:]]
    assert list(pricing.in_parts([*three, "d" * 11], longest=100)) == [three[:2], three[2:], ["d" * 11]]
    assert list(pricing.in_parts(["a" * 500], longest=100)) == [["a" * 500]]
    assert list(pricing.in_parts([])) == []
    usual = list(pricing.in_parts([f"{number:010}" for number in range(90)]))
    assert [len(part) for part in usual] == [40, 40, 10]
    over_by_one = list(pricing.in_parts([*(f"{number:010}" for number in range(39)), "x" * 11]))
    assert [len(part) for part in over_by_one] == [39, 1]


def test_the_days_of_some_documents() -> None:
    some = [{"Date": "2026-11-02"}, {"Date": "2026-10-30"}, {"Date": "2026-11-01"}]
    assert pricing.days(some) == (date(2026, 10, 30), date(2026, 11, 2))
