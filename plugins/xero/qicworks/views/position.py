"""Where a page of a list, newest first, ends; the next page begins after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from xero.documents.odd_values import OddInstant, OutOfRange

#: As PostgreSQL writes a timestamptz that Python has no value for.
ODD_STAMP = re.compile(r"-?infinity|[12]?[0-9]{5}-[0-9:.+ -]+|[0-9]{4}-[0-9:.+ -]+ BC")


@dataclass(frozen=True)
class Position:
    """The moment and the id of the last row. `str` and `parse` carry it through an address."""

    at: datetime | OutOfRange
    id: Any
    read_id: ClassVar[type] = str

    def __str__(self) -> str:
        at = self.at
        return f"{at.said if isinstance(at, OddInstant) else at if isinstance(at, str) else at.isoformat()}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError if it is not a position."""
        stamp, _, id = text.partition("~")
        if ODD_STAMP.fullmatch(stamp):
            return cls(OutOfRange(stamp), cls.read_id(id))
        at = datetime.fromisoformat(stamp)
        if at.tzinfo is None:
            raise ValueError(f"not a position in a list: {text!r}")
        return cls(at, cls.read_id(id))
