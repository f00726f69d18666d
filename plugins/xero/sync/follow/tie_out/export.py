"""A tie-out as CSV: rows that a spreadsheet can add up, and that it does not run as formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC
from decimal import Decimal

from xero.qicworks.follow.differences import Difference
from xero.qicworks.texts import for_a_spreadsheet
from xero.qicworks.views.differences import is_private
from xero.sync.follow.tie_out.result import Tied, TieOut

COLUMNS = (
    "organisation",
    "kind",
    "number",
    "date",
    "currency",
    "state",
    "reason",
    "field",
    "QicWorks",
    "Xero",
    "since",
)
TOTAL = "total"
Values = Sequence[object]


def line(values: Values) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([for_a_spreadsheet(value) for value in values])
    return written.getvalue()


def rows(tied: TieOut) -> Iterator[Values]:
    """One row with the total of each document on both sides, equal or not, and one for each other field that differs.

    So the rows whose field is `total` add up to what each side has. Of pay and leave there are no values.
    """
    for one in tied.documents:
        yield from _of_document(tied, one)
    for difference in tied.others:
        yield from _of_difference((tied.organisation, difference.document_kind, difference.label, "", ""), difference)
    for unchecked in tied.unchecked:
        yield (
            tied.organisation,
            ", ".join(unchecked.kinds),
            "",
            "",
            "",
            "not checked",
            unchecked.message,
            "",
            "",
            "",
            "",
        )


def _of_document(tied: TieOut, one: Tied) -> Iterator[Values]:
    document = one.document
    number, day, currency = document.number or str(document.id), document.day or "", document.currency or ""
    named = (tied.organisation, one.kind.name, number, day, currency)
    of_total = next((each for each in one.differences if TOTAL in each.ours or TOTAL in each.theirs), None)
    ours = document.our_total if one.in_qicworks else None
    theirs = document.their_total if one.in_xero else None
    reason, since = (of_total.reason.value, _since(of_total)) if of_total else ("", "")
    yield (*named, one.state.value, reason, TOTAL, _amount(ours), _amount(theirs), since)
    for difference in one.differences:
        yield from _of_difference(named, difference)


def _of_difference(named: tuple[str, ...], one: Difference) -> Iterator[Values]:
    """A row for each field but the total, which has its own."""
    names = [name for name in dict.fromkeys((*one.ours, *one.theirs)) if name != TOTAL]
    hidden = is_private(one.document_kind)
    for name in names or ([""] if TOTAL not in one.ours else []):
        sides = ("", "") if hidden else (one.ours.get(name, ""), one.theirs.get(name, ""))
        yield (*named, "differs", one.reason.value, name, *sides, _since(one))


def _amount(value: Decimal | None) -> str:
    return "" if value is None else f"{value:.2f}" if value == round(value, 2) else f"{value:f}"


def _since(one: Difference) -> str:
    return one.since.astimezone(UTC).isoformat(timespec="seconds")
