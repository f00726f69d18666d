"""A line's tax that a bookkeeper overrode in Xero, and QicWorks took over, stays until QicWorks edits that line."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.support.followed import choose, differing, do, record, set_conflicts, sweep
from tests.support.pushing import PRICED, Books, Line
from tests.support.tying_out import tie

TYPES = ("Exclusive", "Inclusive", "NoTax")
LINES = (Line("100"), Line("50", "2", "Cable"))
Documents = list[tuple[str, UUID, Decimal]]  # with the tax of the first line after it was overridden


def documents(books: Books) -> Iterator[tuple[str, dict[str, Any]]]:
    for types in TYPES:
        for kind in PRICED:
            for side in ({"side": "customer"}, {"side": "supplier"}) if kind == "credit_notes" else ({},):
                yield kind, {"line_amount_types": types, **side}


def edit_in_xero(books: Books, kind: str, document: UUID, *taxes: str | None) -> None:
    """The tax of each line; None: as it is."""
    there = record(books, kind, document)["LineItems"]
    lines = [
        {
            **{name: line[name] for name in ("LineItemID", "Quantity", "UnitAmount", "TaxType")},
            "TaxAmount": line["TaxAmount"] if tax is None else Decimal(tax),
        }
        for line, tax in zip(there, taxes, strict=True)
    ]
    do(
        books,
        kind,
        document,
        "edit",
        fields={"LineItems": [{**one, "TaxAmount": float(one["TaxAmount"])} for one in lines]},
    )


def taxes(books: Books, kind: str, document: UUID) -> list[Decimal]:
    return [Decimal(str(line["TaxAmount"])) for line in record(books, kind, document)["LineItems"]]


def push(books: Books) -> None:
    for kind in PRICED:
        books.push(kind)


def overridden(books: Books, mode: str, *sent: str | None) -> Documents:
    """Documents of every kind and line amount type, of which QicWorks took over the tax."""
    set_conflicts(books, mode)
    made = [(kind, books.add(kind, *LINES, **columns)) for kind, columns in documents(books)]
    push(books)
    sweep(books)
    for kind, document in made:
        edit_in_xero(books, kind, document, *sent)
    sweep(books)
    if mode == "ask":
        for kind, document in made:
            if differing(books, document):
                choose(books, document, "xero")
                books.edit(kind, document, push_state="ready")  # as the button does
    push(books)
    sweep(books)
    assert differing(books) == []
    return [(kind, document, taxes(books, kind, document)[0]) for kind, document in made]


def edit(books: Books, kind: str, document: UUID, place: int, **columns: Any) -> None:
    """A line, as the office does it; the document's amounts follow, with the tax that was taken over where it holds."""
    sets = ", ".join(f"{name} = %s" for name in columns)
    books.world.query(
        f"UPDATE qicworks.document_line SET {sets} WHERE parent_id = %s AND line_number = %s",
        *columns.values(),
        document,
        place,
    )


def assert_taxed(books: Books, made: Documents) -> None:
    """Each has that tax on its first line on both sides, and nothing differs."""
    push(books)
    sweep(books)
    for kind, document, tax in made:
        row = books.row(kind, document)
        assert row["push_state"] == "pushed", (kind, row["push_error"])
        assert taxes(books, kind, document)[0] == tax, (kind, row["line_amount_types"])
    assert differing(books) == []


@pytest.mark.parametrize("mode", ["ask", "xero"])
def test_another_edit_sends_it_along(books: Books, mode: str) -> None:
    made = overridden(books, mode, "7.00", None)
    assert {tax for *_, tax in made} == {Decimal("7.00"), Decimal(0)}, "without tax there is none to override"
    for kind, document, _ in made:
        edit(books, kind, document, 1, description="By the office")
    assert_taxed(books, made)
    assert all(record(books, kind, one)["LineItems"][0]["Description"] == "By the office" for kind, one, _ in made)
    # The lines are saved anew, as QicWorks may do it.
    for _, document, _ in made:
        books.world.query(
            "WITH gone AS (DELETE FROM qicworks.document_line WHERE parent_id = %s RETURNING *)"
            " INSERT INTO qicworks.document_line (parent_type, parent_id, line_number, description, quantity,"
            " unit_price, line_total, tax_amount, account_id, tax_code_id)"
            " SELECT parent_type, parent_id, line_number + 2, description || ', again', quantity, unit_price,"
            " line_total, tax_amount, account_id, tax_code_id FROM gone",
            document,
        )
    assert_taxed(books, made)
    assert tie(books).is_green


def test_overrides_that_cancel_out_are_seen(books: Books) -> None:
    """Though the totals are the same; and of one line alone."""
    made = overridden(books, "xero", "12.00", "8.00")
    for kind, document, _ in made:
        edit(books, kind, document, 2, description="By the office")
    for kind, document, tax in made:
        assert books.lines(kind, document)[0]["tax_amount"] == (tax or None)
    push(books)
    assert {tuple(taxes(books, kind, one)) for kind, one, _ in made} == {(12, 8), (0, 0)}


OTHER_TYPES = {"Exclusive": "Inclusive", "Inclusive": "Exclusive", "NoTax": "Exclusive"}


@pytest.mark.parametrize("column", ["quantity", "unit_price", "tax_code_id", "line_amount_types"])
def test_an_edit_of_what_it_was_made_of_takes_the_rate_s_again(books: Books, column: str) -> None:
    made = overridden(books, "xero", "7.00", None)
    for kind, document, _ in made:
        row, line = books.row(kind, document), books.lines(kind, document)[0]
        if column == "line_amount_types":
            books.edit(kind, document, line_amount_types=OTHER_TYPES[row["line_amount_types"]])
        else:
            code = books.tax_codes["EXEMPTOUTPUT" if line["tax_type"] == "OUTPUT" else "EXEMPTEXPENSES"]
            edit(books, kind, document, 1, **{column: {"quantity": 3, "unit_price": 30, "tax_code_id": code}[column]})
            edit(books, kind, document, 1, line_total={"quantity": 300, "unit_price": 30, "tax_code_id": 100}[column])
        books.reprice(kind, document)
    push(books)
    sweep(books)
    assert differing(books) == []
    for kind, document, _ in made:
        row = books.row(kind, document)
        assert (row["push_state"], sum(taxes(books, kind, document))) == ("pushed", row["total_tax"])
