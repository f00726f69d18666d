"""The sandbox's clock: the machine's, moved by an offset, never behind a change that it has stamped."""

from __future__ import annotations

import time
from datetime import UTC, datetime

#: The made-up data ends here: nothing in it is newer. Fixed, so that every start gives the same dates.
DATA_UNTIL_MS = int(datetime(2026, 10, 31, 12, tzinfo=UTC).timestamp() * 1000)


class Clock:
    """Milliseconds since the epoch. If the machine's clock is before the data, it starts a day after the data."""

    def __init__(self) -> None:
        self._stamped = 0
        self.offset_ms = max(0, DATA_UNTIL_MS + 86_400_000 - int(time.time() * 1000))

    def now_ms(self) -> int:
        return max(int(time.time() * 1000) + self.offset_ms, self._stamped)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.now_ms() / 1000

    def stamp(self) -> int:
        """The time of a change: strictly later than every stamp before it."""
        self._stamped = max(self.now_ms(), self._stamped + 1)
        return self._stamped

    def set_offset(self, seconds: float) -> None:
        self.offset_ms, self._stamped = int(seconds * 1000), 0

    def set_now(self, milliseconds: int) -> None:
        self.offset_ms, self._stamped = milliseconds - int(time.time() * 1000), 0

    def iso(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat()
