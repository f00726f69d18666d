"""What a bookkeeper changes on a document in Xero itself, and what is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.support.in_xero import KEYS, PLURALS, InXero
from tests.support.sandbox import Sandbox

ALLOCATED = "This document cannot be edited as it has a payment or credit note allocated to it."


@pytest.fixture
def xero(sandbox: Sandbox) -> InXero:
    sandbox.settings(limits=False)
    return InXero(sandbox)


def other_contact(xero: InXero, document: dict[str, Any]) -> dict[str, Any]:
    return next(
        row
        for row in xero.sandbox.truth("Contacts")
        if row["ContactStatus"] == "ACTIVE" and row["ContactID"] != document["Contact"]["ContactID"]
    )


def adds_up(document: dict[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    """The sums of a document, which are those of its lines and, of an invoice, what is due."""
    lines, tax, total = (
        sum((exact(line["LineAmount"]) for line in document["LineItems"]), Decimal(0)),
        sum((exact(line["TaxAmount"]) for line in document["LineItems"]), Decimal(0)),
        exact(document["Total"]),
    )
    assert exact(document["TotalTax"]) == tax
    assert exact(document["SubTotal"]) + tax == total
    assert total == (lines if document["LineAmountTypes"] == "Inclusive" else lines + tax)
    if "AmountDue" in document:
        assert exact(document["AmountDue"]) == total - exact(document["AmountPaid"])
    return exact(document["SubTotal"]), tax, total


def exact(number: Any) -> Decimal:
    return Decimal(str(number))


def test_the_head_of_an_invoice_and_nothing_else(xero: InXero) -> None:
    before = xero.make("Invoices", Type="ACCREC", InvoiceNumber="E-1", Reference="Job 1", Status="AUTHORISED",
                       LineItems=[{"Description": "Work", "UnitAmount": 100, "AccountCode": "200"}])  # fmt: skip
    contact = other_contact(xero, before)
    fields = {
        "InvoiceNumber": "E-1a",
        "Reference": "Job 2",
        "Contact": {"ContactID": contact["ContactID"]},
        "Date": "2026-10-15",
        "DueDate": "2026-12-24",
        "Url": "https://qicworks.example/1",
        "CurrencyCode": "nzd",
    }
    after = xero.edit(fields, invoice=before["InvoiceID"])
    assert after["UpdatedDateUTC"] > before["UpdatedDateUTC"]
    shown = {"DateString": "2026-10-15T00:00:00", "DueDateString": "2026-12-24T00:00:00", "CurrencyCode": "NZD"}
    expected = {**fields, **shown, "Contact": {"ContactID": contact["ContactID"], "Name": contact["Name"]}}
    changed = {*expected, "CurrencyRate", "Date", "DueDate", "UpdatedDateUTC", "UpdatedDateUTCString"}
    assert {name: after[name] for name in ("InvoiceNumber", "Reference", "Url", *shown)} == {
        name: expected[name] for name in ("InvoiceNumber", "Reference", "Url", *shown)
    }
    assert {name: after["Contact"][name] for name in expected["Contact"]} == expected["Contact"]
    unlike = {name for name in after if name in before and after[name] != before[name]}
    assert unlike <= changed
    assert adds_up(after) == (100, 10, 110)
    second = datetime.fromtimestamp(int(after["UpdatedDateUTC"][6:-7]) // 1000, UTC)
    since = xero.sandbox.get("Invoices", since=second.strftime("%Y-%m-%dT%H:%M:%S"), page=1)
    assert after["InvoiceID"] in [row["InvoiceID"] for row in since.json()["Invoices"]]
    back = xero.edit({"CurrencyCode": "AUD", "Reference": None, "Url": ""}, invoice=before["InvoiceID"])
    assert (back["CurrencyCode"], back["CurrencyRate"], back["Reference"], "Url" in back) == ("AUD", 1, "", False)
    rated = xero.edit({"CurrencyCode": "USD", "CurrencyRate": "0.654321"}, invoice=before["InvoiceID"])
    assert (rated["CurrencyCode"], rated["CurrencyRate"]) == ("USD", 0.654321)
    rates = [xero.edit({"CurrencyCode": code}, invoice=before["InvoiceID"])["CurrencyRate"] for code in ("USD", "NZD")]
    assert rates == [0.654321, 1.134567]
    for code, rate in (("NZD", 1.134567), ("AUD", 1)):  # its own, and the organisation's; no other
        (sent,) = xero.call("POST", "Invoices", [{"InvoiceID": before["InvoiceID"], "CurrencyCode": code}]).json()[
            "Invoices"
        ]
        assert (sent["CurrencyCode"], sent["CurrencyRate"]) == (code, rate)
    assert xero.call("POST", "Invoices", [{"InvoiceID": before["InvoiceID"], "CurrencyCode": "NZD"}]).status_code == 400


def test_a_draft_loses_its_due_date_and_an_order_gets_another_address(xero: InXero) -> None:
    bill = xero.make("Invoices", Type="ACCPAY", InvoiceNumber="S-77")
    emptied = xero.edit({"DueDate": "", "InvoiceNumber": "S-78"}, invoice=bill["InvoiceID"])
    assert (emptied.get("DueDate"), emptied.get("DueDateString"), emptied["InvoiceNumber"]) == (None, None, "S-78")
    order = xero.make("PurchaseOrders", Status="AUTHORISED")
    delivery = {
        "DeliveryAddress": "2 Wharf Rd",
        "AttentionTo": "Mai",
        "Telephone": "02 5550 1234",
        "DeliveryInstructions": "Ring twice",
        "PurchaseOrderNumber": "PO-77",
        "Reference": "Job 3",
    }
    after = xero.edit({**delivery, "DeliveryDate": "2026-12-02"}, purchase_order=order["PurchaseOrderID"])
    assert {name: after[name] for name in delivery} == delivery
    assert (after["DeliveryDate"], after["Status"]) == ("/Date(1796169600000+0000)/", "AUTHORISED")
    credit = xero.make("CreditNotes", Type="ACCPAYCREDIT")
    noted = xero.edit({"CreditNoteNumber": "C-9", "Date": "2026-11-03"}, credit=credit["CreditNoteID"])
    assert (noted["CreditNoteNumber"], noted["DateString"]) == ("C-9", "2026-11-03T00:00:00")


def test_an_invoice_that_was_put_there_without_lists_of_payments(xero: InXero) -> None:
    record = {name: value for name, value in xero.sandbox.truth("Invoices")[0].items() if not isinstance(value, list)}
    lines = [{"LineItemID": "1" * 36, "Description": "Pipe", "Quantity": 1, "UnitAmount": 7, "LineAmount": 7}]
    bare = {**record, "InvoiceID": "2" * 36, "Status": "DRAFT", "LineItems": lines, "LineAmountTypes": "NoTax"}
    xero.sandbox.control("POST", f"organisations/{xero.sandbox.tenant()}/Invoices", bare)
    assert xero.edit({"DueDate": "2027-01-01"}, invoice="2" * 36)["AmountDue"] == 7


@pytest.mark.parametrize("name", ["invoice", "credit", "purchase_order"])
def test_lines_change_come_go_and_move(xero: InXero, name: str) -> None:
    plural = PLURALS[name]
    kind = {"invoice": {"Type": "ACCPAY"}, "credit": {"Type": "ACCPAYCREDIT"}, "purchase_order": {}}[name]
    three = [{"Description": text, "UnitAmount": 10, "AccountCode": "310"} for text in ("one", "two", "three")]
    before = xero.make(plural, LineItems=three, Status="AUTHORISED", **kind)
    first, second, third = before["LineItems"]
    accounts = xero.sandbox.truth("Accounts")
    other = next(row for row in accounts if row.get("Code") == "404")
    tracking = [{"Name": "Region", "Option": "North"}]

    def lines(*wanted: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
        after = xero.edit({"LineItems": list(wanted), **fields}, **{name: before[KEYS[plural]]})
        adds_up(after)
        return list(after["LineItems"])

    def same(line: dict[str, Any], **changes: Any) -> dict[str, Any]:
        return {"LineItemID": line["LineItemID"], **changes}

    moved = lines(same(third), same(first), same(second))
    assert moved == [third, first, second]
    new = {"Description": "four", "Quantity": 3, "UnitAmount": "0.3333", "AccountCode": "310", "Tracking": tracking}
    gone, kept, added = lines(same(second, Quantity="1.5"), same(first), new)
    assert (gone["Quantity"], gone["LineAmount"], gone["TaxAmount"]) == (1.5, 15, 1.5)
    assert kept == first
    assert (added["UnitAmount"], added["LineAmount"], added["Tracking"][0]["Option"]) == (0.3333, 1, "North")
    changed, *_ = lines(same(first, UnitAmount=20, Description="uno", AccountID=other["AccountID"], Tracking=tracking))
    assert (changed["LineItemID"], changed["Description"]) == (first["LineItemID"], "uno")
    assert (changed["AccountCode"], changed["LineAmount"], changed["TaxAmount"]) == ("404", 20, 2)
    assert changed["Tracking"][0]["Option"] == "North"
    (free,) = lines(same(first, TaxType="EXEMPTEXPENSES", AccountCode="310"))
    assert (free["TaxType"], free["TaxAmount"], free["AccountCode"]) == ("EXEMPTEXPENSES", 0, "310")
    (taxed,) = lines(same(first, TaxType="INPUT", TaxAmount="1.23"))
    assert taxed["TaxAmount"] == 1.23
    (renamed,) = lines(same(first, Description="eins"))
    assert renamed == {**taxed, "Description": "eins"}
    (inclusive,) = lines(same(first), LineAmountTypes="Inclusive")
    assert (inclusive["LineAmount"], inclusive["TaxAmount"]) == (20, 1.82)


def test_a_line_amount_that_its_price_does_not_give_stays_with_the_line(xero: InXero) -> None:
    line = {"Description": "Bolts", "Quantity": 3000, "LineAmount": 100, "AccountCode": "310"}
    bill = xero.make("Invoices", Type="ACCPAY", LineItems=[line])
    key, item = bill["InvoiceID"], bill["LineItems"][0]["LineItemID"]
    after = xero.edit(
        {"LineItems": [{"LineItemID": item, "Description": "Nuts"}], "DueDate": "2027-02-01"}, invoice=key
    )
    assert adds_up(after) == (100, 10, 110)
    (sent,) = xero.call("POST", "Invoices", [{"InvoiceID": key, "LineItems": [{"LineItemID": item}]}], unitdp=4).json()[
        "Invoices"
    ]
    assert sent["SubTotal"] == 99.9  # through the API it is priced again
    priced = xero.edit({"LineItems": [{"LineItemID": item, "Quantity": 3001}]}, invoice=key)
    assert priced["SubTotal"] == 99.93


def test_what_was_paid_keeps_its_amounts(xero: InXero) -> None:
    bill = xero.make("Invoices", Type="ACCPAY", Status="AUTHORISED", InvoiceNumber="B-1")
    key, item = bill["InvoiceID"], bill["LineItems"][0]["LineItemID"]
    xero.act("pay", invoice=key, amount=60)
    cheaper = {"LineItems": [{"LineItemID": item, "UnitAmount": 20}]}  # below what is paid
    for fields in (cheaper, {"LineItems": [{"LineItemID": item, "TaxAmount": 1}]}, {"LineAmountTypes": "NoTax"}):
        assert xero.refused("edit", invoice=key, fields=fields) == ALLOCATED
    assert xero.refused("edit", invoice=key, fields={"CurrencyCode": "USD"}) == ALLOCATED
    assert "Date cannot be changed on an invoice" in xero.refused("edit", invoice=key, fields={"Date": "2026-11-02"})
    fields = {"InvoiceNumber": "B-2", "LineItems": [{"LineItemID": item, "Description": "Tube", "AccountCode": "404"}]}
    part = xero.edit(fields, invoice=key)
    assert (part["InvoiceNumber"], part["AmountPaid"], part["AmountDue"]) == ("B-2", 60, 50)
    assert (part["LineItems"][0]["Description"], part["LineItems"][0]["AccountCode"]) == ("Tube", "404")
    xero.act("pay", invoice=key)
    paid = xero.edit({"DueDate": "2027-03-01"}, invoice=key)
    assert (paid["Status"], paid["AmountDue"], paid["FullyPaidOnDate"] is None) == ("PAID", 0, False)
    assert xero.refused("edit", invoice=key, fields=cheaper) == ALLOCATED


def test_what_is_refused_and_changes_nothing(xero: InXero) -> None:
    bill = xero.make("Invoices", Type="ACCPAY", Status="AUTHORISED")
    sale = xero.make("Invoices", Type="ACCREC", InvoiceNumber="R-1", LineItems=[])
    xero.make("Invoices", Type="ACCREC", InvoiceNumber="R-2", LineItems=[])
    item = bill["LineItems"][0]["LineItemID"]
    archived = next(row for row in xero.sandbox.truth("Contacts") if row["ContactStatus"] == "ARCHIVED")
    truth = xero.sandbox.truth("Invoices")
    for fields, words in (
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"LineItems": [{"LineItemID": item, "Quantity": -1}]}, "Quantity must not be less than zero"),
        ({"LineItems": [{"LineItemID": item, "UnitAmount": -1}]}, "must be greater than or equal to zero"),
        ({"LineItems": [{"LineItemID": item, "TaxAmount": 101}]}, "tax amount cannot be greater"),
        ({"LineItems": [{"LineItemID": item, "AccountCode": "999"}]}, "'999' is not a valid code"),
        ({"LineItems": [{"LineItemID": item, "TaxType": "OUTPUT"}]}, "The TaxType code 'OUTPUT' cannot be used"),
        ({"LineItems": [{"LineItemID": item, "UnitAmount": "x"}]}, "Could not convert string to decimal: x"),
        ({"Contact": {"ContactID": archived["ContactID"]}}, "has been archived"),
        ({"Date": "2025-01-01"}, "before the end of year lock date"),
        ({"DueDate": "soon"}, "Could not convert string to DateTime: soon"),
        ({"CurrencyCode": "dollars"}, "DOLLARS is not a currency"),
        ({"Reference": "Job 1"}, "Reference of this document cannot be edited"),
        ({"Status": "VOIDED", "Total": 5}, "Status, Total of this document cannot be edited"),
        ({}, "fields must be an object"),
    ):
        assert words in xero.refused("edit", invoice=bill["InvoiceID"], fields=fields), fields
    assert xero.refused("edit", invoice=sale["InvoiceID"], fields={"InvoiceNumber": "R-2"}) == (
        "Invoice # must be unique."
    )
    lost = {"LineItems": [{"Description": "?", "AccountCode": "999"}]}
    assert "does not match a recognised account" in xero.refused("edit", invoice=sale["InvoiceID"], fields=lost)
    assert xero.sandbox.truth("Invoices") == truth
    for name, act, noun in (
        ("invoice", "void", "Invoice"),
        ("credit", "void", "Credit note"),
        ("purchase_order", "delete", "Document"),
    ):
        plural = PLURALS[name]
        kind = {"Invoices": {"Type": "ACCPAY"}, "CreditNotes": {"Type": "ACCPAYCREDIT"}}.get(plural, {})
        over = {name: xero.make(plural, Status="AUTHORISED", **kind)[KEYS[plural]]}
        xero.act(act, **over)
        words = xero.refused("edit", fields={"Date": "2026-11-02"}, **over)
        assert words == f"{noun} not of valid status for modification"
