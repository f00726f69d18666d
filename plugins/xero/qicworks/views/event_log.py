"""The log of connection events as a person reads it: newest first, page by page, filtered, or whole as an export."""

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

AMONG = 5000  # so many events are looked through for words before their index is asked

Pair = tuple[str, str]  # (direction, data set)


@dataclass(frozen=True)
class Filter:
    """Which events. `text`: all of these words, in any case, the last as a beginning. `since` is included, `until` not.

    `data_sets`: the (direction, data set) that the reader may see; None: all, also those of no data set.
    """

    connection_id: UUID | None = None
    direction: str | None = None
    data_set: str | None = None
    status: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    data_sets: frozenset[Pair] | None = None

    def values(self) -> dict[str, Any]:
        return {
            "connection_id": self.connection_id,
            "direction": self.direction or None,
            "data_set": self.data_set or None,
            "status": self.status or None,
            "text": (self.text or "").strip() or None,
            "since": self.since,
            "until": self.until,
            **pairs(self.data_sets),
        }


class EventPosition(Position):
    """Of an event, by when it began."""

    read_id = int


def pairs(data_sets: frozenset[Pair] | None) -> dict[str, list[str] | None]:
    """As statements take them: two lists of one length, or None and None."""
    if data_sets is None:
        return {"directions": None, "data_sets": None}
    ordered = sorted(data_sets)
    return {"directions": [pair[0] for pair in ordered], "data_sets": [pair[1] for pair in ordered]}


def page(
    session: Session, filter: Filter, before: EventPosition | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], EventPosition | None]:
    """The next events after that place, with all their columns, `organisation` and `tenant_name`; and where they end,
    None if there are no more."""
    place = {"before_at": before.at if before else None, "before_id": before.id if before else None}
    found = _newest(session, filter, {**filter.values(), **place, "limit": limit + 1})
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], EventPosition(last["started_at"], last["id"])


def of_document(
    session: Session, kind: str, id: UUID, organisation_id: UUID, label: str, limit: int = 50
) -> list[dict[str, Any]]:
    """The newest events of one document, whatever its number was, with the columns of `page`.

    `label` finds events that were written before events had the document's id.
    """
    return list(
        QUERIES.of_document(
            session, kind=kind, document_id=id, organisation_id=organisation_id, label=label, limit=limit
        )
    )


def _newest(session: Session, filter: Filter, values: dict[str, Any]) -> list[dict[str, Any]]:
    """By the way that is short for what is asked."""
    if values["text"] is not None:
        common = list(QUERIES.newest_with_words(session, **values, among=AMONG))
        return common if len(common) == values["limit"] else list(QUERIES.newest(session, **values))
    narrowed = filter.data_sets is not None or filter.direction or filter.data_set
    if narrowed and values["status"] in (None, "success"):
        return list(QUERIES.newest_of_pairs(session, **values))
    return list(QUERIES.newest(session, **values))


def export(session: Session, filter: Filter) -> Iterator[dict[str, Any]]:
    """All of them, newest first, a thousand at a time from the server."""
    statement: str = QUERIES.newest.sql  # type: ignore[attr-defined]
    with session.transaction(), session.cursor("events", row_factory=dict_row) as cursor:
        cursor.itersize = 1000
        cursor.execute(statement, {**filter.values(), "before_at": None, "before_id": None, "limit": None})
        yield from cursor


def one(session: Session, id: int, data_sets: frozenset[Pair] | None = None) -> dict[str, Any]:
    """LookupError if there is none that the reader may see."""
    found: dict[str, Any] | None = QUERIES.one(session, id=id)
    if found is None or (data_sets is not None and (found["direction"], found["data_set"]) not in data_sets):
        raise LookupError(f"there is no event {id}")
    return found


def known(session: Session) -> list[Pair]:
    """Every (direction, data set) that has events."""
    return [(row["direction"], row["data_set"]) for row in QUERIES.data_sets(session)]
