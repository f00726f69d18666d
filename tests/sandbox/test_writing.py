"""Documents written through the API: what Xero's own library gets back, and what is refused in which words."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from xero_python.accounting import (
    AccountingApi,
    Contact,
    CreditNote,
    CreditNotes,
    HistoryRecord,
    HistoryRecords,
    Invoice,
    Invoices,
    LineAmountTypes,
    LineItem,
    PurchaseOrder,
    PurchaseOrders,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

NO_ID = "00000000-0000-0000-0000-000000000000"


class Writer:
    """Writes to the sandbox's first organisation, for its first ordinary contact."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        sandbox.settings(limits=False)
        contacts = sandbox.truth("Contacts")
        self.contact = next(row for row in contacts if row["ContactStatus"] == "ACTIVE" and row["EmailAddress"])
        self.archived = next(row for row in contacts if row["ContactStatus"] == "ARCHIVED")

    def call(self, method: str, path: str, body: Any = None, key: str = "", tenant: int = 0, **params: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.sandbox.token}", "xero-tenant-id": self.sandbox.tenant(tenant)}
        headers |= {"Idempotency-Key": key} if key else {}
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        url = f"{self.sandbox.url}/api.xro/2.0/{path}"
        return self.sandbox.session.request(method, url, headers=headers, params=params, **sent)

    def put(self, plural: str, *elements: Any, **how: Any) -> Any:
        answer = self.call("PUT", plural, {plural: elements}, **how)
        assert answer.status_code == 200, answer.text
        return answer.json()[plural]

    def each(self, method: str, plural: str, *elements: Any, **how: Any) -> Any:
        answer = self.call(method, plural, list(elements), summarizeErrors="false", **how)
        assert answer.status_code == 200, answer.text
        return answer.json()[plural]

    def sale(self, **fields: Any) -> dict[str, Any]:
        lines = [{"Description": "Labour", "Quantity": 2, "UnitAmount": 50, "AccountCode": "200"}]
        who = {"ContactID": self.contact["ContactID"]}
        return {"Type": "ACCREC", "Contact": who, "DueDate": "2027-01-31", "LineItems": lines, **fields}

    def cost(self, **fields: Any) -> dict[str, Any]:
        return self.sale(LineItems=[{"Description": "Pipe", "UnitAmount": 10, "AccountCode": "310"}], **fields)

    def keep(self, do: str, **order: Any) -> Any:
        return self.sandbox.control("POST", f"organisations/{self.sandbox.tenant()}/bookkeeping", {"do": do, **order})


@pytest.fixture
def writer(sandbox: Any) -> Writer:
    return Writer(sandbox)


@pytest.fixture
def accounting(sandbox: Any) -> AccountingApi:
    token = {"access_token": sandbox.token, "expires_in": 1800, "token_type": "Bearer", "scope": []}
    client = ApiClient(
        Configuration(oauth2_token=OAuth2Token(client_id="demo-client", client_secret="-")),
        oauth2_token_getter=lambda: {**token, "refresh_token": "-"},
        oauth2_token_saver=lambda _: None,
    )
    return AccountingApi(client, base_url=f"{sandbox.url}/api.xro/2.0")


def messages(element: dict[str, Any], name: str = "ValidationErrors") -> list[str]:
    return [one["Message"] for one in element.get(name, ())]


def line(**fields: Any) -> dict[str, Any]:
    return {"Description": "Labour", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200", **fields}


def test_all_four_documents_through_xeros_own_library(writer: Writer, accounting: AccountingApi) -> None:
    tenant, contact = writer.sandbox.tenant(), Contact(contact_id=writer.contact["ContactID"])
    sold = LineItem(description="Labour", quantity=3, unit_amount=Decimal("33.3333"), account_code="200")
    bought = LineItem(description="Pipe", quantity=2, unit_amount=Decimal("110"), account_code="310", tax_type="INPUT")
    common = {"contact": contact, "date": date(2026, 11, 2), "due_date": date(2026, 12, 2)}
    invoice = Invoice(type="ACCREC", line_items=[sold], invoice_number="QW-1", reference="Job 7", **common)
    bill = Invoice(type="ACCPAY", line_items=[bought], line_amount_types=LineAmountTypes.INCLUSIVE, **common)
    made, billed = accounting.create_invoices(tenant, Invoices(invoices=[invoice, bill]), unitdp=4).invoices
    assert (made.invoice_number, made.status, made.reference, made.status_attribute_string) == (
        *("QW-1", "DRAFT", "Job 7"),
        "OK",
    )
    assert (made.sub_total, made.total_tax, made.total, made.amount_due) == tuple(
        map(Decimal, ("100", "10", "110", "110"))
    )
    assert (made.line_items[0].unit_amount, made.line_items[0].tax_type) == (Decimal("33.3333"), "OUTPUT")
    assert made.contact.email_address == writer.contact["EmailAddress"]
    assert (billed.sub_total, billed.total_tax, billed.total) == (Decimal("200"), Decimal("20"), Decimal("220"))
    assert accounting.get_invoice(tenant, made.invoice_id, unitdp=4).invoices[0].line_items == made.line_items
    bad = Invoice(type="ACCREC", line_items=[LineItem(description="x", quantity=-1, unit_amount=1)], **common)
    batch = Invoices(invoices=[invoice, bad, bill])
    changed, wrong, fine = accounting.update_or_create_invoices(tenant, batch, summarize_errors=False).invoices
    assert (changed.invoice_id, changed.status_attribute_string, changed.total) == (
        made.invoice_id,
        "OK",
        Decimal("109.99"),
    )
    assert (wrong.invoice_id, wrong.has_errors, wrong.status_attribute_string) == (NO_ID, True, "ERROR")
    assert wrong.validation_errors[0].message.startswith("The quantity value '-1' is invalid.")
    assert fine.invoice_id not in (NO_ID, billed.invoice_id)
    order = PurchaseOrder(contact=contact, line_items=[bought], date=date(2026, 11, 2))
    (ordered,) = accounting.create_purchase_orders(tenant, PurchaseOrders(purchase_orders=[order])).purchase_orders
    number = ordered.purchase_order_number
    assert (ordered.status, ordered.total, number.startswith("PO-")) == ("DRAFT", Decimal("242"), True)
    (again,) = accounting.get_purchase_order_by_number(tenant, number).purchase_orders
    assert again.purchase_order_id == ordered.purchase_order_id
    note = CreditNote(type="ACCRECCREDIT", contact=contact, line_items=[sold], date=date(2026, 11, 2))
    (credited,) = accounting.update_or_create_credit_notes(tenant, CreditNotes(credit_notes=[note])).credit_notes
    assert (credited.status, credited.remaining_credit) == ("DRAFT", Decimal("109.99"))  # 3 x 33.33 without unitdp=4
    notes = HistoryRecords(history_records=[HistoryRecord(details="Pushed from QicWorks")])
    accounting.create_invoice_history(tenant, made.invoice_id, notes)
    assert accounting.get_invoice_history(tenant, made.invoice_id).history_records[0].details == "Pushed from QicWorks"
    assert writer.call("PUT", f"Invoices/{made.invoice_id}/History", [{"Details": "x" * 2501}]).status_code == 400


def test_a_batch_with_a_bad_line_is_saved_whole_or_each_for_itself(writer: Writer) -> None:
    good, bad = writer.sale(InvoiceNumber="B-1"), writer.sale(LineItems=[line(Quantity=-1)], Contact={"Name": "Nobody"})
    batch = [good, bad, writer.sale(Contact={"Name": "Newcomer"}, LineItems=[line(AccountCode="999")])]
    before = [writer.sandbox.truth(plural) for plural in ("Invoices", "Contacts")]
    refused = writer.call("PUT", "Invoices", batch)
    assert (refused.status_code, refused.json()["ErrorNumber"]) == (400, 10)
    assert [element["InvoiceID"] for element in refused.json()["Elements"]] == [NO_ID]
    assert [writer.sandbox.truth(plural) for plural in ("Invoices", "Contacts")] == before
    first, second, third = writer.each("PUT", "Invoices", *batch)
    assert [one["StatusAttributeString"] for one in (first, second, third)] == ["OK", "ERROR", "WARNING"]
    assert [one["HasErrors"] for one in (first, second, third)] == [False, True, False]
    assert messages(third, "Warnings") == [
        "Account code '999' has been removed as it does not match a recognised account"
    ]
    assert "AccountCode" not in third["LineItems"][0]
    names = {row["Name"] for row in writer.sandbox.truth("Contacts")}
    assert ("Newcomer" in names, "Nobody" in names) == (True, False)
    assert len(writer.sandbox.truth("Invoices")) == len(before[0]) + 2
    writer.sandbox.settings(element_order="reversed", urls_kept=False)
    swapped = writer.each("PUT", "Invoices", bad, writer.sale(InvoiceNumber="B-2", Url="https://qicworks.example/2"))
    assert [one["StatusAttributeString"] for one in swapped] == ["OK", "ERROR"]
    assert "Url" not in swapped[0]
    writer.sandbox.settings(element_order="errors_last")
    assert [one["HasErrors"] for one in writer.each("PUT", "Invoices", bad, writer.sale(), bad)] == [False, True, True]


#: What is sent, changed from an ordinary invoice or (Type ACCPAY…) bill, by Xero's words for it.
REFUSED: dict[str, Callable[[Writer], dict[str, Any]]] = {
    "A Contact must be specified for this type of transaction": lambda w: w.sale(Contact=None),
    "The Contact must contain at least 1 of": lambda w: w.sale(Contact={}),
    "The Contact with the specified contact details could not be found": lambda w: w.sale(Contact={"ContactID": "x"}),
    "The contact with the specified contact details has been archived.": lambda w: w.sale(
        Contact={"ContactID": w.archived["ContactID"]}
    ),
    "Email address must be valid.": lambda w: w.sale(Contact={"Name": "A", "EmailAddress": "müller@example"}),
    "is already assigned to another contact": lambda w: w.sale(
        Contact={
            "ContactID": w.contact["ContactID"],
            "Name": next(
                row["Name"]
                for row in w.sandbox.truth("Contacts")
                if row["ContactStatus"] == "ACTIVE" and row["ContactID"] != w.contact["ContactID"]
            ),
        }
    ),
    "Account code '999' is not a valid code for this document.": lambda w: w.sale(
        Status="SUBMITTED", LineItems=[line(AccountCode="999")]
    ),
    "Account code '610' is not a valid code for this document.": lambda w: w.sale(LineItems=[line(AccountCode="610")]),
    "Account code '091' is not a valid code for this document.": lambda w: w.sale(LineItems=[line(AccountCode="091")]),
    "Account code '290' has been archived, or has been deleted.": lambda w: w.sale(LineItems=[line(AccountCode="290")]),
    "Account code must be specified": lambda w: w.sale(Status="AUTHORISED", LineItems=[line(AccountCode=None)]),
    "The TaxType code GST on Income does not exist or cannot be used": lambda w: w.sale(
        LineItems=[line(TaxType="GST on Income")]
    ),
    "The TaxType code TAX003 does not exist or cannot be used": lambda w: w.sale(LineItems=[line(TaxType="TAX003")]),
    "The TaxType code 'OUTPUT' cannot be used with account code '310'.": lambda w: (
        w.cost(Type="ACCPAY") | {"LineItems": [line(AccountCode="310", TaxType="OUTPUT")]}
    ),
    "The line total 66.67 does not match the expected line total 66.66": lambda w: w.sale(
        LineItems=[line(Quantity=2, UnitAmount="33.3333", LineAmount="66.67")]
    ),
    "The quantity value '-1.5' is invalid. Quantity must not be less than zero.": lambda w: w.sale(
        LineItems=[line(Quantity=-1.5), line(UnitAmount=20)]
    ),
    "The Total for this document must be greater than or equal to zero.": lambda w: w.sale(
        LineItems=[line(UnitAmount=-1)]
    ),
    "The tax amount cannot be greater than the line amount!": lambda w: w.sale(LineItems=[line(TaxAmount=11)]),
    "The UnitAmount should be used when specifying a discount": lambda w: w.sale(
        LineItems=[line(UnitAmount=None, LineAmount=10, DiscountRate=5)]
    ),
    "The description field is mandatory for each line item": lambda w: w.sale(
        Status="SUBMITTED", LineItems=[line(Description=" ")]
    ),
    "The description must not be longer than 4000": lambda w: w.sale(LineItems=[line(Description="x" * 4001)]),
    "Price List Item with Code 'TAP'": lambda w: w.sale(LineItems=[line(ItemCode="TAP")]),
    "more than 2 tracking categories": lambda w: w.sale(
        LineItems=[line(Tracking=[{"Name": "Region", "Option": "North"}] * 3)]
    ),
    "The tracking option 'Nowhere' does not exist": lambda w: w.sale(
        LineItems=[line(Tracking=[{"Name": "Region", "Option": "Nowhere"}])]
    ),
    "The tracking option 'Old depot' of the category 'Region' is archived.": lambda w: w.sale(
        LineItems=[line(Tracking=[{"Name": "Region", "Option": "Old depot"}])]
    ),
    "One or more line items must be specified": lambda w: w.sale(Status="SUBMITTED", LineItems=[]),
    "Organisation is not subscribed to currency USD": lambda w: w.sale(CurrencyCode="USD"),
    "Url must not contain 'xero'": lambda w: w.sale(Url="https://go.XERO.com/1"),
    "Due date cannot be empty.": lambda w: w.sale(DueDate=None, Status="AUTHORISED"),
    "before the period lock date, currently set at 30 June 2026": lambda w: w.sale(
        Date="2026-06-30", Status="AUTHORISED"
    ),
    "before the end of year lock date, currently set at 30 June 2025": lambda w: w.sale(
        Date="/Date(1735689600000+0000)/", Status="AUTHORISED"
    ),
    "Invoice not of valid status for creation": lambda w: w.sale(Status="PAID"),
    "The document with the supplied id was not found for this endpoint.": lambda w: w.sale(InvoiceID="1" * 36),
    "Invoice # must be unique.": lambda w: w.sale(InvoiceNumber="taken"),
}
ACCEPTED: tuple[Callable[[Writer], dict[str, Any]], ...] = (
    lambda w: w.sale(Date="2026-06-30"),
    lambda w: w.sale(DueDate=None, Reference=None),
    lambda w: w.sale(LineItems=[]),
    lambda w: w.sale(LineItems=[{"Description": "No more than words"}]),
    lambda w: w.cost(Type="ACCPAY", InvoiceNumber="TAKEN"),
    lambda w: w.sale(Status="AUTHORISED", Date="2026-07-01T00:00:00", LineItems=[line(TaxAmount="0.37")]),
    lambda w: w.sale(LineItems=[line(Tracking=[{"Name": "region", "Option": "North"}], DiscountRate=50)]),
)


def test_every_rule_refuses_in_xeros_words_and_nothing_else(writer: Writer) -> None:
    writer.put("Invoices", writer.sale(InvoiceNumber="TAKEN"))
    answers = writer.each("PUT", "Invoices", *(make(writer) for make in (*REFUSED.values(), *ACCEPTED)))
    for expected, element in zip(REFUSED, answers, strict=False):
        said = messages(element)
        assert len(said) == 1, (expected, said)
        assert expected in said[0]
    accepted = answers[len(REFUSED) :]
    assert [messages(element) for element in accepted] == [[]] * len(ACCEPTED)
    assert accepted[1].get("DueDate") is None
    assert accepted[5]["TotalTax"] == 0.37
    writer.sandbox.control("PUT", "clock", {"now": "2026-12-01T20:00:00"})  # 7 in the morning in Sydney
    writer.sandbox.token = writer.sandbox.grant(grant_type="client_credentials").json()["access_token"]
    assert writer.put("Invoices", writer.sale())[0]["DateString"] == "2026-12-02T00:00:00"
    (half,) = accepted[6]["LineItems"]
    assert (half["LineAmount"], half["Tracking"][0]["Option"], accepted[6]["IsDiscounted"]) == (5, "North", True)
    writer.sandbox.settings(lock_dates_bind_drafts=True, approval_limit=0)
    answers = writer.each("PUT", "Invoices", writer.sale(Date="2026-06-30"), writer.sale(Status="AUTHORISED"))
    assert "period lock date" in messages(answers[0])[0]
    assert messages(answers[1]) == ["You have reached the limit of invoices you can approve"]


def test_what_cannot_be_read_fails_the_whole_call(writer: Writer) -> None:
    for body, said in (
        (b"{", "JSON for post data was invalid, "),
        ([writer.sale(Date="2026-13-01")], "JSON for post data was invalid, Could not convert string to DateTime"),
        ([writer.sale(LineItems=[line(UnitAmount="ten")])], "Could not convert string to decimal: ten"),
        ([], "JSON for post data was invalid, "),
        ([writer.sale(LineAmountTypes="Sometimes")], "Sometimes"),
    ):
        answer = writer.call("PUT", "Invoices", body, summarizeErrors="false")
        assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, 17), said
        assert said in answer.json()["Message"]
    assert writer.call("PUT", "Invoices", b" " * 3_500_001).status_code == 413
    for path in ("ExpenseClaims", "Receipts"):
        assert [writer.call(method, path, {}).status_code for method in ("GET", "PUT", "POST")] == [404] * 3


def test_what_is_there_is_changed_only_where_xero_allows_it(writer: Writer) -> None:
    def post(**fields: Any) -> Any:
        (element,) = writer.each("POST", "Invoices", fields)
        return element

    invoice = writer.put("Invoices", writer.sale(InvoiceNumber="M-1", LineItems=[line(), line(UnitAmount=5)]))[0]
    key, (first, _) = invoice["InvoiceID"], invoice["LineItems"]
    changed = post(InvoiceID=key, LineItems=[{"LineItemID": first["LineItemID"], "Quantity": 3}, line(UnitAmount=1)])
    assert (changed["SubTotal"], changed["InvoiceNumber"], changed["DueDate"]) == (31, "M-1", invoice["DueDate"])
    assert [one["LineItemID"] == first["LineItemID"] for one in changed["LineItems"]] == [True, False]
    assert "could not be found" in messages(post(InvoiceID=key, LineItems=[line(LineItemID=NO_ID)]))[0]
    by_number = post(Type="ACCREC", InvoiceNumber="m-1", Reference="Job 9")
    assert (by_number["InvoiceID"], by_number["Reference"], by_number["Total"]) == (key, "Job 9", changed["Total"])
    assert messages(writer.each("PUT", "Invoices", writer.sale(InvoiceID=key))[0]) == ["Invoice # must be unique."]
    assert post(InvoiceID=key, InvoiceNumber="M-2")["InvoiceNumber"] == "M-2"
    other = writer.put("Invoices", writer.sale(InvoiceNumber="M-1"))[0]["InvoiceID"]
    assert messages(post(InvoiceID=other, InvoiceNumber="m-2")) == ["Invoice # must be unique."]
    assert post(InvoiceID=other, Status="DELETED", InvoiceNumber="M-3")["Status"] == "DELETED"
    small = writer.put(
        "Invoices", writer.sale(LineItems=[line(Quantity=3000, UnitAmount=None, LineAmount=100)]), unitdp=4
    )
    (approved,) = writer.each(
        "POST", "Invoices", {"InvoiceID": small[0]["InvoiceID"], "Status": "AUTHORISED"}, unitdp=4
    )
    assert post(InvoiceID=small[0]["InvoiceID"], Reference="x")["Total"] == approved["Total"] == small[0]["Total"]
    (kept,) = (one for one in writer.sandbox.truth("Invoices") if one["InvoiceID"] == small[0]["InvoiceID"])
    assert kept["LineItems"] == small[0]["LineItems"]
    one = writer.call("POST", f"Invoices/{key}", {"Status": "AUTHORISED"}).json()["Invoices"][0]
    assert (one["Status"], one["LineItems"]) == ("AUTHORISED", changed["LineItems"])
    wrong = "Invoice not of valid status for modification"
    assert messages(post(InvoiceID=key, Status="DRAFT")) == [wrong]
    (payment,) = writer.keep("pay", invoice=key, amount=1)["Payments"]
    assert "Status VOIDED".lower() in messages(post(InvoiceID=key, Status="VOIDED"))[0].lower()
    assert messages(post(InvoiceID=key, LineItems=[line()]))[1:] == [
        "This document cannot be edited as it has a payment or credit note allocated to it."
    ]
    writer.keep("delete_payment", payment=payment["PaymentID"])
    assert post(InvoiceID=key, Status="VOIDED")["AmountDue"] == 0
    assert messages(post(InvoiceID=key, Reference="Too late")) == [wrong]
    again = writer.sale(InvoiceNumber="M-2")
    assert messages(writer.each("PUT", "Invoices", again)[0]) == [wrong]
    writer.sandbox.settings(deleted_numbers_reusable=True)
    assert writer.each("PUT", "Invoices", again)[0]["InvoiceID"] != key
    unknown = writer.call("POST", f"Invoices/{'1' * 36}", writer.sale())
    assert unknown.status_code == 400
    assert unknown.json()["Elements"][0]["ValidationErrors"][0]["Message"].startswith("The document with the supplied")
    paid = next(row for row in writer.sandbox.truth("Invoices") if row["Type"] == "ACCPAY" and row["Payments"])
    due = post(InvoiceID=paid["InvoiceID"], DueDate="2027-03-01", InvoiceNumber="T-9")
    assert (due["DueDateString"], due["Status"], due["AmountPaid"]) == (
        *("2027-03-01T00:00:00", paid["Status"]),
        paid["AmountPaid"],
    )
    closed = writer.put("Invoices", writer.cost(Type="ACCPAY", Status="AUTHORISED"))[0]["InvoiceID"]
    lock = "/Date(4102444800000+0000)/"
    writer.sandbox.control("PATCH", f"organisations/{writer.sandbox.tenant()}", {"PeriodLockDate": lock})
    assert messages(post(InvoiceID=closed, Reference="x")) == [
        "The document cannot be edited as it is currently dated before the period lock date"
    ]
    renamed = writer.put("Invoices", writer.sale(Contact={"ContactID": writer.contact["ContactID"], "Name": "Renamed"}))
    assert renamed[0]["Contact"]["Name"] == "Renamed"
    assert writer.sandbox.contacts(IDs=writer.contact["ContactID"])[0]["Name"] == "Renamed"


def test_orders_and_credit_notes_have_their_own_words(writer: Writer) -> None:
    order = writer.put("PurchaseOrders", writer.cost(Type=None, PurchaseOrderNumber="P-1", SentToContact=True))[0]
    assert messages(order, "Warnings") == ["Only AUTHORISED and BILLED purchase orders may have SentToContact updated."]
    answers = writer.each(
        "PUT",
        "PurchaseOrders",
        writer.cost(PurchaseOrderNumber="P-1"),
        writer.cost(Contact={"Name": "Not there"}),
        writer.cost() | {"LineItems": []},
        writer.cost(Status="DELETED"),
        writer.cost(DeliveryInstructions="x" * 501),
    )
    assert [messages(one)[0][:24] for one in answers] == [
        *("Order number must be uni", "The Contact with the spe", "One or more line items m"),
        *("Document not of valid st", "DeliveryInstructions mus"),
    ]
    writer.keep("bill", purchase_order=order["PurchaseOrderID"])
    assert [one["PurchaseOrderID"] for one in writer.sandbox.get(
        "PurchaseOrders", Status="BILLED", DateFrom="2026-11-01", order="UpdatedDateUTC DESC"
    ).json()["PurchaseOrders"]] == [order["PurchaseOrderID"]]  # fmt: skip
    (refused,) = writer.each("POST", "PurchaseOrders", {"PurchaseOrderNumber": "P-1", "Status": "DRAFT"})
    assert messages(refused) == ["Document not of valid status for modification"]
    credit = writer.sale(Type="ACCRECCREDIT", CreditNoteNumber="C-1", Status="AUTHORISED")
    (made,) = writer.put("CreditNotes", credit)
    assert messages(writer.each("PUT", "CreditNotes", credit)[0]) == ["Credit Note # must be unique."]
    (invoice,) = writer.put("Invoices", writer.sale(Status="AUTHORISED"))
    kept = writer.keep("credit", invoice=invoice["InvoiceID"], credit=made["CreditNoteID"])
    assert kept["Invoices"][0]["Status"] == kept["CreditNotes"][0]["Status"] == "PAID"
    said = messages(writer.each("POST", "CreditNotes", {"CreditNoteID": made["CreditNoteID"], "Reference": "x"})[0])
    assert said[0] == "Credit note not of valid status for modification"
    supplier = writer.cost(Type="ACCPAYCREDIT", CreditNoteNumber="C-1")
    twice = writer.put("CreditNotes", supplier, supplier)
    assert len({one["CreditNoteID"] for one in twice}) == 2
    writer.keep("approve", credit=twice[0]["CreditNoteID"])
    (voided,) = writer.keep("void", credit=twice[0]["CreditNoteID"])["CreditNotes"]
    assert voided["Status"] == "VOIDED"


def test_attachments(writer: Writer, accounting: AccountingApi, tmp_path: Path) -> None:
    tenant, content = writer.sandbox.tenant(), bytes(range(256)) * 40
    (invoice,) = writer.put("Invoices", writer.sale())
    key, name = invoice["InvoiceID"], "Angebot Müller & Söhne #2.pdf"
    accounting.create_invoice_attachment_by_file_name(tenant, key, name, content, include_online=True)
    path = f"Invoices/{key}/Attachments"
    assert writer.call("PUT", f"{path}/b.txt", b"one").json()["Attachments"][0]["ContentLength"] == 3
    assert writer.call("POST", f"{path}/b.txt", b"other").status_code == 200
    first, second = accounting.get_invoice_attachments(tenant, key).attachments
    assert (first.file_name, first.content_length, first.include_online) == (name, len(content), True)
    assert (second.file_name, second.content_length) == ("b.txt", 5)
    assert writer.call("GET", f"{path}/{first.attachment_id}").content == content
    assert writer.call("GET", f"{path}/b.txt").content == b"other"
    assert [one["sha256"] for one in writer.sandbox.control("GET", f"organisations/{tenant}/attachments/{key}")] == [
        sha256(content).hexdigest(),
        sha256(b"other").hexdigest(),
    ]
    (read,) = accounting.get_invoice(tenant, key).invoices
    assert (read.has_attachments, len(read.attachments)) == (True, 2)
    assert writer.call("PUT", f"{path}/a%3Ab.txt", b"x").status_code == 400
    assert writer.call("PUT", f"{path}/large", b"x" * (10 * 1024 * 1024 + 1)).status_code == 400
    statuses = [writer.call("PUT", f"{path}/{number}.txt", b"x").status_code for number in range(9)]
    assert statuses == [200] * 8 + [400]
    (order,) = writer.put("PurchaseOrders", writer.cost())
    path = f"PurchaseOrders/{order['PurchaseOrderID']}/Attachments/a.txt"
    assert writer.call("PUT", path, b"x", IncludeOnline="true").status_code == 400
    assert writer.call("PUT", path, b"x").status_code == 200
    writer.sandbox.settings(purchase_order_attachments=False)
    assert writer.call("PUT", path, b"x").status_code == 501


def test_read_only_is_not_enough_to_write(writer: Writer) -> None:
    for scope, path in (("accounting.invoices.read", "Invoices"), ("accounting.invoices", "Invoices/x/Attachments/a")):
        code = writer.sandbox.control("POST", "authorise", {"scope": scope})["code"]
        writer.sandbox.token = writer.sandbox.grant(grant_type="authorization_code", code=code).json()["access_token"]
        assert writer.call("PUT", path, [writer.sale()]).status_code == 401
    assert writer.call("PUT", "Invoices", [writer.sale()]).status_code == 200


def test_a_key_is_answered_once_for_six_minutes(writer: Writer) -> None:
    sandbox, bill = writer.sandbox, writer.cost(Type="ACCPAY", InvoiceNumber="T-1")

    def bills() -> int:
        return len([row for row in sandbox.truth("Invoices") if row["InvoiceNumber"] == "T-1"])

    first, second = (writer.call("PUT", "Invoices", [bill], key="k") for _ in range(2))
    assert (first.content, bills()) == (second.content, 1)
    assert set(first.headers) == set(second.headers)
    assert [call["replayed"] for call in sandbox.control("GET", "calls")[-2:]] == [False, True]
    for other in ({"method": "POST"}, {"body": [writer.sale()]}, {"unitdp": 4}, {"tenant": 1}):
        answer = writer.call(**{"method": "PUT", "path": "Invoices", "body": [bill], "key": "k", **other})
        assert answer.status_code == 400
        assert answer.json()["Message"] == "Idempotency Key: k is used with a different request."
    assert writer.call("PUT", "Invoices", [bill], key="k" * 129).status_code == 400
    assert writer.call("PUT", "Invoices", [bill], key="k" * 128).status_code == 200
    offset = sandbox.control("GET", "clock")["offset_seconds"]
    for later, expected in ((359, 2), (361, 3)):
        sandbox.control("PUT", "clock", {"offset_seconds": offset + later})
        assert writer.call("PUT", "Invoices", [bill], key="k").status_code == 200
        assert bills() == expected
    with ThreadPoolExecutor(2) as pool:
        sandbox.control("POST", "faults", {"kind": "slow", "seconds": 0.3})
        answers = list(pool.map(lambda _: requests_put(writer, [bill], "both"), range(2)))
    assert answers[0] == answers[1]
    assert bills() == 4


@pytest.mark.parametrize("honoured", [False, True])
def test_payroll_honours_the_key_when_switched_so(writer: Writer, honoured: bool) -> None:
    writer.sandbox.settings(payroll_idempotency=honoured)
    writer.sandbox.control("POST", "faults", {"kind": "500"})
    path = "../../payroll.xro/1.0/Employees"
    statuses = [writer.call("POST", path, [{}], key="k").status_code for _ in range(2)]
    assert (statuses[0], statuses[1] == 500) == (500, honoured)


def requests_put(writer: Writer, body: Any, key: str) -> bytes:
    headers = {"Authorization": f"Bearer {writer.sandbox.token}", "xero-tenant-id": writer.sandbox.tenant()}
    url = f"{writer.sandbox.url}/api.xro/2.0/Invoices"
    return requests.put(url, json=body, headers={**headers, "Idempotency-Key": key}).content


@pytest.mark.parametrize(
    ("kind", "saved", "first", "again", "after"),
    [
        ("lost_answer", 1, None, 200, 1),
        ("cut", 0, None, 200, 1),
        ("500", 0, 500, 500, 0),
        ("500_saved", 1, 500, 500, 1),
        ("503", 0, 503, 200, 1),
        ("503_saved", 1, 503, 200, 2),
        ("slow", 1, 200, 200, 1),
    ],
)
def test_what_is_saved_and_kept_when_it_goes_wrong(
    writer: Writer, kind: str, saved: int, first: int | None, again: int, after: int
) -> None:
    def count() -> int:
        return len(writer.sandbox.truth("Invoices"))

    before, bill = count(), writer.cost(Type="ACCPAY")
    writer.sandbox.control("POST", "faults", {"kind": kind, "seconds": 0.1, "method": "PUT"})
    if first is None:
        with pytest.raises(requests.ConnectionError):
            writer.call("PUT", "Invoices", [bill], key="k")
    else:
        assert writer.call("PUT", "Invoices", [bill], key="k").status_code == first
    assert count() == before + saved
    assert writer.call("PUT", "Invoices", [bill], key="k").status_code == again
    assert count() == before + after


def test_a_thousand_invoices_are_no_burden(writer: Writer) -> None:
    for batch in range(20):
        fifty = [writer.sale(InvoiceNumber=f"S-{batch}-{number}") for number in range(50)]
        writer.put("Invoices", *fifty, summarizeErrors="false")
    calls = writer.sandbox.control("GET", "calls")[-20:]
    assert sum(call["ended"] - call["arrived"] for call in calls) < 10  # less than 1 s on an idle machine
