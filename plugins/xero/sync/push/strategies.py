"""What every way of pushing documents offers: batches, pay templates, leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from xero.qicworks.push.outbox import Request
from xero.sync.push.outages import OutageBreaker


@dataclass(frozen=True)
class Preview:
    """A request as it would be sent, or the documents that would be refused before it (label, why, what to do).

    `defaults`: a sentence for each line that takes its account or tax code from the settings; `linked`: one for each
    document or contact that would be linked to a record in Xero.
    """

    method: str = ""
    path: str = ""
    query: dict[str, str] | None = None
    body: Any = None  # JSON, numbers as Decimal
    documents: tuple[str, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
    defaults: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()


class PushStrategy(Protocol):
    """Pushes the documents of one kind and connection in one run."""

    breaker: OutageBreaker

    def recover(self, request: Request) -> None:
        """Resolves an open request of an earlier run; raises RetryLater if it is too early to tell."""

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        """Pushes the next documents; False if none is ready. `done` counts how often this run took up each."""

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What would be refused and sent. Writes nothing."""
