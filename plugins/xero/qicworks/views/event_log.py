"""The log of connection events: newest first, page by page, filtered, or in full as an export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.views.position import Position

QUERIES = sql.Statements("pages/event_log")

MAX_SCANNED = 5000  # events that are searched for words before the full-text index is used

Pair = tuple[str, str]  # (direction, data set)
EventScope = frozenset[Pair] | None  # the pairs whose events a user may see; None: all events


@dataclass(frozen=True)
class Filter:
    """Which events.

    Attributes:
        text: All of these words, in any case; the last may be the beginning of one.
        since: Included.
        until: Not included.
        scope: Those that the reader may see.
    """

    connection_id: UUID | None = None
    direction: str | None = None
    data_set: str | None = None
    status: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    scope: EventScope = None

    def values(self) -> dict[str, Any]:
        return {
            "connection_id": self.connection_id,
            "direction": self.direction or None,
            "data_set": self.data_set or None,
            "status": self.status or None,
            "text": (self.text or "").strip() or None,
            "since": self.since,
            "until": self.until,
            **scope_parameters(self.scope),
        }


class EventPosition(Position):
    """Of an event, by its start."""

    read_id = int


def scope_parameters(scope: EventScope) -> dict[str, list[str] | None]:
    """The parameters of statements: two lists of the same length, or None and None."""
    if scope is None:
        return {"directions": None, "data_sets": None}
    ordered = sorted(scope)
    return {"directions": [pair[0] for pair in ordered], "data_sets": [pair[1] for pair in ordered]}


def page(
    session: Session, filter: Filter, before: EventPosition | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], EventPosition | None]:
    """Returns the next events after that position, with all their columns, `organisation` and `tenant_name`; and the
    position where they end, None if there are no more."""
    position = {"before_at": before.at if before else None, "before_id": before.id if before else None}
    found = _newest(session, filter, {**filter.values(), **position, "limit": limit + 1})
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], EventPosition(last["started_at"], last["id"])


def of_document(
    session: Session, kind: str, id: UUID, organisation_id: UUID, label: str, limit: int = 50
) -> list[dict[str, Any]]:
    """The newest events of one document, also under earlier numbers, with the columns of `page`.

    `label` finds events that were written before events had the document's id.
    """
    return list(
        QUERIES.of_document(
            session, kind=kind, document_id=id, organisation_id=organisation_id, label=label, limit=limit
        )
    )


def _newest(session: Session, filter: Filter, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Picks the cheapest query for this filter."""
    if values["text"] is not None:
        common = list(QUERIES.newest_with_words(session, **values, among=MAX_SCANNED))
        return common if len(common) == values["limit"] else list(QUERIES.newest(session, **values))
    narrowed = filter.scope is not None or filter.direction or filter.data_set
    if narrowed and values["status"] in (None, "success"):
        return list(QUERIES.newest_of_pairs(session, **values))
    return list(QUERIES.newest(session, **values))


def export(session: Session, filter: Filter) -> Iterator[dict[str, Any]]:
    """Yields all of them, newest first, in batches of 1,000 from the server."""
    statement: str = QUERIES.newest.sql  # type: ignore[attr-defined]
    with session.transaction(), session.cursor("events", row_factory=dict_row) as cursor:
        cursor.itersize = 1000
        cursor.execute(statement, {**filter.values(), "before_at": None, "before_id": None, "limit": None})
        yield from cursor


def get_event(session: Session, id: int, scope: EventScope = None) -> dict[str, Any]:
    """Raises LookupError if there is none that the reader may see."""
    found: dict[str, Any] | None = QUERIES.get_event(session, id=id)
    if found is None or (scope is not None and (found["direction"], found["data_set"]) not in scope):
        raise LookupError(f"there is no event {id}")
    return found


def list_pairs(session: Session) -> list[Pair]:
    """Every (direction, data set) that has events."""
    return [(row["direction"], row["data_set"]) for row in QUERIES.data_sets(session)]
