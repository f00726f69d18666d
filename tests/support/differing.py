"""Differences between QicWorks and Xero, as whoever compares both sides finds them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.support.kept_session import kept_session
from tests.support.pushing import Books
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Difference, Found, Reason

EDITED = Found(Reason.EDITED_IN_XERO, {"Date": "2026-10-05"}, {"Date": "2026-10-06", "Reference": "<b>PO</b> 7"})
VOIDED = Found(Reason.VOIDED_IN_XERO, {"Status": "Un-paid"}, {"Status": "VOIDED"})
NOTHING: tuple[Found, ...] = ()


def differ(books: Books, kind: str, document: UUID | None, label: str, *found: Found) -> list[Difference]:
    """Exactly these are found of that document now; all others of it are settled. Returns those that are open."""
    with kept_session(books.world.engine) as session:
        differences.compare(session, About(books.connection_id, kind, document, label), found, tuple(Reason))
        listed = differences.listed(session, books.connection_id, kinds=[kind])
    return [one for one in listed if one.document_id == document]


def put_off(books: Books, id: int, days: float = 7, who: str = "office") -> None:
    """Acknowledged by that user."""
    with kept_session(books.world.engine) as session:
        until = datetime.now(UTC) + timedelta(days=days)
        assert differences.acknowledge(session, id, who, until, seen=seen_of(session, id))


def seen_of(session: Session, id: int) -> str:
    """The hash of its values as they are now; '' if it is not open."""
    return next((one.seen for one in differences.listed(session) if one.id == id), "")
