"""Records in Xero that somebody there has typed by hand, like documents that QicWorks has not pushed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from tests.support.kept_session import kept_session
from tests.support.pushing import PRICED, Books, Row
from xero.documents.registry import KINDS
from xero.qicworks.connect import connections
from xero.qicworks.push.adopting import decisions
from xero.qicworks.push.adopting.decisions import Offer, Undoable
from xero.qicworks.push.adopting.twins import Decision
from xero.qicworks.push.outbox import Outbox

ENCODE = msgspec.json.Encoder(decimal_format="number").encode
AT_ONCE = 50  # documents in a request


def typed(books: Books, kind: str, documents: Sequence[UUID], **fields: Any) -> list[UUID]:
    """Types them into Xero, without our address; `fields`: not as in QicWorks. Their ids there."""
    _, collection, key, _, _ = PRICED[kind]
    sandbox = books.world.sandbox
    token = sandbox.grant(grant_type="client_credentials").json()["access_token"]
    made: list[UUID] = []
    with kept_session(books.world.engine) as session:
        outbox = Outbox(session, connections.one(session, books.connection_id), KINDS[kind])
        for start in range(0, len(documents), AT_ONCE):
            read = {one.id: one for one in outbox.read_priced(documents[start : start + AT_ONCE])}
            order = [read[id] for id in documents[start : start + AT_ONCE]]
            payloads = [{**KINDS[kind].payload(one), **fields} for one in order]
            for one in payloads:
                one.pop("Url", None)
            answer = sandbox.session.put(
                f"{sandbox.url}/api.xro/2.0/{collection}",
                params={"unitdp": "4"},
                data=ENCODE({collection: payloads}),
                headers={
                    "Authorization": f"Bearer {token}",
                    "xero-tenant-id": sandbox.tenant(books.organisation),
                    "Content-Type": "application/json",
                },
            )
            assert answer.status_code == 200, answer.text
            made += [UUID(one[key]) for one in answer.json()[collection]]
    books.world.calls()
    return made


def offers(books: Books, kind: str, document: UUID | None = None) -> list[Offer]:
    with kept_session(books.world.engine) as session:
        return decisions.offered(session, KINDS[kind], books.connection_id, document, None)


def offer(books: Books, kind: str, document: UUID) -> Offer:
    [one] = offers(books, kind, document)
    return one


def decide(books: Books, kind: str, document: UUID, decision: Decision, xero_id: UUID | None = None) -> None:
    one = offer(books, kind, document)
    with kept_session(books.world.engine) as session:
        decisions.decide(session, KINDS[kind], one, decision, xero_id, "Ann")


def undoable(books: Books, kind: str, document: UUID) -> list[Undoable]:
    with kept_session(books.world.engine) as session:
        return decisions.undoable(session, KINDS[kind], id=document)


def numbered(books: Books, kind: str, number: str) -> list[Row]:
    """What Xero has under that number and has not deleted, of the type of this kind."""
    _, collection, _, name, wanted = PRICED[kind]
    found = books.world.sandbox.truth(collection, books.organisation)
    return [
        one
        for one in found
        if str(one.get(name) or "").strip().lower() == number.strip().lower()
        and one["Status"] not in ("DELETED", "VOIDED")
        and wanted in (None, one.get("Type"))
    ]
