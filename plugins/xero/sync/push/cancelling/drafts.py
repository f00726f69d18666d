"""Priced documents: a draft is deleted in Xero; one that was sent as approved is voided, if nothing is paid of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.errors import cleaned
from xero.documents.declaration import Likeness, PricedKind, Record
from xero.documents.pricing import addressee
from xero.qicworks.push.outbox import Outbox, Result
from xero.sync.push import lookup, plan, readback
from xero.sync.push.cancelled.standing import Call, OtherDocument, Standing, State
from xero.sync.push.deadlines import REPLAY_WINDOW_SECONDS
from xero.sync.runs.run import Run

PAID = ("AmountPaid", "AmountCredited")
UNDO = "If the cancellation was a mistake, undo it in QicWorks."


class Drafts:
    """The records of one kind of priced documents."""

    def __init__(self, it: Run, kind: PricedKind, outbox: Outbox) -> None:
        self.done, self.gone_status = "deleted in Xero", "DELETED"  # of the record that was read last
        self.it = it
        self.kind = kind
        self.outbox = outbox

    def read(self, xero_id: UUID, document_id: UUID) -> Standing:
        found = plan.fetch_one(self.it.client, self.kind, xero_id)
        if isinstance(found, Result):
            return Standing(State.UNREADABLE, "not known")
        self.done, self.gone_status = "deleted in Xero", "DELETED"
        if found is None:
            return Standing(State.GONE, self.gone_status)
        standing = self._standing(found)
        if standing.state is State.APPROVED and self.outbox.sent_as_approved(document_id, xero_id):
            if "VOIDED" in self.kind.gone:
                self.done, self.gone_status = "voided in Xero", "VOIDED"
            return replace(standing, state=State.OPEN)
        return standing

    def _standing(self, record: Record) -> Standing:
        status = cleaned(wire.word(record.get("Status")) or "")
        paid = sum((_amount(record, name) for name in PAID), Decimal(0))
        if record.get("RemainingCredit") is not None:  # of a credit note: what is left of it
            paid = _amount(record, "Total") - _amount(record, "RemainingCredit")
        if status in self.kind.gone:
            state = State.GONE
        elif status in self.kind.deletable:
            state, paid = State.OPEN, Decimal(0)
        else:
            state = State.PAID if paid or status == "PAID" else State.APPROVED
        total = _amount(record, "Total") if record.get("Total") is not None else None
        return Standing(state, status, total, paid, addressee(record) if self.kind.addressed else None)

    def certain(self, document_id: UUID) -> UUID | None:
        return None

    def call(self, xero_id: UUID) -> Call:
        body = plan.encoded(self.kind, [{self.kind.key: str(xero_id), "Status": self.gone_status}])
        query = {"summarizeErrors": "false", **self.kind.query}
        return Call(self.kind.path, query, body, REPLAY_WINDOW_SECONDS)

    def answered(self, data: Any, xero_id: UUID) -> bool:
        own = [one for one in readback.elements(self.kind, data) if readback.id_of(self.kind, one) == xero_id]
        return len(own) == 1 and not readback.is_refused(own[0]) and own[0].get("Status") in self.kind.gone

    def other(self, document_id: UUID, xero_id: UUID) -> OtherDocument | None:
        claim = self.outbox.claims(document_id, [xero_id]).get(xero_id)
        return OtherDocument(claim.document, claim.sealed) if claim else None

    def is_nowhere(self, document_id: UUID) -> bool:
        sent = self.outbox.cancelled.sent_as(document_id)
        if not sent:
            return False
        found = lookup.look(self.it.client, self.kind, sent).records
        there = [record for record in found if record.get("Status") not in self.kind.gone]
        return all(self.kind.likeness(one, record) is Likeness.OTHER for one in sent for record in there)

    def printable(self, messages: Sequence[str]) -> list[str]:
        return list(messages)

    def correction(self, standing: Standing, label: str) -> str:
        what = "Void" if "VOIDED" in self.kind.gone else "Delete"
        match standing.state:
            case State.PAID:
                first = f"Remove the payments and credits of the {label} in Xero, then {what.lower()} it there."
                return f"{first} Or create a credit note. {UNDO}"
            case State.APPROVED:
                return f"{what} the {label} in Xero. {UNDO}"
            case _:
                return f"Delete the {label} in Xero. {UNDO}"


def _amount(record: Mapping[str, Any], name: str) -> Decimal:
    try:
        return wire.number(record.get(name)) or Decimal(0)
    except ValueError:
        return Decimal(0)
