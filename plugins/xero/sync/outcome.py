"""How a pull ends."""

from dataclasses import asdict, dataclass
from typing import Any

from xero.qicworks.events import Counts


class Skip(Exception):
    """Nothing to do now: another run is at it, or Xero's limit opens much later."""


class DatabaseFailed(Exception):
    """The QicWorks database refused or was gone. Says what PostgreSQL said, without the row that it repeats."""


class PullFailed(Exception):
    """What came is not fit to be loaded; nothing was. Trying again at once would bring the same."""

    def __init__(self, message: str, correction: str) -> None:
        super().__init__(f"{message} {correction}")
        self.message = message
        self.correction = correction


@dataclass(frozen=True)
class Outcome:
    """What a pull did, as its event says."""

    status: str  # success, warning
    counts: Counts
    message: str

    @property
    def changed(self) -> bool:
        return bool(self.counts.inserted or self.counts.updated or self.counts.deactivated)

    def to_dict(self) -> dict[str, Any]:
        return {"status": self.status, "changed": self.changed, **asdict(self.counts)}
