"""Xero's version is kept: what of QicWorks' it is written over, and what it leaves alone."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from tests.support.between import Between
from tests.support.differing import put_off
from tests.support.followed import choose, differing, do, record, set_conflicts, sweep, sweep_fully
from tests.support.in_step import Part, Steps, every_kind
from tests.support.pushing import PRICED, Books, Line, Row
from xero.api import wire
from xero.documents.pricing import cents

LINES = (Line("100"), Line("50", "2", "Cable"))


def pushed(books: Books, kind: str) -> Part[UUID]:
    document = books.add(kind, *LINES)
    books.push(kind)
    yield sweep
    return document


def keep_xeros(books: Books, document: UUID, mode: str) -> None:
    """By a user, or by the setting."""
    if mode == "ask":
        choose(books, document, "xero")


def edit_line(books: Books, kind: str, document: UUID, place: int, **columns: object) -> None:
    """As the office does it."""
    sets = ", ".join(f"{name} = %s" for name in columns)
    books.world.query(
        f"UPDATE qicworks.document_line SET {sets} WHERE parent_id = %s AND line_number = %s",
        *columns.values(),
        document,
        place,
    )
    books.reprice(kind, document)


def edit_line_in_xero(books: Books, kind: str, document: UUID, place: int, **fields: object) -> None:
    lines = [{"LineItemID": line["LineItemID"]} for line in record(books, kind, document)["LineItems"]]
    lines[place - 1] |= fields
    do(books, kind, document, "edit", fields={"LineItems": lines})


def told(books: Books, document: UUID) -> str:
    rows = books.world.query(
        "SELECT message FROM xero_sync.connection_event WHERE document_id = %s AND direction = 'push'", document
    )
    return " ".join(row["message"] for row in rows)


def assert_agree(books: Books, kind: str, document: UUID) -> Part[Row]:
    """Both sides have the same, to the cent."""
    books.push(kind)
    yield sweep
    row = books.row(kind, document)
    assert (row["push_state"], differing(books, document)) == ("pushed", [])
    ours, theirs = books.as_in_qicworks(kind, row), record(books, kind, document)
    assert ours["amounts"][2] == Decimal(str(theirs["Total"]))
    lines = [(line["Description"], Decimal(str(line["Quantity"]))) for line in theirs["LineItems"]]
    assert [(line["description"], line["quantity"]) for line in books.lines(kind, document)] == lines
    return row


@pytest.mark.parametrize("mode", ["ask", "xero"])
@every_kind
def test_an_edit_of_another_line_that_waits_is_sent(books: Books, kind: str, mode: str) -> Steps:
    set_conflicts(books, mode)
    document = yield from pushed(books, kind)
    edit_line(books, kind, document, 2, quantity=9, description="Cable, nine")
    edit_line_in_xero(books, kind, document, 1, Description="By the bookkeeper", Quantity=3)
    yield sweep
    keep_xeros(books, document, mode)
    books.push(kind)
    row = yield from assert_agree(books, kind, document)
    lines = [(line["description"], line["quantity"]) for line in books.lines(kind, document)]
    assert lines == [("By the bookkeeper", 3), ("Cable, nine", 9)]
    assert row["sub_total"] == 3 * 100 + 9 * 50


@pytest.mark.parametrize("types", ["Inclusive", "Exclusive"])
@every_kind
def test_totals_are_those_of_the_lines_that_both_sides_edited(books: Books, kind: str, types: str) -> Steps:
    set_conflicts(books, "xero")
    document = books.add(kind, *LINES, line_amount_types={"Inclusive": "Exclusive", "Exclusive": "Inclusive"}[types])
    books.push(kind)
    yield sweep
    edit_line_in_xero(books, kind, document, 1, Quantity=3)
    yield sweep
    books.edit(kind, document, line_amount_types=types)
    edit_line(books, kind, document, 2, quantity=9)
    books.push(kind)
    row = yield from assert_agree(books, kind, document)
    tax = {"Inclusive": cents(Decimal(300) / 11) + cents(Decimal(450) / 11), "Exclusive": Decimal(75)}[types]
    assert (row["line_amount_types"], row["total_tax"]) == (types, tax)
    assert row["total"] == {"Inclusive": 750, "Exclusive": 825}[types]


@pytest.mark.parametrize("mode", ["ask", "xero"])
@every_kind
def test_other_fields_of_the_same_line_are_sent(books: Books, kind: str, mode: str) -> Steps:
    set_conflicts(books, mode)
    document = yield from pushed(books, kind)
    edit_line(books, kind, document, 1, description="By the office", unit_price=20)
    edit_line_in_xero(books, kind, document, 1, Quantity=3)
    yield sweep
    keep_xeros(books, document, mode)
    books.push(kind)
    row = yield from assert_agree(books, kind, document)
    first = books.lines(kind, document)[0]
    assert (first["description"], first["quantity"], first["unit_price"]) == ("By the office", 3, 20)
    assert row["sub_total"] == 3 * 20 + 2 * 50


@every_kind
def test_the_event_says_what_of_qicworks_was_overwritten(books: Books, kind: str) -> Steps:
    set_conflicts(books, "xero")
    document = yield from pushed(books, kind)
    edit_line(books, kind, document, 1, description="By the office")
    edit_line(books, kind, document, 2, description="Cable, by the office")
    edit_line_in_xero(books, kind, document, 1, Description="By the bookkeeper")
    do(books, kind, document, "edit", fields={"Date": "2026-10-08"})
    yield sweep
    books.push(kind)
    _, _, own = told(books, document).partition("Of it, QicWorks had edited: ")
    assert own == "line 1 description By the office → By the bookkeeper"
    yield from assert_agree(books, kind, document)
    assert books.lines(kind, document)[1]["description"] == "Cable, by the office"


@pytest.mark.parametrize("mode", ["ask", "xero"])
@every_kind
def test_a_line_that_one_side_edited_and_the_other_removed(books: Books, kind: str, mode: str) -> Steps:
    set_conflicts(books, mode)
    ours, theirs = (yield from pushed(books, kind)), (yield from pushed(books, kind))
    books.world.query("DELETE FROM qicworks.document_line WHERE parent_id = %s AND line_number = 2", ours)
    books.reprice(kind, ours)
    edit_line_in_xero(books, kind, ours, 2, Quantity=7)
    edit_line(books, kind, theirs, 2, description="By the office")
    first = record(books, kind, theirs)["LineItems"][0]["LineItemID"]
    do(books, kind, theirs, "edit", fields={"LineItems": [{"LineItemID": first}]})
    books.push(kind)
    if mode == "ask":
        assert {books.row(kind, one)["push_state"] for one in (ours, theirs)} == {"failed"}
        for one in (ours, theirs):
            choose(books, one, "xero")
            books.edit(kind, one, push_state="ready")
        books.push(kind)
    yield from assert_agree(books, kind, ours)
    yield from assert_agree(books, kind, theirs)
    assert [line["quantity"] for line in books.lines(kind, ours)] == [1, 7]
    assert len(books.lines(kind, theirs)) == 1
    assert "line 2 By the office" in told(books, theirs)


@pytest.mark.parametrize("side", ["qicworks", "xero"])
@every_kind
def test_what_the_office_edits_after_the_choice_is_asked_about(books: Books, kind: str, side: str) -> Steps:
    document = yield from pushed(books, kind)
    do(books, kind, document, "edit", fields={"Date": "2026-10-08"})
    yield sweep
    choose(books, document, side)
    books.edit(kind, document, issue_date=date(2026, 10, 9))  # before the push
    books.push(kind)
    [one] = differing(books, document)
    assert (one.ours, one.theirs, one.chosen) == ({"date": "2026-10-09"}, {"date": "2026-10-08"}, None)
    assert books.row(kind, document)["issue_date"] == date(2026, 10, 9)
    assert wire.date(record(books, kind, document)["Date"]) == date(2026, 10, 8)
    choose(books, document, side)
    books.edit(kind, document, push_state="ready")
    books.push(kind)
    row = yield from assert_agree(books, kind, document)
    assert row["issue_date"] == date(2026, 10, 9 if side == "qicworks" else 8)


@every_kind
def test_another_field_that_the_office_edits_after_the_choice_is_sent(books: Books, kind: str) -> Steps:
    document = yield from pushed(books, kind)
    edit_line_in_xero(books, kind, document, 1, Description="By the bookkeeper")
    yield sweep
    choose(books, document, "xero")
    edit_line(books, kind, document, 2, quantity=9)
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    books.push(kind)
    row = yield from assert_agree(books, kind, document)
    first, second = books.lines(kind, document)
    assert (first["description"], second["quantity"]) == ("By the bookkeeper", 9)
    assert row["issue_date"] == date(2026, 10, 9)


@pytest.mark.parametrize("mode", ["ask", "xero"])
@every_kind
def test_totals_are_not_taken_over_without_the_lines(books: Books, kind: str, mode: str) -> Steps:
    set_conflicts(books, mode)
    document = yield from pushed(books, kind)
    edit_line(books, kind, document, 2, quantity=9)
    totals = [books.row(kind, document)[name] for name in ("sub_total", "total_tax", "total")]
    do(books, kind, document, "edit", fields={"Date": "2026-10-08"})
    yield sweep
    keep_xeros(books, document, mode)
    books.push(kind)
    row = yield from assert_agree(books, kind, document)
    assert [row[name] for name in ("sub_total", "total_tax", "total")] == totals
    assert row["issue_date"] == date(2026, 10, 8)


@every_kind
def test_a_contact_is_shown_by_its_name(books: Books, kind: str) -> Steps:
    document = yield from pushed(books, kind)
    ours, theirs = (
        books.world.query("SELECT xero_id, name FROM qicworks.contact WHERE id = %s", books.contacts[nth])[0]
        for nth in (0, 1)
    )
    do(books, kind, document, "edit", fields={"Contact": {"ContactID": str(theirs["xero_id"])}})
    yield sweep
    [one] = differing(books, document)
    assert (one.ours, one.theirs) == ({"contact": ours["name"]}, {"contact": theirs["name"]})


LONG = "x" * 600  # characters: more than are kept of a value


@pytest.mark.parametrize("side", ["qicworks", "xero"])
@every_kind
def test_a_choice_holds_for_the_whole_of_a_long_text(books: Books, kind: str, side: str) -> Steps:
    document = yield from pushed(books, kind)
    edit_line_in_xero(books, kind, document, 1, Description=f"{LONG} first")
    yield sweep
    choose(books, document, side)
    edit_line_in_xero(books, kind, document, 1, Description=f"{LONG} second")
    books.edit(kind, document, push_state="ready")
    books.push(kind)
    assert [one.chosen for one in differing(books, document)] == [None], "of words that nobody saw"
    assert books.lines(kind, document)[0]["description"] == LINES[0].description
    assert record(books, kind, document)["LineItems"][0]["Description"] == f"{LONG} second"
    choose(books, document, side)
    books.edit(kind, document, push_state="ready")
    books.push(kind)
    yield from assert_agree(books, kind, document)


@every_kind
def test_whoever_puts_a_long_text_off_has_put_off_no_other(books: Books, kind: str) -> Steps:
    document = yield from pushed(books, kind)
    edit_line_in_xero(books, kind, document, 1, Description=f"{LONG} first")
    yield sweep
    put_off(books, differing(books, document)[0].id)
    yield sweep_fully
    assert differing(books, document)[0].acknowledged_until, "of the same words it stays"
    edit_line_in_xero(books, kind, document, 1, Description=f"{LONG} second")
    yield sweep
    assert [one.acknowledged_until for one in differing(books, document)] == [None]


@pytest.mark.parametrize("mode", ["ask", "qicworks", "xero"])
@every_kind
def test_a_number_that_was_emptied_in_xero_is_a_difference(books: Books, kind: str, mode: str) -> Steps:
    document = yield from pushed(books, kind)
    number, key = books.row(kind, document)["number"], PRICED[kind][3]
    do(books, kind, document, "edit", fields={key: ""})
    yield sweep
    [one] = differing(books, document)
    assert (one.reason, one.ours, one.theirs) == ("edited_in_xero", {"number": number}, {"number": ""})
    set_conflicts(books, mode)
    books.edit(kind, document, issue_date=date(2026, 10, 9))
    books.push(kind)
    row, there = books.row(kind, document), record(books, kind, document)
    assert row["number"] == number
    if mode == "qicworks":
        assert (row["push_state"], there[key]) == ("pushed", number)
        assert f"number nothing → {number}" in told(books, document)
    else:
        assert (row["push_state"], there[key]) == ("failed", "")
        assert ("it has no number in Xero" in row["push_error"]) == (mode == "xero")


def sweep_without_numbers(books: Books) -> None:
    """Xero leaves them out of its lists."""

    def without_number(answer: dict[str, list[dict[str, object]]]) -> None:
        for records in answer.values():
            for one in records if isinstance(records, list) else ():
                for _, _, _, key, _ in PRICED.values():
                    one.pop(key, None)

    between = Between(books.world.sandbox)
    between.edit(without_number, path="s?")  # not those of one record: its id is before the question mark
    sweep(books)
    between.close()


@every_kind
def test_a_number_that_xero_leaves_out_is_not_known(books: Books, kind: str) -> Steps:
    document = yield from pushed(books, kind)
    do(books, kind, document, "edit", fields={PRICED[kind][3]: ""})
    yield sweep_without_numbers
    assert differing(books, document) == []
    yield sweep_fully
    assert [one.theirs for one in differing(books, document)] == [{"number": ""}]
