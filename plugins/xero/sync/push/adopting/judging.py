"""Decides about new documents by what Xero has already: linked if a person said so, held back, or to be sent."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from xero.api.errors import cleaned
from xero.documents.declaration import PricedDocument, PricedKind, Record
from xero.documents.pricing import addressee, same_contact, same_day, same_text, same_total
from xero.qicworks.push.adopting.twins import Decided, Decision
from xero.qicworks.push.outbox import Outbox, PushState, Result
from xero.qicworks.push.results import Adopting, Twin
from xero.sync.push import readback
from xero.sync.push.adopting.verdicts import held_back, no_longer_there
from xero.sync.push.content.judging import judge, reasons_judged
from xero.sync.push.identify import Finder
from xero.sync.push.lookup import LookupResult
from xero.sync.push.verdicts import claimed

log = logging.getLogger(__name__)

SHOWN = 60  # characters of a value of Xero's


class AlreadyThere:
    """The new documents of one batch of one kind, and what Xero has."""

    def __init__(
        self, kind: PricedKind, outbox: Outbox, finder: Finder, found: LookupResult, documents: Sequence[PricedDocument]
    ) -> None:
        self.kind = kind
        self.outbox = outbox
        self.finder = finder
        self.found = found
        ids = [one.id for one in documents]
        self._maybe_sent = outbox.twins.maybe_sent(ids)
        self._decided = outbox.twins.decided(ids)
        self._linked: set[UUID] = set()  # records, in this batch

    def judge(self, document: PricedDocument, label: str) -> Result:
        """What becomes of a document that is not linked; state None if it is to be sent."""
        identity = self.kind.identity(document)
        own = self.finder.own(document.id, identity, self.found, None)
        if own and (document.id in self._maybe_sent or any(addressee(one) == document.id for one in own)):
            return self.finder.judge(document.id, label, identity, self.found, document=document)
        records = self._records(document)
        claims = self.outbox.claims(document.id, list(records))
        if claims:  # without a seal: those with one are not among the records
            xero_id, claim = next(iter(claims.items()))
            return claimed(claim, xero_id)
        twins = {id: twin(self.kind, document, record) for id, record in records.items()}
        open_decisions = self._decided.get(document.id, [])
        holding = [one for one in open_decisions if self._holds(one, document, twins)]
        void = [one.id for one in open_decisions if one not in holding]
        chosen = next((one for one in open_decisions if one.decision is Decision.LINK), None)
        if chosen in holding:
            assert chosen
            return self._link(document, label, chosen, records[chosen.xero_id], void)
        left = {one.xero_id for one in holding if one.decision is Decision.LEAVE}
        if asked := [one for id, one in twins.items() if id not in left]:
            asked.sort(key=lambda one: (not one.is_certain, one.xero_id))
            return held_back(self.kind, label, document.number, asked, void)
        return no_longer_there(label, chosen.xero_id, void) if chosen else Result(None)

    def _records(self, document: PricedDocument) -> dict[UUID, Record]:
        """Those that the document may be; not deleted ones, nor those of other documents."""
        alike = [
            record
            for record in self.found.records
            if record.get("Status") not in self.kind.gone and is_twin(self.kind, document, record)
        ]
        records = self.finder.not_others(document.id, alike, left_too=True)
        found = {id: one for one in records if (id := readback.id_of(self.kind, one))}
        return {id: one for id, one in found.items() if id not in self._linked}

    def _holds(self, one: Decided, document: PricedDocument, twins: dict[UUID, Twin]) -> bool:
        """Whether the document is as it was when it was decided about, and so is the record."""
        there = twins.get(one.xero_id)
        return one.version == document.version and there is not None and there.seen == one.seen

    def _link(
        self, document: PricedDocument, label: str, chosen: Decided, record: Record, void: Sequence[int]
    ) -> Result:
        log.info("%s is linked to the record that is already in Xero", label)
        self._linked.add(chosen.xero_id)
        result = readback.read(self.kind, label, document.number, document, record)
        if result.state is not PushState.PUSHED:
            return result
        adopting = Adopting(linked=chosen.id, by=chosen.decided_by, void=tuple(void))
        result = replace(result, remarks=(), adopting=adopting)
        # Nothing of it was sent: what differs is Xero's side, and none of it an edit of QicWorks'.
        if differing := judge(self.kind, document, record, None, edited=False):
            judged = reasons_judged(self.kind, record, differing, document)
            return replace(result, record=None, differences=differing, judged=judged)
        return result


def is_twin(kind: PricedKind, document: PricedDocument, record: Record) -> bool:
    """Whether a record has the number of a document, and no other type or contact."""
    identity = kind.identity(document)
    number = str(identity.get(kind.number) or "").strip()
    return (
        bool(number)
        and same_text(number, record.get(kind.number))
        and ("Type" not in identity or record.get("Type") in (identity["Type"], None))
        and (same_contact(identity, record) or not _says_contact(record))
    )


def _says_contact(record: Record) -> bool:
    contact = record.get("Contact")
    return isinstance(contact, dict) and bool(contact.get("ContactID"))


def twin(kind: PricedKind, document: PricedDocument, record: Record) -> Twin:
    """A record that a document may be, as a person sees it."""
    identity, xero_id = kind.identity(document), readback.id_of(kind, record)
    assert xero_id
    currency = record.get("CurrencyCode")
    is_certain = (
        same_day(identity["Date"], record)
        and same_total(identity, record)
        and (not currency or same_text(currency, document.row.currency))
        and not (kind.addressed and addressee(record))
        and _says_contact(record)
        and ("Type" not in identity or bool(record.get("Type")))
    )
    shown = {
        name: cleaned(str(record.get(field) or ""))[:SHOWN]
        for name, field in (
            ("number", kind.number),
            ("date", "Date"),
            ("total", "Total"),
            ("currency", "CurrencyCode"),
            ("status", "Status"),
        )
    }
    seen = {**{name: value for name, value in shown.items() if name != "status"}, "contact": identity["ContactID"]}
    digest = hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]
    return Twin(xero_id, is_certain, shown, digest)
