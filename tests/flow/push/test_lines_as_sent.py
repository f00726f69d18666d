"""What stands in Xero is what QicWorks has: the supplier's own tax, and the account by its id."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.pushing import PRICED, Books, File, Line

PURCHASES = ("bills", "expenses", "purchase_orders")


def in_xero(books: Books, kind: str) -> dict[str, Any]:
    [record] = books.in_xero(kind)
    return record


def tax(books: Books, kind: str, document: Any, amount: str | None, total: str) -> None:
    books.world.query("UPDATE qicworks.document_line SET tax_amount = %s WHERE parent_id = %s", amount, document)
    books.edit(kind, document, total_tax=amount or "0", total=total)


@pytest.mark.parametrize("kind", [*PURCHASES, "credit_notes"])
@pytest.mark.parametrize(("amount", "total"), [("412.35", "4535.85"), ("0.01", "4123.51"), ("-4123.50", "0.00")])
def test_the_supplier_says_how_much_tax_there_is(books: Books, kind: str, amount: str, total: str) -> None:
    side = {"side": "supplier"} if kind == "credit_notes" else {}
    document = books.add(kind, Line("4123.50"), **side)
    tax(books, kind, document, amount, total)
    assert books.push(kind).counts.pushed == 1
    record = in_xero(books, kind)
    assert Decimal(str(record["LineItems"][0]["TaxAmount"])) == Decimal(amount)
    assert Decimal(str(record["Total"])) == Decimal(total)
    books.world.query("UPDATE qicworks.document_line SET tax_amount = NULL WHERE parent_id = %s", document)
    books.edit(kind, document, total_tax="412.35", total="4535.85", push_state="ready")
    books.push(kind)
    assert Decimal(str(in_xero(books, kind)["LineItems"][0]["TaxAmount"])) == Decimal("412.35"), "the rate's again"


@pytest.mark.parametrize("kind", ["invoices", "credit_notes"])
def test_of_a_sale_the_difference_is_said(books: Books, kind: str) -> None:
    side = {"side": "customer"} if kind == "credit_notes" else {}
    document = books.add(kind, Line("100"), **side)
    tax(books, kind, document, "1.00", "101.00")
    outcome = books.push(kind)
    assert (outcome.status, outcome.counts.pushed) == ("warning", 1)
    said = books.world.query("SELECT message FROM xero_sync.connection_event WHERE document IS NOT NULL")
    assert "its tax is 1.00 in QicWorks" in said[0]["message"]
    assert "TaxAmount" not in {name for call in books.writes() for name in call}


@pytest.mark.parametrize("kind", PRICED)
def test_a_code_that_was_given_to_another_account_books_on_the_right_one(books: Books, kind: str) -> None:
    document = books.add(kind)
    line, *_ = books.lines(kind, document)
    accounts = {one["Code"]: one for one in books.world.sandbox.truth("Accounts") if one.get("Code")}
    ours = accounts[line["account_code"]]
    alike = [one for one in accounts.values() if one["Class"] == ours["Class"] and one["Status"] == "ACTIVE"]
    other = next(one for one in alike if one["Code"] != ours["Code"] and not one.get("SystemAccount"))
    books.world.sandbox.change("Accounts", ours["AccountID"], Code="NEW1")
    books.world.sandbox.change("Accounts", other["AccountID"], Code=ours["Code"])
    assert books.push(kind).counts.pushed == 1
    there, *_ = in_xero(books, kind)["LineItems"]
    assert there["AccountID"] == ours["AccountID"]
    assert there["AccountCode"] == "NEW1"


@pytest.mark.parametrize("kind", PRICED)
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [("AccountID", "00000000-0000-4000-8000-000000000001", "account"), ("TaxType", "NONE", "tax code"),
     ("Tracking", [{"TrackingOptionID": "00000000-0000-4000-8000-000000000002"}], "other departments")],
)  # fmt: skip
def test_what_stands_there_otherwise_than_it_was_sent_is_said(
    books: Books, kind: str, field: str, value: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the answer itself, to a new document and to a change."""
    from xero.sync.push import readback

    real = readback.elements

    def otherwise(kind: Any, data: Any) -> Any:
        found = real(kind, data)
        for record in found:
            for line in record.get("LineItems") or ():
                line[field] = value
        return found

    document = books.add(kind)
    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(readback, "elements", otherwise)
            assert books.push(kind).counts.failed == 1
        row = books.row(kind, document)
        assert says in row["push_error"]
        assert row["xero_id"] is not None
        assert row["push_correction"]
        books.edit(kind, document, push_state="ready")
    assert books.push(kind).counts.pushed == 1


@pytest.mark.parametrize("kind", PRICED)
def test_an_answer_about_another_document_is_not_taken(
    books: Books, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xero.documents.registry import KINDS
    from xero.sync.push import readback

    document = books.add(kind)
    books.push(kind)
    held = books.row(kind, document)["xero_id"]
    books.edit(kind, document, issue_date="2026-10-06")
    real, key = readback.elements, KINDS[kind].key  # type: ignore[attr-defined]

    def another(kind: Any, data: Any) -> Any:
        return [{**one, key: "00000000-0000-4000-8000-000000000003"} for one in real(kind, data)]

    with monkeypatch.context() as patched:
        patched.setattr(readback, "elements", another)
        books.push(kind)
    row = books.row(kind, document)
    assert (row["push_state"], row["xero_id"]) == ("failed", held)
    assert "another document" in row["push_error"]


@pytest.mark.parametrize(("side", "shown"), [("customer", True), ("supplier", False)])
def test_customers_see_what_is_meant_for_them(books: Books, side: str, shown: bool) -> None:
    document = books.add("credit_notes", side=side)
    books.attach("credit_notes", document, File(include_online=True))
    books.push("credit_notes")
    [sent] = [call for call in books.world.calls() if "/Attachments/" in call["path"]]
    assert ("IncludeOnline=true" in sent["query"], sent["status"]) == (shown, 200)
