"""Pushes priced documents in batches of 50: creates each once, and updates it while it is a draft in Xero."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from uuid import UUID

from xero.api import wire
from xero.api.errors import Refused, XeroError
from xero.documents.declaration import Json, PricedDocument, PricedKind, Record
from xero.qicworks.push.outbox import Outbox, PushState, Request, RequestOutcome, Result, Waiting
from xero.sync.push import lookup, readback
from xero.sync.push import plan as planning
from xero.sync.push.adopting.judging import AlreadyThere
from xero.sync.push.conflicts import Conflicting
from xero.sync.push.content.judging import compared
from xero.sync.push.deadlines import QUIET_SECONDS, REPLAY_WINDOW_SECONDS, Replay, Wait
from xero.sync.push.identify import Finder
from xero.sync.push.outages import OutageBreaker, later
from xero.sync.push.recovery import Recovery
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.strategies import Preview
from xero.sync.push.verdicts import Settled, check_in_xero, label, not_its_own, refused, to_be_linked, with_defaults
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

BATCH_SIZE = 50  # documents in a request
DIVIDED_BY = 5  # how much smaller a batch is after each request that Xero failed on


class Batch:
    """Pushes the documents of one kind and connection, batch by batch."""

    def __init__(
        self,
        it: Run,
        kind: PricedKind,
        outbox: Outbox,
        recorder: ResultRecorder,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.quiet_seconds = quiet_seconds
        self.breaker = OutageBreaker()
        self.finder = Finder(kind, outbox)
        self.conflicts = Conflicting(it, kind, outbox, recorder)
        self.defaults = self.conflicts.settings.defaults(kind)
        self.arrival = self.conflicts.settings.arrival(kind)
        self.recovery = Recovery(it, kind, outbox, recorder, self.finder, quiet_seconds)

    def recover(self, request: Request) -> None:
        """Resolves an open request of an earlier run. Never resends a document that Xero may already have."""
        self.recovery.recover(request, self._send)

    # -- batch by batch

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        """Pushes the next fifty; False if none is ready. `done` counts how often this run took up each document."""
        waiting = self.outbox.waiting(BATCH_SIZE, wanted, [id for id, times in done.items() if times > 1])
        if not waiting:
            return False
        standing = planning.fetch_current(self.it.client, self.kind, self._changed(waiting))
        there = self._look_first(waiting)
        with self.it.session.transaction():
            locked = self.outbox.lock([one.id for one in waiting])
            documents = self.outbox.read_priced(locked, self.defaults)
            at_most = self._at_most(documents)
            plan = self._plan(documents, standing, there, at_most)
            self.conflicts.note_overwritten(plan.overwritten, documents)
            requests = [self._claim(one) for one in plan.requests]
            self._keep_defaults(plan, documents)
            self.it.counts.read += len(documents)
            self.recorder.record([*plan.settled, *self.conflicts.take_over(plan.takeovers)])
        for one in waiting:
            done[one.id] = done.get(one.id, 0) + 1
        for request in requests:
            what = f"a request of {len(request.documents)} documents"
            known = not at_most.keys().isdisjoint(request.documents)
            self.breaker.attempt(what, partial(self._send, request), known=known)
        return True

    def _keep_defaults(self, plan: planning.Plan, documents: Sequence[PricedDocument]) -> None:
        """Of documents that are sent, or are found to be in Xero as they would be."""
        sent = [document for request in plan.requests for document in request.documents]
        self.recorder.defaulted += self.outbox.keep_defaults(sent)
        found = {settled.id for settled in plan.settled if settled.result.content}
        self.outbox.keep_defaults([document for document in documents if document.id in found])

    def _changed(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Those that are not as they were last pushed: the others cost no call."""
        documents = self.outbox.read_priced([one.id for one in waiting if one.xero_id])
        same = {settled.id for settled in self.conflicts.unchanged(documents)}
        return [one for one in waiting if one.id not in same]

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What a run would refuse and send, fifty by fifty. Writes nothing."""
        seen: list[UUID] = []
        while waiting := self.outbox.waiting(BATCH_SIZE, wanted, seen, preview=True):
            standing = planning.fetch_current(self.it.client, self.kind, self._changed(waiting))
            documents = self.outbox.read_priced([one.id for one in waiting], self.defaults)
            at_most = self._at_most(documents)
            plan = self._plan(documents, standing, self._look_first(waiting), at_most)
            wrong = tuple((one.label, *one.result.why) for one in plan.settled if one.result.state is PushState.FAILED)
            linked = tuple(words for one in plan.settled if (words := to_be_linked(one)))
            if wrong or linked:
                yield Preview(refused=wrong, linked=linked)
            for one in plan.requests:
                body = {self.kind.envelope: list(one.elements)}
                names = tuple(label(self.kind, document) for document in one.documents)
                taken = tuple(words for document in one.documents for words in with_defaults(self.kind, document))
                yield Preview(one.method, self.kind.path, self._query(), body, names, defaults=taken)
            seen += [one.id for one in waiting]

    def _plan(
        self,
        documents: Sequence[PricedDocument],
        there: Mapping[UUID, planning.Current],
        found: lookup.LookupResult | None,
        at_most: Mapping[UUID, int],
    ) -> planning.Plan:
        """Results of the documents that need not be sent, or cannot, and requests for the others."""
        same = self.conflicts.unchanged([one for one in documents if one.id not in there])
        decided = {settled.id for settled in same}
        # One that was edited since it was read is not in `there`, and is left to the next step.
        others = [one for one in documents if one.id not in decided and (one.id in there or not one.xero_id)]
        standing = self.conflicts.standing(others, there)
        new = [one for one in others if not one.xero_id]
        already = AlreadyThere(self.kind, self.outbox, self.finder, found, new) if found else None
        known = [result for one in others if (result := self._known(one, standing[one.id], already))]
        decided |= {settled.id for settled in known}
        new = [document for document in others if document.id not in decided]
        made = planning.plan(self.kind, new, standing, at_most, self.arrival)
        made.settled = [*made.settled, *known, *same]
        return made

    def _at_most(self, documents: Sequence[PricedDocument]) -> dict[UUID, int]:
        """Maximum batch size for documents that were in a request Xero failed on. Divided by five after each failure,
        so the bad document ends up alone."""
        sizes = self.outbox.failed_batch_sizes([document.id for document in documents])
        return {id: max(1, size // DIVIDED_BY) for id, size in sizes.items()}

    def _look_first(self, waiting: Sequence[Waiting]) -> lookup.LookupResult | None:
        """What Xero has under the numbers of the new documents: a user may have typed them in."""
        documents = self.outbox.read_priced([one.id for one in waiting if one.xero_id is None], self.defaults)
        arriving = [planning.arriving(document, self.arrival) for document in documents]
        fit = [document for document in arriving if not planning.blocking_results(self.kind, document)]
        identities = [self.kind.identity(document) for document in fit]
        return lookup.look(self.it.client, self.kind, identities) if identities else None

    def _known(
        self, document: PricedDocument, standing: planning.Standing, already: AlreadyThere | None
    ) -> Settled | None:
        """The result of a document that is not sent because of what Xero has: a record that is not known to be its own,
        its own that its row has forgotten, or one that may be its own. `standing`: what it is linked to."""
        record = standing.record
        if planning.blocking_results(self.kind, document):
            return None
        name, result = label(self.kind, document), Result(None)
        if isinstance(record, Result):  # Xero fails to show it
            result = record
        elif document.xero_id:
            if not self.finder.is_own(document, record):
                number = None if record is None else str(record.get(self.kind.number) or "")
                result = not_its_own(self.kind, name, document.xero_id, number)
        elif record and not planning.must_be_recreated(self.kind, document, standing):
            result = self.finder.found(document.id, name, document.number, document, record, sealed=True)
        elif already:
            result = already.judge(document, name)
        result = compared(self.kind, result, document, searched=True)
        return Settled(document.id, document.version, name, result) if result.state else None

    def _query(self) -> dict[str, str]:
        return {"summarizeErrors": "false", **self.kind.query}

    def _claim(self, plan: planning.PlannedRequest) -> Request:
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

    def _identity(self, document: PricedDocument, method: str) -> Json:
        """What identifies it in Xero; of a change also its id, which the response must have. And its lines, for Xero's
        ids of them to be kept if it is edited before the response."""
        known = {self.kind.key: str(document.xero_id)} if method == "POST" else {}
        lines = {readback.SENT_LINES: [str(line.id) for line in document.lines]}
        return {**self.kind.identity(document), **known, **lines}

    # -- sending and settling

    def _send(self, request: Request, replay: Replay | None = None) -> None:
        """Sends a committed request and records the results. `replay`: it was sent before."""
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
                replay_window=0.0 if accepted_twice else window,
                outcome_unknown=replay is not None,
                on_send=lambda: self.outbox.sending(request),
                may_send=lambda: self.outbox.may_be_sent(request),
            )
        except Refused as refusal:
            if refusal.outcome_unknown:  # perhaps only because it is processing it already
                self.outbox.server_failed(request)
                raise later(Wait(self.quiet_seconds)) from None
            if refusal.status not in (400, 413, 422):  # no document's fault
                self.outbox.release(request)
                raise
            if len(request.documents) > 1:
                self._divide(request)
            else:
                words = refusal.messages
                self.recovery.conclude(
                    request,
                    self.recovery.results(
                        request, lambda place, document, name, number: refused(self.kind, name, number, words)
                    ),
                )
            return
        except XeroError as error:
            if error.server_failed:
                self.outbox.server_failed(request)
            elif not error.outcome_unknown:
                self.outbox.release(request)
            raise
        records = readback.elements(self.kind, answer.data)
        pairs = readback.pair(self.kind, request.identities, records)
        others, odd = self._doubtful(request, records, pairs) if request.method == "PUT" else (set(), set())

        def read(at: int, document: PricedDocument | None, name: str, number: str | None) -> Result:
            record = pairs[at]
            if record is None or at in others:
                return Result(None)
            meant = request.identities[at].get(self.kind.key)
            xero_id = readback.id_of(self.kind, record)
            if meant and xero_id and str(xero_id) != meant:
                return check_in_xero(
                    f"Xero responded to the change of {meant} with {xero_id}, which is another document"
                )
            return readback.answered(self.kind, name, number, document, record)

        self.recovery.conclude(request, self.recovery.results(request, read), others | odd)

    def _doubtful(
        self, request: Request, records: Sequence[Record], pairs: Sequence[Record | None]
    ) -> tuple[set[int], set[int]]:
        ids = [xero_id for record in records if (xero_id := readback.id_of(self.kind, record))]
        known = set(self.outbox.claims(readback.NO_ID, ids))
        return readback.doubtful(self.kind, request.identities, records, pairs, known)

    def _divide(self, request: Request) -> None:
        """Xero refuses all documents because of one: sends two halves, and so on until that one is alone."""
        elements = wire.loads((request.body or "").encode())[self.kind.envelope]
        half = (len(elements) + 1) // 2
        log.warning(
            "Xero refused all %d documents because of one; sending them in two halves to find it", len(elements)
        )
        with self.it.session.transaction():
            self.outbox.close(request, RequestOutcome.ANSWERED)
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
