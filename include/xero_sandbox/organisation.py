"""An organisation: its own record, its collections, and what is attached to them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

from xero_sandbox.collection import Collection, Record


@dataclass(frozen=True, slots=True)
class Attachment:
    id: str
    name: str
    mime_type: str
    content: bytes
    online: bool


@dataclass(slots=True)
class Organisation:
    tenant_id: str
    record: Record  # as GET /Organisation shows it
    collections: dict[str, Collection]  # by plural
    payroll: bool  # whether it has bought payroll
    custom: bool = True  # whether the app itself is connected to it from the start
    attachments: dict[str, list[Attachment]] = field(default_factory=dict)  # by the id of what they are attached to
    history: dict[str, list[Record]] = field(default_factory=dict)  # notes, by the id of what they are about
    approved: int = 0  # invoices and bills, through the API
    leave_requests: dict[str, str] = field(default_factory=dict)  # ids of requests, by the ids of the approved leave

    def copy(self) -> Organisation:
        """Another one that is just like it, before anything was attached or noted."""
        collections = {plural: collection.copy() for plural, collection in self.collections.items()}
        return Organisation(self.tenant_id, deepcopy(self.record), collections, self.payroll, self.custom)

    @property
    def name(self) -> str:
        return str(self.record["Name"])
