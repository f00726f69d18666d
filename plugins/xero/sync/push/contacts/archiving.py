"""Contacts that QicWorks created in Xero, and archived or deleted since: they are archived in Xero, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from xero.api.errors import cleaned
from xero.documents import contacts as of
from xero.documents.declaration import Kind, Record
from xero.qicworks.push.contacts import OwnContacts
from xero.qicworks.push.outbox import Outbox
from xero.sync.push.cancelled.standing import Call, OtherDocument, Standing, State
from xero.sync.push.contacts import responses, search
from xero.sync.push.contacts.exchange import QUERY
from xero.sync.push.contacts.search import Search
from xero.sync.push.deadlines import REPLAY_WINDOW_SECONDS
from xero.sync.push.readback import is_refused
from xero.sync.runs.run import Run

UNDO = "If that was a mistake, restore it in QicWorks."


class ContactRecords:
    """The contacts of one connection."""

    done = "archived in Xero"
    gone_status = "ARCHIVED"

    def __init__(self, it: Run, kind: Kind, outbox: Outbox) -> None:
        self.it = it
        self.own = OwnContacts(it.session, it.connection)
        self.search = Search(it.client, self.own)

    def read(self, xero_id: UUID, document_id: UUID) -> Standing:
        record = search.fetch(self.it.client, [xero_id]).get(xero_id)
        return Standing(State.GONE, self.gone_status) if record is None else _standing(record)

    def certain(self, document_id: UUID) -> UUID | None:
        known = self.search.of_number(str(document_id))
        return known.xero_id if known else None

    def call(self, xero_id: UUID) -> Call:
        element = {of.KEY: str(xero_id), "ContactStatus": self.gone_status}
        return Call(of.PATH, QUERY, msgspec.json.encode({of.ENVELOPE: [element]}).decode(), REPLAY_WINDOW_SECONDS)

    def answered(self, data: Any, xero_id: UUID) -> bool:
        own = [one for one in responses.elements(data) if search.id_of(one) == xero_id]
        return len(own) == 1 and not is_refused(own[0]) and own[0].get("ContactStatus") == self.gone_status

    def other(self, document_id: UUID, xero_id: UUID) -> OtherDocument | None:
        others = self.own.others_of(document_id, xero_id)
        return OtherDocument(f"contact {cleaned(others[0])}", True) if others else None

    def is_nowhere(self, document_id: UUID) -> bool:
        return self.certain(document_id) is None

    def printable(self, messages: Sequence[str]) -> list[str]:
        return list(messages)

    def correction(self, standing: Standing, label: str) -> str:
        return f"Archive the {label} in Xero, under Contacts. {UNDO}"


def _standing(record: Record) -> Standing:
    status = cleaned(of.text(record.get("ContactStatus")))
    try:
        document_id = UUID(of.text(record.get(of.NUMBER)))
    except ValueError:
        document_id = None
    return Standing(State.OPEN if search.is_active(record) else State.GONE, status, document_id=document_id)
