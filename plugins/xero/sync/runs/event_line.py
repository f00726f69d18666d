"""The log of a run: foldable parts, and its event as one line."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xero.qicworks.connect.connections import Connection
from xero.qicworks.runs.events import Counts, counts_of
from xero.qicworks.runs.outcome import Direction, Status

log = logging.getLogger(__name__)
event_log = logging.getLogger("xero.events")


def log_event(
    data_set: str,
    connection: Connection,
    status: Status,
    counts: Counts,
    message: str,
    correction: str | None = None,
    *,
    direction: Direction = Direction.PULL,
    document: str | None = None,
    correlation_id: str | None = None,
) -> None:
    """Logs the event as one line of `name=value`, so that logs can be searched."""
    facts: dict[str, Any] = {
        "direction": direction,
        "data_set": data_set,
        "organisation": connection.organisation,
        "status": status,
        "document": document,
        **({} if document else {name: getattr(counts, name) for name in counts_of(direction)}),
        "message": message,
        "correction": correction,
        "correlation_id": correlation_id,
    }
    level = {Status.SUCCESS: logging.INFO, Status.WARNING: logging.WARNING}.get(status, logging.ERROR)
    known = {name: value for name, value in facts.items() if value is not None}
    line = " ".join(
        f"{name}={str(value)!r}" if isinstance(value, str) else f"{name}={value}" for name, value in known.items()
    )
    event_log.log(level, "connection_event %s", line)


@contextmanager
def group(title: str) -> Iterator[None]:
    """A foldable part of the task log."""
    log.info("::group::%s", title)
    try:
        yield
    finally:
        log.info("::endgroup::")


def listed(found: Counter[str]) -> str:
    """The messages, with the number of rows if there are several."""
    return "; ".join(f"{message} ({rows})" if rows > 1 else message for message, rows in found.most_common())


def received(counts: Counts) -> str:
    """The size of the responses, compressed and unpacked: which of them Xero bills is not known."""
    return f"{size(counts.bytes_received)} as compressed on the wire, {size(counts.bytes_unpacked)} unpacked"


def size(bytes: int) -> str:
    return f"{bytes / 1024:.0f} KiB" if bytes < 1024 * 1024 else f"{bytes / 1024 / 1024:.1f} MiB"
