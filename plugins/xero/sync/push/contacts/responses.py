"""Parses the response to a push of contacts: which element is which contact, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from xero.api import wire
from xero.api.errors import cleaned
from xero.documents import contacts as of
from xero.documents.contacts import ContactDocument
from xero.documents.declaration import Json, Kind, Record
from xero.qicworks.push.outbox import PushState, Result
from xero.sync.push.contacts.matching import folded
from xero.sync.push.contacts.search import id_of
from xero.sync.push.readback import is_refused, messages
from xero.sync.push.verdicts import check_in_xero, refused

EMAIL = re.compile(r"[^\s'\"<>(),;:]+@[^\s'\"<>(),;:]+")


def identity(document: ContactDocument, element: Json) -> Json:
    """What it is known by later: our number, and of a change the id in Xero. Not its name: requests are kept."""
    known = {of.KEY: element[of.KEY]} if of.KEY in element else {}
    return {of.NUMBER: of.number(document), **known}


def elements(data: Any) -> list[Record]:
    """The elements of a response, as far as they can be read."""
    return [*wire.objects(data.get(of.ENVELOPE))] if isinstance(data, dict) else []


def pair(identities: Sequence[Json], sent: Sequence[Json], records: Sequence[Record]) -> list[Record | None]:
    """The element of each contact: by our number, by the id of a change, else by name and place."""
    whole = len(records) == len(identities)
    return [
        _element(identity, element, records, at if whole else None)
        for at, (identity, element) in enumerate(zip(identities, sent, strict=True))
    ]


def _element(identity: Json, sent: Json, records: Sequence[Record], at: int | None) -> Record | None:
    named = [one for one in records if folded(of.text(one.get(of.NUMBER))) == folded(identity[of.NUMBER])]
    if not named and of.KEY in identity:
        named = [one for one in records if folded(of.text(one.get(of.KEY))) == folded(identity[of.KEY])]
    if named:
        return named[0] if len(named) == 1 else None
    if at is None or of.text(records[at].get(of.NUMBER)):
        return None
    same = folded(of.text(records[at].get("Name"))) == folded(of.text(sent.get("Name")))
    return records[at] if same else None


def without_emails(words: Sequence[str]) -> list[str]:
    """Xero's words as logs and events may have them."""
    return [EMAIL.sub("(email)", one) for one in words]


def read(kind: Kind, label: str, identity: Json, record: Record | None) -> Result:
    """The result of a contact by the element of the response. State None: it says nothing of it."""
    if record is None:
        return Result(None)
    if is_refused(record) or str(record.get("HasValidationErrors")).casefold() == "true":
        return refused(kind, label, None, without_emails(messages(record, "ValidationErrors")))
    xero_id = id_of(record)
    if xero_id is None:
        return Result(None)
    if of.KEY in identity and str(xero_id) != folded(identity[of.KEY]):
        return check_in_xero(f"Xero responded to the change of {identity[of.KEY]} with {xero_id}, another contact")
    status = cleaned(of.text(record.get("ContactStatus"))) or "ACTIVE"
    remarks = tuple(f"Xero says: {words}" for words in without_emails(messages(record, "Warnings")))
    return Result(PushState.PUSHED, xero_id, status, remarks=remarks, record=record)
