"""Documents with priced lines: fifty to a request, created once, changed while Xero still calls them drafts."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from xero.api import wire
from xero.api.errors import Refused, RetryLater, XeroError
from xero.documents.declaration import Document, Json, PricedKind, Record
from xero.qicworks.outbox import Outbox, Request, Result, Waiting
from xero.sync import lookup, readback
from xero.sync.interaction import Interaction
from xero.sync.preview import Preview
from xero.sync.settling import Settled, Settling, check_in_xero, label, refused, unfit

log = logging.getLogger(__name__)

AT_MOST = 50  # documents in a request
LARGEST = 3_000_000  # bytes of a request; Xero advises to stay below 3.5 MB
REPLAY = 300.0  # seconds for which a request is sent again under its key; Xero keeps it for six minutes
QUIET = 60.0  # seconds after which a request that got no good answer is surely at its end

#: Xero's words for a number that is there already, or was.
TAKEN = re.compile("must be unique|not of valid status for modification", re.IGNORECASE)
UNANSWERED = "It is not in Xero. Push again; if that happens again, report it."

JSON = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Planned:
    """What would be sent: the documents and the elements that they become."""

    method: str
    documents: tuple[Document, ...]
    elements: tuple[Json, ...]

    def body(self, kind: PricedKind) -> str:
        return JSON.encode({kind.envelope: list(self.elements)}).decode()


class Batch:
    """Pushes the documents of one kind and connection, batch by batch."""

    def __init__(
        self, it: Interaction, kind: PricedKind, outbox: Outbox, settling: Settling, quiet: float = QUIET
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.settling = settling
        self.quiet = quiet

    # -- what an earlier run left

    def recover(self, request: Request) -> None:
        """Settles a request of which nobody knows what became. Never sends anything that Xero may have."""
        log.warning("an earlier run left a request of %d documents open", len(request.documents))
        if request.first_age is None:
            log.info("it never left: its documents are ready again")
            self.outbox.release(request)
        elif not request.server_failed and request.first_age < REPLAY:
            log.info("it left %.0f s ago: the same is sent again under its key", request.first_age)
            self._send(request)
        elif (request.last_age or 0.0) < self.quiet:
            raise RetryLater(
                self.quiet - (request.last_age or 0.0),
                "outage",
                "Xero may still be at work on an earlier request.",
                "Nothing to do: a later run looks what became of it.",
            )
        else:
            self._look_up(request)

    # -- batch by batch

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        """Pushes the next fifty; False when nothing is ready. `done` counts how often a document was taken up."""
        waiting = self.outbox.waiting(AT_MOST, wanted, [id for id, times in done.items() if times > 1])
        if not waiting:
            return False
        standing = {one.id: self._standing(one) for one in waiting if one.xero_id}
        with self.it.session.transaction():
            locked = self.outbox.lock([one.id for one in waiting])
            documents = self.outbox.read_priced(locked)
            settled, plans = self._plan(documents, standing)
            requests = [self._claim(plan) for plan in plans]
            self.it.counts.read += len(documents)
            if settled:
                self.settling.settle(settled)
        for one in waiting:
            done[one.id] = done.get(one.id, 0) + 1
        for request in requests:
            self._send(request)
        return True

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What a run would refuse and send, fifty by fifty. Writes nothing."""
        seen: list[UUID] = []
        while waiting := self.outbox.waiting(AT_MOST, wanted, seen):
            standing = {one.id: self._standing(one) for one in waiting if one.xero_id}
            settled, plans = self._plan(self.outbox.read_priced([one.id for one in waiting]), standing)
            if settled:
                yield Preview(refused=tuple((one.label, *one.result.why) for one in settled))
            for plan in plans:
                body = {self.kind.envelope: list(plan.elements)}
                names = tuple(label(self.kind, document) for document in plan.documents)
                yield Preview(plan.method, self.kind.path, self._query(), body, names)
            seen += [one.id for one in waiting]

    def _query(self) -> dict[str, str]:
        return {"summarizeErrors": "false", **self.kind.query}

    def _plan(
        self, documents: Sequence[Document], standing: dict[UUID, Record | None]
    ) -> tuple[list[Settled], list[Planned]]:
        """Who cannot be sent, and why; and what is sent of the others."""
        settled: list[Settled] = []
        create: list[tuple[Document, Json]] = []
        change: list[tuple[Document, Json]] = []
        for document in documents:
            result: Result | None = None
            findings = [finding for check in self.kind.checks for finding in check(document)]
            if any(finding.correction for finding in findings):
                result = unfit(label(self.kind, document), findings)
            elif document.xero_id is None or self._is_to_be_made_anew(document, standing.get(document.id)):
                create.append((document, self.kind.payload(document)))
            else:
                result = self._not_editable(document, standing.get(document.id))
                if result is None:
                    change.append((document, self._changed(document, standing.get(document.id) or {})))
            if result:
                settled.append(Settled(document.id, document.version, label(self.kind, document), result))
        return settled, [*_chunks("PUT", create), *_chunks("POST", change)]

    def _claim(self, plan: Planned) -> Request:
        """Commits the key and the exact request before anything is sent."""
        return self.outbox.claim(
            plan.method,
            self.kind.path,
            self._query(),
            plan.body(self.kind),
            [document.id for document in plan.documents],
            [document.version for document in plan.documents],
            [self.kind.identity(document) for document in plan.documents],
            self.it.event_id,
        )

    # -- what was pushed before

    def _standing(self, waiting: Waiting) -> Record | None:
        """How it stands in Xero now; None when it is not there."""
        try:
            return lookup.one(self.it.client, self.kind, waiting.xero_id)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def _is_to_be_made_anew(self, document: Document, record: Record | None) -> bool:
        """It was deleted in Xero, and has got a new number since."""
        return (
            record is not None
            and record.get("Status") in self.kind.gone
            and document.number is not None
            and document.number != record.get(self.kind.number)
        )

    def _not_editable(self, document: Document, record: Record | None) -> Result | None:
        """Why a change cannot be sent; None when it can."""
        name = label(self.kind, document)
        if record is None:
            return check_in_xero(f"what was pushed of it ({document.xero_id}) is not in Xero any more")
        status = str(record.get("Status"))
        if status in self.kind.editable:
            return None
        if status in self.kind.gone:
            return readback.deleted(name, document.number, status, document.xero_id or readback.NOBODY)
        return Result(
            "failed",
            document.xero_id,
            status,
            f"it is {status.lower()} in Xero, so that the change was not sent",
            f"Make the same change in Xero by hand, or undo it in QicWorks; a credit note corrects what is paid. "
            f"While the {name} is a draft in Xero, QicWorks may change it.",
        )

    def _changed(self, document: Document, record: Record) -> Json:
        """The payload with the ids that Xero knows: a line without its id would be a new one."""
        payload = self.kind.payload(document)
        there = {
            str(line.get("LineItemID")).lower() for line in record.get("LineItems") or () if isinstance(line, dict)
        }
        lines = [
            {"LineItemID": str(line["xero_line_id"]), **made} if str(line["xero_line_id"]).lower() in there else made
            for line, made in zip(document.lines, payload["LineItems"], strict=True)
        ]
        return {self.kind.key: str(document.xero_id), **payload, "LineItems": lines}

    # -- sending and settling

    def _send(self, request: Request) -> None:
        """Sends a committed request, and settles what comes of it."""
        assert request.body is not None, "an open request keeps its body"
        try:
            answer = self.it.client.write(
                request.method,
                request.path,
                request.body.encode(),
                key=request.key,
                params=request.query,
                again_for=REPLAY - (request.first_age or 0.0),
                in_doubt=request.first_age is not None,
                sending=lambda: self.outbox.sending(request),
            )
        except Refused as refusal:
            if refusal.in_doubt:
                self._look_up(request)
            elif len(request.documents) > 1:
                self._divide(request)
            else:
                messages = refusal.messages
                results = self._results(
                    request, lambda at, document, name, number: refused(self.kind, name, number, messages)
                )
                self.settling.settle(results, request)
            return
        except XeroError as error:
            if error.server_failed:
                self.outbox.server_failed(request)
            elif not error.in_doubt:
                self.outbox.release(request)
            raise
        self._settle_answer(request, readback.elements(self.kind, answer.data))

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
                    request.path,
                    request.query,
                    JSON.encode({self.kind.envelope: elements[part]}).decode(),
                    request.documents[part],
                    request.versions[part],
                    request.identities[part],
                    self.it.event_id,
                )
                for part in (slice(0, half), slice(half, None))
            ]
        for one in halves:
            self._send(one)

    def _settle_answer(self, request: Request, records: Sequence[Record]) -> None:
        pairs = readback.pair(self.kind, request.identities, records)

        def read(at: int, document: Document | None, name: str, number: str | None) -> Result:
            record = pairs[at]
            return readback.read(self.kind, name, number, document, record) if record else Result(None)

        results = self._results(request, read)
        if request.method == "PUT":
            doubtful = [at for at, one in enumerate(results) if _wants_a_look(one.result)]
            if doubtful:
                found = lookup.look(self.it.client, self.kind, [request.identities[at] for at in doubtful])
                for at in doubtful:
                    results[at] = self._looked_up(request, at, results[at], found)
        silent = Result("failed", error="Xero's answer says nothing of it", correction=UNANSWERED)
        results = [replace(one, result=silent) if one.result.state is None else one for one in results]
        self.settling.settle(results, request)

    def _look_up(self, request: Request) -> None:
        """Looks in Xero for what a request may have brought there, and settles it."""
        if request.method == "POST":  # a change: sent again it does the same again
            self.outbox.release(request)
            return
        log.info("whether it arrived is looked up in Xero")
        found = lookup.look(self.it.client, self.kind, request.identities)
        results = self._results(request, lambda at, document, name, number: Result(None))
        results = [self._looked_up(request, at, one, found) for at, one in enumerate(results)]
        self.settling.settle(results, request, "looked up")

    def _looked_up(self, request: Request, at: int, settled: Settled, found: lookup.Found) -> Settled:
        """What was found of one document: it; nothing; or what only a person can judge."""
        identity, answered = request.identities[at], settled.result
        records = lookup.candidates(self.kind, identity, found, request.first_age)
        ids = [id for record in records if (id := readback.id_of(self.kind, record))]
        others = self.outbox.owned_by_others(settled.id, ids)
        own = [record for record in records if readback.id_of(self.kind, record) not in others]
        if len(own) == 1:
            log.info("%s stands in Xero already", settled.label)
            return self._results(
                request,
                lambda at, document, name, number: readback.read(self.kind, name, number, document, own[0]),
                only=at,
            )[0]
        if own:
            result = check_in_xero(f"Xero has {len(own)} of it")
        elif answered.state == "failed":
            result = answered  # its number is somebody else's
        elif lookup.strangers(self.kind, identity, found):
            result = check_in_xero(f"Xero has a {self.kind.word} of this number and contact, perhaps this one")
        else:
            result = Result(None)
        return replace(settled, result=result)

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
        made = []
        for at in places:
            id, version, number = request.documents[at], request.versions[at], request.identities[at][self.kind.number]
            document = held.get(id)
            if document and document.version != version:
                document = None
            name = f"{self.kind.word} {number}"
            result = read(at, document, name, number)
            if document and result.state == "pushed":
                odd = [finding.says for check in self.kind.checks for finding in check(document)]
                result = replace(result, notes=(*result.notes, *odd))
            if request.method == "PUT" and result.xero_id:
                result = replace(result, forget=True)
            made.append(Settled(id, version, name, result))
        return made


def _wants_a_look(result: Result) -> bool:
    """Xero said nothing of it, or that its number is taken: perhaps by itself."""
    return result.state is None or (result.state == "failed" and bool(TAKEN.search(result.error or "")))


def _chunks(method: str, planned: Sequence[tuple[Document, Json]]) -> Iterator[Planned]:
    """As many to a request as fit in three megabytes."""
    documents: list[Document] = []
    elements: list[Json] = []
    size = 0
    for document, element in planned:
        weight = len(JSON.encode(element)) + 1
        if elements and size + weight > LARGEST:
            yield Planned(method, tuple(documents), tuple(elements))
            documents, elements, size = [], [], 0
        documents.append(document)
        elements.append(element)
        size += weight
    if elements:
        yield Planned(method, tuple(documents), tuple(elements))
