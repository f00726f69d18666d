"""Documents with priced lines: fifty to a request, created once, changed while Xero still calls them drafts."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from xero.api import wire
from xero.api.errors import Refused, XeroError
from xero.documents import odd_values
from xero.documents.declaration import Document, Json, PricedKind, Record
from xero.qicworks.push.outbox import Outbox, Request, Result, Waiting
from xero.sync.push import lookup, readback
from xero.sync.push import plan as planning
from xero.sync.push.deadlines import (
    QUIET_SECONDS,
    REPLAY_WINDOW_SECONDS,
    Fate,
    Release,
    Replay,
    Wait,
    fate,
    fate_after_search,
    seconds_between,
    wait_until_quiet,
)
from xero.sync.push.dry_run import Preview
from xero.sync.push.identify import Finder, each_its_own, wants_a_look
from xero.sync.push.outages import ALONE, Patience, later
from xero.sync.push.settle import UNSEALED, Settled, Settling, check_in_xero, label, not_its_own, refused, xero_fails
from xero.sync.runs.run import Interaction

log = logging.getLogger(__name__)

AT_MOST = 50  # documents in a request

ALIKE = "QicWorks has another {} of this contact, number and amount"
DOUBT = "what Xero answered to it fits another document, or a refusal; looked up, it is there"
UNANSWERED = "Push again; if that happens again, report it."


class Batch:
    """Pushes the documents of one kind and connection, batch by batch."""

    def __init__(
        self, it: Interaction, kind: PricedKind, outbox: Outbox, settling: Settling, quiet: float = QUIET_SECONDS
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.settling = settling
        self.quiet = quiet
        self.patience = Patience()
        self.finder = Finder(kind, outbox)

    # -- what an earlier run left

    def recover(self, request: Request) -> None:
        """Settles a request of which nobody knows what became. Never sends anything that Xero may have."""
        log.warning("an earlier run left a request of %d documents open", len(request.documents))
        if request.sealed_at is None:
            self._recover_unsealed(request)
            return
        becomes = fate(request, self.outbox.now(), self.kind, self.quiet)
        if isinstance(becomes, Replay) and becomes.search_first:
            becomes = self._fate_after_search(request)
        if isinstance(becomes, Replay):
            log.info("the request is sent again under its key")
            self._send(request, becomes)
        elif isinstance(becomes, Release):
            log.info("the request was never sent: its documents are ready again")
            self.outbox.release(request)
        elif isinstance(becomes, Wait):
            raise later(becomes)
        else:
            self._look_up(request)

    def _fate_after_search(self, request: Request) -> Fate:
        found = lookup.look(self.it.client, self.kind, request.identities)
        since = self._seconds_since_sent(request)
        there = [
            bool(self.finder.own(id, identity, found, since))
            for id, identity in zip(request.documents, request.identities, strict=True)
        ]
        return fate_after_search(request, self.outbox.now(), self.kind, there, self.quiet)

    def _seconds_since_sent(self, request: Request) -> float | None:
        return seconds_between(request.first_sent_at, self.outbox.now()) if request.first_sent_at else None

    def _recover_unsealed(self, request: Request) -> None:
        """Of a row that this project did not write, or an earlier version of it, nothing is sent, and nothing believed
        but which documents it may have carried: those are looked up by what QicWorks says of them now."""
        self.settling.warn(*UNSEALED)
        documents = {one.id: one for one in self.outbox.read_priced(request.documents)}
        settled, new = [], []
        for id, version in zip(request.documents, request.versions, strict=False):
            document = documents.get(id)
            if document and document.version == version and document.xero_id is None and not self._unfit(document):
                new.append(document)
            elif document:
                unclear = document.version != version and document.xero_id is None
                result = check_in_xero("what was sent of it is not known") if unclear else Result(None)
                settled.append(Settled(id, version, label(self.kind, document), result))
        self.settling.settle(settled, held=("in_flight",))
        if not new:
            self.outbox.close(request, "not sent")
            return
        if wait := wait_until_quiet(request, self.outbox.now(), self.quiet):
            raise later(wait)
        self._look_up(
            replace(
                request,
                method="PUT",
                documents=tuple(one.id for one in new),
                versions=tuple(one.version for one in new),
                identities=tuple(self.kind.identity(one) for one in new),
                first_sent_at=None,  # when it was sent is not known, either
            )
        )

    def _unfit(self, document: Document) -> bool:
        return bool(planning.findings(self.kind, document))

    # -- batch by batch

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        """Pushes the next fifty; False when nothing is ready. `done` counts how often a document was taken up."""
        waiting = self.outbox.waiting(AT_MOST, wanted, [id for id, times in done.items() if times > 1])
        if not waiting:
            return False
        standing = planning.standing(self.it.client, self.kind, waiting)
        there = self._look_first(waiting)
        with self.it.session.transaction():
            locked = self.outbox.lock([one.id for one in waiting])
            documents = self.outbox.read_priced(locked)
            at_most = self._at_most(documents)
            settled, plans = self._plan(documents, standing, there, at_most)
            requests = [self._claim(plan) for plan in plans]
            self.it.counts.read += len(documents)
            self.settling.settle(settled)
        for one in waiting:
            done[one.id] = done.get(one.id, 0) + 1
        for request in requests:
            what = f"a request of {len(request.documents)} documents"
            known = not at_most.keys().isdisjoint(request.documents)
            self.patience.attempt(what, partial(self._send, request), known=known)
        return True

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What a run would refuse and send, fifty by fifty. Writes nothing."""
        seen: list[UUID] = []
        while waiting := self.outbox.waiting(AT_MOST, wanted, seen, preview=True):
            standing = planning.standing(self.it.client, self.kind, waiting)
            documents = self.outbox.read_priced([one.id for one in waiting])
            at_most = self._at_most(documents)
            settled, plans = self._plan(documents, standing, self._look_first(waiting), at_most)
            if wrong := tuple((one.label, *one.result.why) for one in settled if one.result.state == "failed"):
                yield Preview(refused=wrong)
            for plan in plans:
                body = {self.kind.envelope: list(plan.elements)}
                names = tuple(label(self.kind, document) for document in plan.documents)
                yield Preview(plan.method, self.kind.path, self._query(), body, names)
            seen += [one.id for one in waiting]

    def _plan(
        self,
        documents: Sequence[Document],
        standing: Mapping[UUID, planning.Standing],
        there: lookup.Found | None,
        at_most: Mapping[UUID, int],
    ) -> tuple[list[Settled], list[planning.Planned]]:
        """What needs not be sent, or cannot, and what is sent of the others."""
        known = [found for document in documents if (found := self._known(document, standing.get(document.id), there))]
        adopted = {found.id for found in known}
        new = [document for document in documents if document.id not in adopted]
        settled, plans = planning.plan(self.kind, new, standing, at_most)
        return [*settled, *known], plans

    def _at_most(self, documents: Sequence[Document]) -> dict[UUID, int]:
        """With how many documents one may go that was in a request over which Xero came to grief: a fifth each time,
        until the one that does it goes by itself."""
        sizes = self.outbox.in_trouble([document.id for document in documents])
        return {id: max(1, size // 5) for id, size in sizes.items()}

    def _look_first(self, waiting: Sequence[Waiting]) -> lookup.Found | None:
        """What Xero has under the numbers of those that are to be created, where it would take them twice."""
        if not self.kind.look_first:
            return None
        documents = self.outbox.read_priced([one.id for one in waiting if one.xero_id is None])
        fit = [document for document in documents if not planning.findings(self.kind, document)]
        identities = [self.kind.identity(document) for document in fit]
        return lookup.look(self.it.client, self.kind, identities) if identities else None

    def _known(self, document: Document, record: planning.Standing, there: lookup.Found | None) -> Settled | None:
        """What is not to be sent for what stands in Xero: not known to be its own; pushed, and then forgotten here; or
        perhaps there. `record`: as what it was pushed, or is said to be."""
        if planning.findings(self.kind, document):
            return None
        name, result = label(self.kind, document), Result(None)
        if isinstance(record, Result):  # Xero fails to show it
            result = record
        elif document.xero_id:
            if not self.finder.is_own(document, record):
                number = None if record is None else str(record.get(self.kind.number) or "")
                result = not_its_own(self.kind, name, document.xero_id, number)
        elif record and not planning.is_to_be_made_anew(self.kind, document, record):
            result = self.finder.found(document.id, name, document.number, document, record, sealed=True)
        elif there:
            result = self.finder.judge(document.id, name, self.kind.identity(document), there, document=document)
        return Settled(document.id, document.version, name, result) if result.state else None

    def _query(self) -> dict[str, str]:
        return {"summarizeErrors": "false", **self.kind.query}

    def _claim(self, plan: planning.Planned) -> Request:
        """Commits the key and the exact request before anything is sent."""
        return self.outbox.claim(
            plan.method,
            self.kind.path,
            self._query(),
            plan.body(self.kind),
            [document.id for document in plan.documents],
            [document.version for document in plan.documents],
            [self._identity(document, plan.method) for document in plan.documents],
            self.it.event_id,
        )

    def _identity(self, document: Document, method: str) -> Json:
        """What it is known by; of a change also its id, which the answer must have."""
        known = {self.kind.key: str(document.xero_id)} if method == "POST" else {}
        return {**self.kind.identity(document), **known}

    # -- sending and settling

    def _send(self, request: Request, replay: Replay | None = None) -> None:
        """Sends a committed request, and settles what comes of it. `replay`: it was sent before."""
        assert request.body is not None, "an open request keeps its body"
        accepted_twice = self.kind.look_first and request.method == "PUT"  # no attempt is repeated without a search
        window = replay.window_seconds if replay else REPLAY_WINDOW_SECONDS
        try:
            answer = self.it.client.write(
                request.method,
                self.kind.path,
                request.body.encode(),
                key=request.key,
                params=self._query(),
                again_for=0.0 if accepted_twice else window,
                in_doubt=replay is not None,
                sending=lambda: self.outbox.sending(request),
                still=lambda: self.outbox.may_be_sent(request),
            )
        except Refused as refusal:
            if refusal.in_doubt:  # perhaps only because it is at work on it already
                self.outbox.server_failed(request)
                raise later(Wait(self.quiet)) from None
            if refusal.status not in (400, 413, 422):  # no document's fault
                self.outbox.release(request)
                raise
            if len(request.documents) > 1:
                self._divide(request)
            else:
                words = refusal.messages
                self._conclude(
                    request,
                    self._results(request, lambda at, document, name, number: refused(self.kind, name, number, words)),
                )
            return
        except XeroError as error:
            if error.server_failed:
                self.outbox.server_failed(request)
            elif not error.in_doubt:
                self.outbox.release(request)
            raise
        records = readback.elements(self.kind, answer.data)
        pairs = readback.pair(self.kind, request.identities, records)
        others, odd = self._doubtful(request, records, pairs) if request.method == "PUT" else (set(), set())

        def read(at: int, document: Document | None, name: str, number: str | None) -> Result:
            record = pairs[at]
            if record is None or at in others:
                return Result(None)
            meant = request.identities[at].get(self.kind.key)
            xero_id = readback.id_of(self.kind, record)
            if meant and xero_id and str(xero_id) != meant:
                return check_in_xero(f"Xero answered the change of {meant} with {xero_id}, which is another document")
            return readback.answered(self.kind, name, number, document, record)

        self._conclude(request, self._results(request, read), others | odd)

    def _doubtful(
        self, request: Request, records: Sequence[Record], pairs: Sequence[Record | None]
    ) -> tuple[set[int], set[int]]:
        ids = [xero_id for record in records if (xero_id := readback.id_of(self.kind, record))]
        known = set(self.outbox.claims(readback.NOBODY, ids))
        return readback.doubtful(self.kind, request.identities, records, pairs, known)

    def _divide(self, request: Request) -> None:
        """One of them makes Xero refuse all: each half goes by itself, until the one is found."""
        elements = wire.loads((request.body or "").encode())[self.kind.envelope]
        half = (len(elements) + 1) // 2
        log.warning("Xero refused all %d documents for one of them: they go in halves", len(elements))
        with self.it.session.transaction():
            self.outbox.close(request, "answered")
            halves = [
                self.outbox.claim(
                    request.method,
                    self.kind.path,
                    self._query(),
                    planning.encoded(self.kind, elements[part]),
                    request.documents[part],
                    request.versions[part],
                    request.identities[part],
                    self.it.event_id,
                )
                for part in (slice(0, half), slice(half, None))
            ]
        for one in halves:
            self._send(one)

    def _conclude(self, request: Request, results: list[Settled], odd: Collection[int] = ()) -> None:
        """Settles what was answered; where that leaves a doubt, as at the `odd` places, Xero is looked into first."""
        doubtful = [
            at for at, one in enumerate(results) if request.method == "PUT" and (at in odd or wants_a_look(one.result))
        ]
        if doubtful:
            found = lookup.look(self.it.client, self.kind, [request.identities[at] for at in doubtful])
            since = self._seconds_since_sent(request)
            for at in doubtful:
                one = self._looked_up(request, at, results[at], found, since)
                doubt = (DOUBT,) if at in odd and one.result.state == "pushed" else ()
                results[at] = replace(one, result=replace(one.result, notes=(*one.result.notes, *doubt)))
            results = each_its_own(results, doubtful)
        there = "It is not in Xero. " if request.method == "PUT" else ""
        silent = Result("failed", error="Xero's answer says nothing of it", correction=there + UNANSWERED)
        results = [replace(one, result=silent) if one.result.state is None else one for one in results]
        self.settling.settle(results, request)

    def _look_up(self, request: Request) -> None:
        """Looks in Xero for what a request may have brought there, and settles it."""
        if request.method == "POST":  # a change: sent again it does the same again
            if given_up := self._given_up(request):
                self.settling.settle(given_up, request, "looked up")
            else:
                self.outbox.release(request)
            return
        log.info("whether it arrived is looked up in Xero")
        found = lookup.look(self.it.client, self.kind, request.identities)
        since = self._seconds_since_sent(request)
        results = self._results(request, lambda at, document, name, number: Result(None))
        results = [self._looked_up(request, at, one, found, since) for at, one in enumerate(results)]
        results = each_its_own(results, range(len(results)))
        if results[0].result.state is None:
            results = self._given_up(request) or results
        self.settling.settle(results, request, "looked up")

    def _given_up(self, request: Request) -> list[Settled]:
        """The document over which Xero fails however often it is sent alone."""
        if not request.server_failed or len(request.documents) > 1:
            return []
        id, version = request.documents[0], request.versions[0]
        times = self.outbox.times_failed_alone(id, version)
        name = self.kind.called(request.identities[0][self.kind.number], id)
        return [Settled(id, version, name, xero_fails(name, times))] if times >= ALONE else []

    def _looked_up(
        self, request: Request, at: int, settled: Settled, found: lookup.Found, since: float | None
    ) -> Settled:
        """What was found of one document, and what follows."""

        def judge(at: int, document: Document | None, name: str, number: str | None) -> Result:
            return self.finder.judge(
                settled.id,
                name,
                request.identities[at],
                found,
                sent_seconds_ago=since,
                document=document,
                answered=settled.result,
            )

        return self._results(request, judge, only=at)[0]

    def _results(
        self,
        request: Request,
        read: Callable[[int, Document | None, str, str | None], Result],
        only: int | None = None,
    ) -> list[Settled]:
        """A result for each document of the request, in its order, or for the one at `only`.

        `read` gets the place, the document if it is still what was sent, its name and number.
        """
        places = range(len(request.documents)) if only is None else [only]
        held = {document.id: document for document in self.outbox.read_priced([request.documents[at] for at in places])}
        alike = self.outbox.alike(list(held)) if self.kind.look_first else set()
        made = []
        for at in places:
            id, version, number = request.documents[at], request.versions[at], request.identities[at][self.kind.number]
            document = held.get(id)
            if document and document.version != version:
                document = None
            name = self.kind.called(number, id)
            result = read(at, document, name, number)
            if document and result.state == "pushed":
                odd = [finding.says for finding in odd_values.findings(self.kind.checks, document)]
                odd += [ALIKE.format(self.kind.word)] if id in alike else []
                result = replace(result, notes=(*result.notes, *odd))
            if request.method == "PUT" and result.xero_id:
                result = replace(result, forget=True)
            made.append(Settled(id, version, name, result))
        return made
