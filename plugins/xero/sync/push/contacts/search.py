"""Searches Xero for contacts: what was pulled, and what has changed there since, which costs a call."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.answers import Answer
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer
from xero.api.page import Page, Position
from xero.api.paging import Reader
from xero.documents import contacts as of
from xero.documents.contacts import ContactDocument
from xero.documents.declaration import Record
from xero.qicworks.links import candidates
from xero.qicworks.links.candidates import What
from xero.qicworks.push.contacts import OwnContacts
from xero.sync.push.contacts.matching import Known, Match, Wanted, folded, match

log = logging.getLogger(__name__)

PAGE_SIZE = 1000
IDS_IN_A_CALL = 50
ORDER = "UpdatedDateUTC ASC"
OVERLAP = timedelta(minutes=2)  # Xero shows a change a little after its time stamp
ARCHIVED_TOO = {"includeArchived": "true"}


class Search:
    """What Xero has, for the contacts of one run. Each search asks Xero for what has changed since the one before."""

    def __init__(self, client: XeroClient, own: OwnContacts) -> None:
        self.client = client
        self.own = own
        self._changed: dict[UUID, Known] = {}
        self._since: datetime | None = None
        self._searched = False
        self._erased: set[UUID] = set()

    def find(self, documents: Sequence[ContactDocument]) -> dict[UUID, Match]:
        """What each of these contacts is in Xero, or may be."""
        if not documents:
            return {}
        self._read_changes()
        wanted = {one.id: wanted_of(one) for one in documents}
        known = {one.xero_id: one for one in self._known(frozenset().union(*(one.keys for one in wanted.values())))}
        records: dict[UUID, Record] = {}
        while True:
            found = self._match(wanted, list(known.values()))
            certain = {one.certain.xero_id for one in found.values() if one.certain}
            if not (unread := sorted(certain - records.keys(), key=str)):
                break
            # What was pulled may be old: before a link the record decides.
            read = fetch(self.client, unread)
            self._changed |= {id: known_of(id, record) for id, record in read.items()}
            for id in unread:
                records[id] = read.get(id, {})
                known.pop(id)
                known |= {id: self._changed[id]} if id in read else {}
        return {
            id: replace(one, record=records[one.certain.xero_id]) if one.certain else one for id, one in found.items()
        }

    def _match(self, wanted: Mapping[UUID, Wanted], known: Sequence[Known]) -> dict[UUID, Match]:
        taken = {xero_id for xero_id, _ in self.own.taken([one.xero_id for one in known])}
        known = [replace(one, is_taken=one.xero_id in taken, is_erased=one.xero_id in self._erased) for one in known]
        survivors = self._survivors(known)
        by_key: dict[tuple[str, str], list[Known]] = {}
        for one in known:
            for key in one.keys:
                by_key.setdefault(key, []).append(one)
        apart = candidates.apart(self.own.session, self.own.connection.id, What.CONTACT)
        found: dict[UUID, Match] = {}
        for id, new in wanted.items():
            near = {each.xero_id: each for key in new.keys for each in by_key.get(key, ())}
            found[id] = match(new, (each for each in near.values() if (id, each.xero_id) not in apart), survivors)
        return found

    def of_number(self, number: str) -> Known | None:
        """The contact that has this number of ours, if there is just one."""
        self._read_changes()
        found = [
            one for one in self._known(frozenset({("number", folded(number))})) if folded(one.number) == folded(number)
        ]
        return found[0] if len(found) == 1 else None

    def _survivors(self, known: Sequence[Known]) -> dict[UUID, Known]:
        """Contacts in use that others were merged into, perhaps by way of others, by the id of the merged one."""
        merged = [one for one in known if one.merged_to]
        there: dict[UUID, Known] = {}
        wanted = set(filter(None, (one.merged_to for one in merged)))
        while wanted:
            found = {one.xero_id: one for one in map(_of_row, self.own.pulled_of(wanted))}
            found |= {id: self._changed[id] for id in wanted & self._changed.keys()}
            there |= found
            wanted = set(filter(None, (one.merged_to for one in found.values()))) - there.keys()
        return {one.xero_id: last for one in merged if (last := _end(one, there))}

    def _known(self, keys: frozenset[tuple[str, str]]) -> list[Known]:
        """Those that have one of the keys: as they are now, where that was read."""
        found = {
            row["xero_id"]: known
            for row in self.own.pulled()
            if row["xero_id"] not in self._changed and not keys.isdisjoint((known := _of_row(row)).keys)
        }
        changed = {id: one for id, one in self._changed.items() if not keys.isdisjoint(one.keys)}
        return list((found | changed).values())

    def _read_changes(self) -> None:
        if not self._searched:
            self._since = self.own.pulled_until()
            self._erased = self.own.erased()
            ids = self.own.not_as_in_xero() if self._since else []  # else all are read below
            self._changed |= {id: known_of(id, record) for id, record in fetch(self.client, ids).items()}
        position = Position(since=self._since, ask=self._since)
        read: set[UUID] = set()
        for page in Reader(self._fetch, lambda record: str(id_of(record)), version, position, of.PATH).pages():
            for record in page:
                if xero_id := id_of(record):
                    self._changed[xero_id] = known_of(xero_id, record)
                    read.add(xero_id)
        if len(read) < (position.first_count or 0):
            raise BadAnswer(
                f"Xero announced {position.first_count} contacts and listed {len(read)}.",
                "Nothing was created. Push again; if it keeps failing, contact QicWorks support.",
            )
        newest = [at for at in (position.newest, position.started) if at]
        self._since = min(newest) - OVERLAP if newest else self._since
        self._searched = True

    def _fetch(self, since: datetime | None, number: int) -> Page:
        params: dict[str, str | int | bool] = {"page": number, "pageSize": PAGE_SIZE, "order": ORDER, **ARCHIVED_TOO}
        answer = self.client.get(of.PATH, params=params, modified_since=since)
        return Page.of(answer, listed(answer))


def _end(merged: Known, there: Mapping[UUID, Known]) -> Known | None:
    """The contact in use that this one was merged into in the end."""
    one, seen = merged, {merged.xero_id}
    while one.merged_to and one.merged_to not in seen and (into := there.get(one.merged_to)):
        one = into
        seen.add(one.xero_id)
    return one if one.is_active else None


def wanted_of(document: ContactDocument) -> Wanted:
    row = document.row
    person = " ".join(part for part in (of.text(row.first_name), of.text(row.last_name)) if part)
    return Wanted(
        of.number(document), row.name, row.contact_number, row.tax_number, row.email, person or None, row.city
    )


def listed(answer: Answer) -> list[Record]:
    """The contacts of a response. Raises BadAnswer: one that cannot be read must not count as missing."""
    if answer.status == 304:
        return []
    found = answer.data.get(of.ENVELOPE) if isinstance(answer.data, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) and id_of(one) for one in found):
        raise BadAnswer(
            "Xero's response is not a list of contacts.",
            "Nothing was created. Push again; if it keeps failing, contact QicWorks support.",
        )
    return found


def fetch(client: XeroClient, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """The records of these ids, fifty to a call; those that Xero does not have are left out."""
    found: dict[UUID, Record] = {}
    for some in batched(dict.fromkeys(ids), IDS_IN_A_CALL):
        asked: dict[str, str | int | bool] = {"IDs": ",".join(map(str, some)), "page": 1, "pageSize": PAGE_SIZE}
        asked |= ARCHIVED_TOO
        records = {
            xero_id: record for record in listed(client.get(of.PATH, params=asked)) if (xero_id := id_of(record))
        }
        found |= {xero_id: record for xero_id, record in records.items() if xero_id in some}
    return found


def batched(ids: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    those = iter(ids)
    while some := list(islice(those, size)):
        yield some


def id_of(record: Any) -> UUID | None:
    try:
        found = wire.uuid(record.get(of.KEY)) if isinstance(record, dict) else None
    except ValueError:
        return None
    return None if found is None or found.int == 0 else found


def is_active(record: Record) -> bool:
    return record.get("ContactStatus") == "ACTIVE" and not merged_to(record)


def merged_to(record: Record) -> UUID | None:
    try:
        found = wire.uuid(record.get("MergedToContactID"))
    except ValueError:
        return None
    return None if found is None or found.int == 0 else found


def known_of(xero_id: UUID, record: Record) -> Known:
    """What is recognised of a record."""
    return Known(
        xero_id,
        of.text(record.get("Name")),
        of.text(record.get(of.NUMBER)) or None,
        of.text(record.get("TaxNumber")) or None,
        of.text(record.get("EmailAddress")) or None,
        is_active(record),
        merged_to(record),
        city=of.theirs(record)["city"] or None,
    )


def _of_row(row: dict[str, Any]) -> Known:
    return Known(
        row["xero_id"],
        row["name"],
        row["contact_number"],
        row["tax_number"],
        row["email"],
        row["is_active"],
        row["merged_to_xero_id"],
        city=row["city"],
    )


def version(record: Any) -> datetime | None:
    try:
        return wire.instant(record.get("UpdatedDateUTC")) if isinstance(record, dict) else None
    except ValueError:
        return None
