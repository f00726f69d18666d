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
from xero.sync.push.cancelling.standing import Call, OtherDocument, Standing, State
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

    def read(self, xero_id: UUID) -> Standing:
        try:
            return _standing(leave_applications.fetch_leave(self.it.client, xero_id))
        except Refused as refusal:
            if refusal.status == 404:
                return Standing(State.GONE, self.gone_status)
            raise
        except RetryLater as error:
            if outages.is_of_one(self.it.client, PATH, error):
                return Standing(State.UNREADABLE, "not known")
            raise

    def call(self, xero_id: UUID) -> Call:
        return Call(f"{PATH}/{xero_id}/reject", {}, None, 0.0)

    def answered(self, data: Any, xero_id: UUID) -> bool:
        own = [one for one in leave_applications.records(data) if id_of(one) == xero_id]
        return len(own) == 1 and statuses(own[0]) == [REJECTED]

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
    return Standing(state, ", ".join(found), document_id=referred(str(record.get("Description") or "")))
