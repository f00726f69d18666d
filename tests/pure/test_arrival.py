"""A change whose response was lost: whether it is in Xero, by what the record has."""

from typing import Any

import pytest

from xero.documents.registry import KINDS
from xero.sync.push.content.arrival import arrival, is_edited
from xero.sync.push.content.content import of_payload
from xero.sync.push.content.judging import base_of, pushed

Json = dict[str, Any]
KIND = KINDS["purchase_orders"]
OLD, NEW, OTHER = "2026-10-05", "2026-10-06", "2026-11-20"


def line(id: str | None, text: str = "Labour", price: float = 10) -> Json:
    known = {"LineItemID": id} if id else {}
    fixed = {"Quantity": 1, "AccountID": "a", "TaxType": "INPUT", "Tracking": []}
    return {**known, **fixed, "Description": text, "UnitAmount": price}


def order(day: str, *lines: Json, words: str = "PO") -> Json:
    contact = {"Contact": {"ContactID": "c"}, "LineAmountTypes": "Exclusive"}
    return {"PurchaseOrderNumber": "1", "Reference": words, "Date": day, **contact, "LineItems": list(lines)}


BEFORE = order(OLD, line("one"), line("two"))
BASE = base_of(pushed(KIND, of_payload(KIND, BEFORE), BEFORE, BEFORE))
REDATED = order(NEW, line("one"), line("two"))
EDITED = order(OLD, line("one"), line("two", price=11))
ADDED = order(OLD, line("one"), line("two"), line(None, "New", 5))
REMOVED = order(OLD, line("one"))
BOTH = order(NEW, line("one"), line("two", price=11))


@pytest.mark.parametrize(
    ("sent", "now", "arrived", "edited"),
    [
        (REDATED, BEFORE, False, False),
        (REDATED, REDATED, True, False),
        (REDATED, order(OTHER, line("one"), line("two")), False, True),
        (REDATED, order(NEW, line("one"), line("two"), words="Xero's"), True, True),
        (REDATED, order(OLD, line("one"), line("two"), words="Xero's"), False, True),
        (REDATED, order(NEW, line("one")), True, True),
        (EDITED, BEFORE, False, False),
        (EDITED, EDITED, True, False),
        (EDITED, order(OLD, line("one")), False, True),
        (ADDED, BEFORE, False, False),
        (ADDED, order(OLD, line("one"), line("two"), line("new", "New", 5)), True, False),
        (ADDED, order(OLD, line("one"), line("two"), line("new", "New", 6)), True, True),
        (ADDED, order(OLD, line("one"), line("two"), line("its", "Xero's", 9)), False, True),
        (REMOVED, BEFORE, False, False),
        (REMOVED, REMOVED, True, False),
        (BOTH, BOTH, True, False),
        (BOTH, EDITED, False, True),  # the same by hand, of one of both
        (BOTH, order(NEW, line("one"), line("two", price=99)), True, True),
        (BEFORE, BEFORE, False, False),
        (REDATED, {**REDATED, "Date": "no day"}, False, False),
        (REDATED, {**REDATED, "LineItems": None}, False, False),
    ],
)
def test_what_arrived_and_what_was_edited_in_xero(sent: Json, now: Json, arrived: bool, edited: bool) -> None:
    assert (arrival(KIND, sent, now, BASE, None) is not None) is arrived
    assert is_edited(KIND, sent, now, BASE) is edited


def test_without_what_was_pushed_before_nothing_is_known() -> None:
    assert arrival(KIND, REDATED, REDATED, None, None) is None
    assert not is_edited(KIND, REDATED, order(OTHER, line("one")), None)


def test_each_line_that_was_sent_has_its_id() -> None:
    sent = order(OLD, line("two"), line(None, "A", 1), line(None, "B", 2))
    now = order(OLD, line("b", "B", 2), line("two"), line("a", "A, edited", 1))
    found = arrival(KIND, sent, now, BASE, None)
    assert found
    assert found.lines == ("two", "a", "b")
