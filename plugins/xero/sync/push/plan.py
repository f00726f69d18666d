"""Plans requests: which ready documents are created, changed while they are drafts in Xero, or not sent at all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import Refused, RetryLater
from xero.documents import odd_values
from xero.documents.declaration import CheckResult, Json, PricedDocument, PricedKind, Record
from xero.documents.parts.arriving import Arrival, arrival_of
from xero.qicworks.connect.settings import Conflicts
from xero.qicworks.follow.differences import Difference, Reason, fitting
from xero.qicworks.push.outbox import PushState, Result, Waiting
from xero.sync.push import lookup, outages
from xero.sync.push.content.changes import Change, Side
from xero.sync.push.content.content import Base, number_hash
from xero.sync.push.content.judging import (
    compared,
    differing,
    gone,
    ids_of,
    in_words,
    is_complete,
    judge,
    kept_rate,
    may_be_edited,
    reasons_judged,
)
from xero.sync.push.content.judging import values as shown
from xero.sync.push.lookup import AnotherRecord
from xero.sync.push.verdicts import (
    Settled,
    cannot_overwrite,
    changed_in_xero,
    check_in_xero,
    deleted,
    invalid,
    label,
    not_editable,
    not_shown,
    not_there,
    rate_stays,
)

MAX_REQUEST_BYTES = 3_000_000  # bytes of a request; Xero advises to stay below 3.5 MB

#: Fields of a document that a user of QicWorks may empty.
TEXTS = ("Reference", "DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions")
#: Dates that a user may clear. Xero does not document how to clear one; one that it keeps is reported as a difference.
DATES = ("DueDate", "DeliveryDate")

JSON = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class PlannedRequest:
    """A request that will be sent: its documents, and the elements that they become."""

    method: str
    documents: tuple[PricedDocument, ...]
    elements: tuple[Json, ...]

    def body(self, kind: PricedKind) -> str:
        return encoded(kind, self.elements)


def encoded(kind: PricedKind, elements: Sequence[Json]) -> str:
    """The body of a request: exact, numbers as QicWorks has them."""
    return JSON.encode({kind.envelope: list(elements)}).decode()


Current = Record | Result | None


def arriving(document: PricedDocument, arrival: Arrival) -> PricedDocument:
    """The document, as sent in that status."""
    return replace(document, arrival=arrival)


def fetch_current(client: XeroClient, kind: PricedKind, waiting: Sequence[Waiting]) -> dict[UUID, Current]:
    """Returns the current Xero records of documents that were pushed earlier.

    None if Xero has no such record; a Result if it returned another record, or fails on this one and not on others.
    """
    return {one.id: fetch_one(client, kind, xero_id) for one in waiting if (xero_id := one.xero_id or one.was)}


def fetch_one(client: XeroClient, kind: PricedKind, xero_id: UUID) -> Current:
    try:
        return lookup.fetch_record(client, kind, xero_id)
    except AnotherRecord:
        return check_in_xero("Xero returned another record for it, so nothing was sent")
    except Refused as refusal:
        if refusal.status == 404:
            return None
        raise
    except RetryLater as error:
        if outages.is_of_one(client, kind.path, error):
            return not_shown(xero_id)
        raise


def blocking_results(kind: PricedKind, document: PricedDocument) -> list[CheckResult]:
    """Why it is certain to be refused."""
    return [finding for finding in odd_values.run_checks(kind.checks, document) if finding.correction]


@dataclass(frozen=True)
class Standing:
    """A document that is in Xero: its record there now, what was last pushed, and which side wins where both changed.

    `differences`: those that are open.
    """

    record: Current
    base: Base | None = None
    conflicts: Conflicts = Conflicts.ASK
    differences: tuple[Difference, ...] = ()

    def status(self, kind: PricedKind) -> Arrival:
        """In which a change is sent: as it is in Xero, if it may be changed there."""
        record = self.record
        is_open = isinstance(record, Mapping) and may_be_edited(kind, record, self.base)
        return arrival_of(record.get("Status")) if isinstance(record, Mapping) and is_open else Arrival.DRAFT

    def wins(self, theirs: Sequence[Change]) -> Conflicts:
        """Whose changes are kept; `theirs`: the changes in Xero. A person decided about what they saw of both sides."""
        ours_now, theirs_now = map(fitting, shown(theirs))
        for one in self.differences:
            same = (one.ours, one.theirs, one.ids) == (ours_now, theirs_now, ids_of(theirs))
            if one.reason is Reason.EDITED_IN_XERO and same and one.chosen:
                return Conflicts(one.chosen)
        return self.conflicts


NEW = Standing(None)


@dataclass(frozen=True)
class Takeover:
    """A document that takes over what was changed in Xero. `base`: what was last pushed."""

    document: PricedDocument
    record: Record
    base: Base | None
    changes: tuple[Change, ...]


@dataclass
class Plan:
    """Results of the documents that need not be sent, or cannot; requests for the others; and what else is to be done.

    `overwritten`: what was changed in Xero of documents that are sent.
    """

    settled: list[Settled]
    requests: list[PlannedRequest]
    takeovers: list[Takeover]
    overwritten: dict[UUID, list[Change]]


def plan(
    kind: PricedKind,
    documents: Sequence[PricedDocument],
    there: Mapping[UUID, Standing],
    at_most: Mapping[UUID, int],
    arrival: Arrival = Arrival.DRAFT,
) -> Plan:
    """`at_most`: the largest batch; `arrival`: the status of new documents."""
    made = Plan([], [], [], {})
    create: list[tuple[PricedDocument, Json]] = []
    change: list[tuple[PricedDocument, Json]] = []
    for found in documents:
        name, standing = label(kind, found), there.get(found.id, NEW)
        record = standing.record
        is_new = found.xero_id is None or must_be_recreated(kind, found, standing)
        document = arriving(found, arrival if is_new else standing.status(kind))
        result: Result | None = None
        if wrong := blocking_results(kind, document):
            result = invalid(name, wrong)
        elif isinstance(record, Result):
            result = record
        elif is_new:
            create.append((document, kind.payload(document)))
        elif record is None:
            assert document.xero_id
            result = replace(not_there(name, document.xero_id), differences=gone(document, None))
        elif record.get("Status") in kind.gone:
            status = str(record.get("Status"))
            result = deleted(name, document.number, status, document.xero_id)
            result = replace(result, differences=gone(document, status))
        else:
            result = _plan_change(kind, document, standing, record, made, change)
        if result:
            made.settled.append(Settled(document.id, document.version, name, result))
    made.requests += [*_chunks("PUT", create, at_most), *_chunks("POST", change, at_most)]
    return made


def _plan_change(
    kind: PricedKind,
    document: PricedDocument,
    standing: Standing,
    record: Record,
    made: Plan,
    change: list[tuple[PricedDocument, Json]],
) -> Result | None:
    """Adds a change of what is in Xero to the plan; or returns why nothing is sent."""
    name, status = label(kind, document), str(record.get("Status"))
    found = differing(kind, document, record, standing.base, edited=True)
    theirs = [one for one in found if Side.XERO in one.by]
    wins = standing.wins(theirs) if theirs else None
    if wins is Conflicts.XERO:
        made.takeovers.append(Takeover(document, record, standing.base, tuple(theirs)))
        return None
    if not may_be_edited(kind, record, standing.base):
        if not found and is_complete(kind, record, document):  # the same change was made in Xero by hand
            same = arriving(document, standing.base.status if standing.base else Arrival.DRAFT)
            return compared(kind, Result(PushState.PUSHED, document.xero_id, status, record=record), same)
        left = judge(kind, document, record, standing.base, edited=True)
        kept = wins is Conflicts.QICWORKS
        result = cannot_overwrite(document.xero_id, status) if kept else not_editable(document.xero_id, status)
        return replace(result, differences=left, judged=reasons_judged(kind, record, left, document))
    if theirs and wins is Conflicts.ASK:
        left = judge(kind, document, record, standing.base, edited=True)
        result = changed_in_xero(name, document.xero_id, status, in_words(theirs))
        return replace(result, differences=left, judged=reasons_judged(kind, record, left, document))
    if stays := kept_rate(found):
        left = judge(kind, document, record, standing.base, edited=True)
        result = rate_stays(name, document.xero_id, status, stays)
        return replace(result, differences=left, judged=reasons_judged(kind, record, left, document))
    if theirs:
        made.overwritten[document.id] = theirs
    change.append((document, _changed(kind, document, record)))
    return None


def must_be_recreated(kind: PricedKind, document: PricedDocument, standing: Standing) -> bool:
    """True if the document was deleted in Xero and renumbered in QicWorks since, so it is created again.

    Its number is compared with the one that was last pushed, as users of Xero renumber records, too; with that of the
    record if nothing is known of the push.
    """
    record = standing.record
    if not isinstance(record, Mapping) or record.get("Status") not in kind.gone:
        return False
    if standing.base is None:
        return document.number != record.get(kind.number)
    return number_hash(kind, document) != standing.base.sent.header.get("number")


def _changed(kind: PricedKind, document: PricedDocument, record: Record) -> Json:
    """The payload with the ids that Xero knows: a line without its id would be a new one.

    What is left out stays as it is in Xero; so what QicWorks has no more is sent as nothing.
    """
    payload = kind.payload(document)
    payload |= {name: "" for name in TEXTS if record.get(name) and name not in payload}
    payload |= {name: None for name in DATES if record.get(name) and name not in payload}
    lines_there = wire.objects(record.get("LineItems"))
    there = {str(line["LineItemID"]).lower() for line in lines_there if line.get("LineItemID")}
    lines = [
        {"LineItemID": str(line.xero_line_id), "Tracking": [], **made}
        if str(line.xero_line_id).lower() in there
        else made
        for line, made in zip(document.lines, payload["LineItems"], strict=True)
    ]
    return {kind.key: str(document.xero_id), **payload, "LineItems": lines}


def _chunks(
    method: str, planned: Sequence[tuple[PricedDocument, Json]], at_most: Mapping[UUID, int]
) -> Iterator[PlannedRequest]:
    """As many documents to a request as their batch sizes and three megabytes allow."""
    chunk: list[tuple[PricedDocument, Json]] = []
    size = 0
    # Documents that never failed come first, so they do not wait for the others.
    for document, element in sorted(planned, key=lambda one: -at_most.get(one[0].id, len(planned))):
        weight = len(JSON.encode(element)) + 1
        if chunk and (size + weight > MAX_REQUEST_BYTES or len(chunk) >= at_most.get(document.id, len(planned))):
            yield _planned(method, chunk)
            chunk, size = [], 0
        chunk.append((document, element))
        size += weight
    if chunk:
        yield _planned(method, chunk)


def _planned(method: str, chunk: Sequence[tuple[PricedDocument, Json]]) -> PlannedRequest:
    documents, elements = zip(*chunk, strict=True)
    return PlannedRequest(method, documents, elements)
