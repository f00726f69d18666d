"""Where a call's documents are worked on: the organisation's records, what was found wrong, and a way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from xero_sandbox.collection import Collection, Record, Row
from xero_sandbox.endpoints.calling import Call
from xero_sandbox.ledger import ZONES
from xero_sandbox.settings import Settings


@dataclass(slots=True)
class Findings:
    """The errors of one document, in Xero's words, and what is saved with it."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    saves: list[Callable[[], object]] = field(default_factory=list)

    def error(self, *messages: str) -> None:
        self.errors += [message for message in messages if message not in self.errors]


class Desk:
    """Reads and writes an organisation's records. `undo` takes back all that was written here."""

    def __init__(self, call: Call) -> None:
        self.call, self.organisation = call, call.organisation
        self.settings: Settings = call.world.settings
        self._written: list[tuple[Collection, str, Row | None]] = []
        self._approved = self.organisation.approved

    def collection(self, plural: str) -> Collection:
        return self.organisation.collections[plural]

    def add(self, collection: Collection, record: Record) -> Record:
        self._written.append((collection, str(record[collection.kind.key]), None))
        return collection.add(record, self.call.world.clock)

    def change(self, collection: Collection, key: str, fields: Record) -> Record:
        self._written.append((collection, key, collection.rows[key].copy()))
        return collection.change(key, fields, self.call.world.clock)

    def undo(self) -> None:
        for collection, key, old in reversed(self._written):
            collection.restore(key, old)
        self._written.clear()
        self.organisation.approved = self._approved

    def today(self) -> str:
        """Today where the organisation is, YYYY-MM-DD."""
        zone = ZoneInfo(ZONES.get(str(self.organisation.record.get("Timezone")), "UTC"))
        return datetime.fromtimestamp(self.call.world.clock.now(), zone).date().isoformat()
