"""How a run ends: its result, and the exceptions that end it."""

from dataclasses import asdict, dataclass
from typing import Any

from xero.api.errors import RetryLater
from xero.qicworks.connect.connections import NotTakingPart
from xero.qicworks.runs.events import Counts
from xero.qicworks.runs.outcome import EventOutcome, Status


class Skip(Exception):
    """Nothing to do now: another run is working, the connection is off, or Xero's limit opens much later."""

    def __init__(self, message: str, outcome: EventOutcome) -> None:
        super().__init__(message, outcome)
        self.message = message
        self.outcome = outcome

    def __str__(self) -> str:
        return self.message


class Busy(RetryLater):
    """Another run is working on what was asked for by name. Retried when that run may have ended."""

    WAITS = (20.0, 120.0, 900.0)  # seconds, of the first tries

    def __init__(self, message: str, tries: int) -> None:
        seconds = self.WAITS[min(tries, len(self.WAITS)) - 1]
        super().__init__(seconds, "busy", message, "It is retried automatically. If the run fails, try again later.")
        self.tries = tries

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.tries)


class DatabaseFailed(Exception):
    """The QicWorks database refused, or the connection to it was lost. Has PostgreSQL's message without the row."""


class Unmigrated(DatabaseFailed):
    """The database lacks a migration, or the role lacks a right."""


class PullFailed(Exception):
    """Raised when fetched data fails a safety check. Nothing was loaded, and a retry would not help."""

    def __init__(self, message: str, correction: str) -> None:
        super().__init__(f"{message} {correction}")
        self.message = message
        self.correction = correction


@dataclass(frozen=True)
class Outcome:
    """What a run did, as in its event. `tables`: those in which rows changed."""

    status: Status  # success or warning
    counts: Counts
    message: str
    tables: tuple[str, ...] = ()
    outcome: EventOutcome = EventOutcome.DONE

    @property
    def changed(self) -> bool:
        return bool(self.counts.changed)

    def to_dict(self) -> dict[str, Any]:
        return {"status": self.status, "changed": self.changed, "tables": list(self.tables), **asdict(self.counts)}


LEFT_OUT = {
    NotTakingPart.DELETED: EventOutcome.DELETED,
    NotTakingPart.SWITCHED_OFF: EventOutcome.SWITCHED_OFF,
    NotTakingPart.NEEDS_RECONNECT: EventOutcome.NEEDS_RECONNECT,
    NotTakingPart.NO_SCHEDULE: EventOutcome.MISCONFIGURED,
}
