"""Searches Xero for documents that may or may not have arrived there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer
from xero.api.page import Page
from xero.api.paging import pages
from xero.documents.declaration import Json, Likeness, PricedKind, Record
from xero.documents.pricing import same_day, same_total
from xero.sync.push.deadlines import CLOCK_DIFFERENCE_SECONDS
from xero.sync.push.readback import id_of

PAGE_SIZE = 1000
AGAIN = "Nothing was created. Push again; if it keeps failing, contact QicWorks support."


class AnotherRecord(BadAnswer):
    """The response to a request for one record is about another one, or cannot be read. Others are unaffected."""


@dataclass(frozen=True)
class LookupResult:
    """Every record that could be one of the documents searched for, and the time of the response by Xero's clock."""

    records: tuple[Record, ...]
    at: datetime | None


def look(client: XeroClient, kind: PricedKind, identities: Sequence[Json]) -> LookupResult:
    """Runs all queries and pages of the kind. Dates come as YYYY-MM-DD."""
    records: dict[str, Record] = {}
    at: datetime | None = None

    def fetch(query: dict[str, str], number: int) -> Page:
        nonlocal at
        # In the order of what never changes: records that are edited during the search must not move between pages.
        params: dict[str, str | int | bool] = {
            **query,
            "page": number,
            "pageSize": PAGE_SIZE,
            "order": f"{kind.key} ASC",
            **precise(kind),
        }
        answer = client.get(kind.path, params=params)
        at = answer.server_time
        return Page.of(answer, listed(kind, answer.data))

    for query in kind.lookups(identities):
        for record in _complete(kind, partial(fetch, query)):
            records[str(record.get(kind.key)).lower()] = readable(record)
    return LookupResult(tuple(records.values()), at)


def _complete(kind: PricedKind, fetch: Callable[[int], Page]) -> Iterator[Record]:
    """The records of all pages; a server may cap the size of a page, or ignore pages. Raises BadAnswer if some of those
    that were announced are missing."""
    identify = partial(id_of, kind)
    seen: set[UUID | None] = set()
    item_counts, page_count = [], None
    for page in pages(fetch, identify, kind.path, full_size=None):
        yield from page.rows
        seen |= set(map(identify, page.rows))
        page_count = page.page_count
        item_counts += [page.item_count] if page.item_count is not None else []
    # The smallest count: records that are created during the search are not ours.
    if (item_counts and len(seen) < min(item_counts)) or (not seen and (page_count or 0) > 1):
        raise BadAnswer(f"Xero announced more {kind.title} than it returned.", AGAIN)


def precise(kind: PricedKind) -> dict[str, str]:
    return {name: value for name, value in kind.query.items() if name == "unitdp"}


def listed(kind: PricedKind, data: Any) -> list[Record]:
    """The records in a response. Raises BadAnswer if it is not a list, or if one of them cannot be identified: a record
    that cannot be read must not count as missing."""
    found = data.get(kind.envelope) if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise BadAnswer(f"Xero's response is not a list of {kind.title}.", AGAIN)
    if not all(isinstance(one, dict) and _can_be_told(kind, one) for one in found):
        raise BadAnswer(f"Xero's response is a list of {kind.title}, one of which cannot be read.", AGAIN)
    return found


def _can_be_told(kind: PricedKind, record: Record) -> bool:
    contact = record.get("Contact") or {}
    words = [record.get(name) for name in ("Type", "Url", "Status", kind.number)]
    words += [contact.get("ContactID")] if isinstance(contact, dict) else [contact]
    return id_of(kind, record) is not None and all(one is None or isinstance(one, str) for one in words)


def fetch_record(client: XeroClient, kind: PricedKind, xero_id: UUID) -> Record:
    """The record of that id, as it is now. Raises Refused with status 404 when there is none, AnotherRecord when what
    came is not that one."""
    data = client.get(f"{kind.path}/{xero_id}", params=precise(kind)).data
    found = data.get(kind.envelope) if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise BadAnswer(f"Xero's response is not a list of {kind.title}.", AGAIN)
    record = found[0] if len(found) == 1 and isinstance(found[0], dict) else {}
    lines = record.get("LineItems") or []
    if not _can_be_told(kind, record) or id_of(kind, record) != xero_id or wire.objects(lines) != lines:
        raise AnotherRecord(f"Xero's response is not about the {kind.word} that was asked for.", AGAIN)
    return readable(record)


def readable(record: Record) -> Record:
    try:
        day = wire.date(record.get("Date"))
    except ValueError:
        return record
    return {**record, "Date": day.isoformat() if day else None}


def candidates(kind: PricedKind, identity: Json, found: LookupResult, sent_seconds_ago: float | None) -> list[Record]:
    """The records that are the document, or else those that may be. More than one is ambiguous.

    One that only may be ours is taken for ours when day and amount agree, and it was last changed since the document
    was first sent, `sent_seconds_ago`.
    """
    likeness = [(kind.likeness(identity, record), record) for record in found.records]
    same = [record for like, record in likeness if like is Likeness.SAME]
    perhaps = [record for like, record in likeness if like is Likeness.PERHAPS]
    return same or [
        record for record in perhaps if _since(record, found, sent_seconds_ago) and _agrees(identity, record)
    ]


def lookalikes(kind: PricedKind, identity: Json, found: LookupResult) -> list[Record]:
    """Records that may be the document, without a way to be sure. Deleted ones do not count; where documents carry our
    address, a record without it, or with a stray one, must have the same day and amount."""
    return [
        record
        for record in found.records
        if kind.likeness(identity, record) in (Likeness.PERHAPS, Likeness.ADDRESS_OF_ANOTHER)
        and record.get("Status") not in kind.gone
        and ("Url" not in identity or _agrees(identity, record))
    ]


def _agrees(identity: Json, record: Record) -> bool:
    return same_day(identity["Date"], record) and same_total(identity, record)


def _since(record: Record, found: LookupResult, sent_seconds_ago: float | None) -> bool:
    try:
        changed = wire.instant(record.get("UpdatedDateUTC"))
    except ValueError:
        return False
    if changed is None or found.at is None or sent_seconds_ago is None:
        return False
    return changed >= found.at - timedelta(seconds=sent_seconds_ago + CLOCK_DIFFERENCE_SECONDS)
