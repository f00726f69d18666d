"""How a pull ends."""

from dataclasses import asdict, dataclass
from typing import Any

from xero.api.errors import RetryLater
from xero.qicworks.runs.events import Counts


class Skip(Exception):
    """Nothing to do now: another run is at it, or Xero's limit opens much later."""


class Busy(RetryLater):
    """Another run is already working on what somebody asked for by name: tried again, once it may be through."""

    WAITS = (20.0, 120.0, 900.0)  # seconds, of the first tries

    def __init__(self, message: str, tries: int) -> None:
        seconds = self.WAITS[min(tries, len(self.WAITS)) - 1]
        super().__init__(seconds, "busy", message, "It is tried again by itself. If the run fails, do it again later.")
        self.tries = tries

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.tries)


class DatabaseFailed(Exception):
    """The QicWorks database refused or was gone. Says what PostgreSQL said, without the row that it repeats."""


class Unmigrated(DatabaseFailed):
    """It is not as this version needs it, or the role may not do what it has to."""


class PullFailed(Exception):
    """What came is not fit to be loaded; nothing was. Trying again at once would bring the same."""

    def __init__(self, message: str, correction: str) -> None:
        super().__init__(f"{message} {correction}")
        self.message = message
        self.correction = correction


@dataclass(frozen=True)
class Outcome:
    """What a pull did, as its event says. `tables`: those in which rows changed."""

    status: str  # success, warning
    counts: Counts
    message: str
    tables: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.counts.changed)

    def to_dict(self) -> dict[str, Any]:
        return {"status": self.status, "changed": self.changed, "tables": list(self.tables), **asdict(self.counts)}
