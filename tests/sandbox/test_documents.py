"""Invoices, payments and credits: their shapes, read by Xero's own library, and bookkeeping that always adds up."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from xero_sandbox.bookkeeping import ACTS, perform
from xero_sandbox.clock import Clock
from xero_sandbox.collection import Collection
from xero_sandbox.data.organisations import organisations
from xero_sandbox.data.settings_lists import RATES
from xero_sandbox.ledger import ledger_of
from xero_sandbox.organisation import Organisation
from xero_sandbox.settings import Settings
from xero_sandbox.wire import read_ms_date

CREDITS = {"CreditNotes": "CreditNoteID", "Overpayments": "OverpaymentID", "Prepayments": "PrepaymentID"}
DOCUMENTS = ("Invoices", "Payments", "BatchPayments", *CREDITS)
#: What acts on documents read besides.
BESIDE = ("PurchaseOrders", "Accounts", "Contacts", "TaxRates", "TrackingCategories")
#: Those on leave are tested in test_leave_acts.py.
MONEY_ACTS = sorted(act for act in ACTS if not act.endswith("_leave"))
HARBOUR = "Harbour & Sons Plumbing Pty Ltd"


@pytest.fixture
def accounting(sandbox: Any) -> AccountingApi:
    token = {
        "access_token": sandbox.token,
        "expires_in": 1800,
        "token_type": "Bearer",
        "scope": [],
        "refresh_token": "",
    }
    client = ApiClient(
        Configuration(oauth2_token=OAuth2Token(client_id="demo-client", client_secret="-")),
        oauth2_token_getter=lambda: token,
        oauth2_token_saver=lambda _: None,
    )
    return AccountingApi(client, base_url=f"{sandbox.url}/api.xro/2.0")


def records(organisation: Organisation, plural: str) -> dict[str, dict[str, Any]]:
    return {key: row.record for key, row in organisation.collections[plural].rows.items()}


def keep(sandbox: Any, do: str, **order: Any) -> dict[str, list[dict[str, Any]]]:
    changed: dict[str, list[dict[str, Any]]] = sandbox.control(
        "POST", f"organisations/{sandbox.tenant()}/bookkeeping", {"do": do, **order}
    )
    return changed


def refused(sandbox: Any, do: str, **order: Any) -> str:
    url = f"{sandbox.url}/sandbox/organisations/{sandbox.tenant()}/bookkeeping"
    answer = sandbox.session.post(url, json={"do": do, **order})
    assert answer.status_code in (400, 404), answer.text
    return str(answer.json()["error"])


def one(sandbox: Any, plural: str, **wanted: Any) -> dict[str, Any]:
    """The first record of that kind with these values."""
    return next(row for row in sandbox.truth(plural) if all(row.get(name) == value for name, value in wanted.items()))


def unpaid(sandbox: Any) -> dict[str, Any]:
    return one(sandbox, "Invoices", Status="AUTHORISED", Type="ACCREC", AmountPaid=0, AmountCredited=0)


def read(sandbox: Any, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = sandbox.get(path, **params)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()[path.partition("/")[0]]
    return rows


def consistent(organisation: Organisation) -> None:
    """Every invoice and every credit against what the payments and the credits themselves say."""
    paid, credited = Counter[str](), Counter[str]()
    spent = Counter[str]()
    for payment in records(organisation, "Payments").values():
        source = next((payment[name[:-1]][key] for name, key in CREDITS.items() if name[:-1] in payment), None)
        if payment["Status"] == "AUTHORISED":
            (spent if source else paid)[source or payment["Invoice"]["InvoiceID"]] += payment["Amount"]
    for plural, key in CREDITS.items():
        for credit in records(organisation, plural).values():
            for use in credit["Allocations"]:
                credited[use["Invoice"]["InvoiceID"]] += use["Amount"]
                spent[credit[key]] += use["Amount"]
    for key, invoice in records(organisation, "Invoices").items():
        due = invoice["AmountDue"]
        ended = invoice["Status"] in ("VOIDED", "DELETED")
        assert (invoice["AmountPaid"], invoice["AmountCredited"]) == (paid[key], credited[key])
        assert due == (0 if ended else invoice["Total"] - invoice["AmountPaid"] - invoice["AmountCredited"])
        assert due >= 0
        assert not (ended and (paid[key] or credited[key]))
        assert (invoice["Status"] == "PAID") == (due == 0 and not ended)
        assert (invoice["FullyPaidOnDate"] is not None) == (invoice["Status"] == "PAID")
    for plural, key in CREDITS.items():
        for credit in records(organisation, plural).values():
            assert credit["RemainingCredit"] == credit["Total"] - spent[credit[key]] >= 0
            assert (credit["Status"] == "PAID") == (credit["RemainingCredit"] == 0)
    for plural in ("Invoices", "PurchaseOrders", *CREDITS):
        for document in records(organisation, plural).values():
            amount, tax = (sum(line[name] for line in document["LineItems"]) for name in ("LineAmount", "TaxAmount"))
            net = amount - tax if document["LineAmountTypes"] == "Inclusive" else amount
            assert (document["SubTotal"], document["TotalTax"], document["Total"]) == (net, tax, net + tax)
    payments = records(organisation, "Payments")
    for key, batch in records(organisation, "BatchPayments").items():
        alive = [p for p in payments.values() if p.get("BatchPaymentID") == key and p["Status"] == "AUTHORISED"]
        assert batch["TotalAmount"] == sum(p["Amount"] for p in alive)
        assert {p["PaymentID"] for p in batch["Payments"]} == {p["PaymentID"] for p in alive}
        assert batch["Status"] == ("AUTHORISED" if alive else "DELETED")


def test_made_up_documents_are_believable() -> None:
    harbour, *others = organisations(1, "demo", {"contacts": {HARBOUR: 300}})
    assert [len(o.collections["Invoices"].rows) for o in (harbour, *others)] == [400, 60, 8, 12, 6]
    percent = {tax_type: Decimal(rate) for tax_type, _, _, rate, _, _ in RATES}
    numbers = Counter[str]()
    for organisation in (harbour, *others):
        consistent(organisation)
        contacts, accounts = records(organisation, "Contacts"), records(organisation, "Accounts")
        options = {
            (category["TrackingCategoryID"], option["TrackingOptionID"])
            for category in records(organisation, "TrackingCategories").values()
            for option in category["Options"]
            if category["Status"] == option["Status"] == "ACTIVE"
        }
        for invoice in records(organisation, "Invoices").values():
            assert contacts[invoice["Contact"]["ContactID"]]["Name"] == invoice["Contact"]["Name"]
            tax = Decimal(0)
            for line in invoice["LineItems"]:
                assert line["LineAmount"] == cents(line["Quantity"] * line["UnitAmount"])
                assert accounts[line["AccountID"]]["Code"] == line["AccountCode"]
                assert {(t["TrackingCategoryID"], t["TrackingOptionID"]) for t in line["Tracking"]} <= options
                rate = percent[line["TaxType"]]
                share = {"Exclusive": rate / 100, "Inclusive": rate / (100 + rate), "NoTax": Decimal(0)}
                tax += cents(line["LineAmount"] * share[invoice["LineAmountTypes"]])
            net = sum(line["LineAmount"] for line in invoice["LineItems"])
            assert invoice["TotalTax"] == tax
            assert invoice["Total"] == (net if invoice["LineAmountTypes"] == "Inclusive" else net + tax) > 0
            assert invoice["SubTotal"] == invoice["Total"] - tax
    invoices = list(records(harbour, "Invoices").values())
    assert {i["Status"] for i in invoices} == {"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"}
    sales = [i for i in invoices if i["Type"] == "ACCREC"]
    ours = [i for i in sales if "Url" in i]
    assert 0.3 < len(ours) / len(sales) < 0.37
    assert all(i["InvoiceNumber"].startswith("IV-") and "/invoices/" in i["Url"] for i in ours)
    numbers = Counter(i["InvoiceNumber"] for i in sales)
    assert max(numbers.values()) == 1
    bills = Counter(i["InvoiceNumber"] for i in invoices if i["Type"] == "ACCPAY")
    assert bills["INV-0001"] > 1  # suppliers number as they like
    assert any(0 < i["AmountPaid"] < i["Total"] for i in invoices)
    payments = list(records(harbour, "Payments").values())
    assert {p["Status"] for p in payments} == {"AUTHORISED", "DELETED"}
    assert any("BatchPaymentID" in p for p in payments)
    for plural in CREDITS:
        found = records(harbour, plural).values()
        assert any(credit["Allocations"] for credit in found)
        assert any(credit["RemainingCredit"] for credit in found)
    moments = sorted(read_ms_date(i["UpdatedDateUTC"]) or 0 for i in invoices)
    assert moments[-1] - moments[0] > 500 * 86_400_000
    assert len(set(moments)) == len(moments)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_the_same_seed_and_none_at_all() -> None:
    first, again, other = (organisations(seed, "small")[0] for seed in (1, 1, 2))
    assert [records(first, plural) for plural in DOCUMENTS] == [records(again, plural) for plural in DOCUMENTS]
    assert records(first, "Invoices").keys().isdisjoint(records(other, "Invoices"))
    more = organisations(1, "small", {"invoices": {HARBOUR: 0}})
    assert [len(o.collections["Invoices"].rows) for o in more] == [0, 12, 4]


FEW = organisations(3, "small", {"contacts": {HARBOUR: 3}, "invoices": {HARBOUR: 12}})[0]


def copy(organisation: Organisation) -> Organisation:
    fresh = {
        plural: Collection(old.kind, ((row.updated_ms, row.record) for row in old.rows.values()))
        for plural, old in organisation.collections.items()
        if plural in (*DOCUMENTS, *BESIDE)
    }
    return replace(organisation, collections=fresh)


def everything(organisation: Organisation) -> list[dict[str, bytes]]:
    return [{key: row.body for key, row in organisation.collections[plural].rows.items()} for plural in DOCUMENTS]


@given(st.data())
@settings(max_examples=60)
def test_any_bookkeeping_adds_up(data: st.DataObject) -> None:
    """Whatever is done to a few invoices in whatever order, done or refused."""
    organisation, clock = copy(FEW), Clock()
    for _ in range(data.draw(st.integers(1, 15))):
        before = everything(organisation)
        ledger = ledger_of(organisation, clock, Settings(payments_bump_invoices=data.draw(st.booleans())))
        do = data.draw(st.sampled_from(MONEY_ACTS))
        try:
            perform(ledger, do, **data.draw(orders(do, organisation)))
        except ValueError:
            assert everything(organisation) == before
        consistent(organisation)


@st.composite
def orders(draw: st.DrawFn, do: str, organisation: Organisation) -> dict[str, Any]:
    def key(*plurals: str) -> str:
        # In the order in which they were made: the ids of new ones are random, and the same examples would differ.
        return draw(st.sampled_from([key for plural in plurals for key in organisation.collections[plural].rows]))

    amount = draw(st.none() | st.decimals("0.01", 90_000, places=2) | st.sampled_from([0, -5, "x", "0.001"]))
    if do == "pay_batch":
        rows = list(organisation.collections["Invoices"].rows)
        return {"invoices": draw(st.lists(st.sampled_from(rows), min_size=1, max_size=3))}
    if do == "delete_payment":
        return {"payment": key("Payments")}
    if do == "refund":
        return {"credit": key(*CREDITS), "amount": amount}
    if do == "bill":
        return {"purchase_order": key("PurchaseOrders")}
    if do in ("approve", "edit", "void", "delete"):
        turned = {"invoice": "Invoices", "credit": "CreditNotes", "purchase_order": "PurchaseOrders"}
        name = draw(st.sampled_from(sorted(turned)))
        document = key(turned[name])
        fields = edited(draw, organisation.collections[turned[name]].rows[document].record) if do == "edit" else {}
        return {name: document} | ({"fields": fields} if do == "edit" else {})
    order: dict[str, Any] = {"invoice": key("Invoices")}
    if do == "overpay":
        order["by"] = amount
    elif do != "remove_credit":
        order["amount"] = amount
    if do == "credit" and draw(st.booleans()):
        order["credit"] = key("CreditNotes")
    return order


def edited(draw: st.DrawFn, record: dict[str, Any]) -> dict[str, Any]:
    """Some of what a bookkeeper may think of changing."""
    lines = [{"LineItemID": line["LineItemID"]} for line in draw(st.permutations(record["LineItems"]))]
    lines[0] |= draw(
        st.sampled_from([{"Description": "New"}, {"Quantity": 3}, {"UnitAmount": "0.0149", "Quantity": 7}])
    )
    kept = draw(st.integers(1, len(lines)))
    added = draw(st.sampled_from([[], [{"Description": "Extra", "UnitAmount": "9.99", "AccountCode": "200"}]]))
    changes: dict[str, Any] = {"Date": "2026-08-01", "LineItems": [*lines[:kept], *added], "Reference": "Job 9"}
    changes |= {"LineAmountTypes": draw(st.sampled_from(["Inclusive", "Exclusive", "NoTax"])), "CurrencyCode": "NZD"}
    names = draw(st.lists(st.sampled_from(sorted(changes)), min_size=1, unique=True))
    return {name: changes[name] for name in names}


def test_invoices_as_the_library_reads_them(sandbox: Any, accounting: AccountingApi) -> None:
    truth = {row["InvoiceID"]: row for row in sandbox.truth("Invoices")}
    seen: list[Any] = []
    for page in (1, 2, 3):
        answer = accounting.get_invoices(sandbox.tenant(), page=page, page_size=15)
        seen += answer.invoices
    assert (answer.pagination.page_count, answer.pagination.item_count) == (3, 40)
    assert {invoice.invoice_id for invoice in seen} == set(truth)
    moments = [invoice.updated_date_utc for invoice in seen]
    assert moments == sorted(moments)
    assert seen[0].date.isoformat() == read(sandbox, f"Invoices/{seen[0].invoice_id}")[0]["DateString"][:10]
    for invoice in seen:
        row = truth[invoice.invoice_id]
        assert invoice.total == Decimal(str(row["Total"]))
        assert invoice.amount_due == Decimal(str(row["AmountDue"]))
        assert len(invoice.line_items) == len(row["LineItems"]) > 0
        assert len(invoice.payments) == len(row["Payments"])
    credited = next(row for row in truth.values() if row["CreditNotes"])
    (whole,) = accounting.get_invoice(sandbox.tenant(), credited["InvoiceID"]).invoices
    assert whole.credit_notes[0].applied_amount == Decimal(str(credited["CreditNotes"][0]["AppliedAmount"]))
    assert whole.contact.phones
    assert not seen[0].contact.phones
    (named,) = accounting.get_invoice(sandbox.tenant(), credited["InvoiceNumber"]).invoices
    assert named == whole
    assert sandbox.get("Invoices/INV-none").status_code == 404


def test_lists_without_pages_and_summaries_leave_fields_out(sandbox: Any) -> None:
    unpaged = sandbox.get("Invoices").json()
    assert "pagination" not in unpaged
    assert len(unpaged["Invoices"]) == 40
    assert not any(row["LineItems"] for row in unpaged["Invoices"])
    assert any(row["Payments"] for row in unpaged["Invoices"])
    assert not any("FullyPaidOnDate" in row for row in unpaged["Invoices"] if row["Status"] != "PAID")
    paged = read(sandbox, "Invoices", page=1, pageSize=1000)
    assert all(row["LineItems"] for row in paged)
    assert any(
        round(line["UnitAmount"], 2) != line["UnitAmount"]
        for line in lines(read(sandbox, "Invoices", page=1, unitdp=4))
    )
    assert all(round(line["UnitAmount"], 2) == line["UnitAmount"] for line in lines(paged))
    summary = sandbox.get("Invoices", summaryOnly="true").json()
    assert summary["pagination"]["itemCount"] == 40
    absent = {"LineItems", "Payments", "CreditNotes", "Prepayments", "Overpayments", "HasAttachments"}
    needed = {"AmountDue", "AmountPaid", "AmountCredited", "Total", "Status", "Type", "InvoiceNumber", "UpdatedDateUTC"}
    assert len(summary["Invoices"]) == 40
    for row in summary["Invoices"]:
        assert not absent & set(row)
        assert needed <= set(row)
        assert set(row["Contact"]) == {"ContactID", "Name"}
        assert ("FullyPaidOnDate" in row) == (row["Status"] == "PAID")
        assert row["UpdatedDateUTCString"].endswith("Z")


def lines(invoices: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (line for invoice in invoices for line in invoice["LineItems"])


def test_filters_and_order(sandbox: Any) -> None:
    truth = sandbox.truth("Invoices")
    some, contact = truth[3], truth[5]["Contact"]["ContactID"]
    voided = {row["InvoiceID"] for row in truth if row["Status"] in ("VOIDED", "PAID")}
    assert ids(read(sandbox, "Invoices", Statuses="VOIDED,PAID")) == voided
    assert ids(read(sandbox, "Invoices", IDs=f"{truth[0]['InvoiceID']},{some['InvoiceID']}")) == {
        truth[0]["InvoiceID"],
        some["InvoiceID"],
    }
    assert some["InvoiceID"] in ids(read(sandbox, "Invoices", InvoiceNumbers=some["InvoiceNumber"]))
    assert ids(read(sandbox, "Invoices", ContactIDs=contact, page=1)) == {
        row["InvoiceID"] for row in truth if row["Contact"]["ContactID"] == contact
    }
    assert ids(read(sandbox, "Invoices", createdByMyApp="true")) == {row["InvoiceID"] for row in truth if "Url" in row}
    where = f'Type=="ACCREC" AND AmountDue>0 AND Contact.ContactID==Guid("{contact}")'
    assert ids(read(sandbox, "Invoices", where=where)) == {
        row["InvoiceID"]
        for row in truth
        if row["Type"] == "ACCREC" and row["AmountDue"] > 0 and row["Contact"]["ContactID"] == contact
    }
    totals = [row["Total"] for row in read(sandbox, "Invoices", order="Total DESC")]
    assert totals == sorted(totals, reverse=True)
    middle = sorted(read_ms_date(row["UpdatedDateUTC"]) or 0 for row in truth)[20] // 1000
    since = datetime.fromtimestamp(middle, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    assert ids(read(sandbox, "Invoices", since=since, summaryOnly="true")) == {
        row["InvoiceID"] for row in truth if (read_ms_date(row["UpdatedDateUTC"]) or 0) >= middle * 1000
    }


def ids(rows: list[dict[str, Any]]) -> set[str]:
    assert rows
    return {row["InvoiceID"] for row in rows}


def test_payments_and_credits_as_the_library_reads_them(sandbox: Any, accounting: AccountingApi) -> None:
    sandbox.reset(invoices={HARBOUR: 150})
    sandbox.settings(limits=False)
    tenant, truth = sandbox.tenant(), {row["PaymentID"]: row for row in sandbox.truth("Payments")}
    listed = accounting.get_payments(tenant, page=1, page_size=1000)
    assert {payment.payment_id for payment in listed.payments} == set(truth)
    assert listed.pagination.item_count == len(truth) > 60
    for payment in listed.payments:
        row = truth[payment.payment_id]
        assert (payment.amount, payment.status) == (Decimal(str(row["Amount"])), row["Status"])
        assert payment.payment_type == row["PaymentType"]
        if payment.payment_type in ("ACCRECPAYMENT", "ACCPAYPAYMENT"):
            assert payment.invoice.invoice_id == row["Invoice"]["InvoiceID"]
            assert payment.invoice.contact.name == row["Invoice"]["Contact"]["Name"]
    kinds = {payment.payment_type[2:] for payment in listed.payments}
    assert {"CREDITPAYMENT", "OVERPAYMENTPAYMENT", "PREPAYMENTPAYMENT"} & kinds
    batched = next(payment for payment in listed.payments if payment.batch_payment_id)
    batches = {batch.batch_payment_id: batch for batch in accounting.get_batch_payments(tenant).batch_payments}
    assert Decimal(str(batched.batch_payment.total_amount)) == batches[batched.batch_payment_id].total_amount
    assert batched.payment_id in {paid.payment_id for paid in batches[batched.batch_payment_id].payments}
    (alone,) = accounting.get_payment(tenant, batched.payment_id).payments
    assert alone.invoice.line_items
    assert alone.account.name
    for plural, lister in (
        ("CreditNotes", accounting.get_credit_notes),
        ("Overpayments", accounting.get_overpayments),
        ("Prepayments", accounting.get_prepayments),
    ):
        key, field = CREDITS[plural], "".join(f"_{c.lower()}" if c.isupper() else c for c in plural)[1:]
        found = getattr(lister(tenant, page=1), field)
        rows = {row[key]: row for row in sandbox.truth(plural)}
        assert len(found) == len(rows) > 0
        for credit in found:
            row = rows[getattr(credit, f"{field[:-1]}_id")]
            assert credit.remaining_credit == Decimal(str(row["RemainingCredit"]))
            assert len(credit.allocations) == len(row["Allocations"])
            assert credit.line_items
        assert sandbox.get(f"{plural}/{next(iter(rows))}").json()[plural][0][key] == next(iter(rows))
        assert sandbox.get(f"{plural}/none").status_code == 404


def test_scopes(sandbox: Any) -> None:
    sandbox.token = sandbox.grant(grant_type="client_credentials", scope="accounting.payments.read").json()[
        "access_token"
    ]
    for path in ("Payments", "BatchPayments", "Overpayments", "Prepayments"):
        assert sandbox.get(path).status_code == 200, path
    for path in ("Invoices", "CreditNotes"):
        assert sandbox.get(path).status_code == 401, path


def test_an_invoice_is_paid_and_unpaid(sandbox: Any) -> None:
    invoice = unpaid(sandbox)
    key, before = invoice["InvoiceID"], read_ms_date(invoice["UpdatedDateUTC"]) or 0
    changed = keep(sandbox, "pay", invoice=key, amount=10.01, date="2026-01-31")
    (payment,), (part,) = changed["Payments"], changed["Invoices"]
    assert payment["Date"] == "/Date(1769817600000+0000)/"
    assert (part["Status"], part["AmountPaid"]) == ("AUTHORISED", 10.01)
    assert before < (read_ms_date(payment["UpdatedDateUTC"]) or 0) < (read_ms_date(part["UpdatedDateUTC"]) or 0)
    keep(sandbox, "credit", invoice=key, amount=5)
    rest = keep(sandbox, "overpay", invoice=key, by="7.50")
    assert rest["Invoices"][0]["Status"] == "PAID"
    assert rest["Overpayments"][0]["RemainingCredit"] == 7.5
    assert "payments or credit notes allocated" in refused(sandbox, "void", invoice=key)
    assert "exceeds the amount outstanding" in refused(sandbox, "pay", invoice=key, amount=1)
    keep(sandbox, "remove_credit", invoice=key)
    for paid in (payment, rest["Payments"][0]):
        (deleted,) = keep(sandbox, "delete_payment", payment=paid["PaymentID"])["Payments"]
        assert deleted["Status"] == "DELETED"
    (whole,) = read(sandbox, f"Invoices/{key}")
    assert (whole["Status"], whole["AmountDue"], whole["Payments"]) == ("AUTHORISED", whole["Total"], [])
    extra = rest["Overpayments"][0]["OverpaymentID"]
    (spent,) = keep(sandbox, "apply_overpayment", invoice=key, amount=7.5, credit=extra)["Overpayments"]
    assert (spent["Status"], spent["RemainingCredit"]) == ("PAID", 0)
    assert "exceeds" in refused(sandbox, "apply_overpayment", invoice=key, amount=1, credit=extra)
    assert keep(sandbox, "apply_prepayment", invoice=key, amount=1)["Invoices"][0]["AmountCredited"] == 8.5
    keep(sandbox, "remove_credit", invoice=key)
    (left,) = keep(sandbox, "remove_credit", invoice=key, credit=extra)["Overpayments"]
    assert (left["Status"], left["RemainingCredit"]) == ("AUTHORISED", 7.5)
    assert keep(sandbox, "void", invoice=key)["Invoices"][0]["AmountDue"] == 0


def test_what_is_refused_is_said_in_xeros_words(sandbox: Any) -> None:
    draft = one(sandbox, "Invoices", Status="DRAFT")["InvoiceID"]
    assert refused(sandbox, "pay", invoice=draft) == "Payments can only be made against Authorised documents"
    assert refused(sandbox, "void", invoice=draft) == "Invoice not of valid status for modification"
    assert keep(sandbox, "approve", invoice=draft)["Invoices"][0]["Status"] == "AUTHORISED"
    assert refused(sandbox, "delete", invoice=draft) == "Invoice not of valid status for modification"
    assert "is not there" in refused(sandbox, "pay", invoice="none")
    assert "must be one of" in refused(sandbox, "burn", invoice=draft)
    assert "unexpected" in refused(sandbox, "pay", invoice=draft, colour="red")
    open_one, other = unpaid(sandbox), one(sandbox, "CreditNotes")
    too_much = "Payment amount exceeds the amount outstanding on this document"
    assert refused(sandbox, "pay", invoice=open_one["InvoiceID"], amount=open_one["AmountDue"] + 0.01) == too_much
    assert "different invoices" in refused(sandbox, "pay_batch", invoices=[open_one["InvoiceID"]] * 2)
    assert other["Contact"] != open_one["Contact"]
    stranger = {"invoice": open_one["InvoiceID"], "credit": other["CreditNoteID"], "amount": 0.01}
    assert "The contact" in refused(sandbox, "credit", **stranger)
    gone = one(sandbox, "Payments", Status="DELETED")["PaymentID"]
    assert "not of valid status" in refused(sandbox, "delete_payment", payment=gone)


def test_switches(sandbox: Any) -> None:
    def payments(**how: Any) -> set[str]:
        return {row["PaymentID"] for row in sandbox.get("Payments", page=1, **how).json()["Payments"]}

    invoice = unpaid(sandbox)
    payment = keep(sandbox, "pay", invoice=invoice["InvoiceID"])["Payments"][0]["PaymentID"]
    keep(sandbox, "delete_payment", payment=payment)
    since = "2026-11-01T00:00:00"
    assert payment in payments()
    assert payments(since=since) == {payment}
    sandbox.settings(deleted_payments_listed=False, payments_bump_invoices=False)
    assert payments()
    assert payment not in payments()
    assert payments(since=since) == set()
    assert read(sandbox, f"Payments/{payment}")[0]["Status"] == "DELETED"
    (before,) = read(sandbox, f"Invoices/{invoice['InvoiceID']}")
    keep(sandbox, "pay_batch", invoices=[invoice["InvoiceID"]])
    (after,) = read(sandbox, f"Invoices/{invoice['InvoiceID']}")
    assert (after["Status"], after["UpdatedDateUTC"]) == ("PAID", before["UpdatedDateUTC"])
    (batch,) = [
        b for b in read(sandbox, "BatchPayments") if b["Payments"][0]["Invoice"]["InvoiceID"] == after["InvoiceID"]
    ]
    assert batch["TotalAmount"] == after["Total"]
