"""Pushes one document per request (payroll, leave); one failure does not stop the others."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from xero.api.client import Answer
from xero.api.errors import Refused, XeroError
from xero.documents.declaration import AnyDocument, Kind
from xero.qicworks.push.outbox import Outbox, Request, RequestOutcome, Result
from xero.sync.push.deadlines import QUIET_SECONDS, LookUp, Release, Wait, fate
from xero.sync.push.outages import MAX_FAILURES_ALONE, OutageBreaker, later
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.verdicts import UNSEALED, Settled, check_in_xero, label, xero_fails
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

DOCUMENTS_READ_TOGETHER = 50  # documents read together

DocumentT = TypeVar("DocumentT", bound=AnyDocument)

JSON = msgspec.json.Encoder(decimal_format="number")


class OneByOne(ABC, Generic[DocumentT]):
    """Pushes documents of one kind and connection, each in a separate request."""

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
        self.recorder = recorder
        self.quiet_seconds = quiet_seconds
        self.breaker = OutageBreaker()

    @abstractmethod
    def read(self, ids: Sequence[UUID]) -> list[DocumentT]:
        """The documents of these ids, in the order in which they are to be pushed."""

    @abstractmethod
    def push(self, document: DocumentT) -> None:
        """Pushes and settles one; an outage may leave its request open."""

    @abstractmethod
    def look_up(self, request: Request) -> None:
        """Resolves a request that Xero may have received and must have finished."""

    # -- what an earlier run left

    def recover(self, request: Request) -> None:
        log.warning("an earlier run left a request of one %s open", self.kind.word)
        if request.sealed_at is None:
            self._recover_unsealed(request)
            return
        becomes = fate(request, self.outbox.now(), self.kind, self.quiet_seconds)
        if isinstance(becomes, Release):
            log.info("the request was never sent: its document is ready again")
            self.outbox.release(request)
        elif isinstance(becomes, Wait):
            raise later(becomes)
        else:
            assert isinstance(becomes, LookUp), f"requests of {self.kind.name} are not repeated"
            self.look_up(request)

    def _recover_unsealed(self, request: Request) -> None:
        """Fails the documents of a request that another program, or an earlier version, wrote: a person must check."""
        self.recorder.warn(*UNSEALED)
        unclear = check_in_xero("what was sent of it is not known")
        settled = [
            Settled(id, version, f"{self.kind.word} {id}", unclear)
            for id, version in zip(request.documents, request.versions, strict=False)
        ]
        self.recorder.record(settled, request, RequestOutcome.LOOKED_UP)

    # -- one by one

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        """Pushes the next ones; False when nothing is ready. `done` counts how often a document was taken up."""
        waiting = self.outbox.waiting(DOCUMENTS_READ_TOGETHER, wanted, [id for id, times in done.items() if times > 1])
        if not waiting:
            return False
        self.it.counts.read += sum(one.id not in done for one in waiting)
        for one in waiting:
            done[one.id] = done.get(one.id, 0) + 1
        documents = self.read([one.id for one in waiting])
        trouble = self.outbox.failed_batch_sizes([one.id for one in documents])
        for document in sorted(documents, key=lambda one: one.id in trouble):  # outages in a row end a run
            self.it.check_still_on()
            known = document.id in trouble
            self.breaker.attempt(label(self.kind, document), partial(self.push, document), known=known)
        return True

    # -- sending and settling

    def write(self, request: Request, path: str, body: bytes, key: str, replay_window: float) -> Answer:
        """Sends a part of a committed request.

        Raises:
            Refused: For the caller to handle.
            XeroError: The request stays open if Xero may have it; otherwise its document is ready again.
        """
        try:
            return self.it.client.write(
                "POST",
                path,
                body,
                key=key,
                replay_window=replay_window,
                on_send=lambda: self.outbox.sending(request),
                may_send=lambda: self.outbox.may_be_sent(request),
            )
        except Refused:
            raise
        except XeroError as error:
            if error.server_failed:
                self.outbox.server_failed(request)
            elif not error.outcome_unknown:
                self.not_sent(request)
            raise

    def not_sent(self, request: Request) -> None:
        self.outbox.release(request)

    def settle(
        self,
        document: DocumentT,
        result: Result,
        request: Request | None = None,
        outcome: RequestOutcome = RequestOutcome.ANSWERED,
    ) -> None:
        version = request.versions[0] if request else document.version  # it may have been edited since
        one = Settled(document.id, version, label(self.kind, document), result)
        self.recorder.record([one], request, outcome)

    def given_up(self, document: DocumentT, request: Request) -> Result | None:
        """Why a request is not sent again: Xero has failed on it each time."""
        if not request.server_failed:
            return None
        times = self.outbox.times_failed_alone(request.documents[0], request.versions[0])
        return xero_fails(label(self.kind, document), times) if times >= MAX_FAILURES_ALONE else None

    def claimed(self, document: DocumentT, version: Callable[[UUID], int]) -> bool:
        """Locks it, and checks that it is still ready and in the version that was read. Needs a transaction."""
        return bool(self.outbox.lock([document.id])) and version(document.id) == document.version
