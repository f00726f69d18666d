"""Finds out what became of a batch request: from Xero's response, by searching Xero, or by sending it again."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from uuid import UUID

from xero.api import wire
from xero.documents import odd_values
from xero.documents.declaration import Json, PricedDocument, PricedKind
from xero.qicworks.push.outbox import Outbox, PushState, Request, RequestOutcome, Result
from xero.sync.push import lookup, plan, readback
from xero.sync.push.conflicts import SentChange, sent_changes
from xero.sync.push.content.arrival import arrival, is_edited
from xero.sync.push.content.content import payload_hash
from xero.sync.push.content.judging import as_pushed, compared, not_as_sent
from xero.sync.push.deadlines import (
    QUIET_SECONDS,
    Fate,
    LookUp,
    Release,
    Replay,
    Wait,
    fate,
    fate_after_search,
    seconds_between,
    wait_until_quiet,
)
from xero.sync.push.identify import Finder, must_search, reject_ambiguous
from xero.sync.push.outages import MAX_FAILURES_ALONE, later
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.verdicts import ALIKE, IN_DOUBT, UNSEALED, Settled, check_in_xero, label, silent, xero_fails
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

NOT_KNOWN = "what was sent of it is not known"

Reading = Callable[[int, PricedDocument | None, str, str | None], Result]  # by place, document, label and number


class Recovery:
    """Finds out what became of the requests of one kind and connection, and records it."""

    def __init__(
        self,
        it: Run,
        kind: PricedKind,
        outbox: Outbox,
        recorder: ResultRecorder,
        finder: Finder,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.finder = finder
        self.quiet_seconds = quiet_seconds

    # -- what an earlier run left

    def recover(self, request: Request, send: Callable[[Request, Replay], None]) -> None:
        """Resolves an open request whose outcome is unknown. Never resends a document that Xero may already have."""
        log.warning("an earlier run left a request of %d documents open", len(request.documents))
        if request.sealed_at is None:
            self._recover_unsealed(request)
            return
        becomes = fate(request, self.outbox.now(), self.kind, self.quiet_seconds)
        if isinstance(becomes, Replay) and becomes.search_first:
            becomes = self._fate_after_search(request)
        if isinstance(becomes, Replay) and request.method == "POST" and self._is_edited(request):
            becomes = wait_until_quiet(request, self.outbox.now(), self.quiet_seconds) or LookUp()
        if isinstance(becomes, Replay):
            log.info("the request is sent again under its key")
            send(request, becomes)
        elif isinstance(becomes, Release):
            log.info("the request was never sent: its documents are ready again")
            self.outbox.release(request)
        elif isinstance(becomes, Wait):
            raise later(becomes)
        else:
            self.look_up(request)

    def _fate_after_search(self, request: Request) -> Fate:
        found = lookup.look(self.it.client, self.kind, request.identities)
        since = self._seconds_since_sent(request)
        there = [
            bool(self.finder.own(id, identity, found, since))
            for id, identity in zip(request.documents, request.identities, strict=True)
        ]
        return fate_after_search(request, self.outbox.now(), self.kind, there, self.quiet_seconds)

    def _seconds_since_sent(self, request: Request) -> float | None:
        return seconds_between(request.first_sent_at, self.outbox.now()) if request.first_sent_at else None

    def _recover_unsealed(self, request: Request) -> None:
        """Searches Xero for the documents of a request that another program, or an earlier version, wrote.

        Nothing of it is sent. Only its document ids are used: Xero is searched for those documents as QicWorks has them
        now.
        """
        self.recorder.warn(*UNSEALED)
        documents = {document.id: document for document in self.outbox.read_priced(request.documents)}
        settled, new = [], []
        for id, version in zip(request.documents, request.versions, strict=False):
            document = documents.get(id)
            if document is None:  # deleted since; if it was not cancelled before, nothing is recorded
                settled.append(Settled(id, version, self._called(id), check_in_xero(NOT_KNOWN)))
                continue
            unchanged = document.version == version
            if unchanged and document.xero_id is None and not plan.blocking_results(self.kind, document):
                new.append(document)
            else:
                unclear = not unchanged and document.xero_id is None
                result = check_in_xero(NOT_KNOWN) if unclear else Result(None)
                settled.append(Settled(id, version, label(self.kind, document), result))
        self.recorder.record(settled, held=(PushState.IN_FLIGHT,))
        if not new:
            self.outbox.close(request, RequestOutcome.NOT_SENT)
            return
        if wait := wait_until_quiet(request, self.outbox.now(), self.quiet_seconds):
            raise later(wait)
        self.look_up(
            replace(
                request,
                method="PUT",
                documents=tuple(document.id for document in new),
                versions=tuple(document.version for document in new),
                identities=tuple(self.kind.identity(document) for document in new),
                first_sent_at=None,  # when it was sent is not known, either
            )
        )

    def _called(self, id: UUID) -> str:
        """What a document that was deleted in QicWorks is called."""
        cancelled = self.outbox.cancelled.of_document(id)
        return self.kind.called(cancelled.number if cancelled else None, id)

    def look_up(self, request: Request) -> None:
        """Searches Xero for the documents that a request may have created there, and records what it finds."""
        if request.method == "POST":
            self._look_up_changes(request)
            return
        log.info("checking Xero for the documents of this request")
        found = lookup.look(self.it.client, self.kind, request.identities)
        since = self._seconds_since_sent(request)
        results = self.results(request, lambda place, document, name, number: Result(None))
        results = [self._looked_up(request, place, one, found, since) for place, one in enumerate(results)]
        results = reject_ambiguous(results, range(len(results)))
        if results[0].result.state is None:
            results = self._given_up(request) or results
        self.recorder.record(results, request, RequestOutcome.LOOKED_UP)

    def _look_up_changes(self, request: Request) -> None:
        """Records the changes that arrived; the others may be sent again. Otherwise what arrived would count as an edit
        in Xero as soon as the document is edited again."""
        changes = self._sent_changes(request)

        def read(place: int, document: PricedDocument | None, name: str, number: str | None) -> Result:
            if place not in changes:
                return Result(None)
            element, record, base = changes[place]
            found = arrival(self.kind, element, record, base, document)
            if found is None:
                return Result(None)
            log.info("the change of %s is in Xero", name)
            result = replace(
                readback.read(self.kind, name, number, document, record),
                line_ids=readback.sent_line_ids(request.identities[place], found.lines),
            )
            return as_pushed(self.kind, result, document, record, found.content)

        results = self.results(request, read)
        if all(one.result.state is None for one in results):
            results = self._given_up(request)
        if results:
            self.recorder.record(results, request, RequestOutcome.LOOKED_UP)
        else:
            self.outbox.release(request)

    def _is_edited(self, request: Request) -> bool:
        """Whether a document of it was edited in Xero meanwhile, which the request would overwrite."""
        return any(is_edited(self.kind, *change) for change in self._sent_changes(request).values())

    def _sent_changes(self, request: Request) -> dict[int, SentChange]:
        return sent_changes(self.it.client, self.kind, self.outbox, request, self._elements(request))

    def _given_up(self, request: Request) -> list[Settled]:
        """The document that Xero failed on however often it was sent alone."""
        if not request.server_failed or len(request.documents) > 1:
            return []
        id, version = request.documents[0], request.versions[0]
        times = self.outbox.times_failed_alone(id, version)
        name = self.kind.called(request.identities[0][self.kind.number], id)
        return [Settled(id, version, name, xero_fails(name, times))] if times >= MAX_FAILURES_ALONE else []

    def _is_what_was_sent(self, document: PricedDocument, element: Json | None) -> bool:
        """Whether what it was edited to since is sent exactly so."""
        if element is None or plan.blocking_results(self.kind, document):
            return False
        return payload_hash(self.kind, self.kind.payload(document)) == payload_hash(self.kind, element)

    def _elements(self, request: Request) -> dict[int, Json]:
        """Place → what was sent of the document there. A request without a seal says nothing of that."""
        if request.sealed_at is None or request.body is None:
            return {}
        return dict(enumerate(wire.loads(request.body.encode())[self.kind.envelope]))

    # -- a response

    def conclude(self, request: Request, results: list[Settled], ambiguous: Collection[int] = ()) -> None:
        """Records the results of a response; searches Xero first for what it leaves open, as at `ambiguous` places."""
        open_places = [
            place
            for place, one in enumerate(results)
            if request.method == "PUT" and (place in ambiguous or must_search(one.result))
        ]
        if open_places:
            found = lookup.look(self.it.client, self.kind, [request.identities[place] for place in open_places])
            since = self._seconds_since_sent(request)
            for place in open_places:
                one = self._looked_up(request, place, results[place], found, since)
                doubt = (IN_DOUBT,) if place in ambiguous and one.result.state is PushState.PUSHED else ()
                results[place] = replace(one, result=replace(one.result, remarks=(*one.result.remarks, *doubt)))
            results = reject_ambiguous(results, open_places)
        unmentioned = silent(is_new=request.method == "PUT")
        results = [replace(one, result=unmentioned) if one.result.state is None else one for one in results]
        self.recorder.record(results, request)

    def _looked_up(
        self, request: Request, place: int, settled: Settled, found: lookup.LookupResult, since: float | None
    ) -> Settled:
        """What a search found of one document, and what follows."""

        def judge(place: int, document: PricedDocument | None, name: str, number: str | None) -> Result:
            return self.finder.judge(
                settled.id,
                name,
                request.identities[place],
                found,
                sent_seconds_ago=since,
                document=document,
                answered=settled.result,
            )

        sent = settled.result.state is None  # else Xero refused it, and has it from before
        return self.results(request, judge, only=place, searched=True, sent=sent)[0]

    def results(
        self,
        request: Request,
        read: Reading,
        only: int | None = None,
        *,
        searched: bool = False,
        sent: bool = True,
    ) -> list[Settled]:
        """A result for each document of the request, in its order, or for the one at the place `only`.

        `read` gets the place, the document if it is still the version that was sent, its label and number. `searched`:
        it does not read Xero's response, but what a search found; `sent`: which this request may have created.
        """
        places = range(len(request.documents)) if only is None else [only]
        wanted = [request.documents[place] for place in places]
        held = {document.id: document for document in self.outbox.read_priced(wanted)}
        alike = self.outbox.alike(list(held)) if self.kind.look_first else set()
        elements = self._elements(request)
        made = []
        for place in places:
            id, version = request.documents[place], request.versions[place]
            number = request.identities[place][self.kind.number]
            document = held.get(id)
            if document and document.version != version and not self._is_what_was_sent(document, elements.get(place)):
                document = None
            name = self.kind.called(number, id)
            result = read(place, document, name, number)
            if document is None and result.record is not None:  # its lines, as far as they are still there
                lines = [line.get("LineItemID") for line in wire.objects(result.record.get("LineItems"))]
                result = replace(
                    result, line_ids=result.line_ids or readback.sent_line_ids(request.identities[place], lines)
                )
            element = elements.get(place) if sent else None
            result = compared(self.kind, result, document, element, searched=searched)
            if element and not searched and result.state is PushState.PUSHED:
                result = replace(result, remarks=(*result.remarks, *not_as_sent(element, result.xero_status)))
            if document and result.state is PushState.PUSHED:
                remarks = [finding.says for finding in odd_values.run_checks(self.kind.checks, document)]
                remarks += [ALIKE.format(self.kind.word)] if id in alike else []
                result = replace(result, remarks=(*result.remarks, *remarks))
            if request.method == "PUT" and result.xero_id:
                result = replace(result, forget=True)
            made.append(Settled(id, version, name, result))
        return made
