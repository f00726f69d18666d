"""Reading what came back: gzip, JSON, the envelope and the server's own time."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from xero.api import limits, wire
from xero.api.errors import BadAnswer

ENVELOPED = ("/api.xro/", "/payroll.xro/")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Xero answered: JSON as `wire.loads` reads it. `bytes_received` as on the wire, that is compressed."""

    data: Any
    server_time: datetime | None
    bytes_received: int
    status: int
    headers: Mapping[str, str]


def bad(path: str, why: str) -> BadAnswer:
    """What to raise for an answer that is none."""
    return BadAnswer(
        f"What came for {path} is not an answer of Xero: {why}.",
        "Check the host in the Airflow connection; if it is right, a later run goes on where this one stopped.",
    )


def read(response: requests.Response, body: bytes, path: str) -> Answer:
    """A successful answer. Raises BadAnswer when it cannot be one of Xero's."""
    data = None if response.status_code == 204 else _decoded(response, body)
    if isinstance(data, ValueError):
        raise bad(path, str(data))
    envelope = data if isinstance(data, dict) else {}
    if path.startswith(ENVELOPED) and not envelope:
        raise bad(path, "it has no envelope")
    return Answer(data, _server_time(envelope, response.headers), len(body), response.status_code, response.headers)


def _decoded(response: requests.Response, body: bytes) -> Any:
    """The JSON of an answer, or the ValueError that says why there is none."""
    try:
        if response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip"):
            body = gzip.decompress(body)
        return wire.loads(body)
    except (EOFError, OSError, zlib.error):
        return ValueError("its gzip is broken or cut short")
    except ValueError as error:
        return ValueError(str(error))


def reason(response: requests.Response, body: bytes) -> Any:
    """What an answer other than 200 says: JSON, or where it is plain text the text; nothing of a page of HTML."""
    said = _decoded(response, body)
    if not isinstance(said, ValueError):
        return said
    plain = response.headers.get("Content-Type", "").startswith("text/plain")
    return body[:2000].decode("utf-8", "replace") if plain and not response.headers.get("Content-Encoding") else None


def _server_time(envelope: Mapping[str, Any], headers: Mapping[str, str]) -> datetime | None:
    """The server's own time: of the envelope, or of the Date header; None when neither can be read."""
    try:
        moment = wire.instant(envelope.get("DateTimeUTC"))
    except ValueError:
        moment = None
    return moment or limits.http_date(headers.get("Date", ""))
