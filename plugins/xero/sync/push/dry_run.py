"""What a dry run shows."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preview:
    """A request as it would be sent, or the documents that would be refused before it (label, why, what to do)."""

    method: str = ""
    path: str = ""
    query: dict[str, str] | None = None
    body: Any = None  # JSON, numbers as Decimal
    documents: tuple[str, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
