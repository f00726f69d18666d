"""Where a call's documents are worked on: the organisation's records, what was found wrong, and a way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from xero_sandbox.clock import Clock
from xero_sandbox.collection import Collection, Record, Row
from xero_sandbox.ledger import ZONES
from xero_sandbox.organisation import Organisation
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
    """Reads and writes an organisation's records. `undo` takes back all that was written here.

    `four_places`: whether unit amounts have four places. `by_hand`: a bookkeeper works here, not the API."""

    def __init__(
        self, organisation: Organisation, settings: Settings, clock: Clock, four_places: bool, by_hand: bool = False
    ) -> None:
        self.organisation, self.settings, self._clock = organisation, settings, clock
        self.four_places, self.by_hand = four_places, by_hand
        self.empties_dates = by_hand or settings.null_empties_dates
        self._written: list[tuple[Collection, str, Row | None]] = []
        self._approved = self.organisation.approved

    def collection(self, plural: str) -> Collection:
        return self.organisation.collections[plural]

    def add(self, collection: Collection, record: Record) -> Record:
        self._written.append((collection, str(record[collection.kind.key]), None))
        return collection.add(record, self._clock)

    def change(self, collection: Collection, key: str, fields: Record, whole: bool = False) -> Record:
        self._written.append((collection, key, collection.rows[key].copy()))
        return collection.change(key, fields, self._clock, whole=whole)

    def undo(self) -> None:
        for collection, key, old in reversed(self._written):
            collection.restore(key, old)
        self._written.clear()
        self.organisation.approved = self._approved

    def today(self) -> str:
        """Today where the organisation is, YYYY-MM-DD."""
        zone = ZoneInfo(ZONES.get(str(self.organisation.record.get("Timezone")), "UTC"))
        return datetime.fromtimestamp(self._clock.now(), zone).date().isoformat()
