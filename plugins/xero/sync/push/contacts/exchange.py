"""Sends requests of contacts to Xero, and records what became of each contact."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec

from xero.api import wire
from xero.api.errors import Refused, XeroError
from xero.documents import contacts as of
from xero.documents.contacts import ContactDocument
from xero.documents.declaration import Json, Kind
from xero.qicworks.connect import settings
from xero.qicworks.follow.wording import say
from xero.qicworks.push.contacts import OwnContacts
from xero.qicworks.push.outbox import Outbox, PushState, Request, RequestOutcome, Result
from xero.qicworks.runs.outcome import Status
from xero.sync.push.contacts import linking, responses, verdicts
from xero.sync.push.contacts.changes import storable
from xero.sync.push.contacts.matching import Alike, Candidate, Match
from xero.sync.push.contacts.search import Search, version
from xero.sync.push.deadlines import REPLAY_WINDOW_SECONDS, Replay, Wait
from xero.sync.push.outages import later
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.verdicts import Settled, check_in_xero, refused, silent
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

QUERY = {"summarizeErrors": "false"}
JSON = msgspec.json.Encoder(decimal_format="number")


def described(candidate: Candidate) -> dict[str, Any]:
    """What a person sees of a candidate; of one that was erased no texts."""
    known = candidate.known
    texts = {"name": known.name, "email": known.email, "tax_number": known.tax_number} if not known.is_erased else {}
    return {
        "xero_id": str(known.xero_id),
        "alike": sorted(candidate.alike),
        "is_active": known.is_active,
        **{name: value and storable(value) for name, value in texts.items()},
    }


def another(result: Result) -> Result:
    return check_in_xero(f"Xero responded to its creation with {result.xero_id}, which is another contact of QicWorks")


class Exchange:
    """The requests of one connection's contacts, and their results."""

    def __init__(
        self,
        it: Run,
        kind: Kind,
        outbox: Outbox,
        recorder: ResultRecorder,
        own: OwnContacts,
        search: Search,
        quiet_seconds: float,
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.own = own
        self.search = search
        self.quiet_seconds = quiet_seconds
        self.setting = str(settings.read(it.session, it.connection.id).new_contacts)

    def claim(
        self,
        method: str,
        elements: Sequence[Json],
        ids: Sequence[UUID],
        versions: Sequence[int],
        identities: Sequence[Json],
    ) -> Request:
        """Commits the key and the exact request before anything is sent."""
        body = JSON.encode({of.ENVELOPE: list(elements)}).decode()
        return self.outbox.claim(method, of.PATH, QUERY, body, ids, versions, identities, self.it.event_id)

    def labels(self, request: Request) -> list[str]:
        """What the contacts of a request are called now."""
        known = {one.id: one.number for one in self.own.read(request.documents)}
        return [self.kind.called(known.get(id), id) for id in request.documents]

    def send(self, request: Request, replay: Replay | None = None) -> None:
        """Sends a committed request and records the results. `replay`: it was sent before."""
        assert request.body is not None, "an open request keeps its body"
        try:
            answer = self.it.client.write(
                request.method,
                of.PATH,
                request.body.encode(),
                key=request.key,
                params=QUERY,
                replay_window=replay.window_seconds if replay else REPLAY_WINDOW_SECONDS,
                outcome_unknown=replay is not None,
                on_send=lambda: self.outbox.sending(request),
                may_send=lambda: self.outbox.may_be_sent(request),
            )
        except Refused as refusal:
            if refusal.outcome_unknown:  # perhaps only because it is processing it already
                self.outbox.server_failed(request)
                raise later(Wait(self.quiet_seconds)) from None
            if refusal.status not in (400, 413, 422):  # no contact's fault
                self.outbox.release(request)
                raise
            if len(request.documents) > 1:
                self._divide(request)
            else:
                words = responses.without_emails(refusal.messages)
                self._conclude(request, lambda name, at: refused(self.kind, name, None, words))
            return
        except XeroError as error:
            if error.server_failed:
                self.outbox.server_failed(request)
            elif not error.outcome_unknown:
                self.outbox.release(request)
            raise
        sent = wire.loads(request.body.encode())[of.ENVELOPE]
        pairs = responses.pair(request.identities, sent, responses.elements(answer.data))
        self._conclude(request, lambda name, at: responses.read(self.kind, name, request.identities[at], pairs[at]))

    def _divide(self, request: Request) -> None:
        """Xero refuses all because of one: sends two halves, and so on until that one is alone."""
        elements = wire.loads((request.body or "").encode())[of.ENVELOPE]
        half = (len(elements) + 1) // 2
        log.warning("Xero refused all %d contacts because of one; sending them in two halves", len(elements))
        with self.it.session.transaction():
            self.outbox.close(request, RequestOutcome.ANSWERED)
            halves = [
                self.claim(
                    request.method,
                    elements[part],
                    request.documents[part],
                    request.versions[part],
                    request.identities[part],
                )
                for part in (slice(0, half), slice(half, None))
            ]
        for one in halves:
            self.send(one)

    def _conclude(self, request: Request, read: Callable[[str, int], Result]) -> None:
        """Records the results of a response. Of new ones, what it leaves open or refuses is searched for: it may be
        there already, by an earlier request that arrived late."""
        names = self.labels(request)
        results = [read(name, at) for at, name in enumerate(names)]
        if request.method == "PUT":  # a creation is a new record
            taken = self.own.taken([one.xero_id for one in results if one.xero_id])
            others = [{xero_id for xero_id, own in taken if own != id} for id in request.documents]
            results = [another(one) if one.xero_id in its else one for one, its in zip(results, others, strict=True)]
        unclear = [at for at, one in enumerate(results) if one.state is not PushState.PUSHED and not one.is_unclear]
        linked: dict[UUID, str] = {}
        asked: dict[UUID, Match] = {}
        if request.method == "PUT" and unclear:
            documents = {one.id: one for one in self.own.read([request.documents[at] for at in unclear])}
            found = self.search.find(list(documents.values()))
            for at in unclear:
                id = request.documents[at]
                results[at] = self._found(documents.get(id), found.get(id, Match()), results[at], linked, asked)
        silence = silent(is_new=request.method == "PUT")
        self.record(
            [
                Settled(id, version, name, silence if result.state is None else result)
                for id, version, name, result in zip(request.documents, request.versions, names, results, strict=True)
            ],
            request,
            linked=linked,
            asked=asked,
            ours={
                id
                for id, result in zip(request.documents, results, strict=True)
                if request.method == "PUT" and result.state is PushState.PUSHED and id not in linked
            },
        )

    def _found(
        self,
        document: ContactDocument | None,
        found: Match,
        result: Result,
        linked: dict[UUID, str],
        asked: dict[UUID, Match],
    ) -> Result:
        """The result by what a search found after Xero's response."""
        if document is None or (not found.certain and not found.candidates):
            if result.number_taken and document:
                asked[document.id] = found  # by what, the search does not show
            return result
        if found.certain:
            if found.by is Alike.OWN_NUMBER or not document.row.decided:
                if found.by is not Alike.OWN_NUMBER:
                    linked[document.id] = verdicts.linked(found.certain, found.by)
                return Result(PushState.PUSHED, found.certain.xero_id, "ACTIVE", record=found.record)
            by = frozenset([found.by] if found.by else [])
            asked[document.id] = Match(candidates=(Candidate(found.certain, by),))
            return result
        asked[document.id] = found
        own = any(Alike.OWN_NUMBER in one.alike for one in found.candidates)
        return verdicts.perhaps(found) if own or not document.row.decided else result

    def record(
        self,
        settled: Sequence[Settled],
        request: Request | None = None,
        outcome: RequestOutcome = RequestOutcome.ANSWERED,
        *,
        linked: Mapping[UUID, str] = MappingProxyType({}),
        asked: Mapping[UUID, Match] = MappingProxyType({}),
        ours: Collection[UUID] = (),
    ) -> None:
        """Records results, links, and what a person is asked, in one transaction. `linked`: how those were found that
        QicWorks did not create; `ours`: those that it created."""
        with self.it.session.transaction():
            self.own.hold_loads()
            for one in settled:
                if one.result.record:
                    said, state = linking.said(one.result.record), linking.state(one.result.record)
                    self.own.answered(one.id, said, state, version(one.result.record), sent=request is not None)
            self.recorder.record(settled, request, outcome)
            self.own.are_ours(ours)
            for one in settled:
                if one.result.xero_id:
                    self.own.link(one.id, one.result.xero_id)
                if words := linked.get(one.id):
                    self.recorder.note(one.label, one.id, Status.SUCCESS, words, None, sent=False)
            self._keep_differences(settled, linked)
            self.own.drop_questions([one.id for one in settled])
            for one in settled:
                if one.id in asked:
                    found = [described(each) for each in asked[one.id].candidates]
                    self.own.ask(one.id, one.version, found, self.setting)

    def _keep_differences(self, settled: Sequence[Settled], linked: Collection[UUID]) -> None:
        """What QicWorks has otherwise than the records that these were linked to, now or before."""
        records = {one.id: one.result.record for one in settled if one.id in linked}
        for document in self.own.read(list(records)):
            if record := records[document.id]:
                linking.take(self.own, document, record)
        for id, about, changes in linking.compare(self.own, [one.id for one in settled if one.result.xero_id]):
            for found in changes.new:
                words, correction = say(found, self.kind.name)
                self.recorder.note(about.label, id, Status.WARNING, words, correction, sent=False)
                self.recorder.warnings += 1
