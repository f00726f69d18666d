"""Keeps what reconcile and the tie-out find as differences, until the same search no longer finds it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from xero.api.client import XeroClient
from xero.datasets.declaration import Dataset, Reading
from xero.documents.registry import KINDS
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Found, Reason
from xero.sync.follow import reporting
from xero.sync.follow.comparison import Comparison
from xero.sync.follow.unlinked_records import UnlinkedRecord
from xero.sync.follow.unproven_pushes import UnprovenPush
from xero.sync.runs.run import Run

OF_FIELD = "found"  # the field under which the sentence of a comparison is kept

Thing = tuple[str, UUID | None]  # kind or data set, and document


@dataclass(frozen=True)
class Compared:
    """The comparison of a data set.

    Args:
        found: What differs, as sentences, by source.
        complete: The sources that were compared completely.
        not_pulled: A source was never loaded, although its pull waits for nothing.
        is_compared: At least one source was.
    """

    found: Mapping[str, Sequence[str]]
    complete: frozenset[str]
    not_pulled: bool
    is_compared: bool

    @property
    def sentences(self) -> list[str]:
        return list(dict.fromkeys(sentence for some in self.found.values() for sentence in some))


def compare_data_set(it: Run, client: XeroClient, dataset: Dataset) -> Compared:
    """Compares all sources of a data set with Xero, and keeps what differs. Raises NotAvailable as the client does."""
    comparisons = {
        source.name or dataset.name: Comparison(it.session, client, it.connection, dataset, source)
        for source in dataset.sources
        if source.reading is not Reading.BY_ID
    }
    found = {name: list(dict.fromkeys(one.run())) for name, one in comparisons.items()}
    result = Compared(
        found,
        frozenset(name for name, one in comparisons.items() if one.is_complete),
        any(one.not_pulled for one in comparisons.values()),
        any(one.cursor is not None for one in comparisons.values()),
    )
    _keep_compared(it, dataset, result)
    return result


def _keep_compared(it: Run, dataset: Dataset, result: Compared) -> None:
    """A source that was not compared completely keeps the difference that it had."""
    now = [
        Found(Reason.RECORDS_DIFFER, {}, {OF_FIELD: "; ".join(sentences)}, source)
        for source, sentences in result.found.items()
        if sentences
    ]
    held = [
        Found(one.reason, one.ours, one.theirs, one.subject, one.ids)
        for one in differences.listed(it.session, it.connection.id, kinds=[dataset.name])
        if one.reason is Reason.RECORDS_DIFFER and one.subject in result.found
        if not (one.subject in result.complete or result.found[one.subject])
    ]
    with it.session.transaction():
        about = About(it.connection.id, dataset.name, None, dataset.title)
        differences.compare(it.session, about, [*now, *held], (Reason.RECORDS_DIFFER,))


def keep_unlinked(it: Run, records: Iterable[UnlinkedRecord], searched: Collection[str]) -> None:
    """Keeps records that may be another one of a document, until a search of all records no longer finds them."""
    found: dict[Thing, tuple[str, list[Found]]] = {}
    for record in records:
        theirs = {"record": str(record.xero_id), **record.shown}
        one = Found(Reason.AMBIGUOUS_MATCH, {}, theirs, str(record.xero_id))
        found.setdefault((record.kind.name, record.document_id), (record.name, []))[1].append(one)
    _keep(it, Reason.AMBIGUOUS_MATCH, found, searched)


def keep_unproven(it: Run, pushes: Iterable[UnprovenPush]) -> None:
    """Keeps documents and files that are marked as pushed without proof, until there is one or they are pushed."""
    found: dict[Thing, tuple[str, list[Found]]] = {}
    for push in pushes:
        one = Found(Reason.UNPROVEN_PUSH, {"state": "pushed"}, {"state": "not proven"}, push.subject)
        found.setdefault((push.kind.name, push.document_id), (push.label, []))[1].append(one)
    _keep(it, Reason.UNPROVEN_PUSH, found, KINDS)


def _keep(
    it: Run, reason: Reason, found: Mapping[Thing, tuple[str, Sequence[Found]]], searched: Collection[str]
) -> None:
    """Opens those that were found, and settles the open ones of the kinds that were searched completely."""
    held: dict[Thing, tuple[str, list[Found]]] = {}
    for one in differences.listed(it.session, it.connection.id, limit=None):
        if one.reason is reason:
            kept = Found(reason, one.ours, one.theirs, one.subject, one.ids)
            held.setdefault((one.document_kind, one.document_id), (one.label, []))[1].append(kept)
    with it.session.transaction():
        for thing in {**held, **found}:
            kind, document = thing
            label, now = found.get(thing, held.get(thing, ("", ())))
            if thing not in found:
                now = ()
            if kind not in searched:
                known = {each.subject for each in now}
                now = [*now, *(each for each in held.get(thing, ("", []))[1] if each.subject not in known)]
            about = About(it.connection.id, kind, document, label)
            changes = differences.compare(it.session, about, now, (reason,))
            reporting.report(it, about, changes)
