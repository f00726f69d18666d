"""Checks of what Xero approves: open periods, and due dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from xero.documents.declaration import CheckResult, PricedDocument, PricedRow
from xero.documents.parts.arriving import Arrival


def dated(document: PricedDocument) -> Iterator[CheckResult]:
    """In an open period: Xero accepts drafts in a locked one, but they cannot be approved."""
    day, lock = document.row.issue_date, _lock(document.row)
    if day is None:
        yield CheckResult("it has no date", "Set the date of the {document}.", "release")
    elif lock and document.arrival is not Arrival.AUTHORISED:
        yield CheckResult(
            f"its date {day} is not after the {lock} in Xero, so the draft cannot be approved there: change the date, "
            "or ask your accountant to move the lock date"
        )


def approvable(document: PricedDocument) -> Iterator[CheckResult]:
    """Of one that arrives approved, and posts to the ledger: in an open period."""
    lock = _lock(document.row)
    if lock and document.arrival is Arrival.AUTHORISED:
        yield CheckResult(
            f"its date {document.row.issue_date} is not after the {lock} in Xero, so Xero does not approve it",
            "Change the date of the {document}, or ask your accountant to move the lock date in Xero. Or let this type "
            "of document arrive as a draft, under Xero › Connections › Settings.",
            "either",
        )


def due(document: PricedDocument) -> Iterator[CheckResult]:
    """Of one that arrives approved: with a due date."""
    if document.arrival is Arrival.AUTHORISED and document.row.due_date is None:
        yield CheckResult(
            "it has no due date, so Xero does not approve it", "Set the due date of the {document}.", "release"
        )


def _lock(row: PricedRow) -> str | None:
    """The lock date that its date is not after, with its name."""
    for name, lock in (
        ("period lock date", row.period_lock_date),
        ("end of year lock date", row.end_of_year_lock_date),
    ):
        if isinstance(lock, date) and isinstance(row.issue_date, date) and row.issue_date <= lock:
            return f"{name} {lock}"
    return None
