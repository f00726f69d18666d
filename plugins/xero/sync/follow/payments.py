"""Compares what is paid of a document: QicWorks' amount, Xero's own, and the sum of the payments that Xero lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xero.documents.declaration import PricedKind
from xero.documents.registry import KINDS
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Changes, Found, Reason, Settled
from xero.qicworks.follow.followed import FollowedDocuments, Paid
from xero.sync.follow import reporting
from xero.sync.runs.run import Run


def follow_payments(it: Run) -> Sequence[str]:
    """Opens and settles differences of what is paid, in the transaction that loads it; returns a remark if some are
    new."""
    return reporting.remark(list(_changes(it)))


def _changes(it: Run) -> Iterator[Changes]:
    for kind in KINDS.values():
        if not (isinstance(kind, PricedKind) and kind.paid):
            continue
        documents = FollowedDocuments(it.session, it.connection, kind)
        for paid in documents.paid_otherwise():
            about = About(it.connection.id, kind.name, paid.id, kind.called(paid.number, paid.id))
            yield _write(it, about, _found(paid), Settled.AGREES if paid.is_known else Settled.GONE)
        for id, name in documents.removed():
            yield _write(it, About(it.connection.id, kind.name, id, name), [], Settled.GONE)


def _write(it: Run, about: About, found: Sequence[Found], how: Settled) -> Changes:
    changes = differences.compare(it.session, about, found, (Reason.PAID_DIFFERS,), how)
    reporting.report(it, about, changes)
    return changes


def _found(paid: Paid) -> list[Found]:
    """QicWorks' paid to date against both of Xero's amounts, of which at least one is another."""
    if not paid.is_known:
        return []
    theirs = {"amount paid": paid.amount_paid, "sum of its payments": paid.payments}
    if all(amount == paid.paid_to_date for amount in theirs.values()):
        return []
    ours = dict.fromkeys(theirs, f"{paid.paid_to_date:.2f}")
    return [Found(Reason.PAID_DIFFERS, ours, {name: f"{amount:.2f}" for name, amount in theirs.items()})]
