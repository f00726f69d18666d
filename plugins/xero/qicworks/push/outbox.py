"""The outbox: the requests that carry documents to Xero, and what became of each document.

A document is claimed by a request in one transaction and settled in another; between the two only the request in
`xero_sync.push_request` knows that Xero may have it. All of it happens under the lease of (connection, kind).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from xero.documents.declaration import Json
from xero.qicworks import sql
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About
from xero.qicworks.push.links import Claim, Link
from xero.qicworks.push.ready_documents import FILES, ReadyDocuments, Waiting
from xero.qicworks.push.results import Purpose, PushedContent, PushState, RequestOutcome, Result
from xero.qicworks.texts import fit

OUTBOX = sql.Statements("push/outbox")
DOCUMENTS = sql.Statements("push/documents")

__all__ = ["Outbox", "Purpose", "PushState", "Request", "RequestOutcome", "Result", "Waiting"]


@dataclass(frozen=True)
class Request:
    """A request of the outbox. Its times are by the database's clock.

    `first_sent_at`, `last_sent_at`: None if it was not sent, or was sent only since it was read. `sealed_at`: when this
    project wrote it; None: another program did, so nothing in it is trusted."""

    id: UUID
    key: str
    method: str
    path: str
    query: dict[str, str]
    body: str | None
    documents: tuple[UUID, ...]
    versions: tuple[int, ...]
    identities: tuple[Json, ...]
    server_failed: bool = False
    first_sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    sealed_at: datetime | None = None


def _in_order(query: dict[str, str]) -> dict[str, str]:
    """Sorted: jsonb keeps no order, and a request that is repeated under its key must have the same URL."""
    return dict(sorted(query.items()))


class Outbox(ReadyDocuments):
    """The documents of one kind and connection, claimed, sent and settled."""

    def retry_failed(self, wanted: Sequence[UUID] | None) -> int:
        """Makes failed documents and attachments ready again; returns how many."""
        of_them = {"organisation_id": self.connection.organisation_id, "table": self.kind.table, "wanted": wanted}
        documents = self._run(sql.template("push/outbox", "retry_documents"), wanted=wanted)
        return len(documents) + len(list(OUTBOX.retry_attachments(self.session, **of_them)))

    def orphaned(self) -> list[tuple[UUID, int, str]]:
        """Documents in state in_flight without an open request: id, version and number of each."""
        return [
            (row["id"], row["push_version"], row["number"])
            for row in self._run(sql.template("push/outbox", "orphaned"))
        ]

    # -- claiming, in one transaction

    def lock(self, ids: Sequence[UUID]) -> list[UUID]:
        """Locks those that are still ready and that no one is editing, until the transaction ends; returns them."""
        locked = [row["id"] for row in self._run(sql.template("push/outbox", "lock"), ids=list(ids))]
        self._passed_over = (self._passed_over | set(ids)) - set(locked)
        return locked

    def held_by_others(self) -> int:
        """How many are still ready because another session had them locked each time."""
        if not self._passed_over:
            return 0
        return len(self._run(sql.template("push/outbox", "still_ready"), ids=list(self._passed_over)))

    def claim(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: str | None,
        documents: Sequence[UUID],
        versions: Sequence[int],
        identities: Sequence[Json],
        event_id: int,
        purpose: Purpose = Purpose.PUSH,
    ) -> Request:
        """Creates and seals the request that carries these documents, and marks those to be pushed as in flight."""
        assert documents, "a request carries documents"
        assert self._seals, "only who may seal may claim"
        request = {
            "purpose": purpose,
            "method": method,
            "path": path,
            "query": Jsonb(query),
            "body": body,
            "idempotency_key": str(uuid4()),
            "documents": list(documents),
            "versions": list(versions),
            "identities": Jsonb(list(identities)),
            "event_id": event_id,
        }
        made = OUTBOX.add_request(self.session, **request, **self._pair)
        facts = self._facts({**request, "query": query, "identities": list(identities)})
        OUTBOX.seal_request(self.session, id=made["id"], seal=self._seals.seal(facts, made["created_at"]))
        if purpose is Purpose.PUSH:
            carried = {"ids": request["documents"], "versions": request["versions"]}
            self._run(sql.template("push/outbox", "mark_in_flight"), **carried)
        return Request(
            id=made["id"],
            key=str(request["idempotency_key"]),
            method=method,
            path=path,
            query=_in_order(query),
            body=body,
            documents=tuple(documents),
            versions=tuple(versions),
            identities=tuple(identities),
            sealed_at=made["created_at"],
        )

    def _facts(self, row: dict[str, Any]) -> dict[str, Any]:
        """What is sealed of a request: everything that decides what is sent, where to, and for which documents."""
        other = {} if row["purpose"] == Purpose.PUSH else {"purpose": row["purpose"]}  # older seals are without one
        return {
            **other,
            "table": "xero_sync.push_request",
            "connection": str(self.connection.id),
            "tenant": self.connection.tenant_id,
            "kind": self.kind.name,
            "documents": [str(id) for id in row["documents"]],
            **{name: row[name] for name in ("idempotency_key", "method", "path", "query", "body")},
            **{name: list(row[name]) for name in ("versions", "identities")},
        }

    def _sealed_at(self, row: dict[str, Any]) -> datetime | None:
        return self._seals.made_at(row["seal"] and bytes(row["seal"]), self._facts(row)) if self._seals else None

    # -- sending

    def now(self) -> datetime:
        """The database's clock, by which requests were sent."""
        now: datetime = OUTBOX.now(self.session)
        return now

    def reset_future_times(self) -> int:
        """Resets times of open requests that lie in the future, because the clock was put back; returns how many."""
        return int(OUTBOX.reset_future_times(self.session, **self._pair))

    def open_requests(self, purpose: Purpose = Purpose.PUSH) -> list[Request]:
        return [
            Request(
                id=row["id"],
                key=row["idempotency_key"],
                method=row["method"],
                path=row["path"],
                query=_in_order(row["query"]),
                body=row["body"],
                documents=tuple(row["documents"]),
                versions=tuple(row["versions"]),
                identities=tuple(row["identities"]),
                server_failed=row["server_failed"],
                first_sent_at=row["first_sent_at"],
                last_sent_at=row["last_sent_at"],
                sealed_at=self._sealed_at(row),
            )
            for row in OUTBOX.open_requests(self.session, **self._pair, purpose=purpose)
        ]

    def sending(self, request: Request) -> None:
        OUTBOX.sending(self.session, id=request.id)

    def may_be_sent(self, request: Request) -> bool:
        """Whether it may be sent, right after `sending`: the session still has the lease, and little time has passed.

        A process that was suspended in between may have been taken for dead, and its documents may be in Xero already.
        """
        row = OUTBOX.may_be_sent(self.session, id=request.id)
        assert row, "a request was settled by another run than the one that has the lease"
        return bool(row["just_now"])

    def server_failed(self, request: Request) -> None:
        OUTBOX.server_failed(self.session, id=request.id)

    # -- settling, in one transaction with the event

    def close(self, request: Request, outcome: RequestOutcome) -> None:
        OUTBOX.close_request(self.session, id=request.id, outcome=outcome)

    def release(self, request: Request) -> None:
        """Closes a request that Xero does not have; its documents are ready again."""
        with self.session.transaction():
            self.close(request, RequestOutcome.NOT_SENT)
            self.ready_again(request.documents)

    def ready_again(self, ids: Sequence[UUID]) -> None:
        self._run(sql.template("push/outbox", "ready_again"), ids=list(ids))

    def settle(
        self, id: UUID, version: int, result: Result, held: Sequence[PushState] = (PushState.IN_FLIGHT,)
    ) -> PushState | None:
        """Records what became of that version of a document.

        Args:
            held: The states in which it still waits for this result.

        Returns:
            The state that it has now; None if it was deleted, or moved to another organisation.
        """
        if result.state is None:
            self.ready_again([id])
            return PushState.READY
        settled = self._run(
            sql.template("push/outbox", self.kind.settled_by),
            id=id,
            version=version,
            held=list(held),
            state=result.state,
            xero_id=result.xero_id,
            xero_status=fit(result.xero_status, 100),
            error=fit(result.error),
            correction=fit(result.correction),
            forget=result.forget,
        )
        if not settled:
            return None
        for line, xero_line in result.line_ids:
            DOCUMENTS.keep_line_id(self.session, id=line, xero_line_id=xero_line)
        if result.forget and result.xero_id:
            OUTBOX.reset_attachments(self.session, table=self.kind.table, id=id)
        return PushState(settled[0]["push_state"])

    def settle_attachment(self, id: UUID, version: int, result: Result) -> None:
        OUTBOX.settle_attachment(
            self.session,
            id=id,
            version=version,
            state=result.state,
            xero_id=result.xero_id,
            error=fit(result.error),
            correction=fit(result.correction),
        )
        if result.state is PushState.PUSHED:
            self._links.keep(self.session, FILES, {id: Link(result.xero_id, version)})

    def keep_unclear(self, unclear: Sequence[UUID], known: Sequence[UUID]) -> None:
        """Keeps which documents Xero may have in a record that is not known, for their cancellation; `known`: what
        became of these is known."""
        if unclear:
            OUTBOX.keep_unclear(self.session, ids=list(unclear), **self._pair)
        if known:
            OUTBOX.forget_unclear(self.session, ids=list(known), **self._pair)

    def keep_links(self, links: Mapping[UUID, Link]) -> None:
        self._links.keep(self.session, self.kind.table, links)

    def keep_contents(self, pushed: Sequence[tuple[UUID, UUID, PushedContent]]) -> None:
        """What was pushed: document, its record in Xero, and content of each."""
        self._contents.keep(self.session, pushed)

    def keep_agreed(self, id: UUID, xero_id: UUID, content: PushedContent, pushed_at: str | None) -> None:
        """What both sides were found to have, unless it was pushed after `pushed_at`."""
        self._contents.keep_agreed(self.session, id, xero_id, content, pushed_at)

    def compare(self, results: Mapping[UUID, tuple[str, Result]]) -> None:
        """Opens and settles the differences of documents, by what their results say of them (label and result)."""
        known = differences.with_open(self.session, self.connection.id, list(results))
        for id, (label, result) in results.items():
            if result.differences or (result.differences is not None and id in known):
                about = About(self.connection.id, self.kind.name, id, label)
                differences.compare(self.session, about, result.differences, result.judged)

    def claims(self, id: UUID, xero_ids: Sequence[UUID]) -> dict[UUID, Claim]:
        """Which of these Xero records another QicWorks document is linked to, by its row or by a seal."""
        return self._links.claims(self.session, id, xero_ids)

    def left(self, id: UUID) -> set[UUID]:
        """Records in Xero that a person has said to be no record of this document."""
        return self.twins.left(id)

    def alike(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those for which QicWorks has another document with the same contact, number and amount."""
        asked = {"organisation_id": self.connection.organisation_id, "ids": list(ids)}
        return {row["id"] for row in DOCUMENTS.alike(self.session, **asked)}

    def existing(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those that are ids of QicWorks documents that carry our address."""
        return {row["id"] for row in DOCUMENTS.existing(self.session, ids=list(ids))} if ids else set()
