"""Pushes contacts in batches of 50: looked for first, then linked, created under QicWorks' own number, or changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

from xero.documents import contacts as of
from xero.documents.contacts import ContactDocument
from xero.documents.declaration import Json, Kind
from xero.qicworks.connect import settings
from xero.qicworks.push.contacts import OwnContacts
from xero.qicworks.push.outbox import Outbox, PushState, Request
from xero.sync.push.contacts import linking, responses, search
from xero.sync.push.contacts import plan as planning
from xero.sync.push.contacts.exchange import QUERY, Exchange
from xero.sync.push.contacts.recovery import Recovery
from xero.sync.push.contacts.search import Search
from xero.sync.push.deadlines import QUIET_SECONDS
from xero.sync.push.outages import OutageBreaker
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.strategies import Preview
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

BATCH_SIZE = 50  # contacts in a request
DIVIDED_BY = 5  # how much smaller a batch is after each request that Xero failed on


class Contacts:
    """Pushes the contacts of one connection's organisation."""

    def __init__(
        self,
        it: Run,
        kind: Kind,
        outbox: Outbox,
        recorder: ResultRecorder,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.breaker = OutageBreaker()
        self.own = OwnContacts(it.session, it.connection)
        self.search = Search(it.client, self.own)
        self.exchange = Exchange(it, kind, outbox, recorder, self.own, self.search, quiet_seconds)
        self.recovery = Recovery(outbox, recorder, self.exchange, quiet_seconds)

    def recover(self, request: Request) -> None:
        """Resolves an open request of an earlier run. A contact that Xero may have is not created again."""
        self.recovery.recover(request)

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        """Pushes the next fifty; False if none is ready. `done` counts how often this run took up each."""
        if not done and (released := self.own.release_left()):
            log.info("%d contacts are ready again: the setting that left them has changed", released)
        waiting = self.outbox.waiting(BATCH_SIZE, wanted, [id for id, times in done.items() if times > 1])
        if not waiting:
            return False
        ids = [one.id for one in waiting]
        documents = self.own.read(ids)
        plan = self._plan(documents)
        with self.it.session.transaction():
            self.own.hold_loads()
            now = {one.id: one.version for one in self.own.read(self.outbox.lock(ids))}
            requests = [
                *self._claim_all("PUT", [one for one in plan.create if now.get(one[0].id) == one[0].version]),
                *self._claim_all("POST", [one for one in plan.change if now.get(one[0].id) == one[0].version]),
            ]
            for one in documents:
                if one.id in plan.keep and now.get(one.id) == one.version:
                    values, record = plan.keep[one.id]
                    self.own.keep_xeros(one.id, one.version, values, linking.said(record), linking.state(record))
            settled = [one for one in plan.settled if now.get(one.id) == one.version]
            self.it.counts.read += len(ids)
            self.exchange.record(settled, linked=plan.linked, asked=plan.asked, ours=plan.ours & now.keys())
        acted = {id for request in requests for id in request.documents} | {one.id for one in plan.settled}
        for id in ids:  # one that waits for another of its name is taken up again
            done[id] = done.get(id, 0) + (id in acted or not acted)
        for request in requests:
            what = f"a request of {len(request.documents)} contacts"
            self.breaker.attempt(what, partial(self.exchange.send, request), known=len(request.documents) < BATCH_SIZE)
        return True

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What a run would refuse and send. Writes nothing."""
        seen: list[UUID] = []
        while waiting := self.outbox.waiting(BATCH_SIZE, wanted, seen, preview=True):
            ids = [one.id for one in waiting]
            plan = self._plan(self.own.read(ids))
            if wrong := tuple(
                (one.label, *one.result.why) for one in plan.settled if one.result.state is PushState.FAILED
            ):
                yield Preview(refused=wrong)
            labels = {one.id: one.label for one in plan.settled}
            if linked := tuple(
                f"{labels[id]} would be {how.removesuffix('; nothing was sent')}" for id, how in plan.linked.items()
            ):
                yield Preview(linked=linked)
            for method, planned in (("PUT", plan.create), ("POST", plan.change)):
                if planned:
                    names = tuple(self.kind.called(document.number, document.id) for document, _ in planned)
                    body = {of.ENVELOPE: [element for _, element in planned]}
                    yield Preview(method, of.PATH, dict(QUERY), body, names)
            seen += ids

    def _plan(self, documents: Sequence[ContactDocument]) -> planning.Plan:
        chosen = settings.read(self.it.session, self.it.connection.id)
        new = [one for one in documents if planning.must_search(one, chosen.new_contacts)]
        found = self.search.find(new)
        ids = [xero_id for one in documents if (xero_id := one.xero_id or one.row.chosen_xero_id)]
        records = search.fetch(self.it.client, ids)
        merged = [into for record in records.values() if (into := search.merged_to(record)) and into not in records]
        return planning.plan(documents, found, records | search.fetch(self.it.client, merged), chosen)

    def _claim_all(self, method: str, planned: Sequence[tuple[ContactDocument, Json]]) -> Iterator[Request]:
        """Commits the keys and the exact requests; of contacts that Xero failed on smaller ones, and last."""
        sizes = self.outbox.failed_batch_sizes([document.id for document, _ in planned])
        most = {id: max(1, size // DIVIDED_BY) for id, size in sizes.items()}
        chunks: list[list[tuple[ContactDocument, Json]]] = []
        for one in sorted(planned, key=lambda one: -most.get(one[0].id, BATCH_SIZE)):
            if not chunks or len(chunks[-1]) >= most.get(one[0].id, BATCH_SIZE):
                chunks.append([])
            chunks[-1].append(one)
        for chunk in chunks:
            yield self.exchange.claim(
                method,
                [element for _, element in chunk],
                [document.id for document, _ in chunk],
                [document.version for document, _ in chunk],
                [responses.identity(document, element) for document, element in chunk],
            )
