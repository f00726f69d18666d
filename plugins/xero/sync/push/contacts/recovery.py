"""Finds out what became of a request of contacts that an earlier run left open."""

from __future__ import annotations

import logging
from dataclasses import replace

from xero.qicworks.push.outbox import Outbox, PushState, Request, RequestOutcome, Result
from xero.sync.push.contacts import responses
from xero.sync.push.contacts.exchange import Exchange
from xero.sync.push.contacts.matching import Alike, Match
from xero.sync.push.deadlines import LookUp, Release, Replay, Wait, fate, wait_until_quiet
from xero.sync.push.outages import MAX_FAILURES_ALONE, later
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.verdicts import UNSEALED, Settled, xero_fails

log = logging.getLogger(__name__)


class Recovery:
    """Resolves open requests. A contact that Xero may have is not created again."""

    def __init__(self, outbox: Outbox, recorder: ResultRecorder, exchange: Exchange, quiet_seconds: float) -> None:
        self.outbox = outbox
        self.recorder = recorder
        self.exchange = exchange
        self.kind = exchange.kind
        self.quiet_seconds = quiet_seconds

    def recover(self, request: Request) -> None:
        log.warning("an earlier run left a request of %d contacts open", len(request.documents))
        if request.sealed_at is None:
            self._recover_unsealed(request)
            return
        becomes = fate(request, self.outbox.now(), self.kind, self.quiet_seconds)
        if isinstance(becomes, Replay) and request.method != "PUT":
            # Xero's record may have been edited since this change of it was planned: it is planned again.
            becomes = wait_until_quiet(request, self.outbox.now(), self.quiet_seconds) or LookUp()
        if isinstance(becomes, Replay):
            log.info("the request is sent again under its key")
            self.exchange.send(request, becomes)
        elif isinstance(becomes, Release):
            log.info("the request was never sent: its contacts are ready again")
            self.outbox.release(request)
        elif isinstance(becomes, Wait):
            raise later(becomes)
        else:
            self._look_up(request)

    def _recover_unsealed(self, request: Request) -> None:
        """Nothing of a request that another program wrote is sent: its contacts are looked for by our own number."""
        self.recorder.warn(*UNSEALED)
        if wait := wait_until_quiet(request, self.outbox.now(), self.quiet_seconds):
            raise later(wait)
        documents = self.exchange.own.read(request.documents)
        self._look_up(
            replace(
                request,
                method="PUT",
                documents=tuple(one.id for one in documents),
                versions=tuple(one.version for one in documents),
                identities=tuple(responses.identity(one, {}) for one in documents),
            )
        )

    def _look_up(self, request: Request) -> None:
        """What Xero has under our number was pushed; what it has not is ready again. A change may be sent again."""
        if given_up := self._given_up(request):
            self.exchange.record([given_up], request, RequestOutcome.LOOKED_UP)
            return
        if request.method != "PUT":
            self.outbox.release(request)
            return
        log.info("checking Xero for the contacts of this request")
        documents = {one.id: one for one in self.exchange.own.read(request.documents)}
        found = self.exchange.search.find(list(documents.values()))
        settled = []
        labels = self.exchange.labels(request)
        for id, version, name in zip(request.documents, request.versions, labels, strict=True):
            here = found.get(id, Match())
            result = Result(None)
            if here.certain and here.by is Alike.OWN_NUMBER:
                result = Result(PushState.PUSHED, here.certain.xero_id, "ACTIVE", record=here.record)
            elif id not in documents and (known := self.exchange.search.of_number(str(id))):
                result = Result(PushState.PUSHED, known.xero_id, "ACTIVE")
            settled.append(Settled(id, version, name, result))
        ours = {one.id for one in settled if one.result.xero_id}
        self.exchange.record(settled, request, RequestOutcome.LOOKED_UP, ours=ours)

    def _given_up(self, request: Request) -> Settled | None:
        """The contact that Xero failed on however often it was sent alone."""
        if not request.server_failed or len(request.documents) > 1:
            return None
        [id], [version], [name] = request.documents, request.versions, self.exchange.labels(request)
        times = self.outbox.times_failed_alone(id, version)
        return Settled(id, version, name, xero_fails(name, times)) if times >= MAX_FAILURES_ALONE else None
