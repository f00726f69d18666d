"""Leave: a leave application is rejected in Xero, because none can be deleted there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from xero.api.errors import Refused, RetryLater
from xero.documents.declaration import Kind, Record
from xero.documents.leave_requests import referred
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.push.payroll_outbox import LeaveOutbox
from xero.sync.push import outages
from xero.sync.push.cancelled.standing import Call, OtherDocument, Standing, State
from xero.sync.push.payroll import leave_applications
from xero.sync.push.payroll.leave_applications import PATH, REJECTED, REQUESTED, SCHEDULED, id_of, statuses
from xero.sync.runs.run import Run

UNDO = "If the employee takes it, approve it in QicWorks again."


class LeaveRecords:
    """The leave applications of one connection."""

    done = "rejected in Xero"
    gone_status = REJECTED

    def __init__(self, it: Run, kind: Kind, outbox: Outbox) -> None:
        self.it = it
        self.kind = kind
        self.leave = LeaveOutbox(it.session, it.connection)
        self._listed: leave_applications.Listed | None = None

    def read(self, xero_id: UUID, document_id: UUID) -> Standing:
        try:
            return _standing(leave_applications.fetch_leave(self.it.client, xero_id))
        except Refused as refusal:
            if refusal.status == 404:
                return self._referring(xero_id, document_id)
            raise
        except RetryLater as error:
            if outages.is_of_one(self.it.client, PATH, error):
                return Standing(State.UNREADABLE, "not known")
            raise

    def _referring(self, xero_id: UUID, document_id: UUID) -> Standing:
        """Approved leave may have another id than the request that it was: its description names the document. Where
        Xero lists only approved leave, what is not listed may be there."""
        if self._listed is None or any(id_of(one) == xero_id for one in self._listed.records):  # listed before it went
            self._listed = leave_applications.fetch_all_leave(self.it.client)
        found = [one for one in map(_standing, self._listed.records) if one.document_id == document_id]
        there = [one for one in found if one.state is not State.GONE]
        if len(there) == 1:
            return there[0]
        if there or not self._listed.whole:
            return Standing(State.UNKNOWN, "not known")
        return found[0] if found else Standing(State.GONE, self.gone_status)

    def certain(self, document_id: UUID) -> UUID | None:
        return None

    def call(self, xero_id: UUID) -> Call:
        return Call(f"{PATH}/{xero_id}/reject", {}, None, 0.0)

    def answered(self, data: Any, xero_id: UUID) -> bool:
        own = [one for one in leave_applications.records(data) if id_of(one) == xero_id]
        return len(own) == 1 and statuses(own[0]) == [REJECTED]

    def is_nowhere(self, document_id: UUID) -> bool:
        """Leave is not searched for: it may have been entered by hand."""
        return False

    def other(self, document_id: UUID, xero_id: UUID) -> OtherDocument | None:
        taken = self.leave.owned_by_others(document_id, [xero_id])
        return OtherDocument(f"another {self.kind.word}", True) if taken else None

    def printable(self, messages: Sequence[str]) -> list[str]:
        """None: they may name the employee."""
        return []

    def correction(self, standing: Standing, label: str) -> str:
        if standing.state is State.TAKEN:
            return (
                f"It was in a pay run. If it was not taken, correct it in the employee's next pay run in Xero. {UNDO}"
            )
        return f"Reject the {label} in Xero. {UNDO}"


def _standing(record: Record) -> Standing:
    found = statuses(record)
    if found == [REJECTED]:
        state = State.GONE
    elif found and set(found) <= {REQUESTED, SCHEDULED}:
        state = State.OPEN
    else:
        state = State.TAKEN
    named = referred(str(record.get("Description") or ""))
    return Standing(state, ", ".join(found), document_id=named, xero_id=id_of(record))
