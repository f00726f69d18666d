"""What following a document to its end asks of Xero: deletions by the app, and lists of what has changed."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.support.in_xero import KEYS, InXero
from tests.support.sandbox import Sandbox

KINDS: dict[str, dict[str, Any]] = {
    "Invoices": {"Type": "ACCPAY"},
    "CreditNotes": {"Type": "ACCPAYCREDIT"},
    "PurchaseOrders": {},
}
NOUNS = {"Invoices": "Invoice", "CreditNotes": "Credit note", "PurchaseOrders": "Document"}


@pytest.fixture
def xero(sandbox: Sandbox) -> InXero:
    sandbox.settings(limits=False)
    return InXero(sandbox)


def made(xero: InXero, plural: str, **fields: Any) -> dict[str, Any]:
    return xero.make(plural, **KINDS[plural], **fields)


def words(element: dict[str, Any]) -> list[str]:
    return [error["Message"] for error in element["ValidationErrors"]]


def shown(xero: InXero, plural: str, document: dict[str, Any]) -> dict[str, Any]:
    key = document[KEYS[plural]]
    return dict(xero.sandbox.get(f"{plural}/{key}", unitdp=4).json()[plural][0])


@pytest.mark.parametrize("plural", KINDS)
def test_a_draft_is_deleted_by_its_id_alone_and_only_once(xero: InXero, plural: str) -> None:
    not_modifiable = [f"{NOUNS[plural]} not of valid status for modification"]
    draft = made(xero, plural)
    assert words(xero.status_by_api(plural, draft, "VOIDED")) == not_modifiable
    gone = xero.status_by_api(plural, draft, "DELETED")
    assert (gone["Status"], gone["HasErrors"], gone["StatusAttributeString"]) == ("DELETED", False, "OK")
    assert gone["UpdatedDateUTC"] > draft["UpdatedDateUTC"]
    after = shown(xero, plural, draft)
    changed = {"Status", "UpdatedDateUTC", "UpdatedDateUTCString", "AmountDue"}
    assert {name for name in after if after[name] != draft.get(name)} <= changed
    assert (after["LineItems"], after["Total"], after.get("AmountDue", 0)) == (draft["LineItems"], 110, 0)
    assert is_listed(xero, plural, after)
    for status in ("DELETED", "DRAFT", "VOIDED"):
        refused = xero.status_by_api(plural, draft, status)
        assert (words(refused), refused["StatusAttributeString"]) == (not_modifiable, "ERROR")
    summed = xero.call("POST", plural, [{KEYS[plural]: draft[KEYS[plural]], "Status": "DELETED"}])
    assert (summed.status_code, words(summed.json()["Elements"][0])) == (400, not_modifiable)
    assert shown(xero, plural, draft) == after


def is_listed(xero: InXero, plural: str, document: dict[str, Any]) -> bool:
    """Whether the list has it, apart from the contact, which lists show in short."""
    listed = xero.sandbox.get(plural, page=1, pageSize=1000, unitdp=4).json()[plural]
    return {**document, "Contact": None} in [{**row, "Contact": None} for row in listed]


@pytest.mark.parametrize("plural", ["Invoices", "CreditNotes"])
def test_what_is_approved_is_voided_unless_money_has_moved(xero: InXero, plural: str) -> None:
    open_one, used = (made(xero, plural, Status="AUTHORISED") for _ in "ab")
    not_modifiable = f"{NOUNS[plural]} not of valid status for modification"
    assert words(xero.status_by_api(plural, open_one, "DELETED")) == [not_modifiable]
    assert xero.status_by_api(plural, open_one, "VOIDED")["Status"] == "VOIDED"
    assert words(xero.status_by_api(plural, open_one, "VOIDED")) == [not_modifiable]
    invoice = used if plural == "Invoices" else made(xero, "Invoices", Status="AUTHORISED")
    if plural == "Invoices":
        xero.act("pay", invoice=used["InvoiceID"], amount=1)
    else:
        xero.act("credit", invoice=invoice["InvoiceID"], credit=used["CreditNoteID"], amount=1)
    assert words(xero.status_by_api(plural, used, "VOIDED")) == [
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it"
    ]
    allocated = "This document cannot be edited as it has a payment or credit note allocated to it."
    assert words(xero.status_by_api(plural, used, "DELETED")) == [not_modifiable, allocated]
    xero.act("pay", invoice=invoice["InvoiceID"])
    assert shown(xero, "Invoices", invoice)["Status"] == "PAID"
    assert xero.status_by_api("Invoices", invoice, "VOIDED")["HasErrors"]
    assert shown(xero, "Invoices", invoice)["Status"] == "PAID"


def test_an_order_is_deleted_in_any_status_and_never_voided(xero: InXero) -> None:
    for status in ("DRAFT", "SUBMITTED", "AUTHORISED"):
        order = made(xero, "PurchaseOrders", Status=status)
        assert xero.status_by_api("PurchaseOrders", order, "VOIDED")["HasErrors"]
        assert xero.status_by_api("PurchaseOrders", order, "DELETED")["Status"] == "DELETED"


def test_each_of_a_batch_of_deletions_has_its_own_result_and_a_key_is_answered_again(xero: InXero) -> None:
    first, second, third = (made(xero, "Invoices") for _ in "abc")
    xero.act("delete", invoice=second["InvoiceID"])
    batch = [{"InvoiceID": one["InvoiceID"], "Status": "DELETED"} for one in (first, second, third)]
    batch.append({"InvoiceID": "1" * 36, "Status": "DELETED"})
    answers = [xero.call("POST", "Invoices", batch, key="gone", summarizeErrors="false") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert [call["replayed"] for call in xero.sandbox.control("GET", "calls")[-2:]] == [False, True]
    elements = answers[0].json()["Invoices"]
    assert [one["StatusAttributeString"] for one in elements] == ["OK", "ERROR", "OK", "ERROR"]
    assert words(elements[1]) == ["Invoice not of valid status for modification"]
    assert words(elements[3]) == ["The document with the supplied id was not found for this endpoint."]
    assert {shown(xero, "Invoices", one)["Status"] for one in (first, second, third)} == {"DELETED"}
    other = xero.call("POST", "Invoices", batch[:1], key="gone")
    assert (other.status_code, "is used with a different request" in other.text) == (400, True)


def test_a_document_that_is_sent_without_lines_keeps_them_and_without_its_url_keeps_that(xero: InXero) -> None:
    lines = [{"Description": "Bolts", "Quantity": 3, "UnitAmount": "0.3333", "AccountCode": "310", "TaxAmount": "0.07"}]
    for plural in KINDS:
        draft = made(xero, plural, LineItems=lines)
        (changed,) = xero.call(
            "POST", plural, [{KEYS[plural]: draft[KEYS[plural]], "Date": "2026-11-03"}], unitdp=4
        ).json()[plural]
        assert (changed["LineItems"], changed["Total"]) == (draft["LineItems"], 1.07)
        assert changed["DateString"] == "2026-11-03T00:00:00"
    bill = made(xero, "Invoices", Url="https://qicworks.example/7")

    def url(**fields: Any) -> Any:
        xero.call("POST", "Invoices", [{"InvoiceID": bill["InvoiceID"], **fields}])
        return shown(xero, "Invoices", bill).get("Url")

    assert url(Date="2026-11-03") == "https://qicworks.example/7"
    assert url(Url="") is None


def moment(row: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(row["UpdatedDateUTC"][6:].partition("+")[0]) / 1000, UTC)


@pytest.mark.parametrize(
    ("plural", "key"),
    [(plural, key) for plural, key in KEYS.items()] + [("Payments", "PaymentID")],
)
def test_lists_give_what_has_changed_in_order_and_by_page(xero: InXero, plural: str, key: str) -> None:
    xero.sandbox.reset(invoices={"Harbour & Sons Plumbing Pty Ltd": 150})
    xero.sandbox.settings(limits=False)
    truth = sorted(xero.sandbox.truth(plural), key=moment)
    assert len(truth) > 4
    middle = moment(truth[len(truth) // 2]).replace(microsecond=0)
    expected = [row[key] for row in truth if moment(row) >= middle]
    assert 0 < len(expected) < len(truth)
    for since in (middle.strftime("%Y-%m-%dT%H:%M:%S"), format_datetime(middle, usegmt=True)):
        seen: list[str] = []
        for page in range(1, 2 + len(expected) // 3):
            answer = xero.sandbox.get(plural, since=since, order="UpdatedDateUTC ASC", page=page, pageSize=3).json()
            assert answer["pagination"]["itemCount"] == len(expected)
            seen += [row[key] for row in answer[plural]]
        assert seen == expected
    newest = xero.sandbox.get(plural, order="UpdatedDateUTC DESC", page=1, pageSize=1000).json()[plural]
    assert [row[key] for row in newest] == [row[key] for row in reversed(truth)]
    later = moment(truth[-1]) + timedelta(seconds=1)
    since = later.strftime("%Y-%m-%dT%H:%M:%S")
    answer = xero.sandbox.get(plural, since=since, page=1)
    assert (answer.status_code, answer.json()[plural]) == (200, [])


def test_only_invoices_have_summaries_and_orders_no_filter_of_their_own(xero: InXero) -> None:
    """As the specification says: summaryOnly of Invoices and Contacts; no `where` of PurchaseOrders."""
    for plural in KINDS:
        rows = xero.sandbox.get(plural, page=1, summaryOnly="true").json()[plural]
        assert rows
        assert all(("LineItems" in row) == (plural != "Invoices") for row in rows), plural
    where = {"where": 'Status=="BILLED"'}
    every = xero.sandbox.get("PurchaseOrders").json()["PurchaseOrders"]
    assert len({row["Status"] for row in every}) > 1
    assert xero.sandbox.get("PurchaseOrders", **where).json()["PurchaseOrders"] == every
    assert {row["Status"] for row in xero.sandbox.get("CreditNotes", where='Status=="PAID"').json()["CreditNotes"]} == {
        "PAID"
    }


def test_payments_of_bills_are_listed_with_what_they_pay(xero: InXero) -> None:
    bill = made(xero, "Invoices", Status="AUTHORISED", InvoiceNumber="S-1")
    sale = xero.make("Invoices", Type="ACCREC", Status="AUTHORISED",
                     LineItems=[{"Description": "Work", "UnitAmount": 9, "AccountCode": "200"}])  # fmt: skip
    (paid,) = xero.act("pay", invoice=bill["InvoiceID"], amount=40)["Payments"]
    (received,) = xero.act("pay", invoice=sale["InvoiceID"])["Payments"]
    since = moment(paid).strftime("%Y-%m-%dT%H:%M:%S")
    rows = xero.sandbox.get("Payments", since=since, order="UpdatedDateUTC ASC", page=1).json()["Payments"]
    assert [row["PaymentID"] for row in rows] == [paid["PaymentID"], received["PaymentID"]]
    quoted = rows[0]["Invoice"]
    assert (quoted["Type"], quoted["InvoiceID"], quoted["InvoiceNumber"]) == ("ACCPAY", bill["InvoiceID"], "S-1")
    assert (rows[0]["PaymentType"], rows[0]["Amount"]) == ("ACCPAYPAYMENT", 40)
    where = 'Invoice.Type=="ACCPAY" AND Status=="AUTHORISED"'
    bills = xero.sandbox.get("Payments", since=since, where=where).json()["Payments"]
    assert [row["PaymentID"] for row in bills] == [paid["PaymentID"]]
    xero.act("delete_payment", payment=paid["PaymentID"])
    (last,) = xero.sandbox.get("Payments", since=since, where='Status=="DELETED"').json()["Payments"]
    assert last["PaymentID"] == paid["PaymentID"]
